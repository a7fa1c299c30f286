/** The nginx of docs/operations.md, as it stands there, but for its port, its certificate, and the port of the server behind it. */

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Debian keeps it where only administrators look. */
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;

const run = promisify(execFile);

/** The site that the guide documents. */
export const NAME = "run.example.org";

/** Calls `act` with the port that the documented nginx listens on, in front of the server at `upstream`. */
export async function behindNginx(upstream, act) {
  const folder = await mkdtemp(join(tmpdir(), "runpen-nginx-"));
  const [certificate, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", `/CN=${NAME}`, "-keyout", key, "-out", certificate]);
  let nginx;
  try {
    const port = await freePort();
    const documented = await sample();
    const site = replaced(documented, {
      "listen 443 ssl;": `listen 127.0.0.1:${port} ssl;`,
      [`/etc/ssl/${NAME}.pem`]: certificate,
      [`/etc/ssl/${NAME}.key`]: key,
      "http://127.0.0.1:8080": upstream,
    });
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder}/${kind};`);
    // One process without a user of its own, which ends with this one.
    const whole = `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit; events {}
      http { access_log off; ${temporary.join(" ")}\n${site}\n}`;
    await writeFile(join(folder, "nginx.conf"), whole);
    nginx = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "inherit", env: { ...process.env, PATH } });
    await answers(nginx, port);
    return await act(port);
  } finally {
    if (nginx && nginx.exitCode === null) {
      const exited = new Promise((resolve) => nginx.once("exit", resolve));
      nginx.kill("SIGTERM");
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  }
}

async function sample() {
  const guide = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const [, block] = /```nginx\n([\s\S]*?)```/.exec(guide);
  return block;
}

/** The keys of the server that the guide asks for with this proxy, as variables. */
export async function documentedSettings() {
  const guide = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const [, url] = /```toml\n\[server\]\npublic_url = "([^"]+)"\n```/.exec(guide);
  return { RUNPEN_SERVER__PUBLIC_URL: url };
}

function replaced(text, changes) {
  for (const [from, to] of Object.entries(changes)) {
    assert.ok(text.includes(from), `the guide's nginx has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

async function freePort() {
  const probe = createServer();
  await new Promise((ready) => probe.listen(0, "127.0.0.1", ready));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  return port;
}

/** Waits until it takes connections. */
async function answers(nginx, port) {
  for (;;) {
    assert.equal(nginx.exitCode, null, "nginx has ended");
    const taken = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.on("error", () => resolve(false)).on("connect", () => socket.destroy());
    });
    if (taken) return;
    await new Promise((wake) => setTimeout(wake, 10));
  }
}
