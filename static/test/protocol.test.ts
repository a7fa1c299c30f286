import { describe, expect, test } from "vitest";

import * as protocol from "../src/protocol";
import { parseServerMessage } from "../src/protocol";
import { block, rustSource, structFields, variantNames, variants } from "./rust";

const server = ["protocol.rs", "protocol/client.rs", "protocol/values.rs", "protocol/previews.rs"].map(rustSource).join("\n");
const shared = ["ipc.rs", "ipc/query.rs"].map(rustSource).join("\n");
const outcome = rustSource("outcome.rs");

/** A record that must name each field of `T` makes the compiler hold it to the type, and the test to the server. */
type Fields<T> = Record<Exclude<keyof T, "type">, true>;

describe("the names are those of protocol.rs", () => {
  test("message types from the client", () => {
    const body = block(server, "match kind.as_str() {");
    const arms = [...body.matchAll(/"(\w+)" => /g)].map(([, name]) => name);
    expectSame(protocol.CLIENT_MESSAGE_TYPES, arms);
  });

  test("message types from the server", () => {
    expectSame(protocol.SERVER_MESSAGE_TYPES, variantNames(server, "ServerMessage"));
  });

  test("outcomes", () => expectSame(protocol.OUTCOMES, variantNames(outcome, "Outcome")));
  test("error codes", () => expectSame(protocol.ERROR_CODES, variantNames(server, "ErrorCode")));
  test("levels", () => expectSame(protocol.LEVELS, variantNames(shared, "Level")));
  test("input kinds", () => expectSame(protocol.INPUT_KINDS, variantNames(shared, "InputKind")));
  test("value kinds", () => expectSame(protocol.VALUE_KINDS, variantNames(shared, "ValueKind")));
  test("completion kinds", () => expectSame(protocol.COMPLETION_KINDS, variantNames(shared, "CompletionKind")));
  test("completeness", () => expectSame(protocol.COMPLETENESS, variantNames(shared, "Completeness")));
  test("property kinds, but for the plain one", () => {
    expectSame(["plain", ...protocol.PROPERTY_KINDS], variantNames(shared, "PropertyKind"));
  });

  test("what a queued run waits for, and where a run starts and ends", () => {
    const waitingFor: Record<protocol.Queued["waiting_for"], true> = { session: true, pool: true };
    const startedIn: Record<protocol.Started["runtime"], true> = { kept: true, fresh: true };
    const endedIn: Record<protocol.Done["runtime"], true> = { kept: true, replaced: true };
    expectSame(Object.keys(waitingFor), variantNames(server, "WaitingFor"));
    expectSame(Object.keys(startedIn), variantNames(server, "StartedIn"));
    expectSame(Object.keys(endedIn), variantNames(server, "EndedIn"));
  });
});

describe("the fields are those of protocol.rs", () => {
  const messages = new Map(variants(server, "ServerMessage").map(({ name, fields }) => [name, fields]));

  test("queued", () => check<protocol.Queued>({ id: true, position: true, waiting_for: true }, messages.get("queued")));
  test("started", () => check<protocol.Started>({ id: true, runtime: true, source: true }, messages.get("started")));
  test("console", () => {
    check<protocol.Console>({ id: true, seq: true, entries: true, dropped: true }, messages.get("console"));
  });
  test("input_request", () => {
    check<protocol.InputRequest>({ id: true, kind: true, text: true, default: true }, messages.get("input_request"));
  });
  test("settled", () => {
    check<protocol.Settled>({ id: true, outcome: true, error: true, usage: true, runtime: true }, messages.get("settled"));
  });
  test("error", () => check<protocol.ServerError>({ code: true, message: true, id: true }, messages.get("error")));
  test("done", () => {
    check<protocol.Done>(
      { id: true, outcome: true, value: true, error: true, usage: true, runtime: true, background: true },
      structFields(server, "Done"),
    );
  });
  test("hello", () => {
    check<protocol.Hello>(
      { protocol: true, version: true, engine: true, session: true, limits: true, features: true },
      structFields(server, "Hello"),
    );
  });
  test("limits", () => {
    check<protocol.Limits>(
      {
        timeout_ms: true,
        max_timeout_ms: true,
        background_timeout_ms: true,
        input_timeout_ms: true,
        code_bytes: true,
        frame_bytes: true,
        heap_bytes: true,
        console_bytes: true,
        console_entries: true,
        queue: true,
        timers: true,
      },
      structFields(server, "LimitsShown"),
    );
  });
  test("a console entry", () => {
    check<protocol.ConsoleEntry>({ level: true, text: true, time: true, uncaught: true, method: true, group: true, styles: true, values: true }, structFields(server, "ConsoleLine"));
  });
  test("a value", () => check<protocol.Value>({ kind: true, text: true, json: true, preview: true }, structFields(server, "ValueShown")));
  test("a preview", () => {
    const fields = structFields(server, "PreviewShown").map((name) => (name === "reference" ? "ref" : name));
    check<protocol.Preview>({ kind: true, text: true, ref: true, entries: true, more: true }, fields);
  });
  test("a property", () => {
    check<protocol.Property>({ key: true, kind: true, key_ref: true, value: true, getter: true }, structFields(server, "PropertyShown"));
  });
  test("completeness of a text", () => check<protocol.Completeness>({ id: true, state: true }, messages.get("completeness")));
  test("completions", () => check<protocol.Completions>({ id: true, from: true, to: true, items: true }, messages.get("completions")));
  test("an error", () => {
    check<protocol.RunError>(
      { name: true, message: true, stack: true, line: true, column: true, frames: true },
      structFields(server, "ErrorShown"),
    );
  });
  test("a stack frame", () => {
    check<protocol.Frame>({ function: true, source: true, line: true, column: true }, structFields(shared, "StackFrame"));
  });
  test("usage", () => {
    check<protocol.Usage>(
      { wall_ms: true, cpu_ms: true, heap_bytes: true, console_bytes: true, dropped: true },
      structFields(server, "UsageShown"),
    );
  });
});

describe("parseServerMessage", () => {
  test("reads a message", () => expect(parseServerMessage('{"type":"pong"}')).toEqual({ type: "pong" }));
  test("leaves out what a newer server may say", () => expect(parseServerMessage('{"type":"news"}')).toBeNull());
  test.each(["", "{", "null", "[]", "7", '{"type":7}', new ArrayBuffer(2)])("survives %j", (frame) => {
    expect(parseServerMessage(frame)).toBeNull();
  });
});

function check<T>(ours: Fields<T>, theirs: string[] | undefined): void {
  expectSame(Object.keys(ours), theirs ?? []);
}

function expectSame(ours: readonly (string | undefined)[], theirs: readonly (string | undefined)[]): void {
  expect([...ours].sort()).toEqual([...theirs].sort());
}
