/** Draws one console row. Everything that comes from a run goes in as text, never as markup. */

import type { Folds } from "./console-filter";
import { clock, counted, stamp } from "./format";
import type { ValueKind } from "./protocol";
import { isGroup, piecesOf, type EntryRow, type ErrorRow, type Place, type Row, type ValueRow } from "./rows";
import { applyStyle, safeStyle } from "./safe-style";
import { tableOf, type Table } from "./table-text";
import { drawTree, type Inspect, type Surroundings } from "./value-tree";

/** More of a text than this is shown on demand: a browser lays out a megabyte in one block slowly. */
export const SHOWN_CHARACTERS = 10_000;
export const MORE_CHARACTERS = 100_000;
/** Each is an element. */
const MAX_STYLES = 500;
/** As the server indents them. */
const GROUP_INDENT = 2;
const MAX_INDENTED_GROUPS = 32;

/** Rows whose text came from a run. */
export type RunText = EntryRow | ValueRow | ErrorRow;

/** What rows look like, and what can be done with them. */
export interface Drawing extends Surroundings {
  times: boolean;
  folds: Folds;
  /** Whether there is anything to see at a place. */
  leads(row: RunText, place: Place): boolean;
  onPlace(row: RunText, place: Place): void;
  onFold(group: EntryRow): void;
  /** Shows again what `console.clear` has hidden. */
  onRecall(row: EntryRow): void;
  inspect(row: RunText): Inspect;
}

/** The trees that were ever opened, by the values that they show: a row may leave the document and come back. */
const trees = new WeakMap<object, { element: HTMLElement; isOpen: boolean }>();

export function drawRow(row: Row, drawing: Drawing): HTMLElement {
  const drawn = body(row, drawing);
  if (row.kind !== "run" && row.late !== undefined) {
    const late = element("span", "row-late", [row.late]);
    late.title = "Came after a later run had begun";
    drawn.prepend(late);
  }
  if (drawing.times && row.kind !== "note" && row.kind !== "run") drawn.prepend(element("time", "row-time", [stamp(row.time)]));
  return drawn;
}

function body(row: Row, drawing: Drawing): HTMLElement {
  switch (row.kind) {
    case "run":
      if (row.origin === "line") return element("div", "row row-line", bounded(row.title));
      return element("div", "row row-run", [
        element("span", "run-name", [`Run ${row.run}`]),
        element("code", "run-title", [row.title]),
        element("time", "run-time", [clock(row.time)]),
      ]);
    case "entry":
      return row.method === "clear" ? clearing(row, drawing) : entry(row, drawing);
    case "value": {
      const drawn = element("div", `row row-value value-${row.valueKind}`, row.values.length > 0 ? colouredAndBounded(row.text) : bounded(row.text));
      openable(drawn, null, row, drawing);
      return drawn;
    }
    case "error": {
      const drawn = element("div", "row row-error", content(row, 0, drawing));
      const { place } = row;
      if (place && drawing.leads(row, place)) {
        const { file, line, column } = place;
        const label = file === null ? `line ${line}:${column}` : `${file} ${line}:${column}`;
        drawn.prepend(placeButton("row-position", label, row, place, drawing));
      }
      return drawn;
    }
    case "question":
      return element("div", "row row-question", bounded(row.text));
    case "answer":
      return element("div", "row row-answer", bounded(row.text));
    case "note":
      return element("div", `row row-note note-${row.tone}`, [row.text]);
  }
}

/** Signs for drawing: boxes and blocks. */
const ART = /[\u2500-\u259f]/;

function entry(row: EntryRow, drawing: Drawing): HTMLElement {
  const table = row.method === "table" ? tableOf(row.text) : null;
  const indent = Math.min(row.group, MAX_INDENTED_GROUPS) * GROUP_INDENT;
  const text = table ? [drawnTable(table)] : content(row, indent, drawing);
  const drawn = element("div", `row row-entry level-${row.level}`, [row.text.slice(0, indent), ...text]);
  if (table === null && ART.test(row.text)) drawn.classList.add("row-art");
  const lead = drawn.firstChild as ChildNode;
  if (isGroup(row)) {
    drawn.classList.add("row-group");
    lead.after(foldButton(row, drawing));
  }
  if (row.count > 1) {
    const count = element("span", "row-count", [`×${row.count.toLocaleString("en")}`]);
    count.title = `${counted(row.count, "time", "times")} in a row`;
    drawn.prepend(count);
  }
  openable(drawn, lead, row, drawing);
  return drawn;
}

