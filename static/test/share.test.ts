import { describe, expect, test } from "vitest";

import { decodeShared, encodeShared, isShared, MAX_HASH_CHARACTERS, MAX_SHARED_BYTES, type Shared } from "../src/share";
import { MAX_FILES, type Program } from "../src/program";
import { quoted, shellCommands } from "../src/shell";

const plain = { keepState: false, timeoutMs: null };
const program = (code: string, more: Partial<Program> = {}): Program => ({ code, lang: "js", files: [], ...more });

async function hashOf(json: string): Promise<string> {
  const stream = new Blob([json]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return `#v1=${Buffer.from(await new Response(stream).arrayBuffer()).toString("base64url")}`;
}

describe("a shared program", () => {
  test.each<Shared>([
    { program: program(""), ...plain },
    { program: program("1 + 1"), keepState: true, timeoutMs: 5000 },
    { program: program("'ä€😀\u0000\u2028'\r\n\tπ"), ...plain },
    { program: program("\ud800 a lone surrogate"), ...plain },
    { program: program("x".repeat(200_000)), ...plain },
    { program: program("let a: number", { lang: "ts" }), ...plain },
    { program: program("1", { files: [{ name: "b.ts", text: "" }, { name: "__proto__", text: "x" }, { name: "a/ü .js", text: "😀" }] }), ...plain },
  ])("comes back as it was", async (shared) => {
    const hash = await encodeShared(shared);
    expect(hash).toMatch(/^#v1=[\w-]+$/);
    expect(await decodeShared(hash ?? "")).toEqual(shared);
  });

  test("that is too long is refused", async () => {
    const noise = Array.from({ length: MAX_HASH_CHARACTERS }, (_, index) => String.fromCodePoint(0x4e00 + ((index * 7919) % 20_000))).join("");
    expect(await encodeShared({ program: program(noise), ...plain })).toBeNull();
    expect(await decodeShared(`#v1=${"A".repeat(MAX_HASH_CHARACTERS)}`)).toBeNull();
  });

  test("cannot unfold into more than a page can bear", async () => {
    expect(await decodeShared(await hashOf(JSON.stringify({ code: "x".repeat(MAX_SHARED_BYTES) })))).toBeNull();
  });

  test("has only files that the server would take", async () => {
    const names = ["../up.js", "/root.js", "a//b.js", "./c.js", "q?.js", "new\nline.js", "(x).js", "", "x".repeat(129), "main.js", "ok.js"];
    const files = { ...Object.fromEntries(names.map((name) => [name, "text"])), "number.js": 7 };
    const shared = await decodeShared(await hashOf(JSON.stringify({ code: "1", files })));
    expect(shared?.program.files).toEqual([{ name: "ok.js", text: "text" }]);
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`f${index}.js`, ""]));
    expect((await decodeShared(await hashOf(JSON.stringify({ code: "1", files: many }))))?.program.files).toHaveLength(MAX_FILES);
  });

  test("is nothing but its own fields, each of its type", async () => {
    const odd = '{"code":"1","keepState":"yes","timeoutMs":-1,"lang":"py","files":[1],"theme":"<b>","__proto__":{"x":1}}';
    expect(await decodeShared(await hashOf(odd))).toEqual({ program: program("1"), ...plain });
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
    const { websocat, curl } = shellCommands(program("1"), 50, "https://pen.example/sub/?q=1#v1=x");
    expect(websocat).toBe(
      `printf '%s\\n' '{"type":"run","code":"1","timeout_ms":50}' | websocat -B 1048576 'wss://pen.example/sub/ws?once=1'`,
    );
    expect(curl).toBe(
      `printf '%s' '{"code":"1","timeout_ms":50}' | curl -sS -H 'Content-Type: application/json' --data-binary @- 'https://pen.example/sub/api/run'`,
    );
  });
  test("are one line of plain signs", () => {
    const { curl } = shellCommands(program("'ä'\n\t😀\u007f"), null, "http://x/");
    expect(curl).toContain(`{"code":"\\u0027\\u00e4\\u0027\\n\\t\\ud83d\\ude00\\u007f"}`);
    expect(curl).toMatch(/^[ -~]+$/);
  });
  test("send the language and the files along", () => {
    const { curl } = shellCommands(program("1", { lang: "ts", files: [{ name: "a.js", text: "it's" }] }), null, "http://x/");
    expect(curl).toContain('{"code":"1","lang":"ts","files":{"a.js":"it\\u0027s"}}');
  });
  test("quote a word", () => expect(quoted("it's")).toBe(`'it'\\''s'`));
});
