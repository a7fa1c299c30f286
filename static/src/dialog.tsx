/** A window over the page. The browser keeps the focus in it, closes it by Escape, and gives the focus back. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    // Taken out of the document while it is open, it would not give the focus back.
    return () => shown?.close();
  }, []);
  // The event comes later, and may come when this window has made room for another one.
  const closed = () => dialog.current && onClose();
  const clicked = (event: MouseEvent) => {
    if (event.target === dialog.current) onClose();
  };
  return (
    <dialog class="dialog" ref={dialog} aria-labelledby={titleId} onClose={closed} onClick={clicked}>
      <div class="dialog-body">
        <div class="dialog-head">
          <h2 class="dialog-title" id={titleId}>
            {title}
          </h2>
          <button type="button" class="quiet-button" onClick={onClose}>
            Close
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
