/** A program: the code that runs, and the files it may import. */

export type Lang = "js" | "ts";

export const LANGUAGES: Record<Lang, string> = { js: "JavaScript", ts: "TypeScript" };

export interface SourceFile {
  /** As an import names it, without `./`. */
  name: string;
  text: string;
}

export interface Program {
  code: string;
  /** Of `code`; a file goes by the ending of its name. */
  lang: Lang;
  files: readonly SourceFile[];
}

/** What the server takes. */
export const MAX_FILES = 64;
const MAX_NAME_BYTES = 128;

export function langOf(fileName: string): Lang {
  return /\.[mc]?ts$/.test(fileName) ? "ts" : "js";
}

/** What the code itself is called beside its files. Nobody imports it. */
export function mainName(lang: Lang): string {
  return `main.${lang}`;
}

/** What is wrong with a name for a file, as a sentence; `null` where nothing is. The server's rules, said before it has to. */
export function nameFault(name: string, others: readonly string[]): string | null {
  if (name === "") return "A file needs a name.";
  if (others.includes(name)) return "There is a file of this name.";
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) return `A name has at most ${MAX_NAME_BYTES} bytes.`;
  if (/[\p{Cc}:\\?#()]/u.test(name)) return "A name has none of : \\ ? # ( ) in it.";
  if (name.split("/").some((part) => part === "" || part === "." || part === "..")) return "A name is relative, without . and .. as parts.";
  return null;
}

/** Makes a program of what stood in storage or came with a link: anything. `null` where there is no code in it. */
export function programOf(value: unknown): Program | null {
  const { code, lang, files } = (value ?? {}) as Record<string, unknown>;
  if (typeof code !== "string") return null;
  return { code, lang: lang === "ts" ? "ts" : "js", files: filesOf(files) };
}

/** The fields of a program as they are written down, without what goes without saying. */
export function written({ code, lang, files }: Program): { code: string; lang?: Lang; files?: Record<string, string> } {
  return { code, ...(lang !== "js" && { lang }), ...(files.length > 0 && { files: byName(files) }) };
}

/** Defines each name as a property of its own, `__proto__` too. */
export function byName(files: readonly SourceFile[]): Record<string, string> {
  return Object.fromEntries(files.map(({ name, text }) => [name, text]));
}

export function sameProgram(one: Program, other: Program): boolean {
  return (
    one.code === other.code &&
    one.lang === other.lang &&
    one.files.length === other.files.length &&
    one.files.every(({ name, text }, at) => other.files[at]?.name === name && other.files[at]?.text === text)
  );
}

export function charactersOf({ code, files }: Program): number {
  return files.reduce((sum, { name, text }) => sum + name.length + text.length, code.length);
}

function filesOf(value: unknown): SourceFile[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const files: SourceFile[] = [];
  const names = [mainName("js"), mainName("ts")];
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== "string" || nameFault(name, names) !== null || files.length === MAX_FILES) continue;
    files.push({ name, text });
    names.push(name);
  }
  return files;
}
