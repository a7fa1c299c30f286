/**
 * The browser examples of README.md, as a reader would try them, in a real browser against the real server: RUNPEN_BIN is the
 * server's binary, CHROMIUM the browser (/usr/bin/chromium without it). A block ```js page is typed into the editor of the page, a
 * block ```js is entered in the developer tools; each is followed by a block ```text with what must then be on the console.
 */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { launchWithProfile, WAIT_MS } from "./browser.mjs";
import { startServer } from "./server.mjs";

/** The address that the documentation uses. */
const ADDRESS = "127.0.0.1:8080";

const found = examples(await readFile(new URL("../../README.md", import.meta.url), "utf8"));
assert.ok(found.length >= 5, `README.md has only ${found.length} browser examples`);

const profile = await mkdtemp(join(tmpdir(), "runpen-readme-"));
const server = await startServer();
let browser;
let failed = 0;
try {
  browser = await launchWithProfile(profile);
  browser.setDefaultTimeout(WAIT_MS);
  for (const example of found) failed += await attempt(browser, example);
} finally {
  await browser?.close();
  await server.stop();
  await rm(profile, { recursive: true, force: true });
}
console.log(failed === 0 ? `all ${found.length} examples are true` : `${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function attempt(context, { line, info, code, expected }) {
  const page = await context.newPage();
  const printed = [];
  page.on("console", (message) => printed.push(message.text().trimEnd()));
  page.on("pageerror", (error) => printed.push(`Uncaught ${error.message}`));
  try {
    await page.goto(server.url);
    await page.getByText("Connected", { exact: true }).waitFor();
    if (info === "js page") {
      await page.locator(".cm-content").click();
      await page.keyboard.press("Control+a");
      // Pasted, as a reader would: typing would close brackets and indent.
      await page.keyboard.insertText(code);
      await page.keyboard.press("Control+Enter");
      await eventually(async () => {
        const rows = await page.locator(".row-entry, .row-value, .row-error").allInnerTexts();
        return isLike(rows.map((row) => row.trim()), expected) || rows;
      }, expected);
    } else {
      await inDevTools(context, page, code.replaceAll(ADDRESS, new URL(server.url).host));
      await eventually(async () => isLike(printed, expected) || printed, expected);
    }
    console.log(`ok    README.md:${line}`);
    return 0;
  } catch (error) {
    console.log(`FAIL  README.md:${line}\n${error.stack}`);
    return 1;
  } finally {
    await page.close();
  }
}

/** What the console of the developer tools does with a text. */
async function inDevTools(context, page, text) {
  const tools = await context.newCDPSession(page);
  const { exceptionDetails } = await tools.send("Runtime.evaluate", { expression: text, replMode: true });
  assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
}

/** Looks until `look` says true; what it says else is the complaint. */
async function eventually(look, expected) {
  const until = performance.now() + WAIT_MS;
  for (;;) {
    const seen = await look();
    if (seen === true) return;
    assert.ok(performance.now() < until, `expected\n${expected.join("\n")}\nand saw\n${seen.join("\n")}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

/** `…` stands for anything on its line. */
function isLike(lines, expected) {
  const pattern = (text) => text.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join(".*");
  return lines.length === expected.length && expected.every((text, at) => new RegExp(`^${pattern(text)}$`).test(lines[at]));
}

/** The fenced blocks of a page that a browser executes, each with the block of output behind it. */
function examples(markdown) {
  const blocks = [];
  let open;
  for (const [at, line] of markdown.split("\n").entries()) {
    const fence = /^( *)```(.*)$/.exec(line);
    if (fence && !open) open = { line: at + 1, info: fence[2].trim(), indent: fence[1].length, lines: [] };
    else if (fence) {
      blocks.push(open);
      open = undefined;
    } else open?.lines.push(line.slice(open.indent));
  }
  return blocks.flatMap(({ line, info, lines }, at) => {
    if (info !== "js" && info !== "js page") return [];
    assert.equal(blocks[at + 1]?.info, "text", `README.md:${line}: its expected output is missing`);
    return [{ line, info, code: lines.join("\n"), expected: blocks[at + 1].lines }];
  });
}
