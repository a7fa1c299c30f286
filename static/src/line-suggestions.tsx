/** What the session suggests for the line under the console. */

import type { RefObject } from "preact";
import { useEffect, useReducer, useRef } from "preact/hooks";

import { detailOf } from "./completion-detail";
import type { CompletionItem, Request } from "./protocol";
import type { Reply } from "./requests";

/** Later, the reader has typed on. */
const WITHIN_MS = 500;
/** More is not read, but typed on. */
const MAX_SHOWN = 100;

const LIST = "line-suggestions";
const optionId = (at: number) => `${LIST}-${at}`;

interface Found {
  items: readonly CompletionItem[];
  /** What an item replaces. */
  from: number;
  to: number;
  /** For this text. */
  text: string;
}

interface Edited {
  text: string;
  cursor: number;
}

export interface SuggestionsState {
  found: Found | null;
  /** `null`: none is chosen, and the keys are the line's own. */
  chosen: number | null;
  /** For the field that they are suggested to. */
  attributes: Record<string, string | undefined>;
  typed(field: HTMLTextAreaElement): void;
  /** Whether a key was meant for them. */
  pressed(event: KeyboardEvent): boolean;
  take(item: CompletionItem): void;
  close(): void;
}

export function useSuggestions(
  field: RefObject<HTMLTextAreaElement | null>,
  ask: (request: Request, withinMs?: number) => Promise<Reply>,
  onTaken: (edited: Edited) => void,
): SuggestionsState {
  const [, redraw] = useReducer<number, void>((count) => count + 1, 0);
  // Keys may come faster than the list is drawn: what they mean is by what is known, not by what is seen.
  const known = useRef<{ found: Found | null; label: string | null }>({ found: null, label: null });
  const setFound = (found: Found | null) => {
    known.current = { ...known.current, found };
    redraw();
  };
  /** By its label: the list may become another one under it. */
  const setLabel = (label: string | null) => {
    known.current = { ...known.current, label };
    redraw();
  };
  const chosenOf = ({ found, label }: typeof known.current) => {
    const at = found?.items.findIndex((item) => item.label === label) ?? -1;
    return at < 0 ? null : at;
  };
  const choose = (next: number | null) => setLabel(next === null ? null : (known.current.found?.items[next]?.label ?? null));

  /** The last question, or the last time that nobody wanted an answer any more. */
  const latest = useRef(0);

  const close = () => {
    latest.current += 1;
    setFound(null);
    setLabel(null);
  };

  const look = async (code: string, cursor: number) => {
    latest.current += 1;
    const mine = latest.current;
    // Typed on or closed meanwhile: another question is on its way, or nobody wants to know.
    const isOver = () => mine !== latest.current || field.current?.value !== code || document.activeElement !== field.current;
    let reply = await ask({ type: "complete", code, cursor }, WITHIN_MS);
    // A busy server may have no time for the first question. Until there is an answer, what was known before stands.
    if (!("answer" in reply) && !isOver()) reply = await ask({ type: "complete", code, cursor }, WITHIN_MS);
    if (isOver() || !("answer" in reply) || reply.answer.type !== "completions") return;
    const { answer } = reply;
    if (answer.items.length === 0) return setFound(null);
    const { from, to, items } = answer;
    // The word is there already.
    if (items.length === 1 && items[0]?.label === code.slice(from, to)) return setFound(null);
    setFound({ items: items.slice(0, MAX_SHOWN), from, to, text: code });
  };

  const typed = ({ value, selectionStart, selectionEnd }: HTMLTextAreaElement) => {
    if (selectionStart !== selectionEnd || !/[\p{ID_Continue}$.]$/u.test(value.slice(0, selectionStart))) return close();
    const { found } = known.current;
    setFound(found && narrowed(found, value, selectionStart));
    void look(value, selectionStart);
  };

  const take = ({ label: taken }: CompletionItem) => {
    const { found } = known.current;
    if (!found) return;
    const { text, from, to } = found;
    close();
    onTaken({ text: text.slice(0, from) + taken + text.slice(to), cursor: from + taken.length });
  };

  const pressed = ({ key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean => {
    if (key === " " && ctrlKey && field.current) {
      void look(field.current.value, field.current.selectionStart);
      return true;
    }
    const { found } = known.current;
    const chosen = chosenOf(known.current);
    if (!found || shiftKey || ctrlKey || metaKey || altKey) return false;
    const last = found.items.length - 1;
    const item = found.items[chosen ?? 0];
    if (key === "Escape") close();
    else if (key === "ArrowDown") choose(chosen === null || chosen === last ? 0 : chosen + 1);
    else if (key === "ArrowUp" && chosen !== null) choose(chosen === 0 ? null : chosen - 1);
    else if ((key === "Tab" || (key === "Enter" && chosen !== null)) && item) take(item);
    else return false;
    return true;
  };

  const { found } = known.current;
  const chosen = chosenOf(known.current);
  return {
    found,
    chosen,
    attributes: {
      "aria-controls": found ? LIST : undefined,
      "aria-activedescendant": chosen === null ? undefined : optionId(chosen),
    },
    typed,
    pressed,
    take,
    close,
  };
}

/** What is left of a list when its word goes on, until the session answers anew; `null` where it is another word. */
function narrowed({ items, from, text }: Found, now: string, cursor: number): Found | null {
  const word = now.slice(from, cursor);
  if (cursor < from || now.slice(0, from) !== text.slice(0, from) || !/^[\p{ID_Continue}$]*$/u.test(word)) return null;
  const left = items.filter((item) => item.label.toLowerCase().startsWith(word.toLowerCase()));
  return left.length === 0 ? null : { items: left, from, to: cursor, text: now };
}

export function Suggestions({ suggestions: { found, chosen, take } }: { suggestions: SuggestionsState }) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }), [chosen]);
  return (
    <>
      {found && (
        // It may scroll, and Tab takes a suggestion before it leads here.
        <ul class="suggestions" id={LIST} role="listbox" aria-label="Suggestions" tabIndex={0} ref={list}>
          {found.items.map((item, at) => (
            <li
              class="suggestion"
              id={optionId(at)}
              key={item.label}
              role="option"
              aria-selected={at === chosen}
              // The focus stays in the line.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => take(item)}
            >
              <span class="suggestion-label">{item.label}</span>
              <span class="suggestion-detail">{detailOf(item) || item.kind}</span>
            </li>
          ))}
        </ul>
      )}
      <span class="unseen" role="status">
        {found && chosen === null ? `${found.items.length} ${found.items.length === 1 ? "suggestion" : "suggestions"}` : ""}
      </span>
    </>
  );
}
