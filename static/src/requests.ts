/** What the page asks the session beside its runs, and waits for. Each request is answered once, or given up. */

import type { Answer, ClientMessage, Request, RequestId, ServerError } from "./protocol";

/** Why there is no answer. */
export type Refusal =
  /** There is no connection, or it was lost, or the server cannot do this. */
  | "offline"
  /** The object is gone. */
  | "expired"
  /** Nobody had time. */
  | "busy"
  /** It was not waited for any longer. */
  | "late";

export type Reply = { answer: Answer } | { refusal: Refusal };

/** How many properties are asked for at once. */
export const AT_ONCE = 100;

interface Pending {
  settle: (reply: Reply) => void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Requests {
  #pending = new Map<RequestId, Pending>();
  #next = 1;

  /** `send` is called at once. Without `withinMs` it waits for as long as there is a connection. */
  ask(request: Request, send: (message: ClientMessage) => void, withinMs?: number): Promise<Reply> {
    const id = `q${this.#next++}`;
    return new Promise((resolve) => {
      const settle = (reply: Reply) => {
        clearTimeout(this.#pending.get(id)?.timer);
        this.#pending.delete(id);
        resolve(reply);
      };
      const timer = withinMs === undefined ? undefined : setTimeout(() => settle({ refusal: "late" }), withinMs);
      this.#pending.set(id, { settle, timer });
      send({ ...request, id });
    });
  }

  answered(answer: Answer): void {
    this.#pending.get(answer.id)?.settle({ answer });
  }

  /** Whether it was the answer to a request, which may have been given up meanwhile. */
  refused({ id, code }: ServerError): boolean {
    if (typeof id !== "string") return false;
    this.#pending.get(id)?.settle({ refusal: code === "ref_expired" ? "expired" : "busy" });
    return true;
  }

  /** The connection is gone, and every answer with it. */
  lost(): void {
    for (const { settle } of [...this.#pending.values()]) settle({ refusal: "offline" });
  }
}
