/** Ties the connection, the session's state and the console together; what the page's components read and call. */

import { Connection, type ConnectionState } from "./connection";
import { ConsoleLog } from "./console-log";
import { byName, type Program } from "./program";
import type { Request, ServerMessage } from "./protocol";
import { Requests, type Reply } from "./requests";
import type { Origin } from "./rows";
import { EMPTY, step, type Session, type SessionEvent } from "./session";

export interface RunOptions {
  origin: Origin;
  /** With files it is a module, unless `part` says otherwise. */
  program: Program;
  /** A part of a program: it builds on what ran before it, as a line does, even where it has files. */
  part: boolean;
  /** In a fresh engine; else in the one that earlier runs have left. */
  fresh: boolean;
  /** `null` leaves it to the server. */
  timeoutMs: number | null;
}

export class Playground {
  readonly log = new ConsoleLog();
  #session: Session = EMPTY;
  #connection: Connection;
  #requests = new Requests();
  #nextRun = 1;
  #wasOpen = false;
  #wasLost = false;
  #listeners = new Set<() => void>();
  #logListeners = new Set<() => void>();

  constructor(url: string) {
    this.#connection = new Connection(url, {
      onState: (state) => this.#connectionChanged(state),
      onMessage: (message) => this.#heard(message),
    });
  }

  get session(): Session {
    return this.#session;
  }

  get connection(): ConnectionState {
    return this.#connection.state;
  }

  connect = (): void => this.#connection.connect();

  close = (): void => this.#connection.close();

  run({ origin, program, part, fresh, timeoutMs }: RunOptions): void {
    const id = this.#nextRun++;
    const { code, lang, files } = program;
    this.#apply({ type: "run", id, origin, program, fresh, at: Date.now() });
    this.#connection.send({
      type: "run",
      id,
      code,
      ...(lang !== "js" && { lang }),
      ...(files.length > 0 && { files: byName(files), ...(!part && { mode: "module" as const }) }),
      ...(fresh && { fresh }),
      ...(timeoutMs !== null && { timeout_ms: timeoutMs }),
    });
  }

  /** Everything that is alive: queued, in the foreground, in the background. */
  stop = (): void => {
    if (this.#session.runs.length === 0) return;
    this.#apply({ type: "stop" });
    this.#connection.send({ type: "cancel" });
  };

  answer = (text: string | null): void => {
    const { question } = this.#session;
    if (!question) return;
    this.#apply({ type: "answer" });
    this.#connection.send({ type: "input", id: question.run, text });
  };

  /** Asks the session something beside its runs. Never waits for a connection: who asks wants to know now. */
  ask = (request: Request, withinMs?: number): Promise<Reply> => {
    if (this.#connection.state.kind !== "open" || !this.can(request.type)) return Promise.resolve({ refusal: "offline" });
    return this.#requests.ask(request, (message) => this.#connection.send(message), withinMs);
  };

  /** Whether the server has said that it can. */
  can = (feature: string): boolean => this.#session.features.includes(feature);

  clear = (): void => {
    this.log.clear();
    for (const listener of this.#logListeners) listener();
  };

  /** Session or connection have changed. */
  subscribe = (listener: () => void): (() => void) => listen(this.#listeners, listener);

  /** The console has changed. Apart from the above, so that a flood of output draws nothing but the console. */
  subscribeLog = (listener: () => void): (() => void) => listen(this.#logListeners, listener);

  #heard(message: ServerMessage): void {
    if (message.type === "properties" || message.type === "completions" || message.type === "completeness") {
      return this.#requests.answered(message);
    }
    if (message.type === "error" && this.#requests.refused(message)) return;
    this.#apply({ type: "message", message, at: Date.now() });
  }

  #connectionChanged(state: ConnectionState): void {
    if (state.kind === "open") {
      this.#connection.send({ type: "hello", preview: true });
      if (this.#wasLost) this.#apply({ type: "back" });
      this.#wasOpen = true;
      this.#wasLost = false;
    }
    if (state.kind === "lost" || state.kind === "closed") {
      this.#apply({ type: "lost" });
      this.#requests.lost();
      this.#wasLost = this.#wasOpen;
    }
    this.#changed();
  }

  #apply(event: SessionEvent): void {
    const { session, rows } = step(this.#session, event);
    if (rows.length > 0) {
      this.log.append(rows);
      for (const listener of this.#logListeners) listener();
    }
    if (session !== this.#session) {
      this.#session = session;
      this.#changed();
    }
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function listen(listeners: Set<() => void>, listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
