/** The page: header, editor, console, line, status. */

import { useCallback, useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";

import { BracketBar } from "./bracket-bar";
import { ConnectionNotice } from "./connection-mark";
import { Console } from "./console";
import { Dialogs, type Window } from "./dialogs";
import { useDraft, useWorkspace } from "./draft";
import { EarlierCode } from "./earlier-code";
import { EditorPane, type CodeSource } from "./editor-pane";
import { canFocus, guardFocus, showsOnePane, stopAfter, type Pane } from "./focus";
import { Header } from "./header";
import { InputForm } from "./input-form";
import { Line } from "./line";
import { applyLook } from "./look";
import { Notice, type News } from "./notice";
import { Options } from "./options";
import { usePlaces } from "./places";
import type { Playground } from "./playground";
import { usePrograms } from "./programs";
import { useSettings } from "./settings";
import { listenForShortcuts } from "./shortcuts";
import { StatusLine } from "./status-line";
import { boundedFontSize, DEFAULT_SETTINGS } from "./storage";
import { tabId, Tabs } from "./tabs";
import { useWindows } from "./window-state";

export function App({ playground }: { playground: Playground }) {
  const { session, connection } = usePlayground(playground);
  const workspace = useWorkspace();
  const saveLater = useDraft(workspace);
  const source = useRef<CodeSource | null>(null);
  const [news, setNews] = useState<News | null>(null);
  const [someSelected, setSomeSelected] = useState(false);
  const [pane, setPane] = useState<Pane>("code");
  const settingsState = useSettings();
  const { settings, change } = settingsState;
  const programs = usePrograms(playground, workspace, source, settingsState, setNews);
  const windows = useWindows(() => rest(source.current));
  const showWindow = (window: Window) => windows.show({ kind: "window", window });

  useLayoutEffect(() => applyLook(settings), [settings]);
  useEffect(() => guardFocus(() => rest(source.current)), []);

  /** What comes of it is to be seen. */
  const run = (start: () => void) => {
    start();
    setPane("console");
    if (showsOnePane()) whenSeen(".console-scroller", (scroller) => scroller.focus());
  };

  const places = usePlaces(playground, workspace, {
    go(id, place) {
      setPane("code");
      workspace.show(id);
      whenSeen(".editor", () => source.current?.goTo(place));
    },
    onEarlier: (earlier) => windows.show({ kind: "earlier", earlier }),
  });

  const actions = {
    run: () => run(programs.run),
    runSelection: () => run(programs.runSelection),
    help: () => showWindow("help"),
    nextPane(by: 1 | -1) {
      const { selector, pane: its } = stopAfter(by);
      if (its) setPane(its);
      whenSeen(selector, (stop) => (selector === ".editor" ? source.current?.focus() : stop.focus()));
    },
    fontSize(by: 1 | -1 | null) {
      const fontSize = by === null ? DEFAULT_SETTINGS.fontSize : boundedFontSize(settings.fontSize + by);
      change({ ...settings, fontSize });
    },
  };
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(
    () =>
      listenForShortcuts({
        run: () => latest.current.run(),
        runSelection: () => latest.current.runSelection(),
        stop: playground.stop,
        help: () => latest.current.help(),
        nextPane: (by) => latest.current.nextPane(by),
        fontSize: (by) => latest.current.fontSize(by),
      }),
    [playground],
  );

  const { ended, question } = session;
  useEffect(() => {
    const marked = ended?.fault && ended.origin === "editor" ? places.documentOf(ended.program, ended.fault.file) : null;
    if (ended?.fault && marked) source.current?.markError(marked.id, ended.fault);
  }, [ended]);
  // A question is where its answer is given.
  useLayoutEffect(() => {
    if (question) setPane("console");
  }, [question]);

  const ready = useCallback((editor: CodeSource) => {
    source.current = editor;
  }, []);

  return (
    <>
      <Header
        connection={connection}
        isAlive={session.runs.length > 0}
        pane={pane}
        onRun={actions.run}
        onStop={playground.stop}
        onPane={setPane}
        onWindow={showWindow}
      />
      <ConnectionNotice state={connection} onRetry={playground.connect} />
      {news && <Notice news={news} onClose={() => setNews(null)} />}
      <main class="panes" data-pane={pane}>
        <section class="pane pane-code" aria-labelledby="code-title">
          <div class="pane-head">
            <h2 class="pane-title" id="code-title">
              Code
            </h2>
            {someSelected && (
              <button type="button" class="quiet-button" onClick={actions.runSelection}>
                Run selection
              </button>
            )}
            <Options settings={settings} limits={session.limits} onChange={change} />
          </div>
          <Tabs
            workspace={workspace}
            onDeleted={(gone) => setNews({ text: `${gone.file.name} is deleted.`, undo: () => workspace.restore(gone) })}
          />
          <EditorPane
            workspace={workspace}
            plain={settings.plainEditor}
            labelledBy={tabId(workspace.shown)}
            onEdited={saveLater}
            onSelection={setSomeSelected}
            onReady={ready}
            complete={playground.complete}
          />
          <BracketBar source={() => source.current} />
        </section>
        <section class="pane pane-console" aria-labelledby="console-title">
          <Console
            playground={playground}
            places={places}
            below={question}
            times={settings.times}
            onTimes={(times) => change({ ...settings, times })}
          />
          {question && <InputForm question={question} onAnswer={playground.answer} />}
          <Line playground={playground} hasState={session.hasState} lang={workspace.lang} onRun={programs.runLine} />
        </section>
      </main>
      <StatusLine session={session} />
      {windows.open?.kind === "window" && (
        <Dialogs
          key={windows.open.id}
          open={windows.open.window}
          settings={settings}
          limits={session.limits}
          snapshots={programs.snapshots}
          program={() => workspace.program}
          onOpen={showWindow}
          onClose={windows.close}
          onSettings={change}
          onProgram={(program) => {
            programs.replace(program);
            windows.close();
          }}
        />
      )}
      {windows.open?.kind === "earlier" && (
        <EarlierCode
          key={windows.open.id}
          earlier={windows.open.earlier}
          onClose={windows.close}
          onProgram={(program) => {
            programs.replace(program);
            windows.close();
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

/** At once, or as soon as its pane is there: only what is seen can have the focus. */
function whenSeen(selector: string, act: (element: HTMLElement) => void): void {
  const element = document.querySelector<HTMLElement>(selector);
  if (!element) return;
  if (element.getClientRects().length > 0) act(element);
  else requestAnimationFrame(() => act(element));
}

/** Where the focus goes when what had it is gone: into the code, unless that would raise a screen keyboard. */
function rest(editor: CodeSource | null): void {
  const field = document.querySelector(".editor");
  if (field && canFocus(field) && matchMedia("(pointer: fine)").matches) editor?.focus();
  else document.querySelector<HTMLElement>(".button-primary")?.focus();
}
