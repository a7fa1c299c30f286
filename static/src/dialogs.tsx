/** The windows of the page: the menu, and what it opens. */

import { useEffect, useState } from "preact/hooks";

import { CopyButton } from "./copy-button";
import { Dialog } from "./dialog";
import { EXAMPLES } from "./examples";
import { counted, stamp } from "./format";
import { Options } from "./options";
import { LANGUAGES, type Program } from "./program";
import type { Limits } from "./protocol";
import { encodeShared, MAX_HASH_CHARACTERS, type Shared } from "./share";
import { shellCommands } from "./shell";
import { ALL_KEYS } from "./shortcuts";
import { titleOf } from "./session";
import type { Snapshot } from "./snapshots";
import { MAX_FONT_SIZE, MIN_FONT_SIZE, type Settings, type Theme } from "./storage";

export type Window = "menu" | "examples" | "snapshots" | "share" | "shell" | "help";

interface Props {
  open: Window;
  settings: Settings;
  limits: Limits | null;
  snapshots: readonly Snapshot[];
  /** What is being edited. */
  program: () => Program;
  onOpen: (window: Window) => void;
  onClose: () => void;
  onSettings: (settings: Settings) => void;
  /** Puts a program into the editor. */
  onProgram: (program: Program) => void;
}

export function Dialogs(props: Props) {
  switch (props.open) {
    case "menu":
      return <Menu {...props} />;
    case "examples":
      return <Examples {...props} />;
    case "snapshots":
      return <Snapshots {...props} />;
    case "share":
      return <Share {...props} />;
    case "shell":
      return <Shell {...props} />;
    case "help":
      return <Help {...props} />;
  }
}

const MENU: readonly { window: Window; title: string; about: string }[] = [
  { window: "examples", title: "Examples", about: "Programs to start from" },
  { window: "snapshots", title: "Snapshots", about: "The code as it was at earlier runs" },
  { window: "share", title: "Share", about: "A link with the program in it" },
  { window: "shell", title: "Open in shell", about: "The same program with websocat and curl" },
  { window: "help", title: "Keyboard", about: "Everything by keys" },
];

const THEMES: readonly { theme: Theme | null; name: string }[] = [
  { theme: null, name: "System" },
  { theme: "light", name: "Light" },
  { theme: "dark", name: "Dark" },
];

function Menu({ settings, limits, onOpen, onClose, onSettings }: Props) {
  const { theme, projector, plainEditor, fontSize } = settings;
  return (
    <Dialog title="Menu" onClose={onClose}>
      <ul class="choices">
        {MENU.map(({ window, title, about }) => (
          <li key={window}>
            <Choice title={title} about={about} onChoose={() => onOpen(window)} />
          </li>
        ))}
      </ul>
      <div class="settings">
        {/* Where there is no room for them above the code. */}
        <div class="setting setting-run">
          <Options settings={settings} limits={limits} onChange={onSettings} />
        </div>
        <fieldset class="setting">
          <legend>Theme</legend>
          <div class="chips">
            {THEMES.map((each) => (
              <label class="chip" key={each.name}>
                <input
                  type="radio"
                  name="theme"
                  checked={theme === each.theme}
                  disabled={projector}
                  onChange={() => onSettings({ ...settings, theme: each.theme })}
                />
                {each.name}
              </label>
            ))}
          </div>
        </fieldset>
        <div class="setting">
          <span id="font-size-name">Type size</span>
          <div class="stepper" role="group" aria-labelledby="font-size-name">
            <button
              type="button"
              class="button"
              aria-label="Smaller"
              disabled={fontSize <= MIN_FONT_SIZE}
              onClick={() => onSettings({ ...settings, fontSize: fontSize - 1 })}
            >
              −
            </button>
            <output>{fontSize}</output>
            <button
              type="button"
              class="button"
              aria-label="Larger"
              disabled={fontSize >= MAX_FONT_SIZE}
              onClick={() => onSettings({ ...settings, fontSize: fontSize + 1 })}
            >
              +
            </button>
          </div>
        </div>
        <label class="setting">
          Projector: large type on white
          <Switch checked={projector} onChange={(checked) => onSettings({ ...settings, projector: checked })} />
        </label>
        <label class="setting">
          Plain text field instead of the editor
          <Switch checked={plainEditor} onChange={(checked) => onSettings({ ...settings, plainEditor: checked })} />
        </label>
      </div>
    </Dialog>
  );
}

