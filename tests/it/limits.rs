//! Every limit that protects the host, met.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::http::Posted;
use crate::support::server::TestServer;
use crate::support::ws::{LONG_MS, WsClient};

const TEXT_BYTES: usize = 1000;

/// Room for the note on a cut text.
const NOTE_BYTES: usize = 256;

fn quiet(settings: &[(&str, &str)]) -> TestServer {
    let mut all = vec![("log.level", "error"), ("pool.warm", "2")];
    all.extend_from_slice(settings);
    TestServer::with(&all)
}

fn length(value: &Value) -> usize {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).len()
}

#[tokio::test]
async fn sessions_are_bounded_for_both_kinds_and_a_place_is_given_again() {
    let server = quiet(&[("server.max_sessions", "2")]);
    let first = WsClient::connect(&server).await;
    let mut second = WsClient::connect(&server).await;
    let refused = WsClient::try_open(server.address, "/ws").await.err().expect("refused").to_string();
    assert!(refused.contains("503"), "{refused}");
    let reply = server.run(&json!({ "code": "1" }));
    assert_eq!((reply.status, reply.json()["error"]["type"].as_str()), (503, Some("busy")));
    second.works().await;
    first.cut();
    server.eventually("a place is free", |server| server.run(&json!({ "code": "1" })).status == 200);
}

#[tokio::test]
async fn messages_of_a_session_are_rated_and_the_session_lives() {
    let server = quiet(&[("session.messages_per_s", "5")]);
    let mut client = WsClient::connect(&server).await;
    for _ in 0..40 {
        client.send(json!({ "type": "ping" })).await;
    }
    let mut answers = Vec::new();
    for _ in 0..40 {
        answers.push(client.recv().await);
    }
    let refused = answers.iter().filter(|answer| answer["code"] == "rate_limited").count();
    let answered = answers.iter().filter(|answer| answer["type"] == "pong").count();
    assert!(refused > 0 && answered >= 5 && refused + answered == 40, "{answers:?}");
    let mut other = WsClient::connect(&server).await;
    other.works().await;
}

#[tokio::test]
async fn http_runs_of_an_address_are_rated() {
    let server = quiet(&[("server.http_runs_per_s", "1")]);
    let replies: Vec<u16> = (0..10).map(|_| server.run(&json!({ "code": "1" })).status).collect();
    assert_eq!(replies[0], 200);
    assert!(replies.contains(&429), "{replies:?}");
}

#[tokio::test]
async fn runs_that_wait_in_a_session_are_bounded() {
    let server = quiet(&[("run.queue", "2")]);
    let mut client = WsClient::connect(&server).await;
    client.start_loop().await;
    for id in 10..15 {
        client.send(json!({ "type": "run", "id": id, "code": "1" })).await;
    }
    let mut told = Vec::new();
    for _ in 0..5 {
        let message = client.recv().await;
        told.push(message["code"].as_str().or(message["type"].as_str()).unwrap().to_owned());
    }
    assert_eq!(told, ["queued", "queued", "queue_full", "queue_full", "queue_full"]);
}

#[tokio::test]
async fn the_line_for_a_worker_is_bounded_in_length_and_in_time() {
    let server = quiet(&[("pool.warm", "1"), ("pool.max", "1"), ("pool.wait_queue", "1"), ("pool.wait_ms", "300")]);
    let mut holder = WsClient::connect(&server).await;
    holder.start_loop().await;
    let mut waiting = WsClient::connect(&server).await;
    waiting.send(json!({ "type": "run", "code": "1" })).await;
    assert_eq!(waiting.recv().await["type"], "queued");
    let mut late = WsClient::connect(&server).await;
    late.send(json!({ "type": "run", "code": "1" })).await;
    assert_eq!(late.recv().await["code"], "busy");
    assert_eq!(waiting.until("error").await["code"], "busy", "after its time in the line");
    assert!(server.metric("runpen_pool_refused_total") >= 1.0);
}

#[tokio::test]
async fn timers_and_with_them_the_runs_in_the_background_are_bounded() {
    let server = quiet(&[("run.timers", "3")]);
    let mut client = WsClient::connect(&server).await;
    for id in ["a", "b", "c"] {
        let ran = client.request(json!({ "type": "run", "id": id, "code": "setInterval(() => {}, 1e6); 1" })).await;
        assert_eq!(ran.done["background"], 1);
    }
    let ran = client.run("setTimeout(() => {}, 1)").await;
    assert_eq!(ran.outcome(), "error");
    assert_eq!(ran.done["error"]["name"], "RangeError");
    assert!(ran.done["error"]["message"].as_str().unwrap().contains("at most 3"), "{}", ran.done);
    client.works().await;
}

