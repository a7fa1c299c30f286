import assert from "node:assert/strict";

import { code, enter, eventually, ran, rowWith, status, suggested, texts, write } from "../person.mjs";

const line = (page) => page.getByLabel("Line to run");
const options = (page) => page.getByRole("listbox", { name: "Suggestions" }).getByRole("option");
const popup = (page) => page.locator(".cm-tooltip-autocomplete");

export default {
  "the line suggests what the session knows": async (page) => {
    await enter(page, "var planets = { mercury: 1, venus: 2 }");
    await line(page).click();
    await page.keyboard.type("plan");
    await suggested(page, options(page).filter({ hasText: "planets" }));
    // Nothing is chosen, so Enter would still run the line.
    assert.equal(await page.locator(".suggestion[aria-selected=true]").count(), 0);
    await page.keyboard.press("Tab");
    assert.equal(await line(page).inputValue(), "planets");
    await page.keyboard.type(".");
    await suggested(page, options(page).filter({ hasText: "venus" }));
    await page.keyboard.type("ven");
    await suggested(page, options(page).filter({ hasText: "venus" }));
    await options(page).nth(1).waitFor({ state: "detached" });
    await page.keyboard.press("ArrowDown");
    const chosen = page.getByRole("listbox", { name: "Suggestions" }).getByRole("option", { selected: true });
    assert.match(await chosen.innerText(), /^venus/);
    assert.equal(await line(page).getAttribute("aria-activedescendant"), await chosen.getAttribute("id"));
    await page.keyboard.press("Enter");
    assert.equal(await line(page).inputValue(), "planets.venus");
    await page.keyboard.press("Enter");
    await rowWith(page, "value", "2");
  },

  "suggestions are clicked, and Escape sends them away": async (page) => {
    await line(page).click();
    await page.keyboard.type("cons");
    await suggested(page, options(page).filter({ hasText: /^const(?:keyword)?$/ }));
    await options(page).filter({ hasText: /^const(?:keyword)?$/ }).click();
    assert.equal(await line(page).inputValue(), "const");
    await line(page).fill("");
    await page.keyboard.type("cons");
    await suggested(page, options(page).first());
    await page.keyboard.press("Escape");
    await options(page).first().waitFor({ state: "detached" });
    assert.equal(await line(page).inputValue(), "cons");
  },

  "the editor suggests what the session knows, and its own words": async (page) => {
    await page.getByRole("switch", { name: "Keep state" }).check();
    await ran(page, "var fromTheSession = { property: 1 };");
    await write(page, "let fromTheText = 1;\n");
    await page.keyboard.type("fromThe");
    for (const word of ["fromTheSession", "fromTheText"]) await suggested(page, popup(page).locator("li", { hasText: word }));
    const selected = popup(page).locator("li[aria-selected=true]");
    const first = await selected.innerText();
    // For a moment after it has opened the list takes no keys, so that nobody takes what they have not seen.
    await eventually("the keys choose", async () => {
      // Where it takes no keys they are the editor's, which may close it.
      if ((await selected.count()) === 0) {
        await page.keyboard.press("Control+Space");
        await selected.waitFor();
      }
      await page.keyboard.press("ArrowDown");
      if ((await selected.count()) === 0) return { ok: false };
      const now = await selected.innerText();
      return { ok: now !== first, now };
    });
    const label = await selected.locator(".cm-completionLabel").innerText();
    await page.keyboard.press("Tab");
    assert.equal(await code(page), `let fromTheText = 1;\n${label}`);
    await write(page, "fromTheSession");
    await page.keyboard.type(".pro");
    const property = popup(page).locator("li", { hasText: "property" });
    await suggested(page, property);
    await property.first().click();
    assert.equal(await code(page), "fromTheSession.property");
  },

  "without a connection it is quiet, and the words of the text remain": async (page, { allow }) => {
    allow(/WebSocket|ERR_/);
    await page.routeWebSocket(/./, (socket) => socket.close());
    await page.evaluate(() => window.dispatchEvent(new Event("pagehide")));
    await write(page, "let fromTheText = 1;\n");
    await page.keyboard.type("fromThe");
    await popup(page).locator("li", { hasText: "fromTheText" }).waitFor();
    await line(page).click();
    await page.keyboard.type("cons");
    assert.equal(await options(page).count(), 0);
    assert.deepEqual(await texts(page, ".row"), []);
  },

  "Enter runs what is complete, and goes on where it is not": async (page) => {
    const enterLine = async (text) => {
      await page.keyboard.type(text);
      await page.keyboard.press("Escape");
      await page.keyboard.press("Enter");
    };
    await line(page).click();
    await enterLine("if (true)");
    await page.waitForFunction(() => document.querySelector("#line-field").value === "if (true)\n");
    await enterLine("  'both lines'");
    await rowWith(page, "value", "'both lines'");
    await enterLine("let a = ;");
    await page.locator(".row-error", { hasText: "SyntaxError" }).waitFor();
    await enterLine("`one");
    await page.keyboard.type("two`");
    await page.keyboard.press("Enter");
    await rowWith(page, "value", "'one\\ntwo'");
  },

  "whoever types faster than the session answers loses nothing": async (page) => {
    await line(page).click();
    // All at once, as a fast typist and a slow network make it.
    await page.evaluate(() => {
      const field = document.querySelector("#line-field");
      const type = (text) => {
        field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
        field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      };
      const enter = () => field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
      type("[1,");
      enter();
      type("2].length");
      enter();
    });
    await rowWith(page, "line", "[1,\n2].length");
    await rowWith(page, "value", "2");
    assert.equal(await line(page).inputValue(), "");
  },

  "Enter does not wait for code that never pauses": async (page) => {
    await enter(page, "for (;;) {}");
    await status(page, "Running");
    await enter(page, "1 + 1");
    await page.getByText("line is number 1 in the queue", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await status(page, "Stopped");
  },
};
