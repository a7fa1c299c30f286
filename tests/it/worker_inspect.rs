//! Looking at values that were made to be hard to look at: no code of theirs runs, nothing takes long, nothing dies.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use runpen::ipc::{Answer, Content, Detail, Query, Reference, RunRequest, Settings, properties_bytes};
use runpen::outcome::Outcome;

use crate::support::worker_driver::{Worker, request, settings};

/// Far more than any of this takes, even on a busy machine without optimisation.
const SOON: Duration = Duration::from_secs(10);

/// Values that are large, deep, strange or hostile.
const HARD: &[&str] = &[
    "new URLSearchParams('a=1&'.repeat(2e5))",
    "[new URL('http://a/' + 'b'.repeat(1e6)), new Event('x'.repeat(1e6)), new URLSearchParams({ ['k'.repeat(1e6)]: 'v'.repeat(1e6) })]",
    "(() => { let o = {}; for (let i = 0; i < 1e5; i++) o = {o}; return o })()",
    "(() => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a })()",
    "(() => { let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p })()",
    "(() => { let o = {}; for (let i = 0; i < 1e4; i++) o = Object.create(o); return o })()",
    "(() => { let d = {}; for (let i = 0; i < 40; i++) d = {x: d, y: d}; return d })()",
    "(() => { let d = []; for (let i = 0; i < 3; i++) d = Array(100).fill(d); return d })()",
    "Array(2 ** 32 - 1)",
    "Object.assign(Array(2 ** 32 - 1), {4294967294: 1})",
    "Object.assign([], {4294967294: 1, 5: 1})",
    "Array.from({length: 1e5}, (_, i) => i)",
    "Object.fromEntries(Array.from({length: 1e5}, (_, i) => ['k' + i, i]))",
    "Object.fromEntries(Array.from({length: 1e4}, (_, i) => [Symbol(i), i]))",
    "new Map(Array.from({length: 1e5}, (_, i) => [i, i]))",
    "new Set(Array.from({length: 1e5}, (_, i) => i))",
    "new Uint8Array(1e7)",
    "new ArrayBuffer(1e7)",
    "'x'.repeat(1e7)",
    "'\\ud800'.repeat(1e6)",
    "'\\n'.repeat(1e6)",
    "({['x'.repeat(1e6)]: 1, [Symbol('y'.repeat(1e6))]: 2})",
    "Symbol('x'.repeat(1e6))",
    "7n ** 100000n",
    "Object.defineProperty(() => 1, 'name', {value: 'x'.repeat(1e6)})",
    "new Error('x\\n'.repeat(1e5))",
    "Object.defineProperty(new Error('x'), 'stack', {value: 'x\\n    at f (a:1:1)'.repeat(1e4)})",
    "(() => { let e = new Error(); for (let i = 0; i < 1e4; i++) e = new Error('x', {cause: e}); return e })()",
    "new AggregateError(Array.from({length: 1e4}, () => new Error('x')))",
    "(() => { const e = new Error('x'); e.cause = e; e.errors = [e]; return e })()",
    "(() => { const p = Proxy.revocable(() => 1, {}); p.revoke(); return [p.proxy, {p: p.proxy}] })()",
    "Object.setPrototypeOf({}, new Proxy({}, {getPrototypeOf() { throw 1 }, getOwnPropertyDescriptor() { throw 2 }}))",
    "(() => { const b = new ArrayBuffer(8); const v = new Uint8Array(b); const d = new DataView(b); b.transfer?.(); return [b, v] })()",
    "(() => { class A { static [Symbol.hasInstance]() { throw 1 } static get name() { throw 2 } } return [A, new A] })()",
    "Object.defineProperty({}, 'constructor', {get() { throw 1 }})",
    "({__proto__: {get [Symbol.toStringTag]() { throw 1 }}})",
    "({get [Symbol.iterator]() { throw 1 }})",
    "(() => { const f = () => 1; Object.defineProperty(f, 'name', {value: {toString() { throw 1 }}}); return f })()",
    "(() => { const e = new Error('x'); Object.defineProperty(e, 'message', {value: {toString() { throw 1 }}}); Object.defineProperty(e, 'name', {value: Symbol()}); return e })()",
    "(() => { const v = [new Map([[1, 2]]), [1]]; Array.prototype[Symbol.iterator] = () => { throw 1 }; Map.prototype.entries = null; return v })()",
    "globalThis",
    "[Object, Function, Array, Promise, Proxy].flatMap(c => [c, c.prototype])",
];

#[test]
fn hard_values_are_shown_soon_and_within_the_cap() {
    let cap = 20_000;
    for code in HARD {
        let mut worker = Worker::start_with(Settings { text_bytes: cap, ..settings() });
        let begun = Instant::now();
        let finished = worker.run_for(code, 60_000);
        assert_eq!(finished.end.outcome, Outcome::Ok, "{code}: {:?}", finished.end);
        assert!(begun.elapsed() < SOON, "{code}: {:?}", begun.elapsed());
        assert!(finished.text().len() as u64 <= cap + 100, "{code}: {} bytes", finished.text().len());
        assert_eq!(worker.run("1 + 1").text(), "2", "{code}");
    }
}

