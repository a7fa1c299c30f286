//! Modules, and the files that come with a run.

use runpen::ipc::{ErrorInfo, Lang, Mode, RunRequest, SourceFile};
use runpen::outcome::Outcome;

use crate::support::worker_driver::{Finished, Worker, request};

fn with_files(code: &str, mode: Mode, files: &[(&str, &str)]) -> RunRequest {
    let file = |(name, text): &(&str, &str)| SourceFile { name: (*name).into(), text: (*text).into() };
    RunRequest { mode, files: files.iter().map(file).collect(), ..request(code) }
}

#[track_caller]
fn module(code: &str, files: &[(&str, &str)]) -> Finished {
    Worker::start().run_request(with_files(code, Mode::Module, files))
}

#[track_caller]
fn failure(worker: &mut Worker, request: RunRequest) -> ErrorInfo {
    let finished = worker.run_request(request);
    assert_eq!(finished.end.outcome, Outcome::Error, "{:?}", finished.end);
    finished.end.error.expect("an error says what it is")
}

#[test]
fn the_value_of_a_module_is_its_default_export() {
    assert_eq!(module("export default 1 + 1", &[]).text(), "2");
    assert_eq!(module("export const a = 1", &[]).text(), "undefined");
    assert_eq!(module("export default await Promise.resolve([this])", &[]).text(), "[ undefined ]");
}

#[test]
fn files_import_each_other_by_relative_names() {
    let files = [
        ("util.js", "export const twice = x => x * 2; export default 'util'"),
        ("lib/a.js", "import { twice } from '../util.js'; import { b } from './b.js'; export const a = twice(b)"),
        ("lib/b.js", "export const b = 21; export * as util from '../util.js'"),
    ];
    let code =
        "import d, { twice as t } from './util.js'; import { a } from './lib/a.js'; import * as b from './lib/b.js';
        export default [d, t(1), a, b.b, b.util.default, (await import('./util')).default]";
    assert_eq!(module(code, &files).text(), "[ 'util', 2, 42, 21, 'util', 'util' ]");
}

#[test]
fn cycles_are_allowed() {
    let files = [
        ("even.js", "import { odd } from './odd.js'; export const even = n => n === 0 || odd(n - 1)"),
        ("odd.js", "import { even } from './even.js'; export const odd = n => n !== 0 && even(n - 1)"),
    ];
    assert_eq!(
        module("import { even } from './even.js'; export default [even(10), even(7)]", &files).text(),
        "[ true, false ]"
    );
}

#[test]
fn a_module_knows_its_own_name() {
    let files = [("lib/a.js", "export const url = import.meta.url")];
    let code = "import { url } from './lib/a.js'; export default [url, import.meta.url]";
    assert_eq!(module(code, &files).text(), "[ 'file:///lib/a.js', 'file:///main.js' ]");
}

#[test]
fn typescript_files_are_compiled() {
    let files = [
        (
            "a.ts",
            "export enum Color { Red, Green }\nexport interface Shape { side: number }\nexport const area = (s: Shape): number => s.side ** 2",
        ),
        ("b.js", "import { Color } from './a.js'; export default Color.Green"),
    ];
    let code = "import { area, Shape, Color } from './a.ts'; import b from './b.js';
        const s: Shape = { side: 3 }; export default [area(s), Color[0], b] as const";
    let request = RunRequest { lang: Lang::Ts, ..with_files(code, Mode::Module, &files) };
    assert_eq!(Worker::start().run_request(request).text(), "[ 9, 'Red', 1 ]");
}

#[test]
fn a_console_imports_files_and_may_do_so_again() {
    let mut worker = Worker::start();
    let first = [
        ("a.js", "export const x = 1; export default 'one'; export const late = () => import('./b.js')"),
        ("b.js", "export default 'b'"),
    ];
    let second = [("a.js", "export const x = 2; export default 'two'")];
    let code = "import d, { x, late } from './a.js'";
    assert_eq!(worker.run_request(with_files(code, Mode::Repl, &first)).text(), "undefined");
    assert_eq!(worker.run("[d, x]").text(), "[ 'one', 1 ]");
    let again =
        "import d, { x } from './a.js'; import * as all from './a.js'; import './a.js'; [d, x, Object.keys(all)]";
    assert_eq!(worker.run_request(with_files(again, Mode::Repl, &second)).text(), "[ 'two', 2, [ 'default', 'x' ] ]");
    assert_eq!(worker.run("x = 3").end.outcome, Outcome::Error);
    // What an earlier run has brought is still there for its functions.
    assert_eq!(worker.run("(await late()).default").text(), "'b'");
}

