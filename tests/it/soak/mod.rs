//! Chaos: many clients of every temper at one server, and somebody who kills and stops its workers at random. In the end nothing
//! may be missing and nothing left over.
//!
//! `SOAK_SECONDS` says for how long (a minute unless told otherwise, ten by `make soak`), `SOAK_SEED` repeats the choices of an earlier time.

mod book;
mod chance;
mod client;
mod http;
mod monkey;
mod programs;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chance::Chance;
use tokio::sync::Notify;
use tokio::task::LocalSet;

use crate::support::server::{Footprint, TestServer};
use crate::support::ws::WsClient;

/// WebSocket clients at once. Several times the machine's cores, and more than there are workers, so that sessions also wait in line.
const CLIENTS: u64 = 14;
const HTTP_CLIENTS: u64 = 3;
const WARM: usize = 4;

/// How much larger than after the warm-up the server's memory may be in the end. A debug build of an idle server has some 30 MB, most
/// of it kept by the allocator after the largest rush; a leak of 1 kB a run would be more than this in a long test.
const MEMORY_SLACK_BYTES: u64 = 32 << 20;

/// What all clients of a time have seen, and the bell that the monkey listens to.
#[derive(Default)]
pub struct Tally {
    counts: RefCell<BTreeMap<String, u64>>,
    /// Rung at the end of each run.
    ended: Notify,
}

impl Tally {
    pub fn count(&self, what: &str) {
        *self.counts.borrow_mut().entry(what.to_owned()).or_default() += 1;
    }

    pub fn run_ended(&self, outcome: &str) {
        self.count(&format!("run ended {outcome}"));
        self.ended.notify_one();
    }

    fn of(&self, prefix: &str) -> u64 {
        self.counts.borrow().iter().filter(|(what, _)| what.starts_with(prefix)).map(|(_, count)| count).sum()
    }
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
}

#[test]
#[ignore = "takes a minute and the whole machine: `make test` runs it alone, `make soak` for longer"]
fn nothing_is_lost_and_nothing_left_over_when_everything_goes_wrong() {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = from_env("SOAK_SEED").unwrap_or(since.as_micros() as u64);
    let time = Duration::from_secs(from_env("SOAK_SECONDS").unwrap_or(60));
    println!("SOAK_SEED={seed} SOAK_SECONDS={}", time.as_secs());

    let server = Rc::new(TestServer::with(&[
        ("pool.warm", &WARM.to_string()),
        ("pool.max", "12"),
        ("pool.max_leases_per_worker", "20"),
        ("pool.idle_lease_ms", "200"),
        ("pool.wait_ms", "30000"),
        ("run.heap_bytes", "33554432"),
        ("run.background_timeout_ms", "1500"),
        ("run.input_timeout_ms", "800"),
        ("session.close_drain_ms", "300"),
    ]));
    let tally = Rc::new(Tally::default());
    // The first quarter grows what grows once: thread-local caches, hash tables, the allocator's arenas.
    rush(&server, &tally, seed, time / 4);
    let before = calm(&server);
    rush(&server, &tally, seed.wrapping_add(1), time * 3 / 4);
    let after = calm(&server);

    for (what, count) in &*tally.counts.borrow() {
        println!("{count:>8} {what}");
    }
    println!("before {before:?}\nafter  {after:?}");
    // An idle worker has one descriptor of the server's; there may be a few more idle ones than before.
    let open_files = |seen: &Footprint| seen.open_files - seen.children;
    assert!(open_files(&after) <= open_files(&before) + 2, "descriptors leak: {before:?}, then {after:?}");
    assert!(after.threads <= before.threads, "threads leak: {before:?}, then {after:?}");
    assert!(after.memory <= before.memory + MEMORY_SLACK_BYTES, "memory leaks: {before:?}, then {after:?}");
    assert!(tally.of("run ended") > 0 && tally.of("signal") > 0, "the test has lost its object");
}

/// Everybody at once, for some time.
fn rush(server: &Rc<TestServer>, tally: &Rc<Tally>, seed: u64, time: Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tasks = LocalSet::new();
    let until = Instant::now() + time;
    let mut all = Vec::new();
    for number in 0..CLIENTS {
        let (server, tally, chance) = (Rc::clone(server), Rc::clone(tally), Chance::new(seed, number));
        all.push(tasks.spawn_local(client::sessions(server, chance, until, tally)));
    }
    for number in 0..HTTP_CLIENTS {
        let (server, tally, chance) = (Rc::clone(server), Rc::clone(tally), Chance::new(seed, 1000 + number));
        all.push(tasks.spawn_local(http::requests(server, chance, until, tally)));
    }
    let monkey = tasks.spawn_local(monkey::torment(server.pid(), Chance::new(seed, 2000), Rc::clone(tally)));
    tasks.block_on(&runtime, async {
        for task in all {
            task.await.expect("a client's expectations are met");
        }
        monkey.abort();
    });
}

/// Waits until the server has come to rest, and looks at it.
fn calm(server: &TestServer) -> Footprint {
    at_rest_and_whole(server);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut client = WsClient::connect(server).await;
        assert_eq!(client.run("1+1").await.text(), "2");
        client.close(Some(1000)).await;
        assert_eq!(client.close_code().await, Some(1000));
    });
    at_rest_and_whole(server);
    server.footprint()
}

/// No session, no lease, the pool full, and its processes as many as it thinks, none of them dead or stopped.
fn at_rest_and_whole(server: &TestServer) {
    server.at_rest();
    server.eventually("every worker idle and alive", |server| {
        let workers = server.children();
        let is_well = |pid: &u32| !matches!(state_of(*pid), None | Some('Z' | 'T'));
        workers.len() >= WARM && server.slots("idle") == workers.len() as f64 && workers.iter().all(is_well)
    });
    assert_eq!(server.metric("runpen_pool_waiting"), 0.0);
}

/// A process's state as `ps` shows it; `None` once it is gone.
fn state_of(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}
