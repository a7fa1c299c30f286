//! A session as a console's user meets it: several runs, one after the other, that share what they declare.

use runpen::ipc::{ErrorInfo, Mode, RunRequest, Settings};
use runpen::outcome::Outcome;

use crate::support::worker_driver::{Worker, request, settings};

/// Runs the lines of a session one after the other. Each is code, and what a console would print for it: the text of the value,
/// or `!` and the name and message of the error.
#[track_caller]
fn session(lines: &[(&str, &str)]) -> Worker {
    let mut worker = Worker::start();
    go_on(&mut worker, lines);
    worker
}

#[track_caller]
fn go_on(worker: &mut Worker, lines: &[(&str, &str)]) {
    for (code, expected) in lines {
        assert_eq!(worker.run(code).shown(), *expected, "{code}\nin {lines:#?}");
    }
}

#[track_caller]
fn failure(worker: &mut Worker, code: &str) -> ErrorInfo {
    let finished = worker.run(code);
    assert_eq!(finished.end.outcome, Outcome::Error, "{code}: {:?}", finished.end);
    finished.end.error.expect("an error says what it is")
}

const U: &str = "undefined";

#[test]
fn let_may_be_declared_again_and_closures_see_the_new_value() {
    session(&[
        ("let x = 1; const read = () => x; const write = v => { x = v }", U),
        ("let x = 2", U),
        ("[x, read()]", "[ 2, 2 ]"),
        ("write(3); x", "3"),
        ("let x; x", U),
        ("read()", U),
        ("let x = 'a', y = x + 'b', z", U),
        ("let y = y + 1, x = y", U),
        ("[x, y, read()]", "[ 'ab1', 'ab1', 'ab1' ]"),
    ]);
}

#[test]
fn every_kind_may_be_declared_again_as_every_other() {
    let kinds = ["let n = #", "const n = #", "var n = #", "class n { static v = # }", "function n() { return # }"];
    for first in kinds {
        for second in kinds {
            for third in kinds {
                let mut worker = Worker::start();
                for (number, kind) in [(1, first), (2, second), (3, third)] {
                    let code = kind.replace('#', &number.to_string());
                    let read = "(typeof n === 'number' ? n : n.v ?? n())";
                    go_on(&mut worker, &[(&code, U), (&format!("{read} + 0"), &number.to_string())]);
                    go_on(&mut worker, &[(&format!("(() => {read})()"), &number.to_string())]);
                }
            }
        }
    }
}

#[test]
fn functions_are_hoisted_when_they_are_declared_again() {
    session(&[
        ("let f = 1", U),
        ("const early = f(); function f() { return 'new' } early", "'new'"),
        ("f.name + f.length", "'f0'"),
        ("const g = 1", U),
        ("const soon = g(2); function g(a) { return a > 0 ? g(a - 1) + 1 : 0 } soon", "2"),
        ("g.name", "'g'"),
        ("function f() { return 1 } function f() { return 2 }", U),
        ("f()", "2"),
        ("async function f() { return 3 } await f()", "3"),
        ("function* f() { yield 4 } [...f()]", "[ 4 ]"),
        ("'use strict'\nfunction f() { return this } f()", U),
    ]);
}

#[test]
fn a_function_that_is_replaced_by_a_wrapper_of_itself_calls_the_wrapper() {
    session(&[
        ("let fib = 0", U),
        ("function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }", U),
        ("let calls = 0; { const inner = fib; fib = n => (calls++, inner(n)) } fib(10)", "55"),
        ("calls > 50", "true"),
    ]);
}

#[test]
fn assignment_to_a_const_throws_before_and_after_it_is_declared_again() {
    session(&[
        ("const c = 1", U),
        ("c = 2", "!TypeError: 'c' is read-only"),
        ("const c = 3", U),
        ("c = 4", "!TypeError: 'c' is read-only"),
        ("c++", "!TypeError: 'c' is read-only"),
        ("c", "3"),
        ("let l = 1", U),
        ("const l = 2", U),
        ("l = 3", "!TypeError: 'l' is read-only"),
        ("let c = 5; c = 6; c", "6"),
        ("let c = 7; c", "7"),
    ]);
}

#[test]
fn closures_of_an_earlier_run_keep_the_const_they_saw() {
    session(&[
        ("const c = 1; const read = () => c", U),
        ("const c = 2; const read2 = () => c", U),
        ("[c, read(), read2()]", "[ 2, 1, 2 ]"),
    ]);
}

