import assert from "node:assert/strict";

import { connected, enter, eventually, openWindow, ran, rowWith, run, status, write } from "../person.mjs";

/** What has the focus, in words. */
const focused = (page) =>
  page.evaluate(() => {
    const { activeElement } = document;
    return activeElement.getAttribute("aria-label") ?? activeElement.id ?? activeElement.localName;
  });

const closed = (page) => page.getByRole("dialog").waitFor({ state: "detached" });
/** A closed window is no window any more before it is out of the document: the focus may come a moment later. */
const has = (element, which) =>
  eventually(`the focus goes ${which}`, async () => ({ ok: await element.evaluate((it) => it === document.activeElement) }));
const notOnBody = (page, when) =>
  eventually(`the focus is somewhere ${when}`, async () => {
    const name = await page.evaluate(() => document.activeElement.localName);
    return { ok: name !== "body", name };
  });

export default {
  "any window that closes gives the focus back to where it came from": async (page) => {
    await write(page, "1");
    await page.keyboard.press("F1");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await closed(page);
    await has(page.locator(".editor-host"), "from the help to the editor");
    const menu = page.getByRole("button", { name: "Menu" });
    for (const name of ["Menu", "Examples", "Snapshots", "Share", "Open in shell", "Keyboard"]) {
      await menu.focus();
      await openWindow(page, name);
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      await closed(page);
      await has(menu, `from ${name} to the menu's button`);
    }
    await menu.focus();
    await openWindow(page, "Examples");
    await page.getByRole("dialog").getByRole("button", { name: /^Classes/ }).click();
    await closed(page);
    await has(menu, "from an example that was chosen");
    await page.getByLabel("Line to run").focus();
    await page.keyboard.press("F1");
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    await closed(page);
    await has(page.getByLabel("Line to run"), "from the help to the line");
  },

  "and so does the code of an earlier run": async (page) => {
    await page.getByRole("switch", { name: "Keep state" }).check();
    await ran(page, "function broken() {\n  throw new Error('from the first run');\n}");
    await ran(page, "// something else\n\n\nbroken();", "Failed");
    const place = page.locator(".row-error .row-place", { hasText: "run-1:2:" });
    await place.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await closed(page);
    await has(place, "to the place in the stack");
  },

  "it is never lost with what had it": async (page) => {
    // A notice that is closed.
    await page.evaluate(() => (location.hash = "#v1=broken"));
    await page.getByText("This link is damaged").waitFor();
    await page.getByRole("button", { name: "Close" }).focus();
    await page.keyboard.press("Enter");
    await notOnBody(page, "after a notice");
    // Stop, which has nothing left to stop.
    await run(page, "for (;;) {}");
    await status(page, "Running");
    await page.getByRole("button", { name: "Stop" }).focus();
    await page.keyboard.press("Enter");
    await status(page, "Stopped");
    await notOnBody(page, "after Stop");
    assert.equal(await page.evaluate(() => document.activeElement.textContent.includes("Stop")), true);
    // The rest of a long text, which takes the place of its button.
    await ran(page, 'console.log("x".repeat(20_000)); for (let i = 0; i < 100; i++) console.log(i)');
    const scroller = page.getByRole("region", { name: "Console output" });
    await scroller.press("Home");
    await page.getByRole("button", { name: /more characters/ }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: /more characters/ }).waitFor({ state: "detached" });
    await notOnBody(page, "after the rest of a text");
    // The way to the newest row, at the newest row.
    await page.getByRole("button", { name: "To the newest" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "To the newest" }).waitFor({ state: "detached" });
    await notOnBody(page, "at the newest row");
    assert.equal(await focused(page), "Console output");
    // A button that the last step disables.
    await openWindow(page, "Menu");
    const smaller = page.getByRole("button", { name: "Smaller" });
    await smaller.focus();
    for (let step = 0; step < 4; step += 1) await page.keyboard.press("Enter");
    await page.locator("output", { hasText: /^10$/ }).waitFor();
    await notOnBody(page, "at the smallest type");
    await page.getByRole("switch", { name: /^Plain text/ }).check();
    await page.keyboard.press("Escape");
    await closed(page);
    await notOnBody(page, "after the editor has changed");
  },

  "what a prompt offers is there, and question and answer stay": async (page) => {
    await run(page, "const name = prompt('Your name?', 'Ada'); const sure = confirm('Sure?'); [name, sure]");
    const field = page.getByLabel("Your name?");
    await field.waitFor();
    assert.equal(await field.inputValue(), "Ada");
    // All of it is selected: typing takes its place.
    await page.keyboard.type("Grace");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "OK" }).click();
    await rowWith(page, "value", "[ 'Grace', true ]");
    const said = await page.locator(".row-question, .row-answer").allTextContents();
    assert.deepEqual(said, ["Your name?", "Grace", "Sure?", "OK"]);
    await has(page.locator(".editor-host"), "where it was before the questions");
  },

  "undo after an example brings back the language and the files": async (page) => {
    await page.getByLabel("Language").selectOption("TypeScript");
    await write(page, "import { a } from './a.ts';\na as number;");
    await page.getByRole("button", { name: "New file" }).click();
    await page.getByLabel("Name of the new file").fill("a.ts");
    await page.keyboard.press("Enter");
    await write(page, "export const a: number = 7;");
    await page.getByRole("button", { name: "Examples" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Mandelbrot" }).click();
    await closed(page);
    await eventually("the example is there", async () => ({ ok: (await page.getByRole("tab").allTextContents()).join() === "main.js" }));
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+z");
    await eventually("all of it is back", async () => {
      const tabs = await page.getByRole("tab").allTextContents();
      return { ok: tabs.join() === "main.ts,a.ts", tabs };
    });
    assert.equal(await page.getByLabel("Language").inputValue(), "ts");
    await page.keyboard.press("Control+Enter");
    await rowWith(page, "value", "7");
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+y");
    await eventually("and gone again", async () => ({ ok: (await page.getByRole("tab").allTextContents()).join() === "main.js" }));
  },

  "a shared link does not change the reader's own settings": async (page, { context, url }) => {
    await page.getByRole("switch", { name: "Keep state" }).check();
    await page.getByLabel("Time limit").selectOption("1 s");
    await write(page, "'shared'");
    await openWindow(page, "Share");
    const link = await page.getByLabel("Link", { exact: true }).inputValue();
    await page.keyboard.press("Escape");
    // Back to other settings, as another reader has them.
    await page.getByRole("switch", { name: "Keep state" }).uncheck();
    await page.getByLabel("Time limit").selectOption("30 s");
    const theirs = await context.newPage();
    await theirs.goto(`${url}/${new URL(link).hash}`);
    await connected(theirs);
    await theirs.getByText("This program came with the link.").waitFor();
    const settings = async (of) => [
      await of.getByRole("switch", { name: "Keep state" }).isChecked(),
      await of.getByLabel("Time limit").evaluate((select) => select.selectedOptions[0].text),
    ];
    await theirs.getByRole("option", { name: "10 s" }).waitFor({ state: "attached" });
    assert.deepEqual(await settings(theirs), [true, "1 s"], "the program runs as it was meant");
    // A setting of the reader's own, meanwhile.
    await theirs.keyboard.press("Alt+=");
    await theirs.reload();
    await connected(theirs);
    await theirs.getByRole("option", { name: "10 s" }).waitFor({ state: "attached" });
    assert.deepEqual(await settings(theirs), [false, "30 s"]);
    await theirs.close();
  },

  "offline is noticed at once": {
    manual: true,
    test: async (page, { url, allow }) => {
      allow(/WebSocket|ERR_/);
      let isSilent = false;
      await page.routeWebSocket(/./, (socket) => {
        if (isSilent) return socket.close();
        const server = socket.connectToServer();
        socket.onMessage((message) => isSilent || server.send(message));
        server.onMessage((message) => isSilent || socket.send(message));
      });
      await page.goto(url);
      await connected(page);
      // A server that is there all the same: nothing happens.
      await page.evaluate(() => window.dispatchEvent(new Event("offline")));
      await enter(page, "await new Promise((wake) => setTimeout(wake, 1500)); 'still here'");
      await rowWith(page, "value", "'still here'");
      assert.equal(await page.locator(".notice").count(), 0);
      isSilent = true;
      const began = performance.now();
      await page.evaluate(() => window.dispatchEvent(new Event("offline")));
      await page.getByText("Offline", { exact: true }).waitFor();
      const took = performance.now() - began;
      console.log(`      noticed after ${took.toFixed(0)} ms`);
      // Without a word from the browser it takes up to thirty seconds.
      assert.ok(took < 10_000, `${took} ms`);
    },
  },
};
