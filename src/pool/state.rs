//! What the pool knows and decides: no I/O, no clock, no waiting. Whatever there is to do outside is left in [`Effects`], which
//! [`Shared`](super::shared::Shared) carries out once the lock is released.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::Instant;

use super::Tuning;
use super::health::Vitals;
use super::hook::{PoolHook, WaitOutcome};
use super::line::{Line, Ticket};
use super::link::{Link, Peeked};
use super::memory::Memory;
use super::process::Process;
use super::rest::Rest;
use super::slot::{Counts, IdleWorker, Leased, RetireReason, Slot, SlotKind};
use crate::config::Pool as Config;
use crate::ids::WorkerId;

mod room;

/// Far beyond the longest hold, and far below what overflows.
const MOST_DOUBLINGS: u32 = 16;

pub(super) struct State {
    config: Config,
    tuning: Tuning,
    hook: Arc<dyn PoolHook>,
    slots: HashMap<WorkerId, Slot>,
    counts: Counts,
    /// Idle workers, the one used last at the back: it is leased next, being warm in the caches, and the surplus ages in front.
    idle: VecDeque<WorkerId>,
    pub(super) line: Line,
    memory: Memory,
    /// Leases that are to be given back.
    called: HashSet<WorkerId>,
    /// When the next idle lease may be called back for the line.
    room_at: Option<Instant>,
    /// Whether somebody may have to give way, so that sessions say when they are idle.
    pressed: Arc<AtomicBool>,
    last_worker: u64,
    /// The first fresh heap seen. Its worker had not run anything yet, so its word can be trusted.
    baseline_heap_bytes: Option<u64>,
    proof: Proof,
    /// Starts that failed since the last one that did not; several at the same time count once.
    start_failures: u32,
    /// No launch before this.
    hold_until: Option<Instant>,
    closed: bool,
    ended: bool,
    effects: Effects,
}

/// Whether the worker binary has been seen to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The first worker is on its way.
    Awaited,
    /// It became ready.
    Given,
    /// It did not, and the pool cannot start.
    Failed,
}

/// What is to be done once the lock is released.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) wake: Vec<Waker>,
    pub(super) launch: Vec<WorkerId>,
    pub(super) doomed: Vec<Doomed>,
    /// The keeper must look at its clock: a hold began.
    pub(super) nudge: bool,
    /// Whether the first worker starts is known now.
    pub(super) proven: bool,
    /// The last slot is gone after closing.
    pub(super) end: bool,
}

/// A worker to be killed and reaped.
pub(super) struct Doomed {
    pub(super) id: WorkerId,
    pub(super) process: Box<dyn Process>,
    pub(super) reason: RetireReason,
    /// Its socket, if the pool had it: closed outside the lock.
    pub(super) link: Option<Link>,
}

/// A leased worker, on its way into a [`Lease`](super::Lease).
pub(super) struct Grant {
    pub(super) id: WorkerId,
    pub(super) link: Link,
    pub(super) vitals: Vitals,
    pub(super) rest: Arc<Rest>,
}

impl State {
    pub(super) fn new(config: Config, tuning: Tuning, hook: Arc<dyn PoolHook>, pressed: Arc<AtomicBool>) -> Self {
        Self {
            memory: Memory::new(config.memory_bytes),
            config,
            tuning,
            hook,
            slots: HashMap::new(),
            counts: Counts::default(),
            idle: VecDeque::new(),
            line: Line::default(),
            called: HashSet::new(),
            room_at: None,
            pressed,
            last_worker: 0,
            baseline_heap_bytes: None,
            proof: Proof::Awaited,
            start_failures: 0,
            hold_until: None,
            closed: false,
            ended: false,
            effects: Effects::default(),
        }
    }

    /// The only place where a slot changes its state. `step` gets what the slot is and says what it becomes.
    fn transition<R>(&mut self, id: WorkerId, step: impl FnOnce(Option<Slot>) -> (Option<Slot>, R)) -> R {
        let old = self.slots.remove(&id);
        let from = old.as_ref().map(Slot::kind);
        let (new, result) = step(old);
        let to = new.as_ref().map(Slot::kind);
        if let Some(new) = new {
            self.slots.insert(id, new);
        }
        if from != to {
            debug_assert!(SlotKind::may_become(from, to), "{id}: {from:?} became {to:?}");
            self.counts.shift(from, to);
            if from == Some(SlotKind::Leased) {
                self.called.remove(&id);
                self.memory.forget(id);
            }
            if matches!(to, None | Some(SlotKind::Dying)) {
                self.memory.forget(id);
            }
            debug_assert!(
                self.counts.total() <= self.config.max,
                "{:?} are more than {}",
                self.counts,
                self.config.max
            );
            self.hook.slot_changed(from, to);
        }
        result
    }

