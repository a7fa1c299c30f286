/** What the console shows: one row per entry, result, error or note. Data only; `console-row.ts` draws it. */

import type { Level, RunId, ValueKind } from "./protocol";

export type Row = RunRow | EntryRow | ValueRow | ErrorRow | NoteRow;

/** Where code was run from. Positions in the editor's code are places to jump to. */
export type Origin = "editor" | "line";

/** The beginning of a run. */
export interface RunRow {
  kind: "run";
  run: RunId;
  origin: Origin;
  time: number;
  /** The first line of the editor's code that has something on it; all of a line's code. */
  title: string;
}

/** Something the code logged. */
export interface EntryRow {
  kind: "entry";
  run: RunId;
  origin: Origin;
  level: Level;
  text: string;
  time: number;
  uncaught: boolean;
  /** So many times in a row. */
  count: number;
}

/** The value a run ended with. */
export interface ValueRow {
  kind: "value";
  run: RunId;
  valueKind: ValueKind;
  text: string;
  time: number;
}

/** A run that did not end well. */
export interface ErrorRow {
  kind: "error";
  run: RunId;
  origin: Origin;
  text: string;
  time: number;
  position: Position | null;
}

/** Something the page has to say. */
export interface NoteRow {
  kind: "note";
  tone: "plain" | "warn" | "bad";
  text: string;
}

/** 1-based, in UTF-16 units. */
export interface Position {
  line: number;
  column: number;
}

export function textOf(row: Row): string {
  return row.kind === "run" ? row.title : row.text;
}

/** Whether `next` says the same as `last` once more. */
export function repeats(last: Row | undefined, next: Row): last is EntryRow {
  return (
    last?.kind === "entry" &&
    next.kind === "entry" &&
    last.run === next.run &&
    last.level === next.level &&
    last.uncaught === next.uncaught &&
    last.text === next.text
  );
}

/** A stretch of text, and the place it names if it names one. */
export interface Piece {
  text: string;
  position: Position | null;
}

const FRAME = /^(\s+at .*?)((?:run-\d+:)?(\d+):(\d+))(\)?)$/;
/** Deeper stacks are all alike, and every place becomes a button. */
const MAX_PLACES = 100;

/** Cuts the places out of the stack lines of an error's text. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let plain = "";
  let places = 0;
  for (const line of text.split(/(?<=\n)/)) {
    const frame = places < MAX_PLACES ? FRAME.exec(line.trimEnd()) : null;
    if (!frame) {
      plain += line;
      continue;
    }
    const [, before = "", place = "", row, column, after = ""] = frame;
    pieces.push({ text: plain + before, position: null }, { text: place, position: { line: Number(row), column: Number(column) } });
    plain = after + (line.endsWith("\n") ? "\n" : "");
    places += 1;
  }
  if (plain !== "") pieces.push({ text: plain, position: null });
  return pieces;
}
