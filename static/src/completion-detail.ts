/** What is said of a suggested name beside it. */

import type { CompletionItem } from "./protocol";

/**
 * Without the number of parameters that the engine's own functions have: `Math.max` takes more than two, and `push` more than one.
 */
export function detailOf({ detail = "" }: CompletionItem): string {
  return detail.replace(/^\d+ parameters?(?:, )?/, "");
}
