//! What the engine's callbacks and the loop around the engine share: the socket, the runs, the timers, and the one decision that
//! matters most, whether the current turn must stop.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::console::Batch;
use super::exit::{self, Exit};
use super::references::References;
use super::rejections::Rejections;
use super::runs::Runs;
use super::source::Sources;
use super::timers::Timers;
use super::tools::Tools;
use super::web::Web;
use super::wire::Wire;
use crate::clock::RunClock;
use crate::ids::{QueryId, RunId};
use crate::ipc::{HostMessage, PATIENT_GRACE, RunEnd, Settings, WorkerMessage};
use crate::outcome::{Outcome, StopReason, Usage};
use crate::sandbox::{HeapGauge, KernelTimer};

/// How old the last look at the socket may be. A look is a system call, and the engine asks several times as often.
const LOOK_EVERY: Duration = Duration::from_micros(100);

/// How much later than the grace the kernel acts, so that a turn that still asks can leave by an exit code that says why.
const KERNEL_SLACK: Duration = Duration::from_millis(5);

/// One stretch of JavaScript: a run's code, or one timer callback, with its microtasks.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    pub run: RunId,
    /// Until it is interrupted.
    pub clock: RunClock,
    /// From its interrupt to the end of the process.
    pub grace: Duration,
}

/// Why the current turn must stop. Once there is a reason it stays until the turn is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The run whose turn it is ends, and so does any other run that has been marked.
    Run(StopReason),
    /// A `Prepare` has come: everything ends, and nobody wants to know how.
    Prepare,
}

/// Shared by everything that runs on the worker's one thread.
pub struct Host {
    pub wire: Wire,
    pub settings: RefCell<Settings>,
    pub runs: RefCell<Runs>,
    pub timers: RefCell<Timers>,
    pub batch: RefCell<Batch>,
    pub rejections: RefCell<Rejections>,
    pub references: RefCell<References>,
    pub tools: RefCell<Option<Tools>>,
    pub sources: Sources,
    pub web: Web,
    pub gauge: RefCell<Rc<HeapGauge>>,
    inbox: RefCell<VecDeque<HostMessage>>,
    /// An interrupt has left the engine unfit: the runs that end now, and the session with them, lose it.
    pub engine_unfit: Cell<bool>,
    kernel_timer: RefCell<KernelTimer>,
    turn: Cell<Option<Turn>>,
    stop: Cell<Option<(Stop, Instant)>>,
    /// The last of the questions in the inbox that nobody wants answered any more.
    cancelled: Cell<Option<QueryId>>,
    preparing: Cell<bool>,
    polls: Cell<u64>,
}

impl Host {
    pub fn new(settings: Settings) -> Rc<Host> {
        Rc::new(Host {
            wire: Wire::new(),
            settings: RefCell::new(settings),
            runs: RefCell::default(),
            timers: RefCell::default(),
            batch: RefCell::default(),
            rejections: RefCell::default(),
            references: RefCell::default(),
            tools: RefCell::default(),
            sources: Sources::default(),
            web: Web::default(),
            gauge: RefCell::default(),
            inbox: RefCell::default(),
            engine_unfit: Cell::default(),
            kernel_timer: RefCell::default(),
            turn: Cell::default(),
            stop: Cell::default(),
            cancelled: Cell::default(),
            preparing: Cell::default(),
            polls: Cell::default(),
        })
    }

    /// How long a turn of a script's code may go on after its interrupt.
    pub fn grace(&self) -> Duration {
        Duration::from_millis(self.settings.borrow().kill_grace_ms)
    }

    pub fn turn(&self) -> Option<Turn> {
        self.turn.get()
    }

    /// The current turn, where it is one of a run: a question's belongs to none, and may neither ask nor leave timers behind.
    pub fn turn_of_run(&self) -> Option<Turn> {
        self.turn().filter(|turn| self.runs.borrow().get(turn.run).is_some())
    }

    /// How often the engine has asked whether it should stop, since the last call.
    pub fn take_polls(&self) -> u64 {
        self.polls.replace(0)
    }

