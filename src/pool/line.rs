//! The line of those who wait for a worker: first come, first served.
//!
//! A line of a thousand moves a thousand times until its last is served. Whoever is served is woken at once, and nobody else is: the
//! others hear their places when the keeper tells them, once in each tick.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::hook::WaitOutcome;
use super::lease::Lease;
use super::shared::Shared;
use super::state::Grant;

/// A place in the line, never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// Who waits, and who has been served but has not fetched the lease yet.
#[derive(Default)]
pub(super) struct Line {
    /// By ascending ticket.
    entries: VecDeque<Entry>,
    served: HashMap<Ticket, Grant>,
    last_ticket: u64,
}

struct Entry {
    ticket: Ticket,
    joined: Instant,
    /// The place as it is told to the waiter, 1 for the next to be served.
    told: usize,
    /// Set while the waiter's future is pending.
    waker: Option<Waker>,
}

impl Line {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Since when the next to be served has waited.
    pub(super) fn first_joined(&self) -> Option<Instant> {
        self.entries.front().map(|entry| entry.joined)
    }

    pub(super) fn join(&mut self, now: Instant) -> Ticket {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        let told = self.entries.len() + 1;
        self.entries.push_back(Entry { ticket, joined: now, told, waker: None });
        ticket
    }

    /// Serves the first in the line.
    pub(super) fn serve(&mut self, grant: Grant, wake: &mut Vec<Waker>) -> Option<Instant> {
        let first = self.entries.pop_front()?;
        self.served.insert(first.ticket, grant);
        wake.extend(first.waker);
        Some(first.joined)
    }

    /// The lease that waits for this ticket.
    pub(super) fn take_served(&mut self, ticket: Ticket) -> Option<Grant> {
        self.served.remove(&ticket)
    }

    /// Takes somebody out of the line; `None` when the ticket is not in it (any more).
    pub(super) fn leave(&mut self, ticket: Ticket) -> Option<Instant> {
        let index = self.index(ticket)?;
        let entry = self.entries.remove(index).expect("the index was just found");
        Some(entry.joined)
    }

    /// Sends everybody away.
    pub(super) fn clear(&mut self, wake: &mut Vec<Waker>) -> impl Iterator<Item = Instant> {
        wake.extend(self.entries.iter_mut().filter_map(|entry| entry.waker.take()));
        std::mem::take(&mut self.entries).into_iter().map(|entry| entry.joined)
    }

    /// Tells everybody who has moved the new place.
    pub(super) fn tell_places(&mut self, wake: &mut Vec<Waker>) {
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if entry.told != index + 1 {
                entry.told = index + 1;
                wake.extend(entry.waker.take());
            }
        }
    }

    /// The place that was told last, and wakes `waker` when there is something new.
    fn place(&mut self, ticket: Ticket, waker: &Waker) -> Option<usize> {
        let index = self.index(ticket)?;
        let entry = &mut self.entries[index];
        entry.waker = Some(waker.clone());
        Some(entry.told)
    }

    fn index(&self, ticket: Ticket) -> Option<usize> {
        self.entries.binary_search_by_key(&ticket, |entry| entry.ticket).ok()
    }
}

/// A place in the line for a worker. Dropping it leaves the line; a lease that was already assigned to it goes home.
#[must_use]
pub struct Waiter {
    shared: Arc<Shared>,
    ticket: Ticket,
    wait: Duration,
    joined: Instant,
    told: Option<usize>,
    /// Made at the first poll, in the runtime that polls.
    timeout: Option<Pin<Box<Sleep>>>,
}

/// What happened to a [`Waiter`].
#[derive(Debug)]
pub enum Waited {
    /// Still in the line; 1 is the next to be served. Reported at first, and once a tick while it changes.
    Position(usize),
    /// It is your turn.
    Ready(Lease),
    /// `pool.wait` is over, and the place is lost.
    TimedOut,
    /// The pool has closed, or this waiter has already had its last answer.
    Closed,
}

impl Waiter {
    pub(super) fn new(shared: Arc<Shared>, ticket: Ticket, joined: Instant) -> Self {
        let wait = shared.config.wait;
        Self { shared, ticket, wait, joined, told: None, timeout: None }
    }

    /// Waits for the next thing to happen. Must run in a tokio runtime with a clock. After anything but a position, only
    /// `Closed` follows.
    ///
    /// # Cancel safety
    /// Safe: neither the place in the line nor an assigned lease is lost.
    pub async fn next(&mut self) -> Waited {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Waited> {
        let ticket = self.ticket;
        let (served, position) = self.shared.update(|state, _| {
            let served = state.line.take_served(ticket);
            let position = if served.is_none() { state.line.place(ticket, cx.waker()) } else { None };
            (served, position)
        });
        if let Some(grant) = served {
            return Poll::Ready(Waited::Ready(Lease::new(Arc::clone(&self.shared), grant)));
        }
        let Some(position) = position else { return Poll::Ready(Waited::Closed) };
        let deadline = self.joined + self.wait;
        let timeout = self.timeout.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline.into())));
        if timeout.as_mut().poll(cx).is_ready() {
            return match self.leave(WaitOutcome::TimedOut) {
                Some(lease) => Poll::Ready(Waited::Ready(lease)),
                None => Poll::Ready(Waited::TimedOut),
            };
        }
        if self.told != Some(position) {
            self.told = Some(position);
            return Poll::Ready(Waited::Position(position));
        }
        Poll::Pending
    }

    /// Gives up the place in the line, or fetches the lease that came first.
    fn leave(&mut self, outcome: WaitOutcome) -> Option<Lease> {
        let ticket = self.ticket;
        let grant = self.shared.update(|state, now| {
            state.leave_line(ticket, now, outcome);
            state.line.take_served(ticket)
        })?;
        Some(Lease::new(Arc::clone(&self.shared), grant))
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        drop(self.leave(WaitOutcome::Left));
    }
}

impl std::fmt::Debug for Waiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiter").field("ticket", &self.ticket.0).field("position", &self.told).finish()
    }
}
