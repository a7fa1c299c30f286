import { describe, expect, test } from "vitest";

import { timeoutChoices } from "../src/options";
import type { Limits } from "../src/protocol";
import { DEFAULT_SETTINGS, MAX_FONT_SIZE, parseSettings } from "../src/storage";

describe("parseSettings", () => {
  test("reads what was stored", () => {
    expect(parseSettings('{"keepState":true,"timeoutMs":5000,"theme":"dark","fontSize":99}')).toEqual({
      ...DEFAULT_SETTINGS,
      keepState: true,
      timeoutMs: 5000,
      theme: "dark",
      fontSize: MAX_FONT_SIZE,
    });
  });
  test.each([null, "", "{", "null", "[]", "7", '{"keepState":"yes","timeoutMs":-1,"theme":"<b>","fontSize":"1","times":1}', '{"timeoutMs":0.5}'])(
    "replaces %j by the defaults",
    (text) => expect(parseSettings(text)).toEqual(DEFAULT_SETTINGS),
  );
});

describe("timeoutChoices", () => {
  const limits = { timeout_ms: 10_000, max_timeout_ms: 30_000 } as Limits;
  const texts = (chosen: number | null, known: Limits | null) => timeoutChoices(chosen, known).map((choice) => choice.text);

  test("are the server's, its default among them once", () => {
    expect(texts(null, limits)).toEqual(["1 s", "5 s", "10 s", "30 s"]);
    expect(timeoutChoices(null, limits)[2]).toEqual({ value: null, text: "10 s" });
  });
  test("have no default in numbers before the server has told it", () => {
    expect(texts(null, null)).toEqual(["Default", "1 s", "5 s", "10 s", "30 s", "1 min", "5 min"]);
  });
  test("keep an earlier choice", () => {
    expect(texts(60_000, limits)).toEqual(["1 s", "5 s", "10 s", "30 s", "1 min"]);
  });
});
