//! How runs end: the one place where `done` and `settled` are made.

use std::time::{Duration, Instant};

use super::{Action, Active, Engine, RunReport, Stage, State, Stop, Waiting};
use crate::ids::RunId;
use crate::outcome::{Outcome, Usage};
use crate::pool::RetireReason;
use crate::protocol::{Done, ErrorShown, ServerMessage, UsageShown, ValueShown};

/// What is left of a run when its last message is made.
pub(super) struct Ended {
    pub outcome: Outcome,
    pub dispatched: Instant,
    pub stop: Option<Stop>,
}

impl State {
    /// A run that never reached a worker.
    pub(super) fn end_waiting(&mut self, run: Waiting, outcome: Outcome) {
        let Waiting { id, run: _, bytes: _ } = run;
        self.send(ServerMessage::Done(Box::new(Done {
            id,
            outcome,
            value: None,
            error: shown_error(outcome, None, None),
            usage: UsageShown::default(),
            runtime: State::ended_in(false),
            background: 0,
        })));
        self.out.push(Action::Ended(RunReport { outcome, took: Duration::ZERO }));
        self.end_if_once();
    }

    /// The foreground of a run is over, by the worker's word.
    pub(super) fn end_foreground(&mut self, id: RunId, how: ForegroundEnd, now: Instant) {
        let ForegroundEnd { outcome, value, error, usage, background, replaced } = how;
        let asks = self.asking.is_some();
        let Some(run) = self.active.get_mut(&id) else { return };
        let message = ServerMessage::Done(Box::new(Done {
            id: run.id.clone(),
            outcome,
            value,
            error: shown_error(outcome, Some(run.timeout), error),
            usage: usage.into(),
            runtime: State::ended_in(replaced),
            background,
        }));
        let ended = Ended { outcome, dispatched: run.dispatched, stop: run.stop };
        if background > 0 {
            run.stage = Stage::Background;
            run.clock = State::clock(self.rules.background_timeout, asks, now);
        } else {
            self.active.remove(&id);
        }
        self.send(message);
        self.report(&ended, now);
        self.end_if_once();
    }

    pub(super) fn settle(&mut self, id: RunId, how: BackgroundEnd, now: Instant) {
        let BackgroundEnd { outcome, error, usage, replaced } = how;
        let Some(run) = self.active.remove(&id) else { return };
        // All turns together may compute for as long as the run could; with what they wait they have longer.
        let limit = if run.clock.is_over(now) { self.rules.background_timeout } else { run.timeout };
        self.send(ServerMessage::Settled {
            id: run.id,
            outcome,
            error: shown_error(outcome, Some(limit), error),
            usage: usage.into(),
            runtime: State::ended_in(replaced),
        });
        self.report_stop(run.stop, now);
        self.idle_since = now;
    }

    pub(super) fn worker_gone(&mut self, overdue: bool, now: Instant) {
        if matches!(self.engine, Engine::Up { .. } | Engine::Preparing { .. }) {
            self.lose_worker(RetireReason::DiedInUse, overdue.then_some(Outcome::Timeout), now);
        }
    }

    pub(super) fn worker_taken(&mut self, now: Instant) {
        if matches!(self.engine, Engine::Up { .. } | Engine::Preparing { .. }) {
            self.lose_worker(RetireReason::Memory, Some(Outcome::Memory), now);
        }
    }

    /// The worker is dead or must die: every run that it had ends now, but one
    /// that never began and so cannot be to blame. `because` is how those end that have no reason of their own, where it was no crash.
    pub(super) fn lose_worker(&mut self, retire: RetireReason, because: Option<Outcome>, now: Instant) {
        self.out.push(Action::Kill(retire));
        self.engine = Engine::Absent;
        self.asking = None;
        self.told.clear();
        self.engine_lost(false);
        for (id, mut run) in std::mem::take(&mut self.active) {
            if run.stop.is_none()
                && !run.clock.is_over(now)
                && let Some(unbegun) = run.unbegun.take()
            {
                self.waiting.push_front(Waiting::new(run.id, *unbegun));
                continue;
            }
            let outcome = lost_outcome(&run, because, now);
            let error = (outcome == Outcome::Memory).then(short_of_memory);
            let usage = Usage {
                wall_us: u64::try_from(now.saturating_duration_since(run.dispatched).as_micros()).unwrap_or(u64::MAX),
                console_bytes: run.console_bytes,
                ..Usage::default()
            };
            let background = run.stage == Stage::Background;
            self.active.insert(id, run);
            if background {
                self.settle(id, BackgroundEnd { outcome, error, usage, replaced: true }, now);
            } else {
                let end = ForegroundEnd { outcome, value: None, error, usage, background: 0, replaced: true };
                self.end_foreground(id, end, now);
            }
        }
    }

