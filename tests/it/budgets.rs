//! Budgets in bytes: what waits in a session for its runtime, what waits for its client, and what all clients have under way.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::support::frames::{TEXT, declaring};
use crate::support::server::TestServer;
use crate::support::ws::WsClient;

const MIB: usize = 1 << 20;

fn quiet(settings: &[(&str, &str)]) -> TestServer {
    let mut all = vec![("log.level", "error"), ("pool.warm", "2")];
    all.extend_from_slice(settings);
    TestServer::with(&all)
}

fn inflight(server: &TestServer) -> f64 {
    server.metric("runpen_inflight_bytes")
}

#[tokio::test]
async fn queued_runs_are_bounded_in_bytes_and_room_comes_back() {
    let server = quiet(&[]);
    let mut client = WsClient::connect(&server).await;
    let id = client.start_loop().await;
    let input = "x".repeat(1_000_000);
    for n in 0..16 {
        client.send(json!({ "type": "run", "id": format!("r{n}"), "code": "input.length", "input": input })).await;
    }
    let answers = client.ping().await;
    let of = |kind: &str| answers.iter().filter(|answer| answer["type"] == kind).count();
    assert_eq!((of("queued"), of("error")), (4, 12), "{answers:?}");
    let refused = answers.iter().find(|answer| answer["type"] == "error").unwrap();
    assert_eq!(refused["code"], "queue_full");
    assert!(refused["message"].as_str().unwrap().contains("4194304 bytes"), "{refused}");
    assert!((3 * MIB..5 * MIB).contains(&(inflight(&server) as usize)), "{}", inflight(&server));
    client.send(json!({ "type": "cancel", "id": id })).await;
    for _ in 0..5 {
        client.until("done").await;
    }
    assert_eq!(
        client.request(json!({ "type": "run", "code": "input.length", "input": input })).await.text(),
        "1000000"
    );
    server.eventually("nothing is held", |server| inflight(server) == 0.0);
}

#[tokio::test]
async fn one_run_is_always_taken_however_large_its_message_may_be() {
    let server = quiet(&[("session.queued_bytes", "1048576")]);
    let mut client = WsClient::connect(&server).await;
    let input = "x".repeat(MIB - 200);
    assert_eq!(
        client.request(json!({ "type": "run", "code": "input.length", "input": input })).await.text(),
        "1048376"
    );
}

#[tokio::test]
async fn questions_are_bounded_in_bytes() {
    let server = quiet(&[]);
    let mut client = WsClient::connect(&server).await;
    let id = client.start_loop().await;
    let code = format!("/*{}*/ 1", "x".repeat(250_000));
    for n in 0..16 {
        client.send(json!({ "type": "is_complete", "id": format!("q{n}"), "code": code })).await;
    }
    let answers = client.ping().await;
    let refused = answers.iter().filter(|answer| answer["code"] == "queue_full").count();
    assert_eq!(refused, 8, "each is here and on its way to the worker");
    client.send(json!({ "type": "cancel", "id": id })).await;
    // A busy machine may find one too slow; answered it is all the same.
    let mut answered = 0;
    client
        .all_until(|message| {
            answered += usize::from(message["state"] == "complete" || message["code"] == "no_answer");
            answered == 8
        })
        .await;
}

#[tokio::test]
async fn what_is_collected_for_runs_that_live_on_is_bounded_and_what_is_left_out_is_said() {
    let server = quiet(&[]);
    let mut client = WsClient::open(server.address, "/ws?reply=final").await;
    let code = "const wake = setTimeout(() => {}, 250000); 'x'.repeat(200000)";
    for n in 0..60 {
        client
            .send(
                json!({ "type": "run", "id": n, "mode": "script", "code": code.replace("wake", &format!("wake{n}")) }),
            )
            .await;
        // One at a time, so that none is refused: its end is told much later.
        server.eventually("the run is done", |server| server.ended("ok") >= f64::from(n + 1));
    }
    let held = inflight(&server) as usize;
    assert!((3 * MIB..5 * MIB).contains(&held), "{held}");
    client.send(json!({ "type": "cancel" })).await;
    let mut whole = 0;
    for _ in 0..60 {
        let done = client.until("done").await;
        assert_eq!(done["settled"]["outcome"], "cancelled", "every end is told: {done}");
        let is_whole = done["value"]["json"].as_str().is_some_and(|json| json.len() == 200_000);
        let is_said = done["value"]["text"].as_str().unwrap().contains("left out: too much waits to be read");
        assert!(is_whole != is_said, "{done}");
        whole += usize::from(is_whole);
    }
    assert!((5..30).contains(&whole), "{whole} are whole");
    server.eventually("nothing is held", |server| inflight(server) == 0.0);
}

