import assert from "node:assert/strict";

import { connected, enter, open, openWindow, ran, rowWith, status, texts, write } from "../person.mjs";

/** Each would set `document.title`, or ask for something, or be refused by the policy, if it were more than text. */
const PAYLOADS = [
  "<script>document.title='x'</script>",
  "<img src=x onerror=\"document.title='x'\">",
  "<svg onload=\"document.title='x'\"></svg>",
  "<svg><script>document.title='x'</script></svg>",
  "<iframe srcdoc=\"<script>parent.document.title='x'</script>\"></iframe>",
  "<iframe src=\"javascript:parent.document.title='x'\"></iframe>",
  "<a href=\"javascript:document.title='x'\" autofocus onfocus=\"document.title='x'\">x</a>",
  "<body onload=\"document.title='x'\">",
  "<input autofocus onfocus=\"document.title='x'\">",
  "<details open ontoggle=\"document.title='x'\">",
  "<video><source onerror=\"document.title='x'\"></video>",
  "<object data=\"javascript:document.title='x'\"></object>",
  "<embed src=\"javascript:document.title='x'\">",
  "<form action=\"javascript:document.title='x'\"><button autofocus>x</button></form>",
  "<style>*{background:url(//evil.example/x)}</style>",
  "<link rel=stylesheet href=//evil.example/x.css>",
  "<meta http-equiv=refresh content=\"0;url=//evil.example\">",
  "<base href=//evil.example>",
  "<math><mtext><table><mglyph><style><img src=x onerror=\"document.title='x'\">",
  "<template><img src=x onerror=\"document.title='x'\"></template>",
  "<div style=\"position:fixed;inset:0;background:url(//evil.example/x)\">x</div>",
  "\"><img src=x onerror=\"document.title='x'\">",
  "'><script>document.title='x'</script>",
  "</textarea><script>document.title='x'</script>",
  "</title><script>document.title='x'</script>",
  "</script><script>document.title='x'</script>",
  "--><script>document.title='x'</script>",
  "]]><script>document.title='x'</script>",
  "javascript:document.title='x'",
  "data:text/html,<script>document.title='x'</script>",
  "{{constructor.constructor(\"document.title='x'\")()}}",
  "${document.title='x'}",
  "&lt;img src=x onerror=document.title='x'&gt;",
  "\u202e<script>document.title='x'</script>\u202c",
  "\u001b[31m<img src=x onerror=\"document.title='x'\">\u001b]8;;javascript:document.title='x'\u0007",
  "    at <img src=x onerror=\"document.title='x'\"> (run-1:1:1)",
];
assert.ok(PAYLOADS.length >= 30);

/** All that the page itself puts into the console. */
const OWN = ["DIV", "SPAN", "CODE", "TIME", "BUTTON", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD"];

/** As a `%c` style: each would load, cover, or move something if it were applied. */
const STYLES = [
  "background:url(//evil.example/a)",
  "background-image:image-set('//evil.example/b' 1x)",
  "background:red url('//evil.example/c')",
  "list-style:url(//evil.example/d)",
  "border-image:url(//evil.example/e) 1",
  "cursor:url(//evil.example/f),auto",
  "content:url(//evil.example/g)",
  "mask:url(//evil.example/h)",
  "filter:url(//evil.example/i#x)",
  "color:red;background:\\75rl(//evil.example/j)",
  "color:red}</style><img src=x onerror=\"document.title='x'\">",
  "position:fixed;inset:0;z-index:99999;width:100vw;height:100vh",
  "margin:-1000px;transform:scale(100)",
  "font-size:100000px;padding:99999px",
  "--accent:red;color:var(--accent)",
  "display:none;visibility:hidden;opacity:0",
  "font-family:url(//evil.example/k)",
  "animation:pulse 1s infinite;transition:all 1s",
];

async function watch(page) {
  await page.context().addInitScript(() => {
    globalThis.violations = [];
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      globalThis.violations.push(`${violatedDirective} ${blockedURI}`);
    });
  });
  page.on("dialog", (dialog) => assert.fail(`a dialog said ${dialog.message()}`));
  await page.reload();
  await connected(page);
  await page.locator(".cm-content").waitFor();
}

async function unharmed(page) {
  assert.equal(await page.title(), "runpen");
  assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
  const tags = await page.getByRole("log").evaluate((log) => [...new Set([...log.querySelectorAll("*")].map((element) => element.tagName))]);
  assert.deepEqual(tags.filter((tag) => !OWN.includes(tag)), []);
  assert.equal(await page.locator("iframe, object, embed, base, meta[http-equiv]").count(), 0);
  // CodeMirror puts empty images of its own beside its widgets.
  assert.equal(await page.locator("img:not(.brand-icon, .cm-widgetBuffer)").count(), 0);
}

