/**
 * `runpen.v1`, as the page speaks it: the mirror of `src/protocol.rs`. `test/protocol.test.ts` holds the two together.
 *
 * The names that both sides must agree on are runtime lists, and the types are made from them.
 */

import type { Lang } from "./program";

export const CLIENT_MESSAGE_TYPES = ["run", "cancel", "input", "reset", "hello", "ping", "inspect", "complete", "is_complete"] as const;

export const SERVER_MESSAGE_TYPES = [
  "queued",
  "started",
  "console",
  "input_request",
  "done",
  "settled",
  "reset",
  "pong",
  "hello",
  "properties",
  "completions",
  "completeness",
  "error",
] as const;

export const OUTCOMES = [
  "ok",
  "error",
  "timeout",
  "cancelled",
  "memory",
  "unsettled",
  "crashed",
  "shutdown",
  "disconnected",
] as const;

export const ERROR_CODES = [
  "bad_message",
  "unknown_type",
  "too_large",
  "duplicate_id",
  "queue_full",
  "busy",
  "rate_limited",
  "unknown_run",
  "no_input_wanted",
  "ref_expired",
  "no_answer",
  "shutting_down",
] as const;

export const COMPLETION_KINDS = ["keyword", "variable", "function", "class", "constant", "property", "method"] as const;
export const COMPLETENESS = ["complete", "incomplete", "invalid"] as const;
export const PROPERTY_KINDS = ["index", "entry", "item", "symbol", "hidden", "internal"] as const;

export const LEVELS = ["log", "info", "warn", "error", "debug"] as const;
export const INPUT_KINDS = ["prompt", "confirm", "alert"] as const;
export const VALUE_KINDS = [
  "undefined",
  "null",
  "boolean",
  "number",
  "bigint",
  "string",
  "symbol",
  "function",
  "array",
  "error",
  "promise",
  "object",
] as const;

export type Outcome = (typeof OUTCOMES)[number];
export type ErrorCode = (typeof ERROR_CODES)[number];
export type Level = (typeof LEVELS)[number];
export type InputKind = (typeof INPUT_KINDS)[number];
export type ValueKind = (typeof VALUE_KINDS)[number];

export type CompletionKind = (typeof COMPLETION_KINDS)[number];
export type PropertyKind = (typeof PROPERTY_KINDS)[number];

/** The page numbers its runs; the server echoes the number. */
export type RunId = number;

export type ClientMessage =
  | Run
  | { type: "cancel"; id?: RunId }
  | { type: "input"; id: RunId; text: string | null }
  | { type: "reset" }
  | { type: "hello"; preview?: boolean }
  | { type: "ping" }
  | (Request & { id: RequestId });

export interface Run {
  type: "run";
  id: RunId;
  code: string;
  timeout_ms?: number;
  fresh?: boolean;
  lang?: Lang;
  mode?: "repl" | "script" | "module";
  files?: Record<string, string>;
}

/** What the page asks beside its runs. */
export type Request =
  | { type: "inspect"; ref: Ref; start?: number; count?: number }
  | { type: "complete"; code: string; cursor?: number }
  | { type: "is_complete"; code: string; lang?: Lang };

/** A name space of its own. */
export type RequestId = string;

/** What the server calls an object that it keeps to be opened. */
export type Ref = number;

export type Answer = Properties | Completions | Completeness;

export type ServerMessage =
  | Queued
  | Started
  | Console
  | InputRequest
  | Done
  | Settled
  | { type: "reset" }
  | { type: "pong" }
  | Hello
  | Answer
  | ServerError;

export interface Queued {
  type: "queued";
  id: RunId;
  /** 1 is next. */
  position: number;
  waiting_for: "session" | "pool";
}

export interface Started {
  type: "started";
  id: RunId;
  runtime: "kept" | "fresh";
  /** What stacks call the run's text. */
  source: string;
}

export interface Console {
  type: "console";
  id: RunId;
  seq: number;
  entries: ConsoleEntry[];
  /** Entries lost to the run's caps since the last such message. */
  dropped?: number;
}

export interface ConsoleEntry {
  level: Level;
  text: string;
  /** Milliseconds since 1970. */
  time: number;
  uncaught?: boolean;
  /** Which method of `console` it was, where the level does not say so. */
  method?: ConsoleMethod;
  /** How many groups it stands in; its text is indented for them already. */
  group?: number;
  /** What `%c` has asked for. */
  styles?: StyleRun[];
  /** Each argument, where they are not all primitive. */
  values?: Preview[];
}

