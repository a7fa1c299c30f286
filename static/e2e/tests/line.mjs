import assert from "node:assert/strict";

import { connected, enter, eventually, ran, rowWith, run, texts } from "../person.mjs";

const line = (page) => page.getByLabel("Line to run");

export default {
  "a line runs in what the last run left": async (page) => {
    await page.getByText("fresh runtime", { exact: true }).waitFor();
    await ran(page, "var left = 20");
    await page.getByText("runtime in use", { exact: true }).waitFor();
    await enter(page, "left * 2 + 2");
    await rowWith(page, "line", "left * 2 + 2");
    await rowWith(page, "value", "42");
    assert.equal(await line(page).inputValue(), "");
    await enter(page, "var more = left");
    await enter(page, "more");
    await rowWith(page, "value", "20");
  },

  "Enter goes on where a bracket is open, Shift+Enter always": async (page) => {
    await line(page).click();
    await page.keyboard.type("[1, 2].map((n) => {");
    await page.keyboard.press("Enter");
    await page.keyboard.type("return n * 2");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("})");
    // The session says what Enter means, and may do so when more was typed already.
    await eventually("two new lines", async () => {
      const text = await line(page).inputValue();
      return { ok: text === "[1, 2].map((n) => {\nreturn n * 2\n})", text };
    });
    await page.keyboard.press("Enter");
    await rowWith(page, "value", "[ 2, 4 ]");
  },

  "Ctrl+Enter runs it whatever is open, and not the editor's code": async (page) => {
    await line(page).fill("[1,");
    await page.keyboard.press("Control+Enter");
    await page.locator(".row-error", { hasText: "SyntaxError" }).waitFor();
    assert.equal(await page.locator(".row-run").count(), 0);
  },

  "its history goes up and down, and survives a reload": async (page) => {
    await enter(page, "1 + 1");
    await enter(page, "2 + 2");
    await page.reload();
    await connected(page);
    await line(page).fill("unfinished");
    const seen = [];
    for (const key of ["ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "ArrowDown"]) {
      await page.keyboard.press(key);
      seen.push(await line(page).inputValue());
    }
    assert.deepEqual(seen, ["2 + 2", "1 + 1", "1 + 1", "2 + 2", "unfinished"]);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await rowWith(page, "value", "4");
  },

  "up and down move within several lines first": async (page) => {
    await enter(page, "'older'");
    await line(page).fill("a\nb");
    await page.keyboard.press("ArrowUp");
    assert.equal(await line(page).inputValue(), "a\nb");
    await page.keyboard.press("ArrowUp");
    assert.equal(await line(page).inputValue(), "'older'");
  },

  "Ctrl+L clears the console": async (page) => {
    await enter(page, "1");
    await rowWith(page, "value", "1");
    await line(page).press("Control+l");
    await page.getByText("Output and results appear here.").waitFor();
  },

  "a question is answered, and the line has the focus again": async (page) => {
    await enter(page, 'prompt("Who?")');
    await page.getByLabel("Who?").fill("me");
    await page.keyboard.press("Enter");
    await rowWith(page, "value", "'me'");
    await page.keyboard.type("1 + 2");
    await page.keyboard.press("Enter");
    await rowWith(page, "value", "3");
  },

  "the editor's own run follows with a fresh runtime": async (page) => {
    await enter(page, "var mine = 1");
    await run(page, "typeof mine");
    await rowWith(page, "value", "'undefined'");
    assert.deepEqual(await texts(page, ".note-warn"), []);
  },
};
