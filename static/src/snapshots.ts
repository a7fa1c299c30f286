/** The program as it was at each run, and before anything replaced it, to go back to. Newest first. */

import { charactersOf, programOf, sameProgram, written, type Program } from "./program";

export interface Snapshot {
  /** Milliseconds since 1970. */
  time: number;
  program: Program;
}

export const MAX_SNAPSHOTS = 50;
/** Browsers give a page some 5 million characters in all, and drafts and history need their share. */
export const MAX_SNAPSHOT_CHARACTERS = 2_000_000;

/** The same list where nothing is new: no sign of code, or the program of the newest snapshot. */
export function withSnapshot(snapshots: readonly Snapshot[], snapshot: Snapshot): readonly Snapshot[] {
  const { program } = snapshot;
  const [newest] = snapshots;
  const isEmpty = program.code.trim() === "" && program.files.length === 0;
  if (isEmpty || (newest && sameProgram(newest.program, program))) return snapshots;
  return bounded([snapshot, ...snapshots]);
}

/** Anything may stand in storage. */
export function parseSnapshots(text: string | null): Snapshot[] {
  try {
    const parsed: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(parsed) ? bounded(parsed.flatMap(snapshotOf)) : [];
  } catch {
    return [];
  }
}

export function snapshotsText(snapshots: readonly Snapshot[]): string {
  return JSON.stringify(snapshots.map(({ time, program }) => ({ time, ...written(program) })));
}

/** The newest is kept whatever its length. */
function bounded(snapshots: Snapshot[]): Snapshot[] {
  let characters = 0;
  return snapshots.filter(({ program }, index) => {
    characters += charactersOf(program);
    return index < MAX_SNAPSHOTS && (index === 0 || characters <= MAX_SNAPSHOT_CHARACTERS);
  });
}

function snapshotOf(value: unknown): Snapshot[] {
  const { time } = (value ?? {}) as Record<string, unknown>;
  const program = programOf(value);
  return typeof time === "number" && program ? [{ time, program }] : [];
}
