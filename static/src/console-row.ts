/** Draws one console row. Everything that comes from a run goes in as text, never as markup. */

import { clock, counted, stamp } from "./format";
import { piecesOf, type Position, type Row } from "./rows";

/** More of a text than this is shown on demand: a browser lays out a megabyte in one block slowly. */
export const SHOWN_CHARACTERS = 10_000;
export const MORE_CHARACTERS = 100_000;

export function drawRow(row: Row, times: boolean): HTMLElement {
  const drawn = body(row);
  if (times && row.kind !== "note" && row.kind !== "run") drawn.prepend(element("time", "row-time", [stamp(row.time)]));
  return drawn;
}

function body(row: Row): HTMLElement {
  switch (row.kind) {
    case "run":
      if (row.origin === "line") return element("div", "row row-line", bounded(row.title, plain));
      return element("div", "row row-run", [
        element("span", "run-name", [`Run ${row.run}`]),
        element("code", "run-title", [row.title]),
        element("time", "run-time", [clock(row.time)]),
      ]);
    case "entry": {
      const drawn = element("div", `row row-entry level-${row.level}`, bounded(row.text, row.origin === "editor" ? linked : plain));
      if (row.count > 1) {
        const count = element("span", "row-count", [`×${row.count.toLocaleString("en")}`]);
        count.title = `${counted(row.count, "time", "times")} in a row`;
        drawn.prepend(count);
      }
      return drawn;
    }
    case "value":
      return element("div", `row row-value value-${row.valueKind}`, bounded(row.text, plain));
    case "error": {
      const drawn = element("div", "row row-error", bounded(row.text, row.origin === "editor" ? linked : plain));
      if (row.position) {
        const { line, column } = row.position;
        drawn.prepend(placeButton("row-position", `line ${line}:${column}`, row.position));
      }
      return drawn;
    }
    case "note":
      return element("div", `row row-note note-${row.tone}`, [row.text]);
  }
}

type Draw = (text: string) => (Node | string)[];

const plain: Draw = (text) => [text];

/** With the places in it as buttons. */
const linked: Draw = (text) =>
  piecesOf(text).map((piece) => (piece.position ? placeButton("row-place", piece.text, piece.position) : piece.text));

function bounded(text: string, draw: Draw): (Node | string)[] {
  if (text.length <= SHOWN_CHARACTERS) return draw(text);
  const cut = cutAt(text, SHOWN_CHARACTERS);
  return [...draw(text.slice(0, cut)), moreButton(text.slice(cut))];
}

function placeButton(className: string, label: string, { line, column }: Position): HTMLElement {
  const place = button(className, label);
  place.title = "Go there in the editor";
  place.dataset.line = String(line);
  place.dataset.column = String(column);
  return place;
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
  made.className = className;
  made.append(...children);
  return made;
}
