/** The code as it was at each run, and before anything replaced it, to go back to. Newest first. */

export interface Snapshot {
  /** Milliseconds since 1970. */
  time: number;
  code: string;
}

export const MAX_SNAPSHOTS = 50;
/** Browsers give a page some 5 million characters in all, and drafts and history need their share. */
export const MAX_SNAPSHOT_CHARACTERS = 2_000_000;

/** The same list where nothing is new: code without a sign in it, or the code of the newest snapshot. */
export function withSnapshot(snapshots: readonly Snapshot[], snapshot: Snapshot): readonly Snapshot[] {
  if (snapshot.code.trim() === "" || snapshots[0]?.code === snapshot.code) return snapshots;
  return bounded([snapshot, ...snapshots]);
}

/** Anything may stand in storage. */
export function parseSnapshots(text: string | null): Snapshot[] {
  try {
    const parsed: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(parsed) ? bounded(parsed.filter(isSnapshot)) : [];
  } catch {
    return [];
  }
}

/** The newest is kept whatever its length. */
function bounded(snapshots: Snapshot[]): Snapshot[] {
  let characters = 0;
  return snapshots.filter(({ code }, index) => {
    characters += code.length;
    return index < MAX_SNAPSHOTS && (index === 0 || characters <= MAX_SNAPSHOT_CHARACTERS);
  });
}

function isSnapshot(value: unknown): value is Snapshot {
  const { time, code } = (value ?? {}) as Partial<Snapshot>;
  return typeof time === "number" && typeof code === "string";
}