    // The current turn.

    /// Begins a turn: from here on [`Host::must_stop`] speaks about it, and the kernel stands behind that.
    pub fn begin_turn(&self, turn: Turn, now: Instant) {
        self.turn.set(Some(turn));
        self.stop.set(None);
        self.arm_kernel_timer(turn.clock.left(now));
    }

    /// Gives the current turn this time from now on, unless it has to stop already.
    pub fn go_on_for(&self, left: Duration, now: Instant) {
        let Some(turn) = self.turn.get().filter(|_| self.stopped().is_none()) else { return };
        self.turn.set(Some(Turn { clock: RunClock::start(left, now), ..turn }));
        self.arm_kernel_timer(left);
    }

    /// Ends the turn and says whether it had been stopped.
    pub fn end_turn(&self) -> Option<Stop> {
        self.disarm_kernel_timer();
        self.turn.set(None);
        self.gauge.borrow().set_host_room(false);
        self.stop.take().map(|(stop, _)| stop)
    }

    /// Whether the current turn has a reason to stop, without looking for a new one.
    pub fn stopped(&self) -> Option<Stop> {
        self.stop.get().map(|(stop, _)| stop)
    }

    /// The engine's interrupt handler.
    pub fn poll(&self) -> bool {
        self.polls.set(self.polls.get() + 1);
        self.must_stop()
    }

    /// Whether the current turn must stop: looks at the clock and, not too often, at the socket. Stays true for the rest of the
    /// turn. A turn that goes on asking for longer than the grace is one that swallows interrupts, and ends the process.
    pub fn must_stop(&self) -> bool {
        let now = Instant::now();
        if let Some((_, since)) = self.stop.get() {
            if now.saturating_duration_since(since) > self.turn_grace() {
                exit::now(Exit::Stuck);
            }
            return true;
        }
        let Some(turn) = self.turn.get() else { return false };
        if turn.clock.is_over(now) {
            self.note_passed_deadlines(now);
            self.stop_turn(Stop::Run(StopReason::Deadline), now);
        } else if self.wire.last_read().is_none_or(|last| now.saturating_duration_since(last) >= LOOK_EVERY) {
            self.receive(now);
            self.flush_console_if_old(now);
        }
        self.stop.get().is_some()
    }

    /// A prompt of the current turn waits: the whole engine waits with it, and no clock goes on but that of the run's patience.
    /// Returns when that is over; `None` where it has been for long, or nobody's turn it is.
    pub fn pause_clocks(&self, now: Instant) -> Option<Instant> {
        let mut turn = self.turn.get()?;
        let mut runs = self.runs.borrow_mut();
        let run = runs.get_mut(turn.run).filter(|run| !run.patience.is_over(now))?;
        run.patience.resume(now);
        let until = run.patience.until();
        runs.iter_mut().for_each(|(_, run)| run.clock.pause(now));
        turn.clock.pause(now);
        self.turn.set(Some(turn));
        self.disarm_kernel_timer();
        until
    }

    /// The prompt is over.
    pub fn resume_clocks(&self, now: Instant) {
        let Some(mut turn) = self.turn.get() else { return };
        let mut runs = self.runs.borrow_mut();
        if let Some(run) = runs.get_mut(turn.run) {
            run.patience.pause(now);
        }
        runs.iter_mut().for_each(|(_, run)| run.clock.resume(now));
        turn.clock.resume(now);
        self.turn.set(Some(turn));
        self.arm_kernel_timer(turn.clock.left(now));
    }

    /// Does work that asks whether it must stop, and does stop then. Only a machine that is busy elsewhere can keep it from that, so the
    /// kernel waits for longer than it would for a script.
    pub fn with_patience<T>(&self, work: impl FnOnce() -> T) -> T {
        let Some(Turn { grace, .. }) = self.turn.get() else { return work() };
        self.set_grace(grace.max(PATIENT_GRACE));
        let done = work();
        self.set_grace(grace);
        done
    }

