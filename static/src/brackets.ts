/**
 * Whether a text can be run as it stands, judged by its brackets, quotes and comments alone: what Enter in the console's line does
 * until the server can say it. A wrong guess costs one key: Ctrl+Enter runs anything.
 */

const CLOSERS: Record<string, string> = { "(": ")", "[": "]", "{": "}" };

export function isComplete(code: string): boolean {
  /** What is open, as the sign that closes it. `"}$"` stands for the hole of a template. */
  const open: string[] = [];
  let at = 0;
  /** The last sign or word that is neither blank nor comment: tells a regular expression from a division. */
  let before = "";
  while (at < code.length) {
    const sign = code[at] as string;
    const two = code.slice(at, at + 2);
    if (two === "//") {
      at = endOf(code, "\n", at);
    } else if (two === "/*") {
      const end = code.indexOf("*/", at + 2);
      if (end < 0) return false;
      at = end + 2;
    } else if (sign === "'" || sign === '"') {
      at = afterString(code, at, sign);
      before = sign;
    } else if (sign === "`") {
      const end = afterTemplatePart(code, at + 1);
      if (end === null) return false;
      if (code[end - 1] === "{") open.push("}$");
      before = code[end - 1] === "{" ? "{" : sign;
      at = end;
    } else if (sign === "/" && mayBeginRegExp(before)) {
      at = afterRegExp(code, at);
      before = ")";
    } else if (CLOSERS[sign]) {
      open.push(CLOSERS[sign]);
      before = sign;
      at += 1;
    } else if (sign === "}" && open.at(-1) === "}$") {
      open.pop();
      const end = afterTemplatePart(code, at + 1);
      if (end === null) return false;
      if (code[end - 1] === "{") open.push("}$");
      before = code[end - 1] === "{" ? "{" : "`";
      at = end;
    } else if (sign === ")" || sign === "]" || sign === "}") {
      // One too many, or the wrong one: more lines cannot mend it, so let the engine say what is wrong.
      if (open.pop() !== sign) return true;
      before = sign;
      at += 1;
    } else {
      const word = /^[\p{ID_Start}$_\d][\p{ID_Continue}$]*/u.exec(code.slice(at, at + 64))?.[0];
      if (word) before = word;
      else if (sign.trim() !== "") before = sign;
      at += word?.length ?? 1;
    }
  }
  return open.length === 0;
}

function endOf(code: string, sign: string, from: number): number {
  const end = code.indexOf(sign, from);
  return end < 0 ? code.length : end;
}

/** After the closing quote; a string that does not end on its line is the engine's to complain about. */
function afterString(code: string, from: number, quote: string): number {
  for (let at = from + 1; at < code.length; at += 1) {
    if (code[at] === "\\") at += 1;
    else if (code[at] === quote || code[at] === "\n") return at + 1;
  }
  return code.length;
}

/** After the closing backtick, or after the `${` of a hole; `null` where the template is still open. */
function afterTemplatePart(code: string, from: number): number | null {
  for (let at = from; at < code.length; at += 1) {
    if (code[at] === "\\") at += 1;
    else if (code[at] === "`") return at + 1;
    else if (code.startsWith("${", at)) return at + 2;
  }
  return null;
}

function afterRegExp(code: string, from: number): number {
  let inClass = false;
  for (let at = from + 1; at < code.length; at += 1) {
    const sign = code[at];
    if (sign === "\n") return at;
    if (sign === "\\") at += 1;
    else if (sign === "[") inClass = true;
    else if (sign === "]") inClass = false;
    else if (sign === "/" && !inClass) return at + 1;
  }
  return code.length;
}

const WORDS_BEFORE_VALUES = new Set(["return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "await", "yield"]);

function mayBeginRegExp(before: string): boolean {
  return before === "" || WORDS_BEFORE_VALUES.has(before) || /^[(,=:[!&|?{};+\-*%~^<>]$/.test(before);
}
