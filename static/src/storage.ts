/** What survives a reload. Browsers may refuse storage (private windows, policies): then nothing is kept, and nothing breaks. */

import { parseHistory } from "./history";
import { programOf, written, type Program } from "./program";
import { parseSnapshots, snapshotsText, type Snapshot } from "./snapshots";

export interface Settings {
  /** Runs of the editor's code share one engine; off, each gets a fresh one. */
  keepState: boolean;
  /** `null` for the server's own. */
  timeoutMs: number | null;
  /** `null` follows the reader's system. */
  theme: Theme | null;
  /** Large type on white, for a room. */
  projector: boolean;
  /** Of the code, in pixels. */
  fontSize: number;
  /** A text field in the place of the editor. */
  plainEditor: boolean;
  /** The console says when each row came. */
  times: boolean;
}

export type Theme = "light" | "dark";

export const MIN_FONT_SIZE = 10;
export const MAX_FONT_SIZE = 40;

export const DEFAULT_SETTINGS: Settings = {
  keepState: false,
  timeoutMs: null,
  theme: null,
  projector: false,
  fontSize: 14,
  plainEditor: false,
  times: false,
};

const DRAFT = "runpen.draft";
/** Of the draft: what there is beside its code. */
const DRAFT_REST = "runpen.draft.rest";
const SETTINGS = "runpen.settings";
const SNAPSHOTS = "runpen.snapshots";
const HISTORY = "runpen.history";

/** This tab's own program; in a new tab, the one that was edited last in any. */
export function loadDraft(): Program | null {
  return draftIn(() => sessionStorage) ?? draftIn(() => localStorage);
}

function draftIn(area: Area): Program | null {
  return programOf({ ...parseObject(read(area, DRAFT_REST)), code: read(area, DRAFT) });
}

export function saveDraft(program: Program): void {
  // The tab's copy survives a reload beside other tabs, the shared one the end of the browser.
  writeDraft(() => sessionStorage, program);
  if (writeDraft(() => localStorage, program)) return;
  // Storage is full. What is being written now matters more than what was run before.
  saveSnapshots([]);
  writeDraft(() => localStorage, program);
}

function writeDraft(area: Area, program: Program): boolean {
  const { code, ...rest } = written(program);
  return write(area, DRAFT, code) && write(area, DRAFT_REST, JSON.stringify(rest));
}

export function loadSettings(): Settings {
  return parseSettings(read(() => localStorage, SETTINGS));
}

export function saveSettings(settings: Settings): void {
  write(() => localStorage, SETTINGS, JSON.stringify(settings));
}

export function loadSnapshots(): Snapshot[] {
  return parseSnapshots(read(() => localStorage, SNAPSHOTS));
}

export function saveSnapshots(snapshots: readonly Snapshot[]): void {
  write(() => localStorage, SNAPSHOTS, snapshotsText(snapshots));
}

export function loadHistory(): string[] {
  return parseHistory(read(() => localStorage, HISTORY));
}

export function saveHistory(lines: readonly string[]): void {
  write(() => localStorage, HISTORY, JSON.stringify(lines));
}

/** Anything may stand in storage; what does not fit is replaced by its default. */
export function parseSettings(text: string | null): Settings {
  const stored = parseObject(text);
  const flag = (name: "keepState" | "projector" | "plainEditor" | "times") => {
    const value = stored[name];
    return typeof value === "boolean" ? value : DEFAULT_SETTINGS[name];
  };
  const { timeoutMs, theme, fontSize } = stored;
  return {
    keepState: flag("keepState"),
    timeoutMs: isTimeout(timeoutMs) ? timeoutMs : DEFAULT_SETTINGS.timeoutMs,
    theme: theme === "light" || theme === "dark" ? theme : DEFAULT_SETTINGS.theme,
    projector: flag("projector"),
    fontSize: typeof fontSize === "number" ? boundedFontSize(fontSize) : DEFAULT_SETTINGS.fontSize,
    plainEditor: flag("plainEditor"),
    times: flag("times"),
  };
}

export function isTimeout(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

export function boundedFontSize(size: number): number {
  return Number.isFinite(size) ? Math.min(MAX_FONT_SIZE, Math.max(MIN_FONT_SIZE, Math.round(size))) : DEFAULT_SETTINGS.fontSize;
}

function parseObject(text: string | null): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text ?? "null");
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Even naming the storage may throw. */
type Area = () => Storage;

function read(area: Area, key: string): string | null {
  try {
    return area().getItem(key);
  } catch {
    return null;
  }
}

/** Whether it was kept: storage may be full or forbidden, and the page goes on without. */
function write(area: Area, key: string, value: string): boolean {
  try {
    area().setItem(key, value);
    return true;
  } catch {
    return false;
  }
}
