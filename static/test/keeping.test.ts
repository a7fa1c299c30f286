import { describe, expect, test } from "vitest";

import { MAX_LINES, parseHistory, Walk, withLine } from "../src/history";
import type { Program } from "../src/program";
import {
  MAX_SNAPSHOT_CHARACTERS,
  MAX_SNAPSHOTS,
  parseSnapshots,
  snapshotsText,
  withSnapshot,
  type Snapshot,
} from "../src/snapshots";

const program = (code: string, more: Partial<Program> = {}): Program => ({ code, lang: "js", files: [], ...more });

describe("snapshots", () => {
  const add = (codes: string[]) =>
    codes.reduce<readonly Snapshot[]>((list, code, time) => withSnapshot(list, { time, program: program(code) }), []).map((snapshot) => snapshot.program.code);

  test("are kept newest first, and the same code once in a row", () => {
    expect(add(["a", "a", "b", "a"])).toEqual(["a", "b", "a"]);
  });
  test("tell programs apart by language and files, and hold them whole", () => {
    const files = [{ name: "util.ts", text: "export {}" }];
    const programs = [program("a"), program("a", { lang: "ts" }), program("a", { files }), program("a", { files })];
    const kept = programs.reduce<readonly Snapshot[]>((list, each, time) => withSnapshot(list, { time, program: each }), []);
    expect(kept.map(({ time }) => time)).toEqual([2, 1, 0]);
    expect(parseSnapshots(snapshotsText(kept))).toEqual(kept);
  });
  test("hold nothing empty", () => expect(add(["", " \n"])).toEqual([]));
  test("are bounded in number", () => {
    expect(add(Array.from({ length: MAX_SNAPSHOTS + 5 }, (_, index) => String(index)))).toHaveLength(MAX_SNAPSHOTS);
  });
  test("are bounded in size, the newest excepted", () => {
    const half = "x".repeat(MAX_SNAPSHOT_CHARACTERS / 2);
    expect(add([`1${half}`, `2${half}`, "small"])).toHaveLength(2);
    expect(add(["small", "x".repeat(MAX_SNAPSHOT_CHARACTERS + 1)])).toHaveLength(1);
  });
  test.each([null, "", "{", "7", "null", '{"a":1}', "[null, 7, {}, [], {\"time\":\"x\",\"code\":1}]"])("survive %j in storage", (text) => {
    expect(parseSnapshots(text)).toEqual([]);
  });
});

describe("the history of the line", () => {
  test("takes a line once in a row, and none that is empty", () => {
    expect(["a", "a", " ", "b"].reduce<readonly string[]>(withLine, [])).toEqual(["a", "b"]);
  });
  test("keeps the newest lines", () => {
    const many = Array.from({ length: MAX_LINES + 1 }, (_, index) => String(index)).reduce<readonly string[]>(withLine, []);
    expect([many.length, many.at(-1)]).toEqual([MAX_LINES, String(MAX_LINES)]);
  });
  test.each([null, "", "{", "7", "null", "[7, null]"])("survives %j in storage", (text) => expect(parseHistory(text)).toEqual([]));
});

test("a walk goes up to the oldest and down to what was being written", () => {
  const walk = new Walk(["1", "2"], "now");
  expect([walk.newer(), walk.older(), walk.older(), walk.older()]).toEqual([null, "2", "1", null]);
  expect([walk.newer(), walk.newer(), walk.newer()]).toEqual(["2", "now", null]);
});