export type ConsoleMethod =
  | "trace"
  | "dir"
  | "dirxml"
  | "table"
  | "group"
  | "groupCollapsed"
  | "count"
  | "countReset"
  | "time"
  | "timeLog"
  | "timeEnd"
  | "assert"
  | "clear";

/** A part of a text, in UTF-16 units, and a stranger's CSS for it. */
export interface StyleRun {
  from: number;
  to: number;
  css: string;
}

export interface InputRequest {
  type: "input_request";
  id: RunId;
  kind: InputKind;
  text: string;
  /** What a prompt offers as the answer. */
  default?: string;
}

export interface Done {
  type: "done";
  id: RunId;
  outcome: Outcome;
  value?: Value;
  error?: RunError;
  usage: Usage;
  runtime: "kept" | "replaced";
  /** Timers that live on; a `settled` follows if there are any. */
  background: number;
}

export interface Settled {
  type: "settled";
  id: RunId;
  outcome: Outcome;
  error?: RunError;
  usage: Usage;
  runtime: "kept" | "replaced";
}

export interface Value {
  kind: ValueKind;
  /** What a console would print. */
  text: string;
  json?: unknown;
  preview?: Preview;
}

/** A value, as far as it is told without being asked. */
export interface Preview {
  kind: ValueKind;
  /** On one line, cut. */
  text: string;
  /** For what can be opened. */
  ref?: Ref;
  /** The first few, without entries of their own. */
  entries?: Property[];
  /** So many are not among the entries. */
  more?: number;
}

export interface Property {
  key: string;
  /** Absent for an ordinary one. */
  kind?: PropertyKind;
  /** Absent for accessors. */
  value?: Preview;
  /** To open the key of a Map's entry. */
  key_ref?: Ref;
  /** Inspected, the getter is called. */
  getter?: Ref;
}

export interface Properties {
  type: "properties";
  id: RequestId;
  ref: Ref;
  /** A part of them, and how many there are: for an object. */
  entries?: Property[];
  start?: number;
  total?: number;
  /** What a getter returned, or threw. */
  value?: Preview;
  error?: RunError;
}

export interface Completions {
  type: "completions";
  id: RequestId;
  /** What an item replaces, in UTF-16 units. */
  from: number;
  to: number;
  items: CompletionItem[];
}

export interface CompletionItem {
  label: string;
  kind: CompletionKind;
  /** May be empty. */
  detail?: string;
}

export interface Completeness {
  type: "completeness";
  id: RequestId;
  state: (typeof COMPLETENESS)[number];
}

export interface RunError {
  name: string;
  message: string;
  /** As a console prints it below `Uncaught`, first line included; may be empty. */
  stack: string;
  /** 1-based, in the text that was sent. */
  line?: number;
  /** 1-based, in UTF-16 units. */
  column?: number;
  frames: Frame[];
}

export interface Frame {
  function: string;
  /** The run whose text it is in (`run-3`), or a file of that run (`run-3/util.js`). */
  source: string;
  line: number;
  column: number;
}

export interface Usage {
  wall_ms: number;
  cpu_ms: number;
  heap_bytes: number;
  console_bytes: number;
  dropped: number;
}

export interface Hello {
  type: "hello";
  protocol: string;
  version: string;
  engine: string;
  session: string;
  limits: Limits;
  features: string[];
}

/** The limits that a client can meet. */
export interface Limits {
  timeout_ms: number;
  max_timeout_ms: number;
  background_timeout_ms: number;
  input_timeout_ms: number;
  code_bytes: number;
  frame_bytes: number;
  heap_bytes: number;
  console_bytes: number;
  console_entries: number;
  queue: number;
  timers: number;
}

export interface ServerError {
  type: "error";
  code: ErrorCode;
  message: string;
  /** A run's, or a request's. */
  id?: RunId | RequestId;
}

/**
 * Reads one frame. `null` for what this page does not know: a newer server may say more than it understands.
 * The server is trusted to fill in the fields of the messages it sends.
 */
export function parseServerMessage(frame: unknown): ServerMessage | null {
  if (typeof frame !== "string") return null;
  let message: unknown;
  try {
    message = JSON.parse(frame);
  } catch {
    return null;
  }
  if (typeof message !== "object" || message === null || !("type" in message)) return null;
  const known: readonly unknown[] = SERVER_MESSAGE_TYPES;
  return known.includes(message.type) ? (message as ServerMessage) : null;
}
