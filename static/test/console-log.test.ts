import { expect, test } from "vitest";

import { ConsoleLog, MAX_CHARACTERS, MAX_ROWS } from "../src/console-log";
import type { Row } from "../src/rows";

const note = (text: string): Row => ({ kind: "note", tone: "plain", text });
const notes = (count: number): Row[] => Array.from({ length: count }, (_, index) => note(String(index)));

test("a hundred thousand rows are all there", () => {
  const log = new ConsoleLog();
  for (let batch = 0; batch < 100; batch += 1) log.append(notes(1000));
  expect([log.first, log.end]).toEqual([0, 100_000]);
  expect(log.slice(99_999, 100_000)).toEqual([note("999")]);
});

test("over the bound the oldest go, and rows keep their numbers", () => {
  const log = new ConsoleLog();
  log.append(notes(MAX_ROWS));
  log.append([note("newest")]);
  expect(log.end).toBe(MAX_ROWS + 1);
  expect(log.first).toBeGreaterThan(0);
  expect(log.slice(log.first, log.first + 1)).toEqual([note(String(log.first))]);
  expect(log.slice(log.end - 1, log.end)).toEqual([note("newest")]);
});

test("long texts count by their length", () => {
  const log = new ConsoleLog();
  const half = note("x".repeat(MAX_CHARACTERS / 2));
  log.append([half, half, note("newest")]);
  expect(log.slice(0, log.end).at(-1)).toEqual(note("newest"));
  expect(log.first).toBe(1);
});

test("a single row is never given up, whatever its length", () => {
  const log = new ConsoleLog();
  log.append([note("x".repeat(MAX_CHARACTERS + 1))]);
  expect([log.first, log.end]).toEqual([0, 1]);
});

test("clear starts again from zero", () => {
  const log = new ConsoleLog();
  log.append(notes(3));
  log.clear();
  expect([log.first, log.end, log.generation]).toEqual([0, 0, 1]);
});