    /// Records the end of a run. The caller has sent its last message.
    pub(super) fn report(&mut self, ended: &Ended, now: Instant) {
        let took = now.saturating_duration_since(ended.dispatched);
        self.out.push(Action::Ended(RunReport { outcome: ended.outcome, took }));
        self.report_stop(ended.stop, now);
        self.idle_since = now;
    }

    /// Records how long it took to stop what has just come to rest, foreground or background.
    pub(super) fn report_stop(&mut self, stop: Option<Stop>, now: Instant) {
        if let Some(Stop { reason, at }) = stop {
            self.out.push(Action::Stopped(reason, now.saturating_duration_since(at)));
        }
    }
}

pub(super) struct ForegroundEnd {
    pub outcome: Outcome,
    pub value: Option<ValueShown>,
    pub error: Option<ErrorShown>,
    pub usage: Usage,
    pub background: u32,
    /// The engine that ran it is gone.
    pub replaced: bool,
}

pub(super) struct BackgroundEnd {
    pub outcome: Outcome,
    pub error: Option<ErrorShown>,
    pub usage: Usage,
    pub replaced: bool,
}

/// How a run ends whose worker is lost: by its own stop, by its deadline (the worker ends itself when the kernel timer beats the
/// server's), by the ladder of a neighbour in the same engine, for want of memory, or by a crash.
fn lost_outcome(run: &Active, because: Option<Outcome>, now: Instant) -> Outcome {
    match (run.stop, because) {
        (Some(stop), _) => stop.reason.outcome(),
        (None, _) if run.clock.is_over(now) => Outcome::Timeout,
        (None, Some(outcome)) => outcome,
        (None, None) => Outcome::Crashed,
    }
}

/// What a client is told of any end but a good one. The user's own error is the worker's to describe, which it cannot always do:
/// the code may have taken apart what is needed for it. The other sentences are the host's.
fn shown_error(outcome: Outcome, limit: Option<Duration>, described: Option<ErrorShown>) -> Option<ErrorShown> {
    let (name, message) = match (outcome, described) {
        (Outcome::Ok, _) => return None,
        (Outcome::Error | Outcome::Memory, Some(error)) => return Some(error),
        (Outcome::Error, None) => ("Error", "thrown, and cannot be shown".to_owned()),
        (Outcome::Timeout, _) => {
            let limit = limit.unwrap_or_default().as_millis();
            ("TimeoutError", format!("stopped: the time limit of {limit} ms was reached"))
        }
        (Outcome::Cancelled, _) => ("CancelledError", "stopped: the run was cancelled".to_owned()),
        (Outcome::Memory, _) => ("MemoryError", "stopped: the heap limit was reached".to_owned()),
        (Outcome::Unsettled, _) => {
            ("UnsettledError", "the awaited promise can never settle: no timer and no job is left".to_owned())
        }
        (Outcome::Crashed, _) => ("CrashError", "the runtime died; the next run gets a new one".to_owned()),
        (Outcome::Shutdown, _) => ("ShutdownError", "stopped: the server is shutting down".to_owned()),
        (Outcome::Disconnected, _) => ("DisconnectedError", "stopped: the client is gone".to_owned()),
    };
    Some(host_error(name, message))
}

/// The largest run of all when the server had to end one.
fn short_of_memory() -> ErrorShown {
    host_error("MemoryError", "stopped: the server is short of memory, and this run had most of it".to_owned())
}

fn host_error(name: &str, message: String) -> ErrorShown {
    let stack = format!("{name}: {message}");
    ErrorShown { name: name.to_owned(), message, stack, line: None, column: None, frames: Vec::new() }
}
