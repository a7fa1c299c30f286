//! Values that a client opens: previews, `inspect`, and what keeps them within bounds.

use serde_json::{Value, json};

use crate::support::server::TestServer;
use crate::support::ws::WsClient;

/// A session that has asked for previews.
async fn looking(server: &TestServer) -> WsClient {
    let mut client = WsClient::connect(server).await;
    client.send(json!({ "type": "hello", "preview": true })).await;
    let hello = client.until("hello").await;
    for feature in ["complete", "inspect", "is_complete", "preview"] {
        assert!(hello["features"].as_array().unwrap().contains(&json!(feature)), "{hello}");
    }
    client
}

/// The preview of what `code` comes to.
async fn preview(client: &mut WsClient, code: &str) -> Value {
    let ran = client.run(code).await;
    assert_eq!(ran.outcome(), "ok", "{}", ran.done);
    ran.done["value"]["preview"].clone()
}

async fn ask(client: &mut WsClient, message: Value) -> Value {
    client.send(message).await;
    loop {
        let message = client.recv().await;
        if ["properties", "completions", "completeness", "error"].contains(&message["type"].as_str().unwrap()) {
            return message;
        }
    }
}

async fn open(client: &mut WsClient, reference: &Value) -> Value {
    let answer = ask(client, json!({ "type": "inspect", "id": "i", "ref": reference })).await;
    assert_eq!(
        (&answer["type"], &answer["id"], &answer["ref"]),
        (&json!("properties"), &json!("i"), reference),
        "{answer}"
    );
    answer
}

/// What `code` comes to, opened.
async fn opened(client: &mut WsClient, code: &str) -> Vec<Value> {
    let preview = preview(client, code).await;
    let answer = open(client, &preview["ref"]).await;
    answer["entries"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

/// `key: text`, with the kind of the property where it has one.
fn brief(entry: &Value) -> String {
    let kind = entry["kind"].as_str().map(|kind| format!("{kind} ")).unwrap_or_default();
    let text = match (&entry["value"], &entry["getter"]) {
        (Value::Null, Value::Null) => "-",
        (Value::Null, _) => "()",
        (value, _) => value["text"].as_str().unwrap(),
    };
    format!("{kind}{}: {text}", entry["key"].as_str().unwrap())
}

fn briefs(entries: &Value) -> Vec<String> {
    entries.as_array().map(|entries| entries.iter().map(brief).collect()).unwrap_or_default()
}

#[tokio::test]
async fn previews_come_only_where_they_were_asked_for() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    let ran = client.run("console.log({a: 1}); ({b: 2})").await;
    assert_eq!(ran.done["value"].get("preview"), None);
    assert!(ran.messages.iter().all(|message| !message.to_string().contains("values")));
    client.send(json!({ "type": "hello", "preview": true })).await;
    assert!(preview(&mut client, "({b: 2})").await["ref"].is_u64());
    client.send(json!({ "type": "hello" })).await;
    assert!(preview(&mut client, "({b: 2})").await["ref"].is_u64(), "a plain hello changes nothing");
    client.send(json!({ "type": "hello", "preview": false })).await;
    assert_eq!(preview(&mut client, "({b: 2})").await, Value::Null);
}

#[tokio::test]
async fn a_preview_names_the_value_and_shows_the_first_of_what_is_in_it() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    let cases = [
        ("1", "number", "1", vec![], 0),
        ("'it\\'s'", "string", "\"it's\"", vec![], 0),
        ("'x'.repeat(300)", "string", &format!("'{}'... 100 more characters", "x".repeat(200)), vec![], 0),
        ("Symbol('s')", "symbol", "Symbol(s)", vec![], 0),
        ("10n", "bigint", "10n", vec![], 0),
        ("null", "null", "null", vec![], 0),
        ("[1, 'a', [2]]", "array", "Array(3)", vec!["index 0: 1", "index 1: 'a'", "index 2: Array(1)"], 0),
        (
            "Array.from({length: 20}, (_, i) => i).slice(0, 10)",
            "array",
            "Array(10)",
            (0..8)
                .map(|n| {
                    [
                        "index 0: 0",
                        "index 1: 1",
                        "index 2: 2",
                        "index 3: 3",
                        "index 4: 4",
                        "index 5: 5",
                        "index 6: 6",
                        "index 7: 7",
                    ][n]
                })
                .collect(),
            2,
        ),
        (
            "({a: 1, b: {c: 2}, get d() { throw 1 }, set e(x) {}})",
            "object",
            "Object",
            vec!["a: 1", "b: Object", "d: -", "e: -"],
            0,
        ),
        ("class Point { x = 1 }; new Point", "object", "Point", vec!["x: 1"], 0),
        ("new Map([['k', 1], [{}, 2]])", "object", "Map(2)", vec!["entry 'k': 1", "entry Object: 2"], 0),
        ("new Set([1, 'b'])", "object", "Set(2)", vec!["item 0: 1", "item 1: 'b'"], 0),
        ("Object.create(null)", "object", "[Object: null prototype]", vec![], 0),
        ("function f(a) {}; f", "function", "[Function: f]", vec![], 0),
        ("class A {}; class B extends A {}; B", "function", "[class B extends A]", vec![], 0),
        ("new RangeError('no')", "error", "RangeError: no", vec![], 0),
        ("new Date(0)", "object", "1970-01-01T00:00:00.000Z", vec![], 0),
        ("/a/g", "object", "/a/g", vec![], 0),
        ("new Uint8Array([7, 8])", "object", "Uint8Array(2)", vec!["index 0: 7", "index 1: 8"], 0),
        ("new ArrayBuffer(4)", "object", "ArrayBuffer(4)", vec![], 0),
        ("[Promise.resolve(1)]", "array", "Array(1)", vec!["index 0: Promise"], 0),
        ("Object('boxed')", "object", "[String: 'boxed']", vec![], 0),
        ("new Proxy([1, 2], {})", "object", "Proxy(Array(2))", vec![], 0),
        ("[, 1]", "array", "Array(2)", vec!["index 0: undefined", "index 1: 1"], 0),
        ("({[Symbol('s')]: 1})", "object", "Object", vec!["symbol Symbol(s): 1"], 0),
    ];
    for (code, kind, text, entries, more) in cases {
        let preview = preview(&mut client, code).await;
        assert_eq!((&preview["kind"], &preview["text"]), (&json!(kind), &json!(text)), "{code}: {preview}");
        assert_eq!(briefs(&preview["entries"]), entries, "{code}: {preview}");
        assert_eq!(preview["more"].as_u64().unwrap_or(0), more, "{code}: {preview}");
        let opens = !["number", "string", "symbol", "bigint", "null"].contains(&kind);
        assert_eq!(preview["ref"].is_u64(), opens, "{code}: {preview}");
    }
}

