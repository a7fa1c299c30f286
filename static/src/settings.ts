/** The reader's settings, and what a shared program asks for instead while it is in the editor. */

import { useState } from "preact/hooks";

import { loadSettings, saveSettings, type Settings } from "./storage";

/** How a program is to be run. */
export type RunSettings = Pick<Settings, "keepState" | "timeoutMs">;

export interface SettingsState {
  settings: Settings;
  change: (changed: Settings) => void;
  /** Runs by other settings, which are not the reader's own; `null` goes back to those. */
  borrow: (run: RunSettings | null) => void;
}

export function useSettings(): SettingsState {
  const [own, setOwn] = useState(loadSettings);
  const [borrowed, setBorrowed] = useState<Partial<RunSettings>>({});
  const change = (changed: Settings) => {
    // What was not touched stays borrowed, and out of the reader's own.
    const untouched = Object.entries(borrowed).filter(([name, value]) => changed[name as keyof RunSettings] === value);
    const next = { ...changed, ...Object.fromEntries(untouched.map(([name]) => [name, own[name as keyof RunSettings]])) };
    setBorrowed(Object.fromEntries(untouched));
    setOwn(next);
    saveSettings(next);
  };
  return { settings: { ...own, ...borrowed }, change, borrow: (run) => setBorrowed(run ?? {}) };
}
