/** A place in code that is not in the editor any more: that code, as it ran. */

import { useEffect, useRef } from "preact/hooks";

import { Dialog } from "./dialog";
import { mainName, type Program } from "./program";
import type { RunId } from "./protocol";
import type { Position } from "./rows";

export interface Earlier {
  run: RunId;
  /** `null`: the code itself. */
  file: string | null;
  program: Program;
  /** Of the file. */
  text: string;
  position: Position;
}

/** So many lines before the place, and as many behind it. */
const LINES_AROUND = 200;
const LINE_CHARACTERS = 1_000;

interface Props {
  earlier: Earlier;
  onClose: () => void;
  onProgram: (program: Program) => void;
}

export function EarlierCode({ earlier: { run, file, program, text, position }, onClose, onProgram }: Props) {
  const marked = useRef<HTMLDivElement>(null);
  useEffect(() => marked.current?.scrollIntoView({ block: "center" }), []);
  const first = Math.max(1, position.line - LINES_AROUND);
  const lines = text.split("\n").slice(first - 1, position.line + LINES_AROUND);
  const title = `${file ?? mainName(program.lang)} of run ${run}`;
  return (
    <Dialog title={title} onClose={onClose}>
      <p class="dialog-text">
        This is the code as it was in an earlier run. The place is line {position.line}, column {position.column}.
      </p>
      <div class="command-text source" tabIndex={0} role="group" aria-label={title}>
        {lines.map((line, at) => {
          const number = first + at;
          const isMarked = number === position.line;
          return (
            <div class={isMarked ? "source-line source-marked" : "source-line"} key={number} ref={isMarked ? marked : null}>
              <span class="source-number">{number}</span>
              <code>{line.slice(0, LINE_CHARACTERS)}</code>
            </div>
          );
        })}
      </div>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={() => onProgram(program)}>
          Put this program into the editor
        </button>
      </div>
    </Dialog>
  );
}
