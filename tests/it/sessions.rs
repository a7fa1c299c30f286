//! A session from its client's side: what is said, in which order, and what lives on from one run to the next.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::server::TestServer;
use crate::support::ws::{LOOP, NATIVE_LOOP, Ran, WsClient};

fn started(ran: &Ran) -> &str {
    ran.messages.iter().find(|message| message["type"] == "started").unwrap()["runtime"].as_str().unwrap()
}

#[tokio::test]
async fn state_lives_on_from_run_to_run() {
    let server = TestServer::patient();
    let mut client = WsClient::connect(&server).await;
    assert_eq!(started(&client.run("let count = 1; function twice(x) { return 2 * x }").await), "fresh");
    let ran = client.run("count = twice(count) + 1").await;
    assert_eq!((started(&ran), ran.text()), ("kept", "3"));
    assert_eq!(client.run("throw new Error('no harm')").await.outcome(), "error");
    let ran = client.request(json!({ "type": "run", "code": LOOP, "timeout_ms": 50 })).await;
    assert_eq!((ran.outcome(), &ran.done["runtime"]), ("timeout", &json!("kept")));
    assert_eq!(client.run("count").await.text(), "3");
}

#[tokio::test]
async fn the_server_is_silent_until_spoken_to() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    client.send_raw(tokio_tungstenite::tungstenite::Message::Ping("first".into())).await;
    let messages = client.ping().await;
    assert_eq!(messages, [json!({ "type": "pong" })]);
}

#[tokio::test]
async fn a_run_says_started_console_done_and_nothing_else() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    let ran = client.run("console.log('one'); console.error('two', 2); 3").await;
    let kinds: Vec<&Value> = ran.messages.iter().map(|message| &message["type"]).collect();
    assert_eq!(kinds.first(), Some(&&json!("started")));
    assert!(kinds[1..].iter().all(|kind| *kind == "console") && kinds.len() > 1, "{kinds:?}");
    assert_eq!(ran.console(), ["one", "two 2"]);
    assert_eq!(
        (ran.text(), &ran.done["value"]["kind"], &ran.done["value"]["json"]),
        ("3", &json!("number"), &json!(3))
    );
    assert_eq!(client.ping().await.len(), 1);
}

#[tokio::test]
async fn fresh_and_reset_give_a_new_runtime() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    client.run("x = 1").await;
    let ran = client.request(json!({ "type": "run", "code": "typeof x", "fresh": true })).await;
    assert_eq!((started(&ran), ran.text()), ("fresh", "'undefined'"));
    client.run("x = 1").await;
    client.send(json!({ "type": "reset" })).await;
    assert_eq!(client.recv().await, json!({ "type": "reset" }));
    let ran = client.run("typeof x").await;
    assert_eq!((started(&ran), ran.text()), ("fresh", "'undefined'"));
}

#[tokio::test]
async fn a_reset_ends_what_runs_and_waits_before_it_is_confirmed() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    client.start_loop().await;
    client.send(json!({ "type": "run", "id": "waits", "code": "1" })).await;
    client.until("queued").await;
    client.send(json!({ "type": "reset" })).await;
    let messages = client.all_until(|message| message["type"] == "reset").await;
    let outcomes: Vec<&Value> =
        messages.iter().filter(|message| message["type"] == "done").map(|done| &done["outcome"]).collect();
    assert_eq!(outcomes, ["cancelled", "cancelled"]);
    client.works().await;
}

#[tokio::test]
async fn queued_runs_are_told_their_position_and_keep_their_order() {
    let server = TestServer::patient();
    let mut client = WsClient::connect(&server).await;
    client.run("order = []").await;
    client.start_loop().await;
    for (position, id) in ["a", "b", "c"].iter().enumerate() {
        client.send(json!({ "type": "run", "id": id, "code": format!("order.push('{id}')") })).await;
        let queued = json!({ "type": "queued", "id": id, "position": position + 1, "waiting_for": "session" });
        assert_eq!(client.recv().await, queued);
    }
    client.send(json!({ "type": "cancel", "id": 2 })).await;
    let messages = client.all_until(|message| message["type"] == "done" && message["id"] == "c").await;
    let order: Vec<(&Value, &Value)> = messages.iter().map(|message| (&message["type"], &message["id"])).collect();
    let mut expected = vec![(json!("done"), json!(2))];
    for id in ["a", "b", "c"] {
        expected.extend([(json!("started"), json!(id)), (json!("done"), json!(id))]);
    }
    assert_eq!(order, expected.iter().map(|(kind, id)| (kind, id)).collect::<Vec<_>>());
    assert_eq!(client.run("order.join('')").await.text(), "'abc'");
}

#[tokio::test]
async fn the_queue_has_an_end() {
    let server = TestServer::with(&[("run.queue", "2")]);
    let mut client = WsClient::connect(&server).await;
    client.start_loop().await;
    for id in ["a", "b"] {
        client.send(json!({ "type": "run", "id": id, "code": "1" })).await;
        client.until("queued").await;
    }
    let error = client.refused(json!({ "type": "run", "id": "c", "code": "1" })).await;
    assert_eq!((&error["code"], &error["id"]), (&json!("queue_full"), &json!("c")));
}