    fn kind(&self, id: WorkerId) -> Option<SlotKind> {
        self.slots.get(&id).map(Slot::kind)
    }

    // ---- leasing -------------------------------------------------------------------------------------------------------------

    /// Leases the idle worker that was used last. Nobody jumps the line: while there is one, no worker is idle.
    pub(super) fn lease(&mut self) -> Option<Grant> {
        if self.is_short_of_memory() {
            return None;
        }
        let id = self.idle.pop_back()?;
        Some(self.transition(id, |slot| match slot {
            Some(Slot::Idle(IdleWorker { link, process, vitals, since: _ })) => {
                let rest = Rest::new();
                (Some(Slot::Leased(Leased { process, rest: Arc::clone(&rest) })), Grant { id, link, vitals, rest })
            }
            _ => unreachable!("only idle workers are in the idle list"),
        }))
    }

    /// Whether the line takes one more: those who have a worker or can be given one at `max` do not count against `wait_queue`.
    /// So a burst of new sessions is not refused because spawning takes a moment.
    pub(super) fn line_is_full(&self) -> bool {
        self.line.len() + self.counts.of(SlotKind::Leased) >= self.config.max + self.config.wait_queue
    }

    pub(super) fn leave_line(&mut self, ticket: Ticket, now: Instant, outcome: WaitOutcome) {
        if let Some(joined) = self.line.leave(ticket) {
            self.hook.waited(now.duration_since(joined), outcome);
        }
    }

    /// The lease was never used: its worker is as good as before. Does nothing when it was killed meanwhile.
    pub(super) fn put_back(&mut self, id: WorkerId, link: Link, vitals: Vitals, now: Instant) {
        if self.kind(id) == Some(SlotKind::Leased) {
            self.make_idle(id, link, vitals, now);
        }
    }

    /// The lease is over and the worker asked to make itself fit. False when it is not leased any more.
    pub(super) fn recycle(&mut self, id: WorkerId) -> bool {
        if self.kind(id) != Some(SlotKind::Leased) {
            return false;
        }
        self.transition(id, |slot| match slot {
            Some(Slot::Leased(Leased { process, rest: _ })) => (Some(Slot::Recycling(process)), ()),
            other => (other, ()),
        });
        true
    }

    // ---- the life of a worker ------------------------------------------------------------------------------------------------

    /// The spawner has a process for the slot. False when the pool closed meanwhile; the process is then doomed.
    pub(super) fn launched(&mut self, id: WorkerId, process: Box<dyn Process>) -> bool {
        if self.closed {
            self.hook.retired(RetireReason::Shutdown);
            self.effects.doomed.push(Doomed { id, process, reason: RetireReason::Shutdown, link: None });
            self.transition(id, |_| (Some(Slot::Dying), ()));
            return false;
        }
        self.transition(id, |_| (Some(Slot::Spawning(Some(process))), ()));
        true
    }

    /// A worker passed its check, for the first time or after a lease; `begun` is when it was launched or given back. Does
    /// nothing when it was killed meanwhile.
    pub(super) fn ready(&mut self, id: WorkerId, link: Link, vitals: Vitals, begun: Instant, now: Instant) {
        match self.kind(id) {
            Some(SlotKind::Spawning) => {
                self.start_failures = 0;
                self.hold_until = None;
                if self.proof == Proof::Awaited {
                    self.proof = Proof::Given;
                    self.effects.proven = true;
                }
                self.hook.started(now.duration_since(begun));
            }
            Some(SlotKind::Recycling) => self.hook.returned(now.duration_since(begun)),
            None | Some(SlotKind::Idle | SlotKind::Leased | SlotKind::Dying) => return,
        }
        self.make_idle(id, link, vitals, now);
    }

    fn make_idle(&mut self, id: WorkerId, link: Link, vitals: Vitals, now: Instant) {
        self.transition(id, |slot| match slot {
            Some(
                Slot::Spawning(Some(process)) | Slot::Leased(Leased { process, rest: _ }) | Slot::Recycling(process),
            ) => (Some(Slot::Idle(IdleWorker { link, process, vitals, since: now })), ()),
            other => (other, ()),
        });
        self.idle.push_back(id);
    }