#[tokio::test]
async fn console_entries_that_are_left_out_are_counted_at_the_runs_end() {
    let settings =
        [("session.unread_bytes", "1048576"), ("run.console_bytes", "16777216"), ("run.console_entries", "100000")];
    let server = quiet(&settings);
    let mut client = WsClient::open(server.address, "/ws?reply=final").await;
    let code = "for (let n = 0; n < 3000; n++) console.log('x'.repeat(1000)); 1";
    let done = client.request(json!({ "type": "run", "code": code })).await.done;
    let (shown, dropped) = (done["console"].as_array().unwrap().len(), done["usage"]["dropped"].as_u64().unwrap());
    assert!(dropped > 1000 && shown > 500, "{shown} shown, {dropped} dropped");
    assert_eq!(shown as u64 + dropped, 3000);
    assert_eq!(done["value"]["text"], "1");
}

#[tokio::test]
async fn the_largest_holder_goes_and_is_told_why_and_the_others_stay() {
    let settings = [("server.inflight_bytes", "6291456"), ("session.unread_bytes", "1048576")];
    let server = quiet(&settings);
    let mut innocent = WsClient::connect(&server).await;
    innocent.run("var kept = 1").await;
    let mut greedy = WsClient::connect(&server).await;
    greedy.start_loop().await;
    for n in 0..4 {
        let input = "x".repeat(1_000_000);
        greedy.send(json!({ "type": "run", "id": format!("r{n}"), "code": "1", "input": input })).await;
    }
    greedy.ping().await;
    // Three halves of messages, each smaller than what the first one holds.
    let mut halves = Vec::new();
    for _ in 0..3 {
        let mut stream = WsClient::connect(&server).await.into_stream();
        stream.write_all(&declaring(TEXT, MIB as u64)).await.unwrap();
        stream.write_all(&vec![b'x'; 900_000]).await.unwrap();
        halves.push(stream);
    }
    let (_, close) = greedy.closed().await;
    let close = close.expect("a goodbye");
    assert_eq!(u16::from(close.code), 1013);
    assert!(close.reason.contains("the server holds too much"), "{}", close.reason);
    assert_eq!(innocent.run("kept").await.text(), "1");
    assert_eq!(server.metric("runpen_evictions_total"), 1.0);
    drop(halves);
    server.eventually("nothing is held", |server| inflight(server) == 0.0);
}

#[tokio::test]
async fn answers_that_nobody_reads_are_bounded() {
    let server = quiet(&[("session.heartbeat_ms", "600000")]);
    let mut client = WsClient::connect_narrow(&server).await;
    client.send(json!({ "type": "hello", "preview": true })).await;
    let code =
        "globalThis.big = Array.from({ length: 900 }, (_, n) => ({ n, text: 'x'.repeat(150), more: [n, n, n] })); big";
    let reference = loop {
        let done = client.run(code).await.done;
        if let Value::Number(reference) = &done["value"]["preview"]["ref"] {
            break reference.clone();
        }
    };
    let mut stream = client.into_stream();
    for n in 0..2000 {
        let ask = json!({ "type": "inspect", "id": n, "ref": reference, "count": 1000 }).to_string();
        let frame = crate::support::frames::frame(TEXT, ask.as_bytes());
        // From some point on the server reads no more either.
        let sent = tokio::time::timeout(std::time::Duration::from_millis(200), stream.write_all(&frame)).await;
        if sent.is_err() {
            break;
        }
    }
    assert!(inflight(&server) < 6.0 * MIB as f64, "{}", inflight(&server));
    drop(stream);
    server.at_rest();
    assert_eq!(inflight(&server), 0.0);
}
