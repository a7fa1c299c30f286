/**
 * A window on the console's rows that moves with the reader.
 *
 * At most `WINDOW` rows are in the document, however many there are. While the reader is at the bottom the window follows the
 * newest rows; when the reader scrolls up it stays, and moves by `STEP` rows as an end of it comes near. All changes to the
 * document happen once per animation frame, so a flood costs one window of rows a frame and not one layout a row.
 *
 * Not a list of Preact elements: comparing a thousand of them to find that the tail has grown is the work this avoids.
 */

import type { RowSource } from "./console-log";
import { drawRow, type Drawing } from "./console-row";
import type { Row } from "./rows";

export const WINDOW = 1_500;
const STEP = 500;
/** While following, only what is in view counts, and in a flood all of it is new in every frame. */
const FOLLOWED = 400;
/** How near, in pixels, the reader may come to an end of the window before it moves. */
const NEAR = 600;
/** Rounding and zoom leave a pixel or two; half a row is still the bottom. */
const AT_BOTTOM = 12;

export interface Following {
  /** The reader is at the bottom, and the window follows. */
  following: boolean;
  /** Rows that came since the reader left the bottom. */
  unseen: number;
}

export class ConsoleView {
  #from = 0;
  #to = 0;
  #generation = 0;
  #headings = 0;
  #following = true;
  /** The end of the log when the reader left the bottom. */
  #seen = 0;
  #lastTop = 0;
  /** The last row in the document, as it was drawn: the newest row of a log may change. */
  #lastRow: Row | undefined;
  #frame = 0;
  #resizes: ResizeObserver;

