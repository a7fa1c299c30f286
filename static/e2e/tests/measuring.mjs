import assert from "node:assert/strict";

import { PHONE } from "../browser.mjs";
import { eventually, openWindow, ran, rowWith, run, status, write } from "../person.mjs";

const LINES = Array.from({ length: 60 }, (_, at) => (at % 7 === 3 ? "" : `let line${at} = ${at};`)).join("\n");

/** How far the number of each line is from it, at most; and whether anything is cut. */
const apart = (page) =>
  page.locator(".cm-scroller").evaluate((scroller) => {
    const lines = [...scroller.querySelectorAll(".cm-line")].map((line) => line.getBoundingClientRect());
    const numbers = [...scroller.querySelectorAll(".cm-lineNumbers .cm-gutterElement")]
      .filter((number) => number.style.visibility !== "hidden")
      .map((number) => ({ text: Number(number.textContent), box: number.getBoundingClientRect(), fits: number.scrollWidth <= number.clientWidth + 1 }));
    const first = numbers[0].text;
    const view = scroller.getBoundingClientRect();
    // The line of the cursor is in the document even where it is not seen, and has no number there.
    const seen = numbers.filter(({ box }) => box.bottom > view.top && box.top < view.bottom);
    const both = seen.length;
    const distance = (one, other) => Math.max(Math.abs(one.top - other.top), Math.abs(one.bottom - other.bottom));
    const most = Math.max(...seen.map(({ box }) => Math.min(...lines.map((line) => distance(line, box)))));
    const tall = parseFloat(getComputedStyle(scroller.querySelector(".cm-line")).fontSize);
    const isWhole = numbers.every(({ fits, box }) => fits && box.height >= tall) && lines.every(({ height }) => height >= tall);
    return { most, both, first, isWhole, numbers: numbers.length, lines: lines.length };
  });

const together = (page, when) =>
  eventually(`numbers stand beside their lines ${when}`, async () => {
    const { most, both, isWhole, ...rest } = await apart(page);
    return { ok: most <= 1 && both >= 3 && isWhole, most, both, isWhole, ...rest };
  });

