import { describe, expect, test } from "vitest";

import { decodeShared, encodeShared, isShared, MAX_HASH_CHARACTERS, MAX_SHARED_BYTES, type Shared } from "../src/share";
import { quoted, shellCommands } from "../src/shell";

const plain = { keepState: false, timeoutMs: null };

async function hashOf(json: string): Promise<string> {
  const stream = new Blob([json]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return `#v1=${Buffer.from(await new Response(stream).arrayBuffer()).toString("base64url")}`;
}

describe("a shared program", () => {
  test.each<Shared>([
    { code: "", ...plain },
    { code: "1 + 1", keepState: true, timeoutMs: 5000 },
    { code: "'ä€😀\u0000\u2028'\r\n\tπ", ...plain },
    { code: "\ud800 a lone surrogate", ...plain },
    { code: "x".repeat(200_000), ...plain },
  ])("comes back as it was", async (shared) => {
    const hash = await encodeShared(shared);
    expect(hash).toMatch(/^#v1=[\w-]+$/);
    expect(await decodeShared(hash ?? "")).toEqual(shared);
  });

  test("that is too long is refused", async () => {
    const noise = Array.from({ length: MAX_HASH_CHARACTERS }, (_, index) => String.fromCodePoint(0x4e00 + ((index * 7919) % 20_000))).join("");
    expect(await encodeShared({ code: noise, ...plain })).toBeNull();
    expect(await decodeShared(`#v1=${"A".repeat(MAX_HASH_CHARACTERS)}`)).toBeNull();
  });

  test("cannot unfold into more than a page can bear", async () => {
    expect(await decodeShared(await hashOf(JSON.stringify({ code: "x".repeat(MAX_SHARED_BYTES) })))).toBeNull();
  });

  test("is nothing but its three fields, each of its type", async () => {
    const odd = '{"code":"1","keepState":"yes","timeoutMs":-1,"theme":"<b>","__proto__":{"x":1}}';
    expect(await decodeShared(await hashOf(odd))).toEqual({ code: "1", ...plain });
  });

  test.each(["", "#", "#v1", "#v1=", "#v1=!", "#v1=AAAA", "#v2=AAAA", "#<script>", "#v1=%00", "#v1=S0ksSQQA"])("is not in %j", async (hash) => {
    expect(await decodeShared(hash)).toBeNull();
  });
  test.each(["null", "7", "[]", '{"code":7}', '"code"', "{"])("is not made of %j", async (json) => {
    expect(await decodeShared(await hashOf(json))).toBeNull();
  });
  test("is told from other hashes by its beginning", () => expect([isShared("#v1=x"), isShared("#top")]).toEqual([true, false]));
});

describe("shell commands", () => {
  test("name the routes beside the page", () => {
    const { websocat, curl } = shellCommands({ code: "1", timeoutMs: 50 }, "https://pen.example/sub/?q=1#v1=x");
    expect(websocat).toBe(
      `printf '%s\\n' '{"type":"run","code":"1","timeout_ms":50}' | websocat -B 1048576 'wss://pen.example/sub/ws?once=1'`,
    );
    expect(curl).toBe(
      `printf '%s' '{"code":"1","timeout_ms":50}' | curl -sS -H 'Content-Type: application/json' --data-binary @- 'https://pen.example/sub/api/run'`,
    );
  });
  test("are one line of plain signs", () => {
    const { curl } = shellCommands({ code: "'ä'\n\t😀\u007f", timeoutMs: null }, "http://x/");
    expect(curl).toContain(`{"code":"\\u0027\\u00e4\\u0027\\n\\t\\ud83d\\ude00\\u007f"}`);
    expect(curl).toMatch(/^[ -~]+$/);
  });
  test("quote a word", () => expect(quoted("it's")).toBe(`'it'\\''s'`));
});
