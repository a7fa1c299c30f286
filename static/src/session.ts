/**
 * The session as the page sees it: which runs are alive and what became of the last one. Event in, new state and console rows
 * out; no I/O and no clock, so that every course of a run can be tested.
 */

import { counted, duration } from "./format";
import { charactersOf, type Program } from "./program";
import type {
  ConsoleEntry,
  Done,
  InputKind,
  Limits,
  Outcome,
  RunError,
  RunId,
  ServerError,
  ServerMessage,
  Settled,
  Usage,
  Value,
} from "./protocol";
import { CLEARED, type EntryRow, type NoteRow, type Origin, type Place, type Position, type Row } from "./rows";

export interface Session {
  /** Runs that are not over, oldest first. */
  runs: readonly Run[];
  /** How the run that ended last ended. */
  ended: Ended | null;
  /** The question a run waits with. */
  question: Question | null;
  /** The engine holds what earlier runs left in it, as far as the user knows. */
  hasState: boolean;
  /** From `hello`; `null` until it came. */
  limits: Limits | null;
  /** What the server can do besides runs; from `hello`. */
  features: readonly string[];
  /** Counts the connections: what the server has named in one means nothing in the next. */
  connection: number;
  /** The run whose heading was written last: rows of others say whose they are. */
  heading: RunId | null;
  /** What ran, oldest first, for the places that stacks name. Not all of it: see `MAX_SOURCES`. */
  sources: readonly Source[];
}

/** The text that a stack's `run-3` is about. */
export interface Source {
  connection: number;
  /** The server's. */
  name: string;
  run: RunId;
  origin: Origin;
  program: Program;
}

/** As many as the server itself remembers. */
const MAX_SOURCES = 256;
const MAX_SOURCE_CHARACTERS = 4 << 20;

export interface Run {
  id: RunId;
  origin: Origin;
  /** As it was sent: an error's position is a position in it. */
  program: Program;
  /** The user asked for a fresh engine. */
  fresh: boolean;
  phase: Phase;
  /** Stop was pressed. The run is alive until the server says otherwise. */
  stopping: boolean;
  /** A later run has taken its place. */
  superseded: boolean;
  hasPrinted: boolean;
}

export type Phase =
  /** No answer yet. Left by `queued`, `started`, or an `error` that refuses the run. */
  | { kind: "sent" }
  /** Left by `started`, or a refusal. */
  | { kind: "queued"; position: number; waitingFor: "session" | "pool" }
  /** Left by `done`. */
  | { kind: "running"; since: number }
  /** The result is there, timers live on. Left by `settled`. */
  | { kind: "background"; since: number; timers: number; foreground: Pick<Ended, "how" | "fault"> };

export interface Ended {
  id: RunId;
  how: Outcome | "refused" | "lost";
  usage: Usage | null;
  origin: Origin;
  program: Program;
  /** What went wrong, where it is known. */
  fault: Fault | null;
  /** The runtime went with it. */
  replaced: boolean;
}

export interface Fault {
  /** `null`: the code itself. */
  file: string | null;
  position: Position;
  message: string;
}

export interface Question {
  run: RunId;
  kind: InputKind;
  text: string;
  /** What a prompt offers as the answer. */
  offered: string;
}

export type SessionEvent =
  | { type: "run"; id: RunId; origin: Origin; program: Program; fresh: boolean; at: number }
  | { type: "stop" }
  /** These runs make room for one that is about to be sent. */
  | { type: "supersede"; runs: readonly RunId[] }
  /** `null` is what Cancel says. */
  | { type: "answer"; text: string | null; at: number }
  /** The connection is gone, and the server's half of the session with it. */
  | { type: "lost"; at: number }
  /** There is a connection again after one was lost. */
  | { type: "back" }
  | { type: "message"; message: ServerMessage; at: number };

export interface Step {
  session: Session;
  rows: Row[];
}

export const EMPTY: Session = {
  runs: [],
  ended: null,
  question: null,
  hasState: false,
  limits: null,
  features: [],
  connection: 0,
  heading: null,
  sources: [],
};

export function step(session: Session, event: SessionEvent): Step {
  switch (event.type) {
    case "run": {
      const { id, origin, program, fresh } = event;
      const run: Run = { id, origin, program, fresh, phase: { kind: "sent" }, stopping: false, superseded: false, hasPrinted: false };
      return quiet({ ...session, runs: [...session.runs, run] });
    }
    case "stop":
      return quiet({ ...session, question: null, runs: session.runs.map((run) => ({ ...run, stopping: true })) });
    case "supersede": {
      const gives = ({ id }: { id: RunId }) => event.runs.includes(id);
      const runs = session.runs.map((run) => (gives(run) ? { ...run, stopping: true, superseded: true } : run));
      const question = session.question && event.runs.includes(session.question.run) ? null : session.question;
      return quiet({ ...session, question, runs });
    }
    case "answer":
      return answer(session, event.text, event.at);
    case "lost":
      return lose(session, event.at);
    case "back":
      return { session, rows: [{ kind: "note", tone: "plain", text: "Connected again. The runtime is fresh: variables of earlier runs are gone." }] };
    case "message":
      return hear(session, event.message, event.at);
  }
}

