/**
 * A program and its settings in a link: JSON, deflated, as base64url in the URL's hash, which browsers keep to themselves. Whoever opens a
 * link may have got it from anybody: what comes out is checked, bounded, and only ever text in the editor.
 */

import { programOf, written, type Program } from "./program";
import { isTimeout } from "./storage";

export interface Shared {
  program: Program;
  keepState: boolean;
  timeoutMs: number | null;
}

/** Mail and chat programs cut longer links, or refuse them. */
export const MAX_HASH_CHARACTERS = 32_000;
/** Four times what the server takes as code by default. A small link must not unfold into gigabytes. */
export const MAX_SHARED_BYTES = 1 << 20;

const PREFIX = "#v1=";

/** The hash, its `#` included; `null` where it would be too long. */
export async function encodeShared({ program, keepState, timeoutMs }: Shared): Promise<string | null> {
  const json = JSON.stringify({ ...written(program), ...(keepState && { keepState }), ...(timeoutMs !== null && { timeoutMs }) });
  const packed = await collect(through(new TextEncoder().encode(json), new CompressionStream("deflate-raw")), Infinity);
  let binary = "";
  for (const byte of packed ?? []) binary += String.fromCharCode(byte);
  const hash = PREFIX + btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return hash.length <= MAX_HASH_CHARACTERS ? hash : null;
}

/** Whether a hash claims to be a shared program. */
export function isShared(hash: string): boolean {
  return hash.startsWith(PREFIX);
}

/** `null` where the link is damaged, too long, or not ours. */
export async function decodeShared(hash: string): Promise<Shared | null> {
  if (!isShared(hash) || hash.length > MAX_HASH_CHARACTERS) return null;
  try {
    const binary = atob(hash.slice(PREFIX.length).replaceAll("-", "+").replaceAll("_", "/"));
    const packed = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const json = await collect(through(packed, new DecompressionStream("deflate-raw")), MAX_SHARED_BYTES);
    if (json === null) return null;
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
    const { keepState, timeoutMs } = (parsed ?? {}) as Record<string, unknown>;
    const program = programOf(parsed);
    return program && { program, keepState: keepState === true, timeoutMs: isTimeout(timeoutMs) ? timeoutMs : null };
  } catch {
    return null;
  }
}

function through(bytes: Uint8Array<ArrayBuffer>, transform: CompressionStream | DecompressionStream): ReadableStream<Uint8Array> {
  return new Blob([bytes]).stream().pipeThrough(transform);
}

/** `null`, and the stream given up, when there is more than `limit`. */
async function collect(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      return null;
    }
    chunks.push(value);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
