/** Numbers as people read them. */

/** `0.42 ms`, `3.1 ms`, `12 ms`, `1.34 s`, `2 min 5 s`. Bounds are where rounding would reach the next unit. */
export function duration(ms: number): string {
  if (ms < 10) return `${round(ms, ms < 1 ? 2 : 1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${round(ms / 1000, ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  const rest = seconds % 60;
  return rest === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${rest} s`;
}

/** The time of something that goes on: always one decimal, so that the text does not jump. */
export function elapsed(ms: number): string {
  return ms < 60_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : duration(ms);
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  if (count < 1024 * 1024) return `${round(count / 1024, 1)} KiB`;
  return `${round(count / 1024 / 1024, 1)} MiB`;
}

/** `1 entry`, `2,000 entries`. */
export function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** `09:05:31` in the reader's time zone. */
export function clock(time: number): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** `09:05:31.042` in the reader's time zone. */
export function stamp(time: number): string {
  return `${clock(time)}.${String(new Date(time).getMilliseconds()).padStart(3, "0")}`;
}

function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
