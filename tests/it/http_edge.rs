//! Half requests, silence, floods and things that are no HTTP: they cost the server little, and nobody else anything.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::support::PATIENCE;
use crate::support::http::Posted;
use crate::support::server::{TestServer, start_up};
use crate::support::ws::WsClient;

const MIB: usize = 1 << 20;

fn quiet(settings: &[(&str, &str)]) -> TestServer {
    let mut all = vec![("log.level", "error"), ("pool.warm", "2")];
    all.extend_from_slice(settings);
    TestServer::with(&all)
}

/// A connection on which this was sent.
fn said(server: &TestServer, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

/// The head of a `POST /api/run` whose body has so many bytes.
fn head(body_bytes: usize) -> Vec<u8> {
    format!("POST /api/run HTTP/1.1\r\nhost: localhost\r\ncontent-length: {body_bytes}\r\n\r\n").into_bytes()
}

/// Everything up to the end of the connection, which comes from the server.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        // What the client had still sent was not read.
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn status(reply: &str) -> &str {
    reply.split(' ').nth(1).unwrap_or(reply)
}

/// One whole reply on a connection that stays open; the body is as long as it says.
fn reply(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "the end inside of a head: {text}");
        text.push(char::from(byte[0]));
    }
    let length = text.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    text + &String::from_utf8(body).unwrap()
}

fn cut(server: &TestServer, reason: &str) -> f64 {
    server.metric(&format!("runpen_connections_cut_total{{reason=\"{reason}\"}}"))
}

#[test]
fn a_place_is_taken_before_the_body_is_read_and_a_body_has_its_time() {
    let server = quiet(&[("server.max_sessions", "4"), ("server.body_timeout_ms", "1500")]);
    let mut half = head(100);
    half.push(b'{');
    let slow: Vec<TcpStream> = (0..4).map(|_| said(&server, &half)).collect();
    server.eventually("four places are taken", |server| server.metric("runpen_sessions{kind=\"http\"}") == 4.0);
    assert_eq!(server.run(&json!({ "code": "1" })).status, 503);
    for stream in slow {
        let reply = rest(stream);
        assert_eq!(status(&reply), "408", "{reply}");
        assert!(reply.contains("the body did not arrive within 1500 ms"), "{reply}");
    }
    server.eventually("a place is free", |server| server.run(&json!({ "code": "1" })).status == 200);
}

#[test]
fn bodies_under_way_are_bounded_together() {
    let settings = [("server.inflight_bytes", "4194304"), ("session.unread_bytes", "1048576")];
    let server = quiet(&settings);
    let mut half = head(MIB);
    half.extend(vec![b'{'; MIB - 1]);
    let mut streams: Vec<TcpStream> = (0..12).map(|_| said(&server, &half)).collect();
    server.eventually("eight are sent away", |server| server.metric("runpen_evictions_total") >= 8.0);
    assert!(server.metric("runpen_inflight_bytes") <= 4.0 * MIB as f64);
    let mut refused = 0;
    for stream in &mut streams {
        // Those that stay are told nothing, and made to end.
        if stream.write_all(b"{").is_ok() {
            let reply = reply(stream);
            assert!(["503", "400"].contains(&status(&reply)), "{reply}");
            refused += usize::from(status(&reply) == "503");
        } else {
            refused += 1;
        }
    }
    assert!((8..12).contains(&refused), "{refused} of 12 were sent away");
    server.at_rest();
    assert_eq!(server.metric("runpen_inflight_bytes"), 0.0);
}

#[test]
fn a_body_that_is_said_to_be_too_large_is_refused_before_it_comes() {
    let server = quiet(&[]);
    let reply = rest(said(&server, &head(1 << 40)));
    assert_eq!(status(&reply), "413", "{reply}");
}

