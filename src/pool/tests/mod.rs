//! The pool against scripted workers: threads at the other end of a socket pair. One module, `processes`, uses real processes.

mod fake;
mod keeping;
mod ledger;
mod lending;
mod processes;
mod recycling;
mod room;
mod starting;
mod storm;
mod waiting;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::config::Reuse;
use crate::ids::RunId;
use crate::ipc::{Detail, HostMessage, Lang, Mode, RunRequest, WorkerMessage};
use fake::{Act, FakeLauncher, World};
use ledger::Ledger;

/// No test waits longer than this for anything.
const PATIENCE: Duration = Duration::from_secs(10);

/// A limit that no test is meant to reach.
const NEVER: Duration = Duration::from_secs(3600);

/// Short enough for a test to wait for.
const SOON: Duration = Duration::from_millis(30);

fn config(warm: usize, max: usize) -> config::Pool {
    config::Pool {
        warm,
        max,
        memory_bytes: 1 << 40,
        wait_queue: 16,
        wait: NEVER,
        idle_lease: Duration::ZERO,
        max_leases_per_worker: u32::MAX,
        reuse: Reuse::Healthy,
        health: PATIENCE,
        start: PATIENCE,
    }
}

fn settings() -> Settings {
    Settings {
        heap_bytes: 1,
        stack_bytes: 1,
        console_bytes: 1,
        console_entries: 1,
        timers: 1,
        text_bytes: 1,
        json_bytes: 1,
        kill_grace_ms: 1,
        background_timeout_ms: 1,
        input_timeout_ms: 1,
    }
}

fn run(run: u32) -> HostMessage {
    HostMessage::Run(RunRequest {
        run: RunId(u64::from(run)),
        code: String::new(),
        files: Vec::new(),
        mode: Mode::Repl,
        lang: Lang::Js,
        timeout_ms: 1,
        input: None,
        detail: Detail::Text,
    })
}

/// A pool with scripted workers and a ledger of all that happens to it.
struct Rig {
    pool: Pool,
    world: World,
    ledger: Arc<Ledger>,
}

impl Rig {
    fn new(config: config::Pool, world: World) -> Self {
        Self::tuned(config, world, Tuning::default())
    }

    #[track_caller]
    fn tuned(config: config::Pool, world: World, tuning: Tuning) -> Self {
        let ledger = Arc::new(Ledger::new(config.max));
        let (warm, launcher) = (config.warm, FakeLauncher(world.clone()));
        let pool =
            Pool::start_tuned(config, settings(), Duration::ZERO, launcher, ledger.clone(), tuning).expect("starts");
        ledger.wait_for("the warm workers", |seen| seen.counts.of(SlotKind::Idle) >= warm);
        Self { pool, world, ledger }
    }

    #[track_caller]
    fn lease(&self) -> Lease {
        match self.pool.acquire() {
            Ok(Acquired::Now(lease)) => lease,
            other => panic!("expected a lease at once: {other:?}"),
        }
    }

    #[track_caller]
    fn queue(&self) -> Waiter {
        match self.pool.acquire() {
            Ok(Acquired::Waiting(waiter)) => waiter,
            other => panic!("expected a place in the line: {other:?}"),
        }
    }

    #[track_caller]
    fn wait_for_idle(&self, idle: usize) {
        self.ledger.wait_for("idle workers and no others", |seen| {
            seen.counts.of(SlotKind::Idle) == idle && seen.counts.total() == idle
        });
    }

    #[track_caller]
    fn wait_for_retired(&self, reason: RetireReason) {
        self.ledger.wait_for(reason.name(), |seen| seen.retired.contains(&reason));
    }

    /// Ends the pool; nothing may be left of it, and its books must balance.
    #[track_caller]
    fn finish(self) {
        let stats = self.pool.stats();
        assert_eq!(self.ledger.counts(), stats.slots, "the hook has seen every change");
        self.pool.shutdown(PATIENCE).expect("ends in time");
        self.pool.shutdown(Duration::ZERO).expect("can be asked again");
        assert_eq!(self.pool.stats().slots.total(), 0);
        assert_eq!(self.pool.stats().waiting, 0);
        self.ledger.check_closed();
        self.world.check_all_ended();
    }
}

/// Awaits with patience.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it should have happened by now")
}

/// Polls once and expects nothing.
#[track_caller]
fn expect_pending<F: Future>(future: F, what: &str) {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_pending(), "{what}");
}

/// The next position of a waiter.
#[track_caller]
fn expect_position(waited: Waited, position: usize) {
    match waited {
        Waited::Position(actual) => assert_eq!(actual, position),
        other => panic!("expected position {position}: {other:?}"),
    }
}

#[track_caller]
fn expect_ready(waited: Waited) -> Lease {
    match waited {
        Waited::Ready(lease) => lease,
        other => panic!("expected a lease: {other:?}"),
    }
}

/// Uses a lease, so that it has to be recycled.
async fn use_it(lease: &mut Lease) {
    lease.send(&run(1)).unwrap();
    loop {
        if let WorkerMessage::Done(_) = soon(lease.recv()).await.unwrap() {
            return;
        }
    }
}
