/**
 * The code editor: CodeMirror 6.
 *
 * It lives in a shadow root. There CodeMirror keeps its styles in an adopted style sheet, which a policy of `style-src 'self'`
 * allows; in the document itself it would insert a `<style>` element, which that policy refuses. Custom properties reach into the
 * shadow root, so the colours come from the page's style sheet.
 */

import { closeBrackets, closeBracketsKeymap, closeCompletion, insertBracket } from "@codemirror/autocomplete";
import {
  cursorCharLeft,
  cursorCharRight,
  defaultKeymap,
  history,
  historyKeymap,
  indentWithTab,
  invertedEffects,
  isolateHistory,
} from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  indentOnInput,
  indentUnit,
} from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import {
  Compartment,
  EditorState,
  RangeSet,
  RangeSetBuilder,
  StateEffect,
  StateField,
  type Extension,
  type TransactionSpec,
} from "@codemirror/state";
import {
  crosshairCursor,
  Decoration,
  drawSelection,
  dropCursor,
  EditorView,
  gutterLineClass,
  GutterMarker,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  rectangularSelection,
  WidgetType,
  type DecorationSet,
} from "@codemirror/view";

import { completions, type Complete } from "./editor-completion";
import type { CodeSource } from "./editor-pane";
import { look } from "./editor-theme";
import { LANGUAGES, type Lang, type Program } from "./program";
import type { Position } from "./rows";
import type { Fault } from "./session";
import type { Document, Replacement } from "./workspace";

export interface Editor extends CodeSource {
  destroy(): void;
}

export interface EditorOptions {
  parent: HTMLElement;
  document: Document;
  selection: number;
  onChange(id: number, text: string): void;
  /** Whether anything is selected, when that may have changed. */
  onSelection(some: boolean): void;
  /** A replacement was undone, or done again: the rest of that program is to be there again too. */
  onRestore(program: Program): void;
  complete: Complete;
}

export function createEditor({ parent, document: first, selection, onChange, onSelection, onRestore, complete }: EditorOptions): Editor {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: "open" });
  let shown = first.id;
  /** What is not on the screen: each with its own cursor and its own past. */
  const others = new Map<number, EditorState>();
  /** Of documents that were never on the screen: what is to be marked in them when they are. */
  const unmarked = new Map<number, Fault>();
  const stateOf = ({ text, lang }: Document, anchor = 0) =>
    EditorState.create({
      doc: text,
      selection: { anchor: Math.min(anchor, text.length) },
      extensions: [
        setup,
        language.of(inLanguage(lang)),
        completions(complete),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(shown, update.state.doc.toString());
          for (const transaction of update.transactions) {
            if (!transaction.isUserEvent("undo") && !transaction.isUserEvent("redo")) continue;
            const replacement = transaction.effects.find((effect) => effect.is(programReplaced));
            // Later: it may put another document on the screen.
            if (replacement) queueMicrotask(() => onRestore((replacement.value as Replacement).after));
          }
          if (update.selectionSet || update.docChanged) onSelection(!update.state.selection.main.empty);
        }),
      ],
    });
  const view = new EditorView({ parent: root, root, state: stateOf(first, selection) });
  // The editor knows the heights of its lines, and is told of nothing that changes them: type size, zoom, another font.
  const probe = document.createElement("div");
  probe.className = "editor-probe";
  probe.textContent = "0";
  let measured = 0;
  const sizes = new ResizeObserver(() => {
    measured = 1 - measured;
    view.dispatch({ effects: measuring.reconfigure(MEASURED[measured] as Extension) });
  });
  parent.after(probe);
  sizes.observe(probe);
  /** Whether or not it is on the screen; what was never there has no state yet, and gets a right one when it is shown. */
  const change = (id: number, make: (state: EditorState) => TransactionSpec) => {
    const other = others.get(id);
    if (id === shown) view.dispatch(make(view.state));
    else if (other) others.set(id, other.update(make(other)).state);
  };
  return {
    selected() {
      const { from, to, empty } = view.state.selection.main;
      if (empty) return null;
      const line = view.state.doc.lineAt(from);
      return { code: view.state.sliceDoc(from, to), start: { line: line.number, column: from - line.from + 1 } };
    },
    show(document) {
      if (document.id !== shown) {
        others.set(shown, view.state);
        shown = document.id;
        view.setState(others.get(shown) ?? stateOf(document));
        const fault = unmarked.get(shown);
        if (fault) view.dispatch({ effects: setErrorMark.of(fault) });
        others.delete(shown);
        unmarked.delete(shown);
        onSelection(!view.state.selection.main.empty);
      }
      view.dispatch({ effects: language.reconfigure(inLanguage(document.lang)) });
    },
    replace({ id, text }, replacement) {
      change(id, ({ doc }) => ({
        effects: replacement ? programReplaced.of(replacement) : [],
        changes: { from: 0, to: doc.length, insert: text },
        selection: { anchor: 0 },
        scrollIntoView: true,
        // A step of its own, even where it follows close on what was typed.
        annotations: isolateHistory.of("full"),
      }));
    },
    forget(id) {
      others.delete(id);
      unmarked.delete(id);
    },
    insert(signs) {
      view.dispatch(typed(view.state, signs), { userEvent: "input.type", scrollIntoView: true });
      view.focus();
    },
    move(by) {
      (by < 0 ? cursorCharLeft : cursorCharRight)(view);
      view.focus();
    },
    markError(id, fault) {
      if (id !== shown && !others.has(id)) unmarked.set(id, fault);
      change(id, () => ({ effects: setErrorMark.of(fault) }));
    },
    beginRun() {
      closeCompletion(view);
      unmarked.clear();
      for (const id of [shown, ...others.keys()]) change(id, () => ({ effects: setErrorMark.of(null) }));
    },
    goTo(position) {
      const at = offsetOf(view.state, position);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      view.focus();
    },
    focus: () => view.focus(),
    destroy() {
      sizes.disconnect();
      probe.remove();
      view.destroy();
    },
  };
}

