/** Puts the reader's choices of looks on the document; the style sheet does the rest. */

import type { Settings } from "./storage";

/** What projector mode adds: code that is read from the last row of a room. */
const PROJECTOR_PIXELS = 10;

export function applyLook({ theme, projector, fontSize }: Settings): void {
  const { dataset, style } = document.documentElement;
  const forced = projector ? "light" : theme;
  if (forced) dataset.theme = forced;
  else delete dataset.theme;
  dataset.projector = String(projector);
  style.setProperty("--code-size", `${fontSize + (projector ? PROJECTOR_PIXELS : 0)}px`);
}
