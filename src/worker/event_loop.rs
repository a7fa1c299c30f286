//! The loop of turns: what the server asks for, what is due, and what is over.

use std::rc::Rc;
use std::time::{Duration, Instant};

use rquickjs::{Persistent, Value};

use super::engine::Engine;
use super::exit::{self, Exit};
use super::host::Host;
use super::runs::{Phase, Run};
use super::source::Unwrap;
use crate::ids::RunId;
use crate::ipc::{ErrorInfo, Health, HostMessage, RunEnd, RunRequest, Settings, ValueInfo, WorkerMessage};
use crate::outcome::{Outcome, StopReason, Usage};
use crate::sandbox;

/// What a worker knows before the first `Prepare`.
const NO_SETTINGS: Settings = Settings {
    heap_bytes: 0,
    stack_bytes: 0,
    console_bytes: 0,
    console_entries: 0,
    timers: 0,
    text_bytes: 0,
    json_bytes: 0,
    kill_grace_ms: 0,
    background_timeout_ms: 0,
    input_timeout_ms: 0,
};

/// A foreground run whose promise is pending.
pub(super) struct Awaiting {
    pub run: RunId,
    pub promise: Persistent<Value<'static>>,
    pub unwrap: Unwrap,
}

/// The loop's own state. What the engine's callbacks need too is in [`Host`].
pub(super) struct Worker {
    pub host: Rc<Host>,
    pub engine: Option<Engine>,
    pub awaiting: Option<Awaiting>,
    /// Whether the last run defined the global `input`.
    pub input_is_set: bool,
}

/// Tells the server what became of the box, for a worker that must not go on.
pub fn refuse(report: sandbox::Report) {
    let host = Host::new(NO_SETTINGS);
    host.send(&WorkerMessage::Boxed(report));
    host.flush_all();
}

/// Says what box this process is in, and serves the socket for ever.
pub fn run(report: sandbox::Report) -> ! {
    let mut worker = Worker { host: Host::new(NO_SETTINGS), engine: None, awaiting: None, input_is_set: false };
    worker.host.send(&WorkerMessage::Boxed(report));
    loop {
        worker.step();
    }
}

impl Worker {
    /// One round: frames first, because a waiting run has priority over background turns; then what is over; then one due timer.
    fn step(&mut self) {
        let now = Instant::now();
        self.host.receive(now);
        self.drop_buried();
        match self.host.next_message() {
            // No run starves because somebody keeps asking: questions and due turns alternate.
            Some(question @ HostMessage::Query { .. }) => {
                self.host.note_passed_deadlines(now);
                self.end_stopped_runs();
                self.act(question);
                self.do_what_is_due(Instant::now());
                return;
            }
            Some(message) => return self.act(message),
            None => {}
        }
        if self.do_what_is_due(now) || self.end_unsettled_run() {
            return;
        }
        self.host.flush_console();
        // Flushing may have waited for the server, and heard from it meanwhile: what came wants another round, not a sleep.
        if self.host.wire.last_read() == Some(now) {
            self.host.wire.wait(self.next_wake());
        }
    }

    /// Ends what is over, then takes one turn if one is due. Says whether it did.
    fn do_what_is_due(&mut self, now: Instant) -> bool {
        self.host.note_passed_deadlines(now);
        self.end_stopped_runs();
        self.settle_finished_runs();
        if self.conclude_if_settled() {
            return true;
        }
        let due = self.host.timers.borrow_mut().pop_due(now);
        match due {
            Some(timer) => {
                self.timer_turn(timer);
                true
            }
            None => false,
        }
    }

    fn act(&mut self, message: HostMessage) {
        match message {
            HostMessage::Prepare { nonce, settings } => self.prepare(nonce, settings),
            HostMessage::Run(request) => self.start(request),
            // Its question has been answered by the clock, or by an interrupt.
            HostMessage::InputAnswer { .. } => {}
            HostMessage::Query { id, query } => self.answer(id, &query),
            HostMessage::Interrupt { .. } => unreachable!("interrupts act when they arrive"),
        }
    }

