import assert from "node:assert/strict";

import { rowWith, run, status } from "../person.mjs";

/** As seen on the page, from the press to the word. The server itself needs about a millisecond. */
const STOP_WITHIN_MS = 200;
/** Of so many tries the best counts: a busy machine may delay any one of them. */
const TRIES = 5;

const stops = async (page, code) => {
  let best = Infinity;
  for (let attempt = 0; attempt < TRIES && best >= STOP_WITHIN_MS; attempt += 1) {
    await run(page, code);
    await status(page, "Running");
    best = Math.min(best, await page.evaluate(stopAndMeasure));
    await status(page, "Stopped");
  }
  console.log(`      stopped ${best.toFixed(0)} ms after the press`);
  assert.ok(best < STOP_WITHIN_MS, `Stop took ${best} ms`);
};

export default {
  "an endless loop is stopped at once, and the session goes on": async (page) => {
    await stops(page, "for (;;) {}");
    await run(page, '"alive" + 1');
    await rowWith(page, "value", "'alive1'");
  },

  "so is one that writes to the console": (page) => stops(page, "for (let i = 0; ; i++) console.log(i)"),

  "so is one that no interrupt reaches": (page) => stops(page, "[].reverse.call({ length: 2 ** 53 - 1 })"),

  "Ctrl+. stops as well": async (page) => {
    await run(page, "while (true);");
    await status(page, "Running");
    await page.keyboard.press("Control+.");
    await status(page, "Stopped");
  },
};

/** In the page: from the click to the status that says so. */
function stopAndMeasure() {
  return new Promise((resolve) => {
    const text = document.querySelector(".status-text");
    const began = performance.now();
    const observer = new MutationObserver(() => {
      if (text.textContent !== "Stopped") return;
      observer.disconnect();
      resolve(performance.now() - began);
    });
    observer.observe(text, { subtree: true, childList: true, characterData: true });
    document.querySelector(".button-stop").click();
  });
}
