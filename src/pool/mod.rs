//! The pool of workers: who gets one, how it comes back fit, and how it is replaced when it does not.
//!
//! ```text
//! session ── acquire ──► Lease ── drop ──► Prepare … Ready ──► idle again
//!               │           └── retire / drop of a dead one ──► SIGKILL, reaped, replaced
//!               └─ nobody idle ──► Waiter (first come, first served) ──► Lease
//! ```
//!
//! Three threads belong to a pool, and every one has a single thing to do:
//!
//! | thread | does | because |
//! | --- | --- | --- |
//! | `runpen-spawner` | launches processes | a worker asks to be killed when the *thread* that launched it ends, so that thread lives as long as the pool |
//! | `runpen-reaper` | waits for killed processes | a slot counts against `max` until its process is really gone |
//! | `runpen-pool` | `Prepare` → `Ready`, the tick | recycling must go on when the session that caused it is gone |
//!
//! The rest happens on the caller's thread, under one lock that is held for microseconds and never across an await. Decisions are
//! taken by `State`, which does no I/O; what follows from them is carried out after the lock is released.
//!
//! A lease's socket is registered with the runtime that receives from it, so that a worker's message wakes the session without
//! crossing threads. An idle worker's socket is registered nowhere and costs no task, no timer and no buffer: that it died is
//! seen when it is leased (one `recv` that only looks), and once a second by the keeper's sweep. So is a worker in any state that a
//! signal has stopped: it is killed and replaced like a stuck one, because nobody knows whether it will ever go on. A worker that is
//! stopped before its first `Ready` is late for it.

mod health;
mod hook;
mod keeper;
mod lease;
mod line;
mod link;
mod memory;
mod process;
mod rest;
mod shared;
mod slot;
mod spawn;
mod state;
#[cfg(test)]
mod tests;

use std::io;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::config;
use crate::ipc::Settings;
use crate::sandbox::Report;

pub use health::Footprint;
pub use hook::{NoHook, PoolHook, RecallReason, WaitOutcome};
pub use lease::{Lease, WorkerGone};
pub use line::{Waited, Waiter};
pub use link::{GoneCause, MAX_OUTBOX_BYTES};
pub use process::Process;
pub use rest::Recall;
pub use slot::{Counts, RetireReason, SlotKind};
pub use spawn::{LaunchError, Launched, Launcher, Meter, ProcessLauncher, Scale};

use shared::{Inboxes, Shared, StartFault};
use state::{Proof, State, idle_fault};

/// A pool of workers. Clones are the same pool; when the last one is dropped, all workers are killed, as by
/// [`Pool::shutdown`] but without waiting.
#[derive(Clone)]
pub struct Pool {
    owner: Arc<Owner>,
}

struct Owner {
    shared: Arc<Shared>,
    /// Emptied by the shutdown that sees them end.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What [`Pool::acquire`] gives.
#[derive(Debug)]
pub enum Acquired {
    Now(Lease),
    /// Nobody is idle: a place in the line.
    Waiting(Waiter),
}

/// Why [`Pool::acquire`] gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    #[error("wait for a worker: the line is full")]
    LineFull,
    #[error("lease a worker: the pool is closed")]
    Closed,
}

/// The pool in numbers, all of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStats {
    pub slots: Counts,
    /// Sessions in the line.
    pub waiting: usize,
    /// Configured.
    pub warm: usize,
    /// Configured.
    pub max: usize,
    /// Memory of the workers that they share with nobody, at the last look.
    pub used_bytes: u64,
    /// Configured.
    pub memory_bytes: u64,
}

