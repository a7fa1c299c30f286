//! As long as the client reads, whatever waits moves at once: sizes around every threshold on the way out, alone and in pairs.
//!
//! A stall shows as a run that ends at its deadline, of a minute here, or as an answer that never comes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::http::Posted;
use crate::support::server::TestServer;
use crate::support::ws::WsClient;

/// What a run may take that computes next to nothing and whose output is read. A busy machine is far below; a stall is a minute.
const AT_ONCE: Duration = Duration::from_secs(15);

const DEADLINE_MS: u64 = 60_000;

/// Where something changes on the way out: a batch, two of them, the window of a connection, what a session holds before it stops
/// reading its worker, what it holds before it stops reading its client, and what usual sockets take.
const THRESHOLDS: [usize; 7] = [16 << 10, 32 << 10, 64 << 10, 128 << 10, 208 << 10, 256 << 10, 1 << 20];

/// Just below, at, and just above a threshold, with and without what a frame takes besides its text.
const AROUND: [isize; 5] = [-200, -44, 0, 1, 300];

/// How a reader behaves.
#[derive(Debug, Clone, Copy)]
enum Reader {
    Fast,
    /// Stops after each message for as long as another session takes for a run.
    Pausing,
}

fn server() -> TestServer {
    let settings = [
        ("log.level", "error"),
        ("pool.warm", "2"),
        ("run.text_bytes", "1048576"),
        ("run.json_bytes", "64"),
        ("run.console_bytes", "8388608"),
        ("run.heap_bytes", "134217728"),
    ];
    TestServer::with(&settings)
}

/// Code that prints lines of these sizes and then is `1`.
fn printing(sizes: &[usize]) -> String {
    let lines: Vec<String> = sizes.iter().map(|size| format!("console.log('a'.repeat({size}))")).collect();
    format!("{}; 1", lines.join("; "))
}

fn sizes() -> Vec<usize> {
    let around = |threshold: usize| AROUND.iter().map(move |more| threshold.saturating_add_signed(*more).min(1 << 20));
    THRESHOLDS.into_iter().flat_map(around).collect()
}

/// Sends a run and reads it to its end in this manner; the text of its console.
async fn read_run(client: &mut WsClient, other: &mut WsClient, code: &str, reader: Reader) -> usize {
    let begun = Instant::now();
    client.send(json!({ "type": "run", "code": code, "timeout_ms": DEADLINE_MS })).await;
    let mut printed = 0;
    loop {
        let message = client.recv().await;
        for entry in message["entries"].as_array().into_iter().flatten() {
            printed += entry["text"].as_str().unwrap().len();
        }
        if message["type"] == "done" {
            assert_eq!(message["outcome"], "ok", "{code} with a reader that is {reader:?}: {message}");
            assert_eq!(message["usage"]["dropped"], 0, "{code} with a reader that is {reader:?}");
            assert!(begun.elapsed() < AT_ONCE, "{code} took {:?} with a reader that is {reader:?}", begun.elapsed());
            return printed;
        }
        if let Reader::Pausing = reader {
            other.works().await;
        }
    }
}

#[tokio::test]
async fn one_line_of_any_size_is_told_at_once() {
    let server = server();
    let mut other = WsClient::connect(&server).await;
    for reader in [Reader::Fast, Reader::Pausing] {
        let mut wide = WsClient::connect(&server).await;
        let mut narrow = WsClient::connect_narrow(&server).await;
        for size in sizes() {
            assert_eq!(read_run(&mut wide, &mut other, &printing(&[size]), reader).await, size);
            assert_eq!(read_run(&mut narrow, &mut other, &printing(&[size]), reader).await, size);
        }
    }
}