#[tokio::test]
async fn console_arguments_that_can_be_opened_come_with_previews() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    let ran = client
        .run("console.log('a %s', 'b'); console.warn('x', {y: [1]}); console.table([1]); console.dir({z: 1})")
        .await;
    let entries = ran.messages.iter().filter_map(|message| message["entries"].as_array()).flatten();
    let values: Vec<Vec<String>> = entries
        .map(|entry| {
            let values = entry["values"].as_array().cloned().unwrap_or_default();
            values.iter().map(|value| value["text"].as_str().unwrap().to_owned()).collect()
        })
        .collect();
    assert_eq!(values, [vec![], vec!["'x'", "Object"], vec!["Array(1)"], vec!["Object"]]);
}

#[tokio::test]
async fn an_object_opens_with_its_properties_its_hidden_ones_and_its_prototype() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    let code = "const o = {b: 1, 'a b': [2], [Symbol('s')]: 3}; Object.defineProperty(o, 'h', {value: 4}); o";
    let entries = opened(&mut client, code).await;
    let shown: Vec<String> = entries.iter().map(brief).collect();
    assert_eq!(
        shown,
        [
            "b: 1",
            "a b: Array(1)",
            "hidden h: 4",
            "symbol Symbol(s): 3",
            "internal [[Prototype]]: [Object: null prototype]"
        ]
    );
    // What is inside opens in its turn, and has a preview of its own.
    assert_eq!(briefs(&entries[1]["value"]["entries"]), ["index 0: 2"]);
    let inner = open(&mut client, &entries[1]["value"]["ref"]).await;
    assert_eq!(briefs(&inner["entries"]), ["index 0: 2", "hidden length: 1", "internal [[Prototype]]: Object(0)"]);
}

