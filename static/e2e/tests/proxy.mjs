/** The server behind the nginx that the operator's guide documents: a browser, curl and a foreign page in front of it. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { launch, WAIT_MS } from "../browser.mjs";
import { behindNginx, documentedSettings, NAME } from "../nginx.mjs";
import { open, ran, rowWith } from "../person.mjs";
import { startServer } from "../server.mjs";

async function curl(port, path, ...options) {
  const more = ["-sk", "--max-time", "30", "-w", "\n%{http_code}", "--resolve", `${NAME}:${port}:127.0.0.1`];
  const { stdout } = await promisify(execFile)("curl", [...more, ...options, `https://${NAME}:${port}${path}`]);
  const at = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) };
}

/** The documented proxy and server. */
async function site(act) {
  const server = await startServer({ settings: await documentedSettings() });
  try {
    await behindNginx(server.url, act);
  } finally {
    await server.stop();
  }
}

const manual = (test) => ({ manual: true, test });

export default {
  "the page and its session work through the documented nginx": manual(() =>
    site(async (port) => {
      // The name and the port of the certificate, which the browser need not know: it is the test's own.
      const browser = await launch([`--host-resolver-rules=MAP ${NAME}:443 127.0.0.1:${port}`, "--ignore-certificate-errors"]);
      try {
        const page = await browser.newPage();
        page.setDefaultTimeout(WAIT_MS);
        await open(page, `https://${NAME}/`);
        await ran(page, "6 * 7");
        await rowWith(page, "value", "42");
        const run = await page.evaluate(async () => {
          const response = await fetch("/api/run", { method: "POST", body: JSON.stringify({ code: "6 * 7" }) });
          return [response.status, (await response.json()).result];
        });
        assert.deepEqual(run, [200, 42]);
      } finally {
        await browser.close();
      }
    }),
  ),

  "curl needs no flags for it, and others find what is theirs": manual(() =>
    site(async (port) => {
      const body = ["-d", JSON.stringify({ code: "6 * 7" })];
      const run = await curl(port, "/api/run", ...body);
      assert.deepEqual([run.status, JSON.parse(run.body).result], [200, 42]);
      const lines = await curl(port, "/api/run", ...body, "-H", "accept: application/x-ndjson");
      assert.match(lines.body, /"started"[\s\S]*"done"/);
      for (const path of ["/metrics", "/readyz", "/healthz", "/api/info"]) assert.equal((await curl(port, path)).status, 403, path);
      const foreign = await curl(port, "/api/run", ...body, "-H", "origin: https://evil.example");
      assert.equal(foreign.status, 403);
      assert.match(foreign.body, /add \\"https:\/\/evil\.example\\" to `server\.origins`/);
      // nginx serves every name with its only site, and passes it on.
      const rebound = await curl(port, "/api/run", ...body, "-H", "host: evil.example", "-H", `x-forwarded-host: ${NAME}`);
      assert.equal(rebound.status, 403);
      assert.match(rebound.body, /`server\.public_url`/);
    }),
  ),
};
