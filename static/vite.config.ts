import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const server = process.env.RUNPEN_ADDR ?? "127.0.0.1:8080";

/** Puts a `.gz` beside each file that gets smaller by it: packed once here, at the highest level, and not at each request. */
function precompressed(): Plugin {
  let folder = "";
  return {
    name: "precompressed",
    apply: "build",
    configResolved: ({ root, build }) => void (folder = join(root, build.outDir)),
    async closeBundle() {
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(?:html|js|css|svg|md)$/.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const text = await readFile(path);
        const packed = await promisify(gzip)(text, { level: 9 });
        if (packed.length < text.length) await writeFile(`${path}.gz`, packed);
      }
    },
  };
}

export default defineConfig({
  plugins: [precompressed()],
  // Relative, so that the page also works below a path of a reverse proxy.
  base: "./",
  build: {
    target: "es2022",
    // Of the same age as `light-dark()`, which is to stay as it is.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    sourcemap: false,
    // The licences of what is bundled ask for their texts to come along.
    license: { fileName: "licenses.md" },
    // Inlined assets would need `data:` in the page's content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/ws": { target: `ws://${server}`, ws: true },
      "/api": { target: `http://${server}` },
    },
  },
  test: { include: ["test/**/*.test.ts"] },
});
