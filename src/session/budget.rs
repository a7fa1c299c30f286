//! The bound on what all clients together have under way (`server.inflight_bytes`).
//!
//! Each bound of a session is small against the server, but legal things add up: half a message here, an answer that is not read
//! there. So every connection has an [`Account`], whatever it holds for its client is claimed from it, and where the sum goes over
//! the limit, whoever holds the most is told to go ([`Account::evicted`]).

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

/// Claims are counted in steps of this size, so that the many small messages of ordinary sessions never touch the ledger that all
/// threads share. What stays uncounted is bounded by the number of connections.
const STEP_BYTES: usize = 4096;

/// The sum and its limit. Cheap to clone.
#[derive(Clone)]
pub struct Budget {
    ledger: Arc<Mutex<Ledger>>,
    limit: usize,
}

#[derive(Default)]
struct Ledger {
    /// Of all accounts that were not evicted: what those hold is as good as gone.
    total: usize,
    accounts: HashMap<u64, Holding>,
    next: u64,
}

struct Holding {
    bytes: usize,
    notice: Arc<Notice>,
}

/// How an eviction is heard of on another thread.
#[derive(Default)]
struct Notice {
    is_given: AtomicBool,
    given: Notify,
}

/// What one connection holds, in claims.
pub struct Account {
    budget: Budget,
    id: u64,
    notice: Arc<Notice>,
}

/// Bytes held for one purpose, given back on drop.
pub struct Claim {
    account: Rc<Account>,
    bytes: Cell<usize>,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Budget {
        Budget { ledger: Arc::default(), limit }
    }

    /// Opens an account that holds nothing.
    pub fn account(&self) -> Rc<Account> {
        let mut ledger = self.lock();
        let id = ledger.next;
        ledger.next += 1;
        let notice = Arc::<Notice>::default();
        ledger.accounts.insert(id, Holding { bytes: 0, notice: Arc::clone(&notice) });
        drop(ledger);
        Rc::new(Account { budget: self.clone(), id, notice })
    }

    /// Bytes held now.
    pub fn bytes(&self) -> usize {
        self.lock().total
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn change(&self, id: u64, from: usize, to: usize) {
        let mut ledger = self.lock();
        let Some(holding) = ledger.accounts.get_mut(&id) else { return };
        holding.bytes = holding.bytes - from + to;
        if holding.notice.is_given() {
            return;
        }
        ledger.total = ledger.total - from + to;
        while ledger.total > self.limit && ledger.evict_largest() {}
    }
}

impl Ledger {
    /// Whether somebody goes.
    fn evict_largest(&mut self) -> bool {
        let staying = self.accounts.values().filter(|holding| !holding.notice.is_given());
        let Some(largest) = staying.max_by_key(|holding| holding.bytes) else { return false };
        self.total -= largest.bytes;
        largest.notice.is_given.store(true, Ordering::Release);
        largest.notice.given.notify_waiters();
        true
    }
}

impl Notice {
    fn is_given(&self) -> bool {
        self.is_given.load(Ordering::Acquire)
    }
}

impl Account {
    /// Claims nothing yet.
    pub fn claim(self: &Rc<Self>) -> Claim {
        Claim { account: Rc::clone(self), bytes: Cell::new(0) }
    }

    /// Whether this connection is to go.
    pub fn is_evicted(&self) -> bool {
        self.notice.is_given()
    }

    /// Resolves when this connection is to go. Cancel safe; any number of tasks may wait.
    pub async fn evicted(&self) {
        loop {
            let given = self.notice.given.notified();
            // Looked at behind the subscription, so that no notice falls in between.
            if self.is_evicted() {
                return;
            }
            given.await;
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let mut ledger = self.budget.lock();
        if let Some(Holding { bytes, notice }) = ledger.accounts.remove(&self.id)
            && !notice.is_given()
        {
            ledger.total -= bytes;
        }
    }
}

impl Claim {
    /// Holds this many bytes from now on.
    pub fn set(&self, bytes: usize) {
        let whole_steps = |bytes: usize| bytes - bytes % STEP_BYTES;
        let (from, to) = (whole_steps(self.bytes.replace(bytes)), whole_steps(bytes));
        if from != to {
            self.account.budget.change(self.account.id, from, to);
        }
    }

    /// Bytes held, to the last one.
    pub fn bytes(&self) -> usize {
        self.bytes.get()
    }

    /// The account that it is claimed from.
    pub fn account(&self) -> &Rc<Account> {
        &self.account
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_holder_goes_and_the_others_stay() {
        let budget = Budget::new(100 * STEP_BYTES);
        let accounts: Vec<_> = (0..4).map(|_| budget.account()).collect();
        let claims: Vec<_> = accounts.iter().map(|account| account.claim()).collect();
        for (claim, steps) in claims.iter().zip([10, 40, 30, 20]) {
            claim.set(steps * STEP_BYTES);
        }
        assert!(accounts.iter().all(|account| !account.is_evicted()), "exactly the limit is no more than it");
        claims[0].set(11 * STEP_BYTES);
        assert_eq!(
            accounts.iter().map(|account| account.is_evicted()).collect::<Vec<_>>(),
            [false, true, false, false]
        );
        assert!(accounts[1].evicted().now_or_never().is_some());
        assert_eq!(budget.bytes(), 61 * STEP_BYTES);
    }

    #[test]
    fn one_that_wants_more_than_there_is_goes_itself() {
        let budget = Budget::new(10 * STEP_BYTES);
        let (greedy, other) = (budget.account(), budget.account());
        let (much, little) = (greedy.claim(), other.claim());
        little.set(STEP_BYTES);
        much.set(11 * STEP_BYTES);
        assert!(greedy.is_evicted() && !other.is_evicted());
        drop((much, greedy));
        assert_eq!(budget.bytes(), STEP_BYTES);
    }

    #[test]
    fn claims_of_one_account_add_up() {
        let budget = Budget::new(10 * STEP_BYTES);
        let (both, other) = (budget.account(), budget.account());
        let (first, second, third) = (both.claim(), both.claim(), other.claim());
        first.set(3 * STEP_BYTES);
        second.set(3 * STEP_BYTES);
        third.set(5 * STEP_BYTES);
        assert!(both.is_evicted() && !other.is_evicted());
    }

    proptest! {
        /// Whatever is claimed, given back and evicted, in whatever order.
        #[test]
        fn the_sum_is_right_and_within_the_limit(
            steps in prop::collection::vec((0usize..6, 0usize..2, 0usize..40, any::<bool>()), 1..200),
        ) {
            let budget = Budget::new(64 * STEP_BYTES);
            let mut open: HashMap<usize, (Rc<Account>, [Claim; 2])> = HashMap::new();
            for (who, which, size, leaves) in steps {
                if leaves {
                    open.remove(&who);
                } else {
                    let (_, claims) = open.entry(who).or_insert_with(|| {
                        let account = budget.account();
                        let claims = [account.claim(), account.claim()];
                        (account, claims)
                    });
                    claims[which].set(size * STEP_BYTES);
                }
                let staying = open.values().filter(|(account, _)| !account.is_evicted());
                let sum: usize = staying.flat_map(|(_, claims)| claims).map(Claim::bytes).sum();
                prop_assert_eq!(budget.bytes(), sum);
                prop_assert!(sum <= 64 * STEP_BYTES);
            }
            drop(open);
            prop_assert_eq!(budget.bytes(), 0);
        }
    }
}
