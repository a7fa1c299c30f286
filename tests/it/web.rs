//! The globals of the Web Platform where this program has rules of its own: loading on first use, the host's clock and timers, and
//! scripts that tamper. What they do with values is held against Node in `web_parity`.

use std::time::Duration;

use runpen::ipc::{Content, Detail, RunRequest, WorkerMessage};
use runpen::outcome::Outcome;

use crate::support::worker_driver::{Worker, request};

#[track_caller]
fn check(code: &str, expected: &str) {
    let finished = Worker::start().run(code);
    assert_eq!(finished.text(), expected, "{code}");
}

#[test]
fn a_name_is_an_ordinary_property_from_its_first_use_on() {
    check(
        "URL; const { value, ...rest } = Object.getOwnPropertyDescriptor(globalThis, 'URL'); [value === URL, rest]",
        "[ true, { writable: true, enumerable: false, configurable: true } ]",
    );
    check("[URL === URL, globalThis.URL === URL, typeof URL, 'URL' in globalThis]", "[ true, true, 'function', true ]");
    check("Object.keys(globalThis).filter(name => /^[A-Z]/.test(name))", "[]");
}

#[test]
fn a_name_can_be_declared_assigned_or_deleted_before_its_first_use() {
    check("var URL = 1; URL", "1");
    check("var URL; typeof URL", "'function'");
    check("let URL = 2; URL", "2");
    check("const crypto = 3; crypto", "3");
    check("class Event {}; new Event()", "Event {}");
    check("function fetch() { return 4 }; fetch()", "4");
    check("URL = 5; [URL, Object.keys(globalThis).includes('URL')]", "[ 5, false ]");
    check("delete globalThis.URL; typeof URL", "'undefined'");
    check(
        "const heir = Object.create(globalThis); heir.URL = 6; [heir.URL, Object.keys(heir), typeof URL]",
        "[ 6, [ 'URL' ], 'function' ]",
    );
    check(
        "Object.freeze(globalThis); [URL === URL, new URL('http://a').host, typeof structuredClone]",
        "[ true, 'a', 'function' ]",
    );
}

#[test]
fn a_name_means_the_same_in_every_run_of_a_session() {
    let mut worker = Worker::start();
    worker.run("const a = new URL('http://a')");
    assert_eq!(worker.run("a instanceof URL").text(), "true");
    worker.run("let URL = 7");
    assert_eq!(worker.run("[URL, a.host]").text(), "[ 7, 'a' ]");
}

#[test]
fn nothing_is_loaded_by_looking() {
    let mut worker = Worker::start();
    let code = "Object.getOwnPropertyNames(globalThis).filter(name => Object.getOwnPropertyDescriptor(globalThis, name).get).length";
    let before = worker.run(code);
    worker.run(
        "console.log(globalThis); console.dir(globalThis, { showHidden: true }); console.table(globalThis); globalThis",
    );
    assert_eq!(worker.run(code).text(), before.text());
    assert!(before.text().parse::<u32>().unwrap() >= 17, "{}", before.text());
}

#[test]
fn what_scripts_have_made_of_the_built_ins_changes_nothing() {
    let tampered = "
        var leaked = 0;
        for (const key of ['0', '1', 'value', 'enumerable', 'get', 'set', 'record', 'show', 'name', 'done', 'next', 'callback'])
            Object.defineProperty(Object.prototype, key, { __proto__: null, set(v) { leaked = leaked + 1 }, get() { return undefined }, configurable: true });
        Object.defineProperty(Array.prototype, '0', { __proto__: null, set(v) { leaked = leaked + 1 }, configurable: true });
        Array.prototype[Symbol.iterator] = Array.prototype.push = () => { throw new Error('seen') };
        Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { throw new Error('seen') };
        String.prototype.toWellFormed = Map.prototype.set = Map.prototype.get = () => { throw new Error('seen') };
        Map = Set = Date = Reflect = Promise = Symbol = TypeError = Error = Uint8Array = DOMException = undefined;
        var t = new EventTarget(), c = new AbortController(), heard = 0;
        t.addEventListener('x', () => heard++, { signal: c.signal });
        t.dispatchEvent(new Event('x')); c.abort(); t.dispatchEvent(new Event('x'));
        var u = new URL('http://a/?b=2&a=1'); u.searchParams.sort();
        var name = ''; try { new URL('x') } catch (e) { name = e.name }
        var cloned = structuredClone({ m: { n: [1, { o: 2 }] } }).m.n[1].o;
        var text = new TextDecoder().decode(new TextEncoder().encode('é'));
        `${heard} ${u.href} ${name} ${cloned} ${text} ${atob(btoa('z'))} ${crypto.randomUUID().length} ${leaked}`";
    check(tampered, "'1 http://a/?a=1&b=2 TypeError 2 é z 36 0'");
}

