//! `complete`: what is offered at a cursor, and that nothing of a script's runs for it.

use std::time::{Duration, Instant};

use runpen::ipc::{Answer, Completion, CompletionKind, Completions, MOST_COMPLETIONS, Mode, Query, RunRequest};
use runpen::outcome::{Outcome, StopReason};
use serde_json::json;

use crate::support::server::TestServer;
use crate::support::worker_driver::{Worker, request};
use crate::support::ws::WsClient;

/// Much longer than the 50 ms that completions may take, for machines that are busy with something else.
const PATIENCE: Duration = Duration::from_secs(20);

/// The first answer in time to a question about the `|` in a text: on a busy machine 50 ms can pass without any of this being done.
#[track_caller]
fn complete(worker: &mut Worker, marked: &str) -> Completions {
    let (before, after) = marked.split_once('|').expect("a cursor");
    let cursor = u32::try_from(before.encode_utf16().count()).unwrap();
    let asked = Instant::now();
    loop {
        match worker.ask(Query::Complete { code: [before, after].concat(), cursor }) {
            Answer::Completions(completions) => return completions,
            Answer::TooSlow => assert!(asked.elapsed() < PATIENCE, "never in time: {marked}"),
            other => panic!("expected completions, got {other:?}"),
        }
    }
}

#[track_caller]
fn labels(worker: &mut Worker, marked: &str) -> Vec<String> {
    complete(worker, marked).items.into_iter().map(|item| item.label).collect()
}

/// `label kind detail` of the item with this label.
#[track_caller]
fn item(worker: &mut Worker, marked: &str, label: &str) -> String {
    let items = complete(worker, marked).items;
    let found = items.iter().find(|item| item.label == label);
    let Completion { label, kind, detail } = found.unwrap_or_else(|| panic!("no {label} in {items:?}"));
    format!("{label} {kind:?} {detail}").trim_end().to_owned()
}

#[track_caller]
fn check(worker: &mut Worker, marked: &str, expected: &[&str]) {
    assert_eq!(labels(worker, marked), expected, "{marked}");
}

#[track_caller]
fn run(worker: &mut Worker, code: &str) {
    let finished = worker.run(code);
    assert_eq!(finished.end.outcome, Outcome::Ok, "{code}: {:?}", finished.end.error);
}

/// How often any of the script's traps was run into.
#[track_caller]
fn hits(worker: &mut Worker) -> String {
    worker.run("hits").text().to_owned()
}

#[tokio::test]
async fn completions_come_over_the_web_socket() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    client.send(json!({ "type": "complete", "id": "c", "code": "😀; consol", "cursor": 8 })).await;
    let answer = client.until("completions").await;
    assert_eq!((&answer["id"], &answer["from"], &answer["to"]), (&json!("c"), &json!(4), &json!(10)), "{answer}");
    assert!(answer["items"].as_array().unwrap().iter().any(|item| item["label"] == "console"), "{answer}");
    client.run("const made = {name: 1}").await;
    client.send(json!({ "type": "complete", "id": 2, "code": "made.na" })).await;
    let answer = client.until("completions").await;
    let expected = json!([{ "label": "name", "kind": "property", "detail": "number" }]);
    assert_eq!(answer["items"], expected, "{answer}");
}

#[test]
fn globals_are_offered_before_any_run() {
    let mut worker = Worker::start();
    assert_eq!(item(&mut worker, "con|", "console"), "console Variable Object [console]");
    assert_eq!(item(&mut worker, "|", "parseInt"), "parseInt Function 2 parameters");
    assert_eq!(item(&mut worker, "M|", "Map"), "Map Class class");
    assert_eq!(item(&mut worker, "|", "undefined"), "undefined Constant undefined");
    assert_eq!(item(&mut worker, "N|", "NaN"), "NaN Constant number");
    assert_eq!(item(&mut worker, "toSt|", "toString"), "toString Function no parameters, from Object");
}

