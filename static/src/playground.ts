/** Ties the connection, the session's state and the console together; what the page's components read and call. */

import { Connection, type ConnectionState } from "./connection";
import { ConsoleLog } from "./console-log";
import { Levels } from "./levels";
import { byName, type Program } from "./program";
import type { Completions, Preview, Properties, Ref, Request, ServerMessage } from "./protocol";
import { AT_ONCE, Requests, type Reply } from "./requests";
import type { Origin } from "./rows";
import { EMPTY, inTheWay, step, type Session, type SessionEvent } from "./session";

export interface RunOptions {
  origin: Origin;
  program: Program;
  /** A part of a program: it builds on what ran before it, as a line does, even where it has files. */
  part: boolean;
  /** In a fresh engine; else in the one that earlier runs have left. */
  fresh: boolean;
  /** `null` leaves it to the server. */
  timeoutMs: number | null;
}

/** Later is too late: the reader has typed on. */
const COMPLETE_WITHIN_MS = 500;

/** Later, something else runs. */
const LEVEL_WITHIN_MS = 1_000;

export class Playground {
  readonly log = new ConsoleLog();
  #session: Session = EMPTY;
  #connection: Connection;
  #requests = new Requests();
  #levels = new Levels((ref) => this.#levelOf(ref));
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

  probe = (): void => this.#connection.probe();

  close = (): void => this.#connection.close();

  /** The editor's program takes the place of the one that still runs. Parts and lines wait for what runs: they build on it. */
  run({ origin, program, part, fresh, timeoutMs }: RunOptions): void {
    if (origin === "editor" && !part) this.#makeRoom(!fresh);
    const id = this.#nextRun++;
    const { code, lang, files } = program;
    this.#apply({ type: "run", id, origin, program, fresh, at: Date.now() });
    this.#connection.send({
      type: "run",
      id,
      code,
      ...(lang !== "js" && { lang }),
      ...(files.length > 0 && { files: byName(files) }),
      ...(fresh && { fresh }),
      ...(timeoutMs !== null && { timeout_ms: timeoutMs }),
    });
  }

  #makeRoom(keepsState: boolean): void {
    const runs = inTheWay(this.#session, keepsState);
    if (runs.length === 0) return;
    this.#apply({ type: "supersede", runs });
    for (const id of runs) this.#connection.send({ type: "cancel", id });
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
    this.#apply({ type: "answer", text, at: Date.now() });
    this.#connection.send({ type: "input", id: question.run, text });
  };

  /** Asks the session something beside its runs. Never waits for a connection: who asks wants to know now. */
  ask = (request: Request, withinMs?: number): Promise<Reply> => {
    if (this.#connection.state.kind !== "open" || !this.can(request.type)) return Promise.resolve({ refusal: "offline" });
    return this.#requests.ask(request, (message) => this.#connection.send(message), withinMs);
  };

  /** Names that could stand at the end of a text; `null` where the session does not say any in time. */
  complete = async (code: string): Promise<Completions | null> => {
    const reply = await this.ask({ type: "complete", code }, COMPLETE_WITHIN_MS);
    return "answer" in reply && reply.answer.type === "completions" ? reply.answer : null;
  };

  /** What was in a value when its run came to rest. */
  levelOf = (value: Preview): Properties | null => this.#levels.of(value);

  async #levelOf(ref: Ref): Promise<Properties | null> {
    const reply = await this.ask({ type: "inspect", ref, start: 0, count: AT_ONCE }, LEVEL_WITHIN_MS);
    return "answer" in reply && reply.answer.type === "properties" ? reply.answer : null;
  }

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
      this.#apply({ type: "lost", at: Date.now() });
      this.#requests.lost();
      this.#wasLost = this.#wasOpen;
    }
    this.#changed();
  }

  #apply(event: SessionEvent): void {
    const { session, rows } = step(this.#session, event);
    if (rows.length > 0) {
      this.log.append(rows);
      this.#levels.note(rows);
      for (const listener of this.#logListeners) listener();
    }
    if (session !== this.#session) {
      this.#session = session;
      this.#changed();
      if (event.type === "lost") this.#levels.forget();
      else if (session.runs.every(({ phase }) => phase.kind === "background")) this.#levels.fetch();
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
