//! Strings that nearly fill the heap, in every place that may be named by one. Each is shown in part or refused, and no copy of it
//! costs the worker its life.

use runpen::ipc::{Detail, RunRequest};
use runpen::outcome::Outcome;

use crate::support::worker_driver::{Worker, request};

/// Below, about and above half of the heap and all of it, which is 64 MiB.
const LENGTHS: [&str; 6] = ["20e6", "31e6", "40e6", "50e6", "55e6", "63e6"];

/// `_S_` is the string.
const PLACES: [&str; 34] = [
    "({[_S_]: 1})",
    "[{[_S_]: 1}]",
    "({a: {[_S_]: () => 1}})",
    "({[_S_]() {}})",
    "({get [_S_]() { return 1 }})",
    "Object.assign(Object.create(null), {[_S_]: 1})",
    "Object.defineProperty({}, _S_, {value: 1})",
    "class A { static [_S_] = 1 }; A",
    "class A { [_S_] = 1 }; new A",
    "Object.defineProperty(() => 1, 'name', {value: _S_})",
    "Symbol(_S_)",
    "({[Symbol(_S_)]: 1})",
    "Symbol.for(_S_)",
    "Symbol(_S_).description",
    "JSON.parse('{\"' + _S_ + '\":1}')",
    "JSON.parse('\"' + _S_ + '\"')",
    "JSON.stringify({[_S_]: 1}).length",
    "structuredClone({[_S_]: 1})",
    "console.log({[_S_]: 1})",
    "console.log('%j %o', {[_S_]: 1}, {[_S_]: 1})",
    "console.table([{[_S_]: 1}])",
    "console.table({[_S_]: 1})",
    "console.count(_S_)",
    "new Map([[_S_, 1]])",
    "new Set([_S_, {[_S_]: 1}])",
    "new RegExp(_S_)",
    "new Error(_S_)",
    "throw Object.assign(new Error('a'), {name: _S_, [_S_]: 1})",
    "throw {[_S_]: 1}",
    "Promise.reject({[_S_]: 1}); 1",
    "new (class { get [Symbol.toStringTag]() { return _S_ } })",
    "({[Symbol.toStringTag]: _S_})",
    "Object.keys({[_S_]: 1})",
    "new Function(_S_)",
];

fn check(detail: Detail, string: &str) {
    for length in LENGTHS {
        let mut worker = Worker::start();
        for place in PLACES {
            let code = place.replace("_S_", &string.replace("LENGTH", length));
            let run = worker.begin(RunRequest { timeout_ms: 20_000, detail, ..request(&code) });
            let Some(finished) = worker.try_finish(run) else {
                panic!("{code}: {:?}", worker.death());
            };
            let outcome = finished.end.outcome;
            assert!(matches!(outcome, Outcome::Ok | Outcome::Error | Outcome::Memory), "{code}: {outcome:?}");
        }
    }
}

#[test]
fn names_of_any_length_are_shown_or_refused() {
    check(Detail::Text, "'x'.repeat(LENGTH)");
}

#[test]
fn names_of_any_length_are_previewed_or_refused() {
    check(Detail::Previews, "'x'.repeat(LENGTH)");
}

#[test]
fn names_of_any_length_that_take_two_bytes_a_character_are_shown_or_refused() {
    check(Detail::Text, "'\\u00e9'.repeat(LENGTH / 2)");
}
