//! Namespaces and enums are what TypeScript's own compiler makes of them: the same programs, compiled by the `typescript` package
//! that the page is checked with and run by Node, print the same lines. What cannot be had is refused with a sentence.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use runpen::ipc::{Lang, Mode, RunRequest};
use runpen::outcome::Outcome;

use crate::support::worker_driver::{Worker, request};

const LEAST_PROGRAMS: usize = 60;

/// Programs, each behind a comment that says what it is about, and a blank line between them.
fn programs() -> Vec<&'static str> {
    include_str!("typescript_parity/programs.ts").split("\n\n").map(str::trim).filter(|text| !text.is_empty()).collect()
}

/// What a program prints when the package has compiled it and Node runs it.
fn reference(programs: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("static/node_modules/typescript/bin/tsc");
    assert!(package.exists(), "this test needs the page's packages: npm ci in `static`");
    let sources: Vec<PathBuf> =
        (0..programs.len()).map(|index| folder.path().join(format!("p{index:03}.ts"))).collect();
    for (program, source) in programs.iter().zip(&sources) {
        fs::write(source, program).unwrap();
    }
    // What the types say is not its business here, so it may well complain.
    let compiled = Command::new("node")
        .arg(package)
        .args(["--ignoreConfig", "--isolatedModules", "--noCheck", "--target", "es2022", "--module", "esnext"])
        .args(["--moduleDetection", "force", "--outDir"])
        .arg(folder.path())
        .args(&sources)
        .output()
        .expect("node is needed for this test");
    let script = r"
        const fs = require('node:fs');
        const out = process.argv.slice(1).map((file) => {
          const lines = [];
          const print = (...values) => lines.push(require('node:util').format(...values));
          const code = fs.readFileSync(file, 'utf8').replace(/^export \{\};$/m, '');
          try {
            new Function('console', code)({ log: print });
          } catch (error) {
            lines.push(`!${error}`);
          }
          return lines.join('\n');
        });
        process.stdout.write(JSON.stringify(out));";
    let scripts = sources.iter().map(|source| source.with_extension("js"));
    let ran = Command::new("node").args(["-e", script]).args(scripts).output().unwrap();
    assert!(ran.status.success(), "{ran:?}\n{compiled:?}");
    serde_json::from_slice(&ran.stdout).unwrap()
}

fn ours(program: &str, mode: Mode) -> String {
    let finished = Worker::start().run_request(RunRequest { lang: Lang::Ts, mode, ..request(program) });
    let mut lines: Vec<String> = finished.lines().iter().map(|line| (*line).to_owned()).collect();
    if let Some(error) = &finished.end.error {
        lines.push(format!("!{}: {}", error.name, error.message));
    }
    lines.join("\n")
}

#[test]
fn namespaces_and_enums_are_what_typescripts_own_compiler_makes_of_them() {
    let programs = programs();
    assert!(programs.len() >= LEAST_PROGRAMS, "{} programs", programs.len());
    let mut wrong = Vec::new();
    for (program, expected) in programs.iter().zip(reference(&programs)) {
        if expected.is_empty() || expected.contains("Error: ") {
            wrong.push(format!("a program that tells nothing: {program}\n{expected}"));
        }
        for mode in [Mode::Repl, Mode::Module] {
            let ours = ours(program, mode);
            if ours != expected {
                wrong.push(format!("{mode:?}: {program}\n--- tsc\n{expected}\n--- here\n{ours}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), 2 * programs.len(), wrong.join("\n"));
}

#[test]
fn what_a_namespace_or_an_enum_cannot_have_is_refused_with_a_sentence() {
    for (code, column) in [
        ("namespace N { return }", 15),
        ("namespace N { const f = () => { return }; { return } }", 45),
        ("namespace N { export { a } }", 15),
        ("namespace N { export default 1 }", 15),
        ("namespace N { export * from './a.js' }", 15),
        ("namespace N { import a from './a.js' }", 15),
        ("namespace N { import a = require('a') }", 15),
        ("namespace N { await 1 }", 0),
        ("enum E { A = Math.random(), B }", 29),
        ("enum E { A = 'a', B }", 19),
    ] {
        let finished = Worker::start().run_request(RunRequest { lang: Lang::Ts, ..request(code) });
        assert_eq!(finished.end.outcome, Outcome::Error, "{code}: {:?}", finished.end);
        let error = finished.end.error.expect("an error");
        assert_eq!(error.name, "SyntaxError", "{code}: {error:?}");
        assert!(column == 0 || error.column == Some(column), "{code}: {error:?}");
        assert!(error.message.contains(' '), "{code}: {error:?}");
    }
}

#[test]
fn positions_in_namespaces_and_enums_are_those_of_the_text() {
    for marked in [
        "namespace N {\n  export let x = ^nope();\n}",
        "namespace A.B {\n  export const { a } = ^nope();\n}",
        "namespace N { export let x = 1 }\nnamespace N {\n  x;\n  export function f() {\n    ^nope(x);\n  }\n}\nN.f()",
        "enum E {\n  A,\n  B = ^nope(),\n}",
        "enum E { A, B }\nnamespace N { export enum F { é = 1 } }\n'\u{1d4b3}'; ^nope(E.A)",
        "namespace N { export class C {} }\n^nope()",
        "namespace N { export let x = 1 }\nlet y: number = N.x + ^nope",
    ] {
        let at = marked.find('^').unwrap();
        let code = marked.replacen('^', "", 1);
        let line = 1 + marked[..at].matches('\n').count();
        let column = 1 + marked[..at].rsplit('\n').next().unwrap().encode_utf16().count();
        let finished = Worker::start().run_request(RunRequest { lang: Lang::Ts, ..request(&code) });
        let error = finished.end.error.unwrap_or_else(|| panic!("{code}"));
        let place = error.frames.first().map(|frame| (frame.line as usize, frame.column as usize));
        assert_eq!(place, Some((line, column)), "{code}: {error:?}");
    }
}

#[test]
fn a_text_of_many_namespaces_and_enums_is_compiled_as_fast_as_any() {
    let mut worker = Worker::start();
    let one = |n: usize| {
        format!(
            "namespace N{n} {{ export let x = {n}; export enum E {{ A = {n}, B }} }} function f{n}() {{ enum E {{ A }} }} "
        )
    };
    let code: String = (0..1500).map(one).collect();
    let finished = worker.run_request(RunRequest { lang: Lang::Ts, ..request(&(code + "N1499.E.B")) });
    assert_eq!(finished.shown(), "1500");
}
