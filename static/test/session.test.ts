import { describe, expect, test } from "vitest";

import type { Program } from "../src/program";
import type { Done, ServerMessage, Usage } from "../src/protocol";
import { currentRun, EMPTY, inTheWay, sourceOf, step, type Session, type SessionEvent } from "../src/session";
import type { Row } from "../src/rows";
import { statusOf } from "../src/status";

const usage: Usage = { wall_ms: 12, cpu_ms: 11, heap_bytes: 2048, console_bytes: 0, dropped: 0 };

/** Plays events from an empty session; returns where it ends and all rows but the runs' beginnings. */
function play(...events: SessionEvent[]): { session: Session; rows: Row[] } {
  let session = EMPTY;
  const rows: Row[] = [];
  for (const event of events) {
    const next = step(session, event);
    session = next.session;
    rows.push(...next.rows.filter((row) => row.kind !== "run"));
  }
  return { session, rows };
}

const program = (code: string, files: Program["files"] = []): Program => ({ code, lang: "js", files });
const run = (id: number, code = "1 + 1", fresh = false): SessionEvent => {
  return { type: "run", id, origin: "editor", program: program(code), fresh, at: 1000 };
};
const hear = (message: ServerMessage, at = 2000): SessionEvent => ({ type: "message", message, at });
const started = (id: number, runtime: "kept" | "fresh" = "kept") => hear({ type: "started", id, runtime, source: `run-${id}` });
const done = (id: number, more: Partial<Done> = {}) =>
  hear({ type: "done", id, outcome: "ok", usage, runtime: "kept", background: 0, ...more });

describe("a run", () => {
  test("has a heading with its first line as soon as it starts, and not before", () => {
    const sent = step(EMPTY, run(1, "\n\n  let a = 1;\na"));
    expect(sent.rows).toEqual([]);
    expect(step(sent.session, started(1)).rows).toEqual([{ kind: "run", run: 1, origin: "editor", time: 2000, title: "let a = 1;" }]);
  });

  test("is sent, queued, running, over", () => {
    const phase = (...events: SessionEvent[]) => currentRun(play(run(1), ...events).session)?.phase;
    const queued = hear({ type: "queued", id: 1, position: 2, waiting_for: "pool" });
    expect(phase()).toEqual({ kind: "sent" });
    expect(phase(queued)).toEqual({ kind: "queued", position: 2, waitingFor: "pool" });
    expect(phase(queued, started(1))).toEqual({ kind: "running", since: 2000 });
    expect(phase(queued, started(1), done(1))).toBeUndefined();
  });

  test("shows its value", () => {
    const { session, rows } = play(run(1), started(1), done(1, { value: { kind: "number", text: "2" } }));
    expect(rows).toMatchObject([{ kind: "value", run: 1, valueKind: "number", text: "2", time: 2000, values: [] }]);
    expect(statusOf(session)).toMatchObject({ tone: "good", text: "Done", details: ["12 ms", "CPU 11 ms", "heap 2 KiB"] });
  });

  test("shows its error and where it is", () => {
    const error = { name: "TypeError", message: "no", stack: "TypeError: no\n    at f (run-1:2:3)", line: 2, column: 3, frames: [] };
    const { session, rows } = play(run(1, "code"), started(1), done(1, { outcome: "error", error }));
    const position = { line: 2, column: 3 };
    const text = "Uncaught TypeError: no\n    at f (run-1:2:3)";
    const place = { ...position, source: "run-1", file: null };
    expect(rows).toEqual([{ kind: "error", run: 1, origin: "editor", connection: 0, text, time: 2000, place }]);
    expect(session.ended).toMatchObject({ how: "error", program: program("code"), fault: { file: null, position, message: "TypeError: no" } });
  });

  test("says which of its files an error is in", () => {
    const frames = [
      { function: "g", source: "run-1", line: 9, column: 9 },
      { function: "f", source: "run-2/lib/util.js", line: 2, column: 3 },
      { function: "", source: "run-2", line: 1, column: 1 },
    ];
    const error = { name: "TypeError", message: "no", stack: "", line: 2, column: 3, frames };
    const { session, rows } = play(run(1), started(1), done(1), run(2), started(2), done(2, { outcome: "error", error }));
    expect(rows).toMatchObject([{ kind: "error", place: { source: "run-2", file: "lib/util.js", line: 2, column: 3 } }]);
    expect(session.ended?.fault).toMatchObject({ file: "lib/util.js", position: { line: 2, column: 3 } });
  });

  test("is found again by the server's name for it, which begins anew with each connection", () => {
    const named = hear({ type: "started", id: 3, runtime: "kept", source: "run-1" });
    const { session } = play(run(1, "one"), started(1), done(1), { type: "lost", at: 3000 }, run(2, "two"), run(3, "three"), named);
    const found = (connection: number, source: string | null, id = 0) =>
      sourceOf(session, { connection, run: id }, { source, file: null, line: 1, column: 1 })?.program.code;
    expect([found(0, "run-1"), found(1, "run-1"), found(1, "run-2"), found(0, null, 3)]).toEqual(["one", "three", undefined, "three"]);
  });

  test("tells apart every way to end", () => {
    const texts = (["timeout", "memory", "unsettled", "crashed", "shutdown", "disconnected", "cancelled"] as const).map((outcome) => {
      const { rows } = play(run(1), started(1), done(1, { outcome }));
      return (rows[0] as { text: string }).text;
    });
    expect(new Set(texts).size).toBe(texts.length);
  });

  test("that was refused is over", () => {
    const { session, rows } = play(run(1), hear({ type: "error", code: "queue_full", message: "the queue is full", id: 1 }));
    expect(session.runs).toEqual([]);
    expect(session.ended?.how).toBe("refused");
    expect(rows).toEqual([{ kind: "note", tone: "bad", text: "The queue is full." }]);
  });

  test("is not ended by an error about something else", () => {
    const { session } = play(run(1), started(1), hear({ type: "error", code: "bad_message", message: "odd" }));
    expect(session.runs).toHaveLength(1);
  });
});

