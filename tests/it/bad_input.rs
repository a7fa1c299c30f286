//! Whatever a client sends, it gets a clear answer, and its session goes on.

use std::collections::HashMap;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::support::server::TestServer;
use crate::support::ws::WsClient;

const CODE_BYTES: usize = 262_144;
const FRAME_BYTES: usize = 1_048_576;

/// This text frame is answered with this code and words, and the runtime with all its state goes on.
async fn check_error(client: &mut WsClient, text: &str, code: &str, words: &str) {
    client.send_text(text).await;
    check_answer(client, text, code, words).await;
}

async fn check_answer(client: &mut WsClient, what: &str, code: &str, words: &str) {
    let what: String = what.chars().take(100).collect();
    let error = client.recv().await;
    assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!(code)), "{what}: {error}");
    assert!(error["message"].as_str().unwrap().contains(words), "{what}: {error}");
    assert_eq!(client.run("state").await.text(), "'kept'", "after {what}");
}

async fn client(server: &TestServer) -> WsClient {
    let mut client = WsClient::connect(server).await;
    client.run("state = 'kept'").await;
    client
}

#[tokio::test]
async fn what_is_no_message_is_an_error_that_says_what_is_wrong() {
    let server = TestServer::start();
    let mut client = client(&server).await;
    for (text, code, words) in [
        ("", "bad_message", "JSON object"),
        ("1 + 1", "bad_message", "JSON object"),
        ("null", "bad_message", "JSON object"),
        (r#"["run"]"#, "bad_message", "JSON object"),
        (r#"{"type":"run""#, "bad_message", "JSON object"),
        (r#"{"type":"ping"} {"type":"ping"}"#, "bad_message", "JSON object"),
        ("{}", "bad_message", "`type` is missing"),
        (r#"{"code":"1"}"#, "bad_message", "`type` is missing"),
        (r#"{"type":7}"#, "bad_message", "`type` must be a string"),
        (r#"{"type":"fly"}"#, "unknown_type", "\"fly\""),
        (r#"{"type":"Run","code":"1"}"#, "unknown_type", "\"Run\""),
        (r#"{"type":"run"}"#, "bad_message", "`code` is missing"),
        (r#"{"type":"run","code":1}"#, "bad_message", "expected a string"),
        (r#"{"type":"run","code":"1","mode":"fast"}"#, "bad_message", "fast"),
        (r#"{"type":"run","code":"1","lang":"py"}"#, "bad_message", "py"),
        (r#"{"type":"run","code":"1","fresh":"yes"}"#, "bad_message", "expected a boolean"),
        (r#"{"type":"run","code":"1","timeout_ms":"1"}"#, "bad_message", "expected f64"),
        (r#"{"type":"run","code":"1","id":{}}"#, "bad_message", "`id` must be a string or a number"),
        (r#"{"type":"run","code":"1","id":[1]}"#, "bad_message", "`id` must be a string or a number"),
        (r#"{"type":"cancel","id":true}"#, "bad_message", "`id` must be a string or a number"),
        (r#"{"type":"input","text":5}"#, "bad_message", "expected a string"),
        (r#"{"type":"input","text":"nobody asked"}"#, "no_input_wanted", "no run waits for input"),
        (r#"{"type":"run","code":"\u0000"}"#, "bad_message", "NUL"),
        (r#"{"type":"complete","code":"Ma","cursor":3}"#, "bad_message", "`cursor` must be a whole number from 0 to 2"),
        (r#"{"type":"inspect","ref":1}"#, "ref_expired", "not kept any more"),
    ] {
        check_error(&mut client, text, code, words).await;
    }
}

#[tokio::test]
async fn an_error_echoes_the_id_of_what_it_answers() {
    let server = TestServer::start();
    let mut client = client(&server).await;
    for id in [json!("mine"), json!(7), json!(-1.5)] {
        for message in [
            json!({ "type": "run", "id": id }),
            json!({ "type": "run", "id": id, "code": "1", "timeout_ms": 0 }),
            json!({ "type": "run", "id": id, "code": "x".repeat(CODE_BYTES + 1) }),
            json!({ "type": "complete", "id": id }),
            json!({ "type": "unheard of", "id": id }),
        ] {
            assert_eq!(client.refused(message).await["id"], id);
        }
    }
    let long = "x".repeat(129);
    check_error(&mut client, &format!(r#"{{"type":"run","code":"1","id":"{long}"}}"#), "bad_message", "128 bytes")
        .await;
}

#[tokio::test]
async fn a_timeout_is_a_whole_number_of_milliseconds_within_the_limit() {
    let server = TestServer::start();
    let mut client = client(&server).await;
    for timeout in ["0", "-1", "0.5", "1.5", "300001", "1e99", "1e999", "-1e99"] {
        let text = format!(r#"{{"type":"run","code":"1","timeout_ms":{timeout}}}"#);
        // A number beyond all floats is refused by the JSON parser.
        let words = if timeout == "1e999" {
            "number out of range"
        } else {
            "`timeout_ms` must be a whole number from 1 to 300000"
        };
        check_error(&mut client, &text, "bad_message", words).await;
    }
    for timeout in [json!(300_000), json!(3e5), Value::Null] {
        let ran = client.request(json!({ "type": "run", "code": "1 + 1", "timeout_ms": timeout })).await;
        assert_eq!(ran.text(), "2", "{timeout} is a fine timeout");
    }
}

#[tokio::test]
async fn code_may_be_as_long_as_the_limit_and_no_byte_longer() {
    let server = TestServer::start();
    let mut client = client(&server).await;
    let code = |length: usize| format!("'{}'.length", "x".repeat(length - "''.length".len()));
    let ran = client.run(&code(CODE_BYTES)).await;
    assert_eq!(ran.text(), (CODE_BYTES - "''.length".len()).to_string());
    let message = json!({ "type": "run", "code": code(CODE_BYTES + 1) }).to_string();
    check_error(&mut client, &message, "too_large", "262145 bytes; the limit is 262144").await;
}

#[tokio::test]
async fn a_frame_over_the_limit_closes_with_1009_and_says_why() {
    let server = TestServer::start();
    let mut client = client(&server).await;
    let fits = format!(r#"{{"type":"fly","pad":"{}"}}"#, "x".repeat(FRAME_BYTES - 24));
    assert_eq!(fits.len(), FRAME_BYTES - 1);
    check_error(&mut client, &fits, "unknown_type", "fly").await;
    client.start("for(;;);").await;
    client.send_text(&(fits + "  ")).await;
    let (_, close) = client.closed().await;
    let close = close.expect("a close frame");
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1009, "a message may have at most 1048576 bytes"));
    server.at_rest();
    assert_eq!(server.ended("disconnected"), 1.0, "its run was stopped");
}

#[tokio::test]
async fn a_message_over_the_limit_in_many_small_frames_closes_with_1009_too() {
    let server = TestServer::start();
    let client = client(&server).await;
    let mut stream = client.into_stream();
    let piece = "x".repeat(50_000);
    stream.write_all(&frame(0x01, b"{\"type\":\"fly\",\"pad\":\"")).await.unwrap();
    for _ in 0..=FRAME_BYTES / piece.len() {
        stream.write_all(&frame(0x00, piece.as_bytes())).await.unwrap();
    }
    stream.write_all(&frame(0x80, b"\"}")).await.unwrap();
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    match socket.next().await {
        Some(Ok(Message::Close(Some(close)))) => {
            assert_eq!(
                (u16::from(close.code), close.reason.as_str()),
                (1009, "a message may have at most 1048576 bytes")
            );
        }
        other => panic!("expected a close frame, got {other:?}"),
    }
}

#[tokio::test]
async fn a_binary_frame_is_an_error() {
    let server = TestServer::start();
    let mut client = client(&server).await;
    for bytes in [&b""[..], b"{\"type\":\"ping\"}", &[0xff; 100]] {
        client.send_raw(Message::binary(bytes.to_vec())).await;
        check_answer(&mut client, "a binary frame", "bad_message", "binary frames").await;
    }
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_an_error() {
    let server = TestServer::start();
    let client = client(&server).await;
    let mut stream = client.into_stream();
    stream.write_all(&frame(0x81, b"{\"type\":\"run\",\"code\":\"\xff\xfe\"}")).await.unwrap();
    let mut client = WsClient::over(stream).await;
    check_answer(&mut client, "invalid UTF-8", "bad_message", "UTF-8").await;
}

/// A client's frame, masked with zeros.
fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![head];
    match payload.len() {
        short @ 0..=125 => frame.push(0x80 | u8::try_from(short).unwrap()),
        long => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Half of a character is no text that can be sent: it arrives as the replacement character or as an escape, never as a broken frame.
#[tokio::test]
async fn a_lone_surrogate_comes_back_as_readable_text_wherever_it_is() {
    let server = TestServer::start();
    let mut client = client(&server).await;
    let readable = |text: &str| text.contains('\u{fffd}') || text.to_lowercase().contains("\\ud800");
    for code in ["'\\ud800'", "['\\ud800']", "({ '\\ud800': 1 })", "Symbol('\\ud800')", "new Error('\\ud800')"] {
        let ran = client.run(code).await;
        assert!(ran.outcome() == "ok" && readable(ran.text()), "{code}: {}", ran.done);
    }
    let ran = client.run("console.log('a\\ud800b'); console.log(['\\ud800'])").await;
    assert!(ran.console().len() == 2 && ran.console().iter().all(|text| readable(text)), "{:?}", ran.console());
    for code in
        ["throw new Error('\\ud800')", "throw '\\ud800'", "class E extends Error { name = '\\ud800' }; throw new E"]
    {
        let ran = client.run(code).await;
        assert_eq!(ran.outcome(), "error", "{code}: {}", ran.done);
        let error = &ran.done["error"];
        assert!(readable(&error["message"].to_string()) || readable(&error["name"].to_string()), "{code}: {error}");
    }
    let ran = client.request(json!({ "type": "run", "code": "input.length", "input": "\u{1f600}" })).await;
    assert_eq!(ran.text(), "2");
    client.works().await;
}

#[tokio::test]
async fn an_id_in_use_is_refused_and_free_again_afterwards() {
    let server = TestServer::start();
    let mut client = client(&server).await;
    client.send(json!({ "type": "run", "id": "a", "code": "for(;;);" })).await;
    client.until("started").await;
    let error = client.refused(json!({ "type": "run", "id": "a", "code": "1" })).await;
    assert_eq!((&error["code"], &error["id"]), (&json!("duplicate_id"), &json!("a")));
    client.send(json!({ "type": "cancel", "id": "a" })).await;
    client.until("done").await;
    assert_eq!(client.request(json!({ "type": "run", "id": "a", "code": "1 + 1" })).await.text(), "2");
}

/// Each gets one answer: it is run, or refused by name because too many wait already.
#[tokio::test]
async fn ten_thousand_runs_sent_without_reading_get_one_answer_each() {
    const RUNS: usize = 10_000;
    let server = TestServer::start();
    let mut client = client(&server).await;
    for id in 0..RUNS {
        client.send(json!({ "type": "run", "id": format!("r{id}"), "code": "1 + 1" })).await;
    }
    let mut answers: HashMap<String, String> = HashMap::new();
    while answers.len() < RUNS {
        let message = client.recv().await;
        let answer = match message["type"].as_str().unwrap() {
            "done" => &message["outcome"],
            "error" => &message["code"],
            _ => continue,
        };
        let again = answers.insert(message["id"].as_str().unwrap().to_owned(), answer.as_str().unwrap().to_owned());
        assert_eq!(again, None, "a second answer: {message}");
    }
    let rest = client.ping().await;
    assert_eq!(rest.len(), 1, "after all the answers: {rest:?}");
    let of = |kind: &str| answers.values().filter(|answer| *answer == kind).count();
    println!("{} ran, {} were refused", of("ok"), of("queue_full"));
    assert_eq!(of("ok") + of("queue_full"), RUNS);
    assert!(of("ok") > 16, "at least the queue was run");
    assert_eq!(client.run("state").await.text(), "'kept'");
}

#[tokio::test]
async fn a_limit_on_messages_is_told_and_the_session_goes_on() {
    let server = TestServer::with(&[("session.messages_per_s", "5")]);
    let mut client = WsClient::connect(&server).await;
    for id in 0..100 {
        client.send(json!({ "type": "cancel", "id": id })).await;
    }
    let mut codes = HashMap::new();
    for id in 0..100 {
        let error = client.until("error").await;
        assert_eq!(error["id"], id);
        *codes.entry(error["code"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert!(codes["unknown_run"] >= 5 && codes["rate_limited"] > 0, "{codes:?}");
}

#[tokio::test]
async fn unknown_query_values_are_refused_before_the_upgrade() {
    let server = TestServer::start();
    for path in ["/ws?once=maybe", "/ws?reply=all", "/ws/text?once=2", "/ws/text?reply=final"] {
        assert!(WsClient::try_open(server.address, path).await.is_err(), "{path}");
        let reply = server.get(path);
        assert_eq!((reply.status, &reply.json()["error"]["type"]), (400, &json!("bad_message")), "{path}");
    }
    for path in ["/ws?once", "/ws?once=1", "/ws?once=0&reply=stream", "/ws?unheard=of", "/ws/text?once=true"] {
        WsClient::open(server.address, path).await;
    }
}

#[tokio::test]
async fn an_error_quotes_no_more_than_a_line_of_what_it_is_about() {
    let server = TestServer::start();
    let mut client = client(&server).await;
    let long = "\u{7f}".repeat(900_000);
    for field in ["fresh", "lang", "mode", "timeout_ms", "files"] {
        let message = json!({ "type": "run", "id": "i", "code": "1", field: long });
        client.send(message).await;
        let error = client.recv().await;
        assert_eq!((&error["code"], &error["id"]), (&json!("bad_message"), &json!("i")), "{field}");
        let sentence = error["message"].as_str().unwrap();
        assert!(sentence.chars().count() <= 301, "{field}: {} characters", sentence.chars().count());
        assert!(sentence.starts_with("in `run`: ") && sentence.contains(" at line 1 column "), "{field}: {sentence}");
    }
    client.works().await;
}

#[tokio::test]
async fn an_input_that_is_nested_too_deeply_fails_its_run_and_never_leaves_the_last_one() {
    let server = TestServer::with(&[("run.stack_bytes", "524288")]);
    let deep = format!("{}{}", "[".repeat(40_000), "]".repeat(40_000));
    let mut client = WsClient::connect(&server).await;
    let old = client.request(json!({ "type": "run", "code": "input", "input": "old" })).await;
    assert_eq!(old.text(), "'old'");
    client.send_text(&format!(r#"{{"type":"run","id":"deep","code":"input","input":{deep}}}"#)).await;
    let done = client.until("done").await;
    assert_eq!(done["outcome"], "error", "{done}");
    let over_ws = done["error"]["message"].as_str().unwrap().to_owned();
    assert!(over_ws.starts_with("The input cannot be had: "), "{done}");
    assert_eq!(client.run("typeof input").await.text(), "'undefined'");
    let body = format!(r#"{{"code":"typeof input","input":{deep}}}"#);
    let reply = server.curl(&["-d", &body], "/api/run").json();
    assert_eq!((&reply["success"], &reply["outcome"]), (&json!(false), &json!("error")), "{reply}");
    assert_eq!(reply["error"]["message"], over_ws.as_str());
}