#[test]
fn hard_values_are_previewed_and_opened_soon() {
    for code in HARD {
        let mut worker = Worker::start_with(Settings { text_bytes: 20_000, ..settings() });
        let begun = Instant::now();
        let finished = worker.run_request(RunRequest { detail: Detail::Previews, timeout_ms: 60_000, ..request(code) });
        assert_eq!(finished.end.outcome, Outcome::Ok, "{code}: {:?}", finished.end);
        let preview =
            finished.end.value.and_then(|value| value.preview).unwrap_or_else(|| panic!("no preview of {code}"));
        assert!(preview.bytes() < 10_000, "{code}: {preview:?}");
        let mut open: Vec<Reference> = preview.reference.into_iter().collect();
        // Three levels of everything, which meets what is at the bottom of all that is strange.
        for level in 0..3 {
            for reference in std::mem::take(&mut open) {
                let query = Query::Inspect { reference, start: 0, count: 20 };
                match worker.ask(query) {
                    Answer::Properties { entries, .. } => {
                        assert!(properties_bytes(&entries) < 200_000, "{code}");
                        open.extend(entries.iter().filter_map(|entry| match &entry.content {
                            Content::Value(value) => value.reference,
                            Content::Getter(_) | Content::Setter => None,
                        }));
                    }
                    Answer::TooSlow | Answer::Expired => {}
                    other => panic!("{code}: {other:?}"),
                }
            }
            open.truncate(if level == 0 { 20 } else { 5 });
        }
        assert!(begun.elapsed() < SOON, "{code}: {:?}", begun.elapsed());
        assert_eq!(worker.run("1 + 1").text(), "2", "{code}");
    }
}

#[test]
fn every_console_method_bears_hard_values() {
    let methods = "const v = VALUE; console.log(v); console.log('%s %d %i %f %o %O %c', v, v, v, v, v, v, v);
        try { console.log('%j', v) } catch {}
        console.dir(v, {depth: null, showHidden: true, maxArrayLength: null, maxStringLength: null, showProxy: true});
        console.table(v); console.table([v, {v}]); console.table({a: {v}}, ['v', 'w']);
        console.group(v); console.trace(v); console.timeLog('t', v); console.groupEnd(); 'end'";
    for code in HARD {
        let mut worker = Worker::start_with(Settings { text_bytes: 2000, console_bytes: 64 << 20, ..settings() });
        let finished = worker.run_for(&methods.replace("VALUE", code), 60_000);
        // Deep or odd values may throw: the engine's stack is the script's own affair. Nothing else may happen.
        assert!(matches!(finished.end.outcome, Outcome::Ok | Outcome::Error), "{code}: {:?}", finished.end);
        assert!(finished.entries.iter().all(|entry| entry.text.len() <= 2200), "{code}");
        assert_eq!(worker.run("1 + 1").text(), "2", "{code}");
    }
}

#[test]
fn looking_runs_no_code_of_the_script() {
    let code = "globalThis.ran = 0; const hit = () => { ran++; throw 'never' };
        const handler = new Proxy({}, {get: () => hit});
        class A { get [Symbol.toStringTag]() { hit() } static get name() { hit() } static [Symbol.hasInstance]() { hit() } get x() { hit() } }
        class E extends Error { get name() { hit() } get message() { hit() } get cause() { hit() } }
        const values = [new A, A, new E, new Proxy({a: 1}, handler), new Proxy(() => 1, handler), new Proxy([1], handler),
            Object.create(new Proxy({}, handler)), {toString: hit, valueOf: hit, toJSON: hit, [Symbol.toPrimitive]: hit, then: hit},
            {[Symbol.for('nodejs.util.inspect.custom')]: hit, inspect: hit}, new Map([[1, 2]]), new Set([1]), new Date(0), /x/,
            new Uint8Array(2), new ArrayBuffer(2), new DataView(new ArrayBuffer(1)), Promise.resolve(1), new Error('x', {cause: 1})];
        for (const C of [Map, Set, Date, RegExp, Promise, ArrayBuffer, DataView, Error, Function, Uint8Array, Array])
            for (const key of Reflect.ownKeys(C.prototype))
                if (key !== 'constructor' && key !== 'push') try { Object.defineProperty(C.prototype, key, {get: hit, set: hit}) } catch {}
        ran = 0;
        for (let i = 0; i < values.length; i++) {
            const v = values[i];
            console.log(v); console.log('%s %d %i %f %j %o %O', v, v, v, v, v, v, v); console.dir(v, {showHidden: true, depth: null});
            console.table(v); console.table([v]); console.trace(v);
        }
        globalThis.values = values; values";
    let mut worker = Worker::start();
    let finished = worker.run_request(RunRequest { detail: Detail::Previews, ..request(code) });
    assert_eq!(finished.end.outcome, Outcome::Ok, "{:?}", finished.end);
    let references = finished.entries.iter().flat_map(|entry| &entry.values).filter_map(|value| value.reference);
    let mut opened = 0;
    for reference in references.collect::<HashSet<_>>() {
        match worker.ask(Query::Inspect { reference, start: 0, count: 100 }) {
            Answer::Properties { .. } => opened += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(opened > 50, "{opened} were opened");
    assert_eq!(worker.run("ran").text(), "0");
}
