import assert from "node:assert/strict";

import { enter, ran, rowWith, run, status, texts } from "../person.mjs";

const styleOf = (page, text, ...properties) =>
  page.locator(".row-styled", { hasText: text }).evaluate((span, names) => names.map((name) => getComputedStyle(span)[name]), properties);

export default {
  "console.table is a table": async (page) => {
    await ran(page, 'console.table([{ name: "Ada", born: 1815 }, { name: "Alan", born: 1912 }])');
    const table = page.getByRole("log").getByRole("table");
    assert.deepEqual(await table.getByRole("columnheader").allTextContents(), ["(index)", "name", "born"]);
    assert.deepEqual(await table.getByRole("row").nth(2).getByRole("cell").allTextContents(), ["1", "'Alan'", "1912"]);
    await ran(page, 'console.table("no table"); console.table([["a │ b"]])');
    assert.equal(await table.count(), 0 + 1, "what cannot be taken apart stays text");
    await page.locator(".row-entry", { hasText: "│ 0       │ 'a │ b' │" }).waitFor();
  },

  "groups fold and unfold, by mouse and keys": async (page) => {
    await ran(
      page,
      `console.group("outer"); console.log("in outer");
       console.groupCollapsed("inner"); console.log("in inner"); console.groupEnd();
       console.log("in outer again"); console.groupEnd(); console.log("after")`,
    );
    const shown = async () => (await texts(page, ".row-entry")).map((text) => text.trim());
    assert.deepEqual(await shown(), ["outer", "in outer", "inner", "in outer again", "after"]);
    const group = (name) => page.locator(".row-group", { hasText: name }).getByRole("button", { name: "Group" });
    assert.deepEqual([await group("outer").getAttribute("aria-expanded"), await group("inner").getAttribute("aria-expanded")], ["true", "false"]);
    await group("inner").click();
    assert.deepEqual(await shown(), ["outer", "in outer", "inner", "in inner", "in outer again", "after"]);
    await group("outer").focus();
    await page.keyboard.press("Enter");
    assert.deepEqual(await shown(), ["outer", "after"]);
    // The focus is still there.
    await page.keyboard.press("Space");
    assert.deepEqual(await shown(), ["outer", "in outer", "inner", "in inner", "in outer again", "after"]);
    await group("inner").click();
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("searchbox").fill("in inner");
    await rowWith(page, "entry", "    in inner");
  },

  "%c styles what it may": async (page) => {
    await ran(
      page,
      `console.log("%cbig%c plain %cbadge", "color: rgb(1, 2, 3); font-size: 30px; font-weight: bold", "",
         "background: #ff0; padding: 2px 8px; border-radius: 4px; position: fixed; inset: 0; display: none; margin: -50px");`,
    );
    assert.deepEqual(await styleOf(page, "big", "color", "fontSize", "fontWeight"), ["rgb(1, 2, 3)", "30px", "700"]);
    assert.deepEqual(
      await styleOf(page, "badge", "backgroundColor", "paddingLeft", "borderTopLeftRadius", "position", "display", "marginTop"),
      ["rgb(255, 255, 0)", "8px", "4px", "static", "inline-block", "0px"],
    );
    await rowWith(page, "entry", "big plain badge");
  },

  "console.clear hides what was before, and gives it back": async (page) => {
    await run(page, 'console.log("before"); console.clear(); console.log("after")');
    await status(page, "Done");
    await page.locator(".row-clear", { hasText: "The console was cleared by the code." }).waitFor();
    assert.deepEqual(await texts(page, ".row-entry"), ["after"]);
    await page.getByRole("button", { name: "Show what was there before" }).click();
    await rowWith(page, "entry", "before");
    assert.deepEqual(await texts(page, ".row-entry"), ["before", "after"]);
    assert.equal(await page.getByRole("button", { name: "Show what was there before" }).count(), 0);
    await enter(page, 'for (let i = 0; i <= 200; i++) { console.clear(); console.log("frame " + i) } "end"');
    await rowWith(page, "value", "'end'");
    assert.deepEqual(await texts(page, ".row-entry"), ["frame 200"], "an animation shows its last picture");
  },

};
