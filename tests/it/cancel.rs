//! Cancelling: wherever the run is, there is one answer, and the session goes on.

use serde_json::{Value, json};

use crate::support::server::TestServer;
use crate::support::ws::{LOOP, NATIVE_LOOP, WsClient};

fn run(id: &str, code: &str) -> Value {
    json!({ "type": "run", "id": id, "code": code, "timeout_ms": 60_000 })
}

fn cancel(id: &str) -> Value {
    json!({ "type": "cancel", "id": id })
}

/// The outcomes of the runs that ended among these messages, by id and in the order they came.
fn ends(messages: &[Value]) -> Vec<(&str, &str)> {
    let ends = messages.iter().filter(|message| message["type"] == "done");
    ends.map(|done| (done["id"].as_str().unwrap(), done["outcome"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_run_in_the_foreground_stops_and_keeps_its_runtime() {
    let server = TestServer::patient();
    let mut client = WsClient::connect(&server).await;
    client.run("kept = 'yes'").await;
    client.send(run("a", LOOP)).await;
    client.until("started").await;
    client.send(cancel("a")).await;
    let done = client.until("done").await;
    assert_eq!(done["outcome"], "cancelled");
    assert_eq!((&done["error"]["name"], &done["runtime"]), (&json!("CancelledError"), &json!("kept")));
    assert_eq!(client.run("kept").await.text(), "'yes'");
    let (count, mean) = server.stops("cancel");
    assert_eq!(count, 1.0);
    println!("cancelled in {mean:?}");
}

#[tokio::test]
async fn a_native_loop_is_cancelled_too_at_the_price_of_its_runtime() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    client.send(run("a", NATIVE_LOOP)).await;
    client.until("started").await;
    client.send(cancel("a")).await;
    let done = client.until("done").await;
    assert_eq!((&done["outcome"], &done["runtime"]), (&json!("cancelled"), &json!("replaced")));
    client.works().await;
}

#[tokio::test]
async fn a_queued_run_is_cancelled_without_touching_the_one_that_runs() {
    let server = TestServer::patient();
    let mut client = WsClient::connect(&server).await;
    client.send(run("a", LOOP)).await;
    client.until("started").await;
    client.send(run("b", "ran = 'b'")).await;
    client.send(run("c", "ran = 'c'")).await;
    client.send(cancel("b")).await;
    let messages = client.ping().await;
    assert_eq!(ends(&messages), [("b", "cancelled")]);
    client.send(cancel("a")).await;
    let messages = client.all_until(|message| message["type"] == "done" && message["id"] == "c").await;
    assert_eq!(ends(&messages), [("a", "cancelled"), ("c", "ok")]);
    assert_eq!(client.run("ran").await.text(), "'c'", "the cancelled run never ran");
}

#[tokio::test]
async fn a_run_is_cancelled_before_it_starts() {
    let server = TestServer::with(&[("pool.warm", "1"), ("pool.max", "1")]);
    let mut holder = WsClient::connect(&server).await;
    holder.start_loop().await;
    let mut client = WsClient::connect(&server).await;
    client.send(run("a", "1 + 1")).await;
    let queued = client.recv().await;
    assert_eq!((&queued["waiting_for"], &queued["position"]), (&json!("pool"), &json!(1)));
    client.send(cancel("a")).await;
    let messages = client.ping().await;
    assert_eq!(ends(&messages), [("a", "cancelled")]);
    server.eventually("an empty line", |server| server.metric("runpen_pool_waiting") == 0.0);
    holder.close(Some(1000)).await;
    client.works().await;
}

/// The cancel is on the heels of the run: whether it meets it before, in or after its start, there is one `done`.
#[tokio::test]
async fn a_cancel_on_the_heels_of_its_run_gives_one_done() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    for round in 0..50 {
        let id = format!("r{round}");
        client.send(run(&id, LOOP)).await;
        client.send(cancel(&id)).await;
        let messages = client.all_until(|message| message["type"] == "done").await;
        assert_eq!(ends(&messages), [(id.as_str(), "cancelled")]);
    }
    let after = client.ping().await;
    assert_eq!(after.len(), 1, "{after:?}");
    client.works().await;
}

#[tokio::test]
async fn a_background_is_cancelled_and_settles_once() {
    let server = TestServer::patient();
    let mut client = WsClient::connect(&server).await;
    client.send(run("a", "ticks = 0; setInterval(() => ticks++, 1); 'begun'")).await;
    let done = client.until("done").await;
    assert_eq!((&done["outcome"], &done["background"]), (&json!("ok"), &json!(1)));
    client.send(cancel("a")).await;
    let settled = client.until("settled").await;
    assert_eq!((&settled["id"], &settled["outcome"]), (&json!("a"), &json!("cancelled")));
    let before = client.run("ticks").await.text().to_owned();
    assert_eq!(client.run("await new Promise(r => setTimeout(r, 30)); ticks").await.text(), before);
}

#[tokio::test]
async fn a_second_cancel_is_told_that_there_is_no_such_run() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    client.send(run("a", LOOP)).await;
    client.until("started").await;
    client.send(cancel("a")).await;
    client.until("done").await;
    let error = client.refused(cancel("a")).await;
    assert_eq!((&error["code"], &error["id"]), (&json!("unknown_run"), &json!("a")));
    client.works().await;
}

/// While the first one is still at work the second changes nothing, and neither is there a second `done`.
#[tokio::test]
async fn two_cancels_at_once_give_one_done() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    client.send(run("a", NATIVE_LOOP)).await;
    client.until("started").await;
    client.send(cancel("a")).await;
    client.send(cancel("a")).await;
    client.until("done").await;
    let after = client.ping().await;
    assert!(after.iter().all(|message| message["type"] == "pong" || message["code"] == "unknown_run"), "{after:?}");
    client.works().await;
}

