import assert from "node:assert/strict";

import { code, connected, enter, eventually, open, openWindow, ran, rowWith, run, status, texts, write } from "../person.mjs";
import { startServer } from "../server.mjs";

/** What the browser itself says of a server that is away. */
const AWAY = /WebSocket|ERR_|Failed to load resource/;

export default {
  "the code survives a reload": async (page) => {
    await write(page, "// a draft to keep\n\n'ä😀'");
    await page.reload();
    await page.locator(".cm-content").waitFor();
    assert.equal(await code(page), "// a draft to keep\n\n'ä😀'");
  },

  "the code survives a crash, even in the middle of typing": async (page, { context, url }) => {
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+a");
    // Faster than the page saves, and without the pause that a person may never make.
    await page.keyboard.type("const typed = 'on and on';", { delay: 30 });
    await eventually("the draft is stored", async () => {
      const stored = await page.evaluate(() => localStorage.getItem("runpen.draft"));
      return { ok: stored?.includes("on and"), stored };
    });
    await crash(page, context);
    const next = await context.newPage();
    await open(next, url);
    assert.match(await code(next), /^const typed = 'on and/);
  },

  "two tabs keep their own code": async (page, { context, url }) => {
    const other = await context.newPage();
    await open(other, url);
    await write(page, "'first tab'");
    await write(other, "'second tab'");
    await page.reload();
    await other.reload();
    await page.locator(".cm-content").waitFor();
    await other.locator(".cm-content").waitFor();
    assert.equal(await code(page), "'first tab'");
    assert.equal(await code(other), "'second tab'");
  },

  "each run leaves a snapshot to go back to": async (page) => {
    await ran(page, "'version one'");
    await ran(page, "'version two'");
    await ran(page, "'version two'");
    await write(page, "'not run'");
    await openWindow(page, "Snapshots");
    const choices = page.getByRole("dialog").locator(".choice-title");
    assert.deepEqual(await choices.allTextContents(), ["'version two'", "'version one'"]);
    await page.getByRole("button", { name: /^'version one'/ }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await code(page), "'version one'");
    await openWindow(page, "Snapshots");
    assert.equal(await choices.first().innerText(), "'not run'", "what was replaced is kept as well");
    await page.keyboard.press("Escape");
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+z");
    assert.equal(await code(page), "'not run'", "undo works too, and takes back nothing else");
  },

  "settings survive a reload": async (page) => {
    await page.getByRole("switch", { name: "Keep state" }).check();
    await page.getByLabel("Time limit").selectOption("1 s");
    await page.reload();
    await connected(page);
    await page.getByRole("option", { name: "10 s" }).waitFor({ state: "attached" });
    assert.equal(await page.getByRole("switch", { name: "Keep state" }).isChecked(), true);
    assert.equal(await page.getByLabel("Time limit").evaluate((select) => select.selectedOptions[0].text), "1 s");
  },

  "whatever stands in storage, the page works": async (page) => {
    await page.evaluate(() => {
      for (const name of ["settings", "snapshots", "history"]) localStorage.setItem(`runpen.${name}`, '[{"<img src=x>":null}, 7, "');
    });
    await page.reload();
    await connected(page);
    await run(page, "1 + 1");
    await rowWith(page, "value", "2");
  },

  "a full storage loses snapshots before it loses code": async (page) => {
    await page.evaluate(() => {
      const big = Array.from({ length: 4 }, (_, time) => ({ time, code: String(time).repeat(400_000) }));
      localStorage.setItem("runpen.snapshots", JSON.stringify(big));
      for (let size = 1 << 21; size > 16; size >>= 1) {
        try {
          // One more of each size fills what the larger ones leave.
          for (let more = 0; more < 3; more += 1) localStorage.setItem(`filler ${size} ${more}`, "x".repeat(size));
        } catch {
          // Full for this size.
        }
      }
    });
    await write(page, `'${"kept ".repeat(1000)}'`);
    await eventually("the draft is stored", async () => {
      const stored = await page.evaluate(() => localStorage.getItem("runpen.draft") ?? "");
      return { ok: stored.length > 5000, length: stored.length };
    });
  },

  "a server restart in mid-run is survived": {
    manual: true,
    test: async (page, { allow }) => {
      allow(AWAY);
      const first = await startServer();
      let second;
      try {
        await open(page, first.url);
        await page.getByRole("switch", { name: "Keep state" }).check();
        await ran(page, 'var kept = "before"; console.log("output stays")');
        await run(page, "for (;;) {}");
        await status(page, "Running");
        await first.stop("SIGKILL");
        await page.getByText("Offline", { exact: true }).waitFor();
        await page.locator(".notice", { hasText: "Trying again" }).waitFor();
        await page.locator(".note-bad", { hasText: "The connection was lost" }).waitFor();
        await status(page, "Connection lost");
        second = await startServer({ port: first.port });
        await connected(page);
        await page.locator(".row-note", { hasText: "The runtime is fresh" }).waitFor();
        assert.deepEqual(await texts(page, ".row-entry"), ["output stays"]);
        assert.equal(await code(page), "for (;;) {}");
        await run(page, "typeof kept");
        await rowWith(page, "value", "'undefined'");
      } finally {
        await first.stop();
        await second?.stop();
      }
    },
  },

  "a socket that is cut comes back by itself": async (page) => {
    const cut = await page.context().newCDPSession(page);
    await enter(page, "var here = 1");
    await cut.send("Network.enable");
    // Closes what is open, as a sleeping laptop does.
    await page.evaluate(() => window.dispatchEvent(new Event("pagehide")));
    await page.locator(".connection-closed").waitFor();
    await page.evaluate(() => window.dispatchEvent(new Event("pageshow")));
    await connected(page);
    await page.locator(".row-note", { hasText: "The runtime is fresh" }).waitFor();
    await enter(page, "typeof here");
    await rowWith(page, "value", "'undefined'");
  },
};

/** Ends the page's process, which gets no chance to save anything. */
async function crash(page, context) {
  const devtools = await context.newCDPSession(page);
  const crashed = new Promise((resolve) => page.once("crash", resolve));
  devtools.send("Page.crash").catch(() => {});
  await crashed;
}
