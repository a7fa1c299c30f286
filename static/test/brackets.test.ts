import { expect, test } from "vitest";

import { isComplete } from "../src/brackets";

test.each([
  "", "1 + 1", "f(1)", "{a: [1, (2)]}", "'('", '"{"', "`[`", "`${1}`", "`a${`b${{}}`}c`", "// (", "/* ( */", "/[(]/.test('(')",
  "a / b / (c)", "return /{/", "x = /\\//", "'it\\'s ('", "'open string", ")", "(]", "}{", "x++ / 2", "`\\``", "/a/g", "1 /2/ 3",
  "'π(' + π", "[/(/, /[/]/]",
])("%j may be run", (code) => expect(isComplete(code)).toBe(true));

test.each([
  "(", "f(", "function f() {", "[1,", "`open", "`${", "`${1", "`${`a`}", "/* open", "if (x) { // }", "a => {", "({ a: '}'", "x = [ /]/",
  "a / (b",
])("%j wants more", (code) => expect(isComplete(code)).toBe(false));
