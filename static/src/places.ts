/** Where the places that rows name lead: into the editor, or to the code of an earlier run. */

import { useMemo, useRef } from "preact/hooks";

import type { RunText } from "./console-row";
import type { Earlier } from "./earlier-code";
import { offsetIn } from "./plain-editor";
import type { Playground } from "./playground";
import type { Program } from "./program";
import type { Place } from "./rows";
import { AT_ONCE } from "./requests";
import { sourceOf, type Source } from "./session";
import type { Inspect } from "./value-tree";
import type { Document, Workspace } from "./workspace";

export interface Places {
  leads(row: RunText, place: Place): boolean;
  go(row: RunText, place: Place): void;
  /** The document that still is what ran; `null` where it is not, or gone. */
  documentOf(program: Program, file: string | null): Document | null;
  inspect(row: RunText): Inspect;
}

/** Where places lead. */
interface Ways {
  /** To a place in a document of the workspace. */
  go(id: number, place: Place): void;
  onEarlier(earlier: Earlier): void;
}

export function usePlaces(playground: Playground, workspace: Workspace, ways: Ways): Places {
  const latest = useRef(ways);
  latest.current = ways;
  return useMemo(() => {
    const documentOf = (program: Program, file: string | null) => {
      const ran = textOf(program, file);
      if (ran === null) return null;
      // What ran may have been selected in any of them.
      const candidates = file === null ? workspace.documents : workspace.documents.filter(({ name }) => name === file);
      return candidates.find(({ text }) => holds(text, ran)) ?? null;
    };

    const go = (row: RunText, place: Place) => {
      const source = sourceOf(playground.session, row, place);
      const text = source && textOf(source.program, place.file);
      if (!source || text === null) return;
      // The last program that ran is the one that is being worked on: a place in it moves a little with each change.
      const last = playground.session.sources.findLast(({ origin }) => origin === "editor");
      const document = documentOf(source.program, place.file) ?? (source.run === last?.run ? workspace.named(place.file) : null);
      if (document) {
        latest.current.go(document.id, place);
      } else {
        latest.current.onEarlier({ run: source.run, file: place.file, program: source.program, text, position: place });
      }
    };

    const inspect = (row: RunText): Inspect => ({
      async ask(ref, start) {
        // Another connection is another session, whose refs are other values.
        if (row.connection !== playground.session.connection) return "expired";
        const reply = await playground.ask({ type: "inspect", ref, start, count: AT_ONCE });
        if ("refusal" in reply) return reply.refusal;
        return reply.answer.type === "properties" ? reply.answer : "late";
      },
      known: playground.levelOf,
    });

    return { leads: (row, place) => isThere(sourceOf(playground.session, row, place), place), go, documentOf, inspect };
  }, [playground, workspace]);
}

/** What was entered in the console's line stands in the row above. */
function isThere(source: Source | null, { file }: Place): boolean {
  return source !== null && source.origin === "editor" && textOf(source.program, file) !== null;
}

/** Whether a text still has what ran, whole or in part, in the place where it ran from: positions in it are right then. */
function holds(text: string, ran: string): boolean {
  const code = ran.trimStart();
  const before = ran.slice(0, ran.length - code.length);
  const position = { line: before.split("\n").length, column: before.length - before.lastIndexOf("\n") };
  return text.startsWith(code, offsetIn(text, position));
}

function textOf({ code, files }: Program, file: string | null): string | null {
  return file === null ? code : (files.find(({ name }) => name === file)?.text ?? null);
}
