//! Processes that die: a worker is replaced and its run told so; with the server all of its workers end.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::server::{TestServer, send_signal, wait_for_end_of};
use crate::support::ws::{LOOP, NATIVE_LOOP, WsClient};

/// A server with one worker, which therefore is the one that a session has.
fn one_worker() -> TestServer {
    TestServer::with(&[("pool.warm", "1"), ("pool.max", "1")])
}

fn the_worker(server: &TestServer) -> u32 {
    let children = server.children();
    assert_eq!(children.len(), 1, "{children:?}");
    children[0]
}

#[track_caller]
fn check_crashed(done: &Value) {
    assert_eq!((&done["outcome"], &done["runtime"]), (&json!("crashed"), &json!("replaced")), "{done}");
    assert_eq!(done["error"]["name"], "CrashError", "{done}");
}

#[tokio::test]
async fn a_worker_killed_in_a_run_is_a_crash_and_the_session_goes_on() {
    let server = one_worker();
    let mut client = WsClient::connect(&server).await;
    for code in [LOOP, NATIVE_LOOP, "await new Promise(r => setTimeout(r, 60000))"] {
        client.run("left = 1").await;
        client.start(code).await;
        let worker = the_worker(&server);
        send_signal(worker, Signal::KILL);
        check_crashed(&client.until("done").await);
        let ran = client.run("typeof left").await;
        assert_eq!(ran.text(), "'undefined'", "state is gone with the worker");
        let started = ran.messages.iter().find(|message| message["type"] == "started").unwrap();
        assert_eq!(started["runtime"], "fresh");
        assert_ne!(the_worker(&server), worker);
    }
    assert_eq!((server.ended("crashed"), server.retired("died_in_use")), (3.0, 3.0));
}

#[tokio::test]
async fn a_worker_that_dies_by_its_own_code_is_a_crash_too() {
    let server = one_worker();
    let mut client = WsClient::connect(&server).await;
    // Native recursion without a check of the stack.
    let ran = client.run("let it = [].values(); for (let i = 0; i < 1e5; i++) it = it.take(5); it.next()").await;
    check_crashed(&ran.done);
    client.works().await;
    server.eventually("its end", |server| server.died("SIGSEGV") == 1.0);
    assert_eq!(server.died("SIGSYS"), 0.0, "no false alarm");
}

#[tokio::test]
async fn a_worker_killed_in_the_background_settles_what_it_had_promised() {
    let server = one_worker();
    let mut client = WsClient::connect(&server).await;
    assert_eq!(client.run("setInterval(() => 0, 1000)").await.done["background"], 1);
    send_signal(the_worker(&server), Signal::KILL);
    let settled = client.until("settled").await;
    assert_eq!((&settled["outcome"], &settled["runtime"]), (&json!("crashed"), &json!("replaced")));
    client.works().await;
}

#[tokio::test]
async fn runs_queued_behind_a_crash_run_in_a_new_runtime() {
    let server = one_worker();
    let mut client = WsClient::connect(&server).await;
    client.start_loop().await;
    client.send(json!({ "type": "run", "id": "next", "code": "'alive'" })).await;
    client.until("queued").await;
    send_signal(the_worker(&server), Signal::KILL);
    check_crashed(&client.until("done").await);
    let messages = client.all_until(|message| message["type"] == "done").await;
    let started = messages.iter().find(|message| message["type"] == "started").unwrap();
    assert_eq!((&started["id"], &started["runtime"]), (&json!("next"), &json!("fresh")));
    assert_eq!(messages.last().unwrap()["value"]["text"], "'alive'");
}

#[tokio::test]
async fn a_worker_that_dies_between_two_runs_costs_the_session_only_its_state() {
    let server = one_worker();
    let mut client = WsClient::connect(&server).await;
    client.run("left = 1").await;
    let worker = the_worker(&server);
    send_signal(worker, Signal::KILL);
    wait_for_end_of(&[worker]);
    assert_eq!(client.run("typeof left").await.text(), "'undefined'");
}

#[tokio::test]
async fn idle_workers_that_die_are_replaced() {
    let server = TestServer::with(&[("pool.warm", "3"), ("pool.max", "4")]);
    server.eventually("three idle workers", |server| server.slots("idle") == 3.0);
    let workers = server.children();
    for worker in &workers {
        send_signal(*worker, Signal::KILL);
    }
    server.eventually("three new idle workers", |server| {
        let now = server.children();
        server.slots("idle") == 3.0 && now.len() == 3 && now.iter().all(|worker| !workers.contains(worker))
    });
    assert_eq!(server.retired("died_idle"), 3.0);
    WsClient::connect(&server).await.works().await;
}

/// At once: nobody may meet a dead worker because the sweep has not come by yet.
#[tokio::test]
async fn a_session_never_gets_a_worker_that_died_while_idle() {
    let server = TestServer::with(&[("pool.warm", "2"), ("pool.max", "2")]);
    server.eventually("idle workers", |server| server.slots("idle") == 2.0);
    for _ in 0..5 {
        let workers = server.children();
        workers.iter().for_each(|worker| send_signal(*worker, Signal::KILL));
        wait_for_end_of(&workers);
        let mut client = WsClient::connect(&server).await;
        client.works().await;
        client.close(Some(1000)).await;
        server.eventually("idle workers", |server| server.slots("idle") == 2.0);
    }
    assert_eq!(server.ended("crashed"), 0.0);
}

#[tokio::test]
async fn a_killed_server_leaves_no_worker_behind() {
    let mut server = TestServer::with(&[("pool.warm", "4"), ("pool.max", "8")]);
    let mut clients = Vec::new();
    for code in [LOOP, NATIVE_LOOP, "setInterval(() => 0, 10); await new Promise(() => 0)"] {
        let mut client = WsClient::connect(&server).await;
        client.start(code).await;
        clients.push(client);
    }
    server.eventually("idle workers beside the busy ones", |server| server.slots("idle") >= 1.0);
    let workers = server.children();
    assert!(workers.len() > 3, "{workers:?}");
    server.signal(Signal::KILL);
    assert_eq!(server.wait(), None);
    wait_for_end_of(&workers);
    for client in &mut clients {
        let (messages, close) = client.closed().await;
        assert!(messages.is_empty() && close.is_none(), "{messages:?} {close:?}");
    }
}
