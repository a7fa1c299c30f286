import assert from "node:assert/strict";

import { connected, enter, eventually, ran, rowWith, run, status, texts } from "../person.mjs";

const tree = (page) => page.getByRole("tree");
const item = (page, text) => page.getByRole("treeitem").filter({ hasText: text }).first();
const focused = (page) => page.evaluate(() => document.activeElement?.textContent);

/** Opens the values of the last row that has some. */
async function openLast(page) {
  await page.getByRole("button", { name: /^Values?$/ }).last().click();
  await tree(page).last().waitFor();
}

const VALUE = `({ name: "Ada", born: 1815, list: [1, [2, 3]], map: new Map([["k", { deep: true }]]), get lazy() { return "called" }, get bad() { throw new TypeError("no") } })`;

/** Whether it is inside of what is seen of the console. */
const isSeen = async (locator) => {
  const { top, bottom } = await locator.evaluate((element) => {
    const pane = element.closest(".console-scroller").getBoundingClientRect();
    const box = element.getBoundingClientRect();
    return { top: box.top - pane.top, bottom: pane.bottom - box.bottom };
  });
  return { ok: top >= -1 && bottom >= -1, top, bottom };
};

export default {
  "what opens at the very bottom of the console comes into view, and what was opened stays there": async (page) => {
    const value = 'Object.setPrototypeOf({ own: 1 }, Object.fromEntries(Array.from({ length: 90 }, (_, i) => ["key" + i, i])))';
    await ran(page, `for (let i = 0; i < 60; i++) console.log("row " + i);\n${value}`);
    await openLast(page);
    const last = item(page, /^\[\[Prototype\]\]/);
    await eventually("all of it is seen", () => isSeen(last));
    await eventually("the row too", () => isSeen(page.locator(".row-value .row-open")));
    await last.click();
    await eventually("the first of more than there is room for", () => isSeen(item(page, /^key0: 0$/)));
    const { ok, top } = await isSeen(last);
    assert.ok(ok && top < 5, `under what was opened: ${top}`);
    assert.equal((await isSeen(item(page, /^key89: 89$/))).ok, false);
  },

  "a result opens, level by level": async (page) => {
    await ran(page, VALUE);
    const button = page.getByRole("button", { name: "Value", exact: true });
    assert.equal(await button.getAttribute("aria-expanded"), "false");
    await button.click();
    assert.equal(await button.getAttribute("aria-expanded"), "true");
    await item(page, /^name: 'Ada'$/).waitFor();
    assert.equal(await item(page, /^born: 1815$/).getAttribute("aria-level"), "1");
    const colour = (text) => page.locator(".tree span", { hasText: text }).first().evaluate((span) => getComputedStyle(span).color);
    assert.notEqual(await colour("'Ada'"), await colour("1815"), "types are coloured");
    await item(page, /^list: /).click();
    await item(page, /^1: Array\(2\)/).click();
    await item(page, /^0: 2$/).waitFor();
    await item(page, /^map: /).click();
    await item(page, /^'k' => /).click();
    await item(page, /^deep: true$/).waitFor();
    await item(page, /^list: /).click();
    await item(page, /^0: 2$/).waitFor({ state: "detached" });
    assert.equal(await item(page, /^deep: true$/).count(), 1);
    await button.click();
    await tree(page).waitFor({ state: "hidden" });
  },

  "a getter is called when it is clicked, and not before": async (page) => {
    await page.getByRole("switch", { name: "Keep state" }).check();
    await ran(page, `var calls = 0; ({ get lazy() { return ++calls }, get bad() { throw new TypeError("no") } })`);
    await openLast(page);
    await item(page, /^lazy: \(…\)$/).waitFor();
    await enter(page, "calls");
    await rowWith(page, "value", "0");
    await item(page, /^lazy: \(…\)$/).click();
    await item(page, /^lazy: 1$/).waitFor();
    await item(page, /^bad: \(…\)$/).click();
    await item(page, "bad: it threw TypeError: no").waitFor();
  },

  "logged values open as well, each of them": async (page) => {
    await ran(page, 'console.log("two:", { a: 1 }, [7]); console.warn({ careful: true }); console.log("plain")');
    assert.equal(await page.locator(".row-entry", { hasText: /^plain$/ }).getByRole("button").count(), 0);
    await page.locator(".row-entry", { hasText: "two:" }).getByRole("button", { name: "Values" }).click();
    assert.deepEqual(await texts(page, "[role=treeitem]"), ["{a: 1}", "Array(1) [7]"]);
    await item(page, "{a: 1}").click();
    await item(page, /^a: 1$/).waitFor();
    await page.locator(".level-warn").getByRole("button", { name: "Value" }).click();
    await item(page, /^careful: true$/).waitFor();
  },

  "a long list comes a hundred at a time": async (page) => {
    await ran(page, "Array.from({ length: 250 }, (_, i) => i * 2)");
    await openLast(page);
    await item(page, /^99: 198$/).waitFor();
    assert.equal(await item(page, /^100: 200$/).count(), 0);
    await item(page, /^… \d+ more$/).click();
    await item(page, /^199: 398$/).waitFor();
    await item(page, /^… \d+ more$/).click();
    await item(page, /^249: 498$/).waitFor();
    await item(page, /^\[\[Prototype\]\]: /).waitFor();
    assert.equal(await item(page, /more$/).count(), 0);
  },

  "arrow keys walk the tree": async (page) => {
    await ran(page, "({ a: { b: { c: 1 } }, z: 2 })");
    await page.getByRole("button", { name: "Value", exact: true }).focus();
    await page.keyboard.press("ArrowRight");
    await item(page, /^a: /).waitFor();
    await page.keyboard.press("ArrowRight");
    const walk = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
      return focused(page);
    };
    assert.match(await focused(page), /^a: /);
    await page.keyboard.press("ArrowRight");
    await item(page, /^b: /).waitFor();
    assert.match(await walk("ArrowRight"), /^b: /);
    await page.keyboard.press("Enter");
    await item(page, /^c: 1$/).waitFor();
    assert.match(await walk("ArrowDown"), /^c: 1$/);
    assert.match(await walk("ArrowLeft"), /^b: /);
    assert.match(await walk("ArrowLeft", "ArrowLeft"), /^a: /);
    assert.match(await walk("ArrowRight", "ArrowRight"), /^c: 1$|^b: /);
    assert.match(await walk("Home"), /^a: /);
    assert.match(await walk("End"), /^\[\[Prototype\]\]/);
    assert.match(await walk("ArrowUp"), /^z: 2$/);
    assert.equal(await page.locator('.tree [tabindex="0"]').count(), 1, "one stop for Tab");
  },

  "a value a thousand levels deep is opened to its end": async (page) => {
    await run(page, "let deep = { end: true }; for (let i = 0; i < 1000; i++) deep = { i, deep }; deep");
    await status(page, "Done");
    await openLast(page);
    for (const number of [999, 998, 997]) {
      await item(page, new RegExp(`^i: ${number}$`)).waitFor();
      if (number > 997) await page.getByRole("treeitem").filter({ hasText: /^deep: / }).last().click();
    }
    const slowest = await page.evaluate(async () => {
      const turn = () => new Promise((next) => setTimeout(next));
      const closed = () => [...document.querySelectorAll("[role=treeitem][aria-expanded=false]")].findLast((row) => /^(\d+ )?deep: /.test(row.textContent));
      let worst = 0;
      for (let next = closed(); next; next = closed()) {
        const began = performance.now();
        next.click();
        const until = began + 20_000;
        while (!next.nextElementSibling || Number(next.nextElementSibling.ariaLevel) <= Number(next.ariaLevel)) {
          if (performance.now() > until) throw new Error(`level ${next.ariaLevel} does not open`);
          await turn();
        }
        worst = Math.max(worst, performance.now() - began);
      }
      return worst;
    });
    console.log(`      the slowest level opened in ${slowest.toFixed(0)} ms`);
    const end = page.getByRole("treeitem").filter({ hasText: /end: true$/ }).last();
    await end.waitFor();
    assert.equal(await end.getAttribute("aria-level"), "1001");
    await end.click();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowLeft");
    assert.equal(await page.getByRole("treeitem").count(), 3);
    assert.deepEqual(await texts(page, ".row-error"), []);
  },

  "what is gone is said quietly": async (page) => {
    await ran(page, "({ first: { a: 1 } })");
    await openLast(page);
    await item(page, /^first: /).waitFor();
    await ran(page, "({ second: { b: 1 } })");
    await item(page, /^first: /).click();
    // As far as its preview goes.
    await item(page, /^a: 1$/).waitFor();
    // Another connection is another session.
    await page.evaluate(() => window.dispatchEvent(new Event("pagehide")));
    await page.evaluate(() => window.dispatchEvent(new Event("pageshow")));
    await connected(page);
    await openLast(page);
    await tree(page).last().getByText("As it was: the runtime does not hold this value any more.").waitFor();
    assert.deepEqual(await texts(page, ".row-error, .note-bad"), []);
  },

  "while the code runs without a pause, a value waits": async (page) => {
    await page.getByRole("switch", { name: "Keep state" }).check();
    await ran(page, "({ a: 1 })");
    await run(page, "for (;;) {}");
    await status(page, "Running");
    await openLast(page);
    await page.locator(".tree-waiting").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await status(page, "Stopped");
    await item(page, /^a: 1$|no longer held|busy/).waitFor();
  },

  "what is open stays open while rows come and go": async (page) => {
    await page.getByRole("switch", { name: "Keep state" }).check();
    await ran(page, 'console.log("object", { kept: "open" })');
    await openLast(page);
    await item(page, /^kept: 'open'$/).waitFor();
    await enter(page, 'for (let i = 0; i < 5000; i++) console.log("row " + i); "end"');
    const scroller = page.getByRole("region", { name: "Console output" });
    await scroller.press("End");
    await rowWith(page, "value", "'end'");
    await item(page, /^kept: 'open'$/).waitFor({ state: "detached" });
    await scroller.press("Home");
    await item(page, /^kept: 'open'$/).waitFor();
    assert.equal(await page.getByRole("button", { name: "Value", exact: true }).first().getAttribute("aria-expanded"), "true");
  },

  "opening a row does not move it": async (page) => {
    await ran(page, 'for (let i = 0; i < 100; i++) console.log("row", { i, deep: { a: { b: { c: 1 } } } })');
    const button = page.getByRole("button", { name: "Value", exact: true }).nth(-3);
    await button.scrollIntoViewIfNeeded();
    const top = () => button.evaluate((element) => Math.round(element.getBoundingClientRect().top));
    const before = await top();
    await button.click();
    await item(page, /^deep: /).waitFor();
    await eventually("in its place", async () => ({ ok: Math.abs((await top()) - before) <= 2, now: await top(), before }));
    await page.getByRole("button", { name: "To the newest" }).click();
    await enter(page, "'newest'");
    await rowWith(page, "value", "'newest'");
  },
};