#[tokio::test]
async fn an_unknown_id_is_an_error_that_names_it() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    for id in [json!("nobody"), json!(7)] {
        let error = client.refused(json!({ "type": "cancel", "id": id })).await;
        assert_eq!((&error["code"], &error["id"]), (&json!("unknown_run"), &id));
    }
    let error = client.refused(json!({ "type": "cancel" })).await;
    assert_eq!((&error["code"], error.get("id")), (&json!("unknown_run"), None));
    client.works().await;
}

#[tokio::test]
async fn a_cancel_without_an_id_ends_queue_foreground_and_background() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    client.send(run("timer", "setInterval(() => 0, 1000)")).await;
    client.until("done").await;
    client.send(run("loop", LOOP)).await;
    client.until("started").await;
    for id in ["q1", "q2", "q3"] {
        client.send(run(id, "1")).await;
    }
    client.send(json!({ "type": "cancel" })).await;
    let mut open = 5;
    let messages = client
        .all_until(|message| {
            open -= usize::from(message["type"] == "done" || message["type"] == "settled");
            open == 0
        })
        .await;
    let mut ended = ends(&messages);
    ended.sort_unstable();
    let cancelled = ["loop", "q1", "q2", "q3"].map(|id| (id, "cancelled"));
    assert_eq!(ended, cancelled);
    let settled = messages.iter().find(|message| message["type"] == "settled").unwrap();
    assert_eq!((&settled["id"], &settled["outcome"]), (&json!("timer"), &json!("cancelled")));
    client.works().await;
}

#[tokio::test]
async fn a_cancel_without_an_id_ends_a_question_and_keeps_the_runtime() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    client.run("kept = 'yes'").await;
    for id in ["a", "b"] {
        let code = "enum A{a,b}".repeat(20_000);
        client.send(json!({ "type": "is_complete", "id": id, "code": code, "lang": "ts" })).await;
    }
    client.send(json!({ "type": "cancel" })).await;
    for id in ["a", "b"] {
        // The first may have had its time before the cancel came.
        let error = client.until("error").await;
        assert_eq!((&error["code"], &error["id"]), (&json!("no_answer"), &json!(id)));
    }
    assert_eq!(client.run("kept").await.text(), "'yes'");
}