#[tokio::test]
async fn console_output_over_its_caps_is_dropped_and_counted() {
    let server = quiet(&[("run.console_entries", "10"), ("run.console_bytes", "2000"), ("run.text_bytes", "1000")]);
    let mut client = WsClient::connect(&server).await;
    let ran = client.run("for (let i = 0; i < 25; i++) console.log(i); 1").await;
    assert_eq!((ran.console().len(), &ran.done["usage"]["dropped"]), (10, &json!(15)));
    let ran = client.run("for (let i = 0; i < 6; i++) console.log('x'.repeat(900)); throw new Error('kept')").await;
    assert_eq!((ran.console().len(), &ran.done["usage"]["dropped"]), (2, &json!(4)));
    assert_eq!(ran.done["error"]["message"], "kept", "what ends a run is never dropped");
}

#[tokio::test]
async fn texts_of_values_errors_and_questions_are_bounded() {
    let text_bytes = TEXT_BYTES.to_string();
    let server = quiet(&[("run.text_bytes", &text_bytes), ("run.json_bytes", &text_bytes)]);
    let mut client = WsClient::connect(&server).await;
    for code in ["'x'.repeat(1e6)", "Array(1e5).fill('x')", "'\\u0001'.repeat(900)", "'\u{1f600}'.repeat(1e5)"] {
        let ran = client.run(code).await;
        assert!(length(&ran.done["value"]["text"]) <= TEXT_BYTES + NOTE_BYTES, "{code}: {}", ran.done);
        assert_eq!(ran.done["value"]["json"], Value::Null, "{code}");
    }
    let ran = client
        .run("const e = new Error('m'.repeat(1e6)); e.name = 'N'.repeat(1e6); e.stack = 's\\n'.repeat(1e6); throw e")
        .await;
    for part in ["message", "stack"] {
        assert!(length(&ran.done["error"][part]) <= TEXT_BYTES + NOTE_BYTES, "{part}: {}", ran.done);
    }
    assert!(length(&ran.done["error"]["name"]) <= 1024);
    client.send(json!({ "type": "run", "id": "asks", "code": "prompt('?'.repeat(1e6))" })).await;
    let question = client.until("input_request").await;
    assert!(length(&question["text"]) <= TEXT_BYTES + NOTE_BYTES);
}

#[tokio::test]
async fn a_question_is_bounded_by_itself_and_so_is_their_number() {
    let server = quiet(&[]);
    let mut client = WsClient::connect(&server).await;
    client.send(json!({ "type": "run", "id": "asks", "code": "prompt('?'.repeat(1e6))" })).await;
    let question = client.until("input_request").await;
    assert!(length(&question["text"]) <= runpen::ipc::MAX_PROMPT_BYTES + NOTE_BYTES);
    // Over HTTP every question is answered at once, with nothing.
    let reply =
        server.run(&json!({ "code": "let n = 0; try { for (;;) { prompt('?'); n++ } } catch (e) { n + e.name }" }));
    assert_eq!(reply.json()["result"], "1000RangeError", "{}", reply.body);
}

#[tokio::test]
async fn code_and_frames_are_bounded() {
    let server = quiet(&[("run.code_bytes", "1000"), ("server.frame_bytes", "9000")]);
    let mut client = WsClient::connect(&server).await;
    let long = format!("1{}", " ".repeat(1000));
    assert_eq!(client.refused(json!({ "type": "run", "id": 1, "code": long })).await["code"], "too_large");
    let id = "i".repeat(200);
    assert_eq!(client.refused(json!({ "type": "run", "id": id, "code": "1" })).await["code"], "bad_message");
    let ran = client.request(json!({ "type": "run", "code": "input.length", "input": "x".repeat(4000) })).await;
    assert_eq!(ran.text(), "4000");
    client.send(json!({ "type": "run", "code": "1", "input": "x".repeat(9000) })).await;
    assert_eq!(client.close_code().await, Some(1009));
    assert_eq!(server.run(&json!({ "code": long })).status, 413);
    assert_eq!(server.run(&json!({ "code": "1", "input": "x".repeat(9000) })).status, 413);
}

