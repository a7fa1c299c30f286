import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { DESKTOP, PHONE } from "../browser.mjs";
import { enter, openWindow, ran, rowWith, run, status, suggested, write } from "../person.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const EVERY_KIND_OF_ROW = `// every kind of row
console.log("log"); console.log("log"); console.info("info"); console.warn("warn"); console.debug("debug");
console.error(new Error("logged").stack);
setTimeout(() => {}, 1);
function f() { null.x }
f()`;

const DRAWN = `console.log("gone"); console.clear();
console.table([{ a: 1, b: "x" }, { a: null, b: true }]);
console.group("open"); console.log("%cstyled", "font-weight: bold"); console.warn("in it", { a: 1 }, [2]); console.groupEnd();
console.groupCollapsed("folded"); console.log("in it"); console.groupEnd();
({ list: [1, "two", null, undefined, 10n, Symbol("s"), () => {}, new Error("e")], map: new Map([[{}, 1]]), get lazy() { return 1 }, set only(_) {} })`;

/** Checks what is on the screen now. */
async function check(page, view) {
  const violations = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map(({ html, any }) => `    ${html.slice(0, 160)} ${any[0]?.message ?? ""}`).join("\n")}`);
  });
  assert.deepEqual(violations, [], `${view}:\n${violations.join("\n")}`);
}

const everyView = (context) => ({
  context,
  test: async (page) => {
    // Evaluated by the debugger, which the page's policy does not bind.
    await page.evaluate(AXE);
    await check(page, "the page as it opens");
    await ran(page, EVERY_KIND_OF_ROW, "Failed");
    for (const line of ["42", "'text'", "undefined", "null", "Symbol('s')", "f", "({ a: [1] })", "10n"]) await enter(page, line);
    await rowWith(page, "value", "10n");
    await check(page, "every kind of row");
    await page.getByRole("button", { name: "Clear" }).click();
    await run(page, DRAWN);
    await status(page, "Done");
    for (const name of ["Value", "Values"]) await page.getByRole("button", { name, exact: true }).last().click();
    await page.getByRole("treeitem").filter({ hasText: /^list: / }).click();
    await page.getByRole("treeitem").filter({ hasText: /^0: 1$/ }).waitFor();
    await check(page, "tables, groups, a cleared console and open values");
    await page.getByRole("button", { name: "New file" }).click();
    await page.getByLabel("Name of the new file").fill("../no.ts");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    await check(page, "a name for a file");
    await page.getByLabel("Name of the new file").fill("yes.ts");
    await page.keyboard.press("Enter");
    await write(page, "function first() {\n  throw new Error('x');\n}");
    await check(page, "tabs");
    await page.getByRole("button", { name: "Delete yes.ts" }).click();
    await check(page, "a deleted file");
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("switch", { name: "Keep state" }).check();
    await ran(page, "function first() {\n  throw new Error('x');\n}");
    await ran(page, "first()", "Failed");
    await page.locator(".row-error .row-place").first().click();
    await page.getByRole("dialog").waitFor();
    await check(page, "the code of an earlier run");
    await page.keyboard.press("Escape");
    await page.getByLabel("Line to run").click();
    await page.keyboard.type("con");
    await suggested(page, page.getByRole("listbox"));
    await page.keyboard.press("ArrowDown");
    await check(page, "suggestions in the line");
    await page.keyboard.press("Escape");
    await page.getByLabel("Line to run").fill("");
    await write(page, "");
    await page.keyboard.type("con");
    await suggested(page, page.locator(".cm-tooltip-autocomplete"));
    await check(page, "suggestions in the editor");
    await page.keyboard.press("Escape");
    await page.getByRole("switch", { name: "Keep state" }).uncheck();
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("switch", { name: "Times" }).check();
    await page.getByRole("button", { name: "Debug" }).click();
    await check(page, "the console's tools");
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+f");
    await page.locator(".cm-search").waitFor();
    await page.locator(".cm-search input[name=search]").fill("console");
    await check(page, "the editor's search");
    await page.keyboard.press("Escape");
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+a");
    await page.getByRole("button", { name: "Run selection" }).waitFor();
    await check(page, "a selection");
    await enter(page, 'prompt("Who?"); confirm("Sure?"); for (;;) {}');
    await page.getByLabel("Who?").waitFor();
    await check(page, "a question");
    await page.keyboard.press("Enter");
    await page.locator(".ask-text", { hasText: "Sure?" }).waitFor();
    await page.getByRole("button", { name: "OK" }).click();
    await status(page, "Running");
    await check(page, "running");
    await page.getByRole("button", { name: "Stop" }).click();
    await status(page, "Stopped");
    await page.evaluate(() => (location.hash = "#v1=broken"));
    await page.getByText("This link is damaged").waitFor();
    await check(page, "a notice");
    for (const name of ["Menu", "Examples", "Snapshots", "Share", "Open in shell", "Keyboard"]) {
      await openWindow(page, name);
      if (name === "Share") await page.getByRole("button", { name: "Copy link" }).waitFor();
      await check(page, name);
      await page.keyboard.press("Escape");
    }
    await openWindow(page, "Menu");
    await page.getByRole("switch", { name: /^Plain text/ }).check();
    await page.keyboard.press("Escape");
    await check(page, "the plain text field");
    await openWindow(page, "Menu");
    await page.getByRole("switch", { name: /^Projector/ }).check();
    await check(page, "the menu on a projector");
    await page.keyboard.press("Escape");
    await check(page, "the projector");
  },
});

