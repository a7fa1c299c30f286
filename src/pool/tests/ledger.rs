//! A hook that keeps books on the pool and finds every mistake in them.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::PATIENCE;
use crate::pool::{Counts, PoolHook, RetireReason, SlotKind, WaitOutcome};

pub(super) struct Ledger {
    max: usize,
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    pub(super) counts: Counts,
    pub(super) born: usize,
    pub(super) gone: usize,
    pub(super) started: usize,
    pub(super) returned: usize,
    pub(super) refused: usize,
    pub(super) retired: Vec<RetireReason>,
    pub(super) waited: Vec<WaitOutcome>,
    mistakes: Vec<String>,
}

impl Ledger {
    pub(super) fn new(max: usize) -> Self {
        Self { max, seen: Mutex::default(), changed: Condvar::new() }
    }

    /// A test that fails while it waits must not take the pool's threads with it.
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.lock());
        self.changed.notify_all();
    }

    pub(super) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    pub(super) fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// Blocks until the books say so.
    #[track_caller]
    pub(super) fn wait_for(&self, what: &str, condition: impl Fn(&Seen) -> bool) {
        let seen = self.lock();
        let (seen, timeout) = self
            .changed
            .wait_timeout_while(seen, PATIENCE, |seen| !condition(seen))
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "waited in vain for {what}: {seen:?}");
    }

    /// The pool has ended: every slot that came has gone, each for one reason, and no change was wrong.
    #[track_caller]
    pub(super) fn check_closed(&self) {
        let seen = self.seen();
        assert_eq!(seen.mistakes, Vec::<String>::new());
        assert_eq!(seen.counts.total(), 0, "{seen:?}");
        assert_eq!(seen.born, seen.gone, "{seen:?}");
        assert_eq!(seen.retired.len(), seen.gone, "one reason for each: {seen:?}");
    }
}

impl PoolHook for Ledger {
    fn slot_changed(&self, from: Option<SlotKind>, to: Option<SlotKind>) {
        self.note(|seen| {
            if !SlotKind::may_become(from, to) {
                seen.mistakes.push(format!("{from:?} became {to:?}"));
            }
            if from.is_some_and(|from| seen.counts.of(from) == 0) {
                return seen.mistakes.push(format!("{from:?} left by nobody"));
            }
            seen.counts.shift(from, to);
            seen.born += usize::from(from.is_none());
            seen.gone += usize::from(to.is_none());
            if seen.counts.total() > self.max {
                seen.mistakes.push(format!("{:?} is more than {}", seen.counts, self.max));
            }
        });
    }

    fn started(&self, _: Duration) {
        self.note(|seen| seen.started += 1);
    }

    fn returned(&self, _: Duration) {
        self.note(|seen| seen.returned += 1);
    }

    fn retired(&self, reason: RetireReason) {
        self.note(|seen| seen.retired.push(reason));
    }

    fn waited(&self, _: Duration, outcome: WaitOutcome) {
        self.note(|seen| seen.waited.push(outcome));
    }

    fn refused(&self) {
        self.note(|seen| seen.refused += 1);
    }
}
