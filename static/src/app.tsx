/** The page: header, editor, console, line, status. */

import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useReducer, useRef, useState } from "preact/hooks";

import { BracketBar } from "./bracket-bar";
import { ConnectionMark, ConnectionNotice } from "./connection-mark";
import { Console } from "./console";
import { Dialogs, type Window } from "./dialogs";
import { EditorPane, type CodeSource } from "./editor-pane";
import { SAMPLE } from "./examples";
import { InputForm } from "./input-form";
import { Line } from "./line";
import { applyLook } from "./look";
import { Options } from "./options";
import type { Playground } from "./playground";
import type { Position } from "./rows";
import { decodeShared, isShared } from "./share";
import { listenForShortcuts, RUN_KEYS, STOP_KEYS } from "./shortcuts";
import { withSnapshot, type Snapshot } from "./snapshots";
import { StatusLine } from "./status-line";
import * as storage from "./storage";
import type { Settings } from "./storage";

/** Long enough not to write at every key, short enough to lose nothing that matters in a crash. */
const SAVE_WITHIN_MS = 300;

export function App({ playground }: { playground: Playground }) {
  const { session, connection } = usePlayground(playground);
  const [settings, setSettings] = useState(storage.loadSettings);
  const [snapshots, setSnapshots] = useState<readonly Snapshot[]>(storage.loadSnapshots);
  const [open, setOpen] = useState<Window | null>(null);
  const [news, setNews] = useState<string | null>(null);
  const [someSelected, setSomeSelected] = useState(false);
  const [initialText] = useState(() => storage.loadDraft() ?? SAMPLE);
  const saveLater = useDraft();
  const source = useRef<CodeSource | null>(null);

  useEffect(() => applyLook(settings), [settings]);

  const changeSettings = (changed: Settings) => {
    setSettings(changed);
    storage.saveSettings(changed);
  };

  const keep = (code: string) => {
    // Another tab may have added to them.
    const kept = withSnapshot(storage.loadSnapshots(), { time: Date.now(), code });
    storage.saveSnapshots(kept);
    setSnapshots(kept);
  };

  const run = () => {
    if (!source.current) return;
    const { keepState, timeoutMs } = settings;
    const code = source.current.text();
    source.current.markError(null);
    keep(code);
    playground.run({ origin: "editor", code, fresh: !keepState, timeoutMs });
  };

  /** In the runtime as it is: a part of a program builds on what ran before it. */
  const runSelection = () => {
    const selected = source.current?.selected();
    if (!selected) return;
    const { code, start } = selected;
    // So far down and to the right that its positions are those of the editor.
    const before = "\n".repeat(start.line - 1) + " ".repeat(start.column - 1);
    source.current?.markError(null);
    playground.run({ origin: "editor", code: before + code, fresh: false, timeoutMs: settings.timeoutMs });
  };

  const runLine = (code: string) => playground.run({ origin: "line", code, fresh: false, timeoutMs: settings.timeoutMs });

  const replaceProgram = (code: string) => {
    if (!source.current) return;
    keep(source.current.text());
    source.current.setText(code);
    setOpen(null);
  };

  const openShared = async () => {
    const { hash } = location;
    if (!isShared(hash)) return;
    const shared = await decodeShared(hash);
    // From here on the program is the reader's own: a reload must not undo the edits.
    history.replaceState(null, "", location.pathname + location.search);
    if (!shared) return setNews("This link is damaged or too long. Your own code is as it was.");
    const { code, keepState, timeoutMs } = shared;
    replaceProgram(code);
    changeSettings({ ...settings, keepState, timeoutMs });
    setNews("This program came with the link. Read it before you run it; your own code is in the snapshots.");
  };

  const actions = useRef({ run, runSelection, openShared, changeSettings, settings });
  actions.current = { run, runSelection, openShared, changeSettings, settings };

  useEffect(() => {
    const changed = () => void actions.current.openShared();
    changed();
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);

  useEffect(
    () =>
      listenForShortcuts({
        run: () => actions.current.run(),
        runSelection: () => actions.current.runSelection(),
        stop: playground.stop,
        help: () => setOpen("help"),
        nextPane: (by) => focusPane(by, source.current),
        fontSize: (by) => {
          const { settings: now, changeSettings: change } = actions.current;
          const fontSize = by === null ? storage.DEFAULT_SETTINGS.fontSize : storage.boundedFontSize(now.fontSize + by);
          change({ ...now, fontSize });
        },
      }),
    [playground],
  );

  const { ended } = session;
  useEffect(() => {
    if (!ended?.fault || ended.origin !== "editor") return;
    // Run whole or in part, the code must still be what the position is in.
    const text = source.current?.text() ?? "";
    if (text === ended.code || text.includes(ended.code.trimStart())) source.current?.markError(ended.fault);
  }, [ended]);

  const ready = useCallback((editor: CodeSource) => {
    source.current = editor;
  }, []);
  const goTo = useCallback((position: Position) => source.current?.goTo(position), []);

  const alive = session.runs.length > 0;

  return (
    <>
      <header class="header">
        <h1 class="brand">
          <img class="brand-icon" src="favicon.svg" alt="" width="28" height="28" />
          <span class="brand-name">runpen</span>
        </h1>
        <div class="actions">
          <button type="button" class="button button-primary" title={`Run (${RUN_KEYS})`} onClick={run}>
            <PlayIcon />
            Run
            <Keys>{RUN_KEYS}</Keys>
          </button>
          <button
            type="button"
            class="button button-stop"
            title={`Stop (${STOP_KEYS})`}
            disabled={!alive}
            onClick={playground.stop}
          >
            <StopIcon />
            Stop
            <Keys>{STOP_KEYS}</Keys>
          </button>
        </div>
        <ConnectionMark state={connection} />
        <nav class="windows" aria-label="Windows">
          <button type="button" class="quiet-button windows-wide" onClick={() => setOpen("examples")}>
            Examples
          </button>
          <button type="button" class="quiet-button windows-wide" onClick={() => setOpen("share")}>
            Share
          </button>
          <button type="button" class="quiet-button windows-wide" onClick={() => setOpen("help")}>
            Keyboard
          </button>
          <button type="button" class="quiet-button" onClick={() => setOpen("menu")}>
            Menu
          </button>
        </nav>
      </header>
      <ConnectionNotice state={connection} onRetry={playground.connect} />
      {news !== null && (
        <div class="notice notice-plain" role="status">
          <span>{news}</span>
          <button type="button" class="quiet-button" onClick={() => setNews(null)}>
            Close
          </button>
        </div>
      )}
      <main class="panes">
        <section class="pane" aria-labelledby="code-title">
          <div class="pane-head">
            <h2 class="pane-title" id="code-title">
              Code
            </h2>
            {someSelected && (
              <button type="button" class="quiet-button" onClick={runSelection}>
                Run selection
              </button>
            )}
            <Options settings={settings} limits={session.limits} onChange={changeSettings} />
          </div>
          <EditorPane
            initialText={initialText}
            plain={settings.plainEditor}
            onChange={saveLater}
            onSelection={setSomeSelected}
            onReady={ready}
          />
          <BracketBar source={() => source.current} />
        </section>
        <section class="pane" aria-labelledby="console-title">
          <Console
            log={playground.log}
            times={settings.times}
            subscribe={playground.subscribeLog}
            onTimes={(times) => changeSettings({ ...settings, times })}
            onPosition={goTo}
            onClear={playground.clear}
          />
          {session.question && <InputForm question={session.question} onAnswer={playground.answer} />}
          <Line hasState={session.hasState} onRun={runLine} onClear={playground.clear} />
        </section>
      </main>
      <StatusLine session={session} />
      {open && (
        <Dialogs
          key={open}
          open={open}
          settings={settings}
          snapshots={snapshots}
          code={() => source.current?.text() ?? ""}
          onOpen={setOpen}
          onClose={() => setOpen(null)}
          onSettings={changeSettings}
          onProgram={replaceProgram}
        />
      )}
    </>
  );
}

function usePlayground(playground: Playground) {
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  useEffect(() => {
    const unsubscribe = playground.subscribe(() => redraw());
    // What happened before the subscription.
    redraw();
    return unsubscribe;
  }, [playground]);
  return { session: playground.session, connection: playground.connection };
}

/** Saves the code a moment after a change, however many follow, and at once when the page goes out of sight. */
function useDraft(): (code: string) => void {
  const unsaved = useRef<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const save = useCallback(() => {
    clearTimeout(timer.current);
    timer.current = undefined;
    if (unsaved.current !== null) storage.saveDraft(unsaved.current);
    unsaved.current = null;
  }, []);
  useEffect(() => {
    window.addEventListener("pagehide", save);
    document.addEventListener("visibilitychange", save);
    return () => {
      window.removeEventListener("pagehide", save);
      document.removeEventListener("visibilitychange", save);
    };
  }, [save]);
  return useCallback(
    (code) => {
      unsaved.current = code;
      timer.current ??= setTimeout(save, SAVE_WITHIN_MS);
    },
    [save],
  );
}

/** The parts of the page in the order of F6: the editor, the console, its line, the header. */
function focusPane(by: 1 | -1, editor: CodeSource | null): void {
  const stops = [".editor", ".console-scroller", ".line-field", ".header button"].map((selector) => document.querySelector<HTMLElement>(selector));
  const at = stops.findIndex((stop) => stop?.contains(document.activeElement));
  const to = at < 0 ? 0 : (at + by + stops.length) % stops.length;
  if (to === 0) editor?.focus();
  else stops[to]?.focus();
}

function Keys({ children }: { children: ComponentChildren }) {
  return (
    <kbd class="keys" aria-hidden="true">
      {children}
    </kbd>
  );
}

function PlayIcon() {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d="M4 2.6v10.8a.6.6 0 0 0 .92.5l8.4-5.4a.6.6 0 0 0 0-1L4.92 2.1A.6.6 0 0 0 4 2.6Z" />
    </svg>
  );
}

function StopIcon() {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <rect x="3" y="3" width="10" height="10" rx="1.5" />
    </svg>
  );
}
