/** What of the console is shown: a filter, and the rows it leaves. */

import type { RowSource } from "./console-log";
import { textOf, type Row } from "./rows";

export const SORTS = ["errors", "warnings", "logs", "debug", "results"] as const;
export type Sort = (typeof SORTS)[number];

export interface Filter {
  /** Only rows with this text in them, in whatever case; all when it is empty. */
  text: string;
  hidden: readonly Sort[];
}

export const EVERYTHING: Filter = { text: "", hidden: [] };

export function isFiltering({ text, hidden }: Filter): boolean {
  return text !== "" || hidden.length > 0;
}

export function matches(row: Row, { text, hidden }: Filter): boolean {
  const sort = sortOf(row);
  if (sort !== null && hidden.includes(sort)) return false;
  return text === "" || textOf(row).toLowerCase().includes(text.toLowerCase());
}

/** `null` for what frames the others, the beginnings of runs and notes: no sort of its own to hide it by. */
function sortOf(row: Row): Sort | null {
  switch (row.kind) {
    case "run":
    case "note":
      return null;
    case "value":
      return "results";
    case "error":
      return "errors";
    case "entry":
      return { error: "errors", warn: "warnings", log: "logs", info: "logs", debug: "debug" }[row.level] as Sort;
  }
}

/** The rows of a log that match, numbered anew from 0. Looks at each row of the log once. */
export class FilteredRows implements RowSource {
  /** The numbers, in the log, of the rows that match. */
  #numbers: number[] = [];
  #first = 0;
  #scanned = 0;
  #logGeneration: number;

  constructor(
    private readonly log: RowSource,
    private readonly filter: Filter,
  ) {
    this.#logGeneration = log.generation;
  }

  get first(): number {
    this.#catchUp();
    return this.#first;
  }

  get end(): number {
    this.#catchUp();
    return this.#first + this.#numbers.length;
  }

  get generation(): number {
    return this.log.generation;
  }

  slice(from: number, to: number): readonly Row[] {
    this.#catchUp();
    const numbers = this.#numbers.slice(Math.max(0, from - this.#first), Math.max(0, to - this.#first));
    return numbers.flatMap((number) => this.log.slice(number, number + 1));
  }

  #catchUp(): void {
    if (this.#logGeneration !== this.log.generation) {
      this.#logGeneration = this.log.generation;
      this.#numbers = [];
      this.#first = this.#scanned = 0;
    }
    const { first, end } = this.log;
    if ((this.#numbers[0] ?? first) < first) {
      const kept = this.#numbers.findIndex((number) => number >= first);
      const gone = kept < 0 ? this.#numbers.length : kept;
      this.#numbers.splice(0, gone);
      this.#first += gone;
    }
    const from = Math.max(this.#scanned, first);
    this.log.slice(from, end).forEach((row, index) => {
      if (matches(row, this.filter)) this.#numbers.push(from + index);
    });
    this.#scanned = end;
  }
}
