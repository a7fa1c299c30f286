// What Node prints for the cases that come on standard input, as JSON of the same shape.
const util = require('node:util');
const { Console } = require('node:console');
const { Writable } = require('node:stream');

const evaluate = eval;

function attempt(show) {
  try {
    return show();
  } catch (error) {
    return `!! ${error}`;
  }
}

function printed(script) {
  let out = '';
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _, done) {
      out += chunk;
      done();
    },
  });
  const console = new Console({ stdout: stream, stderr: stream });
  new Function('console', script)(console);
  return out;
}

const cases = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
// Node's own classes print themselves in ways of their own.
process.on('unhandledRejection', () => {});
process.stdout.write(
  JSON.stringify({
    values: cases.values.map((code) => attempt(() => util.inspect(evaluate(`(${code})`)))),
    formats: cases.formats.map((code) => attempt(() => util.format(...evaluate(`[${code}]`)))),
    consoles: cases.consoles.map((code) => attempt(() => printed(code))),
  }),
);
