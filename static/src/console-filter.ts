/** What of the console is shown: a filter, folded groups, and what `console.clear` has left. */

import type { RowSource } from "./console-log";
import type { RunId } from "./protocol";
import { isGroup, textOf, type EntryRow, type Row } from "./rows";

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
    case "question":
    case "answer":
      return null;
    case "value":
      return "results";
    case "error":
      return "errors";
    case "entry":
      return { error: "errors", warn: "warnings", log: "logs", info: "logs", debug: "debug" }[row.level] as Sort;
  }
}

/** What the reader has folded, opened and called back. Rows are known by themselves: they keep their number, but a log may be cleared. */
export class Folds {
  /** Groups that are not as they were made. */
  #turned = new WeakSet<Row>();
  /** Marks of `console.clear` that hide nothing any more. */
  #recalled = new WeakSet<Row>();

  isFolded(group: EntryRow): boolean {
    return (group.method === "groupCollapsed") !== this.#turned.has(group);
  }

  turn(group: EntryRow): void {
    if (!this.#turned.delete(group)) this.#turned.add(group);
  }

  hidesEarlier(row: Row): boolean {
    return row.kind === "entry" && row.method === "clear" && !this.#recalled.has(row);
  }

  recall(row: Row): void {
    this.#recalled.add(row);
  }
}

/** The rows of a log that are shown, numbered anew from 0. Looks at each row of the log once. */
export class ShownRows implements RowSource {
  /** The numbers, in the log, of the rows that are shown. */
  #numbers: number[] = [];
  #first = 0;
  #scanned = 0;
  #generation = 0;
  #logGeneration: number;
  /** The groups that the next row of each run stands in. */
  #groups = new Map<RunId, { depth: number; hides: boolean }[]>();

  constructor(
    private readonly log: RowSource,
    private readonly filter: Filter,
    private readonly folds: Folds,
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
    this.#catchUp();
    return this.#generation;
  }

  get headings(): number {
    return this.log.headings;
  }

  slice(from: number, to: number): readonly Row[] {
    this.#catchUp();
    const numbers = this.#numbers.slice(Math.max(0, from - this.#first), Math.max(0, to - this.#first));
    const rows: Row[] = [];
    // Stretches without a gap in one go: mostly it is all of them.
    for (let at = 0; at < numbers.length; ) {
      const start = numbers[at] as number;
      let count = 1;
      while (numbers[at + count] === start + count) count += 1;
      for (const row of this.log.slice(start, start + count)) rows.push(row);
      at += count;
    }
    return rows;
  }

  /** A group was folded or unfolded. Rows before it keep their numbers. */
  refold(): void {
    this.#catchUp();
    const first = this.#first;
    const generation = this.#generation;
    this.#restart();
    this.#catchUp();
    this.#first = first;
    this.#generation = generation;
  }

  /** Rows were called back that `console.clear` had hidden. Numbers start again. */
  recalled(): void {
    this.#restart();
    this.#catchUp();
    this.#generation += 1;
  }

  #restart(): void {
    this.#numbers = [];
    this.#first = this.#scanned = 0;
    this.#groups.clear();
  }

  #catchUp(): void {
    if (this.#logGeneration !== this.log.generation) {
      this.#logGeneration = this.log.generation;
      this.#generation += 1;
      this.#restart();
    }
    const { first, end } = this.log;
    if ((this.#numbers[0] ?? first) < first) {
      const kept = this.#numbers.findIndex((number) => number >= first);
      const gone = kept < 0 ? this.#numbers.length : kept;
      this.#numbers.splice(0, gone);
      this.#first += gone;
    }
    const from = Math.max(this.#scanned, first);
    // Most often there is nothing new.
    if (from < end) this.log.slice(from, end).forEach((row, index) => this.#look(row, from + index));
    this.#scanned = end;
  }

  #look(row: Row, number: number): void {
    if (this.folds.hidesEarlier(row)) {
      this.#numbers = [];
      this.#first = 0;
      this.#generation += 1;
    }
    if (!this.#isInFolded(row) && matches(row, this.filter)) this.#numbers.push(number);
  }

  /** Keeps count of the groups, for each run by itself: what it prints is not to vanish in another run's group. */
  #isInFolded(row: Row): boolean {
    if (row.kind !== "entry") return false;
    const groups = this.#groups.get(row.run) ?? [];
    while ((groups.at(-1)?.depth ?? -1) >= row.group) groups.pop();
    const isHidden = groups.at(-1)?.hides ?? false;
    if (isGroup(row)) {
      groups.push({ depth: row.group, hides: isHidden || this.folds.isFolded(row) });
      this.#groups.set(row.run, groups);
    }
    // A search looks into folded groups too, and says where it has found something.
    return isHidden && this.filter.text === "";
  }
}
