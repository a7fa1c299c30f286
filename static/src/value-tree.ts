/**
 * Values that open: a tree of properties, asked for level by level.
 *
 * The items are a flat list of rows, one below the other, each with its level: a value may be a thousand levels deep, and so deep an
 * element would be a burden to the browser. Everything that comes from a run goes in as text.
 */

import type { Preview, Properties, Property, Ref, RunError, ValueKind } from "./protocol";
import type { Refusal } from "./requests";
import { accessorText, keyParts, previewParts, type Part } from "./value-text";

/** How to look into values. */
export interface Inspect {
  /** Asks for properties, from `start`; of a getter's ref, for what it returns. */
  ask(ref: Ref, start: number): Promise<Properties | Refusal>;
  /** What was in a value while its runtime was there; `null` where nobody asked in time. */
  known(value: Preview): Properties | null;
}

/** Deeper items are not indented further: the row would have no room for them. Their level is said. */
const MAX_INDENTED = 20;
const INDENT_EM = 1.2;

/** An answer that takes longer than this is said to be waited for. */
const PATIENCE_MS = 400;

const REFUSALS: Record<Refusal, string> = {
  offline: "Not connected: this value was in a runtime that is gone.",
  expired: "This value is no longer held by the runtime.",
  busy: "The runtime is busy. Open this again when it pauses.",
  late: "The runtime is busy. Open this again when it pauses.",
};

const AS_IT_WAS = "As it was: the runtime does not hold this value any more.";

type Item =
  | { kind: "value"; property: Property | null; value: Preview }
  | { kind: "accessor"; property: Property }
  | { kind: "key"; property: Property; ref: Ref }
  | { kind: "more"; ref: Ref; start: number; total: number }
  | { kind: "note"; text: string; bad: boolean };

interface TreeNode {
  item: Item;
  level: number;
  element: HTMLElement;
  isOpen: boolean;
  /** What held it is gone: there is nothing more to ask for. */
  isGone: boolean;
}

/** Who has to know how long a tree is. */
export interface Surroundings {
  /** Something is about to be opened. */
  onOpening(): void;
  /** It has become longer or shorter. `added` is what has been opened. */
  onResize(added?: readonly Element[]): void;
}

/** The tree of some values. */
export function drawTree(values: readonly Preview[], inspect: Inspect, label: string, surroundings: Surroundings): HTMLElement {
  const tree = new ValueTree(inspect, label, surroundings);
  tree.fill(values);
  return tree.element;
}

class ValueTree {
  readonly element = document.createElement("div");
  #nodes = new Map<Element, TreeNode>();

