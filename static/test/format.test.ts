import { expect, test } from "vitest";

import { bytes, counted, duration, elapsed } from "../src/format";

test.each([
  [0.042, "0.04 ms"],
  [0.42, "0.42 ms"],
  [3.14, "3.1 ms"],
  [12.4, "12 ms"],
  [999.4, "999 ms"],
  [999.7, "1 s"],
  [1000, "1 s"],
  [1340, "1.34 s"],
  [10_000, "10 s"],
  [59_990, "1 min"],
  [60_000, "1 min"],
  [125_000, "2 min 5 s"],
])("duration(%d) is %s", (ms, text) => expect(duration(ms)).toBe(text));

test("elapsed does not jump", () => expect([0, 50, 1000, 61_000].map(elapsed)).toEqual(["0.0 s", "0.1 s", "1.0 s", "1 min 1 s"]));
test("bytes", () => expect([512, 1536, 1 << 20].map(bytes)).toEqual(["512 B", "1.5 KiB", "1 MiB"]));
test("counted", () => expect([counted(1, "row", "rows"), counted(2000, "row", "rows")]).toEqual(["1 row", "2,000 rows"]));
