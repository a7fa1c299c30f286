//! The keeper: the pool's own thread with a runtime, where new and used workers are made fit and idle ones are looked after.
//!
//! ```text
//! runpen-pool (current-thread runtime)
//! ├── keep(): jobs, the tick, the end of a hold
//! ├── start(): one task for each worker between its launch and its first Ready    (at most `starts_at_once`)
//! └── recycle(): one task for each worker between the end of a lease and Ready    (at most `max`)
//! ```
//! An idle worker has no task. Each task holds a [`Custody`]: it ends with the slot idle or the worker given up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep_until, timeout_at};

use super::health::Vitals;
use super::link::{GoneCause, Link};
use super::process::any_is_stopped;
use super::shared::{Custody, Shared, StartFault};
use super::slot::RetireReason;
use super::state::State;
use crate::ipc::{Health, HostMessage, WorkerMessage};

/// Idle workers looked at under one lock: a system call each, so the lock is held for some tens of microseconds.
const SWEEP_BATCH: usize = 64;

/// Messages of the old run that may come between the end of a lease and `Ready`. A worker writes nothing new once it has read
/// `Prepare`, so this is what fits into a socket and a worker's last turn; more is a worker that only talks.
const MAX_STALE_MESSAGES: usize = 100_000;

/// What the keeper is told.
pub(super) enum KeeperJob {
    Start(Newborn),
    Recycle(Returned),
    /// Look at the clock: a hold on launches has begun, or an idle lease is soon to be called.
    Look,
    End,
}

/// A worker that was just launched.
pub(super) struct Newborn {
    pub(super) custody: Custody,
    pub(super) link: Link,
    pub(super) pid: u32,
    pub(super) begun: Instant,
}

/// A worker that was just given back. `Prepare` is on its way.
pub(super) struct Returned {
    pub(super) custody: Custody,
    pub(super) link: Link,
    pub(super) vitals: Vitals,
    pub(super) nonce: u64,
    /// `Prepare`s of the session itself whose `Ready` it did not read.
    pub(super) unanswered: u32,
    pub(super) given_back: Instant,
}

