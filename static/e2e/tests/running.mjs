import assert from "node:assert/strict";

import { enter, ran, rowWith, run, status, statusText, texts, write } from "../person.mjs";

export default {
  "output arrives while the code runs, and the result after it": async (page) => {
    await run(page, 'for (let i = 1; i <= 3; i++) {\nconsole.log("tick " + i);\nawait new Promise((wake) => setTimeout(wake, 600));\n}\n6 * 7');
    await rowWith(page, "entry", "tick 1");
    assert.equal(await statusText(page), "Running", "the first line must not wait for the end of the run");
    assert.match(await page.locator(".status").innerText(), /\d\.\d s/);
    assert.equal(await page.locator(".row-value").count(), 0);
    await rowWith(page, "value", "42");
    await status(page, "Done");
    assert.deepEqual(await texts(page, ".row-entry"), ["tick 1", "tick 2", "tick 3"]);
  },

  "a program can be typed": async (page) => {
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("const twice = (n) => n * 2;\ntwice(21)");
    await page.keyboard.press("Control+Enter");
    await rowWith(page, "value", "42");
  },

  "Ctrl+S runs as well, and saves no page": async (page) => {
    await write(page, '"saved"');
    await page.keyboard.press("Control+s");
    await rowWith(page, "value", "'saved'");
  },

  "the buttons run and stop": async (page) => {
    await write(page, "while (true);");
    await page.getByRole("button", { name: "Run", exact: false }).first().click();
    await status(page, "Running");
    await page.getByRole("button", { name: "Stop" }).click();
    await status(page, "Stopped");
    assert.equal(await page.getByRole("button", { name: "Stop" }).isDisabled(), true);
  },

  "each run starts fresh, until keep state is on": async (page) => {
    await ran(page, "var kept = 5");
    await run(page, "typeof kept");
    await rowWith(page, "value", "'undefined'");
    await page.getByRole("switch", { name: "Keep state" }).check();
    await ran(page, "var kept = 6");
    await run(page, "kept + 1");
    await rowWith(page, "value", "7");
    await page.getByRole("switch", { name: "Keep state" }).uncheck();
    await run(page, "typeof kept + 2");
    await rowWith(page, "value", "'undefined2'");
    assert.deepEqual(await texts(page, ".note-warn"), [], "what was asked for is no surprise");
  },

  "the selection runs in the runtime as it is, with positions of the editor": async (page) => {
    await ran(page, "var base = 40;\nbase + 2;\n  null.oops", "Failed");
    assert.equal(await page.getByRole("button", { name: "Run selection" }).count(), 0);
    await page.locator(".cm-line").nth(1).click();
    await page.keyboard.press("Home");
    await page.keyboard.press("Shift+End");
    await page.getByRole("button", { name: "Run selection" }).click();
    await rowWith(page, "value", "42");
    await page.locator(".cm-line").nth(2).click();
    await page.keyboard.press("Home");
    await page.keyboard.press("Shift+End");
    await page.keyboard.press("Control+Shift+Enter");
    await page.locator(".row-error").nth(1).waitFor();
    await page.locator(".row-error").nth(1).getByRole("button", { name: /^line 3:/ }).waitFor();
    await page.locator(".cm-errorLine").waitFor();
    assert.match(await page.locator(".cm-errorLine").innerText(), /null\.oops/);
  },

  "a run behind another says its place in line": async (page) => {
    await run(page, "for (;;) {}");
    await status(page, "Running");
    for (const line of ["1 + 1", "2 + 2", "3 + 3"]) await enter(page, line);
    for (const text of ["line is number 1 in the queue", "line is number 2 in the queue", "1 more"]) {
      await page.getByText(text, { exact: true }).waitFor();
    }
    await page.getByRole("button", { name: "Stop" }).click();
    await status(page, "Stopped");
  },

  "prompt, confirm and alert are answered in the page": async (page) => {
    await run(page, 'const who = prompt("Your name?"); const sure = confirm("Sure?"); alert("Last words"); [who, sure]');
    await page.getByLabel("Your name?").waitFor();
    await status(page, "Waiting for your input");
    await page.getByLabel("Your name?").fill("Ada");
    await page.keyboard.press("Enter");
    await page.locator(".ask-text", { hasText: "Sure?" }).waitFor();
    await page.getByRole("button", { name: "OK" }).click();
    await page.locator(".ask-text", { hasText: "Last words" }).waitFor();
    await page.getByRole("button", { name: "OK" }).click();
    await rowWith(page, "value", "[ 'Ada', true ]");
  },

  "timers that live on are said, and can be stopped": async (page) => {
    await run(page, 'setInterval(() => console.log("beat"), 50); 1');
    await rowWith(page, "value", "1");
    await status(page, "1 timer still running");
    await page.getByRole("button", { name: "Stop" }).click();
    await status(page, "Stopped");
  },

  "the time limit can be chosen, and is said when it strikes": async (page) => {
    await page.getByLabel("Time limit").selectOption("1 s");
    await run(page, "for (;;) {}");
    await status(page, "Timed out");
    await page.locator(".row-error", { hasText: "Stopped by the time limit after 1" }).waitFor();
  },

  "a runtime that had to be replaced is said": async (page) => {
    await page.getByLabel("Time limit").selectOption("1 s");
    await run(page, "[].reverse.call({ length: 2 ** 53 - 1 })");
    await page.getByText("runtime replaced", { exact: true }).waitFor();
    await page.locator(".note-warn", { hasText: "The runtime was replaced" }).waitFor();
    await ran(page, '"alive"');
  },

  "an error is shown, and marked at its place with its message": async (page) => {
    await run(page, "let fine = 1;\nnull.missing;");
    await page.locator(".row-error", { hasText: "Uncaught TypeError" }).waitFor();
    await page.locator(".cm-errorLine").waitFor();
    assert.match(await page.locator(".cm-errorLine").innerText(), /^null\.missing;/);
    assert.match(await page.locator(".cm-errorMessage").innerText(), /^TypeError: /);
    await status(page, "Failed");
    await page.locator(".cm-content").click();
    await page.keyboard.type(" ");
    await page.locator(".cm-errorLine").waitFor({ state: "detached" });
  },

  "a syntax error is marked too": async (page) => {
    await run(page, "let a = 1;\nlet b = ;");
    await page.locator(".cm-errorMessage", { hasText: "SyntaxError" }).waitFor();
  },

  "a value a thousand levels deep is shown": async (page) => {
    await run(page, "let deep = {}; for (let i = 0; i < 1000; i++) deep = { deep }; deep");
    await page.locator(".row-value", { hasText: "[Object]" }).waitFor();
  },

  "the editor searches": async (page) => {
    await write(page, "let needle = 1;\nlet hay = 2;\nneedle + hay");
    await page.keyboard.press("Control+f");
    await page.locator(".cm-search input[name=search]").fill("needle");
    await page.keyboard.press("Enter");
    assert.equal(await page.locator(".cm-searchMatch").count(), 2);
    await page.keyboard.press("Escape");
    await page.locator(".cm-search").waitFor({ state: "detached" });
  },
};
