/** Which window is open over the page, and where the focus goes back to when none is. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Window } from "./dialogs";
import type { Earlier } from "./earlier-code";
import { canFocus, focusedElement } from "./focus";

export type Wanted = { kind: "window"; window: Window } | { kind: "earlier"; earlier: Earlier };

/** With a number of its own: a window may be wanted again while its last one is on its way out. */
export type Open = Wanted & { id: number };

export interface WindowState {
  open: Open | null;
  show: (wanted: Wanted) => void;
  /** Closes what is open at this drawing, and nothing that was opened since. */
  close: () => void;
}

/** `rest` puts the focus somewhere when what had it is gone. */
export function useWindows(rest: () => void): WindowState {
  const [open, setOpen] = useState<Open | null>(null);
  const opener = useRef<HTMLElement | null>(null);
  const wasOpen = useRef(false);
  useLayoutEffect(() => {
    if (wasOpen.current && open === null) {
      if (opener.current && canFocus(opener.current)) opener.current.focus();
      else rest();
      opener.current = null;
    }
    wasOpen.current = open !== null;
  }, [open]);
  const opened = useRef(0);
  const show = (wanted: Wanted) => {
    // One window may lead to another.
    if (!wasOpen.current) opener.current = focusedElement();
    opened.current += 1;
    setOpen({ ...wanted, id: opened.current });
  };
  return { open, show, close: () => setOpen((now) => (now === open ? null : now)) };
}