#[tokio::test]
async fn maps_sets_promises_boxes_and_proxies_open_to_what_is_inside() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    let entries = opened(&mut client, "new Map([[{k: 1}, 'v'], ['s', 2]])").await;
    assert_eq!(entries[..2].iter().map(brief).collect::<Vec<_>>(), ["entry Object: 'v'", "entry 's': 2"]);
    let key = open(&mut client, &entries[0]["key_ref"]).await;
    assert_eq!(briefs(&key["entries"])[0], "k: 1");
    assert_eq!(entries[1].get("key_ref"), None);
    for (code, expected) in [
        ("new Set(['x'])", vec!["item 0: 'x'"]),
        ("[Promise.resolve([1])][0].constructor, {p: Promise.resolve([1])}", vec!["p: Promise"]),
        ("Object(7)", vec!["internal [[PrimitiveValue]]: 7"]),
        (
            "new Proxy({t: 1}, {get() { throw 1 }, ownKeys() { throw 2 }})",
            vec!["internal [[Target]]: Object", "internal [[Handler]]: Object"],
        ),
    ] {
        let entries = opened(&mut client, code).await;
        assert_eq!(entries[..expected.len()].iter().map(brief).collect::<Vec<_>>(), expected, "{code}");
    }
    for (promise, expected) in [
        (
            "Promise.resolve([1])",
            vec!["internal [[PromiseState]]: 'fulfilled'", "internal [[PromiseResult]]: Array(1)"],
        ),
        ("new Promise(() => {})", vec!["internal [[PromiseState]]: 'pending'"]),
        (
            "(p => (p.catch(() => {}), p))(Promise.reject(1))",
            vec!["internal [[PromiseState]]: 'rejected'", "internal [[PromiseResult]]: 1"],
        ),
    ] {
        let holder = opened(&mut client, &format!("({{p: {promise}}})")).await;
        let inside = open(&mut client, &holder[0]["value"]["ref"]).await;
        assert_eq!(briefs(&inside["entries"])[..expected.len()], expected, "{promise}");
    }
}

#[tokio::test]
async fn long_lists_open_a_slice_at_a_time() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    for code in [
        "Array.from({length: 2500}, (_, i) => i)",
        "Uint16Array.from({length: 2500}, (_, i) => i)",
        "new Set(Array.from({length: 2500}, (_, i) => i))",
    ] {
        let reference = preview(&mut client, code).await["ref"].clone();
        let slice = async |client: &mut WsClient, start: u64, count: u64| {
            let message = json!({ "type": "inspect", "ref": reference, "start": start, "count": count });
            ask(client, message).await
        };
        let first = slice(&mut client, 0, 3).await;
        assert_eq!(first["entries"][2]["value"]["text"], "2", "{code}");
        let total = first["total"].as_u64().unwrap();
        assert!((2501..2504).contains(&total), "{code}: {total}");
        let middle = slice(&mut client, 1200, 1000).await;
        let entries = middle["entries"].as_array().unwrap();
        assert_eq!((entries.len(), &entries[0]["value"]["text"]), (1000, &json!("1200")), "{code}");
        let end = slice(&mut client, 2499, 100).await;
        assert_eq!(end["entries"][0]["value"]["text"], "2499", "{code}");
        assert_eq!(end["entries"].as_array().unwrap().len() as u64, total - 2499, "{code}");
        assert_eq!(slice(&mut client, 1 << 52, 10).await["entries"], json!([]), "{code}");
    }
}

#[tokio::test]
async fn a_getter_is_called_when_it_is_asked_for_and_not_before() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    let code = "globalThis.calls = 0;
        ({ n: 5, get twice() { calls++; return [this.n * 2] }, get bad() { null.x }, set only(x) {} })";
    let entries = opened(&mut client, code).await;
    assert_eq!(entries[..4].iter().map(brief).collect::<Vec<_>>(), ["n: 5", "twice: ()", "bad: ()", "only: -"]);
    assert_eq!(client.run("calls").await.text(), "0");
    let got = open(&mut client, &entries[1]["getter"]).await;
    assert_eq!(
        (&got["value"]["text"], briefs(&got["value"]["entries"])),
        (&json!("Array(1)"), vec!["index 0: 10".to_owned()])
    );
    assert_eq!(client.run("calls").await.text(), "1");
    let bad = open(&mut client, &entries[2]["getter"]).await;
    assert_eq!(bad["error"]["name"], "TypeError", "{bad}");
}

