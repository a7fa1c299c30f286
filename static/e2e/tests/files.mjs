import assert from "node:assert/strict";

import { code, connected, eventually, open, openWindow, ran, rowWith, run, status, texts, write } from "../person.mjs";

const tab = (page, name) => page.getByRole("tab", { name, exact: true });
const tabs = (page) => page.getByRole("tab").allTextContents();

/** By the buttons. */
async function addFile(page, name, text) {
  await page.getByRole("button", { name: "New file" }).click();
  await page.getByLabel("Name of the new file").fill(name);
  await page.keyboard.press("Enter");
  await tab(page, name).waitFor();
  await write(page, text);
}

const MAIN = 'import { twice } from "./util.js";\nexport default twice(21);';
const UTIL = "export function twice(n) {\n  return n * 2;\n}";

async function twoFiles(page) {
  await write(page, MAIN);
  await addFile(page, "util.js", UTIL);
}

export default {
  "TypeScript can be chosen, runs, and is kept": async (page) => {
    const typed = "enum Size { Small = 1, Large }\nconst size: Size = Size.Large;\nsize as number";
    await ran(page, typed, "Failed");
    await page.getByLabel("Language").selectOption("TypeScript");
    await tab(page, "main.ts").waitFor();
    await page.getByRole("textbox", { name: /^TypeScript code/ }).waitFor();
    // As a language without types has it, `enum` is an error; as a keyword it has its colour.
    const colour = (word) => page.locator(".cm-line span", { hasText: new RegExp(`^${word}$`) }).last().evaluate((span) => getComputedStyle(span).color);
    assert.equal(await colour("enum"), await colour("const"));
    await ran(page, typed);
    await rowWith(page, "value", "2");
    await page.reload();
    await connected(page);
    await page.locator(".cm-content").waitFor();
    assert.equal(await page.getByLabel("Language").inputValue(), "ts");
    await page.keyboard.press("Control+Enter");
    await rowWith(page, "value", "2");
  },

  "files are tabs, and the run is a module": async (page) => {
    await twoFiles(page);
    assert.deepEqual(await tabs(page), ["main.js", "util.js"]);
    await page.keyboard.press("Control+Enter");
    await rowWith(page, "value", "42");
    await tab(page, "main.js").click();
    assert.equal(await code(page), MAIN);
    await tab(page, "util.js").click();
    assert.equal(await code(page), UTIL);
    await page.reload();
    await connected(page);
    await page.locator(".cm-content").waitFor();
    assert.deepEqual(await tabs(page), ["main.js", "util.js"]);
    await page.keyboard.press("Control+Enter");
    await rowWith(page, "value", "42");
  },

  "each tab has an undo of its own": async (page) => {
    await twoFiles(page);
    await tab(page, "main.js").click();
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("// more");
    await tab(page, "util.js").click();
    await tab(page, "main.js").click();
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+z");
    assert.equal(await code(page), MAIN);
    await tab(page, "util.js").click();
    assert.equal(await code(page), UTIL);
  },

  "tabs are made, named, left and deleted by keys alone": async (page) => {
    await write(page, MAIN);
    await tab(page, "main.js").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    // The ending stays, the name is written over.
    await page.keyboard.type("first");
    await page.keyboard.press("Enter");
    assert.deepEqual(await tabs(page), ["main.js", "first.js"]);
    const focused = () => page.evaluate(() => document.activeElement.textContent);
    assert.equal(await focused(), "first.js");
    await page.keyboard.press("F2");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("lib/util.ts");
    await page.keyboard.press("Enter");
    assert.deepEqual(await tabs(page), ["main.js", "lib/util.ts"]);
    await page.getByRole("textbox", { name: /^TypeScript code/ }).waitFor();
    await page.keyboard.press("ArrowLeft");
    assert.deepEqual([await focused(), await code(page)], ["main.js", MAIN]);
    await page.keyboard.press("ArrowLeft");
    assert.equal(await focused(), "lib/util.ts");
    await page.keyboard.press("Home");
    await page.keyboard.press("Delete");
    assert.deepEqual(await tabs(page), ["main.js", "lib/util.ts"], "the code itself stays");
    await page.keyboard.press("End");
    await page.keyboard.press("Delete");
    assert.deepEqual(await tabs(page), ["main.js"]);
    assert.equal(await focused(), "main.js");
    await page.keyboard.press("Delete");
  },

  "a deleted file comes back": async (page) => {
    await twoFiles(page);
    await page.getByRole("button", { name: "Delete util.js" }).click();
    assert.deepEqual(await tabs(page), ["main.js"]);
    assert.equal(await code(page), MAIN);
    await page.getByText("util.js is deleted.").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    assert.deepEqual(await tabs(page), ["main.js", "util.js"]);
    assert.equal(await code(page), UTIL);
  },

  "a name that cannot be is said": async (page) => {
    await twoFiles(page);
    await page.getByRole("button", { name: "New file" }).click();
    const field = page.getByLabel("Name of the new file");
    for (const [name, said] of [["util.js", "There is a file of this name."], ["../up.js", /relative/], ["a:b.js", /has none of/], [" ", "A file needs a name."]]) {
      await field.fill(name);
      await page.keyboard.press("Enter");
      await page.getByRole("alert").filter({ hasText: said }).waitFor();
    }
    await page.keyboard.press("Escape");
    assert.deepEqual(await tabs(page), ["main.js", "util.js"]);
  },

  "errors and stack lines lead into the file that they are in": async (page) => {
    await write(page, 'import { check } from "./lib/util.js";\n\ncheck(null);');
    await addFile(page, "lib/util.js", "export function check(value) {\n  return value.length;\n}");
    await tab(page, "main.js").click();
    await run(page, 'import { check } from "./lib/util.js";\n\ncheck(null);');
    await status(page, "Failed");
    await page.getByRole("button", { name: /^lib\/util\.js 2:/ }).click();
    assert.equal(await tab(page, "lib/util.js").getAttribute("aria-selected"), "true");
    await page.locator(".cm-errorMessage", { hasText: "TypeError" }).waitFor();
    await page.keyboard.type("/* here */ ");
    // At the property that cannot be read, where browsers point as well.
    assert.match(await code(page), /\n {2}return value\.\/\* here \*\/ length;\n/);
    await page.locator(".row-error .row-place").nth(1).click();
    assert.equal(await tab(page, "main.js").getAttribute("aria-selected"), "true");
    await page.keyboard.type("/* and here */ ");
    assert.match(await code(page), /\ncheck\(\/\* and here \*\/ null\);/);
  },

  "places of an earlier run lead to the code that ran": async (page) => {
    await page.getByRole("switch", { name: "Keep state" }).check();
    await ran(page, "function broken() {\n  throw new Error('from the first run');\n}");
    await ran(page, "// something else\n\n\nbroken();", "Failed");
    await page.locator(".row-error .row-place", { hasText: "run-1:2:" }).click();
    const window = page.getByRole("dialog", { name: "main.js of run 1" });
    await window.getByText("throw new Error('from the first run');").waitFor();
    assert.equal(await window.locator(".source-marked .source-number").innerText(), "2");
    await window.getByRole("button", { name: "Put this program into the editor" }).click();
    assert.match(await code(page), /^function broken/);
    await page.locator(".row-error .row-place", { hasText: "run-1:2:" }).click();
    await page.keyboard.type("/* here */");
    assert.match(await code(page), /\n {2}.*\/\* here \*\//);
  },

  "a part of a file runs by itself, and its places are in that file": async (page) => {
    await write(page, "1");
    await addFile(page, "part.ts", "");
    await write(page, "export const skipped = true;\n  (null as any).x;");
    await page.locator(".cm-content").press("Control+End");
    await page.keyboard.press("Shift+Home");
    await page.keyboard.press("Control+Shift+Enter");
    await status(page, "Failed");
    await page.locator(".cm-errorMessage", { hasText: "TypeError" }).waitFor();
    await tab(page, "main.js").click();
    await page.getByRole("button", { name: /^line 2:/ }).click();
    assert.equal(await tab(page, "part.ts").getAttribute("aria-selected"), "true");
  },

  "language and files are in the link, the snapshots and the commands": async (page, { context, url }) => {
    await page.getByLabel("Language").selectOption("TypeScript");
    await write(page, 'import { a } from "./a.js";\nexport default a as number;');
    await addFile(page, "a.ts", "export const a: number = 7;");
    await ran(page, "export const a: number = 8;");
    await rowWith(page, "value", "8");
    await openWindow(page, "Share");
    const link = await page.getByLabel("Link", { exact: true }).inputValue();
    await page.keyboard.press("Escape");
    await openWindow(page, "Open in shell");
    assert.match(await page.getByLabel("The curl command").innerText(), /"lang":"ts","files":\{"a\.ts":/);
    await page.keyboard.press("Escape");

    const theirs = await context.newPage();
    await open(theirs, url);
    await theirs.evaluate((hash) => (location.hash = hash), new URL(link).hash);
    await theirs.getByText("This program came with the link.").waitFor();
    assert.deepEqual(await tabs(theirs), ["main.ts", "a.ts"]);
    await theirs.keyboard.press("Control+Enter");
    await rowWith(theirs, "value", "8");
    await theirs.close();

    await page.getByRole("button", { name: "Examples" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Mandelbrot" }).click();
    await eventually("one tab", async () => ({ ok: (await tabs(page)).join() === "main.js" }));
    await openWindow(page, "Snapshots");
    await page.getByRole("dialog").locator(".choice", { hasText: "1 file, TypeScript" }).first().click();
    assert.deepEqual(await tabs(page), ["main.ts", "a.ts"]);
    await page.keyboard.press("Control+Enter");
    await rowWith(page, "value", "8");
  },

  "the plain text field has tabs as well": async (page) => {
    await openWindow(page, "Menu");
    await page.getByRole("switch", { name: /^Plain text/ }).check();
    await page.keyboard.press("Escape");
    // The editor has the same name until the field is there.
    const field = page.getByRole("textbox", { name: "JavaScript code" }).and(page.locator("textarea"));
    await field.fill(MAIN);
    await page.getByRole("button", { name: "New file" }).click();
    await page.keyboard.press("Enter");
    await field.fill(UTIL);
    await field.press("Control+Enter");
    await rowWith(page, "value", "42");
    await tab(page, "main.js").click();
    assert.equal(await field.inputValue(), MAIN);
    assert.deepEqual(await texts(page, ".row-error"), []);
  },
};
