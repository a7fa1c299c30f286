/** The real server, from the binary that RUNPEN_BIN names. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Port 0 takes a free one. `settings` are environment variables as config.toml describes them. */
export async function startServer({ port = 0, settings = {} } = {}) {
  const binary = process.env.RUNPEN_BIN;
  assert.ok(binary, "RUNPEN_BIN must name the server's binary");
  const child = spawn(binary, ["serve", "--listen", `127.0.0.1:${port}`], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, RUNPEN_LOG__LEVEL: "warn", ...settings },
  });
  const exited = new Promise((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server ended with code ${code}`)));
  });
  exited.catch(() => {});
  const listening = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const found = /^listening on (http:\/\/\S+)$/.exec(line);
      if (found) return found[1];
    }
    throw new Error("the server did not say where it listens");
  })();
  const url = await Promise.race([listening, exited]);
  // Nobody reads on, and a full pipe would stop the server.
  child.stdout.resume();
  return { process: child, url, port: Number(new URL(url).port), stop: (signal) => stop(child, signal) };
}

async function stop(child, signal = "SIGTERM") {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const impatient = setTimeout(() => child.kill("SIGKILL"), 5_000);
  child.kill(signal);
  await exited;
  clearTimeout(impatient);
}
