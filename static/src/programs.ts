/** The program in the editor on its way: run, kept as a snapshot, replaced by another one, brought by a link. */

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { CodeSource } from "./editor-pane";
import type { News } from "./notice";
import type { Playground } from "./playground";
import type { Program } from "./program";
import type { SettingsState } from "./settings";
import { decodeShared, isShared } from "./share";
import { withSnapshot, type Snapshot } from "./snapshots";
import * as storage from "./storage";
import type { Workspace } from "./workspace";

export interface Programs {
  snapshots: readonly Snapshot[];
  run: () => void;
  /** In the runtime as it is: a part of a program builds on what ran before it. */
  runSelection: () => void;
  runLine: (code: string) => void;
  /** Puts another program into the editor. The one that was there goes to the snapshots. */
  replace: (program: Program) => void;
}

export function usePrograms(
  playground: Playground,
  workspace: Workspace,
  source: RefObject<CodeSource | null>,
  { settings: { keepState, timeoutMs }, borrow }: SettingsState,
  onNews: (news: News) => void,
): Programs {
  const [snapshots, setSnapshots] = useState<readonly Snapshot[]>(storage.loadSnapshots);

  const keep = (program: Program) => {
    // Another tab may have added to them.
    const kept = withSnapshot(storage.loadSnapshots(), { time: Date.now(), program });
    storage.saveSnapshots(kept);
    setSnapshots(kept);
  };

  const run = () => {
    const { program } = workspace;
    source.current?.beginRun();
    keep(program);
    playground.run({ origin: "editor", program, part: false, fresh: !keepState, timeoutMs });
  };

  const runSelection = () => {
    const selected = source.current?.selected();
    if (!selected) return;
    // So far down and to the right that its positions are those of the editor.
    const before = "\n".repeat(selected.start.line - 1) + " ".repeat(selected.start.column - 1);
    const { files } = workspace.program;
    const program = { code: before + selected.code, lang: workspace.shown.lang, files };
    source.current?.beginRun();
    playground.run({ origin: "editor", program, part: true, fresh: false, timeoutMs });
  };

  const runLine = (code: string) => {
    const program = { code, lang: workspace.lang, files: [] };
    playground.run({ origin: "line", program, part: true, fresh: false, timeoutMs });
  };

  const replace = (program: Program) => {
    keep(workspace.program);
    workspace.replace(program);
    borrow(null);
  };

  const openShared = async () => {
    const { hash } = location;
    if (!isShared(hash)) return;
    const shared = await decodeShared(hash);
    // From here on the program is the reader's own: a reload must not undo the edits.
    history.replaceState(null, "", location.pathname + location.search);
    if (!shared) return onNews({ text: "This link is damaged or too long. Your own code is as it was." });
    replace(shared.program);
    borrow({ keepState: shared.keepState, timeoutMs: shared.timeoutMs });
    onNews({ text: "This program came with the link. Read it before you run it; your own code is in the snapshots." });
  };

  useEffect(() => {
    const changed = () => void openShared();
    changed();
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);

  return { snapshots, run, runSelection, runLine, replace };
}