#[test]
fn names_of_earlier_runs_are_offered_with_what_they_hold() {
    let mut worker = Worker::start();
    run(&mut worker, "let xa = 1; const xb = 'b'; class xC {} var xd = [1, 2]; function xe(a, b = 1) {}");
    run(&mut worker, "const xf = new Map, xg = x => x, xh = null, xi = {}; let xj; const xk = new xC");
    let expected = [
        "xa Variable number",
        "xb Constant string",
        "xC Class class",
        "xd Variable Array(2)",
        "xe Function (a, b = 1)",
        "xf Constant Map(0)",
        "xg Function (x)",
        "xh Constant null",
        "xi Constant Object",
        "xj Variable undefined",
        "xk Constant xC",
    ];
    let items = complete(&mut worker, "x|").items;
    let found: Vec<_> = items.iter().map(|item| format!("{} {:?} {}", item.label, item.kind, item.detail)).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_name_that_was_declared_again_is_one_name_with_the_latest_value() {
    let mut worker = Worker::start();
    run(&mut worker, "const twice = {first: 1}; let other = 1");
    run(&mut worker, "const twice = {second: 1}; const other = {third: 1}");
    run(&mut worker, "function twice2() {}; const f = 1");
    run(&mut worker, "function f() {}");
    check(&mut worker, "twice|", &["twice", "twice2"]);
    check(&mut worker, "twice.s|", &["second"]);
    check(&mut worker, "other.th|", &["third"]);
    assert_eq!(item(&mut worker, "f|", "f"), "f Function ()");
    for text in ["|", "globalThis.|", "globalThis['|"] {
        let shown = labels(&mut worker, text);
        assert!(!shown.iter().any(|label| label.contains(['\u{200c}', '\u{200d}'])), "{shown:?}");
    }
    check(&mut worker, "twice\u{200c}\u{200d}.|", &[]);
}

#[test]
fn the_last_value_and_the_last_error_have_their_members() {
    let mut worker = Worker::start();
    run(&mut worker, "({ alpha: 1, beta: 2 })");
    assert_eq!(labels(&mut worker, "_.|")[..2], ["alpha", "beta"]);
    worker.run("throw new RangeError('no')");
    assert_eq!(labels(&mut worker, "_error.mess|"), ["message"]);
    run(&mut worker, "Object.defineProperty(globalThis, '_', { get() { globalThis.asked = true } })");
    complete(&mut worker, "_.|");
    assert_eq!(worker.run("typeof asked").text(), "'undefined'");
}

#[test]
fn names_of_the_machinery_are_never_shown() {
    let mut worker = Worker::start();
    // While it lasts, the hook of its `return` is a global.
    let run = worker.begin(RunRequest {
        timeout_ms: 60_000,
        ..request("await new Promise(done => setTimeout(done, 50_000)); return 1")
    });
    for text in ["ret|", "globalThis.ret|", "globalThis['ret|"] {
        let shown = labels(&mut worker, text);
        assert!(shown.iter().all(|label| label == "return"), "{text}: {shown:?}");
    }
    worker.interrupt(Some(run), StopReason::Cancel);
    worker.finish(run);
}

#[test]
fn a_name_without_a_value_is_not_offered() {
    let mut worker = Worker::start();
    assert_eq!(worker.run("let hits = 0; Error.prepareStackTrace = () => hits++").end.outcome, Outcome::Ok);
    worker.run("const dead1 = (() => { throw 1 })()");
    // What was thrown there called it.
    run(&mut worker, "hits = 0");
    check(&mut worker, "dead|", &[]);
    check(&mut worker, "dead1.|", &[]);
    assert_eq!(hits(&mut worker), "0");
}

#[test]
fn property_chains_are_followed() {
    let mut worker = Worker::start();
    run(&mut worker, "var a = {b: [{x: {'y z': {pre1: 1, pre2() {}, other: 2}}}]}; const c = a");
    for chain in
        ["a.b[0][\"x\"]['y z'].pre|", "c?.b?.[0] .\n x /* in */ ['y z'].pre|", "(globalThis.a).b[0].x['y z'].pre|"]
    {
        check(&mut worker, chain, &["pre1", "pre2"]);
    }
    assert_eq!(item(&mut worker, "a.b[0].x['y z'].|", "pre2"), "pre2 Method ()");
    assert_eq!(item(&mut worker, "this.|", "a"), "a Variable Object");
    for nothing in ["a.nothing.|", "a.b.5.|", "nothing.|", "a.b[0].x.y.|", "a['b'].constructor.prototype.length.x.y.|"]
    {
        check(&mut worker, nothing, &[]);
    }
}

#[test]
fn own_properties_come_before_inherited_ones_and_each_level_by_name() {
    let mut worker = Worker::start();
    run(
        &mut worker,
        "class Base { zeta() {} alpha(x) {} } class Deep extends Base { mid() {} }; let it = new Deep; it.zz = 1; it.Aa = 2",
    );
    let all = labels(&mut worker, "it.|");
    let class_own = ["constructor", "mid"];
    assert_eq!(all[..6], [&["Aa", "zz"], &class_own[..], &["alpha", "zeta"]].concat(), "{all:?}");
    assert!(all.contains(&"hasOwnProperty".to_owned()), "{all:?}");
    assert_eq!(item(&mut worker, "it.|", "alpha"), "alpha Method (x), from Base");
    assert_eq!(item(&mut worker, "it.|", "mid"), "mid Method (), from Deep");
    assert_eq!(item(&mut worker, "it.|", "zz"), "zz Property number");
    assert_eq!(item(&mut worker, "Deep.|", "call"), "call Method 1 parameter, from Function");
    // What is nearer hides what is farther away.
    run(&mut worker, "it.alpha = 5");
    assert_eq!(item(&mut worker, "it.al|", "alpha"), "alpha Property number");
    assert_eq!(labels(&mut worker, "it.|").iter().filter(|label| *label == "alpha").count(), 1);
}

#[test]
fn only_what_begins_with_the_prefix_is_offered_and_capitals_count() {
    let mut worker = Worker::start();
    run(&mut worker, "let o = {abc: 1, ABD: 2, abb: 3, b: 4, xab: 5}");
    check(&mut worker, "o.ab|", &["abb", "abc", "ABD"]);
    check(&mut worker, "o.AB|", &["ABD", "abb", "abc"]);
    check(&mut worker, "o.abcd|", &[]);
}

#[test]
fn literals_have_the_members_of_their_types() {
    let mut worker = Worker::start();
    for (text, member) in [
        ("\"abc\".pad|", "padEnd"),
        ("`t`.pad|", "padEnd"),
        ("`a${1}`.pad|", "padEnd"),
        ("[1].ma|", "map"),
        ("/re/.te|", "test"),
        ("5..toF|", "toFixed"),
        ("(1).toF|", "toFixed"),
        ("1.5.toF|", "toFixed"),
        ("5n.toLo|", "toLocaleString"),
        ("true.val|", "valueOf"),
        ("/re/.last|", "lastIndex"),
        ("''.len|", "length"),
    ] {
        assert_eq!(labels(&mut worker, text)[0], member, "{text}");
    }
    assert_eq!(item(&mut worker, "''.|", "slice"), "slice Method 2 parameters, from String");
    run(&mut worker, "let s = 'text', y = Symbol('d'), n = 5");
    assert_eq!(item(&mut worker, "s.|", "at"), "at Method 1 parameter, from String");
    assert_eq!(item(&mut worker, "y.desc|", "description"), "description Property getter, from Symbol");
    assert_eq!(item(&mut worker, "s.length.toF|", "toFixed"), "toFixed Method 1 parameter, from Number");
}

#[test]
fn array_indexes_are_offered_in_brackets() {
    let mut worker = Worker::start();
    run(
        &mut worker,
        "let a = [1, 'x', , {}], t = new Uint8Array(3), s = 'ab', o = {k: 1}; const long = Array(500).fill(0)",
    );
    check(&mut worker, "a[|", &["0", "1", "3"]);
    assert_eq!(item(&mut worker, "a[|", "1"), "1 Property string");
    check(&mut worker, "t[|", &["0", "1", "2"]);
    check(&mut worker, "s[|", &["0", "1"]);
    assert_eq!(labels(&mut worker, "long[|").len(), 100);
    check(&mut worker, "long[9|", &["9", "90", "91", "92", "93", "94", "95", "96", "97", "98", "99"]);
    // Whatever holds the key, where there are no indexes.
    assert!(labels(&mut worker, "o[|").contains(&"a".to_owned()));
    assert!(!labels(&mut worker, "a.|").contains(&"0".to_owned()));
}

#[test]
fn keys_are_offered_in_quotes_and_only_identifiers_behind_a_dot() {
    let mut worker = Worker::start();
    run(
        &mut worker,
        "let o = {'a b': 1, ab: 2, 'a\"c': 3, 'a\\\\d': 4, 7: 5, [Symbol('as')]: 6, ['a' + 'x'.repeat(1000)]: 7}",
    );
    check(&mut worker, "o['a|", &["a b", "a\"c", "ab"]);
    check(&mut worker, "o[\"a|", &["a b", "ab"]);
    check(&mut worker, "o.a|", &["ab"]);
    assert_eq!(complete(&mut worker, "o['a |']").from, 3);
}

#[test]
fn keywords_come_behind_names_and_only_for_a_prefix() {
    let mut worker = Worker::start();
    run(&mut worker, "let returned = 1");
    check(&mut worker, "ret|", &["returned", "return"]);
    check(&mut worker, "x = tru|", &["true"]);
    assert_eq!(item(&mut worker, "typ|", "typeof"), "typeof Keyword");
    assert_eq!(item(&mut worker, "nul|", "null"), "null Constant null");
    assert!(!labels(&mut worker, "|").contains(&"return".to_owned()));
    check(&mut worker, "returned.typ|", &[]);
}

#[test]
fn names_declared_in_the_text_itself_are_offered() {
    let mut worker = Worker::start();
    let text =
        "let mine1 = 1; const {mine2} = {}; function mine3(mine4) { min| } class mine5 {} var mine6 = mine7 => mine7";
    let expected = ["mine1", "mine2", "mine3", "mine4", "mine5", "mine6", "mine7"];
    assert_eq!(labels(&mut worker, text)[..7], expected);
    assert_eq!(item(&mut worker, text, "mine2"), "mine2 Constant const");
    assert_eq!(item(&mut worker, text, "mine4"), "mine4 Variable parameter");
    // What lives knows more.
    run(&mut worker, "let mine1 = [1]");
    assert_eq!(item(&mut worker, text, "mine1"), "mine1 Variable Array(1)");
}

#[test]
fn nothing_is_offered_where_no_name_can_stand() {
    let mut worker = Worker::start();
    run(&mut worker, "let a = {con: 1}");
    for text in [
        "'con|",
        "`con|",
        "// con|",
        "/* con|",
        "/con|",
        "12|",
        "0xa|",
        "let con|",
        "function con|",
        "({con|",
        "a.#c|",
        "a |",
        "f().|",
        "f()[0].|",
        "({}).|",
        "a[b].|",
    ] {
        check(&mut worker, text, &[]);
    }
}

/// A script whose every value counts what is done with it, under the names `getter`, `proxy`, `callable` and `text`.
const TRAPS: &str = "
    var hits = 0;
    const hit = () => { hits++; return {inner: 1} };
    const handler = new Proxy({}, { get() { hits++; } });
    var getter = { get a() { return hit() }, set b(x) { hit() }, get c() { return hit() }, set c(x) { hit() } };
    var proxy = new Proxy({inner: {deep: 1}}, handler);
    var onProxy = Object.create(proxy, { own: { value: 1 } });
    var callable = Object.assign(hit, { inner: 1, toString: hit });
    var text = { toString: hit, valueOf: hit, [Symbol.toPrimitive]: hit, toJSON: hit, inspect: hit,
                 get [Symbol.toStringTag]() { return hit() }, get constructor() { return hit() } };
    var named = class { static get name() { return hit() } get length() { return hit() } };
    var looped = Object.defineProperty(function () {}, 'name', { get: hit });
    Object.defineProperty(looped, 'length', { get: hit });
";

#[test]
fn no_getter_no_proxy_trap_no_to_string_and_no_call_ever_runs() {
    let mut worker = Worker::start();
    run(&mut worker, TRAPS);
    run(&mut worker, "const lexicalProxy = proxy, lexicalText = text, lexicalGetter = getter");
    check(&mut worker, "getter.a.|", &[]);
    check(&mut worker, "lexicalGetter.a.inner.|", &[]);
    check(&mut worker, "proxy.|", &[]);
    check(&mut worker, "proxy.inner.|", &[]);
    check(&mut worker, "proxy['|", &[]);
    check(&mut worker, "lexicalProxy.in|", &[]);
    check(&mut worker, "onProxy.inner.|", &[]);
    check(&mut worker, "onProxy.|", &["own"]);
    check(&mut worker, "callable().|", &[]);
    check(&mut worker, "text[text].|", &[]);
    check(&mut worker, "callable.in|", &["inner"]);
    assert_eq!(item(&mut worker, "getter.|", "a"), "a Property getter");
    assert_eq!(item(&mut worker, "getter.|", "b"), "b Property setter");
    assert_eq!(item(&mut worker, "getter.|", "c"), "c Property getter and setter");
    for text in [
        "|",
        "globalThis.|",
        "this['|",
        "text.|",
        "named.|",
        "named.prototype.|",
        "looped.|",
        "proxy[|",
        "getter[|",
        "text[|",
    ] {
        complete(&mut worker, text);
    }
    assert_eq!(hits(&mut worker), "0");
    // And they do count.
    run(&mut worker, "getter.a; proxy.inner; looped.name; text.toJSON()");
    assert_eq!(hits(&mut worker), "4");
}

#[test]
fn an_engine_that_was_tampered_with_runs_nothing_either() {
    let mut worker = Worker::start();
    run(
        &mut worker,
        "var hits = 0, o = {abc: 1}, {setPrototypeOf} = Object, trap = { __proto__: null, get() { hits++ }, set() { hits++ }, configurable: true };
         const lexical = {abd: 1};
         for (const of of [Object, Array, String, Number, RegExp, Function, Symbol, BigInt, Boolean, Error, Map]) {
             for (const key of ['get', 'set', 'value', 'enumerable', 'configurable', 'writable', '0', 'toJSON', 'name', 'prototype'])
                 try { Object.defineProperty(of.prototype, key, trap) } catch {}
         }
         for (const key of ['keys', 'getOwnPropertyNames', 'getOwnPropertyDescriptor', 'getPrototypeOf'])
             Object[key] = Reflect[key] = () => hits++;
         Error.prepareStackTrace = () => hits++;
         Object.defineProperty(globalThis, 'String', trap); Object.defineProperty(globalThis, 'Array', trap);
         Object.defineProperty(globalThis, 'RegExp', trap); Object.defineProperty(globalThis, 'Object', trap);
         hits = 0",
    );
    check(&mut worker, "o.ab|", &["abc"]);
    check(&mut worker, "lexical.ab|", &["abd"]);
    for text in ["|", "''.sl|", "[].ma|", "/x/.te|", "5..toF|", "1n.|", "o[|", "[1][|", "nothing.|", "o['a|"] {
        complete(&mut worker, text);
    }
    run(&mut worker, "setPrototypeOf(globalThis, new Proxy({}, new Proxy({}, trap))); hits = 0");
    for text in ["no|", "nothing.|", "this.|", "o.|"] {
        complete(&mut worker, text);
    }
    assert_eq!(hits(&mut worker), "0");
    run(&mut worker, "''.get; nothing");
    assert_eq!(hits(&mut worker), "2");
}

#[test]
fn a_name_that_only_seems_to_be_there_is_not_evaluated() {
    let mut worker = Worker::start();
    run(&mut worker, "var hits = 0");
    // The engine refuses the whole of it, so there is no `ghost` but the getter below.
    let refused = worker.run_request(RunRequest { mode: Mode::Script, ..request("let ghost = 1; let undefined = 2") });
    assert_eq!(refused.end.outcome, Outcome::Error);
    run(
        &mut worker,
        "Object.defineProperty(globalThis, 'ghost', { get() { hits++; return {a: 1} }, configurable: true })",
    );
    complete(&mut worker, "ghost|");
    check(&mut worker, "ghost.|", &[]);
    assert_eq!(hits(&mut worker), "0");
}

#[test]
fn accessors_of_the_global_object_are_offered_by_name_and_not_asked() {
    let mut worker = Worker::start();
    run(
        &mut worker,
        "var hits = 0; for (const name of ['Lazy', 'lazy'])
             Object.defineProperty(globalThis, name, { get() { hits++; return 1 }, set(value) {}, configurable: true })",
    );
    assert_eq!(item(&mut worker, "laz|", "lazy"), "lazy Variable getter and setter");
    assert_eq!(item(&mut worker, "Laz|", "Lazy"), "Lazy Class getter and setter");
    assert_eq!(item(&mut worker, "globalThis.Laz|", "Lazy"), "Lazy Class getter and setter");
    check(&mut worker, "lazy.|", &[]);
    assert_eq!(hits(&mut worker), "0");
}

#[test]
fn completions_are_answered_while_a_run_awaits() {
    let mut worker = Worker::start();
    let code = "let waiting = {inner: 1}; console.log('up'); await new Promise(done => setTimeout(done, 50_000)); const later = 1";
    let run = worker.begin(RunRequest { timeout_ms: 60_000, ..request(code) });
    check(&mut worker, "waiting.in|", &["inner"]);
    assert_eq!(item(&mut worker, "wait|", "waiting"), "waiting Variable Object");
    check(&mut worker, "later|", &[]);
    worker.interrupt(Some(run), StopReason::Cancel);
    worker.finish(run);
    check(&mut worker, "waiting.in|", &["inner"]);
}

#[test]
fn no_more_than_the_most_are_offered() {
    let mut worker = Worker::start();
    run(&mut worker, "const wide = {}; for (let i = 0; i < 5000; i++) wide['key' + i] = i");
    assert_eq!(labels(&mut worker, "wide.key|").len(), MOST_COMPLETIONS);
    assert_eq!(labels(&mut worker, "wide.key4999|"), ["key4999"]);
}

/// An answer of whatever kind, and the worker works on.
#[track_caller]
fn answers(worker: &mut Worker, what: &str, code: String) {
    let cursor = u32::try_from(code.encode_utf16().count()).unwrap();
    let asked = Instant::now();
    let answer = worker.ask(Query::Complete { code, cursor });
    assert!(matches!(answer, Answer::Completions(_) | Answer::TooSlow), "{what}: {answer:?}");
    assert!(asked.elapsed() < PATIENCE, "{what}");
}

#[test]
fn huge_objects_are_answered_within_bounds() {
    let mut worker = Worker::start();
    for (what, code) in [
        ("keys", "var big = {}; for (let i = 0; i < 1e5; i++) big['k' + i] = i; 0"),
        ("numbers", "var big = {}; for (let i = 0; i < 3e5; i++) big[i * 7 % 300007] = i; 0"),
        ("an array", "var big = Array(1e6).fill(0); 0"),
        ("a sparse array", "var big = []; big[4e9] = 1; 0"),
        ("a string", "var big = 'x'.repeat(2 ** 24); 0"),
        ("a boxed string", "var big = new String('x'.repeat(1e6)); 0"),
        ("bytes", "var big = new Uint8Array(2 ** 24); 0"),
        ("prototypes", "var big = {a: 1}; for (let i = 0; i < 1e5; i++) big = Object.create(big); 0"),
        ("long keys", "var big = {}; for (let i = 0; i < 100; i++) big['k' + i + 'x'.repeat(1e5)] = 1; 0"),
        (
            "large functions",
            "var big = {}, f = Function('//' + 'x'.repeat(2e5)); for (let i = 0; i < 500; i++) big['k' + i] = f; 0",
        ),
    ] {
        run(&mut worker, code);
        for text in ["big.", "big.k", "big['", "big[", "bi"] {
            answers(&mut worker, what, text.to_owned());
        }
        run(&mut worker, "1");
    }
    check(
        &mut worker,
        "1 + big.k49|",
        &["k49", "k490", "k491", "k492", "k493", "k494", "k495", "k496", "k497", "k498", "k499"],
    );
}

#[test]
fn a_million_keys_do_not_cost_the_engine() {
    let mut worker = Worker::start_with(runpen::ipc::Settings {
        heap_bytes: 512 << 20,
        ..crate::support::worker_driver::settings()
    });
    let made = worker.run_for("var kept = 'kept', big = {}; for (let i = 0; i < 1e6; i++) big['k' + i] = i; 0", 60_000);
    assert_eq!(made.end.outcome, Outcome::Ok);
    for text in ["big.", "big.k99999", "big['k"] {
        answers(&mut worker, text, text.to_owned());
    }
    assert_eq!(worker.run("kept").text(), "'kept'");
}

#[test]
fn texts_that_are_made_to_keep_it_busy_are_answered() {
    let mut worker = Worker::start();
    run(&mut worker, "var a = {}; a.a = a");
    let most = 256 << 10;
    for unit in [
        "a.",
        "a[0]",
        "a['a']",
        "(",
        "((a).",
        "[",
        "{",
        "`${",
        "a`",
        "/",
        "/[",
        "'\\",
        "let {a:",
        "(a,",
        "(a=>",
        "({a(",
        "class A{",
        "function a(",
        "=>",
        "5.",
        "#",
        "\\u0061",
        "import {a as ",
        "😀",
        "\u{2028}",
        "a?.",
        "...",
        "<!--",
        "}",
        ")",
        "let a,",
        "var a\n",
        "/*",
        "//\n",
        "a=",
        "const [",
        "é",
        "\u{200c}",
    ] {
        let many = unit.repeat(most / unit.len());
        answers(&mut worker, unit, format!("{many}a."));
        answers(&mut worker, unit, format!("{many}\na"));
    }
    assert_eq!(worker.run("6 * 7").text(), "42");
}

#[test]
fn a_cursor_anywhere_in_any_text_is_answered() {
    let mut worker = Worker::start();
    let text = "let 😀é = `a${{b: [1, /x/g, 'y']}.b[0]}`; class A { #p = 1; get x() { return this.#p } } // end";
    let units = u32::try_from(text.encode_utf16().count()).unwrap();
    for cursor in 0..=units {
        match worker.ask(Query::Complete { code: text.into(), cursor }) {
            Answer::Completions(Completions { from, to, .. }) => {
                assert!(from <= cursor && cursor <= to && to <= units, "{from}..{to} at {cursor}");
            }
            Answer::TooSlow => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_kind_of_item_is_met() {
    use CompletionKind::{Class, Constant, Function, Keyword, Method, Property, Variable};
    let mut worker = Worker::start();
    let mut items = complete(&mut worker, "|").items;
    items.extend(complete(&mut worker, "''.|").items);
    items.extend(complete(&mut worker, "ret|").items);
    for kind in [Class, Constant, Function, Keyword, Method, Property, Variable] {
        assert!(items.iter().any(|item| item.kind == kind), "{kind:?}");
    }
}
