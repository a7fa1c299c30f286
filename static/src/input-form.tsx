/** Answers `prompt`, `confirm` and `alert` of a run. In the page's flow: the browser's own dialogs would block Stop. */

import { useEffect, useRef } from "preact/hooks";

import type { Question } from "./session";

interface Props {
  question: Question;
  /** `null` is what Cancel says. */
  onAnswer: (text: string | null) => void;
}

export function InputForm({ question, onAnswer }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const { kind, text, offered } = question;

  useEffect(() => {
    const before = focused();
    (field.current ?? form.current?.querySelector("button"))?.focus();
    field.current?.select();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, [question]);

  const submitted = (event: Event) => {
    event.preventDefault();
    onAnswer(kind === "prompt" ? (field.current?.value ?? "") : "true");
  };

  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Escape") onAnswer(null);
  };

  return (
    <form class="ask" ref={form} onSubmit={submitted} onKeyDown={pressed} aria-label="The code asks">
      {kind === "prompt" ? (
        <label class="ask-text" for="ask-field">
          {text || "Input"}
        </label>
      ) : (
        <p class="ask-text">{text}</p>
      )}
      {kind === "prompt" && <input class="ask-field" id="ask-field" ref={field} defaultValue={offered} autocomplete="off" />}
      <div class="ask-buttons">
        <button type="submit" class="button button-primary">
          OK
        </button>
        {kind !== "alert" && (
          <button type="button" class="button" onClick={() => onAnswer(null)}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}

/** The element with the focus, inside the editor's shadow root too. */
function focused(): Element | null {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element;
}
