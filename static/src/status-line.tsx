/** The line at the foot of the page: what runs, for how long, and what the last run has used. */

import { useEffect, useState } from "preact/hooks";

import { elapsed } from "./format";
import type { Session } from "./session";
import { statusOf } from "./status";

const TICK_MS = 100;

export function StatusLine({ session }: { session: Session }) {
  const { tone, text, since, details } = statusOf(session);
  return (
    <footer class={`status status-${tone}`}>
      <span class="status-mark" aria-hidden="true" />
      <span class="status-text" role="status">
        {text}
      </span>
      {since !== null && <Elapsed since={since} />}
      {details.map((detail) => (
        <span class="status-detail" key={detail}>
          {detail}
        </span>
      ))}
    </footer>
  );
}

function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return <span class="status-detail">{elapsed(now - since)}</span>;
}