function Examples({ onClose, onProgram }: Props) {
  return (
    <Dialog title="Examples" onClose={onClose}>
      <p class="dialog-text">What is in the editor now goes to the snapshots.</p>
      <ul class="choices choices-wide">
        {EXAMPLES.map(({ title, about, load }) => (
          <li key={title}>
            <Choice title={title} about={about} onChoose={async () => onProgram(await load())} />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function Snapshots({ snapshots, onClose, onProgram }: Props) {
  return (
    <Dialog title="Snapshots" onClose={onClose}>
      <p class="dialog-text">
        {snapshots.length === 0
          ? "Each run keeps its code here, in this browser, so that you can go back."
          : "The code at earlier runs, kept in this browser. What is in the editor now is kept too when you go back."}
      </p>
      <ul class="choices">
        {snapshots.map(({ time, program }) => (
          <li key={time}>
            <Choice
              title={titleOf(program.code)}
              about={`${new Date(time).toLocaleDateString()} ${stamp(time).slice(0, 8)}, ${sizeOf(program)}`}
              onChoose={() => onProgram(program)}
            />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function sizeOf({ code, lang, files }: Program): string {
  const lines = counted(code.split("\n").length, "line", "lines");
  const more = files.length > 0 ? ` and ${counted(files.length, "file", "files")}` : "";
  return `${lines}${more}${lang === "js" ? "" : `, ${LANGUAGES[lang]}`}`;
}

function Share({ settings: { keepState, timeoutMs }, program, onClose }: Props) {
  const [link, setLink] = useState<string | null | undefined>(undefined);
  useEffect(() => {
    const shared: Shared = { program: program(), keepState, timeoutMs };
    encodeShared(shared).then((hash) => setLink(hash && `${location.origin}${location.pathname}${hash}`));
  }, []);
  return (
    <Dialog title="Share" onClose={onClose}>
      {link === null && (
        <p class="dialog-text">
          This program does not fit into a link: packed, it has more than {MAX_HASH_CHARACTERS.toLocaleString("en")} characters. Copy the
          code itself instead.
        </p>
      )}
      {link && (
        <>
          <p class="dialog-text">
            The link holds the code, its files and the settings of its run. They are packed into the part after #, which browsers never send to a server.
          </p>
          <input class="field" aria-label="Link" readOnly value={link} onFocus={({ currentTarget }) => currentTarget.select()} />
          <div class="dialog-actions">
            <CopyButton class="button button-primary" text={() => link}>
              Copy link
            </CopyButton>
            <span class="dialog-text">{counted(link.length, "character", "characters")}</span>
          </div>
        </>
      )}
    </Dialog>
  );
}

function Shell({ settings: { timeoutMs }, program, onClose }: Props) {
  const [commands] = useState(() => shellCommands(program(), timeoutMs, document.baseURI));
  return (
    <Dialog title="Open in shell" onClose={onClose}>
      <Command name="websocat" about="Streams the frames of the run as they come." command={commands.websocat} />
      <Command name="curl" about="Waits for the end, and prints one JSON object." command={commands.curl} />
    </Dialog>
  );
}

function Command({ name, about, command }: { name: string; about: string; command: string }) {
  return (
    <section class="command" aria-label={name}>
      <div class="dialog-actions">
        <h3 class="command-name">{name}</h3>
        <span class="dialog-text">{about}</span>
        <CopyButton class="button" text={() => command}>
          Copy
        </CopyButton>
      </div>
      <pre class="command-text" tabIndex={0} aria-label={`The ${name} command`}>
        {command}
      </pre>
    </section>
  );
}

function Help({ onClose }: Props) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <div class="keyboard">
        {ALL_KEYS.map(({ title, keys }) => (
          <section key={title}>
            <h3 class="keyboard-title">{title}</h3>
            <dl class="keyboard-keys">
              {keys.map(({ press, does }) => (
                <div key={press}>
                  <dt>{press}</dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

function Choice({ title, about, onChoose }: { title: string; about: string; onChoose: () => void }) {
  return (
    <button type="button" class="choice" onClick={onChoose}>
      <span class="choice-title">{title}</span>
      <span class="choice-about">{about}</span>
    </button>
  );
}

function Switch({ checked, onChange }: { checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <input
      class="switch"
      type="checkbox"
      role="switch"
      checked={checked}
      onChange={({ currentTarget }) => onChange(currentTarget.checked)}
    />
  );
}
