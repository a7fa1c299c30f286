//! What a slot can be, and why a worker is given up.

use std::sync::Arc;
use std::time::Instant;

use super::health::Vitals;
use super::link::Link;
use super::process::Process;
use super::rest::Rest;

/// A slot of the pool: one worker from the decision to spawn it until its process is reaped.
///
/// Every state owns what exists in it and nothing else. The process handle stays with the slot, so that the pool can kill a
/// worker whoever holds its socket; the socket moves to whoever talks to the worker.
///
/// ```text
/// (none) -> Spawning -> Idle <-> Leased -> Recycling -> Idle
///              any of them -> Dying -> (none)
/// ```
pub(super) enum Slot {
    /// Decided on; `None` until the spawner has launched it. Left for `Idle` at its first `Ready`, or for `Dying` when that
    /// does not come; straight to nothing when no process could be launched.
    Spawning(Option<Box<dyn Process>>),
    /// Has a fresh engine and waits. Left for `Leased` by a session, for `Dying` when found dead, talking, or surplus.
    Idle(IdleWorker),
    /// A session has it. Left for `Recycling` when the lease is dropped, for `Idle` when it was never used, for `Dying` when
    /// it is retired.
    Leased(Leased),
    /// Stops what ran, rebuilds its engine and checks itself. Left for `Idle` on a good `Ready`, else for `Dying`.
    Recycling(Box<dyn Process>),
    /// Killed; the reaper has the handle and waits for the end. Counts against `max` until then, because it still has memory.
    Dying,
}

/// A worker that a session has.
pub(super) struct Leased {
    pub(super) process: Box<dyn Process>,
    /// What its session says of it.
    pub(super) rest: Arc<Rest>,
}

/// A worker nobody uses: its socket is parked, and no task or timer belongs to it.
pub(super) struct IdleWorker {
    pub(super) link: Link,
    pub(super) process: Box<dyn Process>,
    pub(super) vitals: Vitals,
    /// Since when nobody has wanted it.
    pub(super) since: Instant,
}

impl Slot {
    pub(super) fn kind(&self) -> SlotKind {
        match self {
            Slot::Spawning(_) => SlotKind::Spawning,
            Slot::Idle(_) => SlotKind::Idle,
            Slot::Leased(_) => SlotKind::Leased,
            Slot::Recycling(_) => SlotKind::Recycling,
            Slot::Dying => SlotKind::Dying,
        }
    }
}

/// The state of a slot, without what it owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlotKind {
    /// From the decision to spawn until the first `Ready`.
    Spawning,
    /// Ready for a session.
    Idle,
    /// In a session's hands.
    Leased,
    /// Given back, not yet fit again.
    Recycling,
    /// Killed, not yet reaped.
    Dying,
}

impl SlotKind {
    pub const ALL: [SlotKind; 5] =
        [SlotKind::Spawning, SlotKind::Idle, SlotKind::Leased, SlotKind::Recycling, SlotKind::Dying];

    /// The metrics label.
    pub fn name(self) -> &'static str {
        match self {
            SlotKind::Spawning => "spawning",
            SlotKind::Idle => "idle",
            SlotKind::Leased => "leased",
            SlotKind::Recycling => "recycling",
            SlotKind::Dying => "dying",
        }
    }

    /// Whether a slot may go from one state to the other; `None` is no slot at all.
    pub(super) fn may_become(from: Option<SlotKind>, to: Option<SlotKind>) -> bool {
        use SlotKind::{Dying, Idle, Leased, Recycling, Spawning};
        matches!(
            (from, to),
            (None, Some(Spawning))
                | (Some(Spawning), Some(Idle) | None)
                | (Some(Idle), Some(Leased))
                | (Some(Leased), Some(Idle | Recycling))
                | (Some(Recycling), Some(Idle))
                | (Some(Spawning | Idle | Leased | Recycling), Some(Dying))
                | (Some(Dying), None)
        )
    }
}

/// How many slots are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([usize; SlotKind::ALL.len()]);

impl Counts {
    /// Slots in this state.
    pub fn of(&self, kind: SlotKind) -> usize {
        self.0[kind as usize]
    }

    /// Slots in any state.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// Slots that are idle or on their way to be.
    pub(super) fn spare(&self) -> usize {
        self.of(SlotKind::Spawning) + self.of(SlotKind::Idle) + self.of(SlotKind::Recycling)
    }

    pub(super) fn shift(&mut self, from: Option<SlotKind>, to: Option<SlotKind>) {
        if let Some(from) = from {
            self.0[from as usize] -= 1;
        }
        if let Some(to) = to {
            self.0[to as usize] += 1;
        }
    }
}

