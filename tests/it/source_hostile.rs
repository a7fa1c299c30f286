//! Texts that are made to overflow or to keep busy whatever parses them. A worker that dies would be a crash.

use std::time::{Duration, Instant};

use runpen::ipc::{Lang, Mode, RunRequest};
use runpen::outcome::Outcome;

use crate::support::worker_driver::{Worker, request, settings};

/// Units that nest, with what closes them.
const NESTING: [(&str, &str, &str); 24] = [
    ("[", "1", "]"),
    ("(", "1", ")"),
    ("{", "1", "}"),
    ("({a:", "1", "})"),
    ("`${", "1", "}`"),
    ("f(", "1", ")"),
    ("!", "1", ""),
    ("- ", "1", ""),
    ("typeof ", "1", ""),
    ("x=>", "1", ""),
    ("async x=>{", "1", "}"),
    ("a=", "1", ""),
    ("a?b:", "1", ""),
    ("if(1)", "1", ""),
    ("if(1);else ", "1", ""),
    ("while(0)", "1", ""),
    ("2**", "1", ""),
    ("new ", "f", ""),
    ("class A extends ", "B", "{}"),
    ("function f(){", "1", "}"),
    ("(a=", "1", ")=>1"),
    ("x={y(){", "1", "}}"),
    ("await ", "1", ""),
    ("/(", "a", ")/"),
];

/// Units that make long chains.
const CHAINS: [(&str, &str); 12] = [
    ("a", ".a"),
    ("a", "[1]"),
    ("a", "()"),
    ("a", "+a"),
    ("a", "&&a"),
    ("a", "?.a"),
    ("a", "`x`"),
    ("a", ",a"),
    ("var a", ",a"),
    ("a", ";a"),
    ("a", "\n.a"),
    ("`", "${a}"),
];

#[track_caller]
fn check(worker: &mut Worker, what: &str, code: &str) {
    for lang in [Lang::Js, Lang::Ts] {
        for mode in [Mode::Repl, Mode::Module] {
            let begun = Instant::now();
            let run = worker.begin(RunRequest { lang, mode, timeout_ms: 2000, ..request(code) });
            let Some(finished) = worker.try_finish(run) else {
                panic!("{what}, {lang:?}, {mode:?}, {} bytes: {:?}", code.len(), worker.death());
            };
            // Some of these are programs, and some of those never end.
            let outcome = finished.end.outcome;
            assert!(
                matches!(outcome, Outcome::Ok | Outcome::Error | Outcome::Timeout | Outcome::Memory),
                "{what}: {outcome:?}"
            );
            assert!(begun.elapsed() < Duration::from_secs(4), "{what}: {:?}", begun.elapsed());
        }
    }
}

#[test]
fn deep_nesting_overflows_nothing() {
    let mut worker = Worker::start();
    for (open, middle, close) in NESTING {
        for depth in [100, 450, 900, 990, 5000, 200_000 / open.len()] {
            let whole = [&open.repeat(depth), middle, &close.repeat(depth)].concat();
            check(&mut worker, open, &whole[..whole.floor_char_boundary(256 << 10)]);
        }
    }
}

#[test]
fn long_chains_overflow_nothing() {
    let mut worker = Worker::start_with(runpen::ipc::Settings { text_bytes: 1000, ..settings() });
    for (start, link) in CHAINS {
        // Debug builds are slow, and a parser cannot be interrupted.
        for length in [1000, 7900, (60 << 10) / link.len()] {
            check(&mut worker, link, &[start, &link.repeat(length)].concat());
        }
    }
}

#[test]
fn what_is_nested_too_deeply_says_so() {
    let mut worker = Worker::start();
    let finished = worker.run(&"[".repeat(200_000));
    let error = finished.end.error.expect("an error");
    assert_eq!((error.name.as_str(), error.message.as_str()), ("SyntaxError", "This is nested too deeply"));
    assert_eq!((error.line, error.column), (None, None), "the text as a whole is to blame");
    assert_eq!(worker.run("1 + 1").text(), "2");
}

#[test]
fn scripts_that_tamper_with_everything_do_not_confuse_the_console() {
    let mut worker = Worker::start();
    let code =
        "Object.defineProperty(Object.prototype, 'value', {set() {}, get() { return 'forged' }, configurable: true});
        Error.prepareStackTrace = () => { globalThis.ran = true };
        Array.prototype[Symbol.iterator] = null; delete Array.prototype.map; Object.defineProperty = null;
        let x = 1; const c = 1; let dead = (() => { throw 1 })()";
    worker.run(code);
    for (code, text) in [
        // The engine calls the hook for whatever the script throws, but the console's own looks throw nothing that it sees.
        ("delete globalThis.ran", "true"),
        ("let x = 2; typeof ran", "'undefined'"),
        ("let dead = 2; typeof ran", "'undefined'"),
        ("let x = 2, y = 3; const c = 4; let dead = 5; x + y + c + dead", "14"),
        ("function x() { return 6 } x()", "6"),
        ("typeof ran", "'undefined'"),
        ("_", "'undefined'"),
        ("return 7", "7"),
    ] {
        assert_eq!(worker.run(code).text(), text, "{code}");
    }
}

#[test]
fn many_runs_and_names_leave_little_behind() {
    let mut worker = Worker::start();
    worker.run("const c = 0; let l = 0");
    for number in 0..300 {
        let code = format!("const c = {number}; let l = {number}, n{number} = () => c; '{}'", "\u{e9}".repeat(5000));
        assert_eq!(worker.run(&code).end.outcome, Outcome::Ok);
    }
    assert_eq!(worker.run("[c, l, n7(), n299()]").text(), "[ 299, 299, 7, 299 ]");
}
