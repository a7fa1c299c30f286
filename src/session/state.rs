//! The decisions of one session, without I/O: an event goes in, actions come out.
//!
//! What it promises, whatever order events arrive in (`tests/state_machine.rs` drives it with random ones):
//! - every accepted run gets exactly one `done`, and nothing after its last message;
//! - `settled` comes exactly when `done` promised it with `background > 0`;
//! - every lease is given back at rest, or its worker is killed;
//! - every way of stopping a run climbs the same ladder: interrupt, grace, kill.
//!
//! A run is *accepted* unless it is answered by an `error` with its id.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::ids::RunId;
use crate::ipc::{HostMessage, RunRequest, Settings, WorkerMessage};
use crate::outcome::{Outcome, StopReason};
use crate::pool::RetireReason;
use crate::protocol::{
    ClientMessage, EndedIn, ErrorCode, Rejected, RequestId, Run, ServerMessage, StartedIn, WaitingFor,
};

mod ending;
mod frames;
#[cfg(test)]
mod tests;

use ending::Ended;

/// `reset` requests that may wait for the same fresh engine. Each is answered by a message of its own, so their number is bounded;
/// nobody needs a second one before the first is answered.
const MOST_RESETS: u32 = 16;

/// The limits that decisions depend on.
#[derive(Debug, Clone)]
pub struct Rules {
    pub timeout: Duration,
    pub kill_grace: Duration,
    pub background_timeout: Duration,
    pub input_timeout: Duration,
    /// From `Prepare` to `Ready` when the client resets.
    pub prepare_timeout: Duration,
    /// From `Run` to `Started`, where no background turn is in the way. A worker that takes longer has hung or was stopped.
    pub start_timeout: Duration,
    /// Runs that wait behind the foreground one.
    pub queue: usize,
    /// Idle this long, the lease may be recalled.
    pub idle_lease: Duration,
    /// Close after the first run.
    pub once: bool,
    /// What each engine is prepared with.
    pub settings: Settings,
}

#[derive(Debug)]
pub enum Event {
    Client(ClientMessage),
    /// A message that could not be understood.
    Rejected(Rejected),
    /// The client says that it will send no more but still reads: finish what was received, for at most this long.
    Drain(Option<Duration>),
    /// The client is gone, by whatever way.
    Gone,
    /// The server is closing.
    Shutdown,
    /// The lease that [`Action::Acquire`] asked for.
    Leased,
    /// The place in the pool's line; 1 is next.
    Position(usize),
    /// No lease is to be had: a sentence for the client.
    NoLease(String),
    /// Others wait for a worker and this session seems idle.
    Recalled,
    Worker(WorkerMessage),
    /// The worker's socket is closed or out of step.
    WorkerGone {
        /// It ended itself, because its code went on past a deadline that only the worker knows to the millisecond.
        overdue: bool,
    },
    /// Time has passed; see [`State::wake_at`].
    Tick,
}

#[derive(Debug)]
pub enum Action {
    Send(ServerMessage),
    /// Ask the pool for a lease; answered by `Leased`, `Position` or `NoLease`.
    Acquire,
    LeaveLine,
    ToWorker(HostMessage),
    /// Drop the lease: its engine is at rest.
    GiveBack,
    /// The ladder's end.
    Kill(RetireReason),
    /// For metrics; no message.
    Ended(RunReport),
    /// For metrics: what was stopped for this reason is at rest, this long after its interrupt.
    Stopped(StopReason, Duration),
    /// Say goodbye with this code and end. The last action of a session.
    Close(CloseCode),
}

/// What metrics want to know about a finished run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunReport {
    pub outcome: Outcome,
    /// From dispatch to the end; zero for a run that never started.
    pub took: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    Normal,
    GoingAway,
    /// Nobody is there to be told.
    Gone,
}

/// The session's hold on a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    /// No lease. Leaves by the first run that waits.
    Absent,
    /// In the pool's line.
    Awaited,
    /// Leased; `virgin` until a run has been sent.
    Up { virgin: bool },
    /// Leased and being rebuilt. Leaves by `Ready`, or by the kill at `until`.
    Preparing { nonce: u64, until: Instant },
}

