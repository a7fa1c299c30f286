import assert from "node:assert/strict";

import { PHONE } from "../browser.mjs";
import { code, enter, openWindow, ran, rowWith, run, status, write } from "../person.mjs";

const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const LIGHT = "rgb(255, 255, 255)";
const DARK = "rgb(20, 22, 26)";

const codeSize = (page) => page.locator(".cm-content").evaluate((content) => parseFloat(getComputedStyle(content).fontSize));
const box = (page, selector) => page.locator(selector).first().boundingBox();

export default {
  "light and dark follow the system": async (page) => {
    await page.emulateMedia({ colorScheme: "dark" });
    assert.equal(await background(page), DARK);
    await page.emulateMedia({ colorScheme: "light" });
    assert.equal(await background(page), LIGHT);
  },

  "a theme can be chosen, and stays": async (page) => {
    await page.emulateMedia({ colorScheme: "light" });
    await openWindow(page, "Menu");
    await page.getByRole("radio", { name: "Dark" }).check();
    assert.equal(await background(page), DARK);
    await page.reload();
    await page.locator(".header").waitFor();
    assert.equal(await background(page), DARK);
    await openWindow(page, "Menu");
    await page.getByRole("radio", { name: "System" }).check();
    assert.equal(await background(page), LIGHT);
  },

  "the projector has large type on white": async (page) => {
    await page.emulateMedia({ colorScheme: "dark" });
    await openWindow(page, "Menu");
    await page.getByRole("switch", { name: /^Projector/ }).check();
    await page.keyboard.press("Escape");
    assert.equal(await background(page), LIGHT);
    assert.ok((await codeSize(page)) >= 24);
    await ran(page, "1");
    assert.ok((await page.locator(".row-value").evaluate((row) => parseFloat(getComputedStyle(row).fontSize))) >= 22);
  },

  "the type grows and shrinks by one key": async (page) => {
    const normal = await codeSize(page);
    await page.keyboard.press("Alt+=");
    await page.keyboard.press("Alt+=");
    assert.equal(await codeSize(page), normal + 2);
    await page.keyboard.press("Alt+-");
    assert.equal(await codeSize(page), normal + 1);
    await page.reload();
    await page.locator(".cm-content").waitFor();
    assert.equal(await codeSize(page), normal + 1);
    await page.keyboard.press("Alt+0");
    assert.equal(await codeSize(page), normal);
  },

  "a plain text field can take the editor's place": async (page) => {
    await write(page, "1 +\n  null.x");
    await openWindow(page, "Menu");
    await page.getByRole("switch", { name: /^Plain text/ }).check();
    await page.keyboard.press("Escape");
    // The editor has the same name until the field is there.
    const field = page.getByRole("textbox", { name: "JavaScript code" }).and(page.locator("textarea"));
    assert.equal(await field.inputValue(), "1 +\n  null.x");
    await field.press("Control+Enter");
    await status(page, "Failed");
    await page.getByRole("button", { name: /^line 2:/ }).click();
    assert.equal(await field.evaluate((area) => area === document.activeElement && area.selectionStart >= 6), true);
    await field.fill("'plain'");
    await field.press("Control+Enter");
    await rowWith(page, "value", "'plain'");
    await field.selectText();
    await page.getByRole("button", { name: "Run selection" }).click();
    await page.locator(".row-value").nth(1).waitFor();
    await page.reload();
    await page.locator(".connection-open").waitFor();
    assert.equal(await field.inputValue(), "'plain'");
    await openWindow(page, "Menu");
    await page.getByRole("switch", { name: /^Plain text/ }).uncheck();
    await page.keyboard.press("Escape");
    await page.locator(".cm-content").waitFor();
    assert.equal(await code(page), "'plain'");
  },

  "nothing moves for those who want no motion": async (page) => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await run(page, "for (;;) {}");
    await status(page, "Running");
    assert.equal(await page.locator(".status-mark").evaluate((mark) => getComputedStyle(mark).animationName), "none");
    await page.emulateMedia({ reducedMotion: "no-preference" });
    assert.notEqual(await page.locator(".status-mark").evaluate((mark) => getComputedStyle(mark).animationName), "none");
  },

  "on a phone the console is under the editor, and nothing sticks out": {
    context: PHONE,
    test: async (page) => {
      await enter(page, 'console.log("wide ".repeat(50)); "done"');
      await rowWith(page, "value", "'done'");
      const [editor, console] = [await box(page, ".editor"), await box(page, ".console")];
      assert.ok(console.y >= editor.y + editor.height);
      assert.ok(editor.height >= 80 && console.height >= 80, `${editor.height} and ${console.height} pixels`);
      const { scroll, client } = await page.evaluate(() => ({
        scroll: document.documentElement.scrollWidth,
        client: document.documentElement.clientWidth,
      }));
      assert.equal(scroll, client);
      for (const selector of [".button-primary", ".button-stop", ".windows button:visible", ".switch", ".status", ".line-run"]) {
        const { x, width } = await box(page, selector);
        assert.ok(x >= 0 && x + width <= 360, `${selector} is from ${x} to ${x + width}`);
      }
    },
  },

  "on a touch screen a bar has the signs": {
    context: PHONE,
    test: async (page) => {
      await page.locator(".cm-content").tap();
      await page.keyboard.press("Control+a");
      await page.keyboard.insertText("f");
      for (const name of ["(", "[", "Cursor right", ")", "=>", "quote"]) {
        await page.getByRole("toolbar", { name: "Signs to insert" }).getByRole("button", { name, exact: true }).tap();
      }
      // Brackets come in pairs; typing over one's own closing sign goes past it.
      assert.equal(await code(page), "f([])=>''");
    },
  },

  "the bar is not there for those who have keys": async (page) => {
    assert.equal(await page.getByRole("toolbar").isVisible(), false);
  },
};