#[test]
fn a_failed_initialiser_does_not_poison_its_name() {
    session(&[
        ("let a = missing()", "!ReferenceError: missing is not defined"),
        ("a", "!ReferenceError: a is not initialized"),
        ("let a = 1; a", "1"),
        ("a = 2; a", "2"),
        ("let a = 3; [a, (() => a)()]", "[ 3, 3 ]"),
        ("const b = missing()", "!ReferenceError: missing is not defined"),
        ("const b = 1; b", "1"),
        ("class C extends missing {}", "!ReferenceError: missing is not defined"),
        ("class C { static who = C.name } C.who", "'C'"),
        ("let {d, e} = null", "!TypeError: Cannot convert undefined or null to object"),
        ("let {d, e} = {d: 1, e: 2}; [d, e]", "[ 1, 2 ]"),
    ]);
    session(&[
        ("let ok = 1; let lost = missing()", "!ReferenceError: missing is not defined"),
        ("ok", "1"),
        ("let ok = 2, lost = 3; [ok, lost]", "[ 2, 3 ]"),
        ("const f = () => lost; f()", "3"),
        ("let lost = missing()", "!ReferenceError: missing is not defined"),
        ("lost", "3"),
        ("function lost() { return 'f' } lost()", "'f'"),
        ("var lost = 5; lost", "5"),
        ("let await_lost = await missing()", "!ReferenceError: missing is not defined"),
        ("let await_lost = 7; await_lost", "7"),
    ]);
}

#[test]
fn a_name_that_was_interrupted_may_be_declared_again() {
    // A grace that a busy machine keeps to: the engine must outlive the interrupt.
    let mut worker = Worker::start_with(Settings { kill_grace_ms: 5000, ..settings() });
    assert_eq!(worker.run_for("let x = (() => { for (;;); })()", 100).end.outcome, Outcome::Timeout);
    go_on(&mut worker, &[("let x = 1; x", "1"), ("typeof x", "'number'")]);
}

#[test]
fn destructuring_declares_and_declares_again() {
    session(&[
        ("let {a, b: [c, ...d], ...e} = {a: 1, b: [2, 3, 4], f: 5}; [a, c, d, e]", "[ 1, 2, [ 3, 4 ], { f: 5 } ]"),
        ("const read = () => [a, c]", U),
        ("let {a, g = a + 1} = {a: 10}; [a, g]", "[ 10, 11 ]"),
        ("read()", "[ 10, 2 ]"),
        ("let [c, h] = [20, 30], i = c + h; [c, h, i, read()]", "[ 20, 30, 50, [ 10, 20 ] ]"),
        ("const {a, c} = {a: 'x', c: 'y'}; [a, c]", "[ 'x', 'y' ]"),
        ("({a, c})", "{ a: 'x', c: 'y' }"),
        ("let {a, c = () => {}} = {a: 1}; [a, c.name]", "[ 1, 'c' ]"),
        ("var {a, z = a} = {a: 2}; [a, z]", "[ 2, 2 ]"),
        ("for (var {a} of [{a: 5}, {a: 6}]); a", "6"),
        ("for (var a in {p: 1}); a", "'p'"),
        ("for (var a = 0, n = 0; a < 3; a++) n += a; [a, n]", "[ 3, 3 ]"),
    ]);
}

#[test]
fn names_inferred_for_functions_and_classes_are_those_that_were_written() {
    session(&[
        ("const f = () => {}, k = class {}, o = 1", U),
        ("const f = () => {}; f.name", "'f'"),
        ("const f = function () {}, k = class {}; f.name + k.name", "'fk'"),
        ("const {f = () => {}} = {}; f.name", "'f'"),
        ("const [f = async () => {}] = []; f.name", "'f'"),
        ("let f; f = () => {}; f.name", "'f'"),
        ("f = null; f ??= class {}; f.name", "'f'"),
        ("[f = () => {}] = []; f.name", "'f'"),
        ("({f = () => {}} = {}); f.name", "'f'"),
        ("const __proto__ = 1", U),
        ("const __proto__ = () => {}; __proto__.name", "'__proto__'"),
        ("class k {} k.name", "'k'"),
        ("new k", "k {}"),
    ]);
}

