/** Reads the names out of plain Rust type definitions: enough for this project's own files. */

import { readFileSync } from "node:fs";

export interface Item {
  name: string;
  /** The fields of a struct, or of a variant with named fields. */
  fields: string[];
}

export function rustSource(file: string): string {
  const text = readFileSync(new URL(`../../src/${file}`, import.meta.url), "utf8");
  return text.replace(/\/\/.*$/gm, "").replace(/#\[[^\]]*\]/g, "");
}

/** What stands between the braces after `head`. */
export function block(source: string, head: string): string {
  const start = source.indexOf(head);
  if (start < 0) throw new Error(`there is no \`${head}\``);
  const open = source.indexOf("{", start);
  let depth = 0;
  for (let at = open; at < source.length; at += 1) {
    if (source[at] === "{") depth += 1;
    if (source[at] === "}") depth -= 1;
    if (depth === 0) return source.slice(open + 1, at);
  }
  throw new Error(`\`${head}\` does not end`);
}

export function structFields(source: string, name: string): string[] {
  return fieldNames(block(source, `pub struct ${name} {`));
}

export function variants(source: string, name: string): Item[] {
  const body = block(source, `pub enum ${name} {`);
  return [...body.matchAll(/(\w+)\s*(?:\{([^}]*)\}|\([^)]*\))?\s*(?:,|$)/g)].map(([, variant = "", fields = ""]) => ({
    name: snakeCase(variant),
    fields: fieldNames(fields),
  }));
}

/** Variant names as serde writes them with `rename_all = "snake_case"`. */
export function variantNames(source: string, name: string): string[] {
  return variants(source, name).map((variant) => variant.name);
}

function fieldNames(body: string): string[] {
  return [...body.matchAll(/^\s*(?:pub )?(\w+):/gm)].map(([, name = ""]) => name);
}

function snakeCase(name: string): string {
  return name.replace(/(?<!^)[A-Z]/g, "_$&").toLowerCase();
}
