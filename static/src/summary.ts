/** What a screen reader says of new console rows: each of a few, and of many only how many and the last. */

import { counted } from "./format";
import type { Row } from "./rows";

const READ_OUT = 4;
const READ_CHARACTERS = 200;

export function summaryOf(rows: readonly Row[], total: number): string {
  const spoken = rows.filter((row) => row.kind !== "run");
  const last = spoken.at(-1);
  if (!last) return "";
  if (total <= READ_OUT) return spoken.map(spokenText).join(". ");
  const errors = spoken.filter((row) => row.kind === "error" || (row.kind === "entry" && row.level === "error")).length;
  const parts = [counted(total, "new row", "new rows")];
  if (errors > 0) parts.push(counted(errors, "error", "errors"));
  return `${parts.join(", ")}. Last: ${spokenText(last)}`;
}

function spokenText(row: Row): string {
  if (row.kind === "run") return "";
  const text = row.text.length > READ_CHARACTERS ? `${row.text.slice(0, READ_CHARACTERS)}…` : row.text;
  if (row.kind === "question") return `Question: ${text}`;
  if (row.kind === "answer") return `Answer: ${text}`;
  if (row.kind === "value") return `Result: ${text}`;
  if (row.kind === "entry" && (row.level === "error" || row.level === "warn")) return `${row.level === "error" ? "Error" : "Warning"}: ${text}`;
  return text;
}