/// A run that waits: for the runs before it, or for the pool.
#[derive(Debug)]
struct Waiting {
    id: RequestId,
    run: Run,
}

/// A run whose code the worker has.
#[derive(Debug)]
struct Active {
    id: RequestId,
    stage: Stage,
    dispatched: Instant,
    timeout: Duration,
    /// When the host stops it: of the foreground, or of the whole background.
    deadline: Instant,
    stop: Option<Stop>,
    /// How long its prompts have waited so far.
    input_spent: Duration,
    /// Console messages sent.
    seq: u64,
    /// Console text and entries taken from the worker, held against the caps because the worker is not trusted.
    console_bytes: u64,
    console_entries: u64,
    /// Questions asked.
    prompts: u32,
    /// The run itself, until it has begun in an engine that others have used: when one of them costs the engine its life, this run
    /// is not to blame and goes to the next one.
    unbegun: Option<Box<Run>>,
}

impl Active {
    /// When the worker must have begun it; `None` once it has.
    fn begin_by(&self) -> Option<Instant> {
        match self.stage {
            Stage::Dispatched { until, fresh: _ } => Some(until),
            Stage::Foreground | Stage::Background => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Sent; the worker may still be inside a background turn. Leaves by `Started`, or by the kill at `until`: a worker that does
    /// not even begin is of no use, however long the run itself may take.
    Dispatched {
        fresh: bool,
        until: Instant,
    },
    Foreground,
    Background,
}

#[derive(Debug, Clone, Copy)]
struct Stop {
    reason: StopReason,
    at: Instant,
}

/// A prompt that waits for the client. The whole engine waits with it, so every deadline is paused.
#[derive(Debug, Clone, Copy)]
struct Asking {
    run: RunId,
    since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Finish what was received, then close. Leaves by the last run's end or at `until`.
    Draining {
        until: Option<Instant>,
    },
    /// Everything is being stopped for this reason; nothing new is taken.
    Ending(StopReason),
    Closed,
}

pub struct State {
    rules: Rules,
    phase: Phase,
    engine: Engine,
    waiting: VecDeque<Waiting>,
    /// At most one of them is in the foreground.
    active: BTreeMap<RunId, Active>,
    asking: Option<Asking>,
    /// The last place in the pool's line that was heard of.
    position: Option<usize>,
    /// `reset` requests not answered yet.
    resets: u32,
    /// Reasons that this lease's worker has been told; it may end runs with these only.
    told: Vec<StopReason>,
    /// The worker is replacing its engine within the lease, and may not begin the next run at once.
    rebuilding: bool,
    idle_since: Instant,
    next_run: u32,
    next_id: u64,
    next_nonce: u64,
    out: Vec<Action>,
}

impl State {
    pub fn new(rules: Rules, now: Instant) -> State {
        State {
            rules,
            phase: Phase::Open,
            engine: Engine::Absent,
            waiting: VecDeque::new(),
            active: BTreeMap::new(),
            asking: None,
            position: None,
            resets: 0,
            told: Vec::new(),
            rebuilding: false,
            idle_since: now,
            next_run: 1,
            next_id: 1,
            next_nonce: 1,
            out: Vec::new(),
        }
    }

    /// Takes one event and says what to do, in order. Never fails and never blocks.
    #[must_use]
    pub fn apply(&mut self, event: Event, now: Instant) -> Vec<Action> {
        if self.phase == Phase::Closed {
            return Vec::new();
        }
        match event {
            Event::Client(message) => self.client(message, now),
            Event::Rejected(rejected) => {
                self.send(rejected.into());
                self.end_if_once();
            }
            Event::Drain(limit) => {
                if self.phase == Phase::Open {
                    self.phase = Phase::Draining { until: limit.map(|limit| now + limit) };
                    if let Some(asking) = self.asking {
                        self.answer(asking, None, now);
                    }
                }
            }
            Event::Gone => self.end(StopReason::Disconnect, now),
            Event::Shutdown => self.end(StopReason::Shutdown, now),
            Event::Leased => {
                self.engine = Engine::Up { virgin: true };
                self.idle_since = now;
            }
            Event::Position(position) => {
                self.position = Some(position);
                self.tell_position();
            }
            Event::NoLease(message) => self.refuse_waiting(&message),
            Event::Recalled => self.recalled(now),
            Event::Worker(message) => self.worker(message, now),
            Event::WorkerGone { overdue } => self.worker_gone(overdue, now),
            Event::Tick => self.tick(now),
        }
        self.advance(now);
        std::mem::take(&mut self.out)
    }

    /// The first in the queue is the one that waits for the pool.
    fn tell_position(&mut self) {
        if let (Engine::Awaited, Some(position), Some(head)) = (self.engine, self.position, self.waiting.front()) {
            let id = head.id.clone();
            self.send(ServerMessage::Queued { id, position, waiting_for: WaitingFor::Pool });
        }
    }

    /// When [`Event::Tick`] is due; `None` while nothing is timed.
    pub fn wake_at(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Draining { until } => until,
            Phase::Open | Phase::Ending(_) | Phase::Closed => None,
        };
        let engine = match self.engine {
            Engine::Preparing { until, .. } => Some(until),
            Engine::Absent | Engine::Awaited | Engine::Up { .. } => None,
        };
        let input = self.asking.and_then(|asking| self.input_until(asking));
        let runs = self.active.values().filter_map(|run| match run.stop {
            Some(stop) => self.kill_at(run, stop),
            None if self.asking.is_some() => None,
            None => Some(run.begin_by().map_or(run.deadline, |until| until.min(run.deadline))),
        });
        runs.chain([phase, engine, input].into_iter().flatten()).min()
    }

    /// From when on this session's lease may be recalled; `None` while it is in use or there is none.
    pub fn recallable_at(&self) -> Option<Instant> {
        let idle = self.active.is_empty() && self.waiting.is_empty() && matches!(self.engine, Engine::Up { .. });
        idle.then(|| self.idle_since + self.rules.idle_lease)
    }

    /// A run is being stopped, or is to begin: what the worker says must be read even when the client reads slowly, because a clock
    /// is running against the worker. It is little: what the console's caps let through of one turn at most.
    pub fn must_hear_worker(&self) -> bool {
        self.active.values().any(|run| run.stop.is_some() || run.begin_by().is_some())
    }

    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    fn send(&mut self, message: ServerMessage) {
        if self.phase != Phase::Ending(StopReason::Disconnect) {
            self.out.push(Action::Send(message));
        }
    }

    fn error(&mut self, code: ErrorCode, message: impl Into<String>, id: Option<RequestId>) {
        self.send(ServerMessage::Error { code, message: message.into(), id });
    }

    fn client(&mut self, message: ClientMessage, now: Instant) {
        match (self.phase, message) {
            (Phase::Open, ClientMessage::Run(run)) => self.enqueue(*run),
            (_, ClientMessage::Run(run)) => {
                self.error(ErrorCode::ShuttingDown, "no more runs are taken here", run.id);
            }
            (_, ClientMessage::Cancel { id: Some(id) }) => self.cancel(id, now),
            (_, ClientMessage::Cancel { id: None }) => self.cancel_all(now),
            (_, ClientMessage::Input { id, text }) => self.input(id, text, now),
            (_, ClientMessage::Reset) if self.resets >= MOST_RESETS => {
                self.error(ErrorCode::QueueFull, "too many resets wait already", None);
            }
            (_, ClientMessage::Reset) => {
                self.stop_everything(StopReason::Cancel, now);
                self.resets += 1;
            }
            (_, ClientMessage::Ping) => self.send(ServerMessage::Pong),
            // The loop answers it, because only the loop knows versions and limits.
            (_, ClientMessage::Hello) => {}
            (_, ClientMessage::Unsupported { kind, id }) => {
                self.error(ErrorCode::Unsupported, format!("this version cannot answer `{kind}` yet"), id);
            }
        }
    }

    fn enqueue(&mut self, run: Run) {
        let id = match run.id.clone() {
            Some(id) if self.is_known(&id) => {
                let message = format!("the run {id} is not over: its id cannot be used again yet");
                return self.error(ErrorCode::DuplicateId, message, Some(id));
            }
            Some(id) => id,
            None => self.count_id(),
        };
        let ahead = self.waiting.len() + usize::from(self.foreground().is_some());
        if ahead > self.rules.queue {
            let message = format!("{} runs wait already; wait for a `done` or cancel some", self.rules.queue);
            return self.error(ErrorCode::QueueFull, message, Some(id));
        }
        // The first in line either starts at once or is told its place by the pool.
        if ahead > 0 {
            let id = id.clone();
            self.send(ServerMessage::Queued { id, position: ahead, waiting_for: WaitingFor::Session });
        }
        self.waiting.push_back(Waiting { id, run });
    }

    fn is_known(&self, id: &RequestId) -> bool {
        self.waiting.iter().any(|run| run.id == *id) || self.active.values().any(|run| run.id == *id)
    }

    fn count_id(&mut self) -> RequestId {
        loop {
            let id = RequestId::from(self.next_id);
            self.next_id += 1;
            if !self.is_known(&id) {
                return id;
            }
        }
    }

    fn cancel(&mut self, id: RequestId, now: Instant) {
        if let Some(at) = self.waiting.iter().position(|run| run.id == id) {
            let run = self.waiting.remove(at).expect("the position was just found");
            self.end_waiting(run, Outcome::Cancelled);
            if at == 0 {
                self.tell_position();
            }
        } else if let Some(run) = self.active.iter().find(|(_, run)| run.id == id).map(|(run, _)| *run) {
            self.stop(run, StopReason::Cancel, now);
        } else {
            let message = format!("no run {id} is waiting, running or in the background");
            self.error(ErrorCode::UnknownRun, message, Some(id));
        }
    }

    fn cancel_all(&mut self, now: Instant) {
        if self.waiting.is_empty() && self.active.is_empty() {
            return self.error(ErrorCode::UnknownRun, "nothing is running", None);
        }
        self.stop_everything(StopReason::Cancel, now);
    }

    fn input(&mut self, id: Option<RequestId>, text: Option<String>, now: Instant) {
        let asked = self.asking.filter(|asking| match (&id, self.active.get(&asking.run)) {
            (Some(id), Some(run)) => run.id == *id,
            (None, Some(_)) => true,
            (_, None) => false,
        });
        match asked {
            Some(asking) => self.answer(asking, text, now),
            None => self.error(ErrorCode::NoInputWanted, "no run waits for input", id),
        }
    }

    /// Hands the answer to the worker and lets the clocks run again.
    fn answer(&mut self, asking: Asking, text: Option<String>, now: Instant) {
        self.resume_clocks(now);
        self.out.push(Action::ToWorker(HostMessage::InputAnswer { run: asking.run, text }));
    }

    fn resume_clocks(&mut self, now: Instant) {
        let Some(asking) = self.asking.take() else { return };
        let waited = now.saturating_duration_since(asking.since);
        for (id, run) in &mut self.active {
            run.deadline += waited;
            if let Stage::Dispatched { until, .. } = &mut run.stage {
                *until += waited;
            }
            if *id == asking.run {
                run.input_spent += waited;
            }
        }
    }

    fn input_until(&self, asking: Asking) -> Option<Instant> {
        let run = self.active.get(&asking.run)?;
        Some(asking.since + self.rules.input_timeout.saturating_sub(run.input_spent))
    }

    fn recalled(&mut self, now: Instant) {
        if self.recallable_at().is_some_and(|at| at <= now) {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        self.engine = Engine::Absent;
        self.told.clear();
        self.out.push(Action::GiveBack);
    }

    fn foreground(&self) -> Option<RunId> {
        self.active.iter().find(|(_, run)| run.stage != Stage::Background).map(|(id, _)| *id)
    }

    /// The ladder's first step, for one run. The first reason stays.
    fn stop(&mut self, id: RunId, reason: StopReason, now: Instant) {
        let Some(run) = self.active.get_mut(&id) else { return };
        if run.stop.is_none() {
            run.stop = Some(Stop { reason, at: now });
            self.told.push(reason);
            self.out.push(Action::ToWorker(HostMessage::Interrupt { run: Some(id), reason }));
        }
        if self.asking.is_some_and(|asking| asking.run == id) {
            self.resume_clocks(now);
        }
    }

    fn stop_everything(&mut self, reason: StopReason, now: Instant) {
        while let Some(run) = self.waiting.pop_front() {
            self.end_waiting(run, reason.outcome());
        }
        for id in self.active.keys().copied().collect::<Vec<_>>() {
            self.stop(id, reason, now);
        }
    }

    fn end(&mut self, reason: StopReason, now: Instant) {
        match self.phase {
            // A client may vanish while the server is closing: from then on nobody is told, and no run is stopped twice.
            Phase::Ending(_) if reason == StopReason::Disconnect => self.phase = Phase::Ending(reason),
            Phase::Ending(_) | Phase::Closed => {}
            Phase::Open | Phase::Draining { .. } => {
                if reason == StopReason::Disconnect {
                    self.phase = Phase::Ending(reason);
                }
                self.stop_everything(reason, now);
                self.phase = Phase::Ending(reason);
            }
        }
    }

    /// The ladder's last step for a run that has been told to stop. A background run that is to stop while another run's code
    /// holds the engine waits for that code, which has its own deadline: a run must not lose its engine for another's sake.
    fn kill_at(&self, run: &Active, stop: Stop) -> Option<Instant> {
        let blocked = run.stage == Stage::Background
            && self.active.values().any(|other| other.stage == Stage::Foreground && other.stop.is_none());
        (!blocked).then(|| stop.at + self.rules.kill_grace)
    }

    fn tick(&mut self, now: Instant) {
        if let Phase::Draining { until: Some(until) } = self.phase
            && until <= now
        {
            self.end(StopReason::Disconnect, now);
        }
        if let Some(asking) = self.asking {
            if self.input_until(asking).is_some_and(|until| until <= now) {
                self.answer(asking, None, now);
            }
        } else {
            let late = self.active.iter().filter(|(_, run)| run.stop.is_none() && run.deadline <= now);
            for id in late.map(|(id, _)| *id).collect::<Vec<_>>() {
                self.stop(id, StopReason::Deadline, now);
            }
        }
        let stuck = self.active.values().find_map(|run| {
            let stop = run.stop?;
            self.kill_at(run, stop).filter(|at| *at <= now).map(|_| stop.reason)
        });
        let hung = |run: &Active| run.stop.is_none() && run.begin_by().is_some_and(|until| until <= now);
        if let Some(reason) = stuck {
            self.lose_worker(RetireReason::Killed, Some(reason), now);
        } else if self.asking.is_none() && self.active.values().any(hung) {
            self.lose_worker(RetireReason::Unresponsive, None, now);
        } else if let Engine::Preparing { until, .. } = self.engine
            && until <= now
        {
            self.lose_worker(RetireReason::NotReadyInTime, None, now);
        }
    }

    /// Does whatever is now possible: the one place where runs start and sessions end.
    fn advance(&mut self, now: Instant) {
        if self.phase == Phase::Closed || self.foreground().is_some() {
            return;
        }
        if matches!(self.phase, Phase::Ending(_)) {
            if self.active.is_empty() {
                self.close();
            }
            return;
        }
        if self.waiting.is_empty() && self.engine == Engine::Awaited {
            self.engine = Engine::Absent;
            self.out.push(Action::LeaveLine);
        }
        if self.resets > 0 && !self.make_fresh(now) {
            return;
        }
        for _ in 0..std::mem::take(&mut self.resets) {
            self.send(ServerMessage::Reset);
        }
        let Some(head) = self.waiting.front() else {
            if matches!(self.phase, Phase::Draining { .. }) && self.active.is_empty() {
                self.close();
            }
            return;
        };
        match self.engine {
            Engine::Absent => {
                self.engine = Engine::Awaited;
                self.position = None;
                self.out.push(Action::Acquire);
            }
            Engine::Awaited | Engine::Preparing { .. } => {}
            Engine::Up { .. } => {
                if !head.run.fresh || self.make_fresh(now) {
                    self.dispatch(now);
                }
            }
        }
    }

    /// Works towards an engine that no run has touched; true when there is one (or none at all, which is as good).
    fn make_fresh(&mut self, now: Instant) -> bool {
        match self.engine {
            Engine::Absent | Engine::Awaited => true,
            Engine::Up { virgin: true } if self.active.is_empty() => true,
            Engine::Preparing { .. } => false,
            Engine::Up { .. } => {
                for id in self.active.keys().copied().collect::<Vec<_>>() {
                    self.stop(id, StopReason::Cancel, now);
                }
                if self.active.is_empty() {
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

    fn dispatch(&mut self, now: Instant) {
        let Some(Waiting { id, run }) = self.waiting.pop_front() else { return };
        let fresh = self.engine == Engine::Up { virgin: true };
        let unbegun = (!fresh).then(|| Box::new(run.clone()));
        let Run { id: _, code, files, timeout_ms, lang, mode, fresh: _, input } = run;
        let run = RunId(self.next_run);
        self.next_run = self.next_run.checked_add(1).expect("a session lives for fewer than four billion runs");
        let timeout = timeout_ms.map_or(self.rules.timeout, Duration::from_millis);
        // A background turn in progress ends before the new code begins: wait for it at most as long as it may take.
        let turn = self.active.values().map(|background| background.timeout).max().unwrap_or_default();
        // An engine that the last run has spoilt is being replaced: a full heap takes its time to be freed.
        let rebuild = if std::mem::take(&mut self.rebuilding) { self.rules.prepare_timeout } else { Duration::ZERO };
        let active = Active {
            id,
            stage: Stage::Dispatched { fresh, until: now + turn + rebuild + self.rules.start_timeout },
            dispatched: now,
            timeout,
            deadline: now + turn + rebuild + timeout,
            stop: None,
            input_spent: Duration::ZERO,
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
        })));
    }

    fn close(&mut self) {
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

    /// The session of `?once=1` ends with its first run: what waits behind it is cancelled, its own timers may finish.
    fn end_if_once(&mut self) {
        if self.rules.once && self.phase == Phase::Open {
            self.phase = Phase::Draining { until: None };
            while let Some(run) = self.waiting.pop_front() {
                self.end_waiting(run, Outcome::Cancelled);
            }
        }
    }

    /// Records the end of a run. The caller has sent its last message.
    fn report(&mut self, ended: &Ended, now: Instant) {
        let took = now.saturating_duration_since(ended.dispatched);
        self.out.push(Action::Ended(RunReport { outcome: ended.outcome, took }));
        self.report_stop(ended.stop, now);
        self.idle_since = now;
    }

    /// Records how long it took to stop what has just come to rest, foreground or background.
    fn report_stop(&mut self, stop: Option<Stop>, now: Instant) {
        if let Some(Stop { reason, at }) = stop {
            self.out.push(Action::Stopped(reason, now.saturating_duration_since(at)));
        }
    }

    fn refuse_waiting(&mut self, message: &str) {
        if self.engine == Engine::Awaited {
            self.engine = Engine::Absent;
        }
        while let Some(Waiting { id, .. }) = self.waiting.pop_front() {
            self.error(ErrorCode::Busy, message, Some(id));
        }
        self.end_if_once();
    }

    fn started_in(fresh: bool) -> StartedIn {
        if fresh { StartedIn::Fresh } else { StartedIn::Kept }
    }

    fn ended_in(replaced: bool) -> EndedIn {
        if replaced { EndedIn::Replaced } else { EndedIn::Kept }
    }
}
