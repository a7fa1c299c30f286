//! What becomes possible: leases asked for and given back, fresh engines, runs sent to the worker, and the end of the session.

use std::time::{Duration, Instant};

use super::{Action, Active, CloseCode, Engine, Phase, Stage, State, Waiting};
use crate::clock::RunClock;
use crate::ids::RunId;
use crate::ipc::{HostMessage, RunRequest};
use crate::outcome::{Outcome, StopReason};
use crate::protocol::{ErrorCode, Run, ServerMessage};

impl State {
    /// Does whatever is now possible: the one place where runs start and sessions end.
    pub(super) fn advance(&mut self, now: Instant) {
        if self.phase == Phase::Closed || self.foreground().is_some() {
            return;
        }
        if matches!(self.phase, Phase::Ending(_)) {
            if self.active.is_empty() {
                self.close();
            }
            return;
        }
        if self.waiting.is_empty() && self.queries.is_empty() && self.engine == Engine::Awaited {
            self.engine = Engine::Absent;
            self.out.push(Action::LeaveLine);
        }
        if self.resets > 0 && !self.make_fresh(now) {
            return;
        }
        for _ in 0..std::mem::take(&mut self.resets) {
            self.send(ServerMessage::Reset);
        }
        if self.waiting.is_empty() && self.queries.is_empty() {
            if matches!(self.phase, Phase::Draining { .. }) && self.active.is_empty() {
                self.close();
            }
            return;
        }
        match (self.engine, self.waiting.front()) {
            (Engine::Absent, _) => {
                self.engine = Engine::Awaited;
                self.position = None;
                self.out.push(Action::Acquire);
            }
            (Engine::Awaited | Engine::Preparing { .. }, _) | (Engine::Up { .. }, None) => {}
            (Engine::Up { .. }, Some(head)) => {
                if !head.run.fresh || self.make_fresh(now) {
                    self.dispatch(now);
                }
            }
        }
    }

    /// Works towards an engine that no run has touched; true when there is one (or none at all, which is as good).
    pub(super) fn make_fresh(&mut self, now: Instant) -> bool {
        match self.engine {
            Engine::Absent | Engine::Awaited => true,
            Engine::Up { virgin: true } if self.active.is_empty() => true,
            Engine::Preparing { .. } => false,
            Engine::Up { .. } => {
                for id in self.active.keys().copied().collect::<Vec<_>>() {
                    self.stop(id, StopReason::Cancel, now);
                }
                if self.active.is_empty() {
                    self.engine_lost(true);
                    let nonce = self.next_nonce;
                    self.next_nonce += 1;
                    self.engine = Engine::Preparing { nonce, until: now + self.rules.prepare_timeout };
                    let settings = self.rules.settings.clone();
                    self.out.push(Action::ToWorker(HostMessage::Prepare { nonce, settings }));
                }
                false
            }
        }
    }

    pub(super) fn dispatch(&mut self, now: Instant) {
        let Some(Waiting { id, run, bytes: _ }) = self.waiting.pop_front() else { return };
        let fresh = self.engine == Engine::Up { virgin: true };
        // A question that the worker has before it may cost the engine its life as well as another run.
        let unbegun = (!fresh || self.has_asked()).then(|| Box::new(run.clone()));
        let Run { id: _, code, files, timeout_ms, lang, mode, fresh: _, input } = run;
        let run = RunId(self.next_run);
        self.next_run += 1;
        let timeout = timeout_ms.map_or(self.rules.timeout, Duration::from_millis);
        // A background turn in progress ends before the new code begins: wait for it at most as long as it may take.
        let turn = self.active.values().map(|background| background.timeout).max().unwrap_or_default();
        let questions = self.time_of_queries(turn);
        // An engine that the last run has spoilt is being replaced: a full heap takes its time to be freed.
        let rebuild = if std::mem::take(&mut self.rebuilding) { self.rules.prepare_timeout } else { Duration::ZERO };
        let asks = self.asking.is_some();
        let begin = State::clock(turn + questions + rebuild + self.rules.start_timeout, asks, now);
        let active = Active {
            id,
            stage: Stage::Dispatched { fresh, begin },
            dispatched: now,
            timeout,
            clock: State::clock(turn + questions + rebuild + timeout, asks, now),
            stop: None,
            patience: RunClock::paused(self.rules.input_timeout),
            seq: 0,
            console_bytes: 0,
            console_entries: 0,
            prompts: 0,
            unbegun,
        };
        self.active.insert(run, active);
        self.engine = Engine::Up { virgin: false };
        let timeout_ms = u64::try_from(timeout.as_millis()).expect("timeouts are bounded");
        self.out.push(Action::ToWorker(HostMessage::Run(RunRequest {
            run,
            code,
            files,
            mode,
            lang,
            timeout_ms,
            input,
            detail: self.detail,
        })));
    }

    pub(super) fn recalled(&mut self) {
        if self.idle_since().is_some() {
            self.give_back();
        }
    }

    pub(super) fn give_back(&mut self) {
        self.engine = Engine::Absent;
        self.told.clear();
        self.engine_lost(true);
        self.out.push(Action::GiveBack);
    }

    pub(super) fn refuse_waiting(&mut self, message: &str) {
        if self.engine == Engine::Awaited {
            self.engine = Engine::Absent;
        }
        while let Some(Waiting { id, .. }) = self.waiting.pop_front() {
            self.error(ErrorCode::Busy, message, Some(id));
        }
        self.refuse_queries(ErrorCode::Busy, message);
        self.end_if_once();
    }

    /// The session of `?once=1` ends with its first run: what waits behind it is cancelled, its own timers may finish.
    pub(super) fn end_if_once(&mut self) {
        if self.rules.once && self.phase == Phase::Open {
            self.phase = Phase::Draining { until: None };
            while let Some(run) = self.waiting.pop_front() {
                self.end_waiting(run, Outcome::Cancelled);
            }
        }
    }

    pub(super) fn close(&mut self) {
        let code = match self.phase {
            Phase::Ending(StopReason::Shutdown) => CloseCode::GoingAway,
            Phase::Ending(StopReason::Disconnect) => CloseCode::Gone,
            Phase::Open | Phase::Draining { .. } | Phase::Ending(_) | Phase::Closed => CloseCode::Normal,
        };
        match self.engine {
            Engine::Absent => {}
            Engine::Awaited => self.out.push(Action::LeaveLine),
            Engine::Up { .. } | Engine::Preparing { .. } => self.out.push(Action::GiveBack),
        }
        self.engine = Engine::Absent;
        self.out.push(Action::Close(code));
        self.phase = Phase::Closed;
    }
}