/** The run the status line is about: the oldest one in the foreground, else the youngest in the background. */
export function currentRun(session: Session): Run | null {
  const foreground = session.runs.find((run) => run.phase.kind !== "background");
  return foreground ?? session.runs.at(-1) ?? null;
}

/**
 * The runs that make room when the editor's code is run anew. Where state is kept, so are the timers that live on: only what is
 * in the way of the next run goes.
 */
export function inTheWay(session: Session, keepsState: boolean): RunId[] {
  const isInTheWay = ({ origin, phase, stopping }: Run) => origin === "editor" && !stopping && !(keepsState && phase.kind === "background");
  return session.runs.filter(isInTheWay).map(({ id }) => id);
}

/** The heading of a run, as its first row. */
function headed(session: Session, { id, origin, program: { code } }: Run, at: number): Step {
  const title = origin === "line" ? code : titleOf(code);
  return { session: { ...session, heading: id }, rows: [{ kind: "run", run: id, origin, time: at, title }] };
}

/** What a run's row has on it beside the row's own: whose it is, where that is not the run of the heading above. */
function owned({ heading }: Session, { id, origin }: Pick<Run, "id" | "origin">): { late?: string } {
  if (heading === id) return {};
  return { late: origin === "line" ? "earlier line" : `run ${id}` };
}

function answer(session: Session, text: string | null, time: number): Step {
  const { question } = session;
  const run = question && find(session, question.run);
  const rows: Row[] = [];
  // An alert is only read.
  if (run && question.kind !== "alert") {
    const said = question.kind === "confirm" ? (text === null ? "Cancel" : "OK") : (text ?? "Cancel");
    rows.push({ kind: "answer", run: run.id, text: said, time, ...owned(session, run) });
  }
  return { session: { ...session, question: null }, rows };
}

function hear(session: Session, message: ServerMessage, at: number): Step {
  switch (message.type) {
    case "queued": {
      const { id, position, waiting_for: waitingFor } = message;
      return quiet(inPhase(session, id, { kind: "queued", position, waitingFor }));
    }
    case "started": {
      const run = find(session, message.id);
      if (run === null) return quiet(session);
      const { session: begun, rows } = headed(session, run, at);
      const started = begin(inPhase({ ...begun, hasState: true }, run.id, { kind: "running", since: at }), run, message.source);
      const surprise = message.runtime === "fresh" && session.hasState && !run.fresh;
      if (surprise) rows.push(warning("This run has a fresh runtime. Earlier variables are gone."));
      return { session: started, rows };
    }
    case "console": {
      const { id, entries, dropped = 0 } = message;
      const run = find(session, id);
      if (run === null) return quiet(session);
      const rows: Row[] = entries.map((entry) => entryRow(session, run, entry));
      if (dropped > 0) {
        rows.push({ ...warning(`${counted(dropped, "entry", "entries")} dropped: this run's console is full.`), ...owned(session, run) });
      }
      return { session: run.hasPrinted ? session : changed(session, id, { hasPrinted: true }), rows };
    }
    case "input_request": {
      const run = find(session, message.id);
      if (run === null || run.stopping) return quiet(session);
      const { kind, text, default: offered = "" } = message;
      return {
        session: { ...session, question: { run: run.id, kind, text, offered } },
        rows: [{ kind: "question", run: run.id, text: text || "Input", time: at, ...owned(session, run) }],
      };
    }
    case "done":
      return finish(session, message, at);
    case "settled":
      return settle(session, message, at);
    case "reset":
      return { session: { ...session, hasState: false }, rows: [{ kind: "note", tone: "plain", text: "Fresh runtime." }] };
    case "pong":
      return quiet(session);
    case "hello":
      return quiet({ ...session, limits: message.limits, features: message.features });
    case "error":
      return complain(session, message, at);
    // What answers a request is for whoever has asked.
    case "properties":
    case "completions":
    case "completeness":
      return quiet(session);
  }
}

/** Notes what a stack may name from now on. */
function begin(session: Session, { id, origin, program }: Run, name: string): Session {
  const sources = [...session.sources, { connection: session.connection, name, run: id, origin, program }];
  let characters = 0;
  let from = sources.length;
  while (from > 0 && sources.length - from < MAX_SOURCES) {
    characters += charactersOf((sources[from - 1] as Source).program);
    if (characters > MAX_SOURCE_CHARACTERS) break;
    from -= 1;
  }
  return { ...session, sources: sources.slice(from) };
}

