//! Clients that go away in mid-run, in every way there is: the run is stopped at once, and its worker is free again.
//!
//! Every run here has five minutes. That it ends within the test's patience shows that something else than its deadline ended it;
//! how long that took is what the server measured.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::http::Posted;
use crate::support::server::TestServer;
use crate::support::ws::{LONG_MS, LOOP, NATIVE_LOOP, WsClient};

/// Above what an interrupt, or a kill after the grace of 50 ms, takes on a machine that is busy with other tests; far below the
/// heartbeat and the runs' deadlines.
const AT_ONCE: Duration = Duration::from_secs(5);

fn server(settings: &[(&str, &str)]) -> TestServer {
    TestServer::with(&[&[("pool.warm", "1"), ("pool.max", "1")], settings].concat())
}

/// So many runs were stopped because their client was gone, each at once, and the one worker is free.
#[track_caller]
fn check_stopped(server: &TestServer, how: &str, runs: f64) {
    server.eventually("the end of the run", |server| server.ended("disconnected") == runs);
    server.at_rest();
    server.eventually("the worker idle again", |server| server.slots("idle") == 1.0);
    let (count, mean) = server.stops("disconnect");
    println!("{how}: stopped after {mean:?}");
    assert_eq!(count, runs);
    assert!(mean < AT_ONCE, "{how}: stopped after {mean:?}");
}

async fn check_gone(how: &str, go: impl AsyncFn(WsClient)) {
    let server = server(&[]);
    for (code, runs) in [(LOOP, 1.0), (NATIVE_LOOP, 2.0), ("await new Promise(r => setTimeout(r, 250000))", 3.0)] {
        let mut client = WsClient::connect(&server).await;
        client.start(code).await;
        let left = Instant::now();
        go(client).await;
        check_stopped(&server, how, runs);
        assert!(left.elapsed() < Duration::from_secs(15), "only the heartbeat saw it");
    }
    WsClient::connect(&server).await.works().await;
}

#[tokio::test]
async fn a_close_with_a_code_stops_the_run_at_once_and_is_answered() {
    check_gone("close with 1000", async |mut client: WsClient| {
        client.close(Some(1000)).await;
        let (messages, frame) = client.closed().await;
        assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(1000));
        assert!(messages.is_empty(), "nobody asked any more: {messages:?}");
    })
    .await;
}

#[tokio::test]
async fn a_close_with_a_code_of_the_clients_own_does_too() {
    check_gone("close with 4321", async |mut client: WsClient| {
        client.close(Some(4321)).await;
        assert_eq!(client.close_code().await, Some(4321));
    })
    .await;
}

#[tokio::test]
async fn a_cut_connection_stops_the_run_at_once() {
    check_gone("FIN", async |client: WsClient| client.cut()).await;
}

#[tokio::test]
async fn a_reset_connection_stops_the_run_at_once() {
    check_gone("RST", async |client: WsClient| client.reset_connection()).await;
}

#[tokio::test]
async fn a_client_that_closes_and_cuts_in_one_go_stops_the_run_at_once() {
    check_gone("close, then RST", async |mut client: WsClient| {
        client.close(Some(1001)).await;
        client.reset_connection();
    })
    .await;
}

#[tokio::test]
async fn a_background_and_a_queue_end_with_their_client() {
    let server = server(&[]);
    let mut client = WsClient::connect(&server).await;
    client.run("setInterval(() => console.log('still here'), 1)").await;
    client.start(LOOP).await;
    client.send(json!({ "type": "run", "code": "1" })).await;
    client.until("queued").await;
    client.reset_connection();
    server.eventually("the end of both runs", |server| server.ended("disconnected") == 2.0);
    server.at_rest();
}

/// So much is queued that the server no longer listens to the client. That must not keep it from seeing that the client is gone.
#[tokio::test]
async fn a_client_that_leaves_with_megabytes_unread_is_missed_at_once() {
    let server = server(&[]);
    let mut client = WsClient::connect(&server).await;
    for _ in 0..16 {
        // A quarter of a megabyte that takes six times as much in JSON.
        client.send(json!({ "type": "run", "code": "console.log('\\u0001'.repeat(250000))" })).await;
    }
    let mut counts = Vec::new();
    server.eventually("output that no longer moves", |server| {
        counts.push(server.ended("ok"));
        counts.len() > 100 && counts[counts.len() - 100..].iter().all(|count| count == counts.last().unwrap())
    });
    assert!(server.ended("ok") < 16.0, "the connection took it all");
    let left = Instant::now();
    client.reset_connection();
    server.at_rest();
    println!("megabytes unread: at rest after {:?}", left.elapsed());
    assert!(left.elapsed() < Duration::from_secs(15), "only the heartbeat saw it: {:?}", left.elapsed());
}

#[tokio::test]
async fn a_client_that_misses_the_heartbeat_is_gone() {
    let server = server(&[("session.heartbeat_ms", "300")]);
    let mut client = WsClient::connect(&server).await;
    client.start(LOOP).await;
    let silent = client.into_stream();
    let since = Instant::now();
    check_stopped(&server, "missed heartbeat", 1.0);
    println!("seen {:?} after its last message", since.elapsed());
    drop(silent);
}

