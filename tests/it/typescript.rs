//! TypeScript: types are stripped, the rest is compiled, and positions stay those of the text that was sent.

use runpen::ipc::{ErrorInfo, Lang, Mode, RunRequest, SourceFile};
use runpen::outcome::Outcome;

use crate::support::worker_driver::{Worker, request};

fn typed(code: &str) -> RunRequest {
    RunRequest { lang: Lang::Ts, ..request(code) }
}

#[track_caller]
fn session(lines: &[(&str, &str)]) {
    let mut worker = Worker::start();
    for (code, expected) in lines {
        assert_eq!(worker.run_request(typed(code)).shown(), *expected, "{code}\nin {lines:#?}");
    }
}

#[track_caller]
fn failure(request: RunRequest) -> ErrorInfo {
    let finished = Worker::start().run_request(request);
    assert_eq!(finished.end.outcome, Outcome::Error, "{:?}", finished.end);
    finished.end.error.expect("an error says what it is")
}

const U: &str = "undefined";

#[test]
fn types_are_stripped() {
    session(&[
        ("let x: number = 1; const f = <T,>(a: T, b?: string): T => a; f<number>(x)", "1"),
        ("interface A { a: number }; type B = A | null; declare const z: string; 2 as unknown as B", "2"),
        ("let y = x!; y satisfies number; y", "1"),
        ("abstract class S { abstract area(): number; declare tag: string; private n = 2; get m(): number { return this.n } }
          class T extends S implements A { a = 1; area() { return this.m } }; new T().area()", "2"),
        ("function over(a: string): string; function over(a: number): number; function over(a: any) { return a } over(3)", "3"),
        ("import type { X } from './x'; 4", "4"),
    ]);
}

#[test]
fn enums_namespaces_and_parameter_properties_are_compiled() {
    session(&[
        (
            "enum Color { Red, Green = 5, Blue, Text = 'text' } [Color.Blue, Color[5], Color.Text]",
            "[ 6, 'Green', 'text' ]",
        ),
        ("const enum Flag { A = 1 << 0, B = 1 << 1, AB = A | B } Flag.AB", "3"),
        ("namespace N { export const a = 1; export namespace M { export const b = a + 1 } } [N.a, N.M.b]", "[ 1, 2 ]"),
        (
            "class P { constructor(readonly x: number, private y = 2) {} sum() { return this.x + this.y } } new P(1).sum()",
            "3",
        ),
        ("Color.Red", "0"),
    ]);
}

#[test]
fn a_console_of_typescript_is_a_console() {
    session(&[
        ("{a: 1 as number}", "{ a: 1 }"),
        ("{}", "{}"),
        ("let a: number = 1; const read = () => a", U),
        ("let a: string = 'again'; [a, read()]", "[ 'again', 'again' ]"),
        ("const c = await Promise.resolve<number>(5); c", "5"),
        ("const c: number = 6; c", "6"),
        ("return { message: 'OK' as const }", "{ message: 'OK' }"),
        ("5; let b: number = 1", "5"),
        ("function a(): number { return 7 } a()", "7"),
        ("class a { constructor(public v = 8) {} } new a().v", "8"),
        ("_", "8"),
    ]);
}

#[test]
fn enums_and_namespaces_may_be_declared_again() {
    session(&[
        ("enum E { A, B } namespace N { export const a = 1 }", U),
        ("enum E { C } Object.keys(E)", "[ '0', 'C' ]"),
        ("namespace N { export const b = 1 } Object.keys(N)", "[ 'b' ]"),
        ("enum Once { A } enum Once { B = 1 } Object.keys(Once)", "[ '0', '1', 'A', 'B' ]"),
        ("const E: number = 5; E", "5"),
        ("const read = () => E; read()", "5"),
        (
            "enum E { D = 7 } namespace E { export const twice = D2() * 2; function D2() { return E.D } } [E.D, E.twice, read()]",
            "[ 7, 14, 5 ]",
        ),
        ("enum E { Z } [E.Z, Object.keys(E)]", "[ 0, [ '0', 'Z' ] ]"),
        ("5; enum Quiet { A } namespace Silent { export let x = 1 } namespace Silent { x++ }", "5"),
        ("Silent.x", "2"),
        ("class K { static s = 1 } namespace K { export let v = K.s + 1 } K.v", "2"),
        ("class K {} namespace K { export let w = 3 } [K.w, 'v' in K]", "[ 3, false ]"),
    ]);
}

#[test]
fn scripts_and_modules_may_be_typescript() {
    let mut worker = Worker::start();
    let script = RunRequest { mode: Mode::Script, ..typed("let s: number = 1; s") };
    assert_eq!(worker.run_request(script).text(), "1");
    let module = RunRequest { mode: Mode::Module, ..typed("type T = number; export default (1 as T)") };
    assert_eq!(worker.run_request(module).text(), "1");
}

#[test]
fn positions_are_those_of_the_typescript() {
    for (code, line, column) in [
        ("interface A {\n  a: number\n}\n\nlet x: A = nope();", 5, 12),
        ("const f = (a: number): number => {\n  throw new Error('x')\n};\nf(1 as any)", 2, 13),
        ("enum E { A, B }\n  nope(E.A as number)", 2, 3),
        ("{a: nope() as number}", 1, 5),
        ("let x: string = '\u{1d4b3}' as string; nope()", 1, 33),
    ] {
        let error = failure(typed(code));
        assert_eq!((error.line, error.column), (Some(line), Some(column)), "{code}: {error:?}");
    }
    let mut worker = Worker::start();
    worker.run_request(typed("let x: number = 1, f = 0"));
    let again = worker
        .run_request(typed("type Long = { a: number };\nlet x: Long = { a: 1 };\nfunction f(a: Long) {\n  nope(a)\n}"));
    assert_eq!(again.end.outcome, Outcome::Ok);
    let error = worker.run("\n f()").end.error.expect("an error");
    let frames: Vec<_> = error.frames.iter().map(|f| (f.source.as_str(), f.line, f.column)).collect();
    assert_eq!(frames, [("run-2", 4, 3), ("run-3", 2, 2)], "{error:?}");
}

#[test]
fn syntax_errors_say_where_and_what() {
    for (code, line, column) in [
        ("let x: number = ;", 1, 17),
        ("let x: = 1", 1, 8),
        ("interface A {\n  a: }", 2, 6),
        ("let a = 1;\nlet a = 2", 2, 5),
    ] {
        let error = failure(typed(code));
        assert_eq!(error.name, "SyntaxError", "{code}");
        assert_eq!((error.line, error.column), (Some(line), Some(column)), "{code}: {error:?}");
    }
}

#[test]
fn typescript_in_javascript_is_a_syntax_error_that_says_so() {
    for code in ["let x: number = 1", "interface A {}", "1 as string", "function f(a?: string) {}"] {
        let error = failure(request(code));
        assert_eq!(error.name, "SyntaxError", "{code}");
        assert!(error.message.contains("run it with lang \"ts\""), "{code}: {error:?}");
    }
    assert!(!failure(request("let x = ;")).message.contains("TypeScript"));
}

#[test]
fn what_is_not_compiled_says_so() {
    for code in ["class A { constructor(@inject x) {} }", "class A { m(@log x) {} }"] {
        let error = failure(typed(code));
        assert_eq!(error.name, "SyntaxError", "{code}");
        assert!(error.message.contains("Decorators"), "{code}: {error:?}");
    }
}

#[test]
fn errors_that_are_printed_and_traces_stand_where_the_user_wrote_them() {
    let code = "enum E { A,\n B }\ntype T = {\n a: number }\n\nfunction made(): Error { return new Error('here') }
        console.log(made())\nconsole.log([made()])\nconsole.trace('trace')\nmade()";
    let finished = Worker::start().run_request(typed(code));
    let lines = finished.lines();
    for line in &lines[..2] {
        assert!(line.contains("at made (run-1:6:"), "{line}");
    }
    assert!(lines[0].contains("(run-1:7:") && lines[1].contains("(run-1:8:"), "{lines:?}");
    assert!(lines[2].contains("(run-1:9:"), "{lines:?}");
    assert!(finished.text().contains("at made (run-1:6:"), "{}", finished.text());
}

#[test]
fn namespaces_and_enums_are_exported_from_files() {
    let file = |name: &str, text: &str| SourceFile { name: name.into(), text: text.into() };
    let shapes = "export enum Kind { A = 1, B } export namespace N { export let x = 1; export const up = () => ++x }
        export namespace N { export const first = x } export class C {} export namespace C { export const made = new C() }";
    let code = "import { Kind, N, C } from './shapes'; N.up(); [Kind.B, N.x, N.first, C.made instanceof C]";
    let request = RunRequest { files: vec![file("shapes.ts", shapes)], ..typed(code) };
    assert_eq!(Worker::start().run_request(request).shown(), "[ 2, 2, 1, true ]");
}
