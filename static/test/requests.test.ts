import { describe, expect, test } from "vitest";

import type { Answer, ClientMessage } from "../src/protocol";
import { Requests } from "../src/requests";

const asking = (withinMs?: number) => {
  const requests = new Requests();
  const sent: ClientMessage[] = [];
  const ask = () => requests.ask({ type: "complete", code: "con" }, (message) => sent.push(message), withinMs);
  return { requests, sent, ask };
};
const answer = (id: string): Answer => ({ type: "completions", id, from: 0, to: 3, items: [] });

describe("a request", () => {
  test("gets its own answer", async () => {
    const { requests, sent, ask } = asking();
    const replies = [ask(), ask()];
    expect(sent).toMatchObject([{ type: "complete", code: "con", id: "q1" }, { id: "q2" }]);
    requests.answered(answer("q2"));
    requests.answered(answer("q1"));
    requests.answered(answer("q7"));
    expect(await Promise.all(replies)).toEqual([{ answer: answer("q1") }, { answer: answer("q2") }]);
  });

  test.each([
    ["ref_expired", "expired"],
    ["queue_full", "busy"],
    ["no_answer", "busy"],
  ] as const)("that is refused with %s is %s", async (code, refusal) => {
    const { requests, ask } = asking();
    const reply = ask();
    expect(requests.refused({ type: "error", code, message: "", id: "q1" })).toBe(true);
    expect(await reply).toEqual({ refusal });
  });

  test("has nothing to do with the errors of runs", () => {
    const { requests } = asking();
    expect(requests.refused({ type: "error", code: "busy", message: "", id: 1 })).toBe(false);
    expect(requests.refused({ type: "error", code: "busy", message: "" })).toBe(false);
  });

  test("is given up when it takes too long, and a late answer is taken for nothing", async () => {
    const { requests, ask } = asking(1);
    expect(await ask()).toEqual({ refusal: "late" });
    requests.answered(answer("q1"));
    expect(requests.refused({ type: "error", code: "busy", message: "", id: "q1" })).toBe(true);
  });

  test("ends with the connection", async () => {
    const { requests, ask } = asking();
    const replies = [ask(), ask()];
    requests.lost();
    expect(await Promise.all(replies)).toEqual([{ refusal: "offline" }, { refusal: "offline" }]);
  });
});
