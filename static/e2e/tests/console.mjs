import assert from "node:assert/strict";

import { code, connected, enter, eventually, ran, rowWith, run, status, texts } from "../person.mjs";

const FLOOD = 10_000;

const isAtBottom = (page) =>
  eventually("at the bottom", () =>
    page
      .getByRole("region", { name: "Console output" })
      .evaluate((element) => ({ ok: element.scrollHeight - element.scrollTop - element.clientHeight < 12 })),
  );
const scrollTop = (page) => page.getByRole("region", { name: "Console output" }).evaluate((scroller) => scroller.scrollTop);

export default {
  "repeated lines are counted": async (page) => {
    await ran(page, 'for (let i = 0; i < 1234; i++) console.log("again"); console.warn("again"); console.log("again")');
    assert.deepEqual(await texts(page, ".row-entry"), ["×1,234again", "again", "again"]);
  },

  "a count goes up while the row is on the screen": async (page) => {
    await run(page, 'setInterval(() => console.log("beat"), 30); 0');
    await page.locator(".row-count", { hasText: /^×\d+$/ }).waitFor();
    const seen = await page.locator(".row-count").innerText();
    await eventually("a higher count", async () => {
      const now = await page.locator(".row-count").innerText();
      return { ok: now !== seen, now };
    });
    assert.equal(await page.locator(".row-entry").count(), 1);
  },

  "levels and results look apart": async (page) => {
    await ran(page, 'console.log("l"); console.info("i"); console.warn("w"); console.error("e"); console.debug("d"); "r"');
    for (const level of ["log", "info", "warn", "error", "debug"]) assert.equal(await page.locator(`.level-${level}`).count(), 1, level);
    await rowWith(page, "value", "'r'");
  },

  "rows can be filtered by level and searched": async (page) => {
    await ran(page, '// levels\nconsole.log("Alpha"); console.warn("beta"); console.error("gamma alpha"); "delta"');
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("searchbox", { name: "Search the console" }).fill("ALPHA");
    await page.getByText(/^2 of \d+ rows$/).waitFor();
    assert.deepEqual(await texts(page, ".row"), ["Alpha", "gamma alpha"]);
    await page.getByRole("searchbox").fill("");
    await page.getByRole("button", { name: "Logs" }).click();
    await page.locator(".level-log").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Results" }).click();
    await page.locator(".row-value").waitFor({ state: "detached" });
    assert.deepEqual(await texts(page, ".row-entry"), ["beta", "gamma alpha"]);
    await page.getByRole("searchbox").fill("nothing has this");
    await page.getByText("No row matches the filter.").waitFor();
    await page.getByRole("button", { name: "Filter" }).click();
    await page.locator(".row-value").waitFor();
  },

  "what arrives is filtered too": async (page) => {
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("searchbox").fill("odd");
    await ran(page, 'for (let i = 0; i < 10; i++) console.log(i % 2 ? `odd ${i}` : `even ${i}`)');
    await rowWith(page, "entry", "odd 9");
    assert.deepEqual(await texts(page, ".row-entry"), ["odd 1", "odd 3", "odd 5", "odd 7", "odd 9"]);
  },

  "each row can say when it came": async (page) => {
    await ran(page, 'console.log("now"); 1');
    assert.equal(await page.locator(".row-time").count(), 0);
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("switch", { name: "Times" }).check();
    await page.locator(".row-entry .row-time", { hasText: /^\d\d:\d\d:\d\d\.\d{3}$/ }).waitFor();
    await page.locator(".row-value .row-time").waitFor();
  },

  "the console is copied as text and as Markdown": {
    context: { permissions: ["clipboard-read", "clipboard-write"] },
    test: async (page) => {
      const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
      await ran(page, 'console.log("twice"); console.log("twice"); "```"');
      await page.getByRole("button", { name: "Copy", exact: true }).click();
      await page.getByRole("button", { name: "Copied" }).waitFor();
      assert.match(await clipboard(), /^--- Run 1: console\.log.*\ntwice \(×2\)\n← '```'\n$/);
      await page.getByRole("button", { name: "Filter" }).click();
      await page.getByRole("button", { name: "Copy as Markdown" }).click();
      await eventually("Markdown in the clipboard", async () => {
        const text = await clipboard();
        return { ok: /^\*\*Run 1\*\* at [\d:]+: `+ ?console[^\n]*\n\n````text\ntwice \(×2\)\n← '```'\n````\n$/.test(text), text };
      });
    },
  },

  "copying works without the clipboard's own interface": async (page, { context, url }) => {
    await context.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    await page.goto(url);
    await connected(page);
    await ran(page, '"by command"');
    await page.getByRole("button", { name: "Copy", exact: true }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    await page.getByLabel("Line to run").click();
    await page.keyboard.press("Control+v");
    assert.match(await page.getByLabel("Line to run").inputValue(), /← 'by command'/);
  },

  "stack lines jump to the editor": async (page) => {
    await ran(page, "function inner() {\n  throw new Error('deep')\n}\n\n\ninner()", "Failed");
    const places = page.locator(".row-error .row-place");
    assert.equal(await places.count(), 2);
    await places.nth(1).click();
    await page.keyboard.type("/* here */ ");
    assert.match(await code(page), /\n\/\* here \*\/ inner\(\)$/);
    await page.getByRole("button", { name: /^line 2:/ }).click();
    await page.keyboard.type("/* there */");
    assert.match(await code(page), /\n {2}.*\/\* there \*\/.*\n/);
  },

  "a logged error has places as well, one from the line has none": async (page) => {
    await ran(page, "console.error(new Error('logged').stack)");
    await enter(page, "throw new Error('from the line')");
    await page.locator(".row-error", { hasText: "from the line" }).waitFor();
    assert.equal(await page.locator(".row-error button").count(), 0);
  },

  "a flood keeps the document small, and shows its end and its beginning": async (page) => {
    await run(page, `for (let i = 0; i < ${FLOOD - 1}; i++) console.log("line " + i)`);
    await rowWith(page, "entry", `line ${FLOOD - 2}`);
    assert.ok((await page.getByRole("log").locator("> *").count()) <= 1_500);
    await page.getByRole("region", { name: "Console output" }).press("Home");
    await rowWith(page, "entry", "line 0");
  },

  "a hundred thousand lines stay smooth": async (page) => {
    await page.getByRole("switch", { name: "Keep state" }).check();
    // Ten full runs: a run may log so much and no more. Waits for the screen, not for a clock.
    for (let part = 0; part < 10; part += 1) {
      await enter(page, `for (let i = 0; i < ${FLOOD}; i++) console.log(${part} * ${FLOOD} + i); "part ${part}"`);
      await rowWith(page, "value", `'part ${part}'`);
    }
    await page.getByRole("region", { name: "Console output" }).press("Home");
    await rowWith(page, "entry", "0");
    const scroller = page.getByRole("region", { name: "Console output" });
    const slowest = await scroller.evaluate(async (element) => {
      let worst = 0;
      for (let step = 0; step < 60; step += 1) {
        const began = performance.now();
        element.scrollTop += 400;
        await new Promise((frame) => requestAnimationFrame(() => setTimeout(frame)));
        worst = Math.max(worst, performance.now() - began);
      }
      return worst;
    });
    console.log(`      the slowest of 60 steps took ${slowest.toFixed(0)} ms`);
    assert.ok(slowest < 500, `a step took ${slowest} ms`);
    assert.ok((await page.getByRole("log").locator("> *").count()) <= 1_500);
    await scroller.press("End");
    await rowWith(page, "value", "'part 9'");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("searchbox").fill("99999");
    await rowWith(page, "entry", "99999");
  },

  "dropped entries are said": async (page) => {
    await run(page, 'for (let i = 0; i < 12000; i++) console.log("line " + i)');
    await page.locator(".note-warn", { hasText: /^2,000 entries dropped/ }).waitFor();
  },

  "the view follows new rows unless the reader has scrolled up": async (page) => {
    await ran(page, 'for (let i = 0; i < 200; i++) console.log("old " + i)');
    const scroller = page.getByRole("region", { name: "Console output" });
    await scroller.hover();
    await page.mouse.wheel(0, -800);
    await page.getByRole("button", { name: "To the newest" }).waitFor();
    const before = await scrollTop(page);
    await enter(page, 'console.log("new")');
    await page.getByRole("button", { name: /new rows/ }).waitFor();
    assert.equal(await scrollTop(page), before);
    await page.getByRole("button", { name: /new rows/ }).click();
    await rowWith(page, "entry", "new");
    await page.getByRole("button", { name: /new/ }).waitFor({ state: "detached" });
    await enter(page, 'console.log("newest")');
    await rowWith(page, "entry", "newest");
    await isAtBottom(page);
  },

  "the view follows while questions come and go below it": async (page) => {
    await run(page, 'for (let i = 0; i < 60; i++) console.log("row " + i);\nconst name = prompt("Your name?", "Ada");\nalert("Hi " + name);\nname');
    await page.getByLabel("Your name?").press("Enter");
    await page.locator(".ask-text", { hasText: "Hi Ada" }).waitFor();
    await page.keyboard.press("Enter");
    await rowWith(page, "value", "'Ada'");
    await isAtBottom(page);
    assert.equal(await page.getByRole("button", { name: /new/ }).count(), 0);
  },

  "a long text is shown in parts": async (page) => {
    await ran(page, 'console.log("x".repeat(50_000))');
    const more = page.getByRole("button", { name: /more characters/ });
    await more.click();
    await more.waitFor({ state: "detached" });
    assert.equal((await page.locator(".row-entry").innerText()).length, 50_000);
  },

  "Clear empties it": async (page) => {
    await ran(page, "1");
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByText("Output and results appear here.").waitFor();
    assert.equal(await page.locator(".row").count(), 0);
    await ran(page, "2");
    await rowWith(page, "value", "2");
  },

  "new rows are read out in short": async (page) => {
    await run(page, 'for (let i = 0; i < 3000; i++) console.log("line " + i); "end"');
    await page.locator(".console-summary", { hasText: /new rows.*Result: 'end'$/ }).waitFor({ state: "attached" });
    assert.equal(await page.getByRole("log").getAttribute("aria-live"), "off");
    await status(page, "Done");
  },
};
