/** Says how the connection is; while it is lost, also why, when it is tried again, and a button that does so at once. */

import { useEffect, useState } from "preact/hooks";

import type { ConnectionState } from "./connection";

const TEXT: Record<ConnectionState["kind"], string> = {
  connecting: "Connecting",
  open: "Connected",
  lost: "Offline",
  reconnecting: "Reconnecting",
  closed: "Closed",
};

export function ConnectionMark({ state }: { state: ConnectionState }) {
  return (
    <div class={`connection connection-${state.kind}`}>
      <span class="connection-mark" aria-hidden="true" />
      <span class="connection-text" role="status">
        {TEXT[state.kind]}
      </span>
    </div>
  );
}

interface NoticeProps {
  state: ConnectionState;
  onRetry: () => void;
}

export function ConnectionNotice({ state, onRetry }: NoticeProps) {
  const [now, setNow] = useState(Date.now);
  const lost = state.kind === "lost";
  useEffect(() => {
    if (!lost) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [lost]);
  if (!lost) return null;
  const seconds = Math.max(0, Math.ceil((state.retryAt - now) / 1000));
  return (
    <aside class="notice" aria-label="Connection">
      <span>
        {state.why} Trying again{seconds > 0 ? ` in ${seconds} s` : ""}. Your code and the console stay; the next run has a fresh runtime.
      </span>
      <button type="button" class="quiet-button" onClick={onRetry}>
        Try now
      </button>
    </aside>
  );
}
