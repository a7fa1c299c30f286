/** Where the focus is, where it goes next, and that it is never lost. */

/** The element with the focus, inside the editor's shadow root too. */
export function focusedElement(): HTMLElement | null {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element instanceof HTMLElement && element !== document.body ? element : null;
}

/** Whether an element can have the focus where it is now. */
export function canFocus(element: Element): boolean {
  return element.isConnected && !element.matches(":disabled") && element.getClientRects().length > 0;
}

/** The parts of a page and what takes the focus in them. */
const PARTS: readonly (readonly [part: string, target: string])[] = [
  [".line", ".line-field"],
  [".console", ".console-scroller"],
  ["dialog[open]", "dialog[open] button"],
];

/**
 * Sees to it that the focus stays on something when what has it goes away or is disabled: in the same part of the page, else where
 * `rest` puts it. A click beside everything is no such loss.
 */
export function guardFocus(rest: () => void): () => void {
  /** What has had the focus last, and what it stands in. */
  let path: readonly Element[] = [];
  let frame = 0;
  const noted = (event: FocusEvent) => {
    path = event.composedPath().filter((target) => target instanceof Element);
  };
  const check = () => {
    const [last] = path;
    if (!last || document.activeElement !== document.body || canFocus(last)) return;
    const part = PARTS.find(([selector]) => path.some((element) => element.isConnected && element.matches(selector)));
    const target = part && document.querySelector<HTMLElement>(part[1]);
    if (target && canFocus(target)) target.focus();
    else rest();
  };
  // A disabled element keeps the focus until the browser draws.
  const checkLater = () => {
    check();
    if (frame === 0) {
      frame = requestAnimationFrame(() => {
        frame = requestAnimationFrame(() => {
          frame = 0;
          check();
        });
      });
    }
  };
  const observer = new MutationObserver(checkLater);
  observer.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled", "hidden", "data-pane"] });
  document.addEventListener("focusin", noted);
  return () => {
    cancelAnimationFrame(frame);
    observer.disconnect();
    document.removeEventListener("focusin", noted);
  };
}

/** The stops of F6 in their order, and the pane that each is in. */
const STOPS: readonly { selector: string; pane: Pane | null }[] = [
  { selector: ".editor", pane: "code" },
  { selector: ".console-scroller", pane: "console" },
  { selector: ".line-field", pane: "console" },
  { selector: ".header button", pane: null },
];

export type Pane = "code" | "console";

/** The next stop of F6, or the one before. */
export function stopAfter(by: 1 | -1): { selector: string; pane: Pane | null } {
  const at = STOPS.findIndex(({ selector }) => document.querySelector(selector)?.contains(document.activeElement));
  const to = at < 0 ? 0 : (at + by + STOPS.length) % STOPS.length;
  return STOPS[to] as (typeof STOPS)[number];
}

/** Whether the screen has room for one pane only; see `styles/low.css`. */
export function showsOnePane(): boolean {
  return matchMedia("(max-height: 500px) and (max-width: 900px)").matches;
}
