import { describe, expect, test } from "vitest";

import type { Preview } from "../src/protocol";
import { safeStyle } from "../src/safe-style";
import { tableOf } from "../src/table-text";
import { previewParts } from "../src/value-text";

describe("a style for %c", () => {
  const style = (css: string) => safeStyle(css).map(([property, value]) => `${property}: ${value}`);
  test.each([
    ["color: red", "color: red"],
    ["COLOR:#ABC !important;", "color: #abc"],
    ["background: rgb(1, 2, 3)", "background-color: rgb(1, 2, 3)"],
    ["background-color: hsl(120deg 50% 50% / 0.5)", "background-color: hsl(120deg 50% 50% / 0.5)"],
    ["font-weight: bold", "font-weight: bold"],
    ["font-weight: 700", "font-weight: 700"],
    ["font-size: 20px", "font-size: 20px"],
    ["font-size: 2.5em", "font-size: 2.5em"],
    ["font-style: italic", "font-style: italic"],
    ["text-decoration: underline wavy red", "text-decoration: underline wavy red"],
    ["padding: 2px 6px", "padding: 2px 6px"],
    ["border: 1px solid rgb(0, 0, 0)", "border: 1px solid rgb(0, 0, 0)"],
    ["border-radius: 4px", "border-radius: 4px"],
  ])("%s is applied", (css, applied) => expect(style(css)).toEqual([applied]));

  test("is several declarations, and what is not allowed does not spoil the rest", () => {
    expect(style("color: red; position: fixed; ; nonsense; font-weight: bold")).toEqual(["color: red", "font-weight: bold"]);
  });

  test.each([
    "background: url(//evil.example/x)",
    "background-color: url(x)",
    "background-image: url(x)",
    "background: red url(x)",
    "color: rgb(url(x))",
    "color: var(--accent)",
    "color: expression(alert(1))",
    "content: 'x'",
    "cursor: url(x), auto",
    "position: fixed",
    "display: none",
    "font-size: 41px",
    "font-size: 9999em",
    "font-size: 100vw",
    "font-size: 1e9px",
    "font-size: calc(1px * 9999)",
    "padding: 41px",
    "padding: 1px 2px 3px 4px 5px",
    "margin: -10px",
    "margin: -1px 0",
    "margin-left: 1000px",
    "border: 100px solid red",
    "border-image: url(x) 1",
    "font-family: url(x)",
    "font-family: x}body{color:red",
    "transform: scale(99)",
    "filter: url(#x)",
    "--accent: red",
    "__proto__: red",
    "constructor: red",
    "color: red}*{color: blue",
    "color: \\72 ed",
    "color: /**/red",
    "color",
    ": red",
    "",
    `color: red; ${"x".repeat(3_000)}`,
  ])("%s is not", (css) => expect(style(css)).toEqual([]));

  test("does not take long to refuse", () => {
    const began = performance.now();
    for (const css of [`color: rgb(${"1 ".repeat(900)}`, `text-decoration: ${"red ".repeat(400)}`, `border: ${"( ".repeat(900)}`]) safeStyle(css);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe("the text of console.table", () => {
  const drawn = `┌─────────┬───┬──────┐
│ (index) │ a │ b    │
├─────────┼───┼──────┤
│ 0       │ 1 │ 'x'  │
│ 1       │ 2 │ '日' │
└─────────┴───┴──────┘`;
  const table = { head: ["(index)", "a", "b"], body: [["0", "1", "'x'"], ["1", "2", "'日'"]] };
  test("is a table", () => expect(tableOf(drawn)).toEqual(table));
  test("is one in a group as well", () => expect(tableOf(drawn.replaceAll(/^/gm, "    "))).toEqual(table));
  test("may have no rows", () => expect(tableOf("┌─────────┐\n│ (index) │\n├─────────┤\n└─────────┘")).toEqual({ head: ["(index)"], body: [] }));
  test.each([
    ["other text", "no table"],
    ["nothing", ""],
    ["a cell with a line in it", drawn.replace("'x' ", "'│' ")],
    ["a table that was cut", drawn.slice(0, -30)],
    ["a table with something before it", `x\n${drawn}`],
  ])("is none for %s", (_, text) => expect(tableOf(text)).toBeNull());
  test("stays text where it is very large", () => {
    const rows = "│ 0       │ 1 │ 'x'  │\n".repeat(2_000);
    expect(tableOf(drawn.replace("│ 0       │ 1 │ 'x'  │\n", rows))).toBeNull();
  });
});

describe("a value on one line", () => {
  const text = (preview: Preview) => previewParts(preview).map((part) => part.text).join("");
  const one: Preview = { kind: "number", text: "1" };
  test.each<[string, Preview]>([
    ["1", one],
    ["{a: 1, b: 1}", { kind: "object", text: "Object", entries: [{ key: "a", value: one }, { key: "b", value: one }] }],
    ["Foo {#x: 1, …}", { kind: "object", text: "Foo", entries: [{ key: "#x", value: one }], more: 2 }],
    ["Array(2) [1, 1]", { kind: "array", text: "Array(2)", entries: [{ key: "0", kind: "index", value: one }, { key: "1", kind: "index", value: one }] }],
    ["Map(1) {'k' => 1}", { kind: "object", text: "Map(1)", entries: [{ key: "'k'", kind: "entry", value: one }] }],
    ["Set(1) {1}", { kind: "object", text: "Set(1)", entries: [{ key: "0", kind: "item", value: one }] }],
    ["{get: (…)}", { kind: "object", text: "Object", entries: [{ key: "get" }] }],
    ["TypeError: no", { kind: "error", text: "TypeError: no", ref: 1, entries: [{ key: "stack", kind: "hidden", value: one }] }],
  ])("is %s", (expected, preview) => expect(text(preview)).toBe(expected));
});
