/** What a person does on the page, and what they see of it. */

import assert from "node:assert/strict";

/** Opens the page and waits until it can be used. */
export async function open(page, url) {
  await page.goto(url);
  await connected(page);
  await page.locator(".cm-content").waitFor();
}

export function connected(page) {
  return page.locator(".connection-open").waitFor();
}

/** Clicks into the editor, replaces what is there, presses Ctrl+Enter. */
export async function run(page, code) {
  await write(page, code);
  await page.keyboard.press("Control+Enter");
}

/** Pasted, not typed: the editor closes brackets for those who type. */
export async function write(page, code) {
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(code);
}

/** Enters a line under the console, and waits until it is taken. */
export async function enter(page, line) {
  const field = page.getByLabel("Line to run");
  await field.fill(line);
  await field.press("Enter");
  await page.waitForFunction(() => document.querySelector("#line-field").value === "");
}

export function code(page) {
  // A line that is empty has a line break of its own in the document.
  return page.locator(".cm-line").allTextContents().then((lines) => lines.join("\n"));
}

export async function rowWith(page, kind, text) {
  await page.locator(`.row-${kind}`, { hasText: exactly(text) }).last().waitFor();
}

export async function status(page, text) {
  await page.locator(".status-text", { hasText: exactly(text) }).waitFor();
}

export function statusText(page) {
  return page.locator(".status-text").innerText();
}

export function texts(page, selector) {
  return page.locator(selector).allTextContents();
}

/** Runs, and waits for the end. */
export async function ran(page, code, how = "Done") {
  const rows = page.locator(".row-run");
  const before = await rows.count();
  await run(page, code);
  await page.waitForFunction((count) => document.querySelectorAll(".row-run").length > count, before);
  await status(page, how);
}

export async function openWindow(page, name) {
  await page.getByRole("button", { name: "Menu" }).click();
  if (name === "Menu") return;
  await page.getByRole("dialog").getByRole("button", { name: new RegExp(`^${name}`) }).click();
  await page.getByRole("dialog", { name }).waitFor();
}

/** Waits for a suggestion. A server that is busy gives none, and is asked once more, by the key for it. */
export function suggested(page, option) {
  const isThere = () => option.first().waitFor({ timeout: 2_000 }).then(() => true, () => false);
  return eventually("it is suggested", async () => {
    if (await isThere()) return { ok: true };
    await page.keyboard.press("Control+Space");
    return { ok: false };
  });
}

export async function eventually(what, check) {
  const until = Date.now() + 20_000;
  for (;;) {
    const seen = await check();
    if (seen.ok) return;
    if (Date.now() > until) assert.fail(`${what}: ${JSON.stringify(seen)}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

function exactly(text) {
  return new RegExp(`^${text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`);
}
