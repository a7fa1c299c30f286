/** Pictures of the page at work, into the folder that the argument names. */

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
  { name: "question", context: { ...PHONE, colorScheme: "light" }, more: asks },
];

const folder = process.argv[2];
await mkdir(folder, { recursive: true });
const server = await startServer();
const browser = await launch();
try {
  for (const { name, context: options, settings, more } of VIEWS) {
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

async function asks(page) {
  await enter(page, 'prompt("Which planet is yours?")');
  await page.getByLabel("Which planet is yours?").waitFor();
}
