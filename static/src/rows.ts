/** What the console shows: one row per entry, result, error or note. Data only; `console-row.ts` draws it. */

import type { ConsoleMethod, Level, Preview, RunId, StyleRun, ValueKind } from "./protocol";

export type Row = RunRow | EntryRow | ValueRow | ErrorRow | QuestionRow | AnswerRow | NoteRow;

/** A row that came after the heading of a later run says whose it is. */
interface Late {
  late?: string;
}

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
export interface EntryRow extends Late {
  kind: "entry";
  run: RunId;
  origin: Origin;
  /** What names and refs in it belong to. */
  connection: number;
  level: Level;
  text: string;
  time: number;
  uncaught: boolean;
  /** `null`: the level says it. */
  method: ConsoleMethod | null;
  /** It stands in so many groups. */
  group: number;
  styles: readonly StyleRun[];
  /** The arguments, where there is something to open in them. */
  values: readonly Preview[];
  /** So many times in a row. */
  count: number;
}

/** What an entry of `console.clear` says. */
export const CLEARED = "The console was cleared by the code.";

/** The value a run ended with. */
export interface ValueRow extends Late {
  kind: "value";
  run: RunId;
  origin: Origin;
  connection: number;
  /** The value itself, where more of it is known than its text. */
  values: readonly Preview[];
  valueKind: ValueKind;
  text: string;
  time: number;
}

/** A run that did not end well. */
export interface ErrorRow extends Late {
  kind: "error";
  run: RunId;
  origin: Origin;
  connection: number;
  text: string;
  time: number;
  place: Place | null;
}

/** What a run has asked. */
export interface QuestionRow extends Late {
  kind: "question";
  run: RunId;
  text: string;
  time: number;
}

/** What it was answered. */
export interface AnswerRow extends Late {
  kind: "answer";
  run: RunId;
  text: string;
  time: number;
}

/** Something the page has to say. */
export interface NoteRow extends Late {
  kind: "note";
  tone: "plain" | "warn" | "bad";
  text: string;
}

/** 1-based, in UTF-16 units. */
export interface Position {
  line: number;
  column: number;
}

/** A position in one of the texts that ran. */
export interface Place extends Position {
  /** The server's name of the run's text; `null`: of the run that the row belongs to. */
  source: string | null;
  /** `null`: in the code itself. */
  file: string | null;
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
    last.late === next.late &&
    last.level === next.level &&
    last.uncaught === next.uncaught &&
    last.method === next.method &&
    last.text === next.text &&
    // Each has something of its own to open, to fold, or to do.
    !isGroup(next) &&
    next.method !== "clear" &&
    !next.values.some((value) => value.ref !== undefined)
  );
}

/** Whether what follows stands in it. */
export function isGroup({ method }: EntryRow): boolean {
  return method === "group" || method === "groupCollapsed";
}

/** A stretch of text, and the place it names if it names one. */
export interface Piece {
  text: string;
  place: Place | null;
}

const FRAME = /^(\s+at .*?)((?:(run-\d+)(?:\/([^:()]+))?:)?(\d+):(\d+))(\)?)$/;
/** No name is longer; a hostile text must not keep the pattern busy. */
const MAX_FRAME_CHARACTERS = 600;
/** Deeper stacks are all alike, and every place becomes a button. */
const MAX_PLACES = 100;

/** Cuts the places out of the stack lines of an error's text. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let plain = "";
  let places = 0;
  for (const line of text.split(/(?<=\n)/)) {
    const frame = places < MAX_PLACES && line.length <= MAX_FRAME_CHARACTERS ? FRAME.exec(line.trimEnd()) : null;
    if (!frame) {
      plain += line;
      continue;
    }
    const [, before = "", name = "", source = null, file = null, row, column, after = ""] = frame;
    const place = { source, file, line: Number(row), column: Number(column) };
    pieces.push({ text: plain + before, place: null }, { text: name, place });
    plain = after + (line.endsWith("\n") ? "\n" : "");
    places += 1;
  }
  if (plain !== "") pieces.push({ text: plain, place: null });
  return pieces;
}