    /// Drops the engine, builds a fresh one, and says how it is.
    fn prepare(&mut self, nonce: u64, settings: Settings) {
        self.awaiting = None;
        self.input_is_set = false;
        self.host.runs.borrow_mut().clear();
        self.host.batch.take();
        if let Some(engine) = self.engine.take() {
            engine.dispose(&self.host);
        }
        self.host.reset_references();
        *self.host.settings.borrow_mut() = settings;
        let Some((engine, probe)) = self.build() else { exit::now(Exit::NoEngine) };
        self.engine = Some(engine);
        self.host.prepared();
        let health = Health {
            heap_bytes: self.host.heap_bytes(),
            interrupt_polls: probe.polls,
            open_files: sandbox::open_files(),
            leftovers: probe.leftovers,
        };
        self.host.send(&WorkerMessage::Ready { nonce, health });
        self.host.flush_all();
    }

    fn build(&self) -> Option<(Engine, super::engine::Probe)> {
        let settings = self.host.settings.borrow().clone();
        let engine = Engine::build(&self.host, &settings).ok()?;
        let probe = engine.probe(&self.host).ok()?;
        Some((engine, probe))
    }

    /// Replaces the engine within a lease, after an interrupt has left it unfit. Every other run has ended with it.
    pub(super) fn rebuild(&mut self) {
        self.awaiting = None;
        self.input_is_set = false;
        if let Some(engine) = self.engine.take() {
            engine.dispose(&self.host);
        }
        let Some((engine, _)) = self.build() else { exit::now(Exit::NoEngine) };
        self.engine = Some(engine);
        self.host.engine_unfit.set(false);
    }

    fn start(&mut self, request: RunRequest) {
        if self.engine.is_none() || self.host.runs.borrow().foreground().is_some() {
            // The server never asks for this.
            exit::now(Exit::OutOfStep);
        }
        let now = Instant::now();
        let id = request.run;
        let patience = Duration::from_millis(self.host.settings.borrow().input_timeout_ms);
        let run = Run::new(Duration::from_millis(request.timeout_ms), patience, request.detail, now);
        self.host.runs.borrow_mut().start(id, run);
        self.host.send(&WorkerMessage::Started { run: id });
        self.run_turn(&request);
    }

    /// Sends the `Done` of the foreground run.
    pub(super) fn done(&mut self, run: RunId, outcome: Outcome, value: Option<ValueInfo>, error: Option<ErrorInfo>) {
        self.awaiting = None;
        let engine_replaced = self.host.engine_unfit.get();
        let end = RunEnd { run, outcome, value, error, usage: Usage::default(), background: 0, engine_replaced };
        self.host.send_done(end, Instant::now());
        self.host.flush_all();
    }

    /// Ends runs that were interrupted, or whose time was up, while no turn of theirs was running.
    pub(super) fn end_stopped_runs(&mut self) {
        let stopped: Vec<(RunId, StopReason, bool)> = self
            .host
            .runs
            .borrow()
            .iter()
            .filter_map(|(id, run)| run.stop.map(|reason| (id, reason, run.is_foreground())))
            .collect();
        for (id, reason, is_foreground) in stopped {
            if is_foreground {
                self.host.bury_timers(id);
                self.done(id, reason.outcome(), None, None);
            } else {
                self.host.settle(id, None);
            }
        }
        self.drop_buried();
    }

    /// Ends background runs whose last timer is gone.
    pub(super) fn settle_finished_runs(&self) {
        let ids = self.host.runs.borrow().ids();
        for id in ids {
            let finished = {
                let runs = self.host.runs.borrow();
                runs.get(id).is_some_and(|run| run.timers == 0 && matches!(run.phase, Phase::Background { .. }))
            };
            if finished {
                self.host.settle(id, None);
            }
        }
    }

    /// Ends the foreground run if nothing is left that could settle its promise.
    fn end_unsettled_run(&mut self) -> bool {
        let Some(awaiting) = &self.awaiting else { return false };
        if !self.host.timers.borrow().is_empty() {
            return false;
        }
        let run = awaiting.run;
        self.done(run, Outcome::Unsettled, None, None);
        true
    }

    /// Drops the timers of ended runs, now that no JavaScript is running.
    pub(super) fn drop_buried(&self) {
        let buried = self.host.timers.borrow_mut().take_graveyard();
        drop(buried);
    }

    /// When the loop has to look again although nothing has arrived.
    fn next_wake(&self) -> Option<Instant> {
        let due = self.host.timers.borrow().next_due();
        let deadline = self.host.runs.borrow().next_deadline();
        due.into_iter().chain(deadline).min()
    }
}
