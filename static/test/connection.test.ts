import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import {
  Connection,
  FIRST_DELAY_MS,
  GOOD_AFTER_MS,
  MAX_DELAY_MS,
  PING_EVERY_MS,
  PONG_WITHIN_MS,
  retryDelay,
  socketUrl,
} from "../src/connection";

class FakeSocket {
  static all: FakeSocket[] = [];
  static get last(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error("nothing was opened");
    return socket;
  }
  sent: unknown[] = [];
  closedWith: number | null = null;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(code: number): void {
    this.closedWith = code;
  }
}

function connect() {
  const states: string[] = [];
  const messages: unknown[] = [];
  const connection = new Connection("ws://here/ws", {
    onState: (state) => states.push(state.kind),
    onMessage: (message) => messages.push(message),
  });
  connection.connect();
  return { connection, states, messages };
}

beforeEach(() => {
  FakeSocket.all = [];
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the connection", () => {
  test("holds back what is sent before it is open", () => {
    const { connection, states } = connect();
    connection.send({ type: "cancel" });
    expect(FakeSocket.last.sent).toEqual([]);
    FakeSocket.last.onopen?.();
    expect(FakeSocket.last.sent).toEqual([{ type: "cancel" }]);
    expect(states).toEqual(["connecting", "open"]);
  });

  test("hands on messages", () => {
    const { messages } = connect();
    FakeSocket.last.onopen?.();
    FakeSocket.last.onmessage?.({ data: '{"type":"pong"}' });
    expect(messages).toEqual([{ type: "pong" }]);
  });

  test("comes back after a loss, and sends nothing twice", () => {
    const { connection, states } = connect();
    FakeSocket.last.onopen?.();
    connection.send({ type: "cancel" });
    FakeSocket.last.onclose?.({ code: 1006, reason: "" });
    vi.advanceTimersByTime(FIRST_DELAY_MS);
    FakeSocket.last.onopen?.();
    expect(states).toEqual(["connecting", "open", "lost", "reconnecting", "open"]);
    expect(FakeSocket.all).toHaveLength(2);
    expect(FakeSocket.last.sent).toEqual([]);
  });

  test("tries at once when something is to be sent", () => {
    const { connection } = connect();
    FakeSocket.last.onclose?.({ code: 1006, reason: "" });
    connection.send({ type: "ping" });
    FakeSocket.last.onopen?.();
    expect(FakeSocket.last.sent).toEqual([{ type: "ping" }]);
    vi.advanceTimersByTime(MAX_DELAY_MS);
    expect(FakeSocket.all).toHaveLength(2);
  });

  test("does not hammer a server that accepts and hangs up", () => {
    connect();
    for (let failure = 0; failure < 8; failure += 1) {
      FakeSocket.last.onopen?.();
      FakeSocket.last.onclose?.({ code: 1013, reason: "full" });
      vi.advanceTimersByTime(MAX_DELAY_MS);
    }
    const before = FakeSocket.all.length;
    FakeSocket.last.onclose?.({ code: 1013, reason: "full" });
    vi.advanceTimersByTime(MAX_DELAY_MS / 2 - 1);
    expect(FakeSocket.all).toHaveLength(before);
  });

  test("starts with small delays again after a good while", () => {
    connect();
    for (let failure = 0; failure < 8; failure += 1) {
      FakeSocket.last.onclose?.({ code: 1006, reason: "" });
      vi.advanceTimersByTime(MAX_DELAY_MS);
    }
    FakeSocket.last.onopen?.();
    vi.advanceTimersByTime(GOOD_AFTER_MS);
    const before = FakeSocket.all.length;
    FakeSocket.last.onclose?.({ code: 1006, reason: "" });
    vi.advanceTimersByTime(FIRST_DELAY_MS);
    expect(FakeSocket.all).toHaveLength(before + 1);
  });

  test("notices a server that does not answer any more", () => {
    const { states } = connect();
    FakeSocket.last.onopen?.();
    vi.advanceTimersByTime(PING_EVERY_MS);
    expect(FakeSocket.last.sent).toEqual([{ type: "ping" }]);
    vi.advanceTimersByTime(PONG_WITHIN_MS);
    expect(states.at(-1)).toBe("lost");
  });

  test("takes any message for a sign of life", () => {
    const { states } = connect();
    FakeSocket.last.onopen?.();
    vi.advanceTimersByTime(PING_EVERY_MS);
    FakeSocket.last.onmessage?.({ data: '{"type":"pong"}' });
    vi.advanceTimersByTime(PONG_WITHIN_MS);
    expect(states.at(-1)).toBe("open");
  });

  test("closes with code 1000 and stays closed", () => {
    const { connection, states } = connect();
    FakeSocket.last.onopen?.();
    connection.close();
    expect(FakeSocket.last.closedWith).toBe(1000);
    vi.advanceTimersByTime(MAX_DELAY_MS * 2);
    expect(FakeSocket.all).toHaveLength(1);
    expect(states.at(-1)).toBe("closed");
  });
});

describe("retryDelay", () => {
  test("doubles up to its bound", () => {
    expect([0, 1, 2, 10, 2000].map((failures) => retryDelay(failures, 0))).toEqual([500, 1000, 2000, 15_000, 15_000]);
  });
  test("takes off up to a half", () => {
    expect(retryDelay(0, 0.999)).toBeGreaterThanOrEqual(FIRST_DELAY_MS / 2);
    expect(retryDelay(0, 0.5)).toBe(FIRST_DELAY_MS * 0.75);
  });
});

describe("socketUrl", () => {
  test.each([
    ["http://127.0.0.1:8080/", "ws://127.0.0.1:8080/ws"],
    ["https://pen.example/", "wss://pen.example/ws"],
    ["https://pen.example/below/?a=1#b", "wss://pen.example/below/ws"],
  ])("%s -> %s", (page, socket) => expect(socketUrl(page)).toBe(socket));
});