#[tokio::test]
async fn ids_are_echoed_as_they_came_and_counted_where_there_are_none() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    for id in [json!("text"), json!(""), json!(7), json!(-1), json!(1.5), json!("7"), json!(u64::MAX)] {
        let ran = client.request(json!({ "type": "run", "id": id, "code": "console.log(1)" })).await;
        assert!(ran.messages.iter().chain([&ran.done]).all(|message| message["id"] == id), "{id}: {ran:?}");
    }
    for id in 1..4 {
        assert_eq!(client.run("1").await.done["id"], id);
    }
    let ran = client.request(json!({ "type": "run", "id": null, "code": "1" })).await;
    assert_eq!(ran.done["id"], 4);
}

#[tokio::test]
async fn hello_says_what_the_server_is_and_what_its_limits_are() {
    let server = TestServer::with(&[("run.timeout_ms", "1234"), ("run.queue", "3")]);
    let mut client = WsClient::connect(&server).await;
    client.send(json!({ "type": "hello", "preview": true, "unheard_of": 1 })).await;
    let hello = client.recv().await;
    assert_eq!((&hello["protocol"], &hello["version"]), (&json!("runpen.v1"), &json!(env!("CARGO_PKG_VERSION"))));
    let limits = &hello["limits"];
    assert_eq!(
        (&limits["timeout_ms"], &limits["queue"], &limits["code_bytes"]),
        (&json!(1234), &json!(3), &json!(262_144))
    );
    let info = server.get("/api/info").json();
    assert_eq!((&info["limits"], &info["protocol"], &info["sessions"]), (limits, &hello["protocol"], &json!(1)));
    assert_eq!(server.slots("leased"), 0.0, "saying hello needs no worker");
}

#[tokio::test]
async fn a_prompt_asks_the_client_and_pauses_the_deadline() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    let code = "const name = prompt('Who?'); const sure = confirm('Sure?'); alert('Bye'); [name, sure]";
    client.send(json!({ "type": "run", "id": "p", "code": code, "timeout_ms": 300 })).await;
    for (kind, text, answer) in
        [("prompt", "Who?", json!("Ada")), ("confirm", "Sure?", json!("yes")), ("alert", "Bye", Value::Null)]
    {
        let asked = client.until("input_request").await;
        assert_eq!(asked, json!({ "type": "input_request", "id": "p", "kind": kind, "text": text }));
        // The client thinks for longer than the run may last.
        tokio::time::sleep(Duration::from_millis(250)).await;
        client.send(json!({ "type": "input", "id": "p", "text": answer })).await;
    }
    let done = client.until("done").await;
    assert_eq!(done["value"]["json"], json!(["Ada", true]), "{done}");
}

#[tokio::test]
async fn a_prompt_that_is_dismissed_or_cancelled_or_left_alone_does_not_hang() {
    let server = TestServer::with(&[("run.input_timeout_ms", "200")]);
    let mut client = WsClient::connect(&server).await;
    client.send(json!({ "type": "run", "code": "prompt('?')" })).await;
    client.until("input_request").await;
    client.send(json!({ "type": "input", "text": null })).await;
    assert_eq!(client.until("done").await["value"]["text"], "null");

    client.send(json!({ "type": "run", "code": "prompt('?')" })).await;
    client.until("input_request").await;
    assert_eq!(client.until("done").await["value"]["text"], "null", "nobody answered in time");

    client.send(json!({ "type": "run", "id": "c", "code": "for (;;) prompt('?')" })).await;
    client.until("input_request").await;
    client.send(json!({ "type": "cancel", "id": "c" })).await;
    assert_eq!(client.until("done").await["outcome"], "cancelled");
    client.works().await;
}

#[tokio::test]
async fn timers_go_on_in_the_background_until_they_settle() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    let code = "setTimeout(() => console.log('late'), 100); setTimeout(() => { ticked = true }, 50); 'first'";
    client.send(json!({ "type": "run", "id": "t", "code": code })).await;
    let done = client.until("done").await;
    assert_eq!((&done["value"]["text"], &done["background"]), (&json!("'first'"), &json!(2)));
    let after = client.all_until(|message| message["type"] == "settled").await;
    assert_eq!(after[0]["entries"][0]["text"], "late", "{after:?}");
    assert_eq!((&after[1]["id"], &after[1]["outcome"]), (&json!("t"), &json!("ok")));
    assert_eq!(client.run("ticked").await.text(), "true");
}

#[tokio::test]
async fn timers_of_one_run_tick_while_others_come_and_go() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    client.send(json!({ "type": "run", "id": "t", "code": "ticks = 0; timer = setInterval(() => ticks++, 2)" })).await;
    client.until("done").await;
    let ticks = async |client: &mut WsClient| client.run("ticks").await.text().parse::<u64>().unwrap();
    let mut seen = ticks(&mut client).await;
    for _ in 0..3 {
        client.run("await new Promise(r => setTimeout(r, 30))").await;
        let now = ticks(&mut client).await;
        assert!(now > seen, "{seen} ticks, then {now}");
        seen = now;
    }
    client.send(json!({ "type": "run", "code": "clearInterval(timer)" })).await;
    let settled = client.until("settled").await;
    assert_eq!((&settled["id"], &settled["outcome"]), (&json!("t"), &json!("ok")));
}