#[tokio::test]
async fn a_getter_may_not_run_for_ever_nor_print_ask_or_leave_timers() {
    // A grace that a busy machine can keep to.
    let server = TestServer::with(&[("run.kill_grace_ms", "900")]);
    let mut client = looking(&server).await;
    let code = "globalThis.state = 'kept'; ({
        get loop() { for (;;); },
        get says() { console.log('nobody hears'); return 1 },
        get asks() { return prompt('?') },
        get later() { return setTimeout(() => {}, 1) },
        get native() { return [].reverse.call({length: 2 ** 53 - 1}) },
    })";
    let entries = opened(&mut client, code).await;
    let mut got = Vec::new();
    for entry in &entries[..4] {
        let message = json!({ "type": "inspect", "id": "g", "ref": entry["getter"] });
        client.send(message).await;
        let answer = client.recv().await;
        got.push(match answer["type"].as_str() {
            Some("properties") => {
                answer["value"]["text"].as_str().or(answer["error"]["message"].as_str()).unwrap().to_owned()
            }
            _ => answer["code"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned(),
        });
    }
    assert_eq!(got, ["no_answer", "1", "No run is there to ask", "No run is there to own the timer"]);
    assert_eq!(client.run("state").await.text(), "'kept'", "an interrupt keeps the engine");
    // A loop that never asks costs the process, and the session goes on in another one.
    let gone = ask(&mut client, json!({ "type": "inspect", "ref": entries[4]["getter"] })).await;
    assert_eq!(gone["code"], "ref_expired", "{gone}");
    assert_eq!(client.run("typeof state").await.text(), "'undefined'");
}

#[tokio::test]
async fn references_last_until_the_engine_goes_and_never_mean_another_value() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    let old = preview(&mut client, "({a: 1})").await["ref"].clone();
    client.run("1").await;
    assert_eq!(briefs(&open(&mut client, &old).await["entries"])[0], "a: 1");
    client.send(json!({ "type": "reset" })).await;
    client.until("reset").await;
    assert_eq!(ask(&mut client, json!({ "type": "inspect", "ref": old })).await["code"], "ref_expired");
    let new = preview(&mut client, "({b: 1})").await["ref"].clone();
    assert!(new.as_u64() > old.as_u64(), "{old} was used again as {new}");
    assert_eq!(ask(&mut client, json!({ "type": "inspect", "ref": old })).await["code"], "ref_expired");
}

#[tokio::test]
async fn references_are_bounded_and_the_oldest_go_first() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    let first = preview(&mut client, "({first: 1})").await["ref"].clone();
    let second = preview(&mut client, "({second: 1})").await["ref"].clone();
    client.run("for (let i = 0; i < 4999; i++) console.log({i})").await;
    assert_eq!(ask(&mut client, json!({ "type": "inspect", "ref": first })).await["code"], "ref_expired");
    assert_eq!(briefs(&open(&mut client, &second).await["entries"])[0], "second: 1");
}

#[tokio::test]
async fn values_that_are_kept_for_looking_do_not_fill_the_heap() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    let ran = client.run("for (let i = 0; i < 200; i++) console.log(new Uint8Array(1 << 20)); 'done'").await;
    assert_eq!((ran.outcome(), ran.text()), ("ok", "'done'"), "{}", ran.done);
}

#[tokio::test]
async fn questions_are_answered_while_a_run_awaits_and_before_any_run() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    let answer = ask(&mut client, json!({ "type": "is_complete", "id": 1, "code": "function f() {" })).await;
    assert_eq!((&answer["state"], &answer["id"]), (&json!("incomplete"), &json!(1)));
    let reference = preview(&mut client, "({a: 1})").await["ref"].clone();
    client.send(json!({ "type": "run", "id": "long", "code": "await new Promise(go => setTimeout(go, 1e6))" })).await;
    client.until("started").await;
    assert_eq!(briefs(&open(&mut client, &reference).await["entries"])[0], "a: 1");
    let answer = ask(&mut client, json!({ "type": "is_complete", "code": "let a: number = 1", "lang": "ts" })).await;
    assert_eq!(answer["state"], "complete");
    client.send(json!({ "type": "cancel" })).await;
    assert_eq!(client.until("done").await["outcome"], "cancelled");
}

#[tokio::test]
async fn a_value_a_thousand_levels_deep_opens_level_by_level() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    let mut reference =
        preview(&mut client, "let o = {end: 1}; for (let i = 0; i < 1000; i++) o = {o}; o").await["ref"].clone();
    for _ in 0..1000 {
        let entries = open(&mut client, &reference).await["entries"].clone();
        assert_eq!(brief(&entries[0]), "o: Object");
        reference = entries[0]["value"]["ref"].clone();
    }
    assert_eq!(briefs(&open(&mut client, &reference).await["entries"])[0], "end: 1");
}

#[tokio::test]
async fn what_is_only_kept_for_looking_does_not_cost_a_full_engine() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    client.run("for (let i = 0; i < 14; i++) console.log(new Uint8Array(1 << 20)); 0").await;
    let ran = client.run("globalThis.big = new Uint8Array(49.3 * 2 ** 20); big.length").await;
    // With what was kept, the heap was full; what was kept has been given up.
    assert!(ran.done["usage"]["heap_bytes"].as_u64() < Some(51 << 20), "{}", ran.done);
    assert_eq!(ran.done["runtime"], "kept", "{}", ran.done);
    assert_eq!(client.run("big.length").await.text(), "51694796");
}

