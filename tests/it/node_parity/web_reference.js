// What Node prints for the expressions that come on standard input, one after the other: those of the Web Platform's globals.
const util = require('node:util');

const cases = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const evaluate = eval;
process.on('warning', () => {});
process.on('unhandledRejection', () => {});
process.on('uncaughtException', () => {});
evaluate(cases.prelude);

(async () => {
  const printed = [];
  for (const code of cases.values) {
    try {
      printed.push(util.inspect(await evaluate(`(${code})`)));
    } catch (error) {
      printed.push(`!! ${error}`);
    }
  }
  process.stdout.write(JSON.stringify(printed), () => process.exit(0));
})();
