//! What comes of a run: values, errors, and what lives on to the next one.

use runpen::ipc::{ErrorInfo, Mode, RunRequest, ValueKind};
use runpen::outcome::Outcome;

use crate::support::worker_driver::{Worker, request, settings};

#[track_caller]
fn check(code: &str, text: &str) {
    assert_eq!(Worker::start().run(code).text(), text, "{code}");
}

#[track_caller]
fn check_json(code: &str, json: Option<&str>) {
    let finished = Worker::start().run(code);
    assert_eq!(finished.end.value.expect("a value").json.as_deref(), json, "{code}");
}

#[track_caller]
fn error_of(code: &str) -> ErrorInfo {
    let finished = Worker::start().run(code);
    assert_eq!(finished.end.outcome, Outcome::Error, "{code}");
    finished.end.error.expect("an error has a description")
}

#[track_caller]
fn check_place(code: &str, line: u32, column: u32) {
    let error = error_of(code);
    assert_eq!((error.line, error.column), (Some(line), Some(column)), "{code}: {error:?}");
}

#[test]
fn primitives_are_shown_as_node_shows_them() {
    check("1 + 1", "2");
    check("-0", "-0");
    check("'it\\'s'", "\"it's\"");
    check("10n ** 20n", "100000000000000000000n");
    check("undefined", "undefined");
    check("null", "null");
    check("Symbol('x')", "Symbol(x)");
    check("'\\ud800'", "'\\ud800'");
}

#[test]
fn objects_are_shown_as_node_shows_them() {
    check("({a: 1, 'b c': [1, 'x', null], [Symbol('s')]: 1})", "{ a: 1, 'b c': [ 1, 'x', null ], [Symbol(s)]: 1 }");
    check("({a: {b: {c: {d: 1}}}})", "{ a: { b: { c: [Object] } } }");
    check("const o = {}; o.o = o; o", "<ref *1> { o: [Circular *1] }");
    check("class Foo { constructor() { this.x = 1 } }; new Foo", "Foo { x: 1 }");
    check("Object.create(null)", "[Object: null prototype] {}");
    check("[1, , 3]", "[ 1, <1 empty item>, 3 ]");
    check(
        "({get a() { return 1 }, set b(v) {}, get c() { return 1 }, set c(v) {}})",
        "{ a: [Getter], b: [Setter], c: [Getter/Setter] }",
    );
    check(
        "[function f() {}, class A {}, class B extends Array {}, () => 1, async () => 1, function* g() {}]",
        "[\n  [Function: f],\n  [class A],\n  [class B extends Array],\n  [Function (anonymous)],\n  [AsyncFunction (anonymous)],\n  [GeneratorFunction: g]\n]",
    );
    check("new Map([['k', {a: 1}]])", "Map(1) { 'k' => { a: 1 } }");
    check("new Set([1, 'a'])", "Set(2) { 1, 'a' }");
    check("new Date(0)", "1970-01-01T00:00:00.000Z");
    check("/a(b)/gi", "/a(b)/gi");
    check("[new Number(3), new String('ab')]", "[ [Number: 3], [String: 'ab'] ]");
    check("Promise.resolve(4)", "Promise { 4 }");
    check("new Uint8Array(3)", "Uint8Array(3) [ 0, 0, 0 ]");
    check("new Proxy({a: 1}, {})", "{ a: 1 }");
}

#[test]
fn long_arrays_are_shown_in_columns_and_cut() {
    check(
        "Array.from({length: 30}, (_, i) => i * 1000)",
        "[\n      0,  1000,  2000,  3000,  4000,\n   5000,  6000,  7000,  8000,  9000,\n  10000, 11000, 12000, 13000, 14000,\n  15000, 16000, 17000, 18000, 19000,\n  20000, 21000, 22000, 23000, 24000,\n  25000, 26000, 27000, 28000, 29000\n]",
    );
    let finished = Worker::start().run("Array(200).fill(7)");
    assert!(finished.text().ends_with("  ... 100 more items\n]"), "{}", finished.text());
}