#[test]
fn every_head_has_its_time_the_first_and_the_next() {
    let server = quiet(&[("server.head_timeout_ms", "700")]);
    let silent = said(&server, b"");
    let half = said(&server, b"GET /healthz HTTP/1.1\r\nhost: loc");
    let mut second = said(&server, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_eq!(status(&reply(&mut second)), "200");
    second.write_all(b"GET /healthz HTTP/1.1\r\nho").unwrap();
    let mut idle = said(&server, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_eq!(status(&reply(&mut idle)), "200");
    for stream in [silent, half, second, idle] {
        assert_eq!(rest(stream), "");
    }
    server.eventually("four were cut", |server| cut(server, "silent") == 4.0);
}

#[tokio::test]
async fn a_run_and_a_session_may_last_longer_than_a_head() {
    let server = quiet(&[("server.head_timeout_ms", "200"), ("server.body_timeout_ms", "200")]);
    let mut session = WsClient::connect(&server).await;
    let reply = server.run(&json!({ "code": "await new Promise((wake) => setTimeout(wake, 1000)); 7" }));
    assert_eq!((reply.status, reply.json()["result"].as_i64()), (200, Some(7)));
    session.works().await;
    assert_eq!(cut(&server, "silent"), 0.0);
}

#[tokio::test]
async fn a_reply_that_nobody_reads_keeps_its_place_until_it_is_cut() {
    let server = quiet(&[("server.stall_timeout_ms", "1000"), ("run.console_bytes", "67108864")]);
    let flood = json!({ "code": "for (let n = 0; n < 4000; n++) console.log('x'.repeat(10000))" });
    let unread = Posted::ndjson(&server, &flood).await;
    server.eventually("the run has its place", |server| server.metric("runpen_sessions{kind=\"http\"}") == 1.0);
    server.eventually("the connection is cut", |server| cut(server, "stalled") == 1.0);
    server.at_rest();
    drop(unread);
}

#[tokio::test]
async fn a_whole_reply_that_nobody_reads_keeps_its_place_until_it_is_cut() {
    let settings = [
        ("server.stall_timeout_ms", "1500"),
        ("run.console_bytes", "16777216"),
        ("session.unread_bytes", "33554432"),
        ("run.console_entries", "100000"),
    ];
    let server = quiet(&settings);
    let large = json!({ "code": "for (let n = 0; n < 1500; n++) console.log('x'.repeat(10000))" });
    let unread = Posted::run(&server, &large, "application/json").await;
    // The run is over long before its reply has left.
    server.eventually("the run is over", |server| server.ended("ok") == 1.0);
    assert_eq!(server.metric("runpen_sessions{kind=\"http\"}"), 1.0, "its reply is under way");
    server.eventually("the connection is cut", |server| cut(server, "stalled") == 1.0);
    server.at_rest();
    drop(unread);
}

#[tokio::test]
async fn silent_connections_lock_nobody_out() {
    let server = TestServer::limited("ulimit -n 256", &[("pool.warm", "2"), ("log.level", "error")]);
    let silent: Vec<TcpStream> = (0..300).map(|_| said(&server, b"")).collect();
    assert_eq!(server.get("/healthz").status, 200);
    let mut session = WsClient::connect(&server).await;
    session.works().await;
    let more: Vec<TcpStream> = (0..300).map(|_| said(&server, b"GET / HTTP/1.1\r\n")).collect();
    session.works().await;
    assert_eq!(server.run(&json!({ "code": "6 * 7" })).json()["result"], 42);
    assert!(server.footprint().open_files < 256);
    assert!(cut(&server, "gave_way") >= 300.0, "{}", cut(&server, "gave_way"));
    drop((silent, more));
}

#[test]
fn what_is_no_http_is_counted_and_not_logged() {
    let (server, log) = TestServer::with_log(&[("log.level", "info"), ("pool.warm", "1")]);
    let nonsense: [&[u8]; 4] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ];
    for bytes in nonsense.iter().cycle().take(200) {
        let reply = rest(said(&server, bytes));
        assert!(["400", ""].contains(&status(&reply)), "{reply}");
    }
    assert_eq!(cut(&server, "not_http"), 200.0);
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert!(!log.contains("ERROR") && log.lines().count() < 10, "{log}");
}

#[test]
fn a_server_that_cannot_serve_says_so_in_one_sentence() {
    let mut refused = 0;
    for files in (8..150).step_by(7) {
        let started = start_up(&format!("ulimit -n {files}"));
        if let Err((code, log)) = started {
            refused += 1;
            assert_eq!(code, Some(1), "with {files} files: {log}");
            assert!(!log.contains("panicked"), "with {files} files: {log}");
            let sentences = log.lines().filter(|line| line.starts_with("runpen: failed to ")).count();
            assert_eq!(sentences, 1, "with {files} files: {log}");
        }
    }
    assert!(refused > 5, "so few descriptors are never enough");
    // The number that the sentence names is the first that is enough.
    let (_, sentence) = start_up("ulimit -n 60").unwrap_err();
    let needed = sentence.split("at least ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    let needed = needed.unwrap_or_else(|| panic!("no number: {sentence}"));
    assert!(start_up(&format!("ulimit -n {}", needed - 1)).is_err(), "{needed} are needed");
    assert_eq!(start_up(&format!("ulimit -n {needed}")), Ok(()));
}

#[tokio::test]
async fn a_hangup_ends_the_server_in_good_order() {
    let mut server = quiet(&[]);
    let mut session = WsClient::connect(&server).await;
    session.start_loop().await;
    server.signal(Signal::HUP);
    let (messages, close) = session.closed().await;
    assert_eq!(messages.last().unwrap()["outcome"], "shutdown");
    assert_eq!(close.map(|frame| frame.code.into()), Some(1001_u16));
    assert_eq!(server.wait(), Some(0));
}

/// Connections on which this was sent, as far as the server has taken it.
fn pushed(server: &TestServer, count: usize, bytes: &[u8]) -> Vec<TcpStream> {
    let push = || {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut sent = 0;
        for _ in 0..1000 {
            match stream.write(&bytes[sent..]) {
                Ok(more) => sent += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(1)),
                Err(_) => break,
            }
            if sent == bytes.len() {
                break;
            }
        }
        stream
    };
    (0..count).map(|_| push()).collect()
}

const SMALL_BUDGET: [(&str, &str); 2] = [("server.inflight_bytes", "4194304"), ("session.unread_bytes", "1048576")];

#[test]
fn half_heads_are_bounded_together() {
    let server = quiet(&SMALL_BUDGET);
    let half = [b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ".as_slice(), &vec![b'x'; 120_000]].concat();
    let streams = pushed(&server, 60, &half);
    server.eventually("some are sent away", |server| cut(server, "evicted") >= 20.0);
    assert!(server.metric("runpen_inflight_bytes") <= 4.0 * MIB as f64);
    drop(streams);
    server.at_rest();
    server.eventually("nothing is held", |server| server.metric("runpen_inflight_bytes") == 0.0);
}

#[test]
fn requests_that_wait_behind_another_are_bounded_together() {
    let server = quiet(&SMALL_BUDGET);
    let body =
        json!({ "code": "await new Promise((wake) => setTimeout(wake, 300000))", "timeout_ms": 300_000 }).to_string();
    let next = format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(100_000));
    let mut all = head(body.len());
    all.extend(body.bytes());
    all.extend(next.repeat(15).bytes());
    let streams = pushed(&server, 6, &all);
    server.eventually("some are sent away", |server| server.metric("runpen_evictions_total") >= 3.0);
    assert!(server.metric("runpen_inflight_bytes") <= 4.0 * MIB as f64);
    drop(streams);
    server.at_rest();
    server.eventually("nothing is held", |server| server.metric("runpen_inflight_bytes") == 0.0);
}

#[test]
fn requests_on_one_connection_leave_nothing_behind() {
    let server = quiet(&[]);
    let mut stream = said(&server, b"");
    for n in 0..400 {
        let body = format!("{:x}\r\n{{\"code\":\r\n3;what=ever\r\n{n:03}\r\n1\r\n}}\r\n0\r\n\r\n", 8);
        let request = "POST /api/run HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding:   chunked\r\nx:     y\r\n\r\n";
        stream.write_all((request.to_owned() + &body).as_bytes()).unwrap();
        assert_eq!(status(&reply(&mut stream)), "400", "a number is no code");
    }
    assert_eq!(server.metric("runpen_inflight_bytes"), 0.0);
}

#[test]
fn a_body_that_nobody_has_read_ends_its_connection() {
    let server = quiet(&[]);
    let request = b"POST /healthz HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nhello";
    let reply = rest(said(&server, request));
    assert!(reply.to_lowercase().contains("\r\nconnection: close\r\n"), "{reply}");
}

#[test]
fn answers_for_prompts_take_no_more_than_they_came_in() {
    let server = quiet(&[]);
    let code = "await new Promise((wake) => setTimeout(wake, 300000))";
    let input = vec![""; 340_000];
    let body = json!({ "code": code, "timeout_ms": 300_000, "input": input }).to_string();
    let mut request = head(body.len());
    request.extend(body.bytes());
    let before = server.footprint().memory;
    let streams: Vec<TcpStream> = (0..16).map(|_| said(&server, &request)).collect();
    server.eventually("all of them wait", |server| server.metric("runpen_pool_slots{state=\"leased\"}") == 16.0);
    server.eventually("what was read is let go", |server| server.metric("runpen_inflight_bytes") <= 17.0 * MIB as f64);
    let taken = (server.footprint().memory.saturating_sub(before)) as usize;
    assert!(taken < 64 * MIB, "{taken} bytes");
    drop(streams);
    server.at_rest();
    assert_eq!(server.metric("runpen_inflight_bytes"), 0.0);
}
