// What Node's console and Chrome's make of the texts that come on standard input. Chrome's console asks the engine that Node has
// too, and waits for more where the engine says one of two things.
const repl = require('node:repl');
const vm = require('node:vm');
const { PassThrough, Writable } = require('node:stream');

const texts = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));

function ofNode(text) {
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const server = repl.start({ input: new PassThrough(), output, terminal: false });
  return new Promise((resolve) => {
    server.eval(`${text}\n`, server.context, 'repl', (error) => {
      server.close();
      if (error instanceof repl.Recoverable) {
        resolve('incomplete');
      } else {
        resolve(error?.name === 'SyntaxError' ? 'invalid' : 'complete');
      }
    });
  });
}

function ofChrome(text) {
  try {
    new vm.Script(text);
    return 'complete';
  } catch (error) {
    return /^Unexpected end of input|^Unterminated template literal/.test(error.message) ? 'incomplete' : 'invalid';
  }
}

(async () => {
  const out = [];
  for (const text of texts) {
    out.push([await ofNode(text), ofChrome(text)]);
  }
  process.stdout.write(JSON.stringify(out), () => process.exit());
})();
