//! What the workers use of the machine's memory, as it was last sampled, against what they may.

use std::collections::HashMap;

use crate::ids::WorkerId;

/// The part of the limit by which it may be exceeded while nobody is idle: an eighth. Samples are a second old at most, and what is
/// running may be about to end.
const TOLERANCE: u64 = 8;

/// The weights of workers: resident bytes that they share with nobody.
pub(super) struct Memory {
    limit: u64,
    used: u64,
    weights: HashMap<WorkerId, u64>,
}

impl Memory {
    pub(super) fn new(limit: u64) -> Memory {
        Memory { limit, used: 0, weights: HashMap::new() }
    }

    /// Takes a new sample of one worker.
    pub(super) fn weigh(&mut self, id: WorkerId, bytes: u64) {
        let before = self.weights.insert(id, bytes).unwrap_or(0);
        self.used = self.used.saturating_sub(before).saturating_add(bytes);
    }

    /// The worker is gone, or is giving up what it has: the next sample knows.
    pub(super) fn forget(&mut self, id: WorkerId) {
        self.used = self.used.saturating_sub(self.weights.remove(&id).unwrap_or(0));
    }

    pub(super) fn weight(&self, id: WorkerId) -> u64 {
        self.weights.get(&id).copied().unwrap_or(0)
    }

    pub(super) fn used(&self) -> u64 {
        self.used
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    pub(super) fn is_over(&self) -> bool {
        self.used > self.limit
    }

    /// So far over that somebody has to end.
    pub(super) fn is_far_over(&self) -> bool {
        self.used > self.limit.saturating_add(self.limit / TOLERANCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_follows_every_sample_and_every_end() {
        let mut memory = Memory::new(80);
        memory.weigh(WorkerId(1), 50);
        memory.weigh(WorkerId(2), 30);
        assert!(!memory.is_over());
        memory.weigh(WorkerId(1), 60);
        assert_eq!((memory.used(), memory.is_over(), memory.is_far_over()), (90, true, false));
        memory.weigh(WorkerId(2), 31);
        assert!(memory.is_far_over());
        memory.forget(WorkerId(1));
        memory.forget(WorkerId(1));
        assert_eq!((memory.used(), memory.weight(WorkerId(1)), memory.weight(WorkerId(2))), (31, 0, 31));
    }
}
