//! What all parts of the pool hold on to: the locked state, the way to its threads, and the guards that bring a slot home.

use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::time::{Duration, Instant};

use std::hash::{BuildHasher, RandomState};
use tokio::sync::mpsc as async_mpsc;

use super::Tuning;
use super::health::Vitals;
use super::hook::PoolHook;
use super::keeper::{KeeperJob, Newborn};
use super::link::{GoneCause, Link};
use super::process::ReaperJob;
use super::slot::RetireReason;
use super::spawn::{LaunchError, Launched, Launcher, Meter, Scale, SpawnerJob};
use super::state::{Doomed, Effects, Proof, State};
use crate::config;
use crate::ids::WorkerId;
use crate::ipc::Settings;
use crate::sandbox::Report;

pub(super) struct Shared {
    state: Mutex<State>,
    /// Signalled when the proof is known.
    proven: Condvar,
    /// Whether somebody may have to give way.
    pressed: Arc<AtomicBool>,
    pub(super) config: config::Pool,
    pub(super) settings: Settings,
    /// How long a worker has to stop what it runs, before its health check begins.
    pub(super) kill_grace: Duration,
    pub(super) tuning: Tuning,
    pub(super) hook: Arc<dyn PoolHook>,
    pub(super) meter: Meter,
    pub(super) scale: Scale,
    to_spawner: mpsc::Sender<SpawnerJob>,
    to_reaper: mpsc::Sender<ReaperJob>,
    to_keeper: async_mpsc::UnboundedSender<KeeperJob>,
    nonces: Nonces,
    first_start: Mutex<FirstStart>,
    /// What the first worker said of its box.
    pub(super) box_report: OnceLock<Report>,
    /// The pool's threads that have not ended, and a signal for when one does.
    threads: Mutex<usize>,
    thread_ended: Condvar,
}

/// Where the pool's threads take their work from.
pub(super) struct Inboxes {
    pub(super) spawner: mpsc::Receiver<SpawnerJob>,
    pub(super) reaper: mpsc::Receiver<ReaperJob>,
    pub(super) keeper: async_mpsc::UnboundedReceiver<KeeperJob>,
}

/// Why the very first worker did not start, for the error of `Pool::start`.
#[derive(Default)]
struct FirstStart {
    fault: Option<StartFault>,
    exit: Option<ExitStatus>,
}

/// Why a new worker did not become ready.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartFault {
    #[error(transparent)]
    Launch(#[from] LaunchError),
    #[error("it ended before it was ready")]
    Died,
    #[error("it was not ready in time")]
    NotReadyInTime,
    #[error("it failed its check: {}", .0.name())]
    Unfit(RetireReason),
    #[error("it broke the frame protocol: {0}")]
    Talk(GoneCause),
}

impl Shared {
    pub(super) fn new(
        config: config::Pool,
        settings: Settings,
        kill_grace: Duration,
        tuning: Tuning,
        hook: Arc<dyn PoolHook>,
        meter: Meter,
        scale: Scale,
    ) -> (Arc<Self>, Inboxes) {
        let (to_spawner, spawner) = mpsc::channel();
        let (to_reaper, reaper) = mpsc::channel();
        // Unbounded, and yet bounded: there is at most one job for each slot.
        let (to_keeper, keeper) = async_mpsc::unbounded_channel();
        let pressed = Arc::new(AtomicBool::new(false));
        let state = State::new(config.clone(), tuning, Arc::clone(&hook), Arc::clone(&pressed));
        let shared = Arc::new(Self {
            state: Mutex::new(state),
            proven: Condvar::new(),
            pressed,
            config,
            settings,
            kill_grace,
            tuning,
            hook,
            meter,
            scale,
            to_spawner,
            to_reaper,
            to_keeper,
            nonces: Nonces::default(),
            first_start: Mutex::default(),
            box_report: OnceLock::new(),
            threads: Mutex::new(0),
            thread_ended: Condvar::new(),
        });
        (shared, Inboxes { spawner, reaper, keeper })
    }

    /// Every change to the state goes through here: it is made under the lock, supply and demand are settled, the lock is
    /// released, and then what follows from it is carried out.
    pub(super) fn update<R>(self: &Arc<Self>, change: impl FnOnce(&mut State, Instant) -> R) -> R {
        let now = Instant::now();
        let (result, effects) = {
            let mut state = lock(&self.state);
            let result = change(&mut state, now);
            state.settle(now);
            (result, state.take_effects())
        };
        self.carry_out(effects);
        result
    }

    /// Whether the pool wants to hear of leases that are idle.
    pub(super) fn is_pressed(&self) -> bool {
        self.pressed.load(Ordering::SeqCst)
    }

