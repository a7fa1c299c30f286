import assert from "node:assert/strict";

import { enter, ran, rowWith, texts, write } from "../person.mjs";

async function addFile(page, name, text) {
  await page.getByRole("button", { name: "New file" }).click();
  await page.getByLabel("Name of the new file").fill(name);
  await page.keyboard.press("Enter");
  await write(page, text);
  await page.getByRole("tab").first().click();
}

export default {
  "the last value shows with files and without, and a line sees the names": async (page) => {
    await addFile(page, "util.js", "export const twice = (n) => n * 2;");
    await ran(page, 'import { twice } from "./util.js";\nconst answer = twice(21);\nanswer;');
    await rowWith(page, "value", "42");
    await enter(page, "answer + twice(1)");
    await rowWith(page, "value", "44");
  },

  "a file beside it changes nothing about a program": async (page) => {
    await ran(page, "var seen = typeof this; seen;");
    const [without] = await texts(page, ".row-value");
    await addFile(page, "unused.js", "");
    await ran(page, "var seen = typeof this; seen;");
    assert.deepEqual(await texts(page, ".row-value"), [without, without]);
    await enter(page, "seen.length");
    await rowWith(page, "value", "6");
  },

  "a program may export, alone too": async (page) => {
    await ran(page, "export const half = (n) => n / 2;\nexport default half(84);");
    await rowWith(page, "value", "42");
    await enter(page, "half(3)");
    await rowWith(page, "value", "1.5");
    await page.getByLabel("Language").selectOption("TypeScript");
    await ran(page, "export interface Point { x: number }\nexport const point: Point = { x: 1 };\npoint.x + 1;");
    await rowWith(page, "value", "2");
    await enter(page, "point");
    await rowWith(page, "value", "{ x: 1 }");
  },

  "that types are not checked is said beside the choice of TypeScript": async (page) => {
    assert.equal(await page.getByText("TypeScript's types are removed, not checked").count(), 0);
    await page.getByLabel("Language").selectOption("TypeScript");
    await page.getByText("TypeScript's types are removed, not checked").waitFor();
  },
};
