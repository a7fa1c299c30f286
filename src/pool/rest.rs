//! Whether a lease is idle, as its session says, and the call to give it back. Shared by the lease and its slot, so that a session's
//! run begins and ends without the pool's lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// How a lease stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Left for `Idle` by its session, for `Taken` by the pool.
    Busy,
    /// Its session runs nothing. Left for `Busy` by its session, for `Called` by the pool.
    Idle { since: Instant },
    /// It is to be given back. Left with the lease, or where its session uses it again before it has heard: then somebody else is
    /// called.
    Called { since: Instant },
    /// The pool has ended its worker, for want of memory.
    Taken,
}

/// What a session's word has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noted {
    Nothing,
    /// From busy to idle or back.
    Changed,
    /// It was called, and the pool must hear of it.
    WasCalled,
}

pub(super) struct Rest {
    standing: Mutex<Standing>,
    called: Notify,
}

impl Rest {
    pub(super) fn new() -> Arc<Rest> {
        Arc::new(Rest { standing: Mutex::new(Standing::Busy), called: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn standing(&self) -> Standing {
        *self.lock()
    }

    /// The pool's word.
    pub(super) fn set(&self, standing: Standing) {
        *self.lock() = standing;
        if matches!(standing, Standing::Called { .. }) {
            self.called.notify_one();
        }
    }

    /// The session's word: idle since then, or busy.
    pub(super) fn note(&self, idle_since: Option<Instant>) -> Noted {
        let mut standing = self.lock();
        let new = idle_since.map_or(Standing::Busy, |since| Standing::Idle { since });
        match (*standing, new) {
            (Standing::Taken, _) => Noted::Nothing,
            (Standing::Called { since }, Standing::Idle { since: same }) if since == same => Noted::Nothing,
            (Standing::Called { .. }, _) => Noted::WasCalled,
            (old, new) if old == new => Noted::Nothing,
            _ => {
                *standing = new;
                Noted::Changed
            }
        }
    }

    /// # Cancel safety
    /// Safe: a call that was not heard is there for the next who listens.
    async fn called(&self) {
        while !matches!(self.standing(), Standing::Called { .. }) {
            self.called.notified().await;
        }
    }
}

/// The call that a lease may get.
pub struct Recall(pub(super) Arc<Rest>);

impl Recall {
    /// Resolves when the lease is to be given back, because others need what it has. Only an idle one is called.
    ///
    /// # Cancel safety
    /// Safe: a call that was not heard is there for the next who listens.
    pub async fn called(&self) {
        self.0.called().await;
    }
}