/// Why a pool did not start. All that had been started was ended again.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    #[error("start the pool's thread {name}")]
    Thread { name: &'static str, source: io::Error },
    #[error("start a worker")]
    Launch(#[source] LaunchError),
    #[error("start a worker: it ended before it was ready ({})", exit.map_or("status unknown".into(), |exit| exit.to_string()))]
    DiedAtStart { exit: Option<ExitStatus> },
    /// It left by itself, because the policy asks for every layer.
    #[error("box a worker: {report}; `sandbox.mode = \"best-effort\"` would run without what is missing")]
    BoxIncomplete { report: Report },
    #[error("start a worker: it was not ready within pool.start ({limit:?})")]
    NotReadyInTime { limit: Duration },
    #[error("start a worker: it failed its own check: {}", .0.name())]
    Unfit(RetireReason),
    #[error("start a worker: {0}")]
    Talk(#[source] GoneCause),
}

/// The time given to [`Pool::shutdown`] was too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("end the pool in time: {workers} workers are left")]
pub struct ShutdownTooSlow {
    pub workers: usize,
}

/// Numbers nobody needs to configure; tests do.
#[derive(Debug, Clone, Copy)]
struct Tuning {
    /// Launches between fork and first `Ready` at once. More would only make all of them late: a start is nearly all CPU time.
    starts_at_once: usize,
    /// Idle workers above `warm` are kept this long after their last use.
    surplus_after: Duration,
    /// Between two sweeps for dead and surplus idle workers.
    tick: Duration,
    /// The pause after a start that failed; doubled for each further one.
    first_hold: Duration,
    /// The longest such pause.
    longest_hold: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            starts_at_once: 8,
            surplus_after: Duration::from_secs(60),
            tick: keeper::TICK,
            first_hold: Duration::from_millis(10),
            longest_hold: Duration::from_secs(1),
        }
    }
}

/// How long the threads of a pool that did not start get to end.
const FAILED_START_DEADLINE: Duration = Duration::from_secs(5);

impl Pool {
    /// Starts the pool and blocks until its first worker is ready. `settings` go to every worker; `kill_grace` is what a worker
    /// gets to stop its run when it is given back, before its health check begins.
    ///
    /// # Errors
    /// When the first worker does not become ready: its binary is missing, it ends at once, fails its check, or takes longer
    /// than `pool.start`.
    pub fn start(
        config: config::Pool,
        settings: Settings,
        kill_grace: Duration,
        launcher: impl Launcher,
        hook: Arc<dyn PoolHook>,
    ) -> Result<Pool, PoolError> {
        Self::start_tuned(config, settings, kill_grace, launcher, hook, Tuning::default())
    }

    fn start_tuned(
        config: config::Pool,
        settings: Settings,
        kill_grace: Duration,
        launcher: impl Launcher,
        hook: Arc<dyn PoolHook>,
        tuning: Tuning,
    ) -> Result<Pool, PoolError> {
        let limit = config.start;
        let (shared, inboxes) =
            Shared::new(config, settings, kill_grace, tuning, hook, launcher.meter(), launcher.scale());
        let pool = Pool { owner: Arc::new(Owner { shared: Arc::clone(&shared), threads: Mutex::default() }) };
        // When one of them cannot be started, dropping the pool ends the others.
        pool.owner.start_threads(inboxes, launcher)?;
        // Orders the first workers.
        shared.update(|_, _| ());
        // The keeper sees to the limit; the slack is for a launch that itself hangs.
        match shared.wait_for_proof(limit + Duration::from_secs(1)) {
            Proof::Given => return Ok(pool),
            Proof::Failed | Proof::Awaited => {}
        }
        // After this the process is reaped and its exit status is known.
        let _ = pool.shutdown(FAILED_START_DEADLINE);
        Err(match shared.first_fault() {
            (Some(StartFault::Launch(error)), _) => PoolError::Launch(error),
            (Some(StartFault::Died), exit) => match pool.box_report().filter(|report| !report.is_complete()) {
                Some(report) => PoolError::BoxIncomplete { report: report.clone() },
                None => PoolError::DiedAtStart { exit },
            },
            (Some(StartFault::NotReadyInTime) | None, _) => PoolError::NotReadyInTime { limit },
            (Some(StartFault::Unfit(reason)), _) => PoolError::Unfit(reason),
            (Some(StartFault::Talk(cause)), _) => PoolError::Talk(cause),
        })
    }