    fn set_grace(&self, grace: Duration) {
        let (Some(turn), now) = (self.turn.get(), Instant::now()) else { return };
        self.turn.set(Some(Turn { grace, ..turn }));
        // What has been stopped meanwhile has its grace from here on.
        let stop = self.stop.get().map(|(stop, _)| (stop, now));
        self.stop.set(stop);
        self.arm_kernel_timer(if stop.is_some() { Duration::ZERO } else { turn.clock.left(now) });
    }

    pub fn arm_kernel_timer(&self, left: Duration) {
        self.kernel_timer.borrow_mut().arm(left + self.turn_grace() + KERNEL_SLACK);
    }

    fn turn_grace(&self) -> Duration {
        self.turn.get().map_or_else(|| self.grace(), |turn| turn.grace)
    }

    pub fn disarm_kernel_timer(&self) {
        self.kernel_timer.borrow_mut().disarm();
    }

    fn stop_turn(&self, stop: Stop, now: Instant) {
        if self.turn.get().is_some() && self.stop.get().is_none() {
            self.stop.set(Some((stop, now)));
            // A loop that never asks has only the grace from here, whatever its deadline was.
            self.arm_kernel_timer(Duration::ZERO);
            // A full heap has no room for the interrupt's own error, and what is thrown instead can be caught.
            self.gauge.borrow().set_host_room(true);
        }
    }

    /// Marks the runs whose own deadline has passed.
    pub fn note_passed_deadlines(&self, now: Instant) {
        for (_, run) in self.runs.borrow_mut().iter_mut() {
            if run.clock.is_over(now) {
                run.stop.get_or_insert(StopReason::Deadline);
            }
        }
    }

    // Frames in.

    /// Takes what the server has sent. Interrupts act at once; everything else waits in the order of its arrival.
    pub fn receive(&self, now: Instant) {
        let mut arrived = VecDeque::new();
        self.wire.read_into(&mut arrived, now);
        self.wire.flush();
        for message in arrived {
            match message {
                HostMessage::Interrupt { run, reason } => self.interrupt(run, reason, now),
                HostMessage::Prepare { .. } => {
                    self.preparing.set(true);
                    self.stop_turn(Stop::Prepare, now);
                    // What waits belongs to the engine that is about to go.
                    self.inbox.borrow_mut().clear();
                    self.inbox.borrow_mut().push_back(message);
                }
                HostMessage::Run(_) | HostMessage::InputAnswer { .. } | HostMessage::Query { .. } => {
                    self.inbox.borrow_mut().push_back(message)
                }
            }
        }
    }

    pub fn next_message(&self) -> Option<HostMessage> {
        self.inbox.borrow_mut().pop_front()
    }

    /// Takes the answer for a prompt of `run` out of the inbox, if it is there.
    pub fn take_answer(&self, run: RunId) -> Option<Option<String>> {
        let mut inbox = self.inbox.borrow_mut();
        let position = inbox
            .iter()
            .position(|message| matches!(message, HostMessage::InputAnswer { run: of, .. } if *of == run))?;
        match inbox.remove(position) {
            Some(HostMessage::InputAnswer { text, .. }) => Some(text),
            _ => None,
        }
    }

    /// From now on the engine that a `Prepare` has asked for is being built.
    pub fn prepared(&self) {
        self.preparing.set(false);
        self.cancelled.set(None);
    }

    /// Whether this question was cancelled while its frame was still waiting.
    pub fn is_cancelled(&self, question: QueryId) -> bool {
        let last = self.cancelled.get();
        if last == Some(question) {
            self.cancelled.set(None);
        }
        last.is_some()
    }

