//! Every kind of attack on the edge at once, beside one client that only wants its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::frames::{FIRST_TEXT, MIDDLE, PING, TEXT, declaring, frame};
use crate::support::server::TestServer;
use crate::support::ws::WsClient;

/// How many there are of each kind.
const OF_EACH: usize = 50;

const LASTS: Duration = Duration::from_secs(20);

/// The server may have this much at any moment.
const MOST_MEMORY: u64 = 160 << 20;

/// An answer may take this long: the processors are shared by the attackers, their runs, and other tests.
const ANSWER: Duration = Duration::from_secs(10);

/// What one attacker does, again and again, on new connections.
#[derive(Debug, Clone, Copy)]
enum Kind {
    HalfBody,
    HalfHead,
    DeclaredFrame,
    ReservedBit,
    TinyPieces,
    PingFlood,
    QueuedInput,
    UnreadOutput,
    UnreadReply,
    NoHttp,
}

const KINDS: [Kind; 10] = [
    Kind::HalfBody,
    Kind::HalfHead,
    Kind::DeclaredFrame,
    Kind::ReservedBit,
    Kind::TinyPieces,
    Kind::PingFlood,
    Kind::QueuedInput,
    Kind::UnreadOutput,
    Kind::UnreadReply,
    Kind::NoHttp,
];

const UPGRADE: &[u8] = b"GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n";

fn post(length: usize, accept: &str) -> Vec<u8> {
    format!("POST /api/run HTTP/1.1\r\nhost: localhost\r\naccept: {accept}\r\ncontent-length: {length}\r\n\r\n").into()
}

/// All that an attacker of this kind sends on one connection.
fn bytes_of(kind: Kind) -> Vec<u8> {
    let flood = json!({ "code": "for (;;) console.log('x'.repeat(1000))", "timeout_ms": 2000 }).to_string();
    let after = |frames: Vec<u8>| [UPGRADE, &frames].concat();
    match kind {
        Kind::HalfBody => [post(1 << 20, "*/*"), vec![b'{'; (1 << 20) - 1]].concat(),
        Kind::HalfHead => b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\nGET / HTTP/1.1\r\nx: ".to_vec(),
        Kind::DeclaredFrame => after([declaring(TEXT, 1 << 40), vec![b'x'; 1 << 20]].concat()),
        Kind::ReservedBit => after([frame(0x91, b"x"), frame(0xc9, b"x").repeat(1000)].concat()),
        Kind::TinyPieces => after([frame(FIRST_TEXT, b"x"), frame(MIDDLE, b"x").repeat(100_000)].concat()),
        Kind::PingFlood => after(frame(PING, &[b'p'; 125]).repeat(10_000)),
        Kind::QueuedInput => {
            let input = "x".repeat(1_000_000);
            let run = json!({ "type": "run", "code": "for (;;);", "timeout_ms": 1000, "input": input }).to_string();
            after(frame(TEXT, run.as_bytes()).repeat(6))
        }
        Kind::UnreadOutput => {
            let run = json!({ "type": "run", "code": "for (;;) console.log('x'.repeat(1000))", "timeout_ms": 2000 });
            after(frame(TEXT, run.to_string().as_bytes()))
        }
        Kind::UnreadReply => [post(flood.len(), "application/x-ndjson"), flood.into_bytes()].concat(),
        Kind::NoHttp => b"\x16\x03\x01\r\n\r\n".repeat(100),
    }
}

/// Sends what this kind sends and waits for the server to end it, or for the end of the siege.
async fn attack(kind: Kind, address: std::net::SocketAddr, is_over: Arc<AtomicBool>) -> usize {
    let bytes = bytes_of(kind);
    let mut connections = 0;
    while !is_over.load(Ordering::Relaxed) {
        let Ok(mut stream) = TcpStream::connect(address).await else { continue };
        connections += 1;
        let sent = tokio::time::timeout(Duration::from_secs(3), stream.write_all(&bytes)).await;
        if matches!(kind, Kind::UnreadOutput | Kind::UnreadReply | Kind::QueuedInput) {
            // Whoever reads nothing holds on until the server has had enough, or for some seconds.
            let mut byte = [0];
            let _ = tokio::time::timeout(Duration::from_secs(3), stream.peek(&mut byte)).await;
            continue;
        }
        if sent.is_ok() {
            let mut rest = vec![0; 64 << 10];
            let drain = async { while matches!(stream.read(&mut rest).await, Ok(1..)) {} };
            let _ = tokio::time::timeout(Duration::from_secs(3), drain).await;
        }
    }
    connections
}

#[tokio::test]
async fn five_hundred_attackers_of_every_kind_cost_little_and_keep_nobody_from_an_answer() {
    let settings = [("log.level", "error"), ("session.messages_per_s", "200"), ("server.body_timeout_ms", "3000")];
    let server = TestServer::with(&settings);
    let mut client = WsClient::connect(&server).await;
    client.works().await;
    let before = server.footprint().memory;
    let is_over = Arc::new(AtomicBool::new(false));
    let attackers: Vec<_> = KINDS
        .iter()
        .flat_map(|kind| (0..OF_EACH).map(|_| *kind))
        .map(|kind| tokio::spawn(attack(kind, server.address, Arc::clone(&is_over))))
        .collect();
    let (begun, mut highest, mut slowest, mut answers) = (Instant::now(), 0, Duration::ZERO, 0);
    while begun.elapsed() < LASTS {
        let ran = client.run("1 + 1").await;
        assert_eq!(ran.text(), "2");
        (slowest, answers) = (slowest.max(ran.took), answers + 1);
        highest = highest.max(server.footprint().memory);
    }
    is_over.store(true, Ordering::Relaxed);
    let mut connections = 0;
    for attacker in attackers {
        connections += attacker.await.unwrap();
    }
    println!(
        "{connections} connections; memory {} MB before, {} MB at most; {answers} answers, the slowest in {slowest:?}",
        before >> 20,
        highest >> 20
    );
    assert!(connections > 2 * KINDS.len() * OF_EACH, "{connections} connections in all is no siege");
    assert!(highest < MOST_MEMORY, "{highest} bytes");
    assert!(slowest < ANSWER, "{slowest:?}");
    client.works().await;
    client.cut();
    server.at_rest();
    assert_eq!(server.metric("runpen_inflight_bytes"), 0.0);
}