export default {
  "line numbers stand beside their lines at every size": async (page) => {
    await write(page, LINES);
    await page.keyboard.press("Control+Home");
    for (let step = 0; step < 26; step += 1) {
      await page.keyboard.press("Alt+=");
      if (step % 5 === 0) await together(page, `after ${step + 1} steps up`);
    }
    await together(page, "at the largest size");
    await page.keyboard.press("Control+End");
    await together(page, "at the end of the code");
    await page.keyboard.press("Alt+0");
    await together(page, "at the normal size again");
    for (let step = 0; step < 4; step += 1) await page.keyboard.press("Alt+-");
    await together(page, "at the smallest size");
  },

  "and where the code is short": async (page) => {
    await write(page, "1\n2\n3\n4");
    for (const key of ["Alt+=", "Alt+=", "Alt+=", "Alt+0"]) {
      await page.keyboard.press(key);
      await together(page, `after ${key}`);
    }
  },

  "and on a projector, in another font, in another tab, and zoomed": async (page) => {
    await write(page, LINES);
    await page.keyboard.press("Control+Home");
    await openWindow(page, "Menu");
    await page.getByRole("switch", { name: /^Projector/ }).check();
    await page.keyboard.press("Escape");
    await together(page, "on a projector");
    await page.evaluate(() => document.documentElement.style.setProperty("--mono", "serif"));
    await together(page, "in another font");
    await page.getByRole("button", { name: "New file" }).click();
    await page.keyboard.press("Enter");
    await write(page, LINES);
    await together(page, "in another tab");
    await page.keyboard.press("Alt+=");
    await page.getByRole("tab", { name: "main.js" }).click();
    await together(page, "in the tab that was not seen meanwhile");
    await page.evaluate(() => (document.documentElement.style.zoom = "1.5"));
    await together(page, "zoomed");
    assert.equal(await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight * 1.01 * 1.5), true);
  },

  "rows of the console have one pitch, and signs join": async (page) => {
    await ran(page, "console.log('a\\nb'); console.log('c'); console.error('d'); console.info('e'); console.log('│\\n│'); console.log('│ '); console.log('█'); 'value'");
    const gaps = await page.locator(".row-entry, .row-value").evaluateAll((rows) => rows.slice(1).map((row, at) => row.getBoundingClientRect().top - rows[at].getBoundingClientRect().bottom));
    assert.ok(gaps.every((gap) => Math.abs(gap) < 0.6), gaps.join());
    const [two, one, error, info, twoOfArt, art, block, value] = await page.locator(".row-entry, .row-value").evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
    for (const height of [two / 2, error, info, value]) assert.ok(Math.abs(height - one) < 0.6, `${height} and ${one}`);
    // Signs that draw lines are as high as the font itself, so that they touch.
    const size = await page.locator(".row-entry").first().evaluate((row) => parseFloat(getComputedStyle(row).fontSize));
    for (const height of [twoOfArt / 2, art, block]) assert.ok(Math.abs(height - art) < 0.6 && height <= size * 1.25, `${height} at ${size}`);
  },

  "printed values are coloured by type, texts are not": async (page) => {
    await ran(page, "console.log('at 5 o\\'clock:', { name: 'Ada', born: 1815, alive: false }); console.log('5 is plain'); ({ list: [1, 'two', null] })");
    const colours = (row) => row.locator("span[class^=value-]").evaluateAll((spans) => spans.map((span) => [span.textContent, getComputedStyle(span).color]));
    const entry = new Map(await colours(page.locator(".row-entry").first()));
    assert.deepEqual([...entry.keys()], ["'Ada'", "1815", "false"]);
    assert.notEqual(entry.get("'Ada'"), entry.get("1815"));
    const value = new Map(await colours(page.locator(".row-value")));
    assert.deepEqual([...value.keys()], ["1", "'two'", "null"]);
    assert.equal(await page.locator(".row-entry").nth(1).locator("span").count(), 0);
    assert.equal(await page.locator(".row-entry").first().innerText(), "at 5 o'clock: { name: 'Ada', born: 1815, alive: false }");
  },

  "undefined is no result of a program that has printed": async (page) => {
    await ran(page, "console.log('said')");
    assert.equal(await page.locator(".row-value").count(), 0);
    await ran(page, "undefined");
    await rowWith(page, "value", "undefined");
  },

  "the first sample fits beside the console": async (page) => {
    const sizes = await page.locator(".cm-scroller").evaluate((scroller) => [scroller.scrollWidth, scroller.clientWidth]);
    assert.ok(sizes[0] <= sizes[1], sizes.join(" in "));
  },

  "the search looks like the page": async (page) => {
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+f");
    const panel = page.locator(".cm-search");
    await panel.waitFor();
    const heights = await panel.locator("button:not([name=close]), input.cm-textfield").evaluateAll((all) => all.map((each) => each.getBoundingClientRect().height));
    assert.ok(heights.length >= 7 && heights.every((height) => height >= 27.5), heights.join());
    const [font, page_] = await Promise.all([
      panel.locator("button").first().evaluate((button) => getComputedStyle(button).fontFamily),
      page.locator(".header button").last().evaluate((button) => getComputedStyle(button).fontFamily),
    ]);
    assert.equal(font, page_);
    const box = await panel.boundingBox();
    for (const control of await panel.locator("button, input").all()) {
      const { x, width } = await control.boundingBox();
      assert.ok(x >= box.x && x + width <= box.x + box.width + 0.5);
    }
  },

  "switches are seen in forced colours": async (page) => {
    await page.emulateMedia({ forcedColors: "active" });
    const look = () =>
      page.getByRole("switch", { name: "Keep state" }).evaluate((element) => {
        const knob = getComputedStyle(element, "::before");
        const own = getComputedStyle(element);
        return { knob: knob.backgroundColor, own: own.backgroundColor, at: knob.transform };
      });
    const off = await look();
    await page.getByRole("switch", { name: "Keep state" }).check();
    await eventually("the knob has arrived", async () => ({ ok: (await look()).at !== off.at }));
    const on = await look();
    assert.notEqual(off.knob, off.own, "the knob is seen while it is off");
    assert.notEqual(on.knob, on.own, "and while it is on");
    assert.notEqual(on.own, off.own);
  },

  "what is pressed is large enough for a mouse": async (page) => {
    await ran(page, 'console.log({ a: 1 }); console.group("g"); console.groupEnd(); throw new Error("x")', "Failed");
    await page.getByRole("button", { name: "Filter" }).click();
    await small(page, 24);
  },

  "and for a finger": {
    context: PHONE,
    test: async (page) => {
      await run(page, 'console.log({ a: 1 }); console.group("g"); console.groupEnd(); null.x');
      await status(page, "Failed");
      await small(page, 44);
      await page.getByRole("button", { name: "Filter" }).tap();
      await small(page, 44);
    },
  },

  "on paper stand the code and what came of it": async (page) => {
    await ran(page, `${LINES}\nfor (let i = 0; i < 100; i++) console.log("row " + i); "the end"`);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    for (const selector of [".header", ".status", ".line", ".options"]) assert.equal(await page.locator(selector).isVisible(), false, selector);
    assert.equal(await page.locator(".editor").isVisible(), true);
    const seen = await page.locator(".row-value").evaluate((row) => {
      for (let around = row.parentElement; around; around = around.parentElement) {
        const { overflowY } = getComputedStyle(around);
        if (overflowY !== "visible" && around.scrollHeight > around.clientHeight + 1 && around !== document.documentElement) return around.className;
      }
      return "";
    });
    assert.equal(seen, "", "nothing is cut");
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  },
};

/** Each control that is seen takes a press within so many pixels. Places in a text are as high as its lines. */
async function small(page, pixels) {
  const found = await page.evaluate((least) => {
    const controls = [...document.querySelectorAll("button, select, input, textarea, [role=treeitem][aria-expanded]")];
    return controls.flatMap((control) => {
      const box = control.getBoundingClientRect();
      const view = control.closest(".console-scroller")?.getBoundingClientRect();
      // Half of it is scrolled away.
      if (view && (box.top - least / 2 < view.top || box.bottom + least / 2 > view.bottom)) return [];
      if (box.width === 0 || control.matches(".row-place, .unseen") || box.bottom > innerHeight || box.top < 0) return [];
      // A label around it takes the press too, and what stands around its sign.
      const around = control.closest("label")?.getBoundingClientRect() ?? box;
      const [middle, centre] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
      const takes = (x, y) => {
        const hit = document.elementFromPoint(x, y);
        return hit !== null && (control.contains(hit) || hit.contains(control) && hit === control.closest("label"));
      };
      const half = least / 2 - 1;
      const isLarge = (around.width >= least - 0.5 || (takes(middle - half, centre) && takes(middle + half, centre))) &&
        (around.height >= least - 0.5 || (takes(middle, centre - half) && takes(middle, centre + half)));
      return isLarge ? [] : [`${control.outerHTML.slice(0, 90)}: ${box.width.toFixed(1)}×${box.height.toFixed(1)}`];
    });
  }, pixels);
  assert.deepEqual(found, []);
}