#[test]
fn json_is_there_for_plain_data_only() {
    check_json(
        "({a: [1, 'x', null, true, {b: 2.5}], d: new Date(0)})",
        Some(r#"{"a":[1,"x",null,true,{"b":2.5}],"d":"1970-01-01T00:00:00.000Z"}"#),
    );
    check_json("'\\n'", Some(r#""\n""#));
    for code in [
        "undefined",
        "(() => 1)",
        "NaN",
        "1n",
        "[1, , 2]",
        "new Map",
        "({get a() { return 1 }})",
        "const o = {}; o.o = o; o",
        "({a: undefined})",
        "class A {}; new A",
    ] {
        check_json(code, None);
    }
}

#[test]
fn large_values_are_cut_and_have_no_json() {
    let mut worker = Worker::start_with(runpen::ipc::Settings { text_bytes: 100, json_bytes: 100, ..settings() });
    let finished = worker.run("'x'.repeat(1000)");
    let value = finished.end.value.expect("a value");
    assert!(value.text.len() < 150, "{}", value.text);
    assert!(value.text.contains("more characters"), "{}", value.text);
    assert_eq!(value.json, None);
}

#[test]
fn kinds_are_told_apart() {
    for (code, kind) in [
        ("undefined", ValueKind::Undefined),
        ("null", ValueKind::Null),
        ("1", ValueKind::Number),
        ("1n", ValueKind::Bigint),
        ("[]", ValueKind::Array),
        ("new Error", ValueKind::Error),
        ("Promise.resolve()", ValueKind::Promise),
        ("(() => 1)", ValueKind::Function),
        ("({})", ValueKind::Object),
    ] {
        assert_eq!(Worker::start().run(code).end.value.expect("a value").kind, kind, "{code}");
    }
}

#[test]
fn errors_say_where_in_the_users_text() {
    check_place("\n  foo.bar", 2, 3);
    check_place("let x = ;", 1, 9);
    check_place("'\u{e9}\u{1d4b3}'; nope()", 1, 8);
    check_place("await nope()", 1, 7);
    check_place("if (1) {\n  return nope()\n}", 2, 10);
    check_place("return nope()", 1, 8);
    let error = error_of("function f() { throw new TypeError('bad') }\nf()");
    assert_eq!((error.name.as_str(), error.message.as_str()), ("TypeError", "bad"));
    let names: Vec<&str> = error.frames.iter().map(|frame| frame.function.as_str()).collect();
    assert_eq!(names, ["f", "<eval>"]);
    assert_eq!(error.frames[1].line, 2);
    assert!(error.stack.starts_with("TypeError: bad\n    at f (run-1:1:"), "{}", error.stack);
}

#[test]
fn thrown_values_that_are_no_errors_are_shown() {
    assert_eq!(error_of("throw {a: 1}").message, "{ a: 1 }");
    assert_eq!(error_of("throw 'x'").message, "'x'");
    assert_eq!(error_of("throw null").message, "null");
}

#[test]
fn describing_an_error_runs_no_code_of_the_script() {
    let code = "globalThis.ran = 0; const e = new Error('x');
        for (const k of ['name', 'message', 'stack']) Object.defineProperty(e, k, {get() { ran++ }});
        Error.prepareStackTrace = () => { ran++ };
        throw e";
    let mut worker = Worker::start();
    assert_eq!(worker.run(code).end.outcome, Outcome::Error);
    assert_eq!(worker.run("ran").text(), "0");
}

#[test]
fn showing_a_value_runs_no_code_of_the_script() {
    let code = "globalThis.ran = 0;
        const hit = () => { ran++ };
        const trap = (object, key) => Object.defineProperty(object, key, {__proto__: null, get: hit, set: hit, configurable: true});
        class A { get [Symbol.toStringTag]() { ran++ } static get name() { ran++ } static [Symbol.hasInstance]() { ran++ } }
        const values = [new A, new Proxy({}, {get: hit, ownKeys: hit, getPrototypeOf: hit}), new Map([[1, 2]]), [hit], new Date(0)];
        const value = {values, s: new Set([1]), toString: hit, valueOf: hit, [Symbol.toPrimitive]: hit};
        trap(Function.prototype, 'name');
        trap(Date.prototype, Symbol.toPrimitive);
        Object.prototype.toJSON = hit;
        Error.prepareStackTrace = hit;
        Map.prototype.entries = hit;
        for (const key of ['value', 'get', 'set', 'length', 'then']) trap(Object.prototype, key);
        trap(Array.prototype, 0);
        ran = 0;
        console.log(value);
        value";
    let mut worker = Worker::start();
    assert_eq!(worker.run(code).end.outcome, Outcome::Ok);
    assert_eq!(worker.run("ran").text(), "0");
}

#[test]
fn state_lives_on_from_run_to_run() {
    let mut worker = Worker::start();
    worker.run("let a = 1; const b = 2; function f() { return 3 } class C {} var d = 4");
    assert_eq!(worker.run("[a, b, f(), typeof C, d]").text(), "[ 1, 2, 3, 'function', 4 ]");
    worker.run("let late = await Promise.resolve(5)");
    assert_eq!(worker.run("late").text(), "5");
}

#[test]
fn a_top_level_return_ends_the_run_with_its_value() {
    check("return {message: 'OK', value: 42}", "{ message: 'OK', value: 42 }");
    check("const x = await Promise.resolve(2); return x + 1; // done", "3");
    check("if (true) return 7; throw 1", "7");
}

#[test]
fn a_thrown_look_alike_of_the_compilers_complaint_is_not_run_twice() {
    let mut worker = Worker::start();
    worker.run("var n = 0");
    let finished = worker.run("n++; throw new SyntaxError('return not in a function')");
    assert_eq!(finished.end.outcome, Outcome::Error);
    assert_eq!(worker.run("n").text(), "1");
}

#[test]
fn top_level_await_gives_the_value() {
    check("await new Promise(resolve => setTimeout(resolve, 5, 'late'))", "'late'");
    check("const x = await 3; x * 2", "6");
    let error = error_of("await Promise.reject(new RangeError('no'))");
    assert_eq!(error.name, "RangeError");
}

#[test]
fn a_promise_that_nothing_can_settle_is_noticed_at_once() {
    let finished = Worker::start().run_for("await new Promise(() => {})", 60_000);
    assert_eq!(finished.end.outcome, Outcome::Unsettled);
}

#[test]
fn scripts_and_modules_follow_their_own_rules() {
    let mut worker = Worker::start();
    let script = RunRequest { mode: Mode::Script, ..request("this === globalThis") };
    assert_eq!(worker.run_request(script).text(), "true");
    let script = RunRequest { mode: Mode::Script, ..request("await 1") };
    assert_eq!(worker.run_request(script).end.outcome, Outcome::Error);
    let module = RunRequest { mode: Mode::Module, ..request("export const x = await 1; console.log(this, x)") };
    let finished = worker.run_request(module);
    assert_eq!((finished.lines(), finished.text()), (vec!["undefined 1"], "undefined"));
    let module = RunRequest { mode: Mode::Module, ..request("import 'x'") };
    assert_eq!(worker.run_request(module).end.outcome, Outcome::Error);
}

#[test]
fn what_cannot_be_run_is_an_error_and_no_crash() {
    let mut worker = Worker::start();
    assert_eq!(worker.run("1\0").end.outcome, Outcome::Error);
    assert_eq!(worker.run("1").text(), "1");
}

#[test]
fn an_input_that_cannot_be_had_ends_its_run_and_takes_the_last_one_along() {
    let mut worker = Worker::start();
    let with_input = |input: String| RunRequest { input: Some(input), ..request("input") };
    let deep = format!("{}{}", "[".repeat(40_000), "]".repeat(40_000));
    assert_eq!(worker.run_request(with_input(r#""old""#.into())).text(), "'old'");
    let finished = worker.run_request(with_input(deep.clone()));
    assert_eq!(finished.end.outcome, Outcome::Error, "{:?}", finished.end);
    let error = finished.end.error.expect("an error says what it is");
    assert!(error.message.starts_with("The input cannot be had: "), "{error:?}");
    assert_eq!(worker.run("typeof input").text(), "'undefined'");
    assert_eq!(worker.run_request(with_input("1".into())).text(), "1");
    // Nor does one that is too large for the heap.
    let large = format!("[{}0]", "{},".repeat(1_000_000));
    let finished = worker.run_request(with_input(large));
    assert_eq!(finished.end.outcome, Outcome::Memory, "{:?}", finished.end.error);
    assert_eq!(worker.run("typeof input").text(), "'undefined'");
}

#[test]
fn an_input_that_a_script_has_made_its_own_for_good_is_not_passed_over_in_silence() {
    let mut worker = Worker::start();
    worker.run("Object.defineProperty(globalThis, 'input', { value: 'mine' })");
    let finished = worker.run_request(RunRequest { input: Some("1".into()), ..request("input") });
    assert_eq!(finished.end.outcome, Outcome::Error, "{:?}", finished.end);
    assert!(finished.end.error.expect("an error").message.starts_with("The input cannot be had: "));
    assert_eq!(worker.run("input").text(), "'mine'");
}

#[test]
fn input_is_a_global_of_its_run_alone() {
    let mut worker = Worker::start();
    let with_input = RunRequest { input: Some(r#"{"n":[1,2]}"#.into()), ..request("input.n[1]") };
    assert_eq!(worker.run_request(with_input).text(), "2");
    assert_eq!(worker.run("typeof input").text(), "'undefined'");
}

#[test]
fn a_full_heap_is_the_outcome_memory_and_the_session_goes_on() {
    let mut worker = Worker::start();
    let finished = worker.run_for("(() => { const a = []; for (;;) a.push(new Array(1000).fill(1)) })()", 20_000);
    assert_eq!(finished.end.outcome, Outcome::Memory);
    assert_eq!(worker.run("1 + 1").text(), "2");
    // Said by a script, the same words mean nothing.
    let forged = worker.run("const e = new InternalError('out of memory'); throw e");
    assert_eq!(forged.end.outcome, Outcome::Error);
}

#[test]
fn deep_recursion_is_an_ordinary_error() {
    let error = error_of("(function f() { f() })()");
    assert_eq!(error.name, "RangeError");
}

#[test]
fn unhandled_rejections_are_reported_and_leave_the_outcome_alone() {
    let finished =
        Worker::start().run("Promise.reject(new Error('lost')); const p = Promise.reject(1); p.catch(() => {}); 5");
    assert_eq!(finished.text(), "5");
    assert_eq!(finished.entries.len(), 1);
    assert!(finished.entries[0].uncaught);
    assert!(finished.entries[0].text.starts_with("Uncaught (in promise) Error: lost"), "{}", finished.entries[0].text);
}

#[test]
fn usage_is_measured() {
    let usage = Worker::start().run("for (let i = 0; i < 1e6; i++); console.log('12345')").end.usage;
    assert!(usage.cpu_us > 0 && usage.wall_us >= usage.cpu_us / 2, "{usage:?}");
    assert_eq!(usage.console_bytes, 5);
    assert!(usage.heap_bytes > 50_000, "{usage:?}");
}

#[test]
fn arrays_longer_than_31_bits_are_shown_like_others() {
    let mut worker = Worker::start();
    assert_eq!(worker.run("const a = [1]; a.length = 2 ** 32 - 1; a").text(), "[ 1, <4294967294 empty items> ]");
    let nested = worker.run("const b = []; b[2 ** 32 - 2] = 1; [b]");
    assert_eq!(nested.end.outcome, Outcome::Ok);
    assert_eq!(nested.end.value.unwrap().json, None, "holes are not JSON");
}
