import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { delimiter } from "node:path";
import { promisify } from "node:util";

import { code, connected, eventually, open, openWindow, rowWith, write } from "../person.mjs";

const PROGRAM = `// "quotes", 'quotes', \`ticks\`, $HOME, \\n, %s, !!, 日本 😀
const text = 'it\\'s';
console.log(text + " " + "\\u{1F600}");
6 * 7`;

/** Beside the machine's own, the one that make installs. */
const PATH = [process.env.PATH, new URL("../../../target/tools/bin", import.meta.url).pathname].join(delimiter);

/** As if pasted into a terminal. */
const bash = (command) => {
  const ran = promisify(execFile)("bash", [], { env: { ...process.env, PATH } });
  ran.child.stdin.end(`${command}\n`);
  return ran;
};

const linkOf = async (page) => {
  await openWindow(page, "Share");
  const link = await page.getByLabel("Link", { exact: true }).inputValue();
  await page.keyboard.press("Escape");
  return link;
};

const commandOf = async (page, name) => {
  await openWindow(page, "Open in shell");
  const command = await page.getByRole("region", { name }).locator("pre").innerText();
  await page.keyboard.press("Escape");
  return command;
};

export default {
  "a link holds the program and its settings": {
    context: { permissions: ["clipboard-read", "clipboard-write"] },
    test: async (page, { context }) => {
      await write(page, PROGRAM);
      await page.getByRole("switch", { name: "Keep state" }).check();
      await page.getByLabel("Time limit").selectOption("5 s");
      await page.getByRole("button", { name: "Share" }).click();
      await page.getByRole("button", { name: "Copy link" }).click();
      await page.getByRole("button", { name: "Copied" }).waitFor();
      const link = await page.evaluate(() => navigator.clipboard.readText());
      const friend = await context.browser().newContext();
      const theirs = await friend.newPage();
      await open(theirs, link);
      await theirs.getByText("This program came with the link.").waitFor();
      assert.equal(await code(theirs), PROGRAM);
      assert.equal(await theirs.getByRole("switch", { name: "Keep state" }).isChecked(), true);
      assert.equal(await theirs.getByLabel("Time limit").inputValue(), "5000");
      assert.equal(new URL(theirs.url()).hash, "");
      assert.equal(await theirs.locator(".row").count(), 0, "a link runs nothing");
      await friend.close();
    },
  },

  "a link in the same tab replaces the code, which is kept": async (page) => {
    await write(page, "'from the link'");
    const link = await linkOf(page);
    await write(page, "'my own work'");
    await page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
    await page.getByText("This program came with the link.").waitFor();
    assert.equal(await code(page), "'from the link'");
    await page.getByRole("button", { name: "Close" }).click();
    await openWindow(page, "Snapshots");
    await page.getByRole("button", { name: /^'my own work'/ }).click();
    assert.equal(await code(page), "'my own work'");
  },

  "a damaged link changes nothing": async (page, { url }) => {
    await write(page, "'mine'");
    await eventually("the draft is stored", async () => ({ ok: (await page.evaluate(() => localStorage.getItem("runpen.draft"))) === "'mine'" }));
    for (const hash of ["#v1=", "#v1=%3Cscript%3E", `#v1=${"A".repeat(40_000)}`, "#v1=S0ksSQQA"]) {
      await page.goto("about:blank");
      await page.goto(`${url}/${hash}`);
      await page.getByText("This link is damaged or too long.").waitFor();
      await page.locator(".cm-content").waitFor();
      assert.equal(await code(page), "'mine'");
    }
  },

  "what does not fit into a link is said": async (page) => {
    const noise = Array.from({ length: 40_000 }, (_, index) => String.fromCodePoint(0x4e00 + ((index * 7919) % 20_000))).join("");
    await write(page, `"${noise}"`);
    await openWindow(page, "Share");
    await page.getByText("This program does not fit into a link").waitFor();
  },

  "curl runs the same program": async (page) => {
    await write(page, PROGRAM);
    const { stdout } = await bash(await commandOf(page, "curl"));
    const answer = JSON.parse(stdout);
    assert.deepEqual([answer.success, answer.result], [true, 42]);
    assert.equal(answer.console[0].text, "it's 😀");
  },

  "websocat runs the same program": async (page) => {
    const there = await bash("command -v websocat").catch(() => null);
    if (!there) return console.log("      there is no websocat here");
    await write(page, PROGRAM);
    const { stdout } = await bash(await commandOf(page, "websocat"));
    const frames = stdout.trim().split("\n").map((frame) => JSON.parse(frame));
    assert.equal(frames.find(({ type }) => type === "console").entries[0].text, "it's 😀");
    assert.equal(frames.find(({ type }) => type === "done").value.text, "42");
  },

  "a long program goes through the shell as well": async (page) => {
    await write(page, `// ${"x".repeat(200_000)}\n"long"`);
    const { stdout } = await bash(await commandOf(page, "curl"));
    assert.equal(JSON.parse(stdout).result, "long");
  },

  "what was shared comes through a reload as one's own": async (page) => {
    await write(page, "'shared'");
    const link = await linkOf(page);
    await page.goto("about:blank");
    await page.goto(link);
    await page.getByText("This program came with the link.").waitFor();
    await write(page, "'shared, and edited'");
    await page.reload();
    await connected(page);
    await page.locator(".cm-content").waitFor();
    assert.equal(await code(page), "'shared, and edited'");
    await page.keyboard.press("Control+Enter");
    await rowWith(page, "value", "'shared, and edited'");
  },
};
