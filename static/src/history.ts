/** What was entered in the console's line, oldest first, and walking through it. */

export const MAX_LINES = 500;
export const MAX_HISTORY_CHARACTERS = 200_000;

export function withLine(lines: readonly string[], line: string): readonly string[] {
  if (line.trim() === "" || lines.at(-1) === line) return lines;
  return bounded([...lines, line]);
}

/** Anything may stand in storage. */
export function parseHistory(text: string | null): string[] {
  try {
    const parsed: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(parsed) ? bounded(parsed.filter((line): line is string => typeof line === "string")) : [];
  } catch {
    return [];
  }
}

/** The newest are kept. */
function bounded(lines: string[]): string[] {
  let characters = 0;
  let from = lines.length;
  while (from > 0 && lines.length - from < MAX_LINES) {
    characters += lines[from - 1]?.length ?? 0;
    if (characters > MAX_HISTORY_CHARACTERS) break;
    from -= 1;
  }
  return lines.slice(from);
}

/** One walk: up to older lines, down to newer ones and at last to what was being written when it began. */
export class Walk {
  #at: number;

  constructor(
    private readonly lines: readonly string[],
    private readonly unfinished: string,
  ) {
    this.#at = lines.length;
  }

  /** `null` where there is no older line. */
  older(): string | null {
    if (this.#at === 0) return null;
    this.#at -= 1;
    return this.lines[this.#at] ?? null;
  }

  /** `null` where the walk is back at its beginning. */
  newer(): string | null {
    if (this.#at === this.lines.length) return null;
    this.#at += 1;
    return this.lines[this.#at] ?? this.unfinished;
  }
}