  constructor(
    private readonly inspect: Inspect,
    label: string,
    private readonly surroundings: Surroundings,
  ) {
    this.element.className = "tree";
    this.element.setAttribute("role", "tree");
    this.element.setAttribute("aria-label", label);
    this.element.addEventListener("click", this.#clicked);
    this.element.addEventListener("keydown", this.#pressed);
  }

  /** Of a single value its properties, because its own text stands above; of several, each. */
  fill(values: readonly Preview[]): void {
    const ref = values.length === 1 ? values[0]?.ref : undefined;
    const items: Item[] = ref === undefined ? values.map((value) => ({ kind: "value", property: null, value })) : [note("…", false)];
    const nodes = items.map((item) => this.#made(item, 1, false));
    this.element.replaceChildren(...nodes.map((node) => node.element));
    this.#number(null);
    const [first] = nodes;
    if (!first) return;
    first.element.tabIndex = 0;
    if (ref !== undefined) void this.#continue(first, ref, 0, values[0]);
  }

  #made(item: Item, level: number, isGone: boolean): TreeNode {
    const element = drawItem(item, level);
    const node = { item, level, element, isOpen: false, isGone };
    if (isGone && holdsSomething(item) && !this.#hasMore(item)) markGone(element);
    this.#nodes.set(element, node);
    return node;
  }

  #clicked = (event: MouseEvent): void => {
    const node = this.#nodeOf(event.target);
    // What was marked to be copied is no click.
    if (!node || getSelection()?.type === "Range") return;
    this.#focus(node);
    this.#act(node);
  };

  #pressed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const node = this.#nodeOf(event.target);
    if (!node) return;
    const to = this.#target(node, event.key);
    if (to) this.#focus(to);
    else if (event.key === "Enter" || event.key === " " || (event.key === "ArrowRight" && !node.isOpen)) this.#act(node);
    else if (event.key === "ArrowLeft" && node.isOpen) this.#close(node);
    else if (!["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
    // The console around it scrolls by these keys.
    event.stopPropagation();
  };

  /** Where a key leads from an item; `null` where it leads nowhere, or does something else. */
  #target(node: TreeNode, key: string): TreeNode | null {
    const { element, level, isOpen } = node;
    const at = (other: Element | null) => (other && this.#nodes.get(other)) ?? null;
    const next = at(element.nextElementSibling);
    switch (key) {
      case "ArrowDown":
        return next;
      case "ArrowUp":
        return at(element.previousElementSibling);
      case "Home":
        return at(this.element.firstElementChild);
      case "End":
        return at(this.element.lastElementChild);
      case "ArrowRight":
        return isOpen && next && next.level > level ? next : null;
      case "ArrowLeft":
        return isOpen ? null : this.#parent(node);
      default:
        return null;
    }
  }

  #parent({ element, level }: TreeNode): TreeNode | null {
    for (let before = element.previousElementSibling; before; before = before.previousElementSibling) {
      const node = this.#nodes.get(before);
      if (node && node.level < level) return node;
    }
    return null;
  }

  #focus({ element }: TreeNode): void {
    for (const other of this.element.querySelectorAll<HTMLElement>('[tabindex="0"]')) other.tabIndex = -1;
    element.tabIndex = 0;
    element.focus();
  }

  #nodeOf(target: EventTarget | null): TreeNode | null {
    const element = target instanceof Element ? target.closest("[role=treeitem]") : null;
    return (element && this.#nodes.get(element)) ?? null;
  }

  /** What a click does. */
  #act(node: TreeNode): void {
    this.surroundings.onOpening();
    if (node.isOpen) this.#close(node);
    else if (node.item.kind === "more") void this.#continue(node, node.item.ref, node.item.start);
    else if (node.item.kind === "accessor") void this.#call(node, node.item.property);
    else void this.#open(node);
  }

  async #open(node: TreeNode): Promise<void> {
    const ref = refOf(node.item);
    if (ref === undefined || (node.isGone && !this.#hasMore(node.item))) return;
    this.#turn(node, true);
    const answer = node.isGone ? "expired" : await this.#asked(node, ref, 0);
    // Closed meanwhile, or closed and opened again.
    if (!node.isOpen || this.#hasChildren(node)) return;
    if (!isRefusal(answer)) return this.#insert(node, itemsOf(answer, ref), false);
    const last = isGone(answer) && node.item.kind === "value" ? this.#last(node.item.value) : null;
    if (last) return this.#insert(node, last, true);
    if (!isGone(answer)) return this.#insert(node, [note(REFUSALS[answer], false)], false);
    this.#turn(node, false);
    node.isGone = true;
    markGone(node.element);
  }

  /** What is known of a value that cannot be asked any more; `null` where nothing is. */
  #last(value: Preview): Item[] | null {
    const known = this.inspect.known(value);
    const { entries = [], more = 0 } = known ? { ...known, more: (known.total ?? 0) - (known.entries?.length ?? 0) } : value;
    if (entries.length === 0) return known ? [note("Nothing in it.", false)] : null;
    const items = propertiesOf(entries);
    return more > 0 ? [...items, note(`… ${more.toLocaleString("en")} more, which nobody has asked for in time`, false)] : items;
  }

  /** Whether something can be opened of an item that is gone. */
  #hasMore(item: Item): boolean {
    return item.kind === "value" && item.value.ref !== undefined && this.#last(item.value) !== null;
  }