    /// A look at the state.
    pub(super) fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&lock(&self.state))
    }

    fn carry_out(self: &Arc<Self>, effects: Effects) {
        let Effects { wake, launch, doomed, nudge, proven, end } = effects;
        for Doomed { id, mut process, reason, link } in doomed {
            process.kill();
            drop(link);
            if reason.is_routine() {
                tracing::debug!(worker = %id, reason = reason.name(), "worker retired");
            } else {
                tracing::warn!(worker = %id, reason = reason.name(), "worker retired");
            }
            // The reaper lives until the last slot is gone, and this is one.
            let _ = self.to_reaper.send(ReaperJob::Reap(id, process));
        }
        for id in launch {
            let permit = SpawnPermit(Custody::new(self, id));
            // A spawner that is gone drops the permit, which frees the slot.
            let _ = self.to_spawner.send(SpawnerJob::Launch(permit));
        }
        for waker in wake {
            waker.wake();
        }
        if nudge {
            let _ = self.to_keeper.send(KeeperJob::Look);
        }
        if end {
            let _ = self.to_spawner.send(SpawnerJob::End);
            let _ = self.to_reaper.send(ReaperJob::End);
            let _ = self.to_keeper.send(KeeperJob::End);
        }
        if proven {
            self.proven.notify_all();
        }
    }

    /// Remembers the first fresh heap ever seen.
    pub(super) fn set_baseline(&self, heap_bytes: u64) {
        lock(&self.state).set_baseline(heap_bytes);
    }

    /// Hands work to the keeper. When that is gone, the custody inside the job frees its slot.
    pub(super) fn tell_keeper(&self, job: KeeperJob) {
        let _ = self.to_keeper.send(job);
    }

    /// A nonce for a `Prepare` that no worker can foresee.
    pub(super) fn nonce(&self) -> u64 {
        self.nonces.next()
    }

    pub(super) fn reaped(self: &Arc<Self>, id: WorkerId, status: Option<ExitStatus>) {
        if self.read(State::proof) == Proof::Failed {
            lock(&self.first_start).exit = status;
        }
        self.update(|state, _| state.reaped(id));
    }

    fn start_failed(self: &Arc<Self>, id: WorkerId, fault: StartFault) {
        let proof = self.read(State::proof);
        match proof {
            Proof::Awaited => lock(&self.first_start).fault = Some(fault),
            Proof::Given | Proof::Failed => tracing::warn!(worker = %id, error = %fault, "worker did not start"),
        }
        self.update(|state, now| state.start_failed(id, now));
    }

    /// Why the first worker did not start.
    pub(super) fn first_fault(&self) -> (Option<StartFault>, Option<ExitStatus>) {
        let mut first = lock(&self.first_start);
        (first.fault.take(), first.exit)
    }

    /// Blocks until the first worker is ready or lost, or the time is up.
    pub(super) fn wait_for_proof(&self, timeout: Duration) -> Proof {
        let state = lock(&self.state);
        let waited = self.proven.wait_timeout_while(state, timeout, |state| state.proof() == Proof::Awaited);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.proof()
    }

    /// Blocks until every thread of the pool has come to its end, or the time is up.
    pub(super) fn wait_for_threads(&self, timeout: Duration) -> bool {
        let threads = lock(&self.threads);
        let waited = self.thread_ended.wait_timeout_while(threads, timeout, |threads| *threads > 0);
        let (threads, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *threads == 0
    }

    /// Counts the current thread among the pool's until the guard is dropped.
    pub(super) fn thread_guard(self: &Arc<Self>) -> ThreadGuard {
        *lock(&self.threads) += 1;
        ThreadGuard(Arc::clone(self))
    }
}

/// One thread of the pool that has not ended.
pub(super) struct ThreadGuard(Arc<Shared>);

impl Drop for ThreadGuard {
    fn drop(&mut self) {
        *lock(&self.0.threads) -= 1;
        self.0.thread_ended.notify_all();
    }
}

/// Goes on after a panic elsewhere: every change keeps the state whole at each step, and giving a lease back must not fail.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The duty to bring a slot that is being started or recycled to its next state. Whoever drops it gives the worker up, so no
/// slot is lost with the task that cared for it.
#[must_use]
pub(super) struct Custody {
    shared: Arc<Shared>,
    id: WorkerId,
    discharged: bool,
}

impl Custody {
    pub(super) fn new(shared: &Arc<Shared>, id: WorkerId) -> Self {
        Self { shared: Arc::clone(shared), id, discharged: false }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The worker is fit; `begun` is when it was launched or given back.
    pub(super) fn ready(mut self, link: Link, vitals: Vitals, begun: Instant) {
        self.discharged = true;
        self.shared.update(|state, now| state.ready(self.id, link, vitals, begun, now));
    }

    pub(super) fn retire(mut self, reason: RetireReason) {
        self.discharged = true;
        self.shared.update(|state, _| state.retire(self.id, reason));
    }

    pub(super) fn start_failed(mut self, fault: StartFault) {
        self.discharged = true;
        self.shared.start_failed(self.id, fault);
    }
}

impl Drop for Custody {
    fn drop(&mut self) {
        if !self.discharged {
            self.shared.update(|state, now| state.abandon(self.id, now));
        }
    }
}

/// The right to launch one worker: a slot is counted for it already.
#[must_use]
pub(super) struct SpawnPermit(Custody);

impl SpawnPermit {
    pub(super) fn launch(self, launcher: &mut impl Launcher) {
        let SpawnPermit(custody) = self;
        if custody.shared.read(State::is_closed) {
            return custody.retire(RetireReason::Shutdown);
        }
        let begun = Instant::now();
        let Launched { socket, process } = match launcher.launch(custody.id) {
            Ok(launched) => launched,
            Err(error) => return custody.start_failed(error.into()),
        };
        let pid = process.pid();
        let id = custody.id;
        if !custody.shared.update(|state, _| state.launched(id, process)) {
            return drop(custody);
        }
        match Link::new(socket) {
            Ok(link) => {
                let shared = Arc::clone(&custody.shared);
                shared.tell_keeper(KeeperJob::Start(Newborn { custody, link, pid, begun }));
            }
            Err(error) => custody.start_failed(LaunchError::Socket(error).into()),
        }
    }
}

/// Numbers that cannot be foreseen without the key, and do not repeat while it matters: a keyed hash of a counter.
#[derive(Default)]
struct Nonces {
    key: RandomState,
    count: AtomicU64,
}

impl Nonces {
    fn next(&self) -> u64 {
        self.key.hash_one(self.count.fetch_add(1, Ordering::Relaxed))
    }
}
