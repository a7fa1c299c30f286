import assert from "node:assert/strict";

import { enter, eventually, ran, rowWith, run, status, texts } from "../person.mjs";

const item = (page, text) => page.getByRole("treeitem").filter({ hasText: text }).first();

/** Opens the values of the first row that has some. */
async function openFirst(page) {
  await page.getByRole("button", { name: /^Values?$/ }).first().click();
  await page.getByRole("tree").first().waitFor();
}

/** The page has asked for a level of each value once its run was over, and has had its answers. */
const settled = (page) => page.evaluate(() => new Promise((soon) => requestIdleCallback(() => setTimeout(soon, 100))));

export default {
  "a value opens after its runtime is gone: one level, and the previews of what is in it": async (page) => {
    const many = Array.from({ length: 20 }, (_, at) => `key${at}: ${at}`).join(", ");
    await ran(page, `({ ${many}, deep: { name: "Ada", inner: { last: 1 } } })`);
    await settled(page);
    await ran(page, "({ other: true })");
    await openFirst(page);
    // More than a preview holds: it was asked for in time.
    await item(page, /^key19: 19$/).waitFor();
    await page.getByText("As it was: the runtime does not hold this value any more.").waitFor();
    const deep = item(page, /^deep: /);
    assert.equal(await deep.getAttribute("aria-expanded"), "false");
    await deep.click();
    await item(page, /^name: 'Ada'$/).waitFor();
    const inner = item(page, /^inner: /);
    assert.equal(await inner.getAttribute("aria-expanded"), null);
    assert.equal(await inner.evaluate((element) => element.classList.contains("tree-gone")), true);
    // By keys as well: nothing is lost by trying.
    await inner.click();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Home");
    assert.match(await page.evaluate(() => document.activeElement.textContent), /^key0: 0/);
    assert.deepEqual(await texts(page, ".row-error, .note-bad"), []);
  },

  "it falls back to its preview where nobody had time to ask": async (page) => {
    await run(page, "console.log({ a: 1, b: { c: 2 } }); for (;;) {}");
    await status(page, "Running");
    await run(page, "'next'");
    await rowWith(page, "value", "'next'");
    await openFirst(page);
    await item(page, /^a: 1$/).waitFor();
    await item(page, /^b: /).waitFor();
  },

  "objects beyond the console's cap cost about what strings cost, and take nobody's values": async (page) => {
    await page.getByRole("switch", { name: "Keep state" }).check();
    const cpuOf = async (what) => {
      await ran(page, `globalThis.big = Object.fromEntries(Array.from({ length: 30 }, (_, i) => ["key" + i, { i }]));\nfor (let i = 0; i < 100_000; i++) console.log(${what});`);
      const [, number, unit] = /CPU ([\d.]+) (ms|s)/.exec(await page.locator(".status").innerText());
      return Number(number) * (unit === "s" ? 1000 : 1);
    };
    const strings = await cpuOf("'x'.repeat(300)");
    const objects = await cpuOf("big");
    console.log(`      100,000 strings ${strings} ms, 100,000 objects ${objects} ms`);
    assert.ok(objects < strings * 6 + 200, `${objects} ms against ${strings} ms`);
    await enter(page, "({ seen: 'still' })");
    await rowWith(page, "value", "{ seen: 'still' }");
    await page.getByRole("button", { name: "Value", exact: true }).last().click();
    await item(page, /^seen: 'still'$/).waitFor();
    await eventually("the last of what was printed opens", async () => ({ ok: (await page.getByRole("button", { name: "Value", exact: true }).count()) > 1 }));
  },
};