    /// A lease at once, or a place in the line. Never blocks.
    ///
    /// # Errors
    /// [`Busy::LineFull`] when `pool.wait_queue` sessions wait already whom `pool.max` workers cannot serve, [`Busy::Closed`]
    /// after a shutdown.
    pub fn acquire(&self) -> Result<Acquired, Busy> {
        let shared = &self.owner.shared;
        loop {
            let grant = shared.update(|state, now| {
                if state.is_closed() {
                    return Err(Busy::Closed);
                }
                match state.lease() {
                    Some(grant) => Ok(Ok(grant)),
                    None if state.line_is_full() => Err(Busy::LineFull),
                    None => {
                        let ticket = state.line.join(now);
                        state.make_room(now);
                        Ok(Err((ticket, now)))
                    }
                }
            });
            let grant = match grant {
                Ok(Ok(grant)) => grant,
                Ok(Err((ticket, now))) => return Ok(Acquired::Waiting(Waiter::new(Arc::clone(shared), ticket, now))),
                Err(busy) => {
                    if busy == Busy::LineFull {
                        shared.hook.refused();
                    }
                    return Err(busy);
                }
            };
            match idle_fault(grant.link.peek()) {
                None => return Ok(Acquired::Now(Lease::new(Arc::clone(shared), grant))),
                // It died since the last sweep. Each round costs one such worker, so this ends.
                Some(reason) => shared.update(|state, _| state.retire(grant.id, reason)),
            }
        }
    }

    /// What the first worker said of the box it is in; `None` from a worker program that enters none.
    pub fn box_report(&self) -> Option<&Report> {
        self.owner.shared.box_report.get()
    }

    /// Counts of this moment.
    pub fn stats(&self) -> PoolStats {
        let config = &self.owner.shared.config;
        let &config::Pool { warm, max, memory_bytes, .. } = config;
        self.owner.shared.read(|state| {
            let (slots, waiting, used_bytes) = (state.counts(), state.line.len(), state.used_bytes());
            PoolStats { slots, waiting, warm, max, used_bytes, memory_bytes }
        })
    }

    /// Kills every worker, leased or not, and blocks until all are reaped and the pool's threads have ended. Those in the line
    /// hear `Closed`; leases still out hear that their worker is gone. Calling it again waits again.
    ///
    /// # Errors
    /// When that takes longer than `deadline`. The pool is closed in any case, and goes on ending.
    pub fn shutdown(&self, deadline: Duration) -> Result<(), ShutdownTooSlow> {
        let shared = &self.owner.shared;
        shared.update(State::close);
        if !shared.wait_for_threads(deadline) {
            return Err(ShutdownTooSlow { workers: shared.read(State::counts).total() });
        }
        let threads = std::mem::take(&mut *self.owner.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // It has counted itself off, so this takes no time. A panic in it was reported when it happened.
            let _ = thread.join();
        }
        Ok(())
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pool").field(&self.stats()).finish()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.update(State::close);
    }
}

const SPAWNER: &str = "runpen-spawner";
const REAPER: &str = "runpen-reaper";
const KEEPER: &str = "runpen-pool";

impl Owner {
    fn start_threads(&self, inboxes: Inboxes, launcher: impl Launcher) -> Result<(), PoolError> {
        let Inboxes { spawner, reaper, keeper } = inboxes;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|source| PoolError::Thread { name: KEEPER, source })?;
        self.start_thread(SPAWNER, move |_| spawn::spawn(launcher, &spawner))?;
        self.start_thread(REAPER, move |shared| process::reap(shared, &reaper))?;
        self.start_thread(KEEPER, move |shared| runtime.block_on(keeper::keep(shared, keeper)))
    }

    fn start_thread(
        &self,
        name: &'static str,
        body: impl FnOnce(&Arc<Shared>) + Send + 'static,
    ) -> Result<(), PoolError> {
        // A thread is counted as long as it runs, because joining it knows no deadline.
        let guard = self.shared.thread_guard();
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                let _guard = guard;
                body(&shared);
            })
            .map_err(|source| PoolError::Thread { name, source })?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }
}
