/** What the next run is sent with. */

import { duration } from "./format";
import type { Limits } from "./protocol";
import type { Settings } from "./storage";

const TIMEOUTS_MS = [1_000, 5_000, 10_000, 30_000, 60_000, 300_000];

interface Props {
  settings: Settings;
  limits: Limits | null;
  onChange: (settings: Settings) => void;
}

export function Options({ settings, limits, onChange }: Props) {
  const { timeoutMs } = settings;
  return (
    <div class="options">
      <label class="option">
        <span class="option-name">Time limit</span>
        <select
          class="select"
          value={timeoutMs ?? ""}
          onChange={({ currentTarget: { value } }) => onChange({ ...settings, timeoutMs: value === "" ? null : Number(value) })}
        >
          {timeoutChoices(timeoutMs, limits).map(({ value, text }) => (
            <option key={value} value={value ?? ""}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <label class="option" title="On: variables live on from run to run. Off: each run starts with a fresh runtime.">
        <span class="option-name">Keep state</span>
        <input
          class="switch"
          type="checkbox"
          role="switch"
          checked={settings.keepState}
          onChange={({ currentTarget: { checked } }) => onChange({ ...settings, keepState: checked })}
        />
      </label>
    </div>
  );
}

interface Choice {
  /** `null` leaves it to the server. */
  value: number | null;
  text: string;
}

/** What the server allows, its own default among them; and what was chosen before, even if it is none of these. */
export function timeoutChoices(chosen: number | null, limits: Limits | null): Choice[] {
  const preset = limits?.timeout_ms ?? null;
  const allowed = TIMEOUTS_MS.filter((timeout) => timeout !== preset && timeout <= (limits?.max_timeout_ms ?? Infinity));
  if (chosen !== null && !allowed.includes(chosen)) allowed.push(chosen);
  const choices = allowed.map((value): Choice & { order: number } => ({ value, text: duration(value), order: value }));
  choices.push({ value: null, text: preset === null ? "Default" : duration(preset), order: preset ?? 0 });
  return choices.sort((a, b) => a.order - b.order).map(({ value, text }) => ({ value, text }));
}