#[tokio::test]
async fn a_flood_of_large_uncaught_errors_is_told_in_part_and_costs_nobody_the_worker() {
    let server = quiet(&[]);
    let mut client = WsClient::connect(&server).await;
    let code = "for (let i = 0; i < 300; i++) setTimeout(() => { throw new Error('x'.repeat(250000)) }); 'set'";
    client.send(json!({ "type": "run", "id": "storm", "code": code })).await;
    let messages = client.all_until(|message| message["type"] == "settled").await;
    let settled = messages.last().unwrap();
    assert_eq!((settled["outcome"].as_str(), settled["runtime"].as_str()), (Some("error"), Some("kept")), "{settled}");
    let entries = || messages.iter().filter_map(|message| message["entries"].as_array()).flatten();
    let told = entries().count();
    let bytes: usize = entries().map(|entry| length(&entry["text"])).sum();
    assert!((50..300).contains(&told), "{told} were told");
    assert!(bytes < (1 << 20) + (256 << 10), "{bytes} bytes");
    client.works().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_its_stream_holds_the_run_back_and_not_the_servers_memory() {
    let server = quiet(&[("pool.max", "32")]);
    server.run(&json!({ "code": "1" }));
    let before = server.footprint().memory;
    let body = json!({ "code": "for (let i = 0; i < 1000; i++) alert('x'.repeat(8000))", "timeout_ms": 2000 });
    let slow = join_all((0..24).map(|_| Posted::ndjson(&server, &body))).await;
    server.eventually("every run is over, or held back until its deadline", |server| {
        ["ok", "timeout"].map(|outcome| server.ended(outcome)).iter().sum::<f64>() >= 25.0
    });
    let grown = server.footprint().memory.saturating_sub(before);
    assert!(grown < 64 << 20, "the server holds {grown} bytes for clients that do not read");
    drop(slow);
}

#[tokio::test]
async fn one_frame_a_run_holds_no_more_console_than_its_session_may() {
    let server = quiet(&[]);
    let mut client = WsClient::open(server.address, "/ws?reply=final").await;
    let code = "for (let i = 0; i < 5; i++) console.log('x'.repeat(200000)); setInterval(() => {}, 1e6); 1";
    for id in 0..8 {
        client.send(json!({ "type": "run", "id": id, "code": code })).await;
    }
    // Answered behind what came before it, so by then all eight are in the background or still on their way there.
    client.send(json!({ "type": "run", "id": "last", "code": "1" })).await;
    let first = client.until("done").await;
    assert_eq!(first["id"], "last", "{first}");
    client.send(json!({ "type": "cancel" })).await;
    let (mut told, mut dropped) = (0, 0);
    for _ in 0..8 {
        let done = client.until("done").await;
        told += done["console"].as_array().unwrap().len() as u64;
        dropped += done["usage"]["dropped"].as_u64().unwrap();
    }
    assert_eq!(told + dropped, 40);
    assert!(told <= 20 && dropped >= 20, "{told} told, {dropped} dropped");
}

#[tokio::test]
async fn a_program_that_waits_for_the_server_to_read_goes_on_as_soon_as_it_has() {
    let server = quiet(&[("run.console_bytes", "50000000")]);
    let clients = (0..4).map(|_| WsClient::connect(&server)).collect::<Vec<_>>();
    let floods = join_all(clients).await.into_iter().map(async |mut client| {
        let code = "for (let i = 0; i < 60; i++) console.log('x'.repeat(200000))";
        client.request(json!({ "type": "run", "code": code, "timeout_ms": LONG_MS })).await
    });
    for ran in join_all(floods).await {
        assert_eq!((ran.outcome(), &ran.done["usage"]["dropped"]), ("ok", &json!(0)), "{}", ran.done);
    }
}

#[tokio::test]
async fn lines_of_text_mode_come_one_by_one_however_many_there_are() {
    let server = quiet(&[]);
    let mut client = WsClient::open(server.address, "/ws/text").await;
    client.send_text("console.log('a' + '\\n'.repeat(100000) + 'b')").await;
    let mut lines = 0;
    loop {
        let line = client.recv_text().await;
        assert!(["a", " ", "b"].contains(&line.as_str()), "{line:?}");
        lines += 1;
        if line == "b" {
            break;
        }
    }
    assert_eq!(lines, 100_001);
}