#[test]
fn errors_say_in_which_file_and_where() {
    let mut worker = Worker::start();
    let files = [("lib/a.js", "'\u{1d4b3}';\nexport function f() {\n  '\u{1d4b3}'; return nope()\n}")];
    let error = failure(&mut worker, with_files("import { f } from './lib/a.js';\n  f()", Mode::Module, &files));
    let frames: Vec<_> = error.frames.iter().map(|f| (f.source.as_str(), f.line, f.column)).collect();
    assert_eq!(frames, [("run-1/lib/a.js", 3, 16), ("run-1", 2, 3)], "{error:?}");
    let error = failure(&mut worker, with_files("import './a.js'", Mode::Module, &[("a.js", "1;\nlet x = ;")]));
    assert_eq!((error.name.as_str(), error.message.as_str()), ("SyntaxError", "Unexpected token ';'"));
    assert_eq!((error.frames[0].source.as_str(), error.line, error.column), ("run-2/a.js", Some(2), Some(9)));
    let error = failure(&mut worker, with_files("1;\nlet x = ;", Mode::Module, &[]));
    assert_eq!((error.frames[0].source.as_str(), error.line, error.column), ("run-3", Some(2), Some(9)));
    let typed = [("a.ts", "interface A {}\n\nexport function f(a: A): never {\n  throw new Error('typed')\n}")];
    let error = failure(&mut worker, with_files("import { f } from './a.ts';\nf({})", Mode::Module, &typed));
    let frames: Vec<_> = error.frames.iter().map(|f| (f.source.as_str(), f.line, f.column)).collect();
    assert_eq!(frames, [("run-4/a.ts", 4, 13), ("run-4", 2, 1)], "{error:?}");
}

#[test]
fn what_cannot_be_imported_says_so() {
    let mut worker = Worker::start();
    for code in [
        "import x from 'fs'",
        "import 'https://example.org/x.js'",
        "import {a as b} from './x.js'",
        "import '../../a.js'",
        "await import('fs')",
    ] {
        for mode in [Mode::Module, Mode::Repl] {
            let error = failure(&mut worker, with_files(code, mode, &[("a.js", "")]));
            assert_eq!(error.name, "TypeError", "{code}: {error:?}");
            assert!(error.message.contains("there is no network"), "{code}: {error:?}");
        }
    }
    // Code that was made at run time imports like the run that it belongs to.
    let made = with_files("(await eval(`import('./a.js')`)).default", Mode::Repl, &[("a.js", "export default 5")]);
    assert_eq!(worker.run_request(made).text(), "5");
}

#[test]
fn a_console_takes_exports_and_keeps_what_they_declare() {
    let mut worker = Worker::start();
    let mut text = |code: &str, files: &[(&str, &str)]| {
        let finished = worker.run_request(with_files(code, Mode::Repl, files));
        assert_eq!(finished.end.outcome, Outcome::Ok, "{code}: {:?}", finished.end.error);
        finished.text().to_owned()
    };
    let util = [("util.js", "globalThis.loaded = (globalThis.loaded ?? 0) + 1; export const twice = n => n * 2")];
    assert_eq!(text("import { twice } from './util.js'; export const a = twice(21); a", &util), "42");
    assert_eq!(text("[a, twice(1), loaded]", &[]), "[ 42, 2, 1 ]");
    assert_eq!(text("export * from './util.js'; export { twice } from './util.js'; loaded", &util), "2");
    assert_eq!(text("const f = () => 1\nexport default { a: 1 }", &[]), "{ a: 1 }");
    assert_eq!(text("export default function g() { return 5 }", &[]), "[Function: g]");
    assert_eq!(text("export default class {}", &[]), "[class (anonymous)]");
    assert_eq!(
        text("export class A { x = 1 }; export let [b, c] = [2, 3]; export { b as d }\n[g(), new A().x, b, c]", &[]),
        "[ 5, 1, 2, 3 ]"
    );
    assert_eq!(
        text(
            "export default function g() { return 6 }\nexport class A { x = 2 }\nexport let b = 9; [g(), new A().x, b]",
            &[]
        ),
        "[ 6, 2, 9 ]"
    );
    assert_eq!(text("export default await Promise.resolve(7)", &[]), "7");
}

#[test]
fn a_console_takes_exports_of_typescript() {
    let mut worker = Worker::start();
    let request = |code: &str| RunRequest { lang: Lang::Ts, ..request(code) };
    let code = "export interface I { n: number } export enum E { A = 4 } export type T = I; export const i: I = { n: 1 }; i.n + E.A";
    assert_eq!(worker.run_request(request(code)).text(), "5");
    assert_eq!(worker.run_request(request("export default i as I; ")).text(), "{ n: 1 }");
}