#[test]
fn a_name_of_an_inner_scope_is_not_mixed_up_with_one_that_was_declared_again() {
    session(&[
        ("const x = 1", U),
        ("const x = 2; const f = x => x, g = ({x}) => ({x}), h = () => { const x = 9; return x }", U),
        ("[f(3), g({x: 4}), h(), x, ({x: 5}).x, {x}]", "[ 3, { x: 4 }, 9, 2, 5, { x: 2 } ]"),
        ("x: for (;;) { break x } { let x = 7 } x", "2"),
        ("class K { x = x; static x() { return x } } [new K().x, K.x()]", "[ 2, 2 ]"),
        ("`${x}${typeof x}`", "'2number'"),
        ("try { throw 6 } catch (x) { x }", "6"),
        ("with ({x: 8}) x", "8"),
    ]);
}

#[test]
fn uses_before_the_initialiser_of_the_same_run_throw() {
    session(&[
        ("n; let n = 1", "!ReferenceError: n is not initialized"),
        ("const c = 1", U),
        ("c; const c = 2", "!ReferenceError: c is not initialized"),
    ]);
}

#[test]
fn twice_in_one_run_is_an_error_and_leaves_the_name_alone() {
    let mut worker = session(&[("let x = 1", U)]);
    let error = failure(&mut worker, "let x = 2;\nlet x = 3");
    assert_eq!((error.name.as_str(), error.line, error.column), ("SyntaxError", Some(2), Some(5)));
    assert_eq!(error.message, "Identifier 'x' has already been declared");
    go_on(&mut worker, &[("x", "1"), ("let x = 4; x", "4")]);
}

#[test]
fn the_completion_value_is_that_of_the_last_statement() {
    session(&[
        ("1; 2; 3", "3"),
        ("5; let a = 1", "5"),
        ("5; let a = 2", "5"),
        ("6; var a = 3", "6"),
        ("7; class a {}", "7"),
        ("8; function a() {}", "8"),
        ("9; const a = 1", "9"),
        ("if (true) { 10 } else { 11 }", "10"),
        ("for (let i = 0; i < 3; i++) i * 2", "4"),
        ("do { 12; break } while (true)", "12"),
        ("switch (1) { case 1: 'one' }", "'one'"),
        ("try { 13 } finally { 14 }", "13"),
        ("'use strict'", "'use strict'"),
        ("", U),
        ("// nothing", U),
        ("var v = 1", U),
        ("l: { 15; break l; 16 }", "15"),
    ]);
}

#[test]
fn the_completion_value_is_the_same_with_await() {
    session(&[
        ("await 1; 2; await 3", "3"),
        ("await 0; 5; let a = 1", "5"),
        ("5; let a = await 2", "5"),
        ("a", "2"),
        ("await 0; if (a) { 10 } else { 11 }", "10"),
        ("for (let i = 0; i < 3; i++) await i", "2"),
        ("for await (const x of [7, 8]) x", "8"),
        ("await null; ({then: 1})", "{ then: 1 }"),
        ("await null; Promise.resolve(4)", "Promise { 4 }"),
    ]);
}

#[test]
fn top_level_await_keeps_its_bindings() {
    session(&[
        ("const a = await 1, {b, c = await 3} = await {b: 2}; let d = await 4; var e = await 5; class F {}", U),
        ("[a, b, c, d, e, F.name]", "[ 1, 2, 3, 4, 5, 'F' ]"),
        ("let d = await 6; const a = await 7; [a, d]", "[ 7, 6 ]"),
        ("async function f() { return await d } await f()", "6"),
        ("const w = async () => { await 0; return 'inner' }; await w()", "'inner'"),
        ("this === globalThis && await true", "true"),
    ]);
}

#[test]
fn await_is_an_ordinary_name_where_it_can_only_be_one() {
    session(&[
        ("var await = 3; await + 1", "4"),
        ("'await'", "'await'"),
        ("// await\n1", "1"),
        ("async () => await 1", "[AsyncFunction (anonymous)]"),
        ("(function () { var await = 1; return await })()", "1"),
    ]);
}

#[test]
fn an_object_at_the_start_is_an_object_and_a_block_is_a_block() {
    session(&[
        ("{}", "{}"),
        ("{a: 1}", "{ a: 1 }"),
        ("  {a: 1, 'b': 2}  // note", "{ a: 1, b: 2 }"),
        ("/* c */ {a: 1}", "{ a: 1 }"),
        ("// c\n{ [1 + 1]: 3, f() {} }", "{ '2': 3, f: [Function: f] }"),
        ("{a: await 2}", "{ a: 2 }"),
        ("{a: 1}.a", "1"),
        ("{a: 1};", "1"),
        ("{};", U),
        ("{ let x = 5; x }", "5"),
        ("{ 1; 2 }", "2"),
        ("{ await 3 }", "3"),
        ("{a: {b: [{}]}}", "{ a: { b: [ {} ] } }"),
    ]);
}

