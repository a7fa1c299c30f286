/** The line under the console: what is entered runs in the engine as the last run left it. */

import { useRef, useState } from "preact/hooks";

import { Walk, withLine } from "./history";
import { Suggestions, useSuggestions } from "./line-suggestions";
import type { Playground } from "./playground";
import type { Lang } from "./program";
import { loadHistory, saveHistory } from "./storage";

const MAX_ROWS = 8;
/** Who presses Enter wants something to happen. */
const COMPLETENESS_WITHIN_MS = 300;

interface Props {
  /** The engine holds what earlier runs left in it. */
  hasState: boolean;
  lang: Lang;
  playground: Playground;
  onRun: (code: string) => void;
}

export function Line({ hasState, lang, playground: { ask, clear }, onRun }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const walk = useRef<Walk | null>(null);
  /** The text that Enter was pressed on, until it is known what Enter means there. */
  const asked = useRef<string | null>(null);
  /** Enter was pressed once more before that. */
  const pressedAgain = useRef(false);
  const [text, setText] = useState("");
  const suggestions = useSuggestions(field, ask, (next) => show(next.text, next.cursor));

  const run = (code: string, rest = "") => {
    if (code.trim() === "") return;
    // Another tab may have added to it.
    saveHistory(withLine(loadHistory(), code));
    walk.current = null;
    setText(rest);
    suggestions.close();
    onRun(code);
  };

  /** Runs what is complete, goes on in a new line where more must come. */
  const enter = async (code: string, from: number, to: number) => {
    if (code.trim() === "") return;
    if (asked.current !== null) {
      pressedAgain.current = true;
      return;
    }
    asked.current = code;
    pressedAgain.current = false;
    const reply = await ask({ type: "is_complete", code, lang }, COMPLETENESS_WITHIN_MS);
    asked.current = null;
    const now = field.current?.value ?? "";
    // Other text meanwhile; nobody waits for this any more.
    if (!now.startsWith(code)) return;
    const isIncomplete = "answer" in reply && reply.answer.type === "completeness" && reply.answer.state === "incomplete";
    const rest = isIncomplete ? newLine(from, to) : now.slice(code.length);
    if (!isIncomplete) run(code, rest);
    if (pressedAgain.current) void enter(rest, rest.length, rest.length);
  };

  /** Where Enter was pressed: whoever types fast has typed on. Returns the text with it. */
  const newLine = (from: number, to: number): string => {
    if (!field.current) return "";
    const { selectionStart } = field.current;
    field.current.setRangeText("\n", from, to, "preserve");
    if (selectionStart <= to) field.current.setSelectionRange(from + 1, from + 1);
    setText(field.current.value);
    suggestions.close();
    return field.current.value;
  };

  /** At once: whoever types fast goes on from there. Where a walk leads, the cursor goes to the end. */
  const show = (next: string | null, cursor = next?.length ?? 0) => {
    if (next === null || !field.current) return;
    field.current.value = next;
    field.current.setSelectionRange(cursor, cursor);
    setText(next);
  };

  const pressed = (event: KeyboardEvent) => {
    const { key, shiftKey, ctrlKey, metaKey, altKey, isComposing } = event;
    if (!field.current || isComposing) return;
    const { selectionStart, selectionEnd, value } = field.current;
    if (suggestions.pressed(event)) {
      // It was for them.
    } else if (key === "Enter" && (ctrlKey || metaKey)) {
      run(value);
    } else if (key === "Enter" && !shiftKey) {
      void enter(value, selectionStart, selectionEnd);
    } else if (key === "l" && ctrlKey) {
      clear();
    } else if (shiftKey || ctrlKey || metaKey || altKey || selectionStart !== selectionEnd) {
      return;
    } else if (key === "ArrowUp" && !value.slice(0, selectionStart).includes("\n")) {
      walk.current ??= new Walk(loadHistory(), value);
      suggestions.close();
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
    run(text);
  };

  return (
    <form class="line" onSubmit={submitted}>
      <Suggestions suggestions={suggestions} />
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
        aria-autocomplete="list"
        {...suggestions.attributes}
        onInput={(event) => {
          walk.current = null;
          setText(event.currentTarget.value);
          suggestions.typed(event.currentTarget);
        }}
        onBlur={suggestions.close}
        onKeyDown={pressed}
      />
      <span class="line-state">{hasState ? "runtime in use" : "fresh runtime"}</span>
      <button type="submit" class="quiet-button line-run" aria-label="Run the line">
        ↵
      </button>
    </form>
  );
}