#[tokio::test]
async fn a_client_that_never_reads_misses_the_heartbeat_too() {
    let server = server(&[("session.heartbeat_ms", "300")]);
    let mut client = WsClient::connect(&server).await;
    client.start("for (;;) console.log('x'.repeat(1000))").await;
    let silent = client.into_stream();
    check_stopped(&server, "missed heartbeat in a flood", 1.0);
    drop(silent);
}

#[tokio::test]
async fn a_client_that_answers_pings_lives_on_through_many_heartbeats() {
    let server = server(&[("session.heartbeat_ms", "500")]);
    let mut client = WsClient::connect(&server).await;
    assert_eq!(client.run("await new Promise(r => setTimeout(r, 3000)); 'alive'").await.text(), "'alive'");
}

#[tokio::test]
async fn a_close_without_a_code_gives_the_run_close_drain_ms() {
    let server = server(&[("session.close_drain_ms", "400")]);
    let mut client = WsClient::connect(&server).await;
    client.start(LOOP).await;
    let closed = Instant::now();
    client.close(None).await;
    let (messages, _) = client.closed().await;
    let took = closed.elapsed();
    println!("a Close without a code was answered after {took:?}");
    assert!(took >= Duration::from_millis(400), "not even drained: {took:?}");
    assert!(messages.iter().all(|message| message["type"] != "done"), "nobody is there any more: {messages:?}");
    check_stopped(&server, "Close without a code", 1.0);
}

#[tokio::test]
async fn a_close_without_a_code_lets_short_runs_finish() {
    let server = server(&[("session.close_drain_ms", "60000")]);
    let mut client = WsClient::connect(&server).await;
    client.send(json!({ "type": "run", "code": "await new Promise(r => setTimeout(r, 100)); 1" })).await;
    client.send(json!({ "type": "run", "code": "console.log('second'); 2" })).await;
    client.close(None).await;
    let (messages, _) = client.closed().await;
    let texts: Vec<&Value> =
        messages.iter().filter(|message| message["type"] == "done").map(|done| &done["value"]["text"]).collect();
    assert_eq!(texts, ["1", "2"]);
    server.at_rest();
}

#[tokio::test]
async fn a_close_drain_of_zero_stops_at_once() {
    let server = server(&[("session.close_drain_ms", "0")]);
    let mut client = WsClient::connect(&server).await;
    client.start(LOOP).await;
    client.close(None).await;
    client.closed().await;
    check_stopped(&server, "Close without a code, drain 0", 1.0);
}

#[tokio::test]
async fn on_ws_text_runs_finish_before_the_close_is_answered() {
    let server = server(&[("session.close_drain_ms", "1")]);
    let mut client = WsClient::open(server.address, "/ws/text").await;
    client.send_text("await new Promise(r => setTimeout(r, 1500)); 'first'").await;
    client.send_text("console.log('logged'); 'second'").await;
    client.close(None).await;
    let mut texts = Vec::new();
    while let Some(message) = client.recv_raw().await {
        if message.is_close() {
            break;
        }
        texts.push(message.into_text().unwrap().to_string());
    }
    assert_eq!(texts, ["'first'", "logged", "'second'"]);
    server.at_rest();
}

#[tokio::test]
async fn a_client_that_is_cut_while_it_drains_is_gone() {
    let server = server(&[("session.close_drain_ms", "250000")]);
    let mut client = WsClient::connect(&server).await;
    client.start(LOOP).await;
    client.close(None).await;
    client.reset_connection();
    check_stopped(&server, "cut while draining", 1.0);
}

#[tokio::test]
async fn an_http_client_that_hangs_up_stops_its_run() {
    let server = server(&[]);
    for (runs, code) in [(1.0, LOOP), (2.0, NATIVE_LOOP)] {
        let posted = Posted::run(&server, &json!({ "code": code, "timeout_ms": LONG_MS }), "*/*").await;
        server.eventually("a leased worker", |server| server.slots("leased") == 1.0);
        posted.hang_up();
        check_stopped(&server, "HTTP", runs);
    }
}

#[tokio::test]
async fn a_streaming_http_client_that_hangs_up_stops_its_run() {
    let server = server(&[]);
    for (runs, code) in [(1.0, LOOP), (2.0, NATIVE_LOOP), (3.0, "for (;;) console.log('x'.repeat(1000))")] {
        let mut posted = Posted::ndjson(&server, &json!({ "code": code, "timeout_ms": LONG_MS })).await;
        posted.until("started").await;
        posted.hang_up();
        check_stopped(&server, "NDJSON", runs);
    }
}

/// A process that is stopped, or a laptop that is closed, still has its connection.
#[test]
fn a_curl_that_is_killed_stops_its_run() {
    let server = server(&[]);
    let body = json!({ "code": LOOP, "timeout_ms": LONG_MS }).to_string();
    let mut curl =
        std::process::Command::new("curl").args(["-sS", "-d", &body, &server.url("/api/run")]).spawn().unwrap();
    server.eventually("a leased worker", |server| server.slots("leased") == 1.0);
    crate::support::server::send_signal(curl.id(), Signal::KILL);
    curl.wait().unwrap();
    check_stopped(&server, "curl", 1.0);
}
