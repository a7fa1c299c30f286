/**
 * The code editor: CodeMirror 6.
 *
 * It lives in a shadow root. There CodeMirror keeps its styles in an adopted style sheet, which a policy of `style-src 'self'`
 * allows; in the document itself it would insert a `<style>` element, which that policy refuses. Custom properties reach into the
 * shadow root, so the colours come from the page's style sheet.
 */

import { closeBrackets, closeBracketsKeymap, insertBracket } from "@codemirror/autocomplete";
import { cursorCharLeft, cursorCharRight, defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, RangeSet, RangeSetBuilder, StateEffect, StateField, type Extension, type TransactionSpec } from "@codemirror/state";
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
import { tags } from "@lezer/highlight";

import type { CodeSource } from "./editor-pane";
import type { Position } from "./rows";
import type { Fault } from "./session";

export interface Editor extends CodeSource {
  destroy(): void;
}

export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  selection: number;
  onChange(text: string): void;
  /** Whether anything is selected, when that may have changed. */
  onSelection(some: boolean): void;
}

export function createEditor({ parent, text, selection, onChange, onSelection }: EditorOptions): Editor {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: "open" });
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      selection: { anchor: Math.min(selection, text.length) },
      extensions: [
        setup,
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
          if (update.selectionSet || update.docChanged) onSelection(!update.state.selection.main.empty);
        }),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    selected() {
      const { from, to, empty } = view.state.selection.main;
      if (empty) return null;
      const line = view.state.doc.lineAt(from);
      return { code: view.state.sliceDoc(from, to), start: { line: line.number, column: from - line.from + 1 } };
    },
    setText(next) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, selection: { anchor: 0 }, scrollIntoView: true });
    },
    insert(signs) {
      view.dispatch(typed(view.state, signs), { userEvent: "input.type", scrollIntoView: true });
      view.focus();
    },
    move(by) {
      (by < 0 ? cursorCharLeft : cursorCharRight)(view);
      view.focus();
    },
    markError(fault) {
      view.dispatch({ effects: setErrorMark.of(fault) });
    },
    goTo(position) {
      const at = offsetOf(view.state, position);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      view.focus();
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
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

const highlighting = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword, tags.modifier], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
  { tag: [tags.comment, tags.meta], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "var(--code-function)" },
  { tag: [tags.className, tags.typeName], color: "var(--code-type)" },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-property)" },
  { tag: [tags.operator, tags.punctuation, tags.bracket], color: "var(--code-punctuation)" },
  { tag: tags.invalid, color: "var(--bad)" },
]);

const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "transparent", fontSize: "var(--code-size)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", overscrollBehavior: "contain" },
  ".cm-content": { padding: "12px 0", caretColor: "var(--accent)" },
  ".cm-line": { padding: "0 16px 0 8px" },
  // Opaque: long lines scroll below it.
  ".cm-gutters": { color: "var(--faint)", backgroundColor: "var(--surface)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "36px", padding: "0 4px 0 12px" },
  ".cm-foldGutter .cm-gutterElement": { padding: "0 4px", cursor: "pointer" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "var(--line-active)" },
  ".cm-activeLineGutter": { color: "var(--ink)", backgroundColor: "transparent" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
    backgroundColor: "var(--selection)",
  },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--selection)", outline: "1px solid var(--edge-strong)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", color: "var(--bad)" },
  ".cm-foldPlaceholder": { color: "var(--muted)", backgroundColor: "var(--surface-2)", border: "1px solid var(--edge)", padding: "0 4px" },
  ".cm-errorLine, &.cm-focused .cm-errorLine": { backgroundColor: "var(--bad-soft)" },
  ".cm-errorPoint": { textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "4px" },
  ".cm-errorMessage": { marginLeft: "2em", padding: "0 8px", color: "var(--bad)", font: "0.9em/1.4 var(--sans)", whiteSpace: "pre" },
  ".cm-selectionMatch": { backgroundColor: "var(--match)" },
  ".cm-searchMatch": { backgroundColor: "var(--match)", outline: "1px solid var(--edge-strong)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--selection)", outline: "2px solid var(--accent)" },
  ".cm-panels": { color: "var(--ink)", backgroundColor: "var(--surface-2)", fontFamily: "var(--sans)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--edge)" },
  ".cm-panel.cm-search": { padding: "8px 32px 8px 12px" },
  ".cm-panel.cm-search label": { fontSize: "13px", whiteSpace: "nowrap" },
  ".cm-panel.cm-search [name=close]": { top: "6px", right: "8px", width: "24px", height: "24px", color: "var(--ink)", cursor: "pointer" },
  ".cm-textfield": {
    padding: "3px 8px",
    fontSize: "13px",
    color: "var(--ink)",
    backgroundColor: "var(--surface)",
    border: "1px solid var(--edge-strong)",
    borderRadius: "6px",
  },
  ".cm-button": {
    padding: "3px 10px",
    fontSize: "13px",
    color: "var(--ink)",
    backgroundColor: "var(--surface)",
    backgroundImage: "none",
    border: "1px solid var(--edge-strong)",
    borderRadius: "6px",
    cursor: "pointer",
  },
  ".cm-gutterElement.cm-errorGutter": { color: "var(--bad)", backgroundColor: "var(--bad-soft)" },
});

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
  javascript(),
  syntaxHighlighting(highlighting),
  theme,
  // Tab indents; Escape and then Tab leaves the editor, as the label says.
  keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, indentWithTab]),
  EditorView.contentAttributes.of({
    "aria-label": "JavaScript code. Tab indents; to leave the editor, press Escape and then Tab.",
    // It can be reached by Tab in any case; tools that judge a page see it by this.
    tabindex: "0",
    autocapitalize: "off",
    autocorrect: "off",
    spellcheck: "false",
  }),
];