#[test]
fn a_top_level_return_ends_the_run_and_keeps_the_bindings() {
    session(&[
        ("return {message: \"OK\", value: 42}", "{ message: 'OK', value: 42 }"),
        ("const a = 1; let b = 2; if (a) return a + b; throw 'never'", "3"),
        ("[a, b]", "[ 1, 2 ]"),
        ("for (const x of [1, 2, 3]) { if (x > 1) return x, x * 10 }", "20"),
        ("return", U),
        ("return;", U),
        ("let later = 1; return later; let never = 2", "1"),
        ("let never = 3; never", "3"),
        ("return await Promise.resolve(5)", "5"),
        ("const w = await 6; return w", "6"),
        ("w", "6"),
        ("try { return 7 } finally { var ran = true }", "7"),
        ("ran", "true"),
        ("try { null.x } catch (e) { return e.constructor.name }", "'TypeError'"),
        ("const f = () => { return 8 }; f()", "8"),
        ("if (false) return 1; 9", "9"),
        ("return (1, 2) // done", "2"),
        ("return /* it */ [1] /* is */ ;", "[ 1 ]"),
        ("return {\n  a: 1 }", "{ a: 1 }"),
        ("Object.getOwnPropertyNames(globalThis).filter(n => n.includes('return'))", "[]"),
    ]);
}

#[test]
fn a_return_that_a_catch_could_see_is_not_seen_by_it() {
    session(&[
        ("let seen = 0", U),
        ("try { return 'out' } catch (e) { seen++ }", "'out'"),
        ("seen", "0"),
        ("const k = 1; const k2 = 2", U),
        ("const k = 5; 0", "0"),
        ("try { return k } catch { }", "5"),
    ]);
}

#[test]
fn what_is_thrown_is_not_taken_for_a_return() {
    session(&[
        ("if (0) return 1; throw new Error('x')", "!Error: x"),
        ("if (0) return 1; throw {a: 1}", "!Uncaught: { a: 1 }"),
    ]);
}

#[test]
fn the_last_value_and_the_last_error_have_names() {
    session(&[
        ("_", U),
        ("6 * 7", "42"),
        ("_ + 1", "43"),
        ("_", "43"),
        ("nope", "!ReferenceError: nope is not defined"),
        ("_error.message", "'nope is not defined'"),
        ("await 5", "5"),
        ("_", "5"),
        ("Object.keys(globalThis).filter(k => k.startsWith('_'))", "[]"),
    ]);
}

#[test]
fn a_users_own_underscore_is_left_alone() {
    for own in ["const _ = 'mine'", "let _ = 'mine'", "var _ = 'mine'", "_ = 'mine'", "globalThis._ = 'mine'"] {
        let mut worker = Worker::start();
        worker.run(own);
        go_on(&mut worker, &[("1 + 1", "2"), ("_", "'mine'")]);
    }
    session(&[("function _() {}", U), ("1", "1"), ("typeof _", "'function'")]);
    session(&[("'use strict'; _error = 5; 0", "0"), ("nope", "!ReferenceError: nope is not defined"), ("_error", "5")]);
}

#[test]
fn a_hashbang_is_allowed() {
    session(&[
        ("#!/usr/bin/env node\n1 + 1", "2"),
        ("#!x\nlet h = 1", U),
        ("#!x\nlet h = 2; h", "2"),
        ("#!x\nfunction h() { return 3 } h()", "3"),
        ("#! only", U),
        ("#!x\nawait 4", "4"),
    ]);
}

#[test]
fn syntax_errors_say_where_and_what() {
    for (code, line, column, message) in [
        ("let x = ;", 1, 9, "Unexpected token ';'"),
        ("1 +", 1, 4, "Unexpected end of input"),
        ("foo(\n  1,\n", 3, 1, ""),
        ("'\u{e9}\u{1d4b3}' nope", 1, 6, ""),
        ("if (", 1, 5, "Unexpected end of input"),
        ("let a = 1;\nlet b = 'x", 2, 9, ""),
        ("await 1 +", 1, 10, "Unexpected end of input"),
        ("/(/", 1, 2, ""),
        ("function f() { return", 1, 22, ""),
        ("break", 1, 1, ""),
    ] {
        let error = failure(&mut Worker::start(), code);
        assert_eq!(error.name, "SyntaxError", "{code}: {error:?}");
        assert_eq!((error.line, error.column), (Some(line), Some(column)), "{code}: {error:?}");
        assert!(message.is_empty() || error.message == message, "{code}: {error:?}");
        assert!(!error.message.is_empty() && !error.message.contains('`'), "{code}: {error:?}");
    }
}

