//! Who gives way when there is not enough for all: workers for those in the line, or memory for those who run.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::State;
use crate::ids::WorkerId;
use crate::pool::hook::RecallReason;
use crate::pool::process::Process;
use crate::pool::rest::Standing;
use crate::pool::slot::{Leased, RetireReason, Slot, SlotKind};

/// What a lease is wanted back for, or ended for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Worker,
    Memory,
}

/// An idle lease that could give way.
struct Candidate {
    id: WorkerId,
    since: Instant,
}

impl State {
    /// The one place that decides who gives way next: only who runs nothing, and who has done so for longest, or has most of what is
    /// wanted where that is memory. Before both of these belongs how much the lease's holder has, once leases have holders.
    fn victim(&self, want: Want) -> Option<Candidate> {
        let idle = self.leases().filter_map(|(id, lease)| match lease.rest.standing() {
            Standing::Idle { since } => Some(Candidate { id, since }),
            Standing::Busy | Standing::Called { .. } | Standing::Taken => None,
        });
        match want {
            Want::Worker => idle.min_by_key(|one| one.since),
            // Nothing is to be had of one that is so new that it has not been weighed.
            Want::Memory => idle
                .filter(|one| self.memory.weight(one.id) > 0)
                .min_by_key(|one| (u64::MAX - self.memory.weight(one.id), one.since)),
        }
    }

    fn leases(&self) -> impl Iterator<Item = (WorkerId, &Leased)> {
        self.slots.iter().filter_map(|(id, slot)| match slot {
            Slot::Leased(lease) => Some((*id, lease)),
            Slot::Spawning(_) | Slot::Idle(_) | Slot::Recycling(_) | Slot::Dying => None,
        })
    }

    /// Whether new leases have to wait until there is memory for them. One is always possible: else nobody would ever run again where
    /// the workers kept ready are too much alone.
    pub(super) fn is_short_of_memory(&self) -> bool {
        self.memory.is_over() && self.counts.of(SlotKind::Leased) > 0
    }

    /// Calls back what others need, as far as it is idle and its time has come.
    pub(in crate::pool) fn make_room(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        // Before anybody's standing is read: whoever becomes idle from now on says so.
        self.pressed.store(true, Ordering::SeqCst);
        let coming_free: u64 = self.called.iter().map(|id| self.memory.weight(*id)).sum();
        let mut expected = self.memory.used().saturating_sub(coming_free);
        while expected > self.memory.limit()
            && let Some(Candidate { id, since }) = self.victim(Want::Memory)
        {
            expected -= self.memory.weight(id).min(expected);
            self.call(id, since, RecallReason::Memory);
        }
        self.make_place(now);
    }

    /// A lease that is idle is left alone for `pool.idle_lease`, or for its part of what is left of the first waiter's patience: where
    /// the line is so long that the same workers have to serve it in several rounds, each has as much.
    fn make_place(&mut self, now: Instant) {
        self.room_at = None;
        let mut needed = self.places_needed();
        while needed > 0
            && let Some(patience) = self.line.first_joined().map(|joined| joined + self.config.wait)
            && let Some(Candidate { id, since }) = self.victim(Want::Worker)
        {
            let rounds = needed.div_ceil(self.counts.of(SlotKind::Leased).max(1));
            // At this instant it will have been idle for one part of what is then left, of the rounds' and one to spare.
            let parts = u32::try_from(rounds).unwrap_or(u32::MAX).saturating_add(2);
            let at = since + (patience.saturating_duration_since(since) / parts).min(self.config.idle_lease);
            if at > now {
                self.room_at = Some(at);
                self.effects.nudge = true;
                return;
            }
            self.call(id, since, RecallReason::Line);
            needed -= 1;
        }
    }

    /// Those in the line whom no worker on its way, no new one and no lease that is called can serve.
    fn places_needed(&self) -> usize {
        if self.is_short_of_memory() {
            // A worker more would not help them.
            return 0;
        }
        let coming = if self.start_failures > 0 {
            self.counts.of(SlotKind::Spawning) + self.counts.of(SlotKind::Recycling)
        } else {
            self.config.max - self.counts.of(SlotKind::Leased)
        };
        self.line.len().saturating_sub(coming + self.called.len())
    }

    fn call(&mut self, id: WorkerId, since: Instant, reason: RecallReason) {
        if let Some(Slot::Leased(lease)) = self.slots.get(&id) {
            lease.rest.set(Standing::Called { since });
            self.called.insert(id);
            self.hook.recalled(reason);
        }
    }

    /// Who has been called in vain may keep what it has: the waiter was served by another, or has left.
    pub(super) fn call_off(&mut self) {
        let needed = if self.memory.is_over() { usize::MAX } else { self.line.len() };
        while self.called.len() > needed
            && let Some(id) = self.called.iter().next().copied()
        {
            self.called.remove(&id);
            if let Some(Slot::Leased(lease)) = self.slots.get(&id)
                && let Standing::Called { since } = lease.rest.standing()
            {
                lease.rest.set(Standing::Idle { since });
            }
        }
    }

    /// A session has said something that may matter: that its lease is idle, or that it uses one that was called.
    pub(in crate::pool) fn noted(&mut self, id: WorkerId, idle_since: Option<Instant>, now: Instant) {
        if let Some(Slot::Leased(lease)) = self.slots.get(&id)
            && matches!(lease.rest.standing(), Standing::Called { .. })
        {
            lease.rest.set(idle_since.map_or(Standing::Busy, |since| Standing::Idle { since }));
            self.called.remove(&id);
        }
        self.make_room(now);
    }

    /// The processes to weigh.
    pub(in crate::pool) fn processes(&self) -> Vec<(WorkerId, u32)> {
        let process = |slot: &Slot| -> Option<u32> {
            let process: &dyn Process = match slot {
                Slot::Spawning(process) => process.as_deref()?,
                Slot::Idle(worker) => &*worker.process,
                Slot::Leased(lease) => &*lease.process,
                Slot::Recycling(process) => &**process,
                Slot::Dying => return None,
            };
            Some(process.pid())
        };
        self.slots.iter().filter_map(|(id, slot)| Some((*id, process(slot)?))).collect()
    }

    /// Takes the samples of a second, and acts where they are too much: idle leases are called back, and where none is left, the largest
    /// of those that run ends.
    pub(in crate::pool) fn weighed(&mut self, samples: &[(WorkerId, u64)], now: Instant) {
        for (id, bytes) in samples {
            if self.kind(*id).is_some_and(|kind| kind != SlotKind::Dying) {
                self.memory.weigh(*id, *bytes);
            }
        }
        self.make_room(now);
        while self.called.is_empty() && self.memory.is_far_over() {
            let largest = self.leases().max_by_key(|(id, _)| self.memory.weight(*id));
            let Some((id, lease)) = largest else { return };
            lease.rest.set(Standing::Taken);
            self.retire(id, RetireReason::Memory);
        }
    }
}
