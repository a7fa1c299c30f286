import assert from "node:assert/strict";

import { enter, openWindow, rowWith, run, status, write } from "../person.mjs";

const LOW = [
  { name: "360x450", context: { viewport: { width: 360, height: 450 }, hasTouch: true, isMobile: true } },
  { name: "740x360", context: { viewport: { width: 740, height: 360 }, hasTouch: true, isMobile: true } },
  { name: "a phone with its keyboard up", context: { viewport: { width: 360, height: 340 }, hasTouch: true, isMobile: true } },
  { name: "740x360 with a mouse", context: { viewport: { width: 740, height: 360 } } },
];

/** Lines of code that are seen whole. */
const linesSeen = (page) =>
  page.locator(".cm-scroller").evaluate((scroller) => {
    const box = scroller.getBoundingClientRect();
    const lines = [...scroller.querySelectorAll(".cm-line")].map((line) => line.getBoundingClientRect());
    const isSeen = ({ top, bottom }) => top >= box.top - 1 && bottom <= Math.min(box.bottom, innerHeight) + 1;
    // What covers the code is not the code.
    return lines.filter((line) => {
      if (!isSeen(line)) return false;
      const host = document.querySelector(".editor-host");
      return document.elementFromPoint(line.left + 40, (line.top + line.bottom) / 2) === host;
    }).length;
  });

const LONG = Array.from({ length: 40 }, (_, at) => `let line${at} = ${at};`).join("\n");

const suite = {};
for (const { name, context } of LOW) {
  suite[`${name}: at least six lines of code are seen while one types`] = {
    context,
    test: async (page) => {
      await write(page, LONG);
      await page.keyboard.type("\nline3");
      const lines = await linesSeen(page);
      assert.ok(lines >= 6, `${lines} lines`);
      const { scrollWidth, scrollHeight } = await page.evaluate(() => document.documentElement);
      const { width, height } = context.viewport;
      const sizes = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]);
      assert.ok(sizes[0] <= width && sizes[1] <= height, `${sizes} in ${width}×${height} (${scrollWidth}, ${scrollHeight})`);
      for (const button of await page.locator(".header button:visible").all()) {
        const box = await button.boundingBox();
        assert.ok(box.x >= 0 && box.x + box.width <= width, `${await button.innerText()} is from ${box.x} to ${box.x + box.width}`);
      }
    },
  };
}

export default {
  ...suite,

  "code and console are two views there, and Run shows the console": {
    context: LOW[0].context,
    test: async (page) => {
      assert.deepEqual([await page.locator(".editor").isVisible(), await page.locator(".console").isVisible()], [true, false]);
      await run(page, "console.log('seen'); 6 * 7");
      await rowWith(page, "value", "42");
      assert.deepEqual([await page.locator(".editor").isVisible(), await page.locator(".console").isVisible()], [false, true]);
      // The focus has not stayed behind.
      assert.notEqual(await page.evaluate(() => document.activeElement.localName), "body");
      await enter(page, "'from the line'");
      await rowWith(page, "value", "'from the line'");
      await page.getByRole("group", { name: "Pane" }).getByRole("button", { name: "Code" }).tap();
      assert.equal(await page.locator(".editor").isVisible(), true);
      await page.getByRole("group", { name: "Pane" }).getByRole("button", { name: "Console" }).tap();
      assert.equal(await page.locator(".console").isVisible(), true);
    },
  },

  "a place in a stack leads back to the code, a question to the console": {
    context: LOW[1].context,
    test: async (page) => {
      await run(page, "let fine = 1;\nnull.missing;");
      await page.getByRole("button", { name: /^line 2:/ }).tap();
      await page.locator(".cm-errorLine").waitFor();
      assert.equal(await page.locator(".editor").isVisible(), true);
      await run(page, "prompt('Who?')");
      await page.getByLabel("Who?").waitFor();
      await page.getByLabel("Who?").fill("me");
      await page.keyboard.press("Enter");
      await rowWith(page, "value", "'me'");
    },
  },

  "F6 and the settings of a run are there as well": {
    context: LOW[3].context,
    test: async (page) => {
      await write(page, "1");
      const focused = () => page.evaluate(() => document.activeElement.className.split(" ")[0]);
      for (const stop of ["console-scroller", "line-field", "button", "editor-host"]) {
        await page.keyboard.press("F6");
        await page.waitForFunction((wanted) => document.activeElement.classList.contains(wanted), stop);
        assert.equal(await focused(), stop);
      }
      await openWindow(page, "Menu");
      await page.getByRole("dialog").getByRole("switch", { name: "Keep state" }).check();
      await page.keyboard.press("Escape");
      await run(page, "var here = 1");
      await status(page, "Done");
      await enter(page, "here");
      await rowWith(page, "value", "1");
    },
  },
};
