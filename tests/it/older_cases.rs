//! Both cases of the test table of an older executor, whose time-out answered the client while the code went on, and whose HTTP
//! reply was cut off by an equally long time-out of the connection.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::server::TestServer;
use crate::support::ws::WsClient;

const VALUE: &str = r#"return {message: "OK", value: 42}"#;

const BILLION_STEPS: &str = "let x = 0; for (let i = 0; i < 1e9; i++) x += Math.sqrt(i) * Math.sin(i); x";

const TIMEOUT: Duration = Duration::from_secs(3);

/// Beyond the deadline: interrupt, message, and a machine that is busy with other tests.
const ROOM: Duration = Duration::from_secs(3);

#[track_caller]
fn check_time(took: Duration) {
    assert!(took >= TIMEOUT, "stopped before its time: {took:?}");
    assert!(took < TIMEOUT + ROOM, "stopped late: {took:?}");
    println!("3 s time-out answered after {took:?}");
}

#[tokio::test]
async fn a_returned_object_comes_back_over_websocket() {
    let server = TestServer::start();
    let ran = WsClient::connect(&server).await.run(VALUE).await;
    assert_eq!(ran.outcome(), "ok", "{}", ran.done);
    assert_eq!(ran.text(), "{ message: 'OK', value: 42 }");
    assert_eq!(ran.done["value"]["json"], json!({ "message": "OK", "value": 42 }));
}

#[test]
fn a_returned_object_comes_back_over_http() {
    let server = TestServer::start();
    let reply = server.run(&json!({ "code": VALUE }));
    assert_eq!(reply.status, 200, "{reply:?}");
    let reply = reply.json();
    assert_eq!(
        (&reply["success"], &reply["result"]),
        (&json!(true), &json!({ "message": "OK", "value": 42 })),
        "{reply}"
    );
    check_timing(&reply);
}

#[tokio::test]
async fn a_billion_steps_end_at_three_seconds_over_websocket() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    let run = json!({ "type": "run", "code": BILLION_STEPS, "timeout_ms": TIMEOUT.as_millis() as u64 });
    let ran = client.request(run).await;
    check_time(ran.took);
    assert_eq!(ran.outcome(), "timeout", "{}", ran.done);
    assert_eq!(ran.done["error"]["name"], "TimeoutError");
    assert!(ran.done["usage"]["wall_ms"].as_f64().unwrap() >= 3000.0, "{}", ran.done);
    client.works().await;
}

#[test]
fn a_billion_steps_end_at_three_seconds_over_http_with_a_whole_reply() {
    let server = TestServer::start();
    let sent = Instant::now();
    let reply = server.run(&json!({ "code": BILLION_STEPS, "timeout_ms": TIMEOUT.as_millis() as u64 }));
    check_time(sent.elapsed());
    assert_eq!(reply.status, 200, "{reply:?}");
    let reply = reply.json();
    assert_eq!((&reply["success"], &reply["outcome"]), (&json!(false), &json!("timeout")), "{reply}");
    assert_eq!(reply["error"]["type"], "TimeoutError");
    assert!(reply["error"]["message"].as_str().unwrap().contains("3000 ms"), "{reply}");
    check_timing(&reply);
    assert!(reply["timing"]["executionTime"].as_f64().unwrap() >= 3000.0, "{reply}");
}

#[track_caller]
fn check_timing(reply: &Value) {
    let time = |name: &str| reply["timing"][name].as_f64().unwrap_or_else(|| panic!("no {name} in {reply}"));
    assert!(time("executionTime") <= time("totalTime"), "{reply}");
    assert!(reply["timestamp"].is_u64(), "{reply}");
}
