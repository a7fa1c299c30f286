//! The decisions of one session, without I/O: an event goes in, actions come out.
//!
//! What it promises, whatever order events arrive in (`tests/model.rs` drives it with random ones):
//! - every accepted run gets exactly one `done`, and nothing after its last message;
//! - `settled` comes exactly when `done` promised it with `background > 0`;
//! - every lease is given back at rest, or its worker is killed;
//! - every way of stopping a run climbs the same ladder: interrupt, grace, kill.
//!
//! A run is *accepted* unless it is answered by an `error` with its id.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::clock::RunClock;
use crate::ids::RunId;
use crate::ipc::{Detail, HostMessage, Settings, WorkerMessage};
use crate::outcome::{Outcome, StopReason};
use crate::pool::RetireReason;
use crate::protocol::{
    ClientMessage, EndedIn, ErrorCode, Rejected, RequestId, Run, ServerMessage, StartedIn, WaitingFor,
};

mod client;
mod ending;
mod frames;
mod queries;
mod starting;
mod stopping;
#[cfg(test)]
mod tests;

use queries::{Asked, References};

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
    /// What may wait for the worker, in bytes: runs and questions together.
    pub queued_bytes: usize,
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
    /// Others need what this session's lease has, and it seems idle.
    Recalled,
    Worker(WorkerMessage),
    /// The worker's socket is closed or out of step.
    WorkerGone {
        /// It ended itself, because its code went on past a deadline that only the worker knows to the millisecond.
        overdue: bool,
    },
    /// The pool has ended the worker, because there was not enough memory for all.
    WorkerTaken,
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
    /// What it holds.
    bytes: usize,
}

impl Waiting {
    fn new(id: RequestId, run: Run) -> Waiting {
        let bytes = run.bytes();
        Waiting { id, run, bytes }
    }
}

/// A run whose code the worker has.
#[derive(Debug)]
struct Active {
    id: RequestId,
    stage: Stage,
    dispatched: Instant,
    timeout: Duration,
    /// Until the host stops it: of the foreground, or of the whole background.
    clock: RunClock,
    stop: Option<Stop>,
    /// What is left for answers to its prompts: runs while one waits.
    patience: RunClock,
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

/// What everything that waits costs besides its texts.
const WAITING_BYTES: usize = 256;

impl Active {
    /// Until the worker must have begun it; `None` once it has.
    fn begin(&self) -> Option<&RunClock> {
        match &self.stage {
            Stage::Dispatched { begin, fresh: _ } => Some(begin),
            Stage::Foreground | Stage::Background => None,
        }
    }

    /// Every clock that stands still while a prompt waits.
    fn clocks(&mut self) -> impl Iterator<Item = &mut RunClock> {
        let begin = match &mut self.stage {
            Stage::Dispatched { begin, fresh: _ } => Some(begin),
            Stage::Foreground | Stage::Background => None,
        };
        std::iter::once(&mut self.clock).chain(begin)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Sent; the worker may still be inside a background turn. Leaves by `Started`, or by the kill when `begin` is over: a worker
    /// that does not even begin is of no use, however long the run itself may take.
    Dispatched {
        fresh: bool,
        begin: RunClock,
    },
    Foreground,
    Background,
}

#[derive(Debug, Clone, Copy)]
struct Stop {
    reason: StopReason,
    at: Instant,
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
    /// The run whose prompt waits for the client. The whole engine waits with it, so every clock but that run's patience is paused.
    asking: Option<RunId>,
    /// The last place in the pool's line that was heard of.
    position: Option<usize>,
    /// Questions that wait for their answers: those that the worker has first.
    queries: VecDeque<Asked>,
    references: References,
    /// What values come with.
    detail: Detail,
    /// `reset` requests not answered yet.
    resets: u32,
    /// Reasons that this lease's worker has been told; it may end runs with these only.
    told: Vec<StopReason>,
    /// The worker is replacing its engine within the lease, and may not begin the next run at once.
    rebuilding: bool,
    idle_since: Instant,
    next_run: u64,
    next_id: u64,
    next_nonce: u64,
    next_query: u64,
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
            queries: VecDeque::new(),
            references: References::default(),
            detail: Detail::Text,
            resets: 0,
            told: Vec::new(),
            rebuilding: false,
            idle_since: now,
            next_run: 1,
            next_id: 1,
            next_nonce: 1,
            next_query: 1,
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
                    if let Some(run) = self.asking {
                        self.answer(run, None, now);
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
            Event::Recalled => self.recalled(),
            Event::Worker(message) => self.worker(message, now),
            Event::WorkerGone { overdue } => self.worker_gone(overdue, now),
            Event::WorkerTaken => self.worker_taken(now),
            Event::Tick => self.tick(now),
        }
        self.answer_expired();
        self.advance(now);
        if self.phase != Phase::Closed {
            self.ask_worker();
            self.answer_expired();
        }
        std::mem::take(&mut self.out)
    }

    /// Bytes that wait for the worker.
    pub fn queued_bytes(&self) -> usize {
        let unbegun = self.active.values().filter_map(|run| run.unbegun.as_deref()).map(Run::bytes);
        self.waiting.iter().map(|run| run.bytes).sum::<usize>()
            + unbegun.sum::<usize>()
            + self.queries.iter().map(Asked::bytes).sum::<usize>()
    }

    /// Whether this much more may wait. What finds nothing waiting is always taken: one message is bounded by itself.
    fn has_room_for(&self, bytes: usize) -> bool {
        let queued = self.queued_bytes();
        queued == 0 || queued + bytes <= self.rules.queued_bytes
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
        let input = self.asking.and_then(|run| self.active.get(&run)?.patience.until());
        let runs = self.active.values().filter_map(|run| match run.stop {
            Some(stop) => self.kill_at(run, stop),
            None => [run.clock.until(), run.begin().and_then(RunClock::until)].into_iter().flatten().min(),
        });
        runs.chain([phase, engine, input].into_iter().flatten()).min()
    }

    /// Since when this session's lease has been idle; `None` while it is in use or there is none.
    pub fn idle_since(&self) -> Option<Instant> {
        let idle = self.active.is_empty() && self.waiting.is_empty() && matches!(self.engine, Engine::Up { .. });
        idle.then_some(self.idle_since)
    }

    /// A run is being stopped, or is to begin: what the worker says must be read even when the client reads slowly, because a clock
    /// is running against the worker. It is little: what the console's caps let through of one turn at most.
    pub fn must_hear_worker(&self) -> bool {
        self.active.values().any(|run| run.stop.is_some() || run.begin().is_some())
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

    /// A clock that begins now, or as soon as the prompt that waits is answered.
    fn clock(limit: Duration, asks: bool, now: Instant) -> RunClock {
        if asks { RunClock::paused(limit) } else { RunClock::start(limit, now) }
    }

    fn foreground(&self) -> Option<RunId> {
        self.active.iter().find(|(_, run)| run.stage != Stage::Background).map(|(id, _)| *id)
    }

    fn started_in(fresh: bool) -> StartedIn {
        if fresh { StartedIn::Fresh } else { StartedIn::Kept }
    }

    fn ended_in(replaced: bool) -> EndedIn {
        if replaced { EndedIn::Replaced } else { EndedIn::Kept }
    }
}