#[tokio::test]
async fn a_question_that_takes_too_long_does_not_cost_the_session_its_state() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    client.run("globalThis.kept = 1; globalThis.wide = {}; for (let i = 0; i < 3e5; i++) wide['key' + i] = i; 0").await;
    for _ in 0..3 {
        let answer = ask(&mut client, json!({ "type": "complete", "id": 1, "code": "wide.key2999" })).await;
        assert!(["completions", "error"].contains(&answer["type"].as_str().unwrap()), "{answer}");
    }
    assert_eq!(client.run("kept").await.text(), "1");
}

#[tokio::test]
async fn an_answer_that_would_be_huge_comes_in_parts() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    let code = "const C = {['い'.repeat(300)]: class {}}['い'.repeat(300)];
        new Map(Array.from({length: 400}, (_, n) => {
            const o = new C;
            for (let i = 0; i < 8; i++) o[i + 'あ'.repeat(199)] = 'い'.repeat(1000);
            return [n + 'あ'.repeat(190), o];
        }))";
    let reference = preview(&mut client, code).await["ref"].clone();
    let (mut start, mut parts) = (0, 0);
    loop {
        let part =
            ask(&mut client, json!({ "type": "inspect", "ref": reference, "start": start, "count": 1000 })).await;
        let entries = part["entries"].as_array().unwrap_or_else(|| panic!("{part}"));
        assert!(part.to_string().len() < 2 << 20);
        start += entries.len();
        parts += 1;
        if start as u64 == part["total"].as_u64().unwrap() {
            break;
        }
    }
    assert!(start > 400 && parts > 3, "{start} entries in {parts} parts");
}

#[tokio::test]
async fn questions_do_not_keep_a_run_from_going_on_or_from_being_stopped() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    let question = json!({ "type": "is_complete", "id": "q", "code": "f(1);\n".repeat(1500) });
    client
        .send(json!({ "type": "run", "id": 1, "code": "await new Promise(go => setTimeout(go, 20)); 'awake'" }))
        .await;
    for _ in 0..16 {
        client.send(question.clone()).await;
    }
    // One more for each answer: the worker is never without a question.
    let awake = loop {
        let message = client.recv().await;
        match message["type"].as_str().unwrap() {
            "completeness" => client.send(question.clone()).await,
            "done" => break message,
            _ => {}
        }
    };
    assert_eq!(awake["value"]["text"], "'awake'", "{awake}");
}

#[tokio::test]
async fn a_getter_that_wakes_a_run_does_not_run_it_in_its_place() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    let code = "var go; var gate = new Promise(done => go = done); ({ get opens() { go(); return 'opened' } })";
    let entries = opened(&mut client, code).await;
    let waits = "await Promise.race([gate, new Promise(late => setTimeout(late, 1e6))]);
        console.log('after'); await new Promise(soon => setTimeout(soon, 1)); 'went on'";
    client.send(json!({ "type": "run", "id": "waits", "code": waits, "timeout_ms": 300_000 })).await;
    client.until("started").await;
    client.send(json!({ "type": "inspect", "id": "g", "ref": entries[0]["getter"] })).await;
    let (mut opened, mut lines) = (String::new(), Vec::new());
    let done = loop {
        let message = client.recv().await;
        match message["type"].as_str().unwrap() {
            "properties" => opened = message["value"]["text"].as_str().unwrap().to_owned(),
            "console" => lines.extend(message["entries"].as_array().unwrap().iter().map(|entry| entry["text"].clone())),
            "done" => break message,
            other => panic!("{other}: {message}"),
        }
    };
    assert_eq!((opened.as_str(), &lines[..]), ("'opened'", &[json!("after")][..]));
    assert_eq!(done["value"]["text"], "'went on'", "{done}");
    client.send(json!({ "type": "cancel" })).await;
}

#[tokio::test]
async fn what_was_shown_never_costs_a_later_run_more_than_a_part_of_its_heap() {
    let server = TestServer::start();
    let mut client = looking(&server).await;
    client.run("let a = new Uint8Array(35e6); console.log(a); a = null; 1").await;
    assert_eq!(client.run("let b = new Uint8Array(35e6); b.length").await.outcome(), "ok");
    client.send(json!({ "type": "reset" })).await;
    client.until("reset").await;
    let ran = client.run("for (let i = 0; i < 3; i++) { const a = new Uint8Array(35e6); console.log(a) }").await;
    assert_eq!(ran.outcome(), "ok", "{}", ran.done);
}
