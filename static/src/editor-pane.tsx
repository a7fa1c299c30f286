/**
 * The place of the editor. CodeMirror is most of the page's weight, so a plain text field with the same code stands in until it is
 * there: the page can be used at once, and also where loading fails, and by whoever prefers it.
 */

import { useEffect, useRef, useState } from "preact/hooks";

import type { Complete } from "./editor-completion";
import { plainSource } from "./plain-editor";
import { LANGUAGES } from "./program";
import type { Position } from "./rows";
import type { Fault } from "./session";
import type { Document, Replacement, Workspace } from "./workspace";

/** What the rest of the page may ask of whichever editor is there. The texts themselves are the workspace's. */
export interface CodeSource {
  /** What is selected, and where it begins. */
  selected(): { code: string; start: Position } | null;
  /** Puts a document on the screen, in its language. */
  show(document: Document): void;
  /** Replaces all of a document's text; of the code itself, for a whole other program. */
  replace(document: Document, replacement: Replacement | null): void;
  /** The document is gone. */
  forget(id: number): void;
  /** As if typed at the cursor. */
  insert(signs: string): void;
  /** Moves the cursor by one sign, backward or forward. */
  move(by: -1 | 1): void;
  markError(id: number, fault: Fault): void;
  /** What is run now has no errors yet, and nothing to suggest. */
  beginRun(): void;
  /** Puts the cursor there in the document on the screen, as near as the text allows. */
  goTo(position: Position): void;
  focus(): void;
}

interface Props {
  workspace: Workspace;
  /** The text field stays. */
  plain: boolean;
  /** The id of the tab that it belongs to. */
  labelledBy: string;
  onEdited: () => void;
  onSelection: (some: boolean) => void;
  onReady: (source: CodeSource) => void;
  complete: Complete;
}

export function EditorPane({ workspace, plain, labelledBy, onEdited, onSelection, onReady, complete }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const [loaded, setLoaded] = useState(false);

  const onChange = (id: number, text: string) => {
    workspace.edited(id, text);
    onEdited();
  };

  /** Keeps an editor at what the workspace shows, until the returned function is called. */
  const attach = (source: CodeSource) => {
    onReady(source);
    return workspace.subscribe({
      onReplaced: source.replace,
      onRemoved: source.forget,
      onChanged: () => source.show(workspace.shown),
    });
  };

  // The text field is there whenever the editor is not: it takes over, and the editor may come after it.
  useEffect(() => (field.current ? attach(plainSource(field.current, workspace.shown, onChange)) : undefined), [loaded]);

  useEffect(() => {
    if (plain) return;
    let gone = false;
    let destroy = () => {};
    import("./editor").then(
      ({ createEditor }) => {
        if (gone || !host.current || !field.current) return;
        const { selectionStart } = field.current;
        const focused = document.activeElement === field.current;
        // What is hidden can neither be measured nor have the focus.
        host.current.hidden = false;
        const editor = createEditor({ parent: host.current, document: workspace.shown, selection: selectionStart, onChange, onSelection, onRestore: workspace.restoreRest, complete });
        const detach = attach(editor);
        destroy = () => {
          detach();
          editor.destroy();
        };
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
    <div class="editor" id="editor" role="tabpanel" aria-labelledby={labelledBy}>
      <div class="editor-host" ref={host} hidden={!loaded} />
      {!loaded && (
        <textarea
          class="editor-plain"
          ref={field}
          aria-label={`${LANGUAGES[workspace.shown.lang]} code`}
          autocapitalize="off"
          autocomplete="off"
          spellcheck={false}
          wrap="off"
          defaultValue={workspace.shown.text}
          onInput={(event) => onChange(workspace.shown.id, event.currentTarget.value)}
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
