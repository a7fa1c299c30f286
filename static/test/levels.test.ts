import { describe, expect, test } from "vitest";

import { detailOf } from "../src/completion-detail";
import { Levels } from "../src/levels";
import type { Preview, Properties } from "../src/protocol";
import type { Row } from "../src/rows";

const preview = (ref: number): Preview => ({ kind: "object", text: "Object", ref });
const row = (...values: Preview[]): Row => {
  return { kind: "value", run: 1, origin: "editor", connection: 0, valueKind: "object", text: "{}", time: 0, values };
};
const level = (ref: number): Properties => ({ type: "properties", id: "q", ref, entries: [], start: 0, total: 0 });
const turn = () => new Promise((soon) => setTimeout(soon));

describe("levels of values", () => {
  test("are asked for when there is time, the newest first, a few at once", async () => {
    const asked: number[] = [];
    const answers: (() => void)[] = [];
    const levels = new Levels((ref) => {
      asked.push(ref);
      return new Promise((answer) => answers.push(() => answer(level(ref))));
    });
    const values = Array.from({ length: 6 }, (_, at) => preview(at));
    levels.note([row(...values), row({ kind: "number", text: "1" })]);
    expect(asked).toEqual([]);
    levels.fetch();
    expect(asked).toEqual([5, 4, 3, 2]);
    for (const answer of answers.splice(0)) answer();
    await turn();
    expect(asked).toEqual([5, 4, 3, 2, 1, 0]);
    expect(levels.of(values[5] as Preview)).toEqual(level(5));
    expect(levels.of(values[0] as Preview)).toBeNull();
  });

  test("are bounded in what waits", () => {
    const asked: number[] = [];
    const levels = new Levels(async (ref) => {
      asked.push(ref);
      return null;
    });
    levels.note(Array.from({ length: 10_000 }, (_, at) => row(preview(at))));
    levels.fetch();
    expect(asked).toEqual([9999, 9998, 9997, 9996]);
  });

  test("of a runtime that is gone are not asked for any more", async () => {
    const asked: number[] = [];
    const levels = new Levels(async (ref) => {
      asked.push(ref);
      return null;
    });
    levels.note(Array.from({ length: 20 }, (_, at) => row(preview(at))));
    levels.fetch();
    await turn();
    levels.fetch();
    expect(asked).toHaveLength(4);
  });
});

test.each([
  ["2 parameters", ""],
  ["1 parameter, from Array", "from Array"],
  ["(a, b)", "(a, b)"],
  ["number", "number"],
])("what is said of a suggestion: %j is shown as %j", (detail, shown) => {
  expect(detailOf({ label: "x", kind: "function", detail })).toBe(shown);
});
