//! A client that does not read: it costs the server a bounded amount of memory, other sessions nothing, and itself its run.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::support::PATIENCE;
use crate::support::server::TestServer;
use crate::support::ws::WsClient;

const FLOOD: &str = "for (;;) console.log('x'.repeat(1000))";

/// Console text goes into the run's caps (1 MiB), then is dropped: what the server holds for one reader is that at the very most,
/// with JSON around it and the allocator's waste. Ten such readers must not come near what they would have written.
const MEMORY_ROOM: u64 = 40 << 20;

/// A session whose client sends runs and then reads nothing.
async fn deaf(server: &TestServer, timeout_ms: u64) -> TcpStream {
    let mut client = WsClient::connect(server).await;
    for id in 0..16 {
        client.send(json!({ "type": "run", "id": id, "code": FLOOD, "timeout_ms": timeout_ms })).await;
    }
    client.into_stream()
}

/// How long `1 + 1` takes in a session, at the median.
async fn round_trip(client: &mut WsClient) -> Duration {
    let mut times = Vec::new();
    for _ in 0..50 {
        let ran = client.run("1 + 1").await;
        assert_eq!(ran.text(), "2");
        times.push(ran.took);
    }
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test]
async fn memory_stays_bounded_and_others_are_served_while_clients_do_not_read() {
    const READERS: usize = 6;
    // Nobody is to be sent away for not answering pings before the test is over.
    let server = TestServer::with(&[("session.heartbeat_ms", "600000")]);
    let mut other = WsClient::connect(&server).await;
    round_trip(&mut other).await;
    let (before, alone) = (server.footprint().memory, round_trip(&mut other).await);

    let mut silent = Vec::new();
    for _ in 0..READERS {
        silent.push(deaf(&server, 300).await);
    }
    let mut highest = 0;
    let mut slowest = Duration::ZERO;
    // Half of the sixteen runs of each end by their deadlines, though nobody reads.
    let begun = Instant::now();
    while server.ended("timeout") < (READERS * 8) as f64 {
        assert!(begun.elapsed() < PATIENCE, "the floods do not end: {}", server.metrics());
        slowest = slowest.max(round_trip(&mut other).await);
        highest = highest.max(server.footprint().memory);
    }
    highest = highest.max(server.footprint().memory);
    println!("memory {before} before, {highest} at most; 1 + 1 in {alone:?} alone, {slowest:?} beside the floods");
    assert!(highest < before + MEMORY_ROOM, "{before} has become {highest}");
    // Workers of the floods compete for the processors; a session that waited for a flood's run or reader would wait for ever.
    assert!(slowest < Duration::from_millis(250).max(alone * 50), "{alone:?} has become {slowest:?}");
    other.cut();
    drop(silent);
    server.at_rest();
}

#[tokio::test]
async fn the_run_ends_by_its_deadline_though_nobody_reads() {
    let server = TestServer::patient();
    let begun = Instant::now();
    let silent = deaf(&server, 400).await;
    server.eventually("the run's end", |server| server.ended("timeout") >= 1.0);
    println!("ended {:?} after its start", begun.elapsed());
    // The heartbeat, which would end it as well, comes at 30 s.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!(server.retired("killed"), 0.0, "an interrupt is enough");
    drop(silent);
}

#[tokio::test]
async fn messages_are_whole_and_in_order_when_reading_resumes() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    for id in ["a", "b", "c"] {
        let code = "for (let i = 0; i < 5000; i++) console.log(i + ' ' + 'x'.repeat(150)); 'all said'";
        client.send(json!({ "type": "run", "id": id, "code": code, "timeout_ms": 60_000 })).await;
    }
    // Unread, because this client reads nothing before: the worker is held back until then.
    server.eventually("a session that waits for its reader", |server| server.slots("leased") == 1.0);
    for id in ["a", "b", "c"] {
        let messages = client.all_until(|message| message["type"] == "done" && message["id"] == id).await;
        let entries = messages.iter().filter(|message| message["type"] == "console" && message["id"] == id);
        let lines: Vec<&str> = entries
            .flat_map(|message| message["entries"].as_array().unwrap())
            .map(|entry| entry["text"].as_str().unwrap())
            .collect();
        assert_eq!(lines.len(), 5000);
        assert!(lines.iter().enumerate().all(|(number, line)| line.split(' ').next() == Some(&number.to_string())));
        let done = messages.last().unwrap();
        assert_eq!((&done["value"]["text"], &done["usage"]["dropped"]), (&json!("'all said'"), &json!(0)));
    }
}

/// Over its caps a run's output is dropped and counted; its end is not.
#[tokio::test]
async fn a_flood_over_the_caps_is_counted_and_its_end_delivered() {
    let server = TestServer::patient();
    let mut client = WsClient::connect(&server).await;
    let code = "for (let i = 0; i < 5000; i++) console.log('x'.repeat(1000)); 'the end'";
    let ran = client.request(json!({ "type": "run", "code": code, "timeout_ms": 60_000 })).await;
    assert_eq!(ran.text(), "'the end'");
    let (lines, usage) = (ran.console(), &ran.done["usage"]);
    let bytes: usize = lines.iter().map(String::len).sum();
    assert!((1_000_000..=1_048_576).contains(&bytes), "{bytes}");
    assert_eq!(usage["console_bytes"], bytes as u64);
    assert_eq!(usage["dropped"], 5000 - lines.len(), "{usage}");
    let dropped = |message: &Value| message["dropped"].as_u64().unwrap_or(0);
    let told: u64 = ran.messages.iter().filter(|message| message["type"] == "console").map(dropped).sum();
    assert_eq!(usage["dropped"], told, "what `console` messages tell of adds up");
    client.works().await;
}

/// Small answers pile up too: a client that asks without end and reads nothing is not listened to any more.
#[tokio::test]
async fn a_client_that_asks_without_reading_is_held_back() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    client.works().await;
    let before = server.footprint().memory;
    let question = json!({ "type": "cancel", "id": "x".repeat(100) }).to_string();
    let mut asked = 0_u64;
    // Until the server takes no more, which the connection's own buffers delay by some megabytes.
    while tokio::time::timeout(Duration::from_secs(2), client.send_text(&question)).await.is_ok() {
        asked += 1;
        assert!(asked < 2_000_000, "the server takes everything");
    }
    let after = server.footprint().memory;
    println!("{asked} questions asked; memory {before} before, {after} after");
    assert!(after < before + MEMORY_ROOM, "{before} has become {after}");
    client.cut();
    server.at_rest();
}
