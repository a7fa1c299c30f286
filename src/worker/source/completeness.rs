//! Whether a text is a whole program, for consoles that run it on Enter or wait for another line.

use super::names::Names;
use super::parse::{self, Frame, Problem};
use super::repl;
use super::typescript::{self, Goal};
use crate::ipc::{Completeness, Lang};

/// Arrows of unfinished functions in one another that are looked behind. Beyond, it is taken for granted that more is to come.
const MOST_ARROWS: usize = 16;

/// Whether a console should run this text. Evaluates nothing.
pub fn completeness(code: &str, lang: Lang) -> Completeness {
    match problem_of(code, lang) {
        None => Completeness::Complete,
        Some(problem) if could_go_on(code, &problem) || has_unfinished_arrow(code, &problem, lang, MOST_ARROWS) => {
            Completeness::Incomplete
        }
        Some(_) => Completeness::Invalid,
    }
}

fn problem_of(code: &str, lang: Lang) -> Option<Problem> {
    match lang {
        Lang::Js => repl::plan(code, Lang::Js, &mut Names::default(), &mut |_| true).err(),
        Lang::Ts => typescript::compile(code, Goal::Console).err(),
    }
}

/// Whether it is a function without an end that the parser complains of. It takes the parameters of one for an expression in
/// parentheses, and then for the arrow to be wrong.
fn has_unfinished_arrow(code: &str, problem: &Problem, lang: Lang, left: usize) -> bool {
    let rest = code.get(problem.offset..).unwrap_or_default().trim_start();
    if !rest.starts_with("=>") {
        return false;
    }
    // With what stands before the arrow: it may be no line break.
    let head = &code[..code.len() - rest.len()];
    let is_head = problem_of(&format!("{head}=> 0"), lang).is_none_or(|problem| problem.is_at_end);
    let body = format!("x {rest}");
    is_head
        && problem_of(&body, lang).is_none_or(|problem| {
            left == 0 || could_go_on(&body, &problem) || has_unfinished_arrow(&body, &problem, lang, left - 1)
        })
}

/// What the parser says of a number, a name or an escape that breaks off. The line break that a console puts behind a text ends each
/// of them.
const BROKEN_OFF: [&str; 3] = ["Unexpected end of file", "Invalid Character", "Invalid Unicode escape sequence"];

/// Whether more text, behind a line break, could put it right: something is missing at the end, or something that may hold lines has
/// begun and has no end.
fn could_go_on(code: &str, problem: &Problem) -> bool {
    let rest = code.get(problem.offset..).unwrap_or_default();
    let is_open = match problem.message.as_str() {
        "Unterminated multiline comment" => true,
        "Identifier expected after '?.'" => rest.trim_end() == "?.",
        "Unterminated string" => rest.starts_with(['`', '}']) || goes_on_behind_a_backslash(rest),
        "Declarations with definite assignment assertions must also have type annotations" => rest.trim_end() == "!",
        message if message.starts_with("Missing initializer in ") => is_a_pattern(rest),
        _ => false,
    };
    let is_broken_off = BROKEN_OFF.iter().any(|start| problem.message.starts_with(start));
    (problem.is_at_end && !is_broken_off) || is_open
}

/// Whether a string without an end has a backslash before each line break, and one at its end.
fn goes_on_behind_a_backslash(string: &str) -> bool {
    let mut goes_on = false;
    let mut chars = string.chars().peekable();
    while let Some(c) = chars.next() {
        goes_on = false;
        match c {
            '\\' => match chars.next() {
                Some('\r') => goes_on = chars.next_if_eq(&'\n').is_some() || chars.peek().is_none(),
                Some('\n' | '\u{2028}' | '\u{2029}') | None => goes_on = true,
                Some(_) => {}
            },
            '\r' | '\n' => return false,
            _ => {}
        }
    }
    goes_on
}

/// Whether there is nothing but a pattern, or a name: its value may be in the next line.
fn is_a_pattern(text: &str) -> bool {
    parse::check(&format!("const {text}\n= 0"), Frame::TypedModule).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn expect(lang: Lang, state: Completeness, texts: &[&str]) {
        let mut wrong = Vec::new();
        for text in texts {
            let problem = problem_of(text, lang);
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
            "'a\\\n",
            "'a\\\nb\\\nc\\",
            "'a\\\r\nb\\",
            "let {a}",
            "let [a] // why",
            "let {a} = {}, {b}",
            "const x",
            "for (const x",
            "/* a *\n",
            "`\\u",
            "{a: 'b\\",
            "async function f() { await",
            "(a, b) =>",
            "(a, b) => // c",
            "async (a) =>",
            "f((a, b) =>",
            "(a, {b}) => (c, d) => [",
            "(a, b) => {",
            "(a, b) => f(",
        ];
        expect(Lang::Js, Completeness::Incomplete, &texts);
        expect(
            Lang::Ts,
            Completeness::Incomplete,
            &[
                "let a!",
                "let a: ",
                "const x: number",
                "let {a}: any",
                "interface A {",
                "enum E { A,",
                "type A = {",
                "x as",
            ],
        );
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
            "const x;",
            "let {a};",
            "let {a}\nb",
            "const x, y = 1",
            "1e+",
            "1e",
            "0b",
            "0o",
            "0x",
            "0x\n",
            "1_",
            "a\\",
            "a\\\n",
            "\\u",
            "\\u00",
            "/a",
            "/a\n",
            "#",
            "'\\u",
            "\"\\x4",
            "'a\\\nb",
            "'a\\\n\n",
            "'a\\\nb\\\nc",
            "`\\u`",
            "'a\\\nb'c\\",
            "(1) =>",
            "(1) => {",
            "(a, b) => ]",
            "(a, b)\n=>",
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
