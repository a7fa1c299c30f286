//! The other faces of a session: `POST /api/run` whole and streamed, `?once=1`, `?reply=final`, `/ws/text`.

use serde_json::{Value, json};

use crate::support::http::Posted;
use crate::support::server::TestServer;
use crate::support::ws::WsClient;

async fn texts(client: &mut WsClient) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(message) = client.recv_raw().await {
        match message.is_close() {
            true => break,
            false => texts.push(message.into_text().unwrap().to_string()),
        }
    }
    texts
}

#[test]
fn a_reply_has_result_text_console_usage_and_timing() {
    let server = TestServer::start();
    let reply = server.run(&json!({ "code": "console.warn('hm'); ({ a: [1, input] })", "input": "é" }));
    assert_eq!(reply.status, 200);
    let reply = reply.json();
    assert_eq!((&reply["success"], &reply["outcome"]), (&json!(true), &json!("ok")));
    assert_eq!((&reply["result"], &reply["text"]), (&json!({ "a": [1, "é"] }), &json!("{ a: [ 1, 'é' ] }")));
    assert_eq!((&reply["console"][0]["level"], &reply["console"][0]["text"]), (&json!("warn"), &json!("hm")));
    assert!(reply["usage"]["heap_bytes"].as_u64().unwrap() > 0, "{reply}");
    assert!(reply["timing"]["totalTime"].as_f64() >= reply["timing"]["executionTime"].as_f64(), "{reply}");
}

#[test]
fn a_thrown_error_is_a_200_that_says_where() {
    let server = TestServer::start();
    let reply = server.run(&json!({ "code": "1;\n  null.x" }));
    assert_eq!(reply.status, 200);
    let reply = reply.json();
    let error = &reply["error"];
    assert_eq!(
        (&reply["success"], &error["type"], &error["line"]),
        (&json!(false), &json!("TypeError"), &json!(2)),
        "{reply}"
    );
    assert!(error["message"].as_str().unwrap().contains("null"), "{reply}");
    assert_eq!(reply.get("result"), None);
}

#[test]
fn a_reply_waits_for_timers_and_has_what_they_print() {
    let server = TestServer::start();
    let reply = server.run(&json!({ "code": "setTimeout(() => console.log('late'), 50); 'value'" })).json();
    assert_eq!((&reply["result"], &reply["console"][0]["text"]), (&json!("value"), &json!("late")), "{reply}");
    let reply = server.run(&json!({ "code": "setInterval(() => 0, 1); 'value'", "timeout_ms": 200 })).json();
    assert_eq!((&reply["outcome"], &reply["error"]["type"]), (&json!("timeout"), &json!("TimeoutError")), "{reply}");
}

#[test]
fn prompts_over_http_are_answered_from_input() {
    let server = TestServer::start();
    let code = "[prompt('a'), prompt('b'), prompt('c')]";
    let reply = server.run(&json!({ "code": code, "input": ["one", "two"] })).json();
    assert_eq!(reply["result"], json!(["one", "two", null]), "{reply}");
}

#[tokio::test]
async fn streamed_messages_arrive_before_the_run_is_over() {
    let server = TestServer::start();
    // The run ends only when it is stopped, and it is stopped only when its output has arrived.
    let code = "console.log('early'); for (;;);";
    let mut posted = Posted::ndjson(&server, &json!({ "code": code, "timeout_ms": 300_000 })).await;
    assert_eq!(posted.until("started").await["runtime"], "fresh");
    assert_eq!(posted.until("console").await["entries"][0]["text"], "early");
    posted.hang_up();
    server.eventually("the end of the run", |server| server.ended("disconnected") == 1.0);
}

#[tokio::test]
async fn a_stream_is_the_runs_messages_and_ends_with_the_last() {
    let server = TestServer::start();
    let body = json!({ "code": "setTimeout(() => console.log('late'), 20); 1 + 1" });
    let mut posted = Posted::ndjson(&server, &body).await;
    let mut messages = Vec::new();
    while let Some(message) = posted.next().await {
        messages.push(message);
    }
    let kinds: Vec<&Value> = messages.iter().map(|message| &message["type"]).collect();
    assert_eq!(kinds, ["started", "done", "console", "settled"]);
    assert_eq!(messages[1]["value"]["json"], 2);
}