const language = new Compartment();

/** Another theme makes the editor measure all of its lines anew; these two look alike. */
const measuring = new Compartment();
const MEASURED: readonly [Extension, Extension] = [EditorView.theme({}), EditorView.theme({})];

/** Stands in the past of the code: what came to be in the editor with it, and what was there before. */
const programReplaced = StateEffect.define<Replacement>();

const keepsPrograms = invertedEffects.of((transaction) =>
  transaction.effects.flatMap((effect) => (effect.is(programReplaced) ? [programReplaced.of(reversed(effect.value))] : [])),
);

function reversed({ before, after }: Replacement): Replacement {
  return { before: after, after: before };
}

function inLanguage(lang: Lang): Extension {
  return [
    javascript({ typescript: lang === "ts" }),
    EditorView.contentAttributes.of({ "aria-label": `${LANGUAGES[lang]} code. Tab indents; to leave the editor, press Escape and then Tab.` }),
  ];
}

function offsetOf(state: EditorState, { line, column }: Position): number {
  const { from, length } = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
  return from + Math.min(Math.max(column - 1, 0), length);
}

/** As if it were typed: brackets and quotes come in pairs, or around what is selected. */
function typed(state: EditorState, signs: string): TransactionSpec {
  return insertBracket(state, signs) ?? state.replaceSelection(signs);
}

const setErrorMark = StateEffect.define<Fault | null>();

/** Beside the line: what went wrong there. */
class ErrorMessage extends WidgetType {
  constructor(private readonly message: string) {
    super();
  }

  override eq(other: ErrorMessage): boolean {
    return other.message === this.message;
  }

  override toDOM(): HTMLElement {
    const shown = document.createElement("span");
    shown.className = "cm-errorMessage";
    shown.textContent = this.message;
    return shown;
  }
}

/** The whole of it is in the console. */
const MESSAGE_CHARACTERS = 160;

class ErrorMarker extends GutterMarker {
  override elementClass = "cm-errorGutter";
}

interface ErrorMark {
  decorations: DecorationSet;
  gutter: RangeSet<GutterMarker>;
}

const NO_MARK: ErrorMark = { decorations: Decoration.none, gutter: RangeSet.empty };
const errorLine = Decoration.line({ class: "cm-errorLine" });
const errorPoint = Decoration.mark({ class: "cm-errorPoint" });
const errorMarker = new ErrorMarker();

const errorMark = StateField.define<ErrorMark>({
  create: () => NO_MARK,
  update(mark, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setErrorMark)) return effect.value === null ? NO_MARK : markAt(transaction.state, effect.value);
    }
    // Whoever edits has seen it; a mark that stays would point at code that is not there any more.
    return transaction.docChanged ? NO_MARK : mark;
  },
  provide: (field) => [
    EditorView.decorations.from(field, (mark) => mark.decorations),
    gutterLineClass.from(field, (mark) => mark.gutter),
  ],
});

function markAt(state: EditorState, { position, message }: Fault): ErrorMark {
  const offset = offsetOf(state, position);
  const line = state.doc.lineAt(offset);
  const builder = new RangeSetBuilder<Decoration>();
  builder.add(line.from, line.from, errorLine);
  // The word or sign at the place; at the end of a line, the one before it.
  const rest = /^(?:[\w$]+|\S)/.exec(line.text.slice(offset - line.from));
  if (rest) builder.add(offset, offset + rest[0].length, errorPoint);
  const shown = message.split("\n", 1)[0] ?? "";
  builder.add(line.to, line.to, Decoration.widget({ widget: new ErrorMessage(shown.slice(0, MESSAGE_CHARACTERS)), side: 1 }));
  return { decorations: builder.finish(), gutter: RangeSet.of([errorMarker.range(line.from)]) };
}

/**
 * Typing over a selection. Left to the browser, Chromium wraps the new text in a styled element to keep the look of the old one,
 * which the page's policy refuses with an error in the browser's console, for each such key.
 */
const typeOverSelection = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { inputType, data, isComposing } = event;
    if (inputType !== "insertText" || data === null || isComposing || view.state.selection.main.empty) return false;
    view.dispatch(typed(view.state, data), { userEvent: "input.type", scrollIntoView: true });
    return true;
  },
});

const setup: Extension = [
  lineNumbers(),
  highlightActiveLineGutter(),
  highlightSpecialChars(),
  history(),
  keepsPrograms,
  measuring.of(MEASURED[0]),
  foldGutter(),
  drawSelection(),
  dropCursor(),
  EditorState.allowMultipleSelections.of(true),
  indentOnInput(),
  indentUnit.of("  "),
  bracketMatching(),
  closeBrackets(),
  search({ top: true }),
  highlightSelectionMatches(),
  rectangularSelection(),
  crosshairCursor(),
  highlightActiveLine(),
  errorMark,
  typeOverSelection,
  look,
  // Tab indents; Escape and then Tab leaves the editor, as the label says.
  keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, indentWithTab]),
  EditorView.contentAttributes.of({
    // It can be reached by Tab in any case; tools that judge a page see it by this.
    tabindex: "0",
    autocapitalize: "off",
    autocorrect: "off",
    spellcheck: "false",
  }),
];