/** What `console.clear` leaves. */
function clearing(row: EntryRow, drawing: Drawing): HTMLElement {
  const drawn = element("div", "row row-note row-clear", [row.text]);
  if (drawing.folds.hidesEarlier(row)) {
    const recall = button("row-more", "Show what was there before");
    recall.addEventListener("click", () => drawing.onRecall(row));
    drawn.append(" ", recall);
  }
  return drawn;
}

function foldButton(row: EntryRow, drawing: Drawing): HTMLElement {
  const fold = button("row-open", "");
  fold.setAttribute("aria-expanded", String(!drawing.folds.isFolded(row)));
  fold.setAttribute("aria-label", "Group");
  fold.addEventListener("click", () => drawing.onFold(row));
  return fold;
}

/** Gives a row whose values can be opened the button for it, and the tree that it opens. */
function openable(drawn: HTMLElement, lead: ChildNode | null, row: EntryRow | ValueRow, drawing: Drawing): void {
  const values = row.values.filter((value) => value.ref !== undefined);
  if (values.length === 0) return;
  const open = button("row-open", "");
  open.setAttribute("aria-label", values.length === 1 ? "Value" : "Values");
  const show = (isOpen: boolean) => open.setAttribute("aria-expanded", String(isOpen));
  show(false);
  if (lead) lead.after(open);
  else drawn.prepend(open);
  const known = trees.get(row.values);
  if (known) drawn.append(known.element);
  show(known?.isOpen ?? false);
  open.addEventListener("click", () => {
    drawing.onOpening();
    const tree = trees.get(row.values) ?? {
      element: drawTree(values, drawing.inspect(row), "Properties", drawing),
      isOpen: false,
    };
    trees.set(row.values, tree);
    tree.isOpen = !tree.isOpen;
    tree.element.hidden = !tree.isOpen;
    if (!tree.element.isConnected) drawn.append(tree.element);
    show(tree.isOpen);
    drawing.onResize(tree.isOpen ? [...tree.element.children] : []);
  });
  // Into the tree, as one goes into what a tree's item has opened.
  open.addEventListener("keydown", (event) => {
    const tree = trees.get(row.values);
    const isOpen = tree?.isOpen ?? false;
    if (event.key === "ArrowRight" && !isOpen) open.click();
    else if (event.key === "ArrowLeft" && isOpen) open.click();
    else if ((event.key === "ArrowRight" || event.key === "ArrowDown") && isOpen) tree?.element.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

/** The text from `from` on, with its styles, and the places in it as buttons. */
function content(row: EntryRow | ErrorRow, from: number, drawing: Drawing): (Node | string)[] {
  const { text } = row;
  const end = text.length - from <= SHOWN_CHARACTERS ? text.length : cutAt(text, from + SHOWN_CHARACTERS);
  const parts: (Node | string)[] = [];
  let at = from;
  for (const style of row.kind === "entry" ? row.styles.slice(0, MAX_STYLES) : []) {
    const start = Math.max(style.from, at);
    const stop = Math.min(style.to, end);
    if (start >= stop) continue;
    parts.push(...linked(text.slice(at, start), row, drawing), styled(text.slice(start, stop), style.css));
    at = stop;
  }
  const rest = text.slice(at, end);
  // In an error's text there are places, in a printed object there are values.
  const printed = row.kind === "entry" && row.styles.length === 0 && !COLOURED_BY_LEVEL.includes(row.level) ? printedFrom(row) : null;
  if (printed === null) parts.push(...linked(rest, row, drawing));
  else parts.push(rest.slice(0, Math.max(0, printed - at)), ...coloured(rest.slice(Math.max(0, printed - at))));
  if (end < text.length) parts.push(moreButton(text.slice(end)));
  return parts;
}

const COLOURED_BY_LEVEL: readonly string[] = ["warn", "error", "debug"];

/** Where in an entry's text the printed values begin: behind a text that leads them. `null` where that is not known. */
function printedFrom({ text, values, group }: EntryRow): number | null {
  const [first] = values;
  if (!first || !values.some(({ ref }) => ref !== undefined)) return null;
  if (values.some(({ kind }) => kind === "error")) return null;
  const indent = Math.min(group, MAX_INDENTED_GROUPS) * GROUP_INDENT;
  if (first.kind !== "string") return indent;
  // A preview has it in quotes, and may have cut it.
  const lead = first.text.slice(1, -1);
  return text.startsWith(lead, indent) && text[indent + lead.length] === " " ? indent + lead.length : null;
}

const TOKEN = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|(?<![\w$.])-?(?:\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?n?|Infinity|NaN)(?![\w$])|(?<![\w$.])(?:true|false|null|undefined)(?![\w$:])|\[[A-Z]\w*(?:[^\]\n[]*)\]/g;
/** Each is an element. */
const MAX_TOKENS = 300;

/** A printed value with its parts in the colours of their types. */
function coloured(text: string): (Node | string)[] {
  const parts: (Node | string)[] = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (parts.length > 2 * MAX_TOKENS) break;
    const [token] = match;
    parts.push(text.slice(at, match.index), element("span", `value-${kindOf(token) ?? "symbol"}`, [token]));
    at = match.index + token.length;
  }
  return [...parts, text.slice(at)];
}

function colouredAndBounded(text: string): (Node | string)[] {
  const cut = text.length <= SHOWN_CHARACTERS ? text.length : cutAt(text, SHOWN_CHARACTERS);
  const shown = coloured(text.slice(0, cut));
  return cut < text.length ? [...shown, moreButton(text.slice(cut))] : shown;
}

function styled(text: string, css: string): HTMLElement {
  const made = element("span", "row-styled", [text]);
  applyStyle(made, safeStyle(css));
  return made;
}

function linked(text: string, row: RunText, drawing: Drawing): (Node | string)[] {
  return piecesOf(text).map((piece) => {
    const { place } = piece;
    return place && drawing.leads(row, place) ? placeButton("row-place", piece.text, row, place, drawing) : piece.text;
  });
}

function bounded(text: string): (Node | string)[] {
  if (text.length <= SHOWN_CHARACTERS) return [text];
  const cut = cutAt(text, SHOWN_CHARACTERS);
  return [text.slice(0, cut), moreButton(text.slice(cut))];
}

function drawnTable({ head, body: rows }: Table): HTMLElement {
  const cells = (texts: readonly string[], tag: string) =>
    texts.map((text) => {
      const kind = kindOf(text);
      return element(tag, kind === null ? "" : `value-${kind}`, [text]);
    });
  const headings = cells(head, "th");
  for (const heading of headings) heading.setAttribute("scope", "col");
  const table = element("table", "row-table", [
    element("thead", "", [element("tr", "", headings)]),
    element("tbody", "", rows.map((row) => element("tr", "", cells(row, "td")))),
  ]);
  const scroller = element("div", "row-table-scroller", [table]);
  // A wide one is scrolled, by keys too.
  scroller.tabIndex = 0;
  scroller.setAttribute("role", "group");
  scroller.setAttribute("aria-label", "Table");
  return scroller;
}

/** What a printed value looks like. */
function kindOf(text: string): ValueKind | null {
  if (/^['"`]/.test(text)) return "string";
  if (/^-?(?:[\d.]+(?:e[+-]?\d+)?n?|Infinity|NaN)$/.test(text)) return "number";
  if (text === "true" || text === "false") return "boolean";
  return text === "null" || text === "undefined" ? text : null;
}

function placeButton(className: string, label: string, row: RunText, place: Place, drawing: Drawing): HTMLElement {
  const link = button(className, label);
  link.title = "Go there";
  link.addEventListener("click", () => drawing.onPlace(row, place));
  return link;
}

function moreButton(rest: string): HTMLElement {
  const more = button("row-more", `… ${rest.length.toLocaleString("en")} more characters`);
  more.addEventListener("click", () => {
    const cut = cutAt(rest, MORE_CHARACTERS);
    const tail = rest.slice(cut);
    more.replaceWith(rest.slice(0, cut), ...(tail ? [moreButton(tail)] : []));
  });
  return more;
}

/** Never between the halves of a surrogate pair. */
function cutAt(text: string, length: number): number {
  const last = text.charCodeAt(length - 1);
  return last >= 0xd800 && last < 0xdc00 ? length - 1 : length;
}

function button(className: string, label: string): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = className;
  made.textContent = label;
  return made;
}

function element(tag: string, className: string, children: (Node | string)[]): HTMLElement {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  made.append(...children);
  return made;
}
