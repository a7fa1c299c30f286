//! More sessions than workers: a line with places, an end to waiting, and idle sessions that make room.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::server::TestServer;
use crate::support::ws::{Ran, WsClient};

fn one_worker(settings: &[(&str, &str)]) -> TestServer {
    TestServer::with(&[&[("pool.warm", "1"), ("pool.max", "1")], settings].concat())
}

fn started(ran: &Ran) -> &Value {
    &ran.messages.iter().find(|message| message["type"] == "started").unwrap()["runtime"]
}

/// A session in the pool's line, with the place that it was told.
async fn in_line(server: &TestServer, position: u64) -> WsClient {
    let mut client = WsClient::connect(server).await;
    client.send(json!({ "type": "run", "id": "w", "code": "'served'" })).await;
    let queued = json!({ "type": "queued", "id": "w", "position": position, "waiting_for": "pool" });
    assert_eq!(client.recv().await, queued);
    client
}

#[tokio::test]
async fn who_waits_is_told_the_place_in_line_and_every_move() {
    let server = one_worker(&[("pool.wait_ms", "60000")]);
    let mut holder = WsClient::connect(&server).await;
    holder.start_loop().await;
    let mut first = in_line(&server, 1).await;
    let second = in_line(&server, 2).await;
    let mut third = in_line(&server, 3).await;
    assert_eq!(server.metric("runpen_pool_waiting"), 3.0);

    second.cut();
    assert_eq!(third.recv().await["position"], 2, "the one before it has left");
    holder.close(Some(1000)).await;
    assert_eq!(first.until("done").await["value"]["text"], "'served'");
    assert_eq!(third.recv().await["position"], 1);
    first.close(Some(1000)).await;
    assert_eq!(third.until("done").await["value"]["text"], "'served'");
}

#[tokio::test]
async fn waiting_ends_with_busy_and_the_session_may_try_again() {
    let server = one_worker(&[("pool.wait_ms", "200")]);
    let mut holder = WsClient::connect(&server).await;
    holder.start_loop().await;
    let since = Instant::now();
    let mut client = in_line(&server, 1).await;
    client.send(json!({ "type": "run", "id": "behind", "code": "1" })).await;
    let refused = client.all_until(|message| message["type"] == "error" && message["id"] == "behind").await;
    let took = since.elapsed();
    assert!(took >= Duration::from_millis(200), "given up after {took:?}");
    let errors: Vec<(&Value, &Value)> = refused
        .iter()
        .filter(|message| message["type"] == "error")
        .map(|error| (&error["id"], &error["code"]))
        .collect();
    assert_eq!(errors, [(&json!("w"), &json!("busy")), (&json!("behind"), &json!("busy"))]);
    holder.cut();
    server.eventually("a free worker", |server| server.slots("idle") == 1.0);
    client.works().await;
}

#[tokio::test]
async fn a_line_that_is_full_refuses_at_once() {
    let server = one_worker(&[("pool.wait_ms", "60000"), ("pool.wait_queue", "1")]);
    let mut holder = WsClient::connect(&server).await;
    holder.start_loop().await;
    let waiting = in_line(&server, 1).await;
    let mut client = WsClient::connect(&server).await;
    let error = client.refused(json!({ "type": "run", "id": "r", "code": "1" })).await;
    assert_eq!((&error["code"], &error["id"]), (&json!("busy"), &json!("r")));
    assert_eq!(server.metric("runpen_pool_refused_total"), 1.0);
    assert_eq!(server.get("/readyz").status, 503);
    waiting.cut();
    server.eventually("an empty line", |server| server.metric("runpen_pool_waiting") == 0.0);
    in_line(&server, 1).await;
}

#[tokio::test]
async fn an_idle_session_makes_room_for_one_that_waits_and_is_told_so_by_fresh() {
    let server = one_worker(&[("pool.idle_lease_ms", "50"), ("pool.wait_ms", "60000")]);
    let mut idle = WsClient::connect(&server).await;
    idle.run("mine = 1").await;
    let mut client = WsClient::connect(&server).await;
    let ran = client.run("typeof mine").await;
    assert_eq!((started(&ran), ran.text()), (&json!("fresh"), "'undefined'"));
    client.close(Some(1000)).await;
    let ran = idle.run("typeof mine").await;
    assert_eq!((started(&ran), ran.text()), (&json!("fresh"), "'undefined'"));
}

/// A timer is work: whoever has one is not idle, however long ago his last run was.
#[tokio::test]
async fn neither_an_active_session_nor_one_with_timers_is_made_to_give_way() {
    let server = one_worker(&[("pool.idle_lease_ms", "1"), ("pool.wait_ms", "500")]);
    let mut holder = WsClient::connect(&server).await;
    holder.run("ticks = 0; setInterval(() => ticks++, 5)").await;
    let mut client = WsClient::connect(&server).await;
    let error = client.refused(json!({ "type": "run", "code": "1" })).await;
    assert_eq!(error["code"], "busy");
    let ran = holder.run("ticks").await;
    assert_eq!(started(&ran), "kept");
}

#[tokio::test]
async fn an_idle_session_keeps_its_state_while_nobody_waits() {
    let server = one_worker(&[("pool.idle_lease_ms", "1")]);
    let mut client = WsClient::connect(&server).await;
    client.run("mine = 1").await;
    assert_eq!(client.run("await new Promise(r => setTimeout(r, 100)); mine").await.text(), "1");
    let ran = client.run("mine").await;
    assert_eq!((started(&ran), ran.text()), (&json!("kept"), "1"));
}

#[tokio::test]
async fn many_sessions_share_few_workers_and_each_gets_its_own_answer() {
    let server = TestServer::with(&[("pool.warm", "2"), ("pool.max", "3"), ("pool.wait_ms", "60000")]);
    let session = async |number: usize| {
        let mut client = WsClient::connect(&server).await;
        let ran = client.run(&format!("mine = {number}; await 0; mine * 2")).await;
        assert_eq!((started(&ran), ran.text()), (&json!("fresh"), (number * 2).to_string().as_str()));
        client.close(Some(1000)).await;
        client.close_code().await
    };
    let codes = join_all((0..60).map(session)).await;
    assert!(codes.iter().all(|code| *code == Some(1000)), "{codes:?}");
    server.at_rest();
    assert!(server.children().len() <= 3);
}

#[tokio::test]
async fn with_reuse_never_every_session_has_a_process_of_its_own() {
    let server = one_worker(&[("pool.reuse", "never")]);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let mut client = WsClient::connect(&server).await;
        client.works().await;
        seen.extend(server.children());
        client.close(Some(1000)).await;
        client.closed().await;
        server.at_rest();
        server.eventually("the next worker", |server| server.slots("idle") == 1.0);
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 3);
}
