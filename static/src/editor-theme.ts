/** How the editor looks. The colours are the page's custom properties, which reach into the editor's shadow root. */

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

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
  // Two lines of controls, as high as those of the page.
  ".cm-panel.cm-search": { display: "flex", flexWrap: "wrap", gap: "6px", alignItems: "center", padding: "8px 44px 8px 12px" },
  ".cm-panel.cm-search br": { flexBasis: "100%", height: "0", content: "''" },
  ".cm-panel.cm-search label": {
    display: "inline-flex",
    gap: "6px",
    alignItems: "center",
    minHeight: "28px",
    margin: "0 4px",
    fontSize: "var(--small-size)",
    color: "var(--muted)",
    whiteSpace: "nowrap",
  },
  ".cm-panel.cm-search input[type=checkbox]": { width: "16px", height: "16px", margin: "0", accentColor: "var(--accent)" },
  ".cm-panel.cm-search [name=close]": {
    top: "8px",
    right: "10px",
    width: "28px",
    height: "28px",
    fontSize: "18px",
    color: "var(--muted)",
    borderRadius: "6px",
    cursor: "pointer",
  },
  ".cm-panel.cm-search [name=close]:hover": { color: "var(--ink)", backgroundColor: "var(--surface)" },
  ".cm-textfield, .cm-button, .cm-panel.cm-search [name=close]": { fontFamily: "inherit" },
  ".cm-textfield": {
    flex: "1 1 140px",
    minHeight: "28px",
    margin: "0",
    padding: "0 10px",
    fontSize: "var(--small-size)",
    color: "var(--ink)",
    backgroundColor: "var(--surface)",
    border: "1px solid var(--edge-strong)",
    borderRadius: "6px",
  },
  ".cm-button": {
    minHeight: "28px",
    margin: "0",
    padding: "0 10px",
    fontSize: "var(--small-size)",
    fontWeight: "500",
    color: "var(--ink)",
    backgroundColor: "var(--surface)",
    backgroundImage: "none",
    border: "1px solid var(--edge-strong)",
    borderRadius: "6px",
    cursor: "pointer",
  },
  ".cm-button:hover": { backgroundColor: "var(--surface-2)" },
  ".cm-button:active": { backgroundImage: "none" },
  ".cm-textfield:focus-visible, .cm-button:focus-visible, .cm-panel.cm-search [name=close]:focus-visible": {
    outline: "2px solid var(--accent)",
    outlineOffset: "1px",
  },
  "@media (pointer: coarse)": {
    ".cm-panel.cm-search label, .cm-textfield, .cm-button": { minHeight: "44px" },
    ".cm-panel.cm-search [name=close]": { width: "44px", height: "44px" },
    ".cm-textfield": { fontSize: "16px" },
  },
  ".cm-gutterElement.cm-errorGutter": { color: "var(--bad)", backgroundColor: "var(--bad-soft)" },
  ".cm-tooltip": { color: "var(--ink)", backgroundColor: "var(--surface)", border: "1px solid var(--edge-strong)", borderRadius: "6px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { maxHeight: "14em", fontFamily: "var(--mono)", fontSize: "0.93em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px 8px", lineHeight: "1.5" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { color: "var(--ink)", backgroundColor: "var(--selection)" },
  ".cm-completionMatchedText": { color: "var(--accent)", textDecoration: "none", fontWeight: "700" },
  ".cm-completionDetail": { marginLeft: "1.5em", color: "var(--muted)", fontStyle: "normal" },
  ".cm-completionIcon": { width: "1.2em", color: "var(--muted)", opacity: "1" },
});

export const look: Extension = [syntaxHighlighting(highlighting), theme];
