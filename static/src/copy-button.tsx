/** Copies a text, and says so for a moment. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { copyText } from "./clipboard";

const SAID_FOR_MS = 2_000;

interface Props {
  class?: string;
  text: () => string;
  children: ComponentChildren;
}

export function CopyButton({ class: className = "quiet-button", text, children }: Props) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (said === "") return;
    const timer = setTimeout(() => setSaid(""), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => setSaid((await copyText(text())) ? "Copied" : "The browser refused");
  return (
    <>
      <button type="button" class={className} onClick={copy}>
        {said || children}
      </button>
      <span class="unseen" role="status">
        {said}
      </span>
    </>
  );
}
