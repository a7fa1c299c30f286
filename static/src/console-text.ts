/** Console rows as text to take elsewhere. */

import { clock, stamp } from "./format";
import type { Row } from "./rows";

/** As a terminal would show it. */
export function asText(rows: readonly Row[], times: boolean): string {
  return rows.map((row) => `${line(row, times)}\n`).join("");
}

/** A heading for each run of the editor, and its output in a fenced block. */
export function asMarkdown(rows: readonly Row[], times: boolean): string {
  const parts: string[] = [];
  let output: string[] = [];
  const flush = () => {
    if (output.length > 0) parts.push(fenced(output.join("\n")));
    output = [];
  };
  for (const row of rows) {
    if (row.kind === "run" && row.origin === "editor") {
      flush();
      parts.push(`**Run ${row.run}** at ${clock(row.time)}: ${inlineCode(row.title)}`);
    } else {
      output.push(line(row, times));
    }
  }
  flush();
  return parts.map((part) => `${part}\n`).join("\n");
}

function line(row: Row, times: boolean): string {
  const text = row.kind !== "run" && row.late !== undefined ? `(${row.late}) ${plain(row)}` : plain(row);
  return times && row.kind !== "note" ? `${stamp(row.time)} ${text}` : text;
}

function plain(row: Row): string {
  switch (row.kind) {
    case "run":
      return row.origin === "line" ? `> ${row.title}` : `--- Run ${row.run}: ${row.title}`;
    case "entry":
      return row.count > 1 ? `${row.text} (×${row.count})` : row.text;
    case "value":
      return `← ${row.text}`;
    case "error":
      return row.text;
    case "question":
      return `? ${row.text}`;
    case "answer":
      return `» ${row.text}`;
    case "note":
      return `[${row.text}]`;
  }
}

/** A fence is longer than any run of backticks within. */
function fenced(text: string): string {
  const fence = "`".repeat(Math.max(3, longestTicks(text) + 1));
  return `${fence}text\n${text}\n${fence}`;
}

function inlineCode(text: string): string {
  const ticks = "`".repeat(longestTicks(text) + 1);
  const gap = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return `${ticks}${gap}${text}${gap}${ticks}`;
}

function longestTicks(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((longest, ticks) => Math.max(longest, ticks.length), 0);
}