#[test]
fn printing_an_object_runs_no_code_of_the_script() {
    let code = "
        let ran = 0;
        class Mine extends URL { get href() { ran++; return 'mine' } get searchParams() { ran++; return 5 } }
        const event = new Event('x'); Object.defineProperty(event, 'type', { get() { ran++ } });
        console.log(new Mine('http://a'), new URLSearchParams('a=1'), event, new AbortController(), new TextDecoder(), crypto);
        ran";
    let finished = Worker::start().run(code);
    assert_eq!(finished.text(), "0");
    assert!(finished.lines()[0].starts_with("Mine {\n  href: 'http://a/',"), "{:?}", finished.lines());
}

#[test]
fn what_a_listener_throws_is_an_uncaught_error_of_the_run() {
    let code = "
        const t = new EventTarget();
        t.addEventListener('x', function first() { throw new RangeError('one') });
        t.addEventListener('x', { handleEvent: 5 });
        t.addEventListener('x', () => console.log('still called'));
        console.log(t.dispatchEvent(new Event('x')));
        'done'";
    let finished = Worker::start().run(code);
    assert_eq!((finished.end.outcome, finished.text()), (Outcome::Ok, "'done'"));
    let entries: Vec<(bool, &str)> =
        finished.entries.iter().map(|entry| (entry.uncaught, entry.text.lines().next().unwrap_or_default())).collect();
    assert_eq!(
        entries,
        [
            (false, "still called"),
            (false, "true"),
            (true, "Uncaught RangeError: one"),
            (true, "Uncaught TypeError: The \"handleEvent\" of a listener must be a function"),
        ]
    );
}

#[test]
fn stacks_show_the_function_that_was_called_and_nothing_inside_of_it() {
    let error = Worker::start().run("function mine() { return new URL('nope') }\nmine()").end.error.unwrap();
    assert_eq!(
        error.stack,
        "TypeError: Invalid URL\n    at URL (native)\n    at mine (run-1:1:30)\n    at <eval> (run-1:2:1) {\n  code: 'ERR_INVALID_URL',\n  \
         input: 'nope'\n}"
    );
    assert_eq!((error.line, error.column), (Some(1), Some(30)));
    let error = Worker::start().run("structuredClone({ a: [() => 1] })").end.error.unwrap();
    assert_eq!(
        error.stack,
        "DOMException [DataCloneError]: () => 1 could not be cloned.\n    at structuredClone (native)\n    at <eval> (run-1:1:1)"
    );
    assert_eq!((error.name.as_str(), error.message.as_str()), ("DataCloneError", "() => 1 could not be cloned."));
}

#[test]
fn a_timeout_signal_fires_while_its_run_waits_and_keeps_none_in_the_background() {
    let mut worker = Worker::start();
    let code = "await new Promise(yes => { AbortSignal.timeout(5).onabort = event => yes(event.target.reason.name) })";
    let finished = worker.run(code);
    assert_eq!((finished.text(), finished.end.background), ("'TimeoutError'", 0));
    let finished = worker.run("var signal = AbortSignal.timeout(1); signal");
    assert_eq!((finished.text(), finished.end.background), ("AbortSignal { aborted: false }", 0));
    // Another timer of the run keeps it going, and the signal with it.
    let run = worker.begin(request(
        "AbortSignal.timeout(1).onabort = () => console.log('late'); setTimeout(() => console.log('timer'), 40)",
    ));
    assert_eq!(worker.finish(run).end.background, 1);
    let (lines, settled) = worker.settle(run);
    assert_eq!(lines, ["late", "timer"]);
    assert!(matches!(settled, WorkerMessage::Settled { outcome: Outcome::Ok, .. }));
    assert_eq!(worker.run("signal.aborted").text(), "false");
}

#[test]
fn timeout_signals_count_as_timers() {
    let code = "let made = 0; try { for (;; made++) AbortSignal.timeout(60_000) } catch (error) { [made, error.name] }";
    check(code, "[ 1000, 'RangeError' ]");
}

#[test]
fn fetch_says_why_it_cannot() {
    check(
        "try { await fetch('https://example.com') } catch (error) { `${error.constructor.name}: ${error.message}` }",
        "'TypeError: fetch failed: there is no network in this sandbox'",
    );
    let finished = Worker::start().run("fetch('https://example.com'); 1");
    assert_eq!(finished.text(), "1");
    assert!(finished.entries[0].uncaught);
    assert!(
        finished.lines()[0].starts_with("Uncaught (in promise) TypeError: fetch failed:"),
        "{:?}",
        finished.lines()
    );
}