    fn interrupt(&self, target: Option<RunId>, reason: StopReason, now: Instant) {
        let hit = |run: RunId| target.is_none_or(|target| target == run);
        let is_hit = |message: &HostMessage| matches!(message, HostMessage::Run(request) if hit(request.run));
        let waiting = self.inbox.borrow().iter().position(is_hit);
        if let Some(HostMessage::Run(request)) = waiting.and_then(|at| self.inbox.borrow_mut().remove(at)) {
            self.end_unstarted(request.run, reason.outcome());
        }
        if target.is_none() {
            let last = self.inbox.borrow().iter().rev().find_map(|message| match message {
                HostMessage::Query { id, .. } => Some(*id),
                _ => None,
            });
            self.cancelled.set(last.or(self.cancelled.get()));
        }
        let turn = self.turn.get().map(|turn| turn.run);
        let mut to_bury = Vec::new();
        for (id, run) in self.runs.borrow_mut().iter_mut() {
            if !hit(id) {
                continue;
            }
            run.stop.get_or_insert(reason);
            if !run.is_foreground() && turn != Some(id) {
                to_bury.push(id);
            }
        }
        for id in to_bury {
            self.settle(id, None);
        }
        let foreground = self.runs.borrow().foreground();
        // Whoever means the foreground means whatever keeps it from going on.
        if turn.is_some_and(hit) || foreground.is_some_and(hit) {
            self.stop_turn(Stop::Run(reason), now);
        }
    }

    // Frames out.

    /// Sends a frame about a run, unless the server has already asked for a fresh engine and does not want to know.
    pub fn send(&self, message: &WorkerMessage) {
        if !self.preparing.get() {
            self.wire.send(message);
        }
    }

    /// Blocks until everything is sent. The server reads, or ends this process.
    pub fn flush_all(&self) {
        while !self.wire.is_flushed() {
            self.wire.wait(None);
            self.receive(Instant::now());
        }
    }

    pub fn heap_bytes(&self) -> u64 {
        self.gauge.borrow().used() as u64
    }

    /// Ends the foreground run with its one `Done`. Its timers have been counted or dropped by now.
    pub fn send_done(&self, mut end: RunEnd, now: Instant) {
        let id = end.run;
        self.flush_console_of(id);
        let background_timeout = Duration::from_millis(self.settings.borrow().background_timeout_ms);
        let heap = self.heap_bytes();
        {
            let mut runs = self.runs.borrow_mut();
            let Some(run) = runs.get_mut(id) else { return };
            end.background = run.timers;
            end.usage = run.take_usage(now, heap);
            if end.background > 0 {
                runs.move_to_background(id, RunClock::start(background_timeout, now));
            } else {
                runs.remove(id);
                // Those that keep no run alive.
                self.timers.borrow_mut().bury(id);
            }
        }
        self.send(&WorkerMessage::Done(Box::new(end)));
    }

    /// Ends a run that has not begun. It need not wait for what keeps it from that, which may take longer than the server's patience.
    fn end_unstarted(&self, run: RunId, outcome: Outcome) {
        let usage = Usage::default();
        let end = RunEnd { run, outcome, value: None, error: None, usage, background: 0, engine_replaced: false };
        self.send(&WorkerMessage::Done(Box::new(end)));
    }

    /// Ends a background run with its one `Settled`: its timers are taken away, to be dropped when no JavaScript is running.
    /// Touches no JavaScript, so that it can be done while some is. `outcome` stands for the run's own, where another run has decided
    /// it.
    pub fn settle(&self, id: RunId, outcome: Option<Outcome>) {
        self.timers.borrow_mut().bury(id);
        self.flush_console_of(id);
        let Some(mut run) = self.runs.borrow_mut().remove(id) else { return };
        let usage = run.take_usage(Instant::now(), self.heap_bytes());
        let error = match run.phase {
            super::runs::Phase::Foreground => None,
            super::runs::Phase::Background { error } => error,
        };
        let outcome = outcome.unwrap_or(match (run.stop, &error) {
            (Some(reason), _) => reason.outcome(),
            (None, Some(_)) => Outcome::Error,
            (None, None) => Outcome::Ok,
        });
        self.send(&WorkerMessage::Settled { run: id, outcome, error, usage, engine_replaced: self.engine_unfit.get() });
    }
}
