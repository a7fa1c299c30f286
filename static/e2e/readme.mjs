/**
 * The browser examples of README.md, as a reader would try them, in a real browser against the real server: RUNPEN_BIN is the
 * server's binary, CHROMIUM the browser (/usr/bin/chromium without it). A block ```js page is typed into the editor of the page, a
 * block ```js is entered in the developer tools; each is followed by a block ```text with what must then be on the console.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";

const WAIT_MS = 15_000;

/** The address that the documentation uses. */
const ADDRESS = "127.0.0.1:8080";

const BROWSER_ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const found = examples(await readFile(new URL("../../README.md", import.meta.url), "utf8"));
assert.ok(found.length >= 5, `README.md has only ${found.length} browser examples`);

const profile = await mkdtemp(join(tmpdir(), "runpen-readme-"));
const server = await startServer();
let browser;
let failed = 0;
try {
  browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: BROWSER_ARGS,
  });
  browser.setDefaultTimeout(WAIT_MS);
  for (const example of found) failed += await attempt(browser, example);
} finally {
  await browser?.close();
  await stopServer(server.process);
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

async function startServer() {
  const binary = process.env.RUNPEN_BIN;
  assert.ok(binary, "RUNPEN_BIN must name the server's binary");
  const child = spawn(binary, ["serve", "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server ended with code ${code}`)));
  });
  exited.catch(() => {});
  const listening = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const told = /^listening on (http:\/\/\S+)$/.exec(line);
      if (told) return told[1];
    }
    throw new Error("the server did not say where it listens");
  })();
  const url = await Promise.race([listening, exited]);
  // Nobody reads on, and a full pipe would stop the server.
  child.stdout.resume();
  return { process: child, url };
}

async function stopServer(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const impatient = setTimeout(() => child.kill("SIGKILL"), 5_000);
  child.kill("SIGTERM");
  await exited;
  clearTimeout(impatient);
}
