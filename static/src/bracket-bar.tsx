/** The signs that programs are made of and that screen keyboards hide. Shown where there is no other keyboard. */

import type { CodeSource } from "./editor-pane";

const SIGNS = ["{", "}", "(", ")", "[", "]", "=", "=>", ";", ".", ",", '"', "'", "`", "$", "!", "&", "|", "<", ">", "+", "-", "*", "/"];

const NAMES: Record<string, string> = { '"': "double quote", "'": "quote", "`": "backtick", ",": "comma", ".": "dot", ";": "semicolon" };

export function BracketBar({ source }: { source: () => CodeSource | null }) {
  // Pressing a button would take the focus, and with it the screen keyboard, from the editor.
  const keepFocus = (event: Event) => event.preventDefault();
  return (
    <div class="signs" role="toolbar" aria-label="Signs to insert" onMouseDown={keepFocus}>
      <button type="button" class="sign sign-wide" onClick={() => source()?.insert("  ")}>
        Tab
      </button>
      <button type="button" class="sign" aria-label="Cursor left" onClick={() => source()?.move(-1)}>
        ←
      </button>
      <button type="button" class="sign" aria-label="Cursor right" onClick={() => source()?.move(1)}>
        →
      </button>
      {SIGNS.map((sign) => (
        <button type="button" class="sign" key={sign} aria-label={NAMES[sign]} onClick={() => source()?.insert(sign)}>
          {sign}
        </button>
      ))}
    </div>
  );
}
