/** The code and its files as tabs, and the language of the code. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { LANGUAGES, MAX_FILES, mainName, type Lang } from "./program";
import type { Deleted, Document, Workspace } from "./workspace";

interface Props {
  workspace: Workspace;
  onDeleted: (deleted: Deleted) => void;
}

/** What a name is being written for. */
type Naming = { id: number | null; name: string };

const NOT_CHECKED = "TypeScript's types are removed, not checked";

export function Tabs({ workspace, onDeleted }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const [naming, setNaming] = useState<Naming | null>(null);
  const { documents, shown, lang } = workspace;

  /** The shown tab is to have the focus, as soon as it is there. */
  const wantsFocus = useRef(false);
  useLayoutEffect(() => {
    if (wantsFocus.current) list.current?.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
    wantsFocus.current = false;
  });
  const focusShown = () => {
    wantsFocus.current = true;
  };

  // A tab that was just made may be outside of what is seen of the row.
  useEffect(() => list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [shown.id, documents.length]);

  const startNaming = (document: Document | null) => setNaming({ id: document?.id ?? null, name: document?.name ?? workspace.freeName() });

  const remove = (id: number) => {
    focusShown();
    const deleted = workspace.remove(id);
    if (deleted) onDeleted(deleted);
  };

  const named = (name: string) => {
    focusShown();
    if (naming?.id != null) workspace.rename(naming.id, name);
    else workspace.add(name);
    setNaming(null);
  };

  const pressed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = documents.findIndex(({ id }) => id === shown.id);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: documents.length - 1 }[event.key];
    if (to !== undefined) {
      const next = documents[(to + documents.length) % documents.length];
      focusShown();
      if (next) workspace.show(next.id);
    } else if (event.key === "F2" && shown.name !== null) {
      startNaming(shown);
    } else if (event.key === "Delete" && shown.name !== null) {
      remove(shown.id);
    } else {
      return;
    }
    event.preventDefault();
  };

  return (
    <div class="tabs">
      <div class="tab-list" role="tablist" aria-label="Files" ref={list} onKeyDown={pressed}>
        {documents.map((document) => (
          <button
            type="button"
            class="tab"
            role="tab"
            key={document.id}
            id={tabId(document)}
            aria-selected={document.id === shown.id}
            aria-controls="editor"
            tabIndex={document.id === shown.id ? 0 : -1}
            onClick={() => workspace.show(document.id)}
            onDblClick={() => document.name !== null && startNaming(document)}
          >
            {document.name ?? mainName(lang)}
          </button>
        ))}
      </div>
      {naming ? (
        <NameForm
          key={naming.id}
          naming={naming}
          fault={(name) => workspace.fault(name, naming.id)}
          onName={named}
          onCancel={() => {
            focusShown();
            setNaming(null);
          }}
        />
      ) : (
        <div class="tab-tools">
          {shown.name !== null && (
            <>
              <button type="button" class="quiet-button" aria-label={`Rename ${shown.name}`} title="Rename (F2)" onClick={() => startNaming(shown)}>
                <span class="tab-word">Rename</span>
                <span class="tab-sign" aria-hidden="true">
                  ✎
                </span>
              </button>
              <button type="button" class="quiet-button" aria-label={`Delete ${shown.name}`} title="Delete" onClick={() => remove(shown.id)}>
                <span class="tab-word">Delete</span>
                <span class="tab-sign" aria-hidden="true">
                  ✕
                </span>
              </button>
            </>
          )}
          {documents.length <= MAX_FILES && (
            <button type="button" class="quiet-button tab-add" aria-label="New file" title="New file" onClick={() => startNaming(null)}>
              +
            </button>
          )}
        </div>
      )}
      {lang === "ts" && (
        <span class="tabs-note" id="language-note" title={NOT_CHECKED}>
          <span class="tabs-note-long">{NOT_CHECKED}</span>
          <span class="tabs-note-short" aria-hidden="true">
            Types not checked
          </span>
        </span>
      )}
      <select
        class="select tab-language"
        aria-describedby={lang === "ts" ? "language-note" : undefined}
        aria-label="Language"
        title={`The language of ${mainName(lang)}. Other files go by their ending.`}
        value={lang}
        onChange={({ currentTarget: { value } }) => workspace.speak(value as Lang)}
      >
        {Object.entries(LANGUAGES).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

export function tabId({ id }: Document): string {
  return `tab-${id}`;
}

interface NameFormProps {
  naming: Naming;
  fault: (name: string) => string | null;
  onName: (name: string) => void;
  onCancel: () => void;
}

function NameForm({ naming, fault, onName, onCancel }: NameFormProps) {
  const field = useRef<HTMLInputElement>(null);
  const [name, setName] = useState(naming.name);
  const [said, setSaid] = useState<string | null>(null);

  useLayoutEffect(() => {
    field.current?.focus();
    // The ending mostly stays.
    field.current?.setSelectionRange(0, Math.max(0, naming.name.lastIndexOf(".")));
  }, []);

  const submitted = (event: Event) => {
    event.preventDefault();
    // As an import writes it.
    const wanted = name.trim().replace(/^\.\//, "");
    const wrong = fault(wanted);
    if (wrong === null) onName(wanted);
    else setSaid(wrong);
  };

  return (
    <form class="tab-form" onSubmit={submitted}>
      <input
        class="field"
        ref={field}
        aria-label={naming.id === null ? "Name of the new file" : "New name"}
        aria-invalid={said !== null}
        aria-describedby={said === null ? undefined : "name-fault"}
        autocapitalize="off"
        autocomplete="off"
        spellcheck={false}
        value={name}
        onInput={({ currentTarget: { value } }) => {
          setName(value);
          setSaid(null);
        }}
        onKeyDown={({ key }) => key === "Escape" && onCancel()}
      />
      <button type="submit" class="quiet-button">
        OK
      </button>
      <button type="button" class="quiet-button" onClick={onCancel}>
        Cancel
      </button>
      {said !== null && (
        <p class="tab-fault" id="name-fault" role="alert">
          {said}
        </p>
      )}
    </form>
  );
}