#[tokio::test]
async fn two_lines_of_any_sizes_are_told_at_once() {
    let server = server();
    let mut other = WsClient::connect(&server).await;
    let mut client = WsClient::connect(&server).await;
    let mut narrow = WsClient::connect_narrow(&server).await;
    for first in THRESHOLDS {
        for second in THRESHOLDS {
            for more in [-44, 1] {
                let near = |size: usize, more| size.saturating_add_signed(more).min(1 << 20);
                let sizes = [near(first, more), near(second, -more)];
                let code = printing(&sizes);
                let expected: usize = sizes.iter().sum();
                assert_eq!(read_run(&mut client, &mut other, &code, Reader::Fast).await, expected);
                assert_eq!(read_run(&mut narrow, &mut other, &code, Reader::Pausing).await, expected);
            }
        }
    }
}

#[tokio::test]
async fn many_small_lines_behind_a_large_one_are_told_at_once_and_whole() {
    let server = server();
    let mut other = WsClient::connect(&server).await;
    let mut client = WsClient::connect(&server).await;
    let (table, lines) = (
        "console.table(Array.from({ length: 6000 }, (_, i) => ({ i, square: i * i, name: 'row ' + i }))); 1",
        "console.log('a'.repeat(300 << 10)); for (let n = 0; n < 9000; n++) console.log('line ' + n); 1",
    );
    for code in [table, lines] {
        for reader in [Reader::Fast, Reader::Pausing] {
            assert!(read_run(&mut client, &mut other, code, reader).await > 100_000);
        }
    }
}

#[tokio::test]
async fn a_question_behind_output_of_any_size_is_asked_at_once() {
    let server = server();
    let mut client = WsClient::connect(&server).await;
    for size in sizes() {
        let begun = Instant::now();
        let code = format!("console.log('a'.repeat({size})); prompt('name?')");
        client.send(json!({ "type": "run", "id": 1, "code": code, "timeout_ms": DEADLINE_MS })).await;
        client.until("input_request").await;
        client.send(json!({ "type": "input", "id": 1, "text": "Ada" })).await;
        assert_eq!(client.until("done").await["value"]["text"], "'Ada'");
        assert!(begun.elapsed() < AT_ONCE, "asked {:?} after {size} bytes", begun.elapsed());
    }
}

#[tokio::test]
async fn a_value_of_any_size_and_what_follows_it_come_at_once() {
    let server = server();
    let mut client = WsClient::connect(&server).await;
    for size in sizes() {
        let begun = Instant::now();
        for code in [format!("'a'.repeat({size})"), "1".to_owned()] {
            client.send(json!({ "type": "run", "code": code, "timeout_ms": DEADLINE_MS })).await;
        }
        client.until("done").await;
        assert_eq!(client.until("done").await["value"]["text"], "1");
        assert!(begun.elapsed() < AT_ONCE, "{:?} for {size} bytes", begun.elapsed());
    }
}

#[tokio::test]
async fn every_other_face_of_a_run_is_told_at_once_too() {
    let server = server();
    let mut last = WsClient::open(server.address, "/ws?reply=final").await;
    let mut text = WsClient::open(server.address, "/ws/text").await;
    for size in sizes() {
        let begun = Instant::now();
        let code = printing(&[size, 3]);
        let done = last.request(json!({ "type": "run", "code": code, "timeout_ms": DEADLINE_MS })).await.done;
        assert_eq!(done["console"][0]["text"].as_str().unwrap().len(), size);

        text.send_text(&code).await;
        assert_eq!(text.recv_text().await.len(), size);
        assert_eq!((text.recv_text().await, text.recv_text().await), ("aaa".to_owned(), "1".to_owned()));

        let body = json!({ "code": code, "timeout_ms": DEADLINE_MS });
        let whole = server.run(&body).json();
        assert_eq!(whole["console"][0]["text"].as_str().unwrap().len(), size);
        let mut stream = Posted::ndjson(&server, &body).await;
        let first = stream.until("console").await;
        assert_eq!(first["entries"][0]["text"].as_str().unwrap().len(), size);
        let done: Value = stream.until("done").await;
        assert_eq!(done["outcome"], "ok");
        assert!(begun.elapsed() < AT_ONCE, "{:?} for {size} bytes", begun.elapsed());
    }
}
