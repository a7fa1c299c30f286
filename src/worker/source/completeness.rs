//! Whether a text is a whole program, for consoles that run it on Enter or wait for another line.

use super::names::Names;
use super::parse::Problem;
use super::repl;
use super::typescript::{self, Goal};
use crate::ipc::{Completeness, Lang};

/// Whether a console should run this text. Evaluates nothing.
pub fn completeness(code: &str, lang: Lang) -> Completeness {
    let problem = match lang {
        Lang::Js => repl::plan(code, Lang::Js, &mut Names::default(), &mut |_| true).err(),
        Lang::Ts => typescript::compile(code, Goal::Console).err(),
    };
    match problem {
        None => Completeness::Complete,
        Some(problem) if could_go_on(code, &problem) => Completeness::Incomplete,
        Some(_) => Completeness::Invalid,
    }
}

/// Whether more text could put it right: something is missing at the end, or something that may hold lines has begun and has no end.
fn could_go_on(code: &str, problem: &Problem) -> bool {
    let rest = code.get(problem.offset..).unwrap_or_default();
    let is_open = match problem.message.as_str() {
        "Unterminated multiline comment" => true,
        "Identifier expected after '?.'" => rest.trim_end() == "?.",
        // A template may hold lines; a string goes on behind a backslash at the end of its line.
        "Unterminated string" => rest.starts_with(['`', '}']) || (code.ends_with('\\') && !rest.contains('\n')),
        _ => false,
    };
    problem.is_at_end || is_open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn expect(lang: Lang, state: Completeness, texts: &[&str]) {
        let mut wrong = Vec::new();
        for text in texts {
            let problem = match lang {
                Lang::Js => repl::plan(text, Lang::Js, &mut Names::default(), &mut |_| true).err(),
                Lang::Ts => typescript::compile(text, Goal::Console).err(),
            };
            if completeness(text, lang) != state {
                wrong.push(format!("{text:?}: {problem:?}"));
            }
        }
        assert!(wrong.is_empty(), "not {state:?}:\n{}", wrong.join("\n"));
    }

    #[test]
    fn whole_programs_are_complete() {
        let texts = [
            "",
            "1",
            "1;",
            "a.b",
            "{a: 1}",
            "{}",
            "if (x) y",
            "function f() {}",
            "await x",
            "return 1",
            "// nothing",
            "let x = 1, y",
            "`a ${1} b`",
            "/* a */",
            "'a\\\nb'",
            "#!shebang\n1",
            "import a from './a.js'",
            "x\n++y",
            "for (;;) {}",
            "async () => { await 1 }",
            "a ? b : c",
            "/[/]/.test('/')",
        ];
        expect(Lang::Js, Completeness::Complete, &texts);
        expect(Lang::Ts, Completeness::Complete, &["let a: number = 1", "enum E { A }", "{a: 1} as object", "x!"]);
    }

    #[test]
    fn texts_that_lack_an_end_are_incomplete() {
        let texts = [
            "function f() {",
            "{",
            "{a: 1",
            "[1, 2",
            "(1 +",
            "1 +",
            "a.",
            "a?.",
            "if (x)",
            "if (x) y; else",
            "for (;;)",
            "while (x)",
            "let x =",
            "class A {",
            "class A extends",
            "`a",
            "`a ${",
            "`a ${1} b\n",
            "/* a",
            "'a\\",
            "f(",
            "f(a,",
            "async () => {",
            "x => ",
            "try {",
            "try {}",
            "do {} while (",
            "switch (a) { case",
            "a ? b :",
            "a ? b",
            "return {",
            "import {a",
            "export default",
            "{a: {b: [",
            "new",
            "!",
            "typeof",
            "label:",
            "throw",
            "a = b = ",
            "{ let x = 1;",
        ];
        expect(Lang::Js, Completeness::Incomplete, &texts);
        expect(Lang::Ts, Completeness::Incomplete, &["let a: ", "interface A {", "enum E { A,", "type A = {", "x as"]);
    }

    #[test]
    fn what_no_end_can_mend_is_invalid() {
        let texts = [
            "1 2",
            ")",
            "}",
            "let 1",
            "a b c",
            "'a",
            "\"a\nb\"",
            "if x",
            "function (",
            "let let = 1",
            "0b2",
            "a..b",
            "const x",
            "const x;",
            "let x; let x",
            "1 = 2",
            "x => {} ()",
            "\u{0001}",
            "break",
            "/(/",
            "(1))",
            "{)",
        ];
        expect(Lang::Js, Completeness::Invalid, &texts);
        expect(Lang::Ts, Completeness::Invalid, &["let a: = 1", "enum 1 {}", "'a"]);
    }
}
