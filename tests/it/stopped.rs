//! Workers that somebody on the machine has stopped (SIGSTOP): silent, alive, and of no use. Each is replaced like a stuck one, and
//! nobody waits for it until a deadline.

use rustix::process::Signal;
use serde_json::json;

use crate::support::server::{TestServer, runs, send_signal, wait_for_end_of};
use crate::support::ws::{LONG_MS, LOOP, WsClient};

/// A server whose only worker is this one.
fn server_of_one() -> (TestServer, u32) {
    let server = TestServer::with(&[("pool.warm", "1"), ("pool.max", "1")]);
    server.at_rest();
    let [worker] = server.children()[..] else { panic!("one worker") };
    (server, worker)
}

/// The worker is gone, and the pool as full and able as before.
async fn was_replaced(server: &TestServer, worker: u32) {
    wait_for_end_of(&[worker]);
    server.at_rest();
    assert!(server.children().iter().all(|pid| *pid != worker && runs(*pid)));
    WsClient::connect(server).await.works().await;
}

#[tokio::test]
async fn an_idle_worker_that_is_stopped_is_replaced_before_anybody_wants_it() {
    let (server, worker) = server_of_one();
    send_signal(worker, Signal::STOP);
    was_replaced(&server, worker).await;
    assert_eq!(server.retired("stopped"), 1.0);
    assert_eq!(server.ended("crashed"), 0.0);
}

#[tokio::test]
async fn a_session_whose_idle_worker_was_stopped_starts_anew_with_its_next_run() {
    let (server, worker) = server_of_one();
    let mut client = WsClient::connect(&server).await;
    client.works().await;
    send_signal(worker, Signal::STOP);
    wait_for_end_of(&[worker]);
    client.send(json!({ "type": "run", "code": "1+1" })).await;
    assert_eq!(client.until("started").await["runtime"], "fresh");
    assert_eq!(client.until("done").await["outcome"], "ok");
}

#[tokio::test]
async fn a_run_sent_to_a_stopped_worker_ends_as_crashed_long_before_its_deadline() {
    let (server, worker) = server_of_one();
    let mut client = WsClient::connect(&server).await;
    client.works().await;
    send_signal(worker, Signal::STOP);
    // By now the worker may have been replaced already; then the run is not harmed.
    let ran = client.request(json!({ "type": "run", "code": "1+1", "timeout_ms": LONG_MS })).await;
    match ran.outcome() {
        "crashed" => assert_eq!(ran.done["runtime"], "replaced"),
        outcome => assert_eq!(outcome, "ok"),
    }
    client.works().await;
    assert!(!runs(worker));
}

#[tokio::test]
async fn a_running_worker_that_is_stopped_ends_its_runs_as_crashed() {
    let (server, worker) = server_of_one();
    let mut client = WsClient::connect(&server).await;
    client.start(LOOP).await;
    send_signal(worker, Signal::STOP);
    let done = client.until("done").await;
    assert_eq!((&done["outcome"], &done["runtime"]), (&json!("crashed"), &json!("replaced")));
    client.works().await;
}

#[tokio::test]
async fn a_worker_that_is_stopped_on_its_way_back_to_the_pool_is_replaced() {
    let (server, worker) = server_of_one();
    let mut client = WsClient::connect(&server).await;
    client.works().await;
    send_signal(worker, Signal::STOP);
    client.close(Some(1000)).await;
    client.close_code().await;
    was_replaced(&server, worker).await;
}

#[tokio::test]
async fn a_worker_that_goes_on_before_it_is_missed_is_kept() {
    let (server, worker) = server_of_one();
    let mut client = WsClient::connect(&server).await;
    client.works().await;
    send_signal(worker, Signal::STOP);
    send_signal(worker, Signal::CONT);
    client.works().await;
    assert!(runs(worker));
}