/// The keeper's main loop.
pub(super) async fn keep(shared: &Arc<Shared>, mut jobs: UnboundedReceiver<KeeperJob>) {
    enum Event {
        Job(Option<KeeperJob>),
        Tick,
        Due,
    }
    let mut next_tick = Instant::now() + shared.tuning.tick;
    loop {
        let look_at = shared.read(State::look_at);
        let due = async {
            match look_at {
                Some(until) => sleep_until(until.into()).await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            job = jobs.recv() => Event::Job(job),
            () = sleep_until(next_tick.into()) => Event::Tick,
            () = due => Event::Due,
        };
        match event {
            Event::Job(Some(KeeperJob::Start(newborn))) => drop(tokio::spawn(start(newborn))),
            Event::Job(Some(KeeperJob::Recycle(returned))) => drop(tokio::spawn(recycle(returned))),
            Event::Job(Some(KeeperJob::Look)) => {}
            Event::Job(Some(KeeperJob::End) | None) => return,
            Event::Tick => {
                sweep(shared).await;
                weigh(shared).await;
                if any_is_stopped() {
                    shared.update(|state, _| state.retire_stopped());
                }
                shared.update(|state, now| {
                    state.trim(now);
                    state.tell_places();
                });
                next_tick = Instant::now() + shared.tuning.tick;
            }
            Event::Due => shared.update(|state, now| {
                state.end_hold(now);
                state.make_room(now);
            }),
        }
    }
}

/// Looks at every idle worker, and lets others work in between.
async fn sweep(shared: &Arc<Shared>) {
    let mut next = Some(0);
    while let Some(index) = next {
        next = shared.update(|state, _| state.sweep(index, SWEEP_BATCH));
        tokio::task::yield_now().await;
    }
}

/// Weighs every worker, and lets others work in between.
async fn weigh(shared: &Arc<Shared>) {
    let mut samples = Vec::new();
    for some in shared.read(State::processes).chunks(SWEEP_BATCH) {
        samples.extend(some.iter().filter_map(|(id, pid)| Some((*id, (shared.scale)(*pid)?))));
        tokio::task::yield_now().await;
    }
    shared.update(|state, now| state.weighed(&samples, now));
}

/// From the launch to the first `Ready`.
async fn start(newborn: Newborn) {
    let Newborn { custody, mut link, pid, begun } = newborn;
    let shared = Arc::clone(custody.shared());
    let deadline = begun + shared.config.start;
    match timeout_at(deadline.into(), first_ready(&shared, &mut link, pid)).await {
        Ok(Ok(vitals)) => custody.ready(link, vitals, begun),
        Ok(Err(fault)) => custody.start_failed(fault),
        Err(_) => custody.start_failed(StartFault::NotReadyInTime),
    }
}

async fn first_ready(shared: &Shared, link: &mut Link, pid: u32) -> Result<Vitals, StartFault> {
    let nonce = shared.nonce();
    let talk = |cause| match cause {
        GoneCause::Closed => StartFault::Died,
        other => StartFault::Talk(other),
    };
    link.send(&HostMessage::Prepare { nonce, settings: shared.settings.clone() }).map_err(talk)?;
    let mut answer = link.recv().await.map_err(talk)?;
    if let WorkerMessage::Boxed(report) = answer {
        // All of them enter the same box; the first tells for all.
        shared.box_report.get_or_init(|| report);
        answer = link.recv().await.map_err(talk)?;
    }
    let health = match answer {
        WorkerMessage::Ready { nonce: answered, health } if answered == nonce => health,
        WorkerMessage::Ready { .. } => return Err(StartFault::Unfit(RetireReason::WrongNonce)),
        _ => return Err(StartFault::Unfit(RetireReason::Violation)),
    };
    let baseline = shared.read(State::baseline_heap_bytes);
    let vitals = Vitals::first(pid, &health, (shared.meter)(pid), baseline).map_err(StartFault::Unfit)?;
    if baseline.is_none() {
        shared.set_baseline(health.heap_bytes);
    }
    park_idle(link).map_err(StartFault::Unfit)?;
    Ok(vitals)
}

/// From the end of a lease to `Ready`.
async fn recycle(returned: Returned) {
    let Returned { custody, mut link, vitals, nonce, unanswered, given_back } = returned;
    let shared = Arc::clone(custody.shared());
    let deadline = given_back + shared.kill_grace + shared.config.health;
    let outcome = match timeout_at(deadline.into(), ready_again(&mut link, nonce, unanswered)).await {
        Ok(Ok(health)) => {
            let baseline = shared.read(State::baseline_heap_bytes);
            vitals.still_fit(&health, (shared.meter)(vitals.pid), baseline).and_then(|()| park_idle(&mut link))
        }
        Ok(Err(reason)) => Err(reason),
        Err(_) => Err(RetireReason::NotReadyInTime),
    };
    match outcome {
        Ok(()) => custody.ready(link, vitals, given_back),
        Err(reason) => custody.retire(reason),
    }
}

/// Reads past what is left of the old run until the `Ready` that answers `nonce`.
async fn ready_again(link: &mut Link, nonce: u64, mut unanswered: u32) -> Result<Health, RetireReason> {
    for _ in 0..MAX_STALE_MESSAGES {
        let message = link.recv().await.map_err(|cause| match cause {
            GoneCause::BadFrame(_) => RetireReason::BadFrame,
            GoneCause::Stalled => RetireReason::Stalled,
            GoneCause::Closed | GoneCause::Io(_) => RetireReason::DiedRecycling,
        })?;
        match message {
            WorkerMessage::Ready { nonce: answered, health } if answered == nonce => return Ok(health),
            WorkerMessage::Ready { .. } if unanswered > 0 => unanswered -= 1,
            WorkerMessage::Ready { .. } => return Err(RetireReason::WrongNonce),
            // Only a new process may say it.
            WorkerMessage::Boxed(_) => return Err(RetireReason::Violation),
            WorkerMessage::Started { .. }
            | WorkerMessage::Console { .. }
            | WorkerMessage::InputRequest { .. }
            | WorkerMessage::Done(_)
            | WorkerMessage::Settled { .. }
            | WorkerMessage::Answer { .. } => {}
        }
    }
    Err(RetireReason::Violation)
}

/// A worker that says anything after its `Ready` is not fit to be idle.
fn park_idle(link: &mut Link) -> Result<(), RetireReason> {
    if !link.is_in_step() {
        return Err(RetireReason::Violation);
    }
    link.park().map_err(|error| {
        tracing::warn!(%error, "a worker's socket cannot be parked");
        RetireReason::Abandoned
    })
}

/// How long the keeper sleeps when nothing happens.
pub(super) const TICK: Duration = Duration::from_secs(1);
