import { describe, expect, test } from "vitest";

import { EVERYTHING, Folds, matches, ShownRows, type Sort } from "../src/console-filter";
import { ConsoleLog, MAX_ROWS } from "../src/console-log";
import { asMarkdown, asText } from "../src/console-text";
import type { ConsoleMethod, Level } from "../src/protocol";
import { piecesOf, type EntryRow, type Row } from "../src/rows";
import { summaryOf } from "../src/summary";

const entry = (text: string, level: Level = "log", run = 1): EntryRow => {
  return { kind: "entry", run, origin: "editor", connection: 0, level, text, time: 5, uncaught: false, method: null, group: 0, styles: [], values: [], count: 1 };
};
const printed = (method: ConsoleMethod | null, text: string, group = 0): EntryRow => ({ ...entry(text), method, group });
const begin = (run: number, title: string, origin: "editor" | "line" = "editor"): Row => ({ kind: "run", run, origin, time: 0, title });
const value = (text: string): Row => {
  return { kind: "value", run: 1, origin: "editor", connection: 0, valueKind: "string", text, time: 5, values: [] };
};
const error = (text: string): Row => ({ kind: "error", run: 1, origin: "editor", connection: 0, text, time: 5, place: null });
const note: Row = { kind: "note", tone: "plain", text: "Note" };

describe("repeated entries", () => {
  const counts = (...rows: Row[]) => {
    const log = new ConsoleLog();
    for (const row of rows) log.append([row]);
    return log.slice(0, log.end).map((row) => (row.kind === "entry" ? row.count : 0));
  };
  test("are one row with a count", () => expect(counts(entry("a"), entry("a"), entry("a"), entry("b"), entry("a"))).toEqual([3, 1, 1]));
  test("differ by level and by run", () => expect(counts(entry("a"), entry("a", "warn"), entry("a", "warn", 2))).toEqual([1, 1, 1]));
  test("are not results or notes", () => expect(counts(value("a"), value("a"), note, note)).toEqual([0, 0, 0, 0]));
});

describe("a filter", () => {
  const rows = [begin(1, "code"), entry("Alpha"), entry("beta", "warn"), entry("Gamma", "error"), entry("d", "debug"), value("'alpha'"), error("Uncaught"), note];
  const left = (text: string, hidden: Sort[] = []) => rows.filter((row) => matches(row, { text, hidden })).length;
  test("leaves everything by default", () => expect(rows.every((row) => matches(row, EVERYTHING))).toBe(true));
  test("searches in whatever case", () => expect(left("ALPHA")).toBe(2));
  test("hides by sort, never runs and notes", () => {
    expect(left("", ["errors"])).toBe(6);
    expect(left("", ["errors", "warnings", "logs", "debug", "results"])).toBe(2);
  });
});

describe("shown rows", () => {
  const texts = (source: ShownRows) => source.slice(source.first, source.end).map((row) => (row as EntryRow).text);
  test("grow with the log", () => {
    const log = new ConsoleLog();
    const odd = new ShownRows(log, { text: "odd", hidden: [] }, new Folds());
    log.append([entry("odd 1"), entry("even 2")]);
    expect(texts(odd)).toEqual(["odd 1"]);
    log.append([entry("odd 3")]);
    expect([odd.end, texts(odd)]).toEqual([2, ["odd 1", "odd 3"]]);
  });
  test("show the newest count", () => {
    const log = new ConsoleLog();
    const all = new ShownRows(log, { text: "a", hidden: [] }, new Folds());
    log.append([entry("a")]);
    expect(all.end).toBe(1);
    log.append([entry("a")]);
    expect(all.slice(0, 1)).toMatchObject([{ count: 2 }]);
  });
  test("keep their numbers when the log gives up old rows", () => {
    const log = new ConsoleLog();
    const some = new ShownRows(log, { text: "7", hidden: [] }, new Folds());
    log.append(Array.from({ length: MAX_ROWS }, (_, index) => entry(String(index))));
    const { end } = some;
    log.append([entry("777777")]);
    expect(some.end).toBe(end + 1);
    expect(some.first).toBeGreaterThan(0);
    expect(some.slice(some.end - 1, some.end)).toMatchObject([{ text: "777777" }]);
    expect(some.slice(some.first, some.first + 1)).toHaveLength(1);
  });
  test("start again with the log", () => {
    const log = new ConsoleLog();
    const all = new ShownRows(log, { text: "x", hidden: [] }, new Folds());
    log.append([entry("x"), entry("x2")]);
    expect(all.end).toBe(2);
    log.clear();
    log.append([entry("x3")]);
    expect([all.end, texts(all)]).toEqual([1, ["x3"]]);
  });
});