    /// The worker of this slot is given up. Does nothing when it is dying already.
    pub(super) fn retire(&mut self, id: WorkerId, reason: RetireReason) {
        let doomed = match self.kind(id) {
            None | Some(SlotKind::Dying) => return,
            Some(SlotKind::Idle) => {
                // Rare: idle workers hardly ever die, and a surplus one is at the very front.
                let index = self.idle.iter().position(|&idle| idle == id).expect("idle workers are in the idle list");
                self.idle.remove(index);
                self.condemn(id)
            }
            Some(SlotKind::Spawning | SlotKind::Leased | SlotKind::Recycling) => self.condemn(id),
        };
        if let Some((process, link)) = doomed {
            self.effects.doomed.push(Doomed { id, process, reason, link });
        }
        self.hook.retired(reason);
    }

    /// Takes the process out of a slot, which is dying then, or gone if there was no process yet.
    fn condemn(&mut self, id: WorkerId) -> Option<(Box<dyn Process>, Option<Link>)> {
        self.transition(id, |slot| match slot {
            Some(
                Slot::Spawning(Some(process)) | Slot::Leased(Leased { process, rest: _ }) | Slot::Recycling(process),
            ) => (Some(Slot::Dying), Some((process, None))),
            Some(Slot::Idle(IdleWorker { link, process, .. })) => (Some(Slot::Dying), Some((process, Some(link)))),
            Some(Slot::Spawning(None)) | None => (None, None),
            Some(Slot::Dying) => (Some(Slot::Dying), None),
        })
    }

    /// A new worker did not become ready. Launches are held back, twice as long each time.
    pub(super) fn start_failed(&mut self, id: WorkerId, now: Instant) {
        if self.kind(id) != Some(SlotKind::Spawning) {
            return;
        }
        if self.proof == Proof::Awaited {
            self.proof = Proof::Failed;
            self.effects.proven = true;
        }
        // Those launched together fail together, which is no reason to wait longer.
        if self.hold_until.is_none_or(|until| until <= now) {
            let doubled = 1 << self.start_failures.min(MOST_DOUBLINGS);
            let hold = self.tuning.first_hold.saturating_mul(doubled).min(self.tuning.longest_hold);
            self.start_failures += 1;
            self.hold_until = Some(now + hold);
            self.effects.nudge = true;
        }
        self.retire(id, RetireReason::StartFailed);
    }

    /// Whoever cared for the slot is lost. A launch that got lost counts as failed, so that its replacement has to wait: if it
    /// was the spawner that got lost, the replacement will be lost in the same way.
    pub(super) fn abandon(&mut self, id: WorkerId, now: Instant) {
        if self.kind(id) == Some(SlotKind::Spawning) {
            self.start_failed(id, now);
        } else {
            self.retire(id, RetireReason::Abandoned);
        }
    }

    /// The process of a dying slot is no more.
    pub(super) fn reaped(&mut self, id: WorkerId) {
        self.transition(id, |_| (None, ()));
    }

