import assert from "node:assert/strict";

import { enter, eventually, open, ran, rowWith, run, status, suggested, texts, write } from "../person.mjs";
import { startServer } from "../server.mjs";

/** What stands in the console, each with the sort of its row. */
const rows = (page) =>
  page.locator(".row").evaluateAll((all) =>
    // A machine that is busy may cost a stopped run its runtime, which is then said.
    all.filter((row) => !row.textContent.includes("The runtime was replaced")).map((row) => {
      const sort = /row-(\w+)/.exec(row.className)[1];
      return sort === "run" ? row.querySelector(".run-name").textContent : `${sort}: ${row.textContent.replace(/ after .*/, "")}`;
    }),
  );

export default {
  "Run takes the place of the run that goes on": async (page) => {
    await run(page, "for (;;) {}");
    await status(page, "Running");
    await run(page, "'mended'");
    await rowWith(page, "value", "'mended'");
    await status(page, "Done");
    assert.deepEqual(await rows(page), ["Run 1", "note: Stopped", "Run 2", "value: 'mended'"]);
  },

  "also where it waits for an answer": async (page) => {
    await run(page, "prompt('Never answered?')");
    await page.getByLabel("Never answered?").waitFor();
    await run(page, "'instead'");
    await rowWith(page, "value", "'instead'");
    assert.equal(await page.getByLabel("Never answered?").count(), 0);
  },

  "also in a runtime that is kept": {
    manual: true,
    test: async (page) => {
      // However busy the machine is, the runtime is not given up.
      const server = await startServer({ settings: { RUNPEN_RUN__KILL_GRACE_MS: "5000", RUNPEN_POOL__HEALTH_MS: "6000", RUNPEN_SERVER__SHUTDOWN_MS: "7000" } });
      try {
        await open(page, server.url);
        await page.getByRole("switch", { name: "Keep state" }).check();
        await ran(page, "var kept = 1");
        await run(page, "for (;;) {}");
        await status(page, "Running");
        await run(page, "kept + 1");
        await rowWith(page, "value", "2");
      } finally {
        await page.goto("about:blank");
        await server.stop();
      }
    },
  },

  "also where nothing interrupts it": async (page) => {
    await run(page, "[].reverse.call({ length: 2 ** 53 - 1 })");
    await status(page, "Running");
    await run(page, "'alive'");
    await rowWith(page, "value", "'alive'");
    assert.equal(await page.locator(".note-warn").count(), 0, "the next runtime was to be a fresh one in any case");
  },

  "pressed many times, the last one is the one that counts": async (page) => {
    await run(page, "for (;;) {}");
    await status(page, "Running");
    await write(page, "'only once'");
    for (let press = 0; press < 8; press += 1) await page.keyboard.press("Control+Enter");
    await status(page, "Done");
    await rowWith(page, "value", "'only once'");
    // Those that never began have left nothing.
    const seen = await rows(page);
    assert.equal(seen.at(-1), "value: 'only once'");
    assert.equal(seen.filter((row) => row.startsWith("Run ")).length, seen.filter((row) => /^(value|note)/.test(row)).length, seen.join("\n"));
  },

  "a heading is written when its run starts": async (page) => {
    await enter(page, "for (;;) {}");
    await status(page, "Running");
    await run(page, "'waits for the line'");
    await page.getByText("run 2 is number 1 in the queue", { exact: true }).waitFor();
    assert.equal(await page.locator(".row-run").count(), 0);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator(".row-note", { hasText: "Stopped before it began." }).waitFor();
    await status(page, "Stopped");
    assert.deepEqual(await rows(page), ["line: for (;;) {}", "Run 2", "note: Stopped before it began.", "note: earlier lineStopped"]);
  },

  "rows that come late say whose they are": async (page) => {
    await page.getByRole("switch", { name: "Keep state" }).check();
    await run(page, "globalThis.on = true; setInterval(() => console.log('tick ' + on), 20); 'first'");
    await rowWith(page, "value", "'first'");
    await run(page, "'second'");
    await rowWith(page, "value", "'second'");
    await enter(page, "on = 'late'");
    await page.locator(".row-entry", { hasText: "tick late" }).waitFor();
    const late = page.locator(".row-entry", { hasText: "tick late" }).last();
    assert.equal(await late.locator(".row-late").innerText(), "run 1");
    await page.getByRole("button", { name: "Stop" }).click();
    await status(page, "Stopped");
    assert.ok((await texts(page, ".row-note")).some((text) => /^run 1Stopped after/.test(text)));
  },

  "Run scrolls to its output": async (page) => {
    await ran(page, "for (let i = 0; i < 300; i++) console.log('old ' + i)");
    const scroller = page.getByRole("region", { name: "Console output" });
    await scroller.hover();
    await page.mouse.wheel(0, -1200);
    await page.getByRole("button", { name: "To the newest" }).waitFor();
    await ran(page, "'newest of all'");
    await rowWith(page, "value", "'newest of all'");
    await eventually("the result is seen", () =>
      page.locator(".row-value", { hasText: "newest of all" }).evaluate((row) => {
        const { bottom } = row.getBoundingClientRect();
        return { ok: bottom <= row.closest(".console-scroller").getBoundingClientRect().bottom, bottom };
      }),
    );
  },

  "the list of suggestions closes on Run": async (page) => {
    await write(page, "");
    await page.keyboard.type("con");
    await suggested(page, page.locator(".cm-tooltip-autocomplete"));
    await page.keyboard.press("Control+Enter");
    await page.locator(".cm-tooltip-autocomplete").waitFor({ state: "detached" });
    await status(page, "Failed");
  },
};
