/** What is being edited: the code, its language, and its files, each in a tab. The texts are here; an editor shows one of them. */

import { langOf, mainName, nameFault, type Lang, type Program, type SourceFile } from "./program";

/** A text as an editor knows it. */
export interface Document {
  /** Never used twice. */
  readonly id: number;
  /** What a frame of a stack calls it; `null` for the code itself. */
  readonly name: string | null;
  readonly text: string;
  readonly lang: Lang;
}

/** A file that was deleted, and where it was. */
export interface Deleted {
  readonly file: SourceFile;
  readonly at: number;
}

/** One program in the place of another. */
export interface Replacement {
  readonly before: Program;
  readonly after: Program;
}

export interface WorkspaceEvents {
  /** A text was replaced from outside of the editor; with the code itself, a whole program. */
  onReplaced(document: Document, replacement: Replacement | null): void;
  onRemoved(id: number): void;
  /** Another document, another language, another list. */
  onChanged(): void;
}

const MAIN = 0;

export class Workspace {
  #code: string;
  #lang: Lang;
  #files: { id: number; name: string; text: string }[] = [];
  #shown = MAIN;
  #nextId = MAIN + 1;
  #listeners = new Set<WorkspaceEvents>();

  constructor({ code, lang, files }: Program) {
    this.#code = code;
    this.#lang = lang;
    for (const { name, text } of files) this.#files.push({ id: this.#nextId++, name, text });
  }

  get program(): Program {
    return { code: this.#code, lang: this.#lang, files: this.#files.map(({ name, text }) => ({ name, text })) };
  }

  get lang(): Lang {
    return this.#lang;
  }

  /** The code first, then its files. */
  get documents(): readonly Document[] {
    const main = { id: MAIN, name: null, text: this.#code, lang: this.#lang };
    return [main, ...this.#files.map((file) => ({ ...file, lang: langOf(file.name) }))];
  }

  get shown(): Document {
    return this.#find(this.#shown);
  }

  /** `name` as a frame of a stack has it; `null` where there is no such file. */
  named(name: string | null): Document | null {
    return this.documents.find((document) => document.name === name) ?? null;
  }

  subscribe = (events: WorkspaceEvents): (() => void) => {
    this.#listeners.add(events);
    return () => this.#listeners.delete(events);
  };

  /** What the reader has typed. */
  edited(id: number, text: string): void {
    if (id === MAIN) this.#code = text;
    else for (const file of this.#files) if (file.id === id) file.text = text;
  }

  show(id: number): void {
    this.#shown = this.#find(id).id;
    this.#changed();
  }

  speak(lang: Lang): void {
    this.#lang = lang;
    this.#changed();
  }

  /** What is wrong with a name for a new file, or another name for `id`. */
  fault(name: string, id: number | null): string | null {
    const others = this.#files.filter((file) => file.id !== id).map((file) => file.name);
    return nameFault(name, [mainName("js"), mainName("ts"), ...others]);
  }

  /** A name that nobody has. */
  freeName(): string {
    for (let count = 1; ; count += 1) {
      const name = `${count === 1 ? "util" : `util${count}`}.${this.#lang}`;
      if (this.fault(name, null) === null) return name;
    }
  }

  add(name: string): void {
    const id = this.#nextId++;
    this.#files.push({ id, name, text: "" });
    this.show(id);
  }

  rename(id: number, name: string): void {
    for (const file of this.#files) if (file.id === id) file.name = name;
    this.#changed();
  }

  /** `null` for the code itself, which cannot go. */
  remove(id: number): Deleted | null {
    const at = this.#files.findIndex((file) => file.id === id);
    const [file] = at < 0 ? [] : this.#files.splice(at, 1);
    if (!file) return null;
    // The neighbour on the left, as tabs do everywhere.
    if (this.#shown === id) this.#shown = this.#files[at - 1]?.id ?? MAIN;
    for (const { onRemoved } of this.#listeners) onRemoved(id);
    this.#changed();
    return { file: { name: file.name, text: file.text }, at };
  }

  restore({ file, at }: Deleted): void {
    const id = this.#nextId++;
    const name = this.fault(file.name, null) === null ? file.name : this.freeName();
    this.#files.splice(at, 0, { id, name, text: file.text });
    this.show(id);
  }

  /** Another program. A text whose file is in both keeps its document, so that the editor can undo the change. */
  replace(program: Program): void {
    const before = this.program;
    this.#code = program.code;
    const changed = this.#replaceRest(program);
    this.#shown = MAIN;
    this.#changed();
    const [main] = this.documents;
    for (const { onReplaced } of this.#listeners) {
      onReplaced(main as Document, { before, after: program });
      for (const document of changed) onReplaced(document, null);
    }
  }

  /** The language and the files of a program whose code is in the editor already. */
  restoreRest = (program: Program): void => {
    const changed = this.#replaceRest(program);
    this.#shown = this.#find(this.#shown).id;
    this.#changed();
    for (const { onReplaced } of this.#listeners) for (const document of changed) onReplaced(document, null);
  };

  /** Returns the files that have another text now. */
  #replaceRest({ lang, files }: Program): readonly Document[] {
    const names = new Set(files.map(({ name }) => name));
    for (const file of [...this.#files]) if (!names.has(file.name)) this.remove(file.id);
    this.#lang = lang;
    const old = this.#files;
    this.#files = files.map(({ name, text }) => {
      const id = old.find((file) => file.name === name)?.id ?? this.#nextId++;
      return { id, name, text };
    });
    const changed = new Set(this.#files.filter(({ id, text }) => old.some((file) => file.id === id && file.text !== text)).map(({ id }) => id));
    return this.documents.filter(({ id }) => changed.has(id));
  }

  #find(id: number): Document {
    const { documents } = this;
    return documents.find((document) => document.id === id) ?? (documents[MAIN] as Document);
  }

  #changed(): void {
    for (const { onChanged } of this.#listeners) onChanged();
  }
}