    /// Gives everything up. Slots whose process is being launched right now follow as soon as it is known.
    pub(super) fn close(&mut self, now: Instant) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        for joined in self.line.clear(&mut self.effects.wake) {
            self.hook.waited(now.duration_since(joined), WaitOutcome::Closed);
        }
        let alive: Vec<WorkerId> = (self.slots.iter())
            .filter(|(_, slot)| !matches!(slot, Slot::Spawning(None) | Slot::Dying))
            .map(|(&id, _)| id)
            .collect();
        // All at once, not one by one out of the list.
        self.idle.clear();
        for id in alive {
            if let Some((process, link)) = self.condemn(id) {
                self.effects.doomed.push(Doomed { id, process, reason: RetireReason::Shutdown, link });
                self.hook.retired(RetireReason::Shutdown);
            }
        }
    }

    // ---- upkeep --------------------------------------------------------------------------------------------------------------

    /// Looks at a few idle workers from `index` on, retires the dead ones, and says where to go on.
    pub(super) fn sweep(&mut self, index: usize, at_most: usize) -> Option<usize> {
        let end = self.idle.len().min(index + at_most);
        let found: Vec<_> = (index..end)
            .filter_map(|index| {
                let id = self.idle[index];
                match self.slots.get(&id) {
                    Some(Slot::Idle(worker)) => idle_fault(worker.link.peek()).map(|reason| (id, reason)),
                    _ => unreachable!("only idle workers are in the idle list"),
                }
            })
            .collect();
        for &(id, reason) in &found {
            self.retire(id, reason);
        }
        let next = end - found.len();
        (next < self.idle.len()).then_some(next)
    }

    /// Retires workers that a signal has stopped, whoever has them. A new one is left to its start, which has a limit of its own.
    pub(super) fn retire_stopped(&mut self) {
        let stopped = |slot: &Slot| match slot {
            Slot::Idle(IdleWorker { process, .. })
            | Slot::Leased(Leased { process, .. })
            | Slot::Recycling(process) => process.is_stopped(),
            Slot::Spawning(_) | Slot::Dying => false,
        };
        let found: Vec<WorkerId> = self.slots.iter().filter(|(_, slot)| stopped(slot)).map(|(&id, _)| id).collect();
        for id in found {
            self.retire(id, RetireReason::Stopped);
        }
    }

    /// Tells those in the line where they stand by now.
    pub(super) fn tell_places(&mut self) {
        self.line.tell_places(&mut self.effects.wake);
    }

    /// Retires workers above `warm` that nobody has wanted for long, or that take memory which others need.
    pub(super) fn trim(&mut self, now: Instant) {
        while self.idle.len() > self.config.warm {
            let id = *self.idle.front().expect("longer than warm");
            let is_old = |worker: &IdleWorker| now.duration_since(worker.since) >= self.tuning.surplus_after;
            match self.slots.get(&id) {
                Some(Slot::Idle(worker)) if self.memory.is_over() || is_old(worker) => {
                    self.retire(id, RetireReason::Surplus);
                }
                _ => return,
            }
        }
    }

    /// Brings supply and demand together. Called at the end of every update, whatever happened in it.
    pub(super) fn settle(&mut self, now: Instant) {
        if self.closed {
            if self.slots.is_empty() && !std::mem::replace(&mut self.ended, true) {
                self.effects.end = true;
            }
            return;
        }
        while self.line.len() > 0
            && let Some(grant) = self.lease()
        {
            if let Some(joined) = self.line.serve(grant, &mut self.effects.wake) {
                self.hook.waited(now.duration_since(joined), WaitOutcome::Leased);
            }
        }
        self.order_workers(now);
        self.call_off();
        self.pressed.store(self.line.len() > 0 || self.memory.is_over(), Ordering::SeqCst);
    }

    fn order_workers(&mut self, now: Instant) {
        let at_once = match self.proof {
            Proof::Failed => return,
            Proof::Awaited => 1,
            // One attempt shows as well as many whether starting works again.
            Proof::Given if self.start_failures > 0 => 1,
            Proof::Given => self.tuning.starts_at_once,
        };
        if self.hold_until.is_some_and(|until| now < until) {
            return;
        }
        if self.is_short_of_memory() {
            return;
        }
        let proving = usize::from(self.proof == Proof::Awaited);
        let wanted = self.config.warm.max(proving) + self.line.len();
        while self.counts.spare() < wanted
            && self.counts.total() < self.config.max
            && self.counts.of(SlotKind::Spawning) < at_once
        {
            self.last_worker += 1;
            let id = WorkerId(self.last_worker);
            self.transition(id, |_| (Some(Slot::Spawning(None)), ()));
            self.effects.launch.push(id);
        }
    }

    // ---- to be read ----------------------------------------------------------------------------------------------------------

    /// When the keeper has to look again at the latest: a hold is over, or an idle lease may be called.
    pub(super) fn look_at(&self) -> Option<Instant> {
        self.hold_until.into_iter().chain(self.room_at).min()
    }

    /// What the workers used at the last look, in bytes.
    pub(super) fn used_bytes(&self) -> u64 {
        self.memory.used()
    }

    /// Lets launches go on once the hold is over.
    pub(super) fn end_hold(&mut self, now: Instant) {
        if self.hold_until.is_some_and(|until| until <= now) {
            self.hold_until = None;
        }
    }

    pub(super) fn baseline_heap_bytes(&self) -> Option<u64> {
        self.baseline_heap_bytes
    }

    pub(super) fn set_baseline(&mut self, heap_bytes: u64) {
        self.baseline_heap_bytes.get_or_insert(heap_bytes);
    }

    pub(super) fn proof(&self) -> Proof {
        self.proof
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn take_effects(&mut self) -> Effects {
        std::mem::take(&mut self.effects)
    }
}

/// What an idle worker's socket says against it.
pub(super) fn idle_fault(peeked: Peeked) -> Option<RetireReason> {
    match peeked {
        Peeked::Quiet => None,
        Peeked::Closed => Some(RetireReason::DiedIdle),
        Peeked::Talking => Some(RetireReason::Violation),
    }
}