/// Why a worker was given up. Each is a metrics label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetireReason {
    /// It was not launched, ended before its first `Ready`, was late with it, or failed its first check.
    StartFailed,
    /// No `Ready` in time after a lease: it was hung, and the interrupt did not help.
    NotReadyInTime,
    /// The socket was closed while nobody used it.
    DiedIdle,
    /// The socket was closed during a lease.
    DiedInUse,
    /// The socket was closed between the end of a lease and `Ready`.
    DiedRecycling,
    /// It sent something that is no frame.
    BadFrame,
    /// It read nothing while [`MAX_OUTBOX_BYTES`](super::MAX_OUTBOX_BYTES) waited for it.
    Stalled,
    /// A signal had stopped it (SIGSTOP): by somebody on this machine, since no worker can send one.
    Stopped,
    /// It did not begin a run that it had been sent.
    Unresponsive,
    /// The ladder's end: a run did not stop when it was interrupted.
    Killed,
    /// It said something that it must not say then, by the session's judgement or the pool's.
    Violation,
    /// `Ready` with a nonce nobody had sent.
    WrongNonce,
    /// The fresh engine's heap is larger than a fresh heap is.
    HeapGrown,
    /// The probe loop never reached the interrupt handler.
    InterruptDead,
    /// Jobs or timers in the fresh engine.
    Leftovers,
    /// More or fewer open files than at its start.
    OpenFiles,
    /// More than one thread.
    Threads,
    /// Its memory stayed large after the engine was rebuilt.
    Bloated,
    /// It had its `max_leases_per_worker`.
    UsedUp,
    /// `pool.reuse` is `"never"`.
    NeverReuse,
    /// Idle above `warm` for a long time.
    Surplus,
    /// The workers used more than `pool.memory_bytes`, nobody was idle, and it was the largest.
    Memory,
    /// The pool is closing.
    Shutdown,
    /// The pool's own task that cared for it was lost. Never expected.
    Abandoned,
}

impl RetireReason {
    pub const ALL: [RetireReason; 24] = [
        RetireReason::StartFailed,
        RetireReason::NotReadyInTime,
        RetireReason::DiedIdle,
        RetireReason::DiedInUse,
        RetireReason::DiedRecycling,
        RetireReason::BadFrame,
        RetireReason::Stalled,
        RetireReason::Stopped,
        RetireReason::Unresponsive,
        RetireReason::Killed,
        RetireReason::Violation,
        RetireReason::WrongNonce,
        RetireReason::HeapGrown,
        RetireReason::InterruptDead,
        RetireReason::Leftovers,
        RetireReason::OpenFiles,
        RetireReason::Threads,
        RetireReason::Bloated,
        RetireReason::UsedUp,
        RetireReason::NeverReuse,
        RetireReason::Surplus,
        RetireReason::Memory,
        RetireReason::Shutdown,
        RetireReason::Abandoned,
    ];

    /// The metrics label.
    pub fn name(self) -> &'static str {
        match self {
            RetireReason::StartFailed => "start_failed",
            RetireReason::NotReadyInTime => "not_ready_in_time",
            RetireReason::DiedIdle => "died_idle",
            RetireReason::DiedInUse => "died_in_use",
            RetireReason::DiedRecycling => "died_recycling",
            RetireReason::BadFrame => "bad_frame",
            RetireReason::Stalled => "stalled",
            RetireReason::Stopped => "stopped",
            RetireReason::Unresponsive => "unresponsive",
            RetireReason::Killed => "killed",
            RetireReason::Violation => "violation",
            RetireReason::WrongNonce => "wrong_nonce",
            RetireReason::HeapGrown => "heap_grown",
            RetireReason::InterruptDead => "interrupt_dead",
            RetireReason::Leftovers => "leftovers",
            RetireReason::OpenFiles => "open_files",
            RetireReason::Threads => "threads",
            RetireReason::Bloated => "bloated",
            RetireReason::UsedUp => "used_up",
            RetireReason::NeverReuse => "never_reuse",
            RetireReason::Surplus => "surplus",
            RetireReason::Memory => "memory",
            RetireReason::Shutdown => "shutdown",
            RetireReason::Abandoned => "abandoned",
        }
    }

    /// Part of the pool's ordinary life, as opposed to something an operator may want to read about.
    pub(super) fn is_routine(self) -> bool {
        match self {
            RetireReason::UsedUp | RetireReason::NeverReuse | RetireReason::Surplus | RetireReason::Shutdown => true,
            // Strangers' code can bring these about at will: they are counted, and must not fill the log.
            RetireReason::Killed
            | RetireReason::DiedInUse
            | RetireReason::DiedRecycling
            | RetireReason::NotReadyInTime
            | RetireReason::Bloated
            | RetireReason::Memory => true,
            RetireReason::StartFailed
            | RetireReason::DiedIdle
            | RetireReason::BadFrame
            | RetireReason::Stalled
            | RetireReason::Stopped
            | RetireReason::Unresponsive
            | RetireReason::Violation
            | RetireReason::WrongNonce
            | RetireReason::HeapGrown
            | RetireReason::InterruptDead
            | RetireReason::Leftovers
            | RetireReason::OpenFiles
            | RetireReason::Threads
            | RetireReason::Abandoned => false,
        }
    }
}