/** Ways into the console; each runs with `payload` as every one of the payloads. */
const WAYS = [
  'for (const level of ["log", "info", "warn", "error", "debug"]) console[level](payload);',
  'console.log("%c" + payload, payload); console.log("%s %o %O", payload, { payload }, [payload]); console.log("%cx", "background:url(//evil.example/x)");',
  "console.log({ [payload]: payload }, [payload], new Map([[payload, payload]]), new Set([payload]));",
  "console.log(Symbol(payload), Object.defineProperty(() => {}, 'name', { value: payload }), new (Object.defineProperty(class {}, 'name', { value: payload }))(), { [Symbol.toStringTag]: payload });",
  "console.table([{ [payload]: payload }]); console.table(payload); console.group(payload); console.log(payload); console.groupCollapsed(payload, { [payload]: 1 }); console.groupEnd(); console.groupEnd();",
  "const error = new Error(payload); error.name = payload; console.error(error); error.stack = payload; console.error(error, error.stack);",
];

export default {
  "console text, specifiers and styles, keys, values, names and errors": async (page) => {
    await watch(page);
    for (const [index, way] of WAYS.entries()) {
      await ran(page, `const payloads = ${JSON.stringify(PAYLOADS)};\nfor (const payload of payloads) {\n${way}\n}\n${index}`);
      await rowWith(page, "value", String(index));
      const shown = (await texts(page, ".row")).join("\n");
      for (const part of ["<script>", "onerror=", "javascript:"]) assert.ok(shown.includes(part), `${part} is to be seen as text`);
      await unharmed(page);
      // The log shows its latest rows only: without this, the next run's first row could come and another's go in one frame.
      await page.getByRole("button", { name: "Clear" }).click();
      await page.locator(".row").first().waitFor({ state: "detached" });
    }
  },

  "results, uncaught errors and questions": async (page) => {
    await watch(page);
    for (const payload of PAYLOADS) {
      await enter(page, JSON.stringify(payload));
      await enter(page, `{ const error = new TypeError(${JSON.stringify(payload)}); error.name = ${JSON.stringify(payload)}; throw error; }`);
    }
    await page.locator(".row-error").nth(PAYLOADS.length - 1).waitFor();
    for (const payload of PAYLOADS.slice(0, 3)) {
      for (const kind of ["prompt", "confirm", "alert"]) {
        await enter(page, `${kind}(${JSON.stringify(payload)})`);
        await page.locator(".ask-text").waitFor();
        assert.equal(await page.locator(".ask-text").innerText(), payload);
        await page.getByRole("button", { name: "OK" }).click();
        await page.locator(".ask").waitFor({ state: "detached" });
      }
    }
    await unharmed(page);
  },

  "code: titles of runs, the editor's marks, snapshots, the line's history": async (page) => {
    await watch(page);
    for (const payload of PAYLOADS.slice(0, 12)) {
      await write(page, `"${payload.replaceAll('"', "'")}"; throw new Error(${JSON.stringify(payload)})`);
      await page.keyboard.press("Control+Enter");
      await page.locator(".cm-errorMessage").waitFor();
    }
    await openWindow(page, "Snapshots");
    assert.equal(await page.getByRole("dialog").locator(".choice").count(), 12);
    await page.keyboard.press("Escape");
    for (const payload of PAYLOADS) await enter(page, payload);
    await page.reload();
    await connected(page);
    await page.getByLabel("Line to run").click();
    for (const payload of PAYLOADS.toReversed().slice(0, 12)) {
      await page.keyboard.press("ArrowUp");
      assert.equal(await page.getByLabel("Line to run").inputValue(), payload.trimEnd());
    }
    await unharmed(page);
  },

  "share links": async (page, { url }) => {
    await watch(page);
    const pack = (value) =>
      page.evaluate(async (json) => {
        const stream = new Blob([json]).stream().pipeThrough(new CompressionStream("deflate-raw"));
        const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
        return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
      }, JSON.stringify(value));
    const all = PAYLOADS.join("\n");
    const shared = { code: all, keepState: all, timeoutMs: all, theme: all, __proto__: { code: all }, constructor: all };
    const hash = await pack(shared);
    await page.goto("about:blank");
    await open(page, `${url}/#v1=${hash}`);
    await page.getByText("This program came with the link.").waitFor();
    assert.equal(await page.locator(".row").count(), 0, "a link runs nothing");
    await unharmed(page);
    for (const payload of PAYLOADS) {
      await page.evaluate((text) => (location.hash = text), `#v1=${payload}`);
      await page.evaluate((text) => (location.hash = text), payload);
    }
    await page.getByText("This link is damaged").waitFor();
    for (const window of ["Share", "Open in shell", "Snapshots"]) {
      await openWindow(page, window);
      await page.keyboard.press("Escape");
    }
    await unharmed(page);
  },

  "styles of %c": async (page) => {
    await watch(page);
    await ran(page, `for (const css of ${JSON.stringify([...STYLES, ...PAYLOADS])}) console.log("%cstyled%c" + css, css, "")\n"end"`);
    await rowWith(page, "value", "'end'");
    const properties = await page.locator(".row-styled").evaluateAll((spans) => [...new Set(spans.flatMap((span) => [...span.style]))]);
    assert.deepEqual(properties, ["color"], "of all these, only a colour is let through");
    await unharmed(page);
  },

  "what is inside of values": async (page) => {
    await watch(page);
    await ran(
      page,
      `const payloads = ${JSON.stringify(PAYLOADS)};
       ({ keys: Object.fromEntries(payloads.map((each) => [each, each])),
          map: new Map(payloads.map((each) => [each, { [each]: each }])), set: new Set(payloads),
          symbols: Object.fromEntries(payloads.map((each) => [Symbol(each), Symbol(each)])),
          classes: payloads.map((each) => new (Object.defineProperty(class {}, "name", { value: each }))()),
          functions: payloads.map((each) => Object.defineProperty(() => {}, "name", { value: each })),
          errors: payloads.map((each) => Object.assign(new Error(each), { name: each })),
          getters: Object.defineProperties({}, Object.fromEntries(payloads.map((each) => [each, { enumerable: true, get() { throw new Error(each) } }]))) })`,
    );
    await page.getByRole("button", { name: "Value", exact: true }).click();
    for (const name of ["keys", "map", "set", "symbols", "classes", "functions", "errors", "getters"]) {
      const property = page.getByRole("treeitem").filter({ hasText: new RegExp(`^${name}: `) });
      await property.click();
      await page.waitForFunction((text) => {
        const row = [...document.querySelectorAll("[aria-expanded=true]")].find((each) => each.textContent.startsWith(text));
        return Number(row?.nextElementSibling?.ariaLevel) === 2;
      }, `${name}: `);
      if (name === "getters") {
        for (let call = 0; call < 5; call += 1) await page.locator(".tree-accessor").first().click();
        await page.getByText("it threw").nth(4).waitFor();
      }
      const shown = (await texts(page, "[role=treeitem]")).join("\n");
      for (const part of ["<script>", "onerror=", "javascript:"]) assert.ok(shown.includes(part), `${part} is to be seen as text in ${name}`);
      await unharmed(page);
      await property.click();
    }
  },

  "names and texts of files, from links, snapshots and storage": async (page) => {
    await watch(page);
    const names = PAYLOADS.map((payload) => `${payload.replaceAll(/[\p{Cc}:\\?#()]/gu, "").replaceAll("/", "").trim()}.js`);
    const files = Object.fromEntries(names.map((name, at) => [name, PAYLOADS[at]]));
    assert.ok(Object.keys(files).length >= 10);
    await page.evaluate(
      (program) => {
        const { code, ...rest } = program;
        sessionStorage.setItem("runpen.draft", code);
        sessionStorage.setItem("runpen.draft.rest", JSON.stringify(rest));
        localStorage.setItem("runpen.snapshots", JSON.stringify([{ time: 1, ...program }]));
      },
      { code: `import ${JSON.stringify(`./${names[0]}`)}`, lang: "<b>", files: { ...files, "../<img src=x>": "x", constructor: "x" } },
    );
    await page.goto("about:blank");
    await page.goBack();
    await connected(page);
    await page.locator(".cm-content").waitFor();
    assert.deepEqual((await page.getByRole("tab").allTextContents()).slice(1), [...Object.keys(files), "constructor"]);
    await page.keyboard.press("Control+Enter");
    await status(page, "Failed");
    // Into the file, and all around it.
    await page.locator(".row-position").click();
    await page.locator(".cm-errorMessage").waitFor();
    for (const name of names.slice(0, 12)) {
      await page.getByRole("tab", { name, exact: true }).click();
      await page.getByRole("button", { name: `Delete ${name}`, exact: true }).click();
      await page.getByText(`${name} is deleted.`, { exact: true }).waitFor();
    }
    for (const window of ["Snapshots", "Share", "Open in shell"]) {
      await openWindow(page, window);
      await page.keyboard.press("Escape");
    }
    await unharmed(page);
  },

  "what completion suggests": async (page) => {
    await watch(page);
    await enter(page, `var odd = Object.fromEntries(${JSON.stringify(PAYLOADS)}.map((each) => [each, each])); odd["<b>plain"] = 1; odd.plain = 1; 0`);
    await page.getByLabel("Line to run").click();
    await page.keyboard.type("odd.");
    await page.keyboard.press("Control+Space");
    await page.getByRole("option", { name: "plain" }).first().waitFor();
    await unharmed(page);
    await page.getByLabel("Line to run").fill("");
    await write(page, "");
    await page.keyboard.type("odd.");
    await page.locator(".cm-tooltip-autocomplete li", { hasText: "plain" }).first().waitFor();
    assert.equal(await page.locator(".cm-tooltip-autocomplete").locator("img, script, svg, iframe, b").count(), 0);
    await unharmed(page);
  },

  "the filter and what is copied": async (page) => {
    await watch(page);
    await ran(page, `for (const payload of ${JSON.stringify(PAYLOADS)}) console.log(payload)`);
    await page.getByRole("button", { name: "Filter" }).click();
    for (const payload of PAYLOADS) await page.getByRole("searchbox").fill(payload);
    await page.getByText(/^\d+ of \d+ rows$/).waitFor();
    await status(page, "Done");
    await unharmed(page);
  },
};
