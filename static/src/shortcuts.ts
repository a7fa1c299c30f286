/** The keys that work wherever the focus is. */

export interface Shortcuts {
  run(): void;
  runSelection(): void;
  stop(): void;
  help(): void;
  /** The next or the previous part of the page. */
  nextPane(by: 1 | -1): void;
  /** By so many pixels; `null` back to the default. */
  fontSize(by: 1 | -1 | null): void;
}

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

export const RUN_KEYS = isApple ? "⌘ Enter" : "Ctrl+Enter";
export const STOP_KEYS = isApple ? "⌃ ." : "Ctrl+.";

const ctrl = isApple ? "⌘ " : "Ctrl+";
const alt = isApple ? "⌥ " : "Alt+";
const shift = isApple ? "⇧ " : "Shift+";

/** For the keyboard help. */
export const ALL_KEYS: readonly { title: string; keys: readonly { press: string; does: string }[] }[] = [
  {
    title: "Anywhere",
    keys: [
      { press: `${RUN_KEYS}, ${ctrl}S`, does: "Run the code" },
      { press: `${ctrl}${shift}Enter`, does: "Run the selection in the runtime as it is" },
      { press: STOP_KEYS, does: "Stop everything that runs" },
      { press: `F6, ${shift}F6`, does: "Next, previous part of the page" },
      { press: `${alt}+, ${alt}−, ${alt}0`, does: "Larger, smaller, normal type" },
      { press: "F1, or ? outside of text", does: "This help" },
      { press: "Tab, Escape", does: "Next control, close a window" },
    ],
  },
  {
    title: "Editor",
    keys: [
      { press: "Escape, then Tab", does: "Leave the editor" },
      { press: `Tab, ${shift}Tab`, does: "Indent more, less" },
      { press: `${ctrl}F`, does: "Search and replace" },
      { press: `${ctrl}/`, does: "Comment the line in or out" },
      { press: `${ctrl}Z`, does: "Undo" },
      { press: "Ctrl+Space", does: "Suggest names; Enter or Tab takes one" },
    ],
  },
  {
    title: "Files",
    keys: [
      { press: "←, →, Home, End", does: "Another file" },
      { press: "F2", does: "Rename the file" },
      { press: "Delete", does: "Delete the file" },
    ],
  },
  {
    title: "Line under the console",
    keys: [
      { press: "Enter", does: "Run the line, or go on where it is not complete" },
      { press: "Tab, ↓", does: "Take the first suggestion, choose one" },
      { press: `${shift}Enter`, does: "New line" },
      { press: RUN_KEYS, does: "Run the line whatever is open" },
      { press: "↑, ↓", does: "Earlier, later lines" },
      { press: "Ctrl+L", does: "Clear the console" },
    ],
  },
  {
    title: "Console",
    keys: [
      { press: "Home, End", does: "Oldest row; newest row, and follow" },
      { press: "↑, ↓, PgUp, PgDn", does: "Scroll" },
      { press: "Enter", does: "Open a value, fold a group" },
      { press: "→, ←, ↑, ↓", does: "In an open value: open, close, walk" },
    ],
  },
];

/** Listens until the returned function is called. In the capture phase: the editor gives Ctrl+Enter a meaning of its own. */
export function listenForShortcuts(shortcuts: Shortcuts): () => void {
  const pressed = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const found = shortcutOf(event);
    if (!found) return;
    const { name, act } = found;
    // A window over the page has the keys to itself; only Stop works always.
    if (name !== "stop" && name !== "fontSize" && document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopPropagation();
    // A key held down must not fill the queue.
    if (!event.repeat || name === "fontSize") act(shortcuts);
  };
  window.addEventListener("keydown", pressed, { capture: true });
  return () => window.removeEventListener("keydown", pressed, { capture: true });
}

interface Shortcut {
  name: keyof Shortcuts;
  act: (shortcuts: Shortcuts) => void;
}

function shortcutOf(event: KeyboardEvent): Shortcut | null {
  const { ctrlKey, metaKey, shiftKey, altKey, key, code } = event;
  const command = ctrlKey || metaKey;
  if (key === "F1") return { name: "help", act: (to) => to.help() };
  if (key === "F6") return { name: "nextPane", act: (to) => to.nextPane(shiftKey ? -1 : 1) };
  if (command && !altKey) {
    if (key === "Enter" && shiftKey) return { name: "runSelection", act: (to) => to.runSelection() };
    if (shiftKey) return null;
    // Under the console it runs the line.
    if (key === "Enter" && !isIn(event, ".line")) return { name: "run", act: (to) => to.run() };
    if (key === "s") return { name: "run", act: (to) => to.run() };
    if (key === ".") return { name: "stop", act: (to) => to.stop() };
    return null;
  }
  // AltGr writes signs, and says so.
  if (altKey && !command && !event.getModifierState("AltGraph")) {
    if (key === "+" || key === "=" || code === "Equal") return { name: "fontSize", act: (to) => to.fontSize(1) };
    if (key === "-" || code === "Minus") return { name: "fontSize", act: (to) => to.fontSize(-1) };
    if (key === "0" || code === "Digit0") return { name: "fontSize", act: (to) => to.fontSize(null) };
    return null;
  }
  if (key === "?" && !altKey && !command && !isIn(event, "input, textarea, select, .editor")) {
    return { name: "help", act: (to) => to.help() };
  }
  return null;
}

function isIn(event: KeyboardEvent, selector: string): boolean {
  return event.target instanceof Element && event.target.closest(selector) !== null;
}
