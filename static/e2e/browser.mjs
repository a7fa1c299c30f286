/** The browser: CHROMIUM names it, /usr/bin/chromium without it. */

import { chromium } from "playwright-core";

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const OPTIONS = { executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ARGS };

/** `more` are arguments beside the usual ones. */
export function launch(more = []) {
  return chromium.launch({ ...OPTIONS, args: [...ARGS, ...more] });
}

/** A browser as a person has one: with a profile, in the folder that is named. */
export function launchWithProfile(folder) {
  return chromium.launchPersistentContext(folder, OPTIONS);
}

/** Two pages work at once on a small machine, and the tests beside this one have their own: patience costs nothing when all is well. */
export const WAIT_MS = 30_000;

export const DESKTOP = { viewport: { width: 1280, height: 800 } };
export const PHONE = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
