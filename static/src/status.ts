/** What the status line says of the session, as data. */

import { bytes, counted, duration } from "./format";
import type { Ended, Phase, Run, Session } from "./session";
import { currentRun } from "./session";

export interface Status {
  tone: "idle" | "busy" | "good" | "bad";
  /** Read out when it changes. */
  text: string;
  /** When the current stretch began, if its time is to be shown as it passes. */
  since: number | null;
  /** Beside the text, not read out. */
  details: string[];
}

export function statusOf(session: Session): Status {
  const run = currentRun(session);
  if (!run) return session.ended ? endedStatus(session.ended) : { tone: "idle", text: "Ready", since: null, details: [] };
  const details = othersText(session.runs.filter((other) => other !== run));
  const { phase } = run;
  const since = phase.kind === "running" || phase.kind === "background" ? phase.since : null;
  if (run.stopping) return { tone: "busy", text: "Stopping", since, details };
  if (session.question) return { tone: "busy", text: "Waiting for your input", since: null, details };
  return { tone: "busy", text: phaseText(phase), since, details };
}

/** More of them are not read, only counted. */
const MAX_PLACES_SAID = 2;

/** The places of those that wait behind the current run, and how many live on beside it. */
function othersText(others: readonly Run[]): string[] {
  const queued = others.flatMap(({ id, origin, phase }) =>
    phase.kind === "queued" ? [`${origin === "line" ? "line" : `run ${id}`} is number ${phase.position} in the queue`] : [],
  );
  const rest = others.length - Math.min(queued.length, MAX_PLACES_SAID);
  return [...queued.slice(0, MAX_PLACES_SAID), ...(rest > 0 ? [`${rest} more`] : [])];
}

function phaseText(phase: Phase): string {
  switch (phase.kind) {
    case "sent":
      return "Starting";
    case "queued":
      return phase.waitingFor === "pool"
        ? `Waiting for a runtime, number ${phase.position} in line`
        : `Queued, number ${phase.position} in line`;
    case "running":
      return "Running";
    case "background":
      return `${counted(phase.timers, "timer", "timers")} still running`;
  }
}

function endedStatus({ how, usage, replaced }: Ended): Status {
  const used = usage
    ? [duration(usage.wall_ms), `CPU ${duration(usage.cpu_ms)}`, `heap ${bytes(usage.heap_bytes)}`]
    : [];
  const details = replaced ? ["runtime replaced", ...used] : used;
  const tone = how === "ok" ? "good" : how === "cancelled" ? "idle" : "bad";
  return { tone, text: ENDED[how], since: null, details };
}

const ENDED: Record<Ended["how"], string> = {
  ok: "Done",
  error: "Failed",
  timeout: "Timed out",
  cancelled: "Stopped",
  memory: "Out of memory",
  unsettled: "Never settled",
  crashed: "Crashed",
  shutdown: "Server closed",
  disconnected: "Connection lost",
  refused: "Not run",
  lost: "Connection lost",
};
