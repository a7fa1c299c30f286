//! What the pool tells whoever counts.

use std::time::Duration;

use super::slot::{RetireReason, SlotKind};

/// Watches the pool. Every method is called with the pool's lock held or on its hot path: count and return, and never call
/// the pool.
pub trait PoolHook: Send + Sync {
    /// A slot changed its state. `None` is no slot: before its worker was decided on, and after its process was reaped.
    fn slot_changed(&self, from: Option<SlotKind>, to: Option<SlotKind>) {
        let _ = (from, to);
    }

    /// A new worker is ready, this long after its launch began.
    fn started(&self, took: Duration) {
        let _ = took;
    }

    /// A used worker is ready again, this long after its lease was given back.
    fn returned(&self, took: Duration) {
        let _ = took;
    }

    /// A worker was given up.
    fn retired(&self, reason: RetireReason) {
        let _ = reason;
    }

    /// A worker's process has ended by this signal; SIGKILL is the pool's own as well.
    fn died(&self, signal: i32) {
        let _ = signal;
    }

    /// An idle lease was called back.
    fn recalled(&self, reason: RecallReason) {
        let _ = reason;
    }

    /// Somebody left the line.
    fn waited(&self, took: Duration, outcome: WaitOutcome) {
        let _ = (took, outcome);
    }

    /// Somebody was refused a place in the line, because it was full.
    fn refused(&self) {}
}

/// A hook that counts nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHook;

impl PoolHook for NoHook {}

/// What an idle lease was called back for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecallReason {
    /// Somebody in the line needs its worker.
    Line,
    /// The workers use more than `pool.memory_bytes`.
    Memory,
}

impl RecallReason {
    /// The metrics label.
    pub fn name(self) -> &'static str {
        match self {
            RecallReason::Line => "line",
            RecallReason::Memory => "memory",
        }
    }
}

/// How a wait in the line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitOutcome {
    /// With a lease.
    Leased,
    /// `pool.wait` was over.
    TimedOut,
    /// The waiter was dropped.
    Left,
    /// The pool closed.
    Closed,
}

impl WaitOutcome {
    pub const ALL: [WaitOutcome; 4] =
        [WaitOutcome::Leased, WaitOutcome::TimedOut, WaitOutcome::Left, WaitOutcome::Closed];

    /// The metrics label.
    pub fn name(self) -> &'static str {
        match self {
            WaitOutcome::Leased => "leased",
            WaitOutcome::TimedOut => "timed_out",
            WaitOutcome::Left => "left",
            WaitOutcome::Closed => "closed",
        }
    }
}
