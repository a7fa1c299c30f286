import { describe, expect, test } from "vitest";

import { nameFault, programOf, type Program } from "../src/program";
import { Workspace } from "../src/workspace";

const program: Program = { code: "main", lang: "js", files: [{ name: "a.js", text: "a" }, { name: "b.ts", text: "b" }] };

describe("a workspace", () => {
  const named = (workspace: Workspace) => workspace.documents.map(({ name, text }) => [name, text]);
  const idOf = (workspace: Workspace, name: string) => workspace.named(name)?.id ?? -1;

  test("shows the code first, and is the program that it was made of", () => {
    const workspace = new Workspace(program);
    expect([workspace.shown.name, workspace.program]).toEqual([null, program]);
    expect(workspace.documents.map(({ lang }) => lang)).toEqual(["js", "js", "ts"]);
  });

  test("takes what is typed, where it is typed", () => {
    const workspace = new Workspace(program);
    workspace.edited(workspace.shown.id, "main!");
    workspace.edited(idOf(workspace, "b.ts"), "b!");
    expect(named(workspace)).toEqual([[null, "main!"], ["a.js", "a"], ["b.ts", "b!"]]);
  });

  test("shows a file that was added, and its neighbour when it goes", () => {
    const workspace = new Workspace(program);
    workspace.add("c.js");
    expect(workspace.shown.name).toBe("c.js");
    workspace.remove(workspace.shown.id);
    expect(workspace.shown.name).toBe("b.ts");
    workspace.show(idOf(workspace, "a.js"));
    workspace.remove(workspace.shown.id);
    expect(workspace.shown.name).toBeNull();
  });

  test("gives a deleted file back where it was, under another name if it must", () => {
    const workspace = new Workspace(program);
    const gone = workspace.remove(idOf(workspace, "a.js"));
    if (!gone) throw new Error("nothing was removed");
    workspace.restore(gone);
    expect(named(workspace)).toEqual([[null, "main"], ["a.js", "a"], ["b.ts", "b"]]);
    workspace.restore(gone);
    expect(workspace.documents.map(({ name }) => name)).toEqual([null, "util.js", "a.js", "b.ts"]);
  });

  test("keeps its code", () => expect(new Workspace(program).remove(0)).toBeNull());

  test("tells editors what was replaced and what is gone, and keeps the documents that stay", () => {
    const workspace = new Workspace(program);
    const [a, b] = [idOf(workspace, "a.js"), idOf(workspace, "b.ts")];
    const told: unknown[] = [];
    workspace.subscribe({ onReplaced: ({ id, text }) => told.push([id, text]), onRemoved: (id) => told.push(id), onChanged() {} });
    workspace.replace({ code: "new", lang: "ts", files: [{ name: "b.ts", text: "b2" }, { name: "c.js", text: "c" }] });
    // A document that is new is in no editor yet.
    expect(told).toEqual([a, [0, "new"], [b, "b2"]]);
    expect(workspace.named("c.js")?.text).toBe("c");
    expect(workspace.lang).toBe("ts");
  });
});

describe("a name for a file", () => {
  test.each(["util.js", "lib/a.ts", "ü 😀.js", "__proto__", "..a"])("may be %s", (name) => expect(nameFault(name, [])).toBeNull());
  test.each(["", ".", "..", "./a.js", "../a.js", "/a.js", "a//b", "a/", "a\\b", "a:b", "a?b", "a#b", "a(b)", "a\nb", "a\u0000b", "ü".repeat(65), "used.js"])(
    "may not be %j",
    (name) => expect(nameFault(name, ["used.js"])).not.toBeNull(),
  );
});

describe("a program that was written down", () => {
  test.each([null, 7, "code", [], {}, { code: 7 }])("is none in %j", (value) => expect(programOf(value)).toBeNull());
  test("is JavaScript without files where it says nothing else", () => {
    expect(programOf({ code: "1", lang: "rb", files: "x" })).toEqual({ code: "1", lang: "js", files: [] });
  });
});