  constructor(
    private readonly scroller: HTMLElement,
    private readonly list: HTMLElement,
    private log: RowSource,
    private drawing: Drawing,
    private readonly onFollowing: (state: Following) => void,
  ) {
    scroller.addEventListener("scroll", this.#scrolled, { passive: true });
    scroller.addEventListener("keydown", this.#keyed);
    this.#resizes = new ResizeObserver(() => this.refitted());
    this.#resizes.observe(scroller);
    this.#resizes.observe(list);
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame);
    this.#resizes.disconnect();
    this.scroller.removeEventListener("scroll", this.#scrolled);
    this.scroller.removeEventListener("keydown", this.#keyed);
  }

  /** The log has changed. */
  changed(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(this.#draw);
  }

  /** Shows these rows instead, from their end. */
  look(log: RowSource, drawing: Drawing): void {
    this.log = log;
    this.drawing = drawing;
    this.#generation = -1;
    this.changed();
  }

  /** Goes to the newest row and follows from there. */
  follow(): void {
    this.#following = true;
    this.changed();
  }

  /** The reader has begun to look into a row: it is not to be moved away. */
  hold(): void {
    if (this.#following) this.#seen = this.log.end;
    this.#following = false;
  }

  /** There is more or less room for the rows than before. */
  refitted(): void {
    if (this.#following) this.#toBottom();
  }

  /** A row has become longer or shorter, by what has been opened in it. */
  resized(added: readonly Element[] = []): void {
    this.#reveal(added);
    if (!this.#following && this.#isAtBottom()) this.#following = true;
    this.changed();
  }

  /** The rows behind `row` are others now: it stays where it is, and keeps the focus. */
  reread(row: Row): void {
    this.hold();
    const { scrollTop } = this.scroller;
    const index = this.log.slice(this.#from, this.#to).indexOf(row);
    const to = Math.min(this.log.end, this.#from + WINDOW);
    this.list.replaceChildren(this.#drawn(this.#from, to));
    this.#to = to;
    this.#lastRow = this.log.slice(to - 1, to)[0];
    this.scroller.scrollTop = scrollTop;
    this.#lastTop = this.scroller.scrollTop;
    this.list.children[index]?.querySelector<HTMLElement>(".row-open")?.focus();
    this.resized();
  }

  #draw = (): void => {
    this.#frame = 0;
    if (this.#generation !== this.log.generation) {
      this.#generation = this.log.generation;
      this.#following = true;
      this.#show(0, 0);
    }
    // Who presses Run wants to see what comes of it.
    if (this.#headings !== this.log.headings) {
      this.#headings = this.log.headings;
      this.#following = true;
    }
    this.#redrawLast();
    if (this.#following) {
      this.#show(Math.max(this.log.first, this.log.end - FOLLOWED), this.log.end);
      this.#toBottom();
    } else {
      this.#extend();
    }
    const unseen = this.#following ? 0 : this.log.end - this.#seen;
    this.onFollowing({ following: this.#following, unseen });
  };

  /** Keeps enough rows on both sides of what the reader looks at. */
  #extend(): void {
    // The reader stayed so long that the rows after the window are given up.
    if (this.#to < this.log.first) this.#show(this.log.first, Math.min(this.log.end, this.log.first + WINDOW));
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (scrollTop < NEAR && this.#from > this.log.first) {
      const from = Math.max(this.log.first, this.#from - STEP);
      this.#anchored(() => this.#show(from, Math.min(this.#to, from + WINDOW)));
    } else if (scrollHeight - scrollTop - clientHeight < NEAR && this.#to < this.log.end) {
      const to = Math.min(this.log.end, this.#to + STEP);
      this.#anchored(() => this.#show(Math.max(this.#from, to - WINDOW), to));
    }
  }

  /** Makes the window `from..to`, keeping the rows that stay. */
  #show(from: number, to: number): void {
    if (from >= this.#to || to <= this.#from) {
      this.list.replaceChildren(this.#drawn(from, to));
    } else {
      for (let row = this.#from; row < from; row += 1) this.list.firstChild?.remove();
      for (let row = to; row < this.#to; row += 1) this.list.lastChild?.remove();
      if (from < this.#from) this.list.prepend(this.#drawn(from, this.#from));
      if (to > this.#to) this.list.append(this.#drawn(this.#to, to));
    }
    this.#from = from;
    this.#to = to;
    this.#lastRow = this.log.slice(to - 1, to)[0];
  }

  #redrawLast(): void {
    const [row] = this.log.slice(this.#to - 1, this.#to);
    if (!row || row === this.#lastRow || this.#to === this.#from) return;
    this.#lastRow = row;
    this.list.lastElementChild?.replaceWith(drawRow(row, this.drawing));
  }

  #drawn(from: number, to: number): DocumentFragment {
    const fragment = document.createDocumentFragment();
    for (const row of this.log.slice(from, to)) fragment.append(drawRow(row, this.drawing));
    return fragment;
  }

  /** Changes the window without moving what the reader sees. */
  #anchored(change: () => void): void {
    const top = this.scroller.getBoundingClientRect().top;
    const anchor = [...this.list.children].find((row) => row.getBoundingClientRect().bottom > top);
    const before = anchor?.getBoundingClientRect().top ?? 0;
    change();
    if (!anchor?.isConnected) return;
    this.scroller.scrollTop += anchor.getBoundingClientRect().top - before;
    this.#lastTop = this.scroller.scrollTop;
  }

  /** Nothing moves under the reader's hand, unless nothing would be seen to come of it: then all does, or what there is room for. */
  #reveal(added: readonly Element[]): void {
    const [first] = added;
    const above = first?.previousElementSibling ?? first?.closest(".row");
    const pane = this.scroller.getBoundingClientRect();
    const below = (element: Element | undefined) => (element ? element.getBoundingClientRect().bottom - pane.bottom : 0);
    if (!above || below(first) <= 0) return;
    this.scroller.scrollTop += Math.min(below(added.at(-1)), above.getBoundingClientRect().top - pane.top);
  }

  #toBottom(): void {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#lastTop = this.scroller.scrollTop;
  }

  #isAtBottom(): boolean {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight <= AT_BOTTOM && this.#to === this.log.end;
  }

  #scrolled = (): void => {
    const { scrollTop } = this.scroller;
    if (this.#isAtBottom()) {
      this.#following = true;
    } else if (this.#following && scrollTop < this.#lastTop) {
      this.#following = false;
      this.#seen = this.log.end;
    }
    this.#lastTop = scrollTop;
    this.changed();
  };

  #keyed = (event: KeyboardEvent): void => {
    if (event.target !== this.scroller || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.key === "End") {
      this.follow();
    } else if (event.key === "Home") {
      if (this.#following) this.#seen = this.log.end;
      this.#following = false;
      this.#show(this.log.first, Math.min(this.log.end, this.log.first + WINDOW));
      this.scroller.scrollTop = 0;
      this.#lastTop = 0;
      this.changed();
    } else {
      return;
    }
    event.preventDefault();
  };
}
