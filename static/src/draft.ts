/** The workspace as the page goes on with it: from the last draft, and saved as the next. */

import { useCallback, useEffect, useReducer, useRef, useState } from "preact/hooks";

import { SAMPLE } from "./examples";
import * as storage from "./storage";
import { Workspace } from "./workspace";

/** Long enough not to write at every key, short enough to lose nothing that matters in a crash. */
const SAVE_WITHIN_MS = 300;

/** Draws its component anew when the workspace shows something else. */
export function useWorkspace(): Workspace {
  const [workspace] = useState(() => new Workspace(storage.loadDraft() ?? SAMPLE));
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  useEffect(() => workspace.subscribe({ onReplaced() {}, onRemoved() {}, onChanged: () => redraw() }), [workspace]);
  return workspace;
}

/** Saves the program a moment after a change, however many follow, and at once when the page goes out of sight. */
export function useDraft(workspace: Workspace): () => void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const save = useCallback(() => {
    if (timer.current === undefined) return;
    clearTimeout(timer.current);
    timer.current = undefined;
    storage.saveDraft(workspace.program);
  }, [workspace]);
  const saveLater = useCallback(() => {
    timer.current ??= setTimeout(save, SAVE_WITHIN_MS);
  }, [save]);
  useEffect(() => {
    const unsubscribe = workspace.subscribe({ onReplaced: saveLater, onRemoved() {}, onChanged: saveLater });
    window.addEventListener("pagehide", save);
    document.addEventListener("visibilitychange", save);
    return () => {
      unsubscribe();
      window.removeEventListener("pagehide", save);
      document.removeEventListener("visibilitychange", save);
    };
  }, [workspace, save]);
  return saveLater;
}
