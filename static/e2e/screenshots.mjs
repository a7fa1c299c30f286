/** Pictures of the page at work, into the folder that the first argument names; of some views only, where more arguments name them. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { DESKTOP, launch, PHONE, WAIT_MS } from "./browser.mjs";
import { connected, enter, open, openWindow, rowWith, run, status } from "./person.mjs";
import { startServer } from "./server.mjs";

const PROGRAM = `// Whatever this code does, Stop works.
const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

class Planet {
  constructor(name, distance) {
    Object.assign(this, { name, distance });
  }
}

const planets = [
  new Planet("Mercury", 0.39),
  new Planet("Venus", 0.72),
  new Planet("Earth", 1),
  new Planet("Mars", 1.52),
];

for (const { name, distance } of planets) {
  console.log(name.padEnd(8), "·".repeat(distance * 16) + "●");
  await sleep(50);
}

for (const planet of planets) if (planet.distance < 0.5) console.warn("hot:", planet);
for (let knock = 0; knock < 3; knock++) console.info("knock");

var nearest = planets.find(({ name }) => name === "Earth");
nearest;
`;

const VIEWS = [
  { name: "desktop-light", context: { ...DESKTOP, colorScheme: "light" } },
  { name: "desktop-dark", context: { ...DESKTOP, colorScheme: "dark" } },
  { name: "phone", context: { ...PHONE, colorScheme: "light" } },
  { name: "phone-dark", context: { ...PHONE, colorScheme: "dark" } },
  { name: "projector", context: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" }, settings: { projector: true } },
  { name: "error", context: { ...DESKTOP, colorScheme: "light" }, more: fails },
  { name: "tools", context: { ...DESKTOP, colorScheme: "dark" }, more: tools },
  { name: "menu", context: { ...DESKTOP, colorScheme: "light" }, more: (page) => openWindow(page, "Menu") },
  { name: "menu-phone", context: { ...PHONE, colorScheme: "dark" }, more: (page) => openWindow(page, "Menu") },
  { name: "examples", context: { ...DESKTOP, colorScheme: "dark" }, more: (page) => openWindow(page, "Examples") },
  { name: "shell", context: { ...DESKTOP, colorScheme: "light" }, more: (page) => openWindow(page, "Open in shell") },
  { name: "keyboard", context: { ...DESKTOP, colorScheme: "light" }, more: (page) => openWindow(page, "Keyboard") },
  { name: "files", context: { ...DESKTOP, colorScheme: "light" }, more: files },
  { name: "files-phone", context: { ...PHONE, colorScheme: "dark" }, more: files },
  { name: "values", context: { ...DESKTOP, colorScheme: "light" }, more: values },
  { name: "values-dark", context: { ...DESKTOP, colorScheme: "dark" }, more: values },
  { name: "values-phone", context: { ...PHONE, colorScheme: "light" }, more: values },
  { name: "drawing", context: { ...DESKTOP, colorScheme: "dark" }, more: drawing },
  { name: "drawing-phone", context: { ...PHONE, colorScheme: "light" }, more: drawing },
  { name: "earlier", context: { ...DESKTOP, colorScheme: "light" }, more: earlier },
  { name: "suggestions", context: { ...DESKTOP, colorScheme: "light" }, more: suggestions },
  { name: "suggestions-phone", context: { ...PHONE, colorScheme: "dark" }, more: suggestions },
  { name: "phone-keyboard", context: { ...PHONE, viewport: { width: 360, height: 340 }, colorScheme: "light" }, more: types },
  { name: "low-portrait", context: { ...PHONE, viewport: { width: 360, height: 450 }, colorScheme: "dark" }, more: types },
  { name: "low-landscape", context: { ...PHONE, viewport: { width: 740, height: 360 }, colorScheme: "light" }, more: types },
  { name: "low-console", context: { ...PHONE, viewport: { width: 740, height: 360 }, colorScheme: "dark" } },
  { name: "low-menu", context: { ...PHONE, viewport: { width: 360, height: 450 }, colorScheme: "light" }, more: (page) => openWindow(page, "Menu") },
  { name: "search", context: { ...DESKTOP, colorScheme: "light" }, more: searches },
  { name: "search-dark", context: { ...DESKTOP, colorScheme: "dark" }, more: searches },
  { name: "typescript", context: { ...DESKTOP, colorScheme: "light" }, more: restarts },
  { name: "gone", context: { ...DESKTOP, colorScheme: "dark" }, more: outlives },
  { name: "question", context: { ...PHONE, colorScheme: "light" }, more: asks },
];

const [folder, ...wanted] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
const server = await startServer();
const browser = await launch();
try {
  for (const { name, context: options, settings, more } of VIEWS) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const context = await browser.newContext(options);
    context.setDefaultTimeout(WAIT_MS);
    const page = await context.newPage();
    await page.goto(server.url);
    if (settings) await page.evaluate((json) => localStorage.setItem("runpen.settings", json), JSON.stringify(settings));
    await open(page, server.url);
    await connected(page);
    await run(page, PROGRAM);
    await status(page, "Done");
    await enter(page, "nearest.distance * 149_597_871");
    await rowWith(page, "value", "149597871");
    await more?.(page);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    console.log(`took ${name}`);
    await context.close();
  }
} finally {
  await browser.close();
  await server.stop();
}

async function fails(page) {
  await run(page, "const settings = { name: null };\n\nfunction initial({ name }) {\n  return name.trim()[0];\n}\n\ninitial(settings);\n");
  await status(page, "Failed");
}

async function tools(page) {
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("switch", { name: "Times" }).check();
}

async function files(page) {
  await openWindow(page, "Examples");
  await page.getByRole("dialog").getByRole("button", { name: "Modules" }).click();
  // The files are there and the window is gone: from here on the keys are the editor's.
  await page.getByRole("tab", { name: "format.ts" }).waitFor();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("tab", { name: "format.ts" }).click();
  await page.getByRole("log").getByRole("table").last().waitFor();
}

async function values(page) {
  await page.getByRole("button", { name: "Clear" }).click();
  await run(
    page,
    `console.log("a planet:", { name: "Earth", moons: ["Moon"], radius: 6371, inhabited: true });
console.warn("careful", new Map([["key", { deep: [1, 2, 3] }]]));
({ text: "words", list: [1, [2, 3], { x: null }], when: new Date(0), find() {}, get lazy() { return 42 }, [Symbol("s")]: undefined, big: 10n })`,
  );
  await status(page, "Done");
  await page.getByRole("button", { name: "Value", exact: true }).first().click();
  await page.getByRole("button", { name: "Value", exact: true }).last().click();
  await page.getByRole("treeitem", { name: /^list: / }).click();
  await page.getByRole("treeitem", { name: /^2: / }).waitFor();
}

async function drawing(page) {
  await page.getByRole("button", { name: "Clear" }).click();
  await run(
    page,
    `console.group("Orders");
console.table([{ customer: "Ada", items: 3, paid: true }, { customer: "Grace", items: 12, paid: false }]);
console.group("Details"); console.log("two customers"); console.log({ since: 2031 }); console.groupEnd();
console.groupCollapsed("Folded"); console.log("not seen"); console.groupEnd();
console.groupEnd();
console.log("%c NEW %c and %cimportant", "background: #2f55d4; color: white; border-radius: 4px; padding: 1px 6px", "", "font-weight: bold; text-decoration: underline");`,
  );
  await status(page, "Done");
}

async function earlier(page) {
  await page.getByRole("switch", { name: "Keep state" }).check();
  await run(page, "function first(list) {\n  if (list.length === 0) throw new RangeError('empty');\n  return list[0];\n}");
  await status(page, "Done");
  await run(page, "first([])");
  await status(page, "Failed");
  await page.locator(".row-error .row-place").first().click();
  await page.getByRole("dialog").waitFor();
}

async function suggestions(page) {
  await page.getByLabel("Line to run").click();
  await page.keyboard.type("con");
  await page.getByRole("listbox").waitFor();
  await page.keyboard.press("ArrowDown");
}

/** As on a phone whose keyboard is up. */
async function types(page) {
  await page.getByRole("group", { name: "Pane" }).getByRole("button", { name: "Code" }).click();
  await page.locator(".cm-content").click();
}

