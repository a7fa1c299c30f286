/** The console: its tools, the rows, what is said when there are none, and the way back to the newest. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { EVERYTHING, Folds, isFiltering, ShownRows, SORTS, type Sort } from "./console-filter";
import type { ConsoleLog } from "./console-log";
import type { Drawing } from "./console-row";
import { asMarkdown, asText } from "./console-text";
import { ConsoleView, type Following } from "./console-view";
import { CopyButton } from "./copy-button";
import { counted } from "./format";
import type { Places } from "./places";
import type { Playground } from "./playground";
import { summaryOf } from "./summary";

/** What came within this time is read out together. */
const SUMMARY_AFTER_MS = 800;
const SUMMARY_ROWS = 200;

const SORT_NAMES: Record<Sort, string> = { errors: "Errors", warnings: "Warnings", logs: "Logs", debug: "Debug", results: "Results" };

interface Props {
  playground: Playground;
  places: Places;
  /** What stands below the console and takes room from it: another one, or none, is another height. */
  below: unknown;
  times: boolean;
  onTimes: (times: boolean) => void;
}

export function Console({ playground: { log, subscribeLog, clear }, places, below, times, onTimes }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const view = useRef<ConsoleView | null>(null);
  const [filter, setFilter] = useState(EVERYTHING);
  const [tools, setTools] = useState(false);
  const [state, setState] = useState({ following: true, unseen: 0, first: 0, shown: 0, all: 0 });
  const [folds] = useState(() => new Folds());
  const source = useRef<ShownRows>(new ShownRows(log, EVERYTHING, folds));

  const drawing: Drawing = {
    times,
    folds,
    leads: places.leads,
    onPlace: places.go,
    onFold: (group) => {
      folds.turn(group);
      source.current.refold();
      view.current?.reread(group);
    },
    onRecall: (row) => {
      folds.recall(row);
      source.current.recalled();
      view.current?.changed();
    },
    inspect: places.inspect,
    onOpening: () => view.current?.hold(),
    onResize: (added) => view.current?.resized(added),
  };

  useEffect(() => {
    if (!scroller.current || !list.current) return;
    const report = ({ following, unseen }: Following) => {
      const { first, end } = source.current;
      const next = { following, unseen, first: log.first, shown: end - first, all: log.end - log.first };
      setState((last) => (sameState(last, next) ? last : next));
    };
    const made = new ConsoleView(scroller.current, list.current, source.current, drawing, report);
    view.current = made;
    made.changed();
    const unsubscribe = subscribeLog(() => made.changed());
    return () => {
      unsubscribe();
      made.destroy();
    };
  }, [log, subscribeLog]);

  useEffect(() => {
    source.current = new ShownRows(log, filter, folds);
    view.current?.look(source.current, drawing);
  }, [log, filter, times]);

  // At once: by the next frame there may be new rows too, and the browser's own scrolling looks like the reader's.
  useLayoutEffect(() => view.current?.refitted(), [below]);

  const shown = () => source.current.slice(source.current.first, source.current.end);

  const toggle = (sort: Sort) => {
    const hidden = filter.hidden.includes(sort) ? filter.hidden.filter((each) => each !== sort) : [...filter.hidden, sort];
    setFilter({ ...filter, hidden });
  };

  return (
    <>
      <div class="pane-head">
        <h2 class="pane-title" id="console-title">
          Console
        </h2>
        <div class="pane-tools">
          {isFiltering(filter) && (
            <span class="pane-note" role="status">
              {state.shown.toLocaleString("en")} of {counted(state.all, "row", "rows")}
            </span>
          )}
          <button
            type="button"
            class="quiet-button"
            aria-expanded={tools}
            aria-controls="console-tools"
            onClick={() => {
              // What is hidden must not go on hiding rows.
              if (tools) setFilter(EVERYTHING);
              setTools(!tools);
            }}
          >
            Filter
          </button>
          <CopyButton text={() => asText(shown(), times)}>Copy</CopyButton>
          <button type="button" class="quiet-button" onClick={clear}>
            Clear
          </button>
        </div>
      </div>
      <div class="console-tools" id="console-tools" hidden={!tools}>
        <input
          class="field"
          type="search"
          aria-label="Search the console"
          placeholder="Search"
          value={filter.text}
          onInput={({ currentTarget: { value } }) => setFilter({ ...filter, text: value })}
        />
        <div class="chips" role="group" aria-label="Rows to show">
          {SORTS.map((sort) => (
            <button type="button" class="chip" key={sort} aria-pressed={!filter.hidden.includes(sort)} onClick={() => toggle(sort)}>
              {SORT_NAMES[sort]}
            </button>
          ))}
        </div>
        <label class="option">
          <span class="option-name">Times</span>
          <input
            class="switch"
            type="checkbox"
            role="switch"
            checked={times}
            onChange={({ currentTarget: { checked } }) => onTimes(checked)}
          />
        </label>
        <CopyButton text={() => asMarkdown(shown(), times)}>Copy as Markdown</CopyButton>
      </div>
      <div class="console">
        <div class="console-scroller" ref={scroller} tabIndex={0} aria-label="Console output" role="region">
          {state.first > 0 && (
            <p class="console-notice">{counted(state.first, "older row was", "older rows were")} given up for newer ones.</p>
          )}
          {state.all === 0 && <p class="console-notice">Output and results appear here.</p>}
          {state.all > 0 && state.shown === 0 && <p class="console-notice">No row matches the filter.</p>}
          {/* Read out by the summary below: a program may write faster than anybody listens. */}
          <div class="console-list" ref={list} role="log" aria-label="Console" aria-live="off" />
        </div>
        {!state.following && (
          <button type="button" class="console-latest" onClick={() => view.current?.follow()}>
            {state.unseen > 0 ? counted(state.unseen, "new row", "new rows") : "To the newest"}
            <span aria-hidden="true"> ↓</span>
          </button>
        )}
      </div>
      <Summary log={log} subscribe={subscribeLog} />
    </>
  );
}

/** Not seen, only heard. */
function Summary({ log, subscribe }: { log: ConsoleLog; subscribe: (changed: () => void) => () => void }) {
  const [text, setText] = useState("");
  useEffect(() => {
    let told = log.end;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tell = () => {
      timer = undefined;
      const { end } = log;
      if (end > told) setText(summaryOf(log.slice(Math.max(told, end - SUMMARY_ROWS), end), end - told));
      told = end;
    };
    const unsubscribe = subscribe(() => {
      // Cleared: numbers start again.
      told = Math.min(told, log.end);
      timer ??= setTimeout(tell, SUMMARY_AFTER_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, [log, subscribe]);
  return (
    <p class="unseen console-summary" role="status">
      {text}
    </p>
  );
}

function sameState<T extends Record<string, unknown>>(a: T, b: T): boolean {
  return Object.keys(a).every((key) => a[key] === b[key]);
}
