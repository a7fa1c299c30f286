/** Completion in the editor: what the session knows, beside the words of the code itself. */

import { acceptCompletion, autocompletion, completionKeymap, ifNotIn, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { localCompletionSource } from "@codemirror/lang-javascript";
import { EditorState, Prec, type Extension } from "@codemirror/state";
import { keymap, type EditorView } from "@codemirror/view";

import { detailOf } from "./completion-detail";
import type { Completions } from "./protocol";

/** Asks the session; `null` where it does not say anything in time. */
export type Complete = (code: string) => Promise<Completions | null>;

/** Far more than an expression before the cursor, far less than a message may have. */
const SENT_CHARACTERS = 10_000;

/** Where nothing is a name: the nodes of the syntax tree that hold plain text. */
const TEXTS = ["String", "TemplateString", "LineComment", "BlockComment", "RegExp"];

export function completions(complete: Complete): Extension {
  const source = ifNotIn(TEXTS, async (context: CompletionContext): Promise<CompletionResult | null> => {
    if (!context.explicit && !context.matchBefore(/[\p{ID_Start}$_.][\p{ID_Continue}$]*$/u)) return null;
    const start = startOfSent(context);
    const answer = await complete(context.state.sliceDoc(start, context.pos));
    if (!answer || context.aborted) return null;
    const { from, to, items } = answer;
    // The language has told the editor its keywords, and the names of the text's own scopes.
    const known = new Set(localCompletionSource(context)?.options.map(({ label }) => label));
    const news = items.filter(({ label, kind }) => kind !== "keyword" && !known.has(label));
    return {
      from: start + from,
      to: start + to,
      options: news.map((item, at) => ({
        label: item.label,
        type: item.kind,
        ...(detailOf(item) && { detail: detailOf(item) }),
        // In the order in which the session has put them.
        boost: -at / news.length,
      })),
      validFor: /^[\p{ID_Continue}$]*$/u,
    };
  });
  return [
    // Its keys are among the ones below.
    autocompletion({ defaultKeymap: false }),
    EditorState.languageData.of(() => [{ autocomplete: source }]),
    Prec.highest(keymap.of([{ key: "Escape", run: letTabLeave }, { key: "Tab", run: acceptCompletion }, ...completionKeymap])),
  ];
}

/** As long as the editor itself gives for the Tab behind an Escape. */
const LEAVE_WITHIN_MS = 2_000;

/** Escape and then Tab leaves the editor, also where the Escape has sent suggestions away. */
function letTabLeave(view: EditorView): boolean {
  view.setTabFocusMode(LEAVE_WITHIN_MS);
  return false;
}

/** The beginning of a line, so that no word is cut. */
function startOfSent({ state, pos }: CompletionContext): number {
  return pos <= SENT_CHARACTERS ? 0 : state.doc.lineAt(pos - SENT_CHARACTERS).to;
}
