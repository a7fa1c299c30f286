/**
 * The page in a real browser against the real server: RUNPEN_BIN is the server's binary, CHROMIUM the browser
 * (/usr/bin/chromium without it). Build the page first; a debug server reads it from `dist/`.
 *
 * `npm run e2e -- word …` runs the tests whose file or name has one of these words in it.
 */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";

import { DESKTOP, launch, WAIT_MS } from "./browser.mjs";
import { open, statusText, texts } from "./person.mjs";
import { startServer } from "./server.mjs";

const words = process.argv.slice(2);
const tests = [];
for (const file of (await readdir(new URL("./tests/", import.meta.url))).sort()) {
  const { default: suite } = await import(new URL(`./tests/${file}`, import.meta.url).href);
  for (const [name, test] of Object.entries(suite)) {
    const title = `${file.replace(".mjs", "")}: ${name}`;
    if (words.length === 0 || words.some((word) => title.includes(word))) tests.push({ title, test });
  }
}

const began = performance.now();
const server = await startServer();
let browser;
let failed = 0;
try {
  browser = await launch();
  // One page at a time: they share a clipboard and two cores. Nothing is tried a second time: what waits, waits for what it sees.
  for (const each of tests) if (!(await attempt(each))) failed += 1;
} finally {
  await browser?.close();
  await server.stop();
}
const took = `${((performance.now() - began) / 1000).toFixed(0)} s`;
console.log(failed === 0 ? `all ${tests.length} passed in ${took}` : `${failed} of ${tests.length} failed in ${took}`);
process.exitCode = failed === 0 && tests.length > 0 ? 0 : 1;

/**
 * Whether it passed. A test is a function, or `{ context, manual, test }`: options of the browser context, and whether it opens the page itself. Each
 * has a context of its own, with nothing stored, and thereby a session of its own.
 */
async function attempt({ title, test }) {
  const { context: options = {}, manual = false, test: act } = typeof test === "function" ? { test } : test;
  const began = performance.now();
  const context = await browser.newContext({ ...DESKTOP, ...options });
  context.setDefaultTimeout(WAIT_MS);
  const complaints = [];
  const allowed = [];
  const note = (text) => allowed.some((pattern) => pattern.test(text)) || complaints.push(text);
  context.on("page", (page) => watch(page, note));
  const page = await context.newPage();
  try {
    if (!manual) await open(page, server.url);
    await act(page, { url: server.url, context, complaints, allow: (pattern) => allowed.push(pattern) });
    assert.deepEqual(complaints, [], "the browser complained");
    console.log(`ok    ${title} (${(performance.now() - began).toFixed(0)} ms)`);
    return true;
  } catch (error) {
    console.log(`FAIL  ${title}\n${error.stack}`);
    const seen = await Promise.all([statusText(page), texts(page, ".row")]).catch((why) => [`${why}`, []]);
    console.log(`  status: ${seen[0]}; complaints: ${JSON.stringify(complaints)}\n  console: ${JSON.stringify(seen[1].slice(-10))}`);
    return false;
  } finally {
    await context.close();
  }
}

/** Errors in the browser's console, the policy's among them, and requests to anybody else. */
function watch(page, note) {
  page.on("pageerror", (error) => note(error.message));
  page.on("console", (message) => message.type() === "error" && note(message.text()));
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (hostname !== "127.0.0.1" && protocol !== "blob:") note(`asked ${request.url()}`);
  });
}