describe("the console", () => {
  test("takes entries as they come, and says what was dropped", () => {
    const { rows } = play(
      run(1),
      started(1),
      hear({ type: "console", id: 1, seq: 0, entries: [{ level: "warn", text: "<b>", time: 5 }], dropped: 2000 }),
    );
    expect(rows).toMatchObject([
      { kind: "entry", run: 1, origin: "editor", level: "warn", text: "<b>", time: 5, uncaught: false, method: null, group: 0, count: 1 },
      { kind: "note", tone: "warn", text: "2,000 entries dropped: this run's console is full." },
    ]);
  });

  test("takes nothing from a run that is over", () => {
    const late = hear({ type: "console", id: 1, seq: 1, entries: [{ level: "log", text: "late", time: 5 }] });
    expect(play(run(1), started(1), done(1), late).rows).toEqual([]);
  });
});

describe("a line", () => {
  const line: SessionEvent = { type: "run", id: 1, origin: "line", program: program("f(\n1)"), fresh: false, at: 1000 };

  test("is shown whole", () => {
    const { rows } = step(step(EMPTY, line).session, started(1));
    expect(rows).toEqual([{ kind: "run", run: 1, origin: "line", time: 2000, title: "f(\n1)" }]);
  });

  test("has its own text as its place", () => {
    const error = { name: "TypeError", message: "no", stack: "", line: 1, column: 3, frames: [] };
    const { rows } = play(line, started(1), done(1, { outcome: "error", error }));
    expect(rows).toMatchObject([{ kind: "error", origin: "line", place: { source: "run-1" } }]);
  });
});

