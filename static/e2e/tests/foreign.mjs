/** Pages that are not the server's own, in a real browser: what they may do, and what comes of it when they try more. */

import assert from "node:assert/strict";
import { createServer } from "node:http";

import { launch, WAIT_MS } from "../browser.mjs";
import { startServer } from "../server.mjs";

/** Another origin: the same machine, another port. */
async function foreignSite(act) {
  const site = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>foreign</title>"));
  await new Promise((ready) => site.listen(0, "127.0.0.1", ready));
  try {
    return await act(`http://127.0.0.1:${site.address().port}`);
  } finally {
    site.closeAllConnections();
    site.close();
  }
}

/** How many runs the server has begun and ended, by its own count. */
async function runs(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(/^runpen_runs_total\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Everything that a page can try, and how each came out. */
function attempts(url) {
  const body = JSON.stringify({ code: "6 * 7" });
  const told = (promise) => promise.then((text) => text, (error) => error.name);
  const read = async (path, options) => {
    const response = await fetch(url + path, options);
    return `${response.type} ${response.status} ${(await response.text()).includes('"result":42')}`;
  };
  const json = { "content-type": "application/json" };
  const socket = (path) =>
    new Promise((answer) => {
      const ws = new WebSocket(url.replace("http", "ws") + path);
      ws.onopen = () => ws.send(path === "/ws" ? JSON.stringify({ type: "run", id: 1, code: "6 * 7" }) : "6 * 7");
      ws.onmessage = ({ data }) => /"done".*"42"|^42$/.test(data) && (answer("42"), ws.close());
      ws.onclose = ({ code }) => answer(`closed ${code}`);
    });
  const form = () =>
    new Promise((answer) => {
      const frame = document.createElement("iframe");
      // Named before it is there, or the form would open a window.
      frame.name = "answer";
      document.body.appendChild(frame);
      const form = document.body.appendChild(document.createElement("form"));
      Object.assign(form, { method: "post", action: `${url}/api/run`, enctype: "text/plain", target: "answer" });
      const field = form.appendChild(document.createElement("input"));
      // As a form writes it, `name=value` is a JSON object.
      Object.assign(field, { name: '{"code":"6 * 7","note":"', value: '"}' });
      // The frame of a foreign address can be asked for nothing, its load alone is seen.
      frame.onload = () => answer("loaded");
      form.submit();
    });
  return Promise.all([
    told(read("/api/run", { method: "POST", body })),
    told(read("/api/run", { method: "POST", body, headers: json })),
    told(read("/api/info")),
    told(read("/api/run", { method: "POST", body, mode: "no-cors" })),
    told(Promise.resolve(navigator.sendBeacon(`${url}/api/run`, body) && "sent")),
    told(socket("/ws")),
    told(socket("/ws/text")),
    told(form()),
  ]);
}

/** The status of every answer of the server that the page's browser got, its beacons and forms too. */
function answers(page, url) {
  const statuses = [];
  page.on("response", (response) => {
    const { origin, pathname } = new URL(response.url());
    if (origin === url && response.request().method() === "POST") statuses.push(`${pathname} ${response.status()}`);
  });
  return statuses;
}

const manual = (test) => ({ manual: true, test });

/** A refusal is an error in the browser's console. */
const REFUSED = /CORS policy|net::ERR_FAILED|403|WebSocket connection/;

export default {
  "a page of another origin can neither run code nor read anything": manual(async (page, { url, allow }) => {
    allow(REFUSED);
    await foreignSite(async (foreign) => {
      await page.goto(foreign);
      const statuses = answers(page, url);
      const before = await runs(url);
      const came = await page.evaluate(attempts, url);
      assert.deepEqual(came, ["TypeError", "TypeError", "TypeError", "opaque 0 false", "sent", "closed 1006", "closed 1006", "loaded"]);
      assert.ok(statuses.length >= 2, "the form and the opaque request were answered");
      for (const status of statuses) assert.equal(status, "/api/run 403");
      assert.equal(await runs(url), before, "nothing has run");
    });
  }),

  "a page without an origin of its own is as foreign": manual(async (page, { url, allow }) => {
    allow(REFUSED);
    await foreignSite(async (foreign) => {
      await page.goto(foreign);
      const before = await runs(url);
      const came = await page.evaluate(
        ([url, attempts]) =>
          new Promise((answer) => {
            addEventListener("message", ({ data }) => answer(data));
            const frame = document.body.appendChild(document.createElement("iframe"));
            frame.sandbox = "allow-scripts allow-forms";
            frame.srcdoc = `<body><script>(${attempts})(${JSON.stringify(url)}).then((came) => parent.postMessage(came, "*"))</script>`;
          }),
        [url, attempts.toString()],
      );
      assert.deepEqual(came.slice(0, 7), ["TypeError", "TypeError", "TypeError", "opaque 0 false", "sent", "closed 1006", "closed 1006"]);
      assert.equal(await runs(url), before, "nothing has run");
    });
  }),

  "a page that is listed may do both": manual(async (page, { allow }) => {
    // What comes of the beacon and of the frame is not the page's to read, listed or not.
    allow(/frame|CORS policy: .*credentials|net::ERR_FAILED/);
    await foreignSite(async (foreign) => {
      const server = await startServer({ settings: { RUNPEN_SERVER__ORIGINS: `https://school.example,${foreign}` } });
      try {
        await page.goto(foreign);
        const came = await page.evaluate(attempts, server.url);
        assert.deepEqual(came.slice(0, 4), ["cors 200 true", "cors 200 true", "cors 200 false", "opaque 0 false"]);
        assert.deepEqual(came.slice(5, 7), ["42", "42"]);
        assert.ok((await runs(server.url)) >= 5);
      } finally {
        await server.stop();
      }
    });
  }),

  "a name that was made to point here is not the server's": manual(async () => {
    const server = await startServer();
    // What a resolver of the attacker's would say.
    const browser = await launch(["--host-resolver-rules=MAP evil.example 127.0.0.1"]);
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(WAIT_MS);
      const rebound = `http://evil.example:${server.port}`;
      // To the browser this is a page of the server, so it may read every answer.
      await page.goto(`${rebound}/healthz`);
      const came = await page.evaluate(async (url) => {
        const run = await fetch("/api/run", { method: "POST", body: JSON.stringify({ code: "6 * 7" }) });
        const socket = await new Promise((answer) => {
          const ws = new WebSocket(`${url.replace("http", "ws")}/ws`);
          ws.onopen = () => answer("open");
          ws.onclose = () => answer("closed");
        });
        return [run.status, (await run.json()).error.message, (await fetch("/api/info")).status, socket];
      }, rebound);
      const sentence = `this server is not known as "evil.example:${server.port}"; if it is, set \`server.public_url\` to "${rebound}"`;
      assert.deepEqual(came, [403, sentence, 403, "closed"]);
      assert.equal(await runs(server.url), 0, "nothing has run");
    } finally {
      await browser.close();
      await server.stop();
    }
  }),
};