/** The text that a place in a row is in; `null` where it is not known any more. */
export function sourceOf(session: Session, row: { connection: number; run: RunId }, place: Place): Source | null {
  const { sources } = session;
  if (place.source === null) return sources.find(({ run }) => run === row.run) ?? null;
  return sources.find(({ connection, name }) => connection === row.connection && name === place.source) ?? null;
}

function entryRow(session: Session, run: Run, entry: ConsoleEntry): EntryRow {
  const { connection } = session;
  const { id, origin } = run;
  const { level, time, uncaught = false, method = null, group = 0, styles = [], values = [] } = entry;
  const text = method === "clear" ? CLEARED : entry.text;
  return { kind: "entry", run: id, origin, connection, level, text, time, uncaught, method, group, styles, values, count: 1, ...owned(session, run) };
}

function finish(before: Session, done: Done, at: number): Step {
  const run = find(before, done.id);
  if (run === null) return quiet(before);
  // Who never began is told of all the same, unless it has made room for another.
  const hasBegun = hasStarted(run);
  if (!hasBegun && run.superseded) return quiet(over(before, run, { how: done.outcome, fault: null, usage: null, replaced: false }));
  const { session, rows } = hasBegun ? { session: before, rows: [] as Row[] } : headed(before, run, at);
  if (done.outcome === "ok") {
    const { value } = done;
    // Who prints has said what there is to say.
    const goesWithoutSaying = value?.kind === "undefined" && run.origin === "editor" && run.hasPrinted;
    if (value && !goesWithoutSaying) rows.push(valueRow(session, run, value, at));
  } else {
    rows.push(failure(session, run, done, done.outcome, at));
  }
  if (!hasBegun) return { session: over(session, run, { how: done.outcome, fault: null, usage: done.usage, replaced: false }), rows };
  const replaced = done.runtime === "replaced";
  // Who asks for a fresh runtime misses nothing.
  const isMissed = !run.superseded || !session.runs.some(({ fresh, superseded }) => fresh && !superseded);
  if (replaced && isMissed) rows.push(replacement());
  const foreground = { how: done.outcome, fault: faultOf(session, run, done) };
  const next = over(session, run, { ...foreground, usage: done.usage, replaced });
  const background: Run[] =
    done.background > 0 ? [{ ...run, phase: { kind: "background", since: at, timers: done.background, foreground } }] : [];
  return {
    session: {
      ...next,
      runs: session.runs.flatMap((other) => (other.id === run.id ? background : [other])),
      hasState: session.hasState && !replaced,
    },
    rows,
  };
}

function settle(session: Session, settled: Settled, at: number): Step {
  const run = find(session, settled.id);
  if (run === null) return quiet(session);
  // Each uncaught error of the background came as a console entry already.
  const { outcome, usage } = settled;
  const replaced = settled.runtime === "replaced";
  const rows = outcome === "ok" || outcome === "error" ? [] : [failure(session, run, settled, outcome, at)];
  // Several runs may lose the same runtime; the first one tells.
  if (replaced && session.hasState) rows.push(replacement());
  const { phase } = run;
  // Timers that end well make no success of a run that has failed.
  const end = outcome === "ok" && phase.kind === "background" ? phase.foreground : { how: outcome, fault: faultOf(session, run, settled) };
  return {
    session: {
      ...over(session, run, { ...end, usage, replaced }),
      hasState: session.hasState && !replaced,
    },
    rows,
  };
}

function replacement(): Row {
  return warning("The runtime was replaced. Variables of earlier runs are gone.");
}

function complain(session: Session, { code, message, id }: ServerError, at: number): Step {
  // The answers to a Stop or an answer that crossed the run's end: nothing went wrong.
  if (code === "unknown_run" || code === "no_input_wanted") return quiet(session);
  const row: Row = { kind: "note", tone: "bad", text: sentence(message) };
  const run = typeof id === "number" ? find(session, id) : null;
  const refused = run?.phase.kind === "sent" || run?.phase.kind === "queued";
  if (!run || !refused) return { session, rows: [row] };
  const { session: told, rows } = headed(session, run, at);
  return { session: over(told, run, { how: "refused", usage: null, fault: null, replaced: false }), rows: [...rows, row] };
}