describe("the background", () => {
  test("lives from done to settled, beside other runs", () => {
    const alive = play(run(1), started(1), done(1, { background: 2 }), run(2), started(2));
    expect(alive.session.runs.map((each) => each.phase.kind)).toEqual(["background", "running"]);
    expect(currentRun(alive.session)?.id).toBe(2);
    const { session } = play(run(1), started(1), done(1, { background: 2 }), hear({ type: "settled", id: 1, outcome: "ok", usage, runtime: "kept" }));
    expect(session.runs).toEqual([]);
    expect(session.ended?.how).toBe("ok");
  });

  test("may still log", () => {
    const entry = hear({ type: "console", id: 1, seq: 1, entries: [{ level: "log", text: "tick", time: 5 }] });
    expect(play(run(1), started(1), done(1, { background: 1 }), entry).rows).toHaveLength(1);
  });

  test("says why it was stopped, and not twice what went wrong", () => {
    const ends = (outcome: "timeout" | "error") =>
      play(run(1), started(1), done(1, { background: 1 }), hear({ type: "settled", id: 1, outcome, usage, runtime: "kept" })).rows.length;
    expect(ends("timeout")).toBe(1);
    expect(ends("error")).toBe(0);
  });

  test("that ends well makes no success of a run that has failed", () => {
    const error = { name: "Error", message: "no", stack: "", line: 1, column: 1, frames: [] };
    const failed = done(1, { outcome: "error", error, background: 1 });
    const { session } = play(run(1), started(1), failed, hear({ type: "settled", id: 1, outcome: "ok", usage, runtime: "kept" }));
    expect(session.ended).toMatchObject({ how: "error", fault: { message: "Error: no" } });
  });

  test("tells the loss of the runtime once, however many runs had it", () => {
    const lost = (id: number) => hear({ type: "settled", id, outcome: "timeout", usage, runtime: "replaced" });
    const before = play(run(1), started(1), done(1, { background: 1 }), run(2), started(2), done(2, { background: 1 }));
    const after = play(run(1), started(1), done(1, { background: 1 }), run(2), started(2), done(2, { background: 1 }), lost(1), lost(2));
    const notes = after.rows.filter((row) => row.kind === "note").length - before.rows.filter((row) => row.kind === "note").length;
    expect(notes).toBe(1);
    expect(after.session.hasState).toBe(false);
  });
});

describe("stop", () => {
  test("is shown until the server has answered", () => {
    const stopping = play(run(1), started(1), { type: "stop" });
    expect(statusOf(stopping.session)).toMatchObject({ tone: "busy", text: "Stopping", since: 2000 });
    const { session, rows } = play(run(1), started(1), { type: "stop" }, done(1, { outcome: "cancelled" }));
    expect(statusOf(session).text).toBe("Stopped");
    expect(rows).toEqual([{ kind: "note", tone: "plain", text: "Stopped after 12 ms." }]);
  });

  test("that came too late is no fault", () => {
    const { rows } = play(run(1), started(1), { type: "stop" }, done(1), hear({ type: "error", code: "unknown_run", message: "x" }));
    expect(rows).toEqual([]);
  });
});

describe("state", () => {
  test("that was lost with the runtime is told once", () => {
    const { rows } = play(run(1), started(1), done(1, { outcome: "timeout", runtime: "replaced" }), run(2), started(2, "fresh"));
    expect(rows.filter((row) => row.kind === "note")).toHaveLength(1);
  });

  test("that is gone without a word is told", () => {
    expect(play(run(1), started(1, "fresh"), done(1), run(2), started(2, "fresh")).rows).toHaveLength(1);
  });

  test("that the user gave up is not told", () => {
    expect(play(run(1), started(1, "fresh"), done(1), run(2, "1", true), started(2, "fresh")).rows).toEqual([]);
  });
});

describe("a question", () => {
  const question = hear({ type: "input_request", id: 1, kind: "prompt", text: "Name?" });

  test("stands until it is answered", () => {
    expect(play(run(1), started(1), question).session.question).toEqual({ run: 1, kind: "prompt", text: "Name?", offered: "" });
    expect(play(run(1), started(1), question, { type: "answer", text: "Ada", at: 3000 }).session.question).toBeNull();
  });

  test("and its answer stay as rows", () => {
    const { rows } = play(run(1), started(1), question, { type: "answer", text: "Ada", at: 3000 });
    expect(rows).toMatchObject([{ kind: "question", run: 1, text: "Name?" }, { kind: "answer", run: 1, text: "Ada" }]);
  });

  test("goes with its run", () => {
    expect(play(run(1), started(1), question, done(1, { outcome: "timeout" })).session.question).toBeNull();
    expect(play(run(1), started(1), question, { type: "stop" }).session.question).toBeNull();
  });
});

