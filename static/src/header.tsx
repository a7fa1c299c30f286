/** The head of the page: run and stop, the connection, the windows, and on low screens which pane is seen. */

import type { ComponentChildren } from "preact";

import type { ConnectionState } from "./connection";
import { ConnectionMark } from "./connection-mark";
import type { Window } from "./dialogs";
import type { Pane } from "./focus";
import { RUN_KEYS, STOP_KEYS } from "./shortcuts";

interface Props {
  connection: ConnectionState;
  /** There is something to stop. */
  isAlive: boolean;
  pane: Pane;
  onRun: () => void;
  onStop: () => void;
  onPane: (pane: Pane) => void;
  onWindow: (window: Window) => void;
}

const WINDOWS: readonly { window: Window; name: string }[] = [
  { window: "examples", name: "Examples" },
  { window: "share", name: "Share" },
  { window: "help", name: "Keyboard" },
];

const PANES: readonly { pane: Pane; name: string }[] = [
  { pane: "code", name: "Code" },
  { pane: "console", name: "Console" },
];

export function Header({ connection, isAlive, pane, onRun, onStop, onPane, onWindow }: Props) {
  return (
    <header class="header">
      <h1 class="brand">
        <img class="brand-icon" src="favicon.svg" alt="" width="28" height="28" />
        <span class="brand-name">runpen</span>
      </h1>
      <div class="actions">
        <button type="button" class="button button-primary" title={`Run (${RUN_KEYS})`} onClick={onRun}>
          <PlayIcon />
          <span class="button-word">Run</span>
          <Keys>{RUN_KEYS}</Keys>
        </button>
        {/* It would lose the focus if it were disabled. */}
        <button type="button" class="button button-stop" title={`Stop (${STOP_KEYS})`} aria-disabled={!isAlive} onClick={onStop}>
          <StopIcon />
          <span class="button-word">Stop</span>
          <Keys>{STOP_KEYS}</Keys>
        </button>
      </div>
      <div class="pane-choice" role="group" aria-label="Pane">
        {PANES.map((each) => (
          <button type="button" class="quiet-button" key={each.pane} aria-pressed={pane === each.pane} onClick={() => onPane(each.pane)}>
            {each.name}
          </button>
        ))}
      </div>
      <ConnectionMark state={connection} />
      <nav class="windows" aria-label="Windows">
        {WINDOWS.map(({ window, name }) => (
          <button type="button" class="quiet-button windows-wide" key={window} onClick={() => onWindow(window)}>
            {name}
          </button>
        ))}
        <button type="button" class="quiet-button" onClick={() => onWindow("menu")}>
          Menu
        </button>
      </nav>
    </header>
  );
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