#[test]
fn the_clock_begins_with_the_engine_and_never_goes_back() {
    let mut worker = Worker::start();
    let now: f64 = worker.run("performance.now()").text().parse().unwrap();
    assert!((0.0..60_000.0).contains(&now), "{now}");
    worker.prepare_with(2, crate::support::worker_driver::settings());
    let code = "let last = 0, back = 0; for (let i = 0; i < 10_000; i++) { const now = performance.now(); if (now < last) back++; last = now } back";
    assert_eq!(worker.run(code).text(), "0");
    check("Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 5000", "true");
}

#[test]
fn objects_of_these_classes_cannot_be_cloned() {
    for made in ["new URL('http://a')", "new Event('x')", "AbortSignal.abort()", "new TextDecoder()", "crypto"] {
        check(
            &format!("try {{ structuredClone({{ a: {made} }}) }} catch (error) {{ [error.name, error.code] }}"),
            "[ 'DataCloneError', 25 ]",
        );
    }
    check(
        "const e = structuredClone(new DOMException('why', 'AbortError')); [e.name, e.message, e.code, e instanceof DOMException]",
        "[ 'AbortError', 'why', 20, true ]",
    );
}

#[test]
fn a_large_graph_is_cloned_within_a_second_or_so() {
    let code =
        "const all = Array.from({ length: 20_000 }, (_, i) => ({ i, tags: ['a', 'b'] })); structuredClone(all).length";
    let finished = Worker::start().run_for(code, Duration::from_secs(10).as_millis() as u64);
    assert_eq!(finished.text(), "20000");
}

#[test]
fn cloning_can_be_stopped_and_leaves_the_worker_usable() {
    let mut worker = Worker::start();
    let finished = worker.run_for("structuredClone({ get a() { for (;;); } })", 100);
    assert_eq!(finished.end.outcome, Outcome::Timeout);
    assert_eq!(worker.run("structuredClone([1])").text(), "[ 1 ]");
}

#[test]
fn a_preview_shows_what_such_an_object_is_made_of_and_what_a_script_has_added() {
    let previewed = |code: &str| -> Vec<String> {
        let request = RunRequest { detail: Detail::Previews, ..request(code) };
        let preview = Worker::start().run_request(request).end.value.unwrap().preview.unwrap();
        let text = |content: &Content<_>| match content {
            Content::Value(glimpse) => runpen::ipc::Glimpse::clone(glimpse).text,
            Content::Getter(_) | Content::Setter => "…".to_owned(),
        };
        preview.entries.iter().map(|entry| format!("{}: {}", entry.key, text(&entry.content))).collect()
    };
    assert_eq!(previewed("new URL('http://a/b')")[..2], ["href: 'http://a/b'", "origin: 'http://a'"]);
    assert_eq!(previewed("new URLSearchParams('a=1&a=2')"), ["a: '1'", "a: '2'"]);
    assert_eq!(previewed("new (class Store extends EventTarget { state = 1 })()"), ["state: 1"]);
    assert_eq!(previewed("AbortSignal.abort()"), ["aborted: true"]);
}

#[test]
fn the_documentation_names_what_is_there_and_what_is_not() {
    let page = include_str!("../../docs/language.md");
    let (_, globals) = page.split_once("## Globals").unwrap();
    let (globals, _) = globals.split_once("\n## ").unwrap();
    let quoted = |text: &str| -> Vec<String> {
        text.split('`').skip(1).step_by(2).map(|name| name.trim_end_matches("()").to_owned()).collect()
    };
    let rows = globals.lines().filter(|line| line.starts_with("| `"));
    let there: Vec<String> = rows.flat_map(|row| quoted(row.split('|').nth(1).unwrap())).collect();
    let (_, absent) = globals.split_once("There is no\n").unwrap();
    let absent = quoted(absent);
    assert!(there.len() > 25 && absent.len() > 5, "{there:?} {absent:?}");
    let mut worker = Worker::start();
    for name in there {
        assert_ne!(worker.run(&format!("typeof {name}")).text(), "'undefined'", "{name}");
    }
    for name in absent.iter().chain(&["crypto.subtle".to_owned(), "performance.mark".to_owned(), "Intl".to_owned()]) {
        assert_eq!(worker.run(&format!("typeof {name}")).text(), "'undefined'", "{name}");
    }
}
