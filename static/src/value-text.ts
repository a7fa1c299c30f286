/** Values on one line, in parts that can be coloured. */

import type { Preview, Property, ValueKind } from "./protocol";

export interface Part {
  text: string;
  /** `key` is a property's name, `null` what stands between. */
  kind: ValueKind | "key" | null;
}

/** What stands before a property's value; a Map's entries and a Set's items have signs of their own. */
export function keyParts({ key, kind }: Property): Part[] {
  switch (kind) {
    case "item":
      return [];
    case "entry":
      return [plain(key), plain(" => ")];
    default:
      return [{ text: key, kind: "key" }, plain(": ")];
  }
}

/** `Foo {a: 1, b: Array(2), …}`, `Array(3) [1, 2, 3]`, or only the text where nothing is known of what is in it. */
export function previewParts({ kind, text, entries = [], more = 0 }: Preview): Part[] {
  // What an error or a function is, its text says.
  if (entries.length === 0 || kind === "error" || kind === "function") return [{ text, kind }];
  const [open, close] = kind === "array" ? ["[", "]"] : ["{", "}"];
  const parts: Part[] = text === "Object" ? [plain(open)] : [{ text, kind }, plain(` ${open}`)];
  entries.forEach((property, at) => {
    if (at > 0) parts.push(plain(", "));
    if (property.kind !== "index") parts.push(...keyParts(property));
    parts.push(property.value ? { text: property.value.text, kind: property.value.kind } : plain("(…)"));
  });
  if (more > 0) parts.push(plain(", …"));
  return [...parts, plain(close)];
}

/** What stands for a value that only a call could tell. */
export function accessorText({ getter }: Property): string {
  return getter === undefined ? "(can only be set)" : "(…)";
}

function plain(text: string): Part {
  return { text, kind: null };
}
