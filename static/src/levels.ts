/**
 * What was in values while their runtime was there: one level of each, asked for as soon as a run has come to rest. A value of a run
 * can be opened after the next one has taken its runtime.
 */

import type { EntryRow, Row, ValueRow } from "./rows";
import type { Preview, Properties, Ref } from "./protocol";

/** The newest values are the ones that are looked at. */
const MOST_WAITING = 40;
/** Of so many values a level is kept. */
const MOST_KEPT = 400;
/** The server takes sixteen questions at once, and the reader has some too. */
const AT_A_TIME = 4;

export class Levels {
  #waiting: Preview[] = [];
  #kept = new Map<Preview, Properties>();
  #asking = 0;

  /** `ask` answers `null` where there is no answer. */
  constructor(private readonly ask: (ref: Ref) => Promise<Properties | null>) {}

  of(value: Preview): Properties | null {
    return this.#kept.get(value) ?? null;
  }

  /** Rows have come. */
  note(rows: readonly Row[]): void {
    for (const row of rows) {
      if (hasValues(row)) this.#waiting.push(...row.values.filter(({ ref }) => ref !== undefined));
    }
    if (this.#waiting.length > MOST_WAITING) this.#waiting.splice(0, this.#waiting.length - MOST_WAITING);
  }

  /** Nothing runs: there is time for questions. */
  fetch(): void {
    while (this.#asking < AT_A_TIME && this.#waiting.length > 0) void this.#fetch(this.#waiting.pop() as Preview);
  }

  /** What waits was in a runtime that is gone. */
  forget(): void {
    this.#waiting = [];
  }

  async #fetch(value: Preview): Promise<void> {
    this.#asking += 1;
    const level = await this.ask(value.ref as Ref);
    this.#asking -= 1;
    if (!level) return this.forget();
    this.#kept.set(value, level);
    // A Map is in the order in which things were put into it.
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value as Preview);
    this.fetch();
  }
}

function hasValues(row: Row): row is EntryRow | ValueRow {
  return row.kind === "entry" || row.kind === "value";
}
