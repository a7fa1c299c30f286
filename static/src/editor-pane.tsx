/**
 * The place of the editor. CodeMirror is most of the page's weight, so a plain text field with the same code stands in until it is
 * there: the page can be used at once, and also where loading fails, and by whoever prefers it.
 */

import { useEffect, useRef, useState } from "preact/hooks";

import { plainSource } from "./plain-editor";
import type { Position } from "./rows";
import type { Fault } from "./session";

/** What the rest of the page may ask of whichever editor is there. */
export interface CodeSource {
  text(): string;
  /** What is selected, and where it begins. */
  selected(): { code: string; start: Position } | null;
  /** Replaces everything. */
  setText(text: string): void;
  /** As if typed at the cursor. */
  insert(signs: string): void;
  /** Moves the cursor by one sign, backward or forward. */
  move(by: -1 | 1): void;
  markError(fault: Fault | null): void;
  /** Puts the cursor there, as near as the text allows. */
  goTo(position: Position): void;
  focus(): void;
}

interface Props {
  initialText: string;
  /** The text field stays. */
  plain: boolean;
  onChange: (text: string) => void;
  onSelection: (some: boolean) => void;
  onReady: (source: CodeSource) => void;
}

export function EditorPane({ initialText, plain, onChange, onSelection, onReady }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const latest = useRef(initialText);
  const [loaded, setLoaded] = useState(false);

  const changed = (text: string) => {
    latest.current = text;
    onChange(text);
  };

  // The text field is there whenever the editor is not: it takes over, and the editor may come after it.
  useEffect(() => {
    if (field.current) onReady(plainSource(field.current, changed));
  }, [loaded]);

  useEffect(() => {
    if (plain) return;
    let gone = false;
    let destroy = () => {};
    import("./editor").then(
      ({ createEditor }) => {
        if (gone || !host.current || !field.current) return;
        const { value, selectionStart } = field.current;
        const focused = document.activeElement === field.current;
        // What is hidden can neither be measured nor have the focus.
        host.current.hidden = false;
        const editor = createEditor({ parent: host.current, text: value, selection: selectionStart, onChange: changed, onSelection });
        destroy = editor.destroy;
        onReady(editor);
        setLoaded(true);
        if (focused || mayTakeFocus()) editor.focus();
      },
      (error: unknown) => console.warn("The editor could not be loaded; the plain text field stays.", error),
    );
    return () => {
      gone = true;
      destroy();
      setLoaded(false);
    };
  }, [plain]);

  return (
    <div class="editor">
      <div class="editor-host" ref={host} hidden={!loaded} />
      {!loaded && (
        <textarea
          class="editor-plain"
          ref={field}
          aria-label="JavaScript code"
          autocapitalize="off"
          autocomplete="off"
          spellcheck={false}
          wrap="off"
          defaultValue={latest.current}
          onInput={(event) => changed(event.currentTarget.value)}
          onSelect={({ currentTarget: { selectionStart, selectionEnd } }) => onSelection(selectionStart !== selectionEnd)}
        />
      )}
    </div>
  );
}

/** Nobody has put the focus anywhere yet, and no screen keyboard would cover the page. */
function mayTakeFocus(): boolean {
  return document.activeElement === document.body && matchMedia("(pointer: fine)").matches;
}
