//! Where an error is: at the place in the text that the user wrote, whatever has become of that on its way to the engine.

use runpen::ipc::{ErrorInfo, Lang, RunRequest};
use runpen::outcome::Outcome;

use crate::support::worker_driver::{Worker, request};

#[track_caller]
fn failure(worker: &mut Worker, request: RunRequest) -> ErrorInfo {
    let code = request.code.clone();
    let finished = worker.run_request(request);
    assert_eq!(finished.end.outcome, Outcome::Error, "{code}: {:?}", finished.end);
    finished.end.error.expect("an error says what it is")
}

/// What stands in the place of `^` of a text is where its error is, in JavaScript and TypeScript alike.
#[track_caller]
fn points_to(before: &[&str], marked: &str) {
    let at = marked.find('^').expect("a mark");
    let code = marked.replacen('^', "", 1);
    let line = marked[..at].matches('\n').count() + 1;
    let column = marked[..at].rsplit('\n').next().unwrap().encode_utf16().count() + 1;
    for lang in [Lang::Js, Lang::Ts] {
        let mut worker = Worker::start();
        for code in before {
            assert_eq!(worker.run(code).end.outcome, Outcome::Ok, "{code}");
        }
        let error = failure(&mut worker, RunRequest { lang, ..request(&code) });
        let place = (error.line.unwrap_or(0) as usize, error.column.unwrap_or(0) as usize);
        assert_eq!(place, (line, column), "{lang:?} {code}: {error:?}");
        assert!(error.stack.contains(&format!(":{line}:{column}")), "{lang:?} {code}: {error:?}");
    }
}

#[test]
fn a_name_that_was_declared_again_keeps_its_place() {
    let again = ["const k = 1", "const k = 2"];
    for marked in [
        "^k()",
        "1; ^k()",
        "1;\n  ^k()",
        "k.a.^b",
        "k;\nk.a.^b",
        "++^k",
        "1; ++^k",
        "^k`x`",
        "new ^k()",
        "[1, 2].map(x => ^k())",
        "const k = 3; ^k()",
        "const k = 3, j = ^k()",
        "^k = 1",
        "const { k, l = ^k() } = {}",
    ] {
        points_to(&again, marked);
    }
}

#[test]
fn what_stands_behind_a_replaced_text_keeps_its_place() {
    let again = ["let a = 1; const k = 1; class C {} function f() {}", "const k = 2"];
    for marked in [
        "k; ^nope()",
        "let a = k, b = ^nope()",
        "class C { static x = ^nope() }",
        "function f() { return k }; ^nope()",
        "({ k }); ^nope()",
        "return ^nope()",
    ] {
        points_to(&again, marked);
    }
}

/// The engine counts the columns of the first line from 0, but for those of names.
#[test]
fn the_first_line_is_like_every_other() {
    for marked in [
        "const x = 1; ^x()",
        "    null.^a",
        "0, ^x()",
        "let x = {}; x.^y()",
        "'é'; let x = {}; x.^y()",
        "throw ^Error('no')",
        "throw new ^Error('no')",
        "  ^nope",
        "[1].map(v => ^nope)",
    ] {
        for before in ["", ";\n"] {
            let code = format!("{before}{marked}");
            if !code.contains("0, ") {
                points_to(&[], &code);
            } else {
                points_to(&["const x = 1"], &code);
            }
        }
    }
}

#[test]
fn a_property_of_nothing_is_where_it_stands_if_there_is_no_doubt() {
    for marked in [
        "function g() {\n  return this.a.^b;\n}\ng.call({})",
        "const o = {\n  m() {\n    let x = 1;\n    return this.list[0].^name;\n  },\n  list: [],\n};\no.m()",
        "nothing?.a;\nvar nothing;\n(() => null)().^deep",
        "let a;\n(() => undefined)()[\n  ^'x']",
        "class A {\n  get v() {\n    return super.v.^w;\n  }\n}\nnew A().v",
        "(() => undefined)().^set = 1",
        "'\u{1d4b3}'; this.nothing.^there",
    ] {
        points_to(&[], marked);
    }
    // What was thrown in another run's text is in that.
    let mut worker = Worker::start();
    worker.run("function g() {\n  return this.a.b;\n}");
    let error = failure(&mut worker, request("1;\ng.call({}); ({}).b"));
    let places: Vec<_> = error.frames.iter().map(|frame| (frame.source.as_str(), frame.line)).collect();
    assert_eq!(places, [("run-1", 2), ("run-2", 2)], "{error:?}");
}

#[test]
fn a_property_of_nothing_is_not_guessed_at() {
    for (code, place) in [
        ("function g() {\n  return this.a.b;\n}\nvar o = { a: { b: 1 } }; o.a.b; g.call({})", (1, 1)),
        ("function g(key) {\n  return this.a[key];\n}\n({ b: 1 }).b; g.call({}, 'b')", (2, 17)),
    ] {
        let error = failure(&mut Worker::start(), request(code));
        let frame = &error.frames[0];
        assert_eq!(
            (frame.function.as_str(), (frame.line, frame.column)),
            ("g", place),
            "as the engine has it: {error:?}"
        );
    }
}