describe("groups", () => {
  const rows = [
    begin(1, "code"),
    printed("group", "outer"),
    printed(null, "  in outer", 1),
    printed("groupCollapsed", "  inner", 1),
    printed(null, "    in inner", 2),
    printed(null, "  in outer again", 1),
    printed(null, "after"),
    printed("groupCollapsed", "never ended"),
    value("'a result'"),
    begin(2, "code"),
    { ...printed(null, "  of the next run", 1), run: 2 },
  ];
  const shown = (filter = EVERYTHING, ...turned: number[]) => {
    const log = new ConsoleLog();
    log.append(rows);
    const folds = new Folds();
    const source = new ShownRows(log, filter, folds);
    expect(source.end).toBeGreaterThan(0);
    for (const number of turned) {
      folds.turn(log.slice(number, number + 1)[0] as EntryRow);
      source.refold();
    }
    return source.slice(0, source.end).map((row) => (row.kind === "run" ? "run" : row.text.trim()));
  };
  const WITHOUT_INNER = ["run", "outer", "in outer", "inner", "in outer again", "after", "never ended", "'a result'", "run", "of the next run"];
  test("start as they were made, and end with their run", () => expect(shown()).toEqual(WITHOUT_INNER));
  test("unfold", () => expect(shown(EVERYTHING, 3)).toEqual(WITHOUT_INNER.toSpliced(4, 0, "in inner")));
  test("fold with all that is in them, and come back as they were", () => {
    expect(shown(EVERYTHING, 1)).toEqual(["run", "outer", ...WITHOUT_INNER.slice(5)]);
    expect(shown(EVERYTHING, 1, 1)).toEqual(WITHOUT_INNER);
    expect(shown(EVERYTHING, 3, 1)).toEqual(["run", "outer", ...WITHOUT_INNER.slice(5)]);
  });
  test("are searched even when they are folded", () => expect(shown({ text: "in inner", hidden: [] })).toEqual(["in inner"]));
});

describe("console.clear", () => {
  const texts = (source: ShownRows) => source.slice(source.first, source.end).map((row) => (row as EntryRow).text);
  test("hides what was before, until it is called back", () => {
    const log = new ConsoleLog();
    const folds = new Folds();
    const source = new ShownRows(log, EVERYTHING, folds);
    log.append([entry("before")]);
    expect([source.generation, texts(source)]).toEqual([0, ["before"]]);
    log.append([printed("clear", ""), entry("after")]);
    expect([source.generation, texts(source)]).toEqual([1, ["", "after"]]);
    folds.recall(log.slice(1, 2)[0] as EntryRow);
    source.recalled();
    expect(texts(source)).toEqual(["before", "", "after"]);
    expect(source.generation).toBeGreaterThan(1);
  });
  test("lets a group be folded without the numbers changing", () => {
    const log = new ConsoleLog();
    const folds = new Folds();
    const source = new ShownRows(log, EVERYTHING, folds);
    const group = printed("group", "g");
    log.append([entry("before"), printed("clear", ""), group, printed(null, "  in", 1)]);
    const { generation, first } = source;
    folds.turn(group);
    source.refold();
    expect([source.generation, source.first, texts(source)]).toEqual([generation, first, ["", "g"]]);
  });
});

describe("as text", () => {
  test("is what a terminal would show", () => {
    const rows = [begin(1, "code"), { ...entry("twice"), count: 2 }, begin(2, "1+1", "line"), value("2"), note];
    expect(asText(rows, false)).toBe("--- Run 1: code\ntwice (×2)\n> 1+1\n← 2\n[Note]\n");
  });
  test("has times on demand", () => expect(asText([entry("a")], true)).toMatch(/^\d\d:\d\d:\d\d\.005 a\n$/));
  test("is Markdown that no output can break out of", () => {
    const text = asMarkdown([begin(1, "let `a`"), entry("```\n# no heading"), value("1")], false);
    expect(text).toMatch(/^\*\*Run 1\*\* at \d\d:\d\d:\d\d: `` let `a` ``\n\n````text\n```\n# no heading\n← 1\n````\n$/);
  });
});

describe("the places in a stack", () => {
  const places = (text: string) => piecesOf(text).flatMap(({ place }) => (place ? [[place.source, place.file, place.line, place.column]] : []));
  const whole = (text: string) => piecesOf(text).map((piece) => piece.text).join("");
  const stack =
    "Uncaught TypeError: x\n    at f (run-1:1:25)\n    at <eval> (run-1/a b.js:2:1)\n    at run-3/lib/util.ts:3:12\n    at f (4:5)\n    at native";
  test("are found, and nothing is lost", () => {
    expect(places(stack)).toEqual([
      ["run-1", null, 1, 25],
      ["run-1", "a b.js", 2, 1],
      ["run-3", "lib/util.ts", 3, 12],
      [null, null, 4, 5],
    ]);
    expect(whole(stack)).toBe(stack);
  });
  test.each(["", "no stack", "meet me at 10:30", "at 1:2 o'clock", "    at ", "    at f (x)\n"])("are not in %j", (text) => {
    expect(places(text)).toEqual([]);
    expect(whole(text)).toBe(text);
  });
  test("are bounded in number", () => {
    const deep = "    at f (1:2)\n".repeat(5000);
    expect(places(deep)).toHaveLength(100);
    expect(whole(deep)).toBe(deep);
  });
  test("do not take long to find in a hostile text", () => {
    const began = performance.now();
    piecesOf(`    at ${"1:".repeat(100_000)}x`);
    piecesOf(`    at ${" ".repeat(100_000)}x`);
    piecesOf(`    at ${"run-1/".repeat(100_000)}x`);
    piecesOf(`    at ${"run-1/".repeat(90)}x\n`.repeat(2_000));
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe("a summary", () => {
  test("reads out a few rows", () => {
    expect(summaryOf([begin(1, "x"), entry("a"), value("1"), entry("b", "error")], 4)).toBe("a. Result: 1. Error: b");
  });
  test("counts many, and says the last", () => {
    expect(summaryOf([entry("a", "error"), entry("b")], 2000)).toBe("2,000 new rows, 1 error. Last: b");
  });
  test("cuts long texts", () => expect(summaryOf([entry("x".repeat(5000))], 1).length).toBeLessThan(300));
  test("is empty for nothing", () => expect(summaryOf([begin(1, "x")], 1)).toBe(""));
});