  #close(node: TreeNode): void {
    this.#turn(node, false);
    for (const child of this.#below(node)) this.#drop(child);
    this.surroundings.onResize();
  }

  /** Puts the next ones in the place of the item that stood for them. */
  async #continue(node: TreeNode, ref: Ref, start: number, value?: Preview): Promise<void> {
    const answer = await this.#asked(node, ref, start);
    if (!this.#nodes.has(node.element)) return;
    if (!isRefusal(answer)) return this.#replace(node, itemsOf(answer, ref), false);
    const last = value && isGone(answer) ? this.#last(value) : null;
    this.#replace(node, last ? [...last, note(AS_IT_WAS, false)] : [note(REFUSALS[answer], false)], last !== null);
  }

  async #call(node: TreeNode, property: Property): Promise<void> {
    if (property.getter === undefined || node.isGone) return;
    const answer = await this.#asked(node, property.getter, 0);
    if (!this.#nodes.has(node.element)) return;
    if (isRefusal(answer)) this.#replace(node, [note(REFUSALS[answer], false)], false);
    else if (answer.value) this.#replace(node, [{ kind: "value", property, value: answer.value }], false);
    else this.#replace(node, [note(`${property.key}: ${thrownText(answer.error)}`, true)], false);
  }

  /** Says after a while that it is waited for. */
  async #asked(node: TreeNode, ref: Ref, start: number): Promise<Properties | Refusal> {
    node.element.setAttribute("aria-busy", "true");
    const timer = setTimeout(() => node.element.classList.add("tree-waiting"), PATIENCE_MS);
    const answer = await this.inspect.ask(ref, start);
    clearTimeout(timer);
    node.element.classList.remove("tree-waiting");
    node.element.removeAttribute("aria-busy");
    return answer;
  }

  #turn(node: TreeNode, isOpen: boolean): void {
    node.isOpen = isOpen;
    node.element.setAttribute("aria-expanded", String(isOpen));
  }

  #insert(parent: TreeNode, items: readonly Item[], areGone: boolean): void {
    const added = items.map((item) => this.#made(item, parent.level + 1, areGone).element);
    parent.element.after(...added);
    this.#number(parent);
    this.surroundings.onResize(added);
  }

  #replace(node: TreeNode, items: readonly Item[], areGone: boolean): void {
    const hadFocus = document.activeElement === node.element;
    const { tabIndex } = node.element;
    const parent = this.#parent(node);
    const nodes = items.map((item) => this.#made(item, node.level, areGone));
    node.element.after(...nodes.map(({ element }) => element));
    this.#drop(node.element);
    const [first] = nodes;
    if (first) first.element.tabIndex = tabIndex;
    if (first && hadFocus) this.#focus(first);
    this.#number(parent);
    this.surroundings.onResize(nodes.map(({ element }) => element));
  }

  #drop(element: Element): void {
    // The focus must not be lost with what goes.
    const hadTab = element instanceof HTMLElement && element.tabIndex === 0;
    const before = element.previousElementSibling;
    this.#nodes.delete(element);
    element.remove();
    if (hadTab && before instanceof HTMLElement) before.tabIndex = 0;
  }

  /** The items that stand in another one. */
  *#below({ element, level }: TreeNode): Generator<Element> {
    let next = element.nextElementSibling;
    while (next && (this.#nodes.get(next)?.level ?? 0) > level) {
      const after = next.nextElementSibling;
      yield next;
      next = after;
    }
  }

  #hasChildren(node: TreeNode): boolean {
    return !this.#below(node).next().done;
  }

  /** Says of each child of an item which one of how many it is. */
  #number(parent: TreeNode | null): void {
    const level = (parent?.level ?? 0) + 1;
    const elements = parent ? [...this.#below(parent)] : [...this.element.children];
    const children = elements.filter((element) => this.#nodes.get(element)?.level === level);
    children.forEach((element, at) => {
      element.setAttribute("aria-posinset", String(at + 1));
      element.setAttribute("aria-setsize", String(children.length));
    });
  }
}

