/** The page: header, editor, console, line, status. */

import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";

import { BracketBar } from "./bracket-bar";
import { ConnectionMark, ConnectionNotice } from "./connection-mark";
import { Console } from "./console";
import { Dialogs, type Window } from "./dialogs";
import { useDraft, useWorkspace } from "./draft";
import { EarlierCode, type Earlier } from "./earlier-code";
import type { Complete } from "./editor-completion";
import { EditorPane, type CodeSource } from "./editor-pane";
import { InputForm } from "./input-form";
import { Line } from "./line";
import { applyLook } from "./look";
import { Options } from "./options";
import { usePlaces } from "./places";
import type { Playground } from "./playground";
import type { Program } from "./program";
import type { Completions } from "./protocol";
import type { Reply } from "./requests";
import { decodeShared, isShared } from "./share";
import { listenForShortcuts, RUN_KEYS, STOP_KEYS } from "./shortcuts";
import { withSnapshot, type Snapshot } from "./snapshots";
import { StatusLine } from "./status-line";
import * as storage from "./storage";
import type { Settings } from "./storage";
import { tabId, Tabs } from "./tabs";
import type { Deleted } from "./workspace";

/** What the page has to say above its panes. */
interface News {
  text: string;
  undo?: () => void;
}

export function App({ playground }: { playground: Playground }) {
  const { session, connection } = usePlayground(playground);
  const [settings, setSettings] = useState(storage.loadSettings);
  const [snapshots, setSnapshots] = useState<readonly Snapshot[]>(storage.loadSnapshots);
  const [open, setOpen] = useState<Window | null>(null);
  const [news, setNews] = useState<News | null>(null);
  const [earlier, setEarlier] = useState<Earlier | null>(null);
  const [someSelected, setSomeSelected] = useState(false);
  const workspace = useWorkspace();
  const saveLater = useDraft(workspace);
  const source = useRef<CodeSource | null>(null);

  useLayoutEffect(() => applyLook(settings), [settings]);

  const changeSettings = (changed: Settings) => {
    setSettings(changed);
    storage.saveSettings(changed);
  };

  const keep = (program: Program) => {
    // Another tab may have added to them.
    const kept = withSnapshot(storage.loadSnapshots(), { time: Date.now(), program });
    storage.saveSnapshots(kept);
    setSnapshots(kept);
  };

  const run = () => {
    const { keepState, timeoutMs } = settings;
    const { program } = workspace;
    source.current?.clearErrors();
    keep(program);
    playground.run({ origin: "editor", program, part: false, fresh: !keepState, timeoutMs });
  };

  /** In the runtime as it is: a part of a program builds on what ran before it. */
  const runSelection = () => {
    const selected = source.current?.selected();
    if (!selected) return;
    // So far down and to the right that its positions are those of the editor.
    const before = "\n".repeat(selected.start.line - 1) + " ".repeat(selected.start.column - 1);
    const { files } = workspace.program;
    const program = { code: before + selected.code, lang: workspace.shown.lang, files };
    source.current?.clearErrors();
    playground.run({ origin: "editor", program, part: true, fresh: false, timeoutMs: settings.timeoutMs });
  };

  const runLine = (code: string) => {
    const program = { code, lang: workspace.lang, files: [] };
    playground.run({ origin: "line", program, part: true, fresh: false, timeoutMs: settings.timeoutMs });
  };

  const replaceProgram = (program: Program) => {
    keep(workspace.program);
    workspace.replace(program);
    setOpen(null);
  };

  const openShared = async () => {
    const { hash } = location;
    if (!isShared(hash)) return;
    const shared = await decodeShared(hash);
    // From here on the program is the reader's own: a reload must not undo the edits.
    history.replaceState(null, "", location.pathname + location.search);
    if (!shared) return setNews({ text: "This link is damaged or too long. Your own code is as it was." });
    const { program, keepState, timeoutMs } = shared;
    replaceProgram(program);
    changeSettings({ ...settings, keepState, timeoutMs });
    setNews({ text: "This program came with the link. Read it before you run it; your own code is in the snapshots." });
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

  const places = usePlaces(playground, workspace, source, setEarlier);

  const { ended } = session;
  useEffect(() => {
    const marked = ended?.fault && ended.origin === "editor" ? places.documentOf(ended.program, ended.fault.file) : null;
    if (ended?.fault && marked) source.current?.markError(marked.id, ended.fault);
  }, [ended]);

  const ready = useCallback((editor: CodeSource) => {
    source.current = editor;
  }, []);
  const complete = useCallback<Complete>(async (code) => completionsOf(await playground.ask({ type: "complete", code }, COMPLETE_WITHIN_MS)), [playground]);

  const deleted = (gone: Deleted) => {
    const { name } = gone.file;
    setNews({ text: `${name} is deleted.`, undo: () => workspace.restore(gone) });
  };

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
          <span class="notice-text">{news.text}</span>
          {news.undo && (
            <button
              type="button"
              class="quiet-button"
              onClick={() => {
                news.undo?.();
                setNews(null);
              }}
            >
              Undo
            </button>
          )}
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
          <Tabs workspace={workspace} onDeleted={deleted} />
          <EditorPane
            workspace={workspace}
            plain={settings.plainEditor}
            labelledBy={tabId(workspace.shown)}
            onChange={(id, text) => {
              workspace.edited(id, text);
              saveLater();
            }}
            onSelection={setSomeSelected}
            onReady={ready}
            complete={complete}
          />
          <BracketBar source={() => source.current} />
        </section>
        <section class="pane" aria-labelledby="console-title">
          <Console
            log={playground.log}
            times={settings.times}
            subscribe={playground.subscribeLog}
            onTimes={(times) => changeSettings({ ...settings, times })}
            leads={places.leads}
            onPlace={places.go}
            inspect={places.inspect}
            onClear={playground.clear}
          />
          {session.question && <InputForm question={session.question} onAnswer={playground.answer} />}
          <Line hasState={session.hasState} lang={workspace.lang} ask={playground.ask} onRun={runLine} onClear={playground.clear} />
        </section>
      </main>
      <StatusLine session={session} />
      {open && (
        <Dialogs
          key={open}
          open={open}
          settings={settings}
          snapshots={snapshots}
          program={() => workspace.program}
          onOpen={setOpen}
          onClose={() => setOpen(null)}
          onSettings={changeSettings}
          onProgram={replaceProgram}
        />
      )}
      {earlier && (
        <EarlierCode
          earlier={earlier}
          onClose={() => setEarlier(null)}
          onProgram={(program) => {
            setEarlier(null);
            replaceProgram(program);
          }}
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

/** Later is too late: the reader has typed on. */
const COMPLETE_WITHIN_MS = 500;

function completionsOf(reply: Reply): Completions | null {
  return "answer" in reply && reply.answer.type === "completions" ? reply.answer : null;
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
