/** The line under the console: what is entered runs in the engine as the last run left it. */

import { useEffect, useRef, useState } from "preact/hooks";

import { isComplete } from "./brackets";
import { Walk, withLine } from "./history";
import { loadHistory, saveHistory } from "./storage";

const MAX_ROWS = 8;

interface Props {
  /** The engine holds what earlier runs left in it. */
  hasState: boolean;
  onRun: (code: string) => void;
  onClear: () => void;
}

export function Line({ hasState, onRun, onClear }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const walk = useRef<Walk | null>(null);
  const [text, setText] = useState("");

  const run = () => {
    if (text.trim() === "") return;
    // Another tab may have added to it.
    saveHistory(withLine(loadHistory(), text));
    walk.current = null;
    setText("");
    onRun(text);
  };

  /** Where a walk leads, the cursor goes to the end. */
  const [walked, setWalked] = useState(0);
  useEffect(() => {
    const end = field.current?.value.length ?? 0;
    if (walked > 0) field.current?.setSelectionRange(end, end);
  }, [walked]);
  const show = (next: string | null) => {
    if (next === null) return;
    setText(next);
    setWalked((count) => count + 1);
  };

  const pressed = (event: KeyboardEvent) => {
    const { key, shiftKey, ctrlKey, metaKey, altKey, isComposing } = event;
    if (!field.current || isComposing) return;
    const { selectionStart, selectionEnd, value } = field.current;
    if (key === "Enter" && (ctrlKey || metaKey || (!shiftKey && isComplete(value)))) {
      run();
    } else if (key === "l" && ctrlKey) {
      onClear();
    } else if (shiftKey || ctrlKey || metaKey || altKey || selectionStart !== selectionEnd) {
      return;
    } else if (key === "ArrowUp" && !value.slice(0, selectionStart).includes("\n")) {
      walk.current ??= new Walk(loadHistory(), value);
      show(walk.current.older());
    } else if (key === "ArrowDown" && !value.slice(selectionStart).includes("\n") && walk.current) {
      show(walk.current.newer());
    } else {
      return;
    }
    event.preventDefault();
  };

  const submitted = (event: Event) => {
    event.preventDefault();
    run();
  };

  return (
    <form class="line" onSubmit={submitted}>
      <label class="line-mark" for="line-field">
        <span class="unseen">Line to run</span>
        <span aria-hidden="true">›</span>
      </label>
      <textarea
        class="line-field"
        id="line-field"
        ref={field}
        rows={Math.min(MAX_ROWS, text.split("\n").length)}
        value={text}
        placeholder={hasState ? "Continue the last run" : "Try an expression"}
        autocapitalize="off"
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => {
          walk.current = null;
          setText(event.currentTarget.value);
        }}
        onKeyDown={pressed}
      />
      <span class="line-state">{hasState ? "runtime in use" : "fresh runtime"}</span>
      <button type="submit" class="quiet-button line-run" aria-label="Run the line">
        ↵
      </button>
    </form>
  );
}