function refOf(item: Item): Ref | undefined {
  if (item.kind === "value") return item.value.ref;
  return item.kind === "key" ? item.ref : undefined;
}

function propertiesOf(entries: readonly Property[]): Item[] {
  return entries.flatMap((property): Item[] => {
    const item: Item = property.value ? { kind: "value", property, value: property.value } : { kind: "accessor", property };
    return property.key_ref === undefined ? [item] : [{ kind: "key", property, ref: property.key_ref }, item];
  });
}

function itemsOf({ entries = [], start = 0, total = entries.length }: Properties, ref: Ref): Item[] {
  const items = propertiesOf(entries);
  const end = start + entries.length;
  if (end < total && entries.length > 0) items.push({ kind: "more", ref, start: end, total });
  return items.length > 0 ? items : [note("Nothing in it.", false)];
}

function thrownText(error: RunError | undefined): string {
  return error ? `it threw ${error.name}: ${error.message}` : "it returned nothing that can be shown";
}

function note(text: string, bad: boolean): Item {
  return { kind: "note", text, bad };
}

function isRefusal(answer: Properties | Refusal): answer is Refusal {
  return typeof answer === "string";
}

/** Whether it will not be there later either. */
function isGone(refusal: Refusal): boolean {
  return refusal === "expired" || refusal === "offline";
}

const HOLDERS: readonly ValueKind[] = ["object", "array", "error", "promise", "function"];

function holdsSomething(item: Item): boolean {
  return item.kind === "value" ? HOLDERS.includes(item.value.kind) : item.kind === "key" || item.kind === "accessor";
}

/** It has something in it, which cannot be had any more. */
function markGone(element: HTMLElement): void {
  element.removeAttribute("aria-expanded");
  element.classList.add("tree-gone");
  element.title = REFUSALS.expired;
}

function drawItem(item: Item, level: number): HTMLElement {
  const element = document.createElement("div");
  element.className = `tree-item tree-${item.kind}`;
  element.setAttribute("role", "treeitem");
  element.setAttribute("aria-level", String(level));
  element.tabIndex = -1;
  element.style.setProperty("padding-left", `${Math.min(level, MAX_INDENTED) * INDENT_EM}em`);
  if (refOf(item) !== undefined) element.setAttribute("aria-expanded", "false");
  if (level > MAX_INDENTED) element.append(span("tree-level", `${level} `));
  element.append(...contentOf(item));
  return element;
}

function contentOf(item: Item): (HTMLElement | string)[] {
  switch (item.kind) {
    case "value": {
      const { property, value } = item;
      return [...(property ? keyOf(property) : []), ...drawParts(previewParts(value))];
    }
    case "accessor":
      return [...keyOf(item.property), span(item.property.getter === undefined ? "tree-unset" : "tree-getter", accessorText(item.property))];
    case "key":
      return [span("tree-internal", "key of the next: "), item.property.key];
    case "more": {
      const rest = item.total - item.start;
      return [`… ${rest.toLocaleString("en")} more`];
    }
    case "note":
      return [span(item.bad ? "value-error" : "tree-said", item.text)];
  }
}

function keyOf(property: Property): HTMLElement[] {
  const dim = property.kind === "hidden" || property.kind === "internal";
  return drawParts(keyParts(property)).map((part) => {
    if (dim) part.classList.add("tree-internal");
    return part;
  });
}

function drawParts(parts: readonly Part[]): HTMLElement[] {
  return parts.map(({ text, kind }) => span(kind === null ? "value-plain" : `value-${kind}`, text));
}

function span(className: string, text: string): HTMLElement {
  const made = document.createElement("span");
  made.className = className;
  made.textContent = text;
  return made;
}
