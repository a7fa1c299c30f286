/** The commands that run a program from a POSIX shell. */

import { byName, type Program } from "./program";

export interface ShellCommands {
  websocat: string;
  curl: string;
}

/** Without `timeoutMs` the server decides. `page` is the address of the page; the server's routes are beside it. */
export function shellCommands({ code, lang, files }: Program, timeoutMs: number | null, page: string): ShellCommands {
  const http = new URL("api/run", page);
  http.hash = http.search = "";
  const socket = new URL("ws?once=1", page);
  socket.protocol = http.protocol === "https:" ? "wss:" : "ws:";
  const settings = {
    ...(timeoutMs !== null && { timeout_ms: timeoutMs }),
    ...(lang !== "js" && { lang }),
    ...(files.length > 0 && { files: byName(files) }),
  };
  const body = quoted(asciiJson({ code, ...settings }));
  const message = quoted(asciiJson({ type: "run", code, ...settings }));
  // The program goes through a pipe: it may be longer than the system lets an argument be, and printf is the shell's own.
  return {
    websocat: `printf '%s\\n' ${message} | websocat -B 1048576 ${quoted(socket.href)}`,
    curl: `printf '%s' ${body} | curl -sS -H 'Content-Type: application/json' --data-binary @- ${quoted(http.href)}`,
  };
}

/** One word of a POSIX shell, whatever is in the text. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** JSON on one line, in signs that every terminal passes on as they are. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^ -~]|'/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
