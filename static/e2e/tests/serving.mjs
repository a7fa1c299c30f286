import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const DIST = new URL("../../dist/", import.meta.url).pathname;
const KIB = 1024;
/** Over the wire, packed. */
const FIRST_PAINT_BYTES = 45 * KIB;
const ALL_BYTES = 260 * KIB;

/** `fetch` would unpack, and hide that it did. */
const get = (url, headers = {}) =>
  new Promise((resolve, reject) => {
    const sent = request(url, { headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    sent.on("error", reject).end();
  });

const GZIP = { "accept-encoding": "gzip, deflate, br" };

/** The addresses that the first document names. */
const firstFiles = async (url) => {
  const html = (await get(url)).body.toString();
  return [...html.matchAll(/(?:src|href)="\.?\/?([^"]+)"/g)].map(([, path]) => `${url}/${path}`);
};

const manual = (test) => ({ manual: true, test });

export default {
  "everything is served packed to those who take it, plain to the others": manual(async (page, { url }) => {
    for (const file of [`${url}/`, ...(await firstFiles(url))]) {
      const [packed, plain] = [await get(file, GZIP), await get(file)];
      assert.equal(packed.headers["content-encoding"], "gzip", file);
      assert.equal(plain.headers["content-encoding"], undefined, file);
      assert.ok(packed.body.length < plain.body.length, file);
      assert.deepEqual(gunzipSync(packed.body), plain.body, file);
      assert.equal(packed.headers["content-type"], plain.headers["content-type"]);
      assert.notEqual(packed.headers.etag, plain.headers.etag, "the two forms are told apart");
      for (const { headers } of [packed, plain]) assert.match(headers.vary, /accept-encoding/i);
    }
  }),

  "what a browser knows is not sent again": manual(async (page, { url }) => {
    for (const headers of [GZIP, {}]) {
      const { headers: first } = await get(`${url}/`, headers);
      const again = await get(`${url}/`, { ...headers, "if-none-match": first.etag });
      assert.deepEqual([again.status, again.body.length, again.headers.etag], [304, 0, first.etag]);
      assert.match(again.headers.vary, /accept-encoding/i);
    }
    const packed = await get(`${url}/`, GZIP);
    assert.equal((await get(`${url}/`, { "if-none-match": packed.headers.etag })).status, 200, "a tag is good for its own form only");
  }),

  "hashed files are kept for ever, the others asked for": manual(async (page, { url }) => {
    assert.equal((await get(`${url}/`, GZIP)).headers["cache-control"], "no-cache");
    const hashed = (await firstFiles(url)).filter((file) => file.includes("/assets/"));
    assert.ok(hashed.length >= 2);
    for (const file of hashed) assert.match((await get(file, GZIP)).headers["cache-control"], /max-age=31536000, immutable/);
  }),

  "the first paint and the whole page are small": manual(async (page, { url }) => {
    const sizeOf = async (file) => (await get(file, GZIP)).body.length;
    let first = await sizeOf(`${url}/`);
    for (const file of await firstFiles(url)) first += await sizeOf(file);
    let all = 0;
    for (const entry of await readdir(DIST, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && !path.endsWith(".gz") && !path.endsWith("licenses.md")) all += await sizeOf(`${url}/${path.slice(DIST.length)}`);
    }
    console.log(`      first paint ${(first / KIB).toFixed(1)} KiB, all ${(all / KIB).toFixed(1)} KiB`);
    assert.ok(first < FIRST_PAINT_BYTES && all < ALL_BYTES);
  }),

  "the page works before the editor has come, and without it": {
    manual: true,
    test: async (page, { url, allow }) => {
      allow(/ERR_FAILED/);
      await page.route(/assets\/editor-/, (route) => route.abort());
      await page.goto(url);
      const field = page.getByRole("textbox", { name: "JavaScript code" });
      await field.fill("6 * 7");
      await field.press("Control+Enter");
      await page.locator(".row-value", { hasText: /^42$/ }).waitFor();
    },
  },

  "the policy is strict": manual(async (page, { url }) => {
    const { headers } = await get(`${url}/`, GZIP);
    assert.doesNotMatch(headers["content-security-policy"], /unsafe|data:|\*|https?:/);
    assert.match(headers["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.doesNotMatch(await readFile(join(DIST, "index.html"), "utf8"), /<script>|<style|\son\w+=|https?:\/\//);
  }),
};
