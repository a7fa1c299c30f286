//! Nothing is left behind: not after a thousand time-outs, not after hundreds of clients that vanish in mid-run.
//!
//! Half of the runs loop inside the engine's own code, where only a kill helps, so half of the workers are replaced on the way.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::server::{Footprint, TestServer};
use crate::support::ws::{LONG_MS, LOOP, NATIVE_LOOP, WsClient};

/// Sessions at once, each with a worker of its own.
const SESSIONS: usize = 10;

const TIMEOUTS_EACH: usize = 100;

const VANISHED: usize = 300;

/// Native code that the interrupt does not reach.
const NATIVE: [&str; 5] = [
    NATIVE_LOOP,
    "Array.prototype.sort.call({length:2**53-1})",
    "Array.prototype.flat.call({length:2**53-1})",
    "/(?=(a+))\\1b/.test('a'.repeat(1e5))",
    "for(;;)Promise.resolve({get then(){for(;;);}})",
];

/// What a server may keep in its allocator after such a storm: far below a kilobyte for each lost worker or session, were
/// that what is kept.
const MEMORY_ROOM: u64 = 24 << 20;

fn code(number: usize) -> &'static str {
    if number.is_multiple_of(2) { LOOP } else { NATIVE[number / 2 % NATIVE.len()] }
}

fn server() -> TestServer {
    let workers = SESSIONS.to_string();
    TestServer::with(&[("pool.warm", &workers), ("pool.max", &workers)])
}

/// The server at rest holds what it held before.
#[track_caller]
fn check_footprint(server: &TestServer, before: Footprint) {
    server.at_rest();
    // Not exactly as many: the look itself is a connection, and the one before may have met one that was about to close.
    server.eventually("no more processes, files and threads than before", |server| {
        let now = server.footprint();
        now.children <= before.children
            && now.open_files <= before.open_files
            && now.threads <= before.threads
            && server.slots("idle") == SESSIONS as f64
    });
    let now = server.footprint();
    println!("before {before:?}\nafter  {now:?}");
    assert!(now.memory < before.memory + MEMORY_ROOM, "{before:?} has become {now:?}");
}

/// Brings allocators and threads to where they are in a server that has worked a little.
async fn warm_up(server: &TestServer) -> Footprint {
    time_outs(server, 0, 10).await;
    join_all((0..SESSIONS).map(|session| time_outs(server, session, 4))).await;
    server.at_rest();
    server.eventually("all workers", |server| {
        server.slots("idle") == SESSIONS as f64
            && server.slots("dying") == 0.0
            && server.footprint().children == SESSIONS
    });
    server.footprint()
}

/// One session with so many runs that are all stopped by their deadline.
async fn time_outs(server: &TestServer, session: usize, runs: usize) -> HashMap<String, usize> {
    let mut client = WsClient::connect(server).await;
    let mut done = HashMap::new();
    for run in 0..runs {
        let timeout_ms = 20 + run % 4 * 10;
        let id = format!("{session}.{run}");
        let code = code(session + run);
        client.send(json!({ "type": "run", "id": id, "code": code, "timeout_ms": timeout_ms })).await;
        let message = client.until("done").await;
        check_timeout(&message, &id, code);
        *done.entry(id).or_default() += 1;
    }
    // What comes after a run's end comes before this answer, and the client refuses it.
    client.ping().await;
    client.close(Some(1000)).await;
    let (rest, _) = client.closed().await;
    assert!(rest.is_empty(), "after all runs were over: {rest:?}");
    done
}

#[track_caller]
fn check_timeout(done: &Value, id: &str, code: &str) {
    assert_eq!((&done["id"], &done["outcome"]), (&json!(id), &json!("timeout")), "{code}: {done}");
}

#[tokio::test]
async fn a_thousand_time_outs_are_answered_once_each_and_leave_nothing_behind() {
    let server = server();
    let before = warm_up(&server).await;
    let counted = server.ended("timeout");
    let begun = Instant::now();
    let sessions = join_all((0..SESSIONS).map(|session| time_outs(&server, session, TIMEOUTS_EACH))).await;
    println!("1,000 time-outs in {:?}", begun.elapsed());
    let done: HashMap<String, usize> = sessions.into_iter().flatten().collect();
    assert_eq!(done.len(), SESSIONS * TIMEOUTS_EACH);
    assert!(done.values().all(|count| *count == 1));
    check_footprint(&server, before);
    assert_eq!(server.ended("timeout") - counted, (SESSIONS * TIMEOUTS_EACH) as f64);
    let (count, mean) = server.stops("deadline");
    println!("{count} runs stopped by the server itself, {mean:?} after their deadline on average");
}

#[tokio::test]
async fn three_hundred_clients_that_vanish_in_mid_run_leave_nothing_behind() {
    let server = server();
    let before = warm_up(&server).await;
    let begun = Instant::now();
    let client = async |number: usize| {
        let mut client = WsClient::connect(&server).await;
        client.send(json!({ "type": "run", "code": code(number), "timeout_ms": LONG_MS })).await;
        client.until("started").await;
        if number.is_multiple_of(3) { client.reset_connection() } else { client.cut() }
    };
    for wave in 0..VANISHED / SESSIONS {
        join_all((0..SESSIONS).map(|number| client(wave * SESSIONS + number))).await;
    }
    server.eventually("the end of every run", |server| server.ended("disconnected") == VANISHED as f64);
    let took = begun.elapsed();
    let (count, mean) = server.stops("disconnect");
    println!("300 vanished clients in {took:?}; their runs stopped after {mean:?} on average");
    assert_eq!(count, VANISHED as f64);
    assert!(took < Duration::from_millis(LONG_MS) / 2, "nobody waited for a deadline");
    check_footprint(&server, before);
}