/** Presses Tab until the focus is on it; what cannot be reached so cannot be used without a mouse. */
async function tabTo(page, name) {
  for (let presses = 0; presses < 60; presses += 1) {
    const label = await page.evaluate(() => {
      const { ariaLabel, labels, localName, textContent } = document.activeElement;
      return ariaLabel ?? labels?.[0]?.textContent ?? (localName === "button" ? textContent : "");
    });
    if (label.includes(name)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not lead to ${name}`);
}

export default {
  "axe finds nothing: desktop, light": everyView({ ...DESKTOP, colorScheme: "light" }),
  "axe finds nothing: desktop, dark": everyView({ ...DESKTOP, colorScheme: "dark" }),
  "axe finds nothing: phone, light": everyView({ ...PHONE, colorScheme: "light" }),
  "axe finds nothing: phone, dark": everyView({ ...PHONE, colorScheme: "dark" }),

  "axe finds nothing while the server is away": async (page, { allow }) => {
    allow(/WebSocket|ERR_/);
    await page.context().setOffline(true);
    await page.evaluate(AXE);
    await page.routeWebSocket(/./, (socket) => socket.close());
    // An attempt that fails.
    await page.evaluate(() => window.dispatchEvent(new Event("pagehide")));
    await page.evaluate(() => window.dispatchEvent(new Event("pageshow")));
    await page.locator(".notice", { hasText: "Trying again" }).waitFor();
    await check(page, "the server is away");
  },

  "keys alone do everything": async (page) => {
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText("[1, 2].map((n) => n.missing.oops)");
    await page.keyboard.press("Control+Enter");
    await status(page, "Failed");
    // Out of the editor, through the console, to the place of the error and back into the editor.
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    await tabTo(page, "line 1:");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.className), "editor-host");
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText("'by keys'");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    await tabTo(page, "Filter");
    await page.keyboard.press("Space");
    await tabTo(page, "Search the console");
    await page.keyboard.type("TypeError");
    await page.getByText(/^1 of \d+ rows$/).waitFor();
    await tabTo(page, "Line to run");
    await page.keyboard.type("prompt('Who?')");
    await page.keyboard.press("Enter");
    await page.getByLabel("Who?").waitFor();
    await page.keyboard.type("me");
    await page.keyboard.press("Enter");
    await status(page, "Done");
    await page.keyboard.press("Shift+F6");
    await page.keyboard.press("Home");
    // The header: a window opens, is used, and gives the focus back.
    await page.keyboard.press("F6");
    await page.keyboard.press("F6");
    await tabTo(page, "Menu");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Menu" }).waitFor();
    await tabTo(page, "Snapshots");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Snapshots" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await tabTo(page, "Menu");
    await page.keyboard.press("Control+s");
    await page.getByText("runtime in use", { exact: true }).waitFor();
    await tabTo(page, "Keep state");
    await page.keyboard.press("Space");
    assert.equal(await page.getByRole("switch", { name: "Keep state" }).isChecked(), true);
  },

  "? shows the keys, but not while one types": async (page) => {
    await page.locator(".cm-content").click();
    await page.keyboard.type("?");
    assert.equal(await page.getByRole("dialog").count(), 0);
    await page.getByRole("region", { name: "Console output" }).focus();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await page.getByText("Stop everything that runs").waitFor();
    // A window has the keys to itself, but Stop works always.
    await page.keyboard.press("Control+Enter");
    assert.equal(await page.locator(".row").count(), 0);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("F1");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  },

  "F6 goes around the page": async (page) => {
    await write(page, "1");
    const seen = [];
    for (let press = 0; press < 4; press += 1) {
      await page.keyboard.press("F6");
      seen.push(await page.evaluate(() => document.activeElement?.className.split(" ")[0]));
    }
    assert.deepEqual(seen, ["console-scroller", "line-field", "button", "editor-host"]);
  },

  "Stop works from within a window": async (page) => {
    await run(page, "for (;;) {}");
    await status(page, "Running");
    await openWindow(page, "Menu");
    await page.keyboard.press("Control+.");
    await status(page, "Stopped");
  },
};
