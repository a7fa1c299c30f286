/** The plain text field as an editor. */

import type { CodeSource } from "./editor-pane";
import type { Position } from "./rows";
import type { Document } from "./workspace";

export function plainSource(field: HTMLTextAreaElement, first: Document, onChange: (id: number, text: string) => void): CodeSource {
  let shown = first.id;
  return {
    selected() {
      const { value, selectionStart, selectionEnd } = field;
      if (selectionStart === selectionEnd) return null;
      const before = value.slice(0, selectionStart).split("\n");
      const start = { line: before.length, column: (before.at(-1) ?? "").length + 1 };
      return { code: value.slice(selectionStart, selectionEnd), start };
    },
    show({ id, text }) {
      if (id === shown) return;
      shown = id;
      field.value = text;
      field.setSelectionRange(0, 0);
    },
    replace({ id, text }) {
      if (id !== shown) return;
      field.value = text;
      field.setSelectionRange(0, 0);
    },
    // The texts of the others are not kept here.
    forget() {},
    insert(signs) {
      field.setRangeText(signs, field.selectionStart, field.selectionEnd, "end");
      field.focus();
      onChange(shown, field.value);
    },
    move(by) {
      const at = Math.max(0, field.selectionStart + by);
      field.focus();
      field.setSelectionRange(at, at);
    },
    // There is nothing to mark text with; the console says the place, and goes there.
    markError() {},
    beginRun() {},
    goTo(position) {
      const at = offsetIn(field.value, position);
      field.focus();
      field.setSelectionRange(at, at);
    },
    focus: () => field.focus(),
  };
}

/** As near as the text allows. */
export function offsetIn(text: string, { line, column }: Position): number {
  const lines = text.split("\n");
  const row = Math.min(Math.max(line, 1), lines.length) - 1;
  const start = lines.slice(0, row).reduce((sum, each) => sum + each.length + 1, 0);
  return start + Math.min(Math.max(column - 1, 0), lines[row]?.length ?? 0);
}