#[tokio::test]
async fn once_closes_after_the_first_run_and_cancels_what_waits() {
    let server = TestServer::start();
    let mut client = WsClient::open(server.address, "/ws?once=1").await;
    client
        .send(json!({ "type": "run", "id": "a", "code": "await new Promise(r => setTimeout(r, 100)); 'first'" }))
        .await;
    client.send(json!({ "type": "run", "id": "b", "code": "'second'" })).await;
    let (messages, close) = client.closed().await;
    let ends: Vec<(&Value, &Value)> = messages
        .iter()
        .filter(|message| message["type"] == "done")
        .map(|done| (&done["id"], &done["outcome"]))
        .collect();
    assert_eq!(ends, [(&json!("a"), &json!("ok")), (&json!("b"), &json!("cancelled"))]);
    assert_eq!(close.map(|close| u16::from(close.code)), Some(1000));
}

#[tokio::test]
async fn once_waits_for_the_runs_own_timers() {
    let server = TestServer::start();
    let mut client = WsClient::open(server.address, "/ws?once").await;
    client.send(json!({ "type": "run", "code": "setTimeout(() => console.log('late'), 50)" })).await;
    let (messages, _) = client.closed().await;
    let kinds: Vec<&Value> = messages.iter().map(|message| &message["type"]).collect();
    assert_eq!(kinds, ["started", "done", "console", "settled"]);
}

#[tokio::test]
async fn once_is_over_with_a_message_that_is_refused() {
    let server = TestServer::start();
    let mut client = WsClient::open(server.address, "/ws?once=true").await;
    client.send_text("1 + 1").await;
    let (messages, close) = client.closed().await;
    assert_eq!((messages.len(), &messages[0]["code"]), (1, &json!("bad_message")));
    assert_eq!(close.map(|close| u16::from(close.code)), Some(1000));
}

#[tokio::test]
async fn reply_final_is_one_frame_a_run_with_its_console() {
    let server = TestServer::start();
    let mut client = WsClient::open(server.address, "/ws?reply=final").await;
    client.send(json!({ "type": "run", "id": "a", "code": "console.log('one'); 1" })).await;
    client.send(json!({ "type": "run", "id": "b", "code": "setTimeout(() => console.log('late'), 30); 2" })).await;
    client.send(json!({ "type": "run", "id": "c", "code": "throw 3" })).await;
    let mut frames = [client.recv().await, client.recv().await, client.recv().await];
    frames.sort_by_key(|frame| frame["id"].as_str().unwrap().to_owned());
    let [one, two, three] = frames;
    assert_eq!((&one["value"]["text"], &one["console"][0]["text"]), (&json!("1"), &json!("one")));
    assert_eq!((&two["value"]["text"], &two["console"][0]["text"]), (&json!("2"), &json!("late")));
    assert_eq!(two["settled"]["outcome"], "ok");
    assert_eq!((&three["outcome"], &three["console"]), (&json!("error"), &json!([])));
    assert_eq!(client.ping().await, [json!({ "type": "pong" })]);
}

#[tokio::test]
async fn text_prints_what_a_console_would() {
    let server = TestServer::start();
    let mut client = WsClient::open(server.address, "/ws/text").await;
    for code in ["console.log('logged'); [1, 'a']", "undefined", "x = 'kept'", "x + '!'", "throw new TypeError('no')"] {
        client.send_text(code).await;
    }
    client.close(None).await;
    let texts = texts(&mut client).await;
    assert_eq!(texts[..4], ["logged", "[ 1, 'a' ]", "'kept'", "'kept!'"]);
    assert_eq!(texts[4], "Uncaught TypeError: no");
    assert!(texts[5].starts_with("    at "), "a frame for each line: {texts:?}");
    assert_eq!(texts.len(), 6);
}

#[tokio::test]
async fn on_text_the_next_line_answers_a_prompt() {
    let server = TestServer::start();
    let mut client = WsClient::open(server.address, "/ws/text").await;
    client.send_text("const who = prompt('Who?'); `Hello ${who}`").await;
    assert_eq!(client.recv_text().await, "Who?");
    client.send_text("Ada\n").await;
    assert_eq!(client.recv_text().await, "'Hello Ada'");
    client.send_text("who").await;
    assert_eq!(client.recv_text().await, "'Ada'");
}

#[tokio::test]
async fn what_is_sent_to_text_before_a_close_is_all_run() {
    let server = TestServer::start();
    let mut client = WsClient::open(server.address, "/ws/text?once").await;
    client.send_text("1 + 1").await;
    assert_eq!(texts(&mut client).await, ["2"]);
}

#[test]
fn health_readiness_and_information() {
    let server = TestServer::start();
    assert_eq!((server.get("/healthz").status, server.get("/healthz").body.as_str()), (200, "ok\n"));
    assert_eq!((server.get("/readyz").status, server.get("/readyz").body.as_str()), (200, "ready\n"));
    let info = server.get("/api/info").json();
    assert_eq!((&info["protocol"], &info["pool"]["max"]), (&json!("runpen.v1"), &json!(1000)));
    let metrics = server.get("/metrics").body;
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
}