function lose(session: Session, at: number): Step {
  const last = session.runs.at(-1);
  const { limits, sources, connection, heading } = session;
  const kept = { ...EMPTY, limits, sources, heading, connection: connection + 1 };
  if (!last) return quiet({ ...kept, ended: session.ended });
  const { id, origin, program } = last;
  const waiting = session.runs.filter((run) => !hasStarted(run) && !run.superseded);
  return {
    session: { ...kept, ended: { id, how: "lost", usage: null, origin, program, fault: null, replaced: true } },
    rows: [
      ...waiting.flatMap((run) => headed(session, run, at).rows),
      {
        kind: "note",
        tone: "bad",
        text: `The connection was lost, and ${session.runs.length === 1 ? "this run" : "these runs"} with it. The next run starts from nothing.`,
      },
    ],
  };
}

function over(session: Session, run: Run, end: Pick<Ended, "how" | "usage" | "fault" | "replaced">): Session {
  const { id, origin, program } = run;
  return {
    ...session,
    runs: session.runs.filter((other) => other.id !== id),
    ended: { id, origin, program, ...end },
    question: session.question?.run === id ? null : session.question,
  };
}

function valueRow(session: Session, run: Run, { kind, text, preview }: Value, time: number): Row {
  const { id, origin } = run;
  const { connection } = session;
  return { kind: "value", run: id, origin, connection, valueKind: kind, text, time, values: preview ? [preview] : [], ...owned(session, run) };
}

function failure(session: Session, run: Run, { error, usage }: Done | Settled, outcome: Exclude<Outcome, "ok">, time: number): Row {
  const text = failureText(outcome, error, usage);
  // What the user asked for is no error.
  if (outcome === "cancelled") return { kind: "note", tone: "plain", text: hasStarted(run) ? text : "Stopped before it began.", ...owned(session, run) };
  const { connection } = session;
  return { kind: "error", run: run.id, origin: run.origin, connection, text, time, place: placeOf(session, run, error), ...owned(session, run) };
}

function hasStarted({ phase }: Run): boolean {
  return phase.kind === "running" || phase.kind === "background";
}

function failureText(outcome: Exclude<Outcome, "ok">, error: RunError | undefined, usage: Usage): string {
  const after = duration(usage.wall_ms);
  switch (outcome) {
    case "error":
      if (!error) return "Uncaught error";
      return `Uncaught ${error.stack || `${error.name}: ${error.message}`}`;
    case "timeout":
      return `Stopped by the time limit after ${after}.${framesOf(error)}`;
    case "cancelled":
      return `Stopped after ${after}.${framesOf(error)}`;
    case "memory":
      return `Out of memory.${framesOf(error)}`;
    case "unsettled":
      return `This can never finish: the code awaits a promise, and nothing is left that could settle it.${framesOf(error)}`;
    case "crashed":
      return "The runtime crashed while it ran this code.";
    case "shutdown":
      return "Stopped: the server is shutting down.";
    case "disconnected":
      return "Stopped: the connection was lost.";
  }
}

function framesOf(error: RunError | undefined): string {
  if (!error) return "";
  const lines = error.frames.map(({ function: name, source, line, column }) => `\n    at ${name || "<anonymous>"} (${source}:${line}:${column})`);
  return lines.join("");
}

/** Where in the run's own texts it went wrong: `line` and `column` are those of the first frame that is in one of them. */
function placeOf({ sources, connection }: Session, run: Run, error: RunError | undefined): Place | null {
  if (error?.line === undefined) return null;
  const source = sources.find((each) => each.connection === connection && each.run === run.id)?.name ?? null;
  const own = error.frames.find((frame) => frame.source === source || frame.source.startsWith(`${source}/`));
  const file = own?.source.includes("/") ? own.source.slice(own.source.indexOf("/") + 1) : null;
  return { source, file, line: error.line, column: error.column ?? 1 };
}

/** Where a stop reached the code is no fault of that place. */
function faultOf(session: Session, run: Run, { outcome, error }: Done | Settled): Fault | null {
  const place = outcome === "cancelled" ? null : placeOf(session, run, error);
  if (!place || !error) return null;
  const { file, line, column } = place;
  return { file, position: { line, column }, message: `${error.name}: ${error.message}` };
}

function find(session: Session, id: RunId): Run | null {
  return session.runs.find((run) => run.id === id) ?? null;
}

function inPhase(session: Session, id: RunId, phase: Phase): Session {
  return changed(session, id, { phase });
}

function changed(session: Session, id: RunId, change: Partial<Run>): Session {
  return { ...session, runs: session.runs.map((run) => (run.id === id ? { ...run, ...change } : run)) };
}

function warning(text: string): NoteRow {
  return { kind: "note", tone: "warn", text };
}

function quiet(session: Session): Step {
  return { session, rows: [] };
}

/** The server writes fragments; a console shows sentences. */
function sentence(fragment: string): string {
  const text = fragment.charAt(0).toUpperCase() + fragment.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

export function titleOf(code: string): string {
  const line = code.split("\n", 50).find((text) => text.trim() !== "");
  return (line ?? "").trim().slice(0, 120);
}
