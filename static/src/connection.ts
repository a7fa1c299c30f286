/**
 * The WebSocket to the server. Connects when told to, and again after growing, jittered delays when the connection is lost.
 *
 * What is sent while a connection is being made waits for it, so that a quick Ctrl+Enter after loading is not refused. A new
 * connection is a new session: nothing is ever sent twice, and who listens to `onState` learns that the old session is gone.
 */

import { parseServerMessage, type ClientMessage, type ServerMessage } from "./protocol";

export type ConnectionState =
  /** The first attempt. Left by `open` or `lost`. */
  | { kind: "connecting" }
  /** Left by `lost` or `closed`. */
  | { kind: "open" }
  /** Waits until `retryAt` (as `Date.now` counts), then becomes `reconnecting`. */
  | { kind: "lost"; retryAt: number; why: string }
  /** A later attempt. Left by `open` or `lost`. */
  | { kind: "reconnecting" }
  /** Closed by us. Left only by `connect`. */
  | { kind: "closed" };

export interface ConnectionEvents {
  onState(state: ConnectionState): void;
  onMessage(message: ServerMessage): void;
}

/** The first delay; each further one doubles, and a random half is taken off, so that many pages do not come back at once. */
export const FIRST_DELAY_MS = 500;
export const MAX_DELAY_MS = 15_000;
/** A connection that held this long was a good one: delays start small again. A server that accepts and hangs up is not hammered. */
export const GOOD_AFTER_MS = 5_000;
/** A dead network sends no close: an unanswered ping finds out. */
export const PING_EVERY_MS = 20_000;
export const PONG_WITHIN_MS = 10_000;
/** When the browser says that it is offline. A server on the same machine answers all the same. */
export const PROBE_WITHIN_MS = 1_000;

const CLOSE_NORMAL = 1000;

export class Connection {
  #state: ConnectionState = { kind: "closed" };
  #socket: WebSocket | null = null;
  #outbox: ClientMessage[] = [];
  #failures = 0;
  #retryTimer: Timer;
  #goodTimer: Timer;
  #pingTimer: Timer;
  #pongTimer: Timer;

  constructor(
    readonly url: string,
    private readonly events: ConnectionEvents,
  ) {}

  get state(): ConnectionState {
    return this.#state;
  }

  /** Starts an attempt at once, unless one is under way or has succeeded. */
  connect(): void {
    const { kind } = this.#state;
    if (kind === "open" || kind === "connecting" || kind === "reconnecting") return;
    clearTimeout(this.#retryTimer);
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#heard(event.data);
    socket.onclose = (event) => this.#lost(closeReason(event.code, event.reason));
    this.#become({ kind: kind === "closed" ? "connecting" : "reconnecting" });
  }

  /** Sends now, or as soon as the connection is there. */
  send(message: ClientMessage): void {
    if (this.#state.kind === "open") {
      this.#socket?.send(JSON.stringify(message));
    } else {
      this.#outbox.push(message);
      this.connect();
    }
  }

  /** The network may be gone: finds out at once, and does not take anybody's word for it. */
  probe(): void {
    if (this.#state.kind === "open") this.#ping(PROBE_WITHIN_MS);
  }

  close(): void {
    this.#drop();
    this.#failures = 0;
    this.#become({ kind: "closed" });
  }

  #opened(): void {
    this.#goodTimer = setTimeout(() => (this.#failures = 0), GOOD_AFTER_MS);
    this.#schedulePing();
    this.#become({ kind: "open" });
    for (const message of this.#outbox.splice(0)) this.send(message);
  }

  #heard(data: unknown): void {
    clearTimeout(this.#pongTimer);
    const message = parseServerMessage(data);
    if (message) this.events.onMessage(message);
  }

  #schedulePing(): void {
    this.#pingTimer = setTimeout(() => {
      this.#ping(PONG_WITHIN_MS);
      this.#schedulePing();
    }, PING_EVERY_MS);
  }

  #ping(pongWithinMs: number): void {
    this.#socket?.send(JSON.stringify({ type: "ping" } satisfies ClientMessage));
    clearTimeout(this.#pongTimer);
    this.#pongTimer = setTimeout(() => this.#lost("The server does not answer."), pongWithinMs);
  }

  #lost(why: string): void {
    this.#drop();
    const delay = retryDelay(this.#failures++, Math.random());
    this.#retryTimer = setTimeout(() => this.connect(), delay);
    this.#become({ kind: "lost", retryAt: Date.now() + delay, why });
  }

  #drop(): void {
    for (const timer of [this.#retryTimer, this.#goodTimer, this.#pingTimer, this.#pongTimer]) clearTimeout(timer);
    this.#outbox = [];
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(CLOSE_NORMAL);
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    this.events.onState(state);
  }
}

export function retryDelay(failures: number, random: number): number {
  const longest = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
  return Math.round(longest * (1 - random / 2));
}

/** `/ws` beside the page, whatever its scheme and path. */
export function socketUrl(page: string): string {
  const url = new URL("ws", page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

type Timer = ReturnType<typeof setTimeout> | undefined;

function closeReason(code: number, reason: string): string {
  switch (code) {
    case 1001:
      return "The server is shutting down.";
    case 1008:
      return reason || "The server refused this page.";
    case 1009:
      return "A message was too big for the server.";
    case 1013:
      return reason || "The server is full.";
    default:
      return "The server cannot be reached.";
  }
}
