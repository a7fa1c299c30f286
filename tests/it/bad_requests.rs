//! HTTP requests that do not become runs: the status says whose fault it is, the body says what is wrong.

use serde_json::json;

use crate::support::server::{Reply, TestServer};
use crate::support::ws::WsClient;

#[track_caller]
fn check(reply: &Reply, status: u16, kind: &str, words: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    let body = reply.json();
    assert_eq!((&body["success"], &body["error"]["type"]), (&json!(false), &json!(kind)), "{body}");
    assert!(body["error"]["message"].as_str().unwrap().contains(words), "{body}");
    assert!(body["timestamp"].is_u64(), "{body}");
}

#[test]
fn a_body_that_is_no_run_is_a_400() {
    let server = TestServer::start();
    for (body, words) in [
        ("", "JSON object"),
        ("1 + 1", "JSON object"),
        (r#"["code"]"#, "JSON object"),
        ("{}", "`code` is missing"),
        (r#"{"code":1}"#, "expected a string"),
        (r#"{"code":"1","timeout_ms":0}"#, "whole number from 1 to 300000"),
        (r#"{"code":"1","timeout_ms":1e99}"#, "whole number from 1 to 300000"),
        (r#"{"code":"\u0000"}"#, "NUL"),
    ] {
        check(&server.curl(&["-d", body], "/api/run"), 400, "bad_message", words);
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("body");
    std::fs::write(&file, b"{\"code\":\"\xff\"}").unwrap();
    let upload = format!("@{}", file.display());
    check(&server.curl(&["--data-binary", &upload], "/api/run"), 400, "bad_message", "UTF-8");
    assert_eq!(server.run(&json!({ "code": "1 + 1" })).json()["result"], 2);
}

#[test]
fn what_is_too_large_is_a_413() {
    let server = TestServer::start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("body");
    let upload = format!("@{}", file.display());
    std::fs::write(&file, json!({ "code": " ".repeat(262_145) }).to_string()).unwrap();
    check(&server.curl(&["--data-binary", &upload], "/api/run"), 413, "too_large", "the limit is 262144");
    std::fs::write(&file, json!({ "code": "1", "input": "x".repeat(1_048_576) }).to_string()).unwrap();
    check(&server.curl(&["--data-binary", &upload], "/api/run"), 413, "too_large", "1048576");
}

#[test]
fn another_method_is_a_405_that_names_the_right_one() {
    let server = TestServer::start();
    check(&server.get("/api/run"), 405, "bad_message", "POST");
    check(&server.curl(&["-X", "DELETE"], "/api/run"), 405, "bad_message", "POST");
    assert!(server.curl(&["-i"], "/api/run").body.to_lowercase().contains("allow: post"));
}

#[test]
fn more_runs_a_second_than_allowed_are_a_429() {
    let server = TestServer::with(&[("server.http_runs_per_s", "1")]);
    let url = server.url("/api/run");
    let body = r#"{"code":"1"}"#;
    // One curl, so that the requests come faster than processes start.
    let output = std::process::Command::new("curl")
        .args(["-sS", "-w", "\n%{http_code}\n", "-d", body, &url, &url, &url, &url])
        .output()
        .unwrap();
    let lines: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    let replies: Vec<Reply> =
        lines.chunks(2).map(|reply| Reply { body: reply[0].clone(), status: reply[1].parse().unwrap() }).collect();
    assert_eq!((replies.len(), replies[0].status), (4, 200));
    let refused: Vec<&Reply> = replies.iter().filter(|reply| reply.status != 200).collect();
    assert!(!refused.is_empty(), "{replies:?}");
    refused.iter().for_each(|reply| check(reply, 429, "rate_limited", "too many runs a second"));
}

#[tokio::test]
async fn a_full_pool_is_a_503_that_says_when_to_try_again() {
    let server = TestServer::with(&[("pool.warm", "1"), ("pool.max", "1"), ("pool.wait_ms", "50")]);
    let mut holder = WsClient::connect(&server).await;
    holder.start_loop().await;
    let reply = server.run(&json!({ "code": "1" }));
    check(&reply, 503, "busy", "no runtime became free in time");
    let streamed = server.curl(&["-H", "accept: application/x-ndjson", "-d", r#"{"code":"1"}"#], "/api/run");
    // What is streamed has begun with `queued`, so the refusal is its last line.
    assert_eq!(streamed.status, 200);
    let last: serde_json::Value = serde_json::from_str(streamed.body.lines().last().unwrap()).unwrap();
    assert_eq!((&last["type"], &last["code"]), (&json!("error"), &json!("busy")));
    let headers = server.curl(&["-i", "-d", r#"{"code":"1"}"#], "/api/run").body.to_lowercase();
    assert!(headers.contains("retry-after: 1"), "{headers}");
    holder.cut();
    server.eventually("a free worker", |server| server.slots("idle") == 1.0);
    assert_eq!(server.run(&json!({ "code": "1 + 1" })).json()["result"], 2);
}

#[tokio::test]
async fn sessions_beyond_the_limit_are_a_503() {
    let server = TestServer::with(&[("server.max_sessions", "2")]);
    let (mut one, mut other) = (WsClient::connect(&server).await, WsClient::connect(&server).await);
    one.works().await;
    other.works().await;
    check(&server.run(&json!({ "code": "1" })), 503, "busy", "as many sessions as it takes");
    let refused = WsClient::try_open(server.address, "/ws").await.err().expect("a refusal").to_string();
    assert!(refused.contains("503"), "{refused}");
    other.close(Some(1000)).await;
    other.closed().await;
    server.eventually("a place", |server| server.metric("runpen_sessions{kind=\"websocket\"}") == 1.0);
    WsClient::connect(&server).await.works().await;
    one.works().await;
}

#[test]
fn a_websocket_address_asked_without_an_upgrade_is_a_400() {
    let server = TestServer::start();
    check(&server.get("/ws"), 400, "bad_message", "WebSocket");
    server.at_rest();
}
