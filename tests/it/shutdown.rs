//! SIGTERM and SIGINT: every run is told, every socket closed, no process left.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::support::http::Posted;
use crate::support::server::{TestServer, runs, wait_for_end_of};
use crate::support::ws::{LONG_MS, LOOP, NATIVE_LOOP, WsClient};

/// The default of `server.shutdown_ms`, and room for a machine that is busy with other tests.
const WITHIN: Duration = Duration::from_millis(5000 + 5000);

/// The end of a session as its client sees it: each run with its outcome, then 1001.
async fn check_told(mut client: WsClient, expected: &[(&str, &str)]) {
    let (messages, close) = client.closed().await;
    let ends = messages.iter().filter(|message| message["type"] == "done" || message["type"] == "settled");
    let ends: Vec<(&Value, &Value)> = ends.map(|end| (&end["id"], &end["outcome"])).collect();
    let mut told: Vec<(&str, &str)> =
        ends.iter().map(|(id, outcome)| (id.as_str().unwrap(), outcome.as_str().unwrap())).collect();
    told.sort_unstable();
    assert_eq!(told, expected, "{messages:?}");
    let close = close.expect("a close frame");
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1001, "the server is shutting down"));
}

/// The server ends well and in time, and its workers with it.
fn check_ends(mut server: TestServer, workers: &[u32], since: Instant) {
    assert_eq!(server.wait(), Some(0));
    println!("the server ended {:?} after the signal", since.elapsed());
    assert!(since.elapsed() < WITHIN, "{:?}", since.elapsed());
    let left: Vec<&u32> = workers.iter().filter(|worker| runs(**worker)).collect();
    assert!(left.is_empty(), "workers outlive their server: {left:?}");
}

async fn start(server: &TestServer, id: &str, code: &str) -> WsClient {
    let mut client = WsClient::connect(server).await;
    client.send(json!({ "type": "run", "id": id, "code": code, "timeout_ms": LONG_MS })).await;
    client.until("started").await;
    client
}

async fn sessions_of_every_kind(signal: Signal) {
    let server = TestServer::with(&[("pool.warm", "4"), ("pool.max", "4"), ("pool.wait_ms", "60000")]);
    let mut looping = start(&server, "loop", LOOP).await;
    for id in ["queue 1", "queue 2"] {
        looping.send(json!({ "type": "run", "id": id, "code": "1" })).await;
        looping.until("queued").await;
    }
    let native = start(&server, "native", NATIVE_LOOP).await;
    let mut background = WsClient::connect(&server).await;
    background.send(json!({ "type": "run", "id": "timer", "code": "setInterval(() => 0, 5)" })).await;
    background.until("done").await;
    let asking = {
        let mut client = WsClient::connect(&server).await;
        client.send(json!({ "type": "run", "id": "asks", "code": "prompt('name?')" })).await;
        client.until("input_request").await;
        client
    };
    let mut waiting = WsClient::connect(&server).await;
    waiting.send(json!({ "type": "run", "id": "waits", "code": "1" })).await;
    assert_eq!(waiting.until("queued").await["waiting_for"], "pool");
    let mut never_ran = WsClient::connect(&server).await;
    never_ran.ping().await;
    let workers = server.children();
    assert_eq!(workers.len(), 4);

    let since = Instant::now();
    server.signal(signal);
    check_told(looping, &[("loop", "shutdown"), ("queue 1", "shutdown"), ("queue 2", "shutdown")]).await;
    check_told(native, &[("native", "shutdown")]).await;
    check_told(background, &[("timer", "shutdown")]).await;
    check_told(asking, &[("asks", "shutdown")]).await;
    check_told(waiting, &[("waits", "shutdown")]).await;
    check_told(never_ran, &[]).await;
    check_ends(server, &workers, since);
}

#[tokio::test]
async fn sigterm_tells_every_session_and_leaves_no_worker() {
    sessions_of_every_kind(Signal::TERM).await;
}

#[tokio::test]
async fn sigint_does_the_same() {
    sessions_of_every_kind(Signal::INT).await;
}

#[test]
fn an_idle_server_ends_at_once() {
    let server = TestServer::start();
    let workers = server.children();
    let since = Instant::now();
    server.signal(Signal::TERM);
    check_ends(server, &workers, since);
}

#[tokio::test]
async fn a_client_that_never_reads_does_not_hold_the_server_up() {
    let server = TestServer::start();
    let flood = start(&server, "flood", "for (;;) console.log('x'.repeat(1000))").await;
    let deaf = flood.into_stream();
    server.eventually("output that nobody reads", |server| server.slots("leased") == 1.0);
    let other = start(&server, "loop", LOOP).await;
    let workers = server.children();
    let since = Instant::now();
    server.signal(Signal::TERM);
    check_told(other, &[("loop", "shutdown")]).await;
    check_ends(server, &workers, since);
    drop(deaf);
}

#[tokio::test]
async fn shutdown_ms_bounds_the_end_whatever_clients_do() {
    let server = TestServer::with(&[("server.shutdown_ms", "1000")]);
    let mut deaf = Vec::new();
    for id in ["a", "b", "c"] {
        deaf.push(start(&server, id, "for (;;) console.log('x'.repeat(1000))").await.into_stream());
    }
    let half_open = TcpStream::connect(server.address).await.unwrap();
    let workers = server.children();
    let since = Instant::now();
    server.signal(Signal::TERM);
    check_ends(server, &workers, since);
    assert!(since.elapsed() < Duration::from_secs(1) + WITHIN / 2);
    drop((deaf, half_open));
}

#[tokio::test]
async fn an_http_run_gets_its_reply() {
    let server = TestServer::start();
    let body = json!({ "code": LOOP, "timeout_ms": LONG_MS });
    let mut whole = Posted::run(&server, &body, "*/*").await;
    let mut streamed = Posted::ndjson(&server, &body).await;
    streamed.until("started").await;
    server.eventually("two leased workers", |server| server.slots("leased") == 2.0);
    let workers = server.children();
    let since = Instant::now();
    server.signal(Signal::TERM);
    let reply = whole.next().await.expect("a reply, not a cut connection");
    assert_eq!((&reply["outcome"], &reply["error"]["type"]), (&json!("shutdown"), &json!("ShutdownError")));
    assert_eq!(streamed.until("done").await["outcome"], "shutdown");
    check_ends(server, &workers, since);
}

/// The worker that loops in native code holds the shutdown up for its grace, in which the server still answers.
#[tokio::test]
async fn meanwhile_the_server_is_not_ready_and_takes_nobody_in() {
    let times = [("run.kill_grace_ms", "3000"), ("pool.health_ms", "4000"), ("server.shutdown_ms", "20000")];
    let mut server = TestServer::with(&times);
    let native = start(&server, "native", NATIVE_LOOP).await;
    assert_eq!(server.get("/readyz").status, 200);
    server.signal(Signal::TERM);
    server.eventually("a server that is not ready", |server| server.get("/readyz").status == 503);
    assert_eq!(server.get("/healthz").status, 200, "it still lives");
    let reply = server.run(&json!({ "code": "1" }));
    assert_eq!((reply.status, &reply.json()["error"]["type"]), (503, &json!("shutting_down")));
    assert!(WsClient::try_open(server.address, "/ws").await.is_err());
    let workers = server.children();
    check_told(native, &[("native", "shutdown")]).await;
    assert_eq!(server.wait(), Some(0));
    wait_for_end_of(&workers);
}