#[tokio::test]
async fn an_error_in_the_background_is_printed_and_settles_as_an_error() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    let code = "setTimeout(() => { throw new TypeError('late') }, 1); setTimeout(() => console.log('still'), 30)";
    client.send(json!({ "type": "run", "code": code })).await;
    client.until("done").await;
    let messages = client.all_until(|message| message["type"] == "settled").await;
    let entries: Vec<&Value> =
        messages.iter().flat_map(|message| message["entries"].as_array().into_iter().flatten()).collect();
    assert_eq!((&entries[0]["level"], &entries[0]["uncaught"]), (&json!("error"), &json!(true)));
    assert!(entries[0]["text"].as_str().unwrap().contains("TypeError: late"), "{entries:?}");
    assert_eq!(entries[1]["text"], "still");
    let settled = messages.last().unwrap();
    assert_eq!((&settled["outcome"], &settled["error"]["name"]), (&json!("error"), &json!("TypeError")));
}

#[tokio::test]
async fn a_background_turn_has_the_runs_own_timeout() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    for loops in [LOOP, NATIVE_LOOP] {
        let code = format!("setTimeout(() => {{ {loops} }}, 1); 1");
        client.send(json!({ "type": "run", "code": code, "timeout_ms": 100 })).await;
        assert_eq!(client.until("done").await["outcome"], "ok");
        let settled = client.until("settled").await;
        assert_eq!(settled["outcome"], "timeout", "{loops}: {settled}");
        assert!(settled["error"]["message"].as_str().unwrap().contains(" 100 ms"), "{settled}");
        client.works().await;
    }
}

#[tokio::test]
async fn an_awaited_promise_that_nothing_can_settle_ends_at_once() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    let ran =
        client.request(json!({ "type": "run", "code": "await new Promise(() => 0)", "timeout_ms": 300_000 })).await;
    assert_eq!((ran.outcome(), &ran.done["error"]["name"]), ("unsettled", &json!("UnsettledError")));
    assert!(ran.took < Duration::from_secs(30), "{:?}", ran.took);
}

#[tokio::test]
async fn input_is_the_global_input() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    for input in [json!({ "a": [1, null, "é"] }), json!("text"), json!(0), json!(null), json!([])] {
        let ran = client.request(json!({ "type": "run", "code": "JSON.stringify(input)", "input": input })).await;
        let text: String = serde_json::from_value(ran.done["value"]["json"].clone()).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), input);
    }
}

#[tokio::test]
async fn too_much_memory_is_an_outcome_and_the_session_goes_on() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    let ran = client.run("const all = []; for (;;) all.push(new ArrayBuffer(1e6))").await;
    assert!(["memory", "error"].contains(&ran.outcome()), "{}", ran.done);
    client.request(json!({ "type": "run", "code": "1", "fresh": true })).await;
    client.works().await;
}

#[tokio::test]
async fn a_background_that_never_rests_is_settled_as_a_timeout_at_its_runs_limit() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    let code = "setInterval(() => { for (let i = 0; i < 1e5; i++); }, 0); 0";
    client.send(json!({ "type": "run", "id": "busy", "code": code, "timeout_ms": 300 })).await;
    assert_eq!(client.until("done").await["outcome"], "ok");
    let settled = client.until("settled").await;
    assert_eq!((&settled["outcome"], &settled["runtime"]), (&json!("timeout"), &json!("kept")), "{settled}");
    assert_eq!(settled["error"]["message"], "stopped: the time limit of 300 ms was reached");
    let computed = settled["usage"]["cpu_ms"].as_f64().unwrap();
    assert!((50.0..3000.0).contains(&computed), "{settled}");
    client.works().await;
}

#[tokio::test]
async fn a_run_is_told_what_stacks_call_its_text() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    let mut names = Vec::new();
    for id in ["first", "second"] {
        client.send(json!({ "type": "run", "id": id, "code": "null.x" })).await;
        let name = client.until("started").await["source"].clone();
        let done = client.until("done").await;
        assert_eq!(done["error"]["frames"][0]["source"], name, "{done}");
        names.push(name);
    }
    assert_ne!(names[0], names[1]);
    // One that never began has taken no name.
    client.send(json!({ "type": "run", "id": "endless", "code": "for (;;);" })).await;
    let third = client.until("started").await["source"].clone();
    client.send(json!({ "type": "run", "id": "waits", "code": "1" })).await;
    client.until("queued").await;
    client.send(json!({ "type": "cancel", "id": "waits" })).await;
    client.until("done").await;
    client.send(json!({ "type": "cancel", "id": "endless" })).await;
    client.until("done").await;
    client.send(json!({ "type": "run", "code": "1" })).await;
    assert_eq!([third, client.until("started").await["source"].clone()], [json!("run-3"), json!("run-4")]);
}