#[test]
fn positions_are_those_of_the_users_text_after_changes_too() {
    let mut worker = session(&[("let x = 1; const c = 1; function g() { nope() }", U)]);
    for (code, line, column) in [
        ("let x = nope()", 1, 9),
        ("let x = 5, y = nope()", 1, 16),
        ("const c = 1;\nconst d = nope()", 2, 11),
        ("const c = 2; c.a.b", 1, 18),
        ("function x() {\n  nope()\n}\n  x()", 2, 3),
        ("1;\nclass x { static y = nope() }", 2, 22),
        ("'\u{1d4b3}'; let x = nope()", 1, 15),
        ("{a: nope()}", 1, 5),
        ("return nope()", 1, 8),
        ("await 0; let x = nope()", 1, 18),
        ("try { return nope() } catch (e) { throw e }", 1, 14),
    ] {
        let error = failure(&mut worker, code);
        assert_eq!(error.name, if code.contains("a.b") { "TypeError" } else { "ReferenceError" });
        assert_eq!((error.line, error.column), (Some(line), Some(column)), "{code}: {error:?}");
        assert!(error.stack.contains(&format!(":{line}:{column}")), "{code}: {error:?}");
    }
}

#[test]
fn frames_are_named_by_the_run_whose_text_they_are_in() {
    let mut worker = Worker::start();
    worker.run("let f = 1");
    worker.run("\n'\u{1d4b3}'; function f() { return nope() }");
    let error = failure(&mut worker, "1;\n  f()");
    let frames: Vec<_> =
        error.frames.iter().map(|f| (f.function.as_str(), f.source.as_str(), f.line, f.column)).collect();
    assert_eq!(frames, [("f", "run-2", 2, 29), ("<eval>", "run-3", 2, 3)]);
    assert_eq!((error.line, error.column), (Some(2), Some(3)));
    assert!(error.stack.contains("at f (run-2:2:29)"), "{}", error.stack);
}

#[test]
fn messages_show_names_as_they_were_written() {
    session(&[
        ("const q = 1", U),
        ("const q = 2", U),
        ("q()", "!TypeError: not a function"),
        ("q = 1", "!TypeError: 'q' is read-only"),
        ("q; let q = 1", "!ReferenceError: q is not initialized"),
    ]);
}

#[test]
fn names_of_scripts_may_be_declared_again() {
    let mut worker = Worker::start();
    let script = |code| RunRequest { mode: Mode::Script, ..request(code) };
    worker.run_request(script("let x = 1; const c = 2; class K {} function f() {}"));
    go_on(&mut worker, &[("let x = 3, c = 4, K = 5, f = 6; [x, c, K, f]", "[ 3, 4, 5, 6 ]")]);
    // A script itself keeps to the rules of scripts.
    assert_eq!(worker.run_request(script("let x = 1")).end.outcome, Outcome::Error);
}

#[test]
fn code_is_sloppy_unless_it_says_otherwise() {
    session(&[
        ("(function () { return this === globalThis })()", "true"),
        ("undeclared = 1; delete undeclared", "true"),
        ("010", "8"),
        ("'use strict'; (function () { return this })()", U),
        ("'use strict'; (() => { undeclared2 = 1 })()", "!ReferenceError: undeclared2 is not defined"),
    ]);
}

#[test]
fn eval_and_function_see_the_names_of_the_session() {
    session(&[
        ("let x = 1; const c = 2", U),
        ("[eval('x'), (0, eval)('c'), new Function('return x + c')()]", "[ 1, 2, 3 ]"),
        ("let x = 5; [eval('x'), new Function('return x')()]", "[ 5, 5 ]"),
    ]);
}

#[test]
fn a_reset_session_knows_no_names() {
    let mut worker = session(&[("const x = 1", U)]);
    worker.prepare_with(2, crate::support::worker_driver::settings());
    go_on(&mut worker, &[("typeof x", "'undefined'"), ("const x = 2; x", "2")]);
}
