/** Which window is open over the page, and where the focus goes back to when none is. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Window } from "./dialogs";
import type { Earlier } from "./earlier-code";
import { canFocus, focusedElement } from "./focus";

export type Open = { kind: "window"; window: Window } | { kind: "earlier"; earlier: Earlier } | null;

export interface WindowState {
  open: Open;
  show: (open: Exclude<Open, null>) => void;
  close: () => void;
}

/** `rest` puts the focus somewhere when what had it is gone. */
export function useWindows(rest: () => void): WindowState {
  const [open, setOpen] = useState<Open>(null);
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
  const show = (next: Exclude<Open, null>) => {
    // One window may lead to another.
    if (!wasOpen.current) opener.current = focusedElement();
    setOpen(next);
  };
  return { open, show, close: () => setOpen(null) };
}
