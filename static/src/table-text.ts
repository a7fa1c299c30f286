/** Reads the table that `console.table` has drawn with lines, to draw it as one. */

export interface Table {
  head: readonly string[];
  body: readonly (readonly string[])[];
}

/** A larger one stays text: each cell is an element. */
const MAX_CELLS = 5_000;

const TOP = /^┌─+(?:┬─+)*┐$/;
const MIDDLE = /^├─+(?:┼─+)*┤$/;
const BOTTOM = /^└─+(?:┴─+)*┘$/;

/** `null` where the text is no table, or its cells cannot be told apart. */
export function tableOf(text: string): Table | null {
  const lines = text.split("\n").map((line) => line.trim());
  const [top = "", head = "", middle = "", ...rest] = lines;
  const bottom = rest.pop() ?? "";
  if (!TOP.test(top) || !MIDDLE.test(middle) || !BOTTOM.test(bottom)) return null;
  const columns = top.split("┬").length;
  if (columns * rest.length > MAX_CELLS) return null;
  const rows = [head, ...rest].map(cellsOf);
  // A cell with a line in it would make two of one.
  if (rows.some((cells) => cells?.length !== columns)) return null;
  const [first = [], ...body] = rows as string[][];
  return { head: first, body };
}

function cellsOf(line: string): string[] | null {
  if (!line.startsWith("│") || !line.endsWith("│") || line.length < 2) return null;
  return line.slice(1, -1).split("│").map((cell) => cell.trim());
}