async function searches(page) {
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+f");
  await page.locator(".cm-search input[name=search]").fill("planet");
}

async function restarts(page) {
  await page.getByLabel("Language").selectOption("TypeScript");
  await page.getByRole("switch", { name: "Keep state" }).check();
  await page.getByRole("button", { name: "Clear" }).click();
  await run(page, 'const every: number = 40;\nlet ticks = 0;\nsetInterval(() => ticks < 9 && console.log("tick", ++ticks), every);\n"first"');
  await rowWith(page, "value", "'first'");
  await run(page, 'const name: string | null = prompt("Your name?", "Ada");\nconst sure = confirm("Sure?");\n({ name, sure })');
  await page.getByLabel("Your name?").waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "OK" }).click();
  await page.locator(".row-late").first().waitFor();
}

async function outlives(page) {
  await page.getByRole("button", { name: "Clear" }).click();
  await run(page, '({ name: "Ada", born: 1815, works: { notes: { on: "the engine" }, letters: [1, 2] } })');
  await status(page, "Done");
  await run(page, 'console.log("┌────┐\\n│ ██ │\\n└────┘");\nfor (let row = 0; row < 3; row++) console.log("▁▂▃▄▅▆▇█".repeat(3));');
  await status(page, "Done");
  await page.getByRole("button", { name: "Value", exact: true }).first().click();
  await page.getByRole("treeitem", { name: /^works: / }).click();
}

async function asks(page) {
  await enter(page, 'prompt("Which planet is yours?")');
  await page.getByLabel("Which planet is yours?").waitFor();
}