describe("a run that another one replaces", () => {
  const cancelled = (id: number) => done(id, { outcome: "cancelled" });

  test("ends under its own heading, before the other's", () => {
    let { session } = play(run(1), started(1));
    expect(inTheWay(session, false)).toEqual([1]);
    const rows: Row[] = [];
    for (const event of [{ type: "supersede", runs: [1] }, run(2), cancelled(1), started(2)] as SessionEvent[]) {
      const next = step(session, event);
      session = next.session;
      rows.push(...next.rows);
    }
    expect(rows).toMatchObject([{ kind: "note", text: "Stopped after 12 ms." }, { kind: "run", run: 2 }]);
    expect(rows[0]).not.toHaveProperty("late");
  });

  test("may cost a runtime that nobody would have used again, which goes without saying", () => {
    const lost = done(1, { outcome: "cancelled", runtime: "replaced" });
    const notes = (fresh: boolean) =>
      play(run(1), started(1), { type: "supersede", runs: [1] }, run(2, "1", fresh), lost).rows.map((row) => (row.kind === "note" ? row.tone : ""));
    expect([notes(true), notes(false)]).toEqual([["plain"], ["plain", "warn"]]);
  });

  test("leaves no row where it never began", () => {
    const { rows, session } = play(run(1), { type: "supersede", runs: [1] }, run(2), cancelled(1));
    expect(rows).toEqual([]);
    expect(session.runs.map(({ id }) => id)).toEqual([2]);
  });

  test("is any of the editor's, but not the timers of a runtime that is kept", () => {
    const { session } = play(run(1), started(1), done(1, { background: 1 }));
    expect([inTheWay(session, false), inTheWay(session, true)]).toEqual([[1], []]);
  });

  test("says whose rows are that come later", () => {
    const late = hear({ type: "console", id: 1, seq: 1, entries: [{ level: "log", text: "tick", time: 5 }] });
    const { rows } = play(run(1), started(1), done(1, { background: 1 }), run(2), started(2), late);
    expect(rows).toMatchObject([{ kind: "entry", run: 1, late: "run 1" }]);
  });
});

describe("what is stopped before it began", () => {
  test("has a heading, and says so", () => {
    const waits = play(run(1), { type: "stop" });
    const { rows } = step(waits.session, done(1, { outcome: "cancelled" }));
    expect(rows).toMatchObject([{ kind: "run", run: 1 }, { kind: "note", text: "Stopped before it began." }]);
  });
});

describe("undefined", () => {
  const value = { kind: "undefined", text: "undefined" } as const;
  const entry = hear({ type: "console", id: 1, seq: 0, entries: [{ level: "log", text: "said", time: 5 }] });

  test("is not shown after a program that printed, but after one that did not", () => {
    expect(play(run(1), started(1), entry, done(1, { value })).rows).toMatchObject([{ kind: "entry" }]);
    expect(play(run(1), started(1), done(1, { value })).rows).toMatchObject([{ kind: "value" }]);
  });
});

describe("a lost connection", () => {
  test("ends every run, and says so once", () => {
    const { session, rows } = play(run(1), started(1), run(2), { type: "lost", at: 3000 });
    expect(session.runs).toEqual([]);
    expect(session.ended).toMatchObject({ id: 2, how: "lost" });
    expect(rows).toHaveLength(1);
  });

  test("keeps how the last run ended when nothing was running", () => {
    const { session, rows } = play(run(1), started(1), done(1), { type: "lost", at: 3000 });
    expect(session.ended?.how).toBe("ok");
    expect(rows).toEqual([]);
  });

  test("that is back says that the runtime is fresh", () => {
    expect(play({ type: "lost", at: 3000 }, { type: "back" }).rows).toMatchObject([{ kind: "note", text: expect.stringContaining("fresh") }]);
  });
});

test("that the runtime was replaced is in the status", () => {
  const { session } = play(run(1), started(1), done(1, { outcome: "timeout", runtime: "replaced" }));
  expect(statusOf(session)).toMatchObject({ text: "Timed out", details: ["runtime replaced", "12 ms", "CPU 11 ms", "heap 2 KiB"] });
});
