import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";

import { rowWith, status, texts } from "../person.mjs";

const choose = async (page, title) => {
  await page.getByRole("button", { name: "Examples" }).click();
  await page.getByRole("dialog").getByRole("button", { name: title }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Run" }).first().click();
};

/** By title: how it ends, its result, and something it has written. */
const ENDS = {
  "Streaming output": ["[ 4, 9, 25, 49, 121 ]", "step 3"],
  "Sorting, visualised": ["'1 < 2 < 3 < 4 < 6 < 7 < 8 < 9'", /^swap 7 and 1\n/],
  "Game of life": ["'24 generations to come'", /^generation 24\n/],
  "Async queue": ["150", "← page 5"],
  "Fibonacci with a memory": ["222232244629420445529739893461909967206666939096499764990979600n", "fib(20) = 6765 after 21891 calls"],
  "Words and patterns": [/^'It Was The Best Of Times/, "09.04.2031"],
  Generators: ["3", "after 3: 5"],
  Classes: ["'3 shapes'", "rectangle of area 6.00"],
  "JSON to a summary": [/customer: 'Grace'/, /^Ada +19\.00 pen, ink$/],
  TypeScript: ["{ items: 3, worth: 16 }", "InStock  pen, paper"],
  Modules: ["12.57", /^\(index\)shapearea0'Circle'3\.14/],
  "Promises race": ["'in time'", "race: rabbit"],
  Mandelbrot: [/^'\d+ points inside'$/, /@@@@/],
};

const matches = (text, wanted) => (wanted instanceof RegExp ? wanted.test(text) : text === wanted);

export default {
  "each runs to its end": async (page) => {
    for (const [title, [result, line]] of Object.entries(ENDS)) {
      await page.getByRole("button", { name: "Clear" }).click();
      await page.locator(".row").first().waitFor({ state: "detached" });
      await choose(page, title);
      await page.locator(".row-value").waitFor();
      await status(page, "Done");
      const [value] = await texts(page, ".row-value");
      assert.ok(matches(value, result), `${title}: ${value}`);
      const lines = await texts(page, ".row-entry");
      assert.ok(lines.some((text) => matches(text, line)), `${title}: ${lines.join("\n")}`);
      assert.deepEqual(await texts(page, ".row-error"), [], title);
    }
  },

  Quiz: async (page) => {
    await choose(page, "Quiz");
    for (const answer of ["Ada", "42", "let", "object"]) {
      await page.locator(".ask-field").fill(answer);
      const question = await page.locator(".ask-text").innerText();
      await page.keyboard.press("Enter");
      await page.waitForFunction((text) => document.querySelector(".ask-text")?.textContent !== text, question);
    }
    await rowWith(page, "value", "'Ada: 2 of 3'");
  },

  "Endless loop": async (page) => {
    await choose(page, "Endless loop");
    await page.locator(".row-entry").first().waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await status(page, "Stopped");
  },

  "there is a test for each": async (page) => {
    await page.getByRole("button", { name: "Examples" }).click();
    const titles = await page.getByRole("dialog").locator(".choice-title").allTextContents();
    assert.deepEqual(titles.toSorted(), [...Object.keys(ENDS), "Quiz", "Endless loop"].toSorted());
    assert.equal(titles.length, (await readdir(new URL("../../src/examples/", import.meta.url))).length);
  },
};
