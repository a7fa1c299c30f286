/** The console's rows, all of them: what is drawn is a window on this. Rows are counted from 0 and keep their number. */

import { repeats, textOf, type Row } from "./rows";

/** What a window can be on: the log itself, or what a filter leaves of it. */
export interface RowSource {
  /** The number of the oldest row that is kept. */
  readonly first: number;
  /** One past the number of the newest row. */
  readonly end: number;
  /** Changes when numbers start again. */
  readonly generation: number;
  /** Counts the beginnings of the editor's runs. */
  readonly headings: number;
  /** The rows from number `from` up to number `to`, as far as they are kept. */
  slice(from: number, to: number): readonly Row[];
}

/** A server lets one run log 10,000 entries and 1 MiB by default: this is the output of some twenty full runs. */
export const MAX_ROWS = 200_000;
export const MAX_CHARACTERS = 64 << 20;

export class ConsoleLog implements RowSource {
  #rows: Row[] = [];
  #first = 0;
  #characters = 0;
  #generation = 0;
  #headings = 0;

  /** The number of the oldest row that is kept: so many were given up for newer ones. */
  get first(): number {
    return this.#first;
  }

  /** One past the number of the newest row. */
  get end(): number {
    return this.#first + this.#rows.length;
  }

  /** Changes with each `clear`, after which numbers start again. */
  get generation(): number {
    return this.#generation;
  }

  get headings(): number {
    return this.#headings;
  }

  /** Only the newest row may change afterwards: repeated, it becomes a row with a higher count. */
  append(rows: readonly Row[]): void {
    for (const row of rows) {
      const last = this.#rows.at(-1);
      if (repeats(last, row)) {
        this.#rows[this.#rows.length - 1] = { ...last, count: last.count + 1 };
        continue;
      }
      this.#rows.push(row);
      if (row.kind === "run" && row.origin === "editor") this.#headings += 1;
      this.#characters += textOf(row).length;
    }
    if (this.#rows.length > MAX_ROWS || this.#characters > MAX_CHARACTERS) this.#trim();
  }

  /** The rows from number `from` up to number `to`, as far as they are kept. */
  slice(from: number, to: number): readonly Row[] {
    return this.#rows.slice(Math.max(0, from - this.#first), Math.max(0, to - this.#first));
  }

  clear(): void {
    this.#rows = [];
    this.#first = 0;
    this.#characters = 0;
    this.#generation += 1;
  }

  /** Goes a tenth below the bounds, because taking rows off the front of an array one by one is slow. */
  #trim(): void {
    let gone = 0;
    while (
      gone < this.#rows.length - 1 &&
      (this.#rows.length - gone > MAX_ROWS * 0.9 || this.#characters > MAX_CHARACTERS * 0.9)
    ) {
      this.#characters -= textOf(this.#rows[gone] as Row).length;
      gone += 1;
    }
    this.#rows.splice(0, gone);
    this.#first += gone;
  }
}
