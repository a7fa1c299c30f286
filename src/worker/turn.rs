//! One turn: a stretch of JavaScript with all its microtasks, and what comes of it.

use std::time::{Duration, Instant};

use rquickjs::object::Property;
use rquickjs::{Ctx, Persistent, Promise, Value};
use rustix::time::{ClockId, clock_gettime};

use super::event_loop::{Awaiting, Worker};
use super::host::{Host, Stop, Turn};
use super::runs::Phase;
use super::source::{self, Completion, Failure, Unwrap};
use super::timers::Timer;
use super::{errors, inspect};
use crate::clock::RunClock;
use crate::ids::RunId;
use crate::ipc::{ErrorInfo, RunRequest, ValueInfo};
use crate::outcome::{Outcome, StopReason};
use crate::sandbox;

/// Uncaught errors of one turn's jobs that are reported. A flood of them is one mistake.
const MOST_UNCAUGHT: usize = 100;

/// The part of the heap that must be free for another run: a 64th, 1 MiB of 64.
const LEAST_FREE_HEAP: u64 = 64;

type Kept = Persistent<Value<'static>>;

/// What the foreground's value has come to.
enum Verdict {
    /// Nothing yet, or nothing was asked.
    Pending,
    Value(ValueInfo),
    Thrown {
        error: ErrorInfo,
        out_of_memory: bool,
    },
}

/// What a run's code has come to in its first stretch.
enum Evaluated {
    Value(Kept),
    Promise(Kept, Unwrap),
    Thrown(Kept),
    /// The parser did not take it.
    Refused(ErrorInfo),
    /// Its `input` could not be had: why not. The code has not run.
    WithoutInput(Kept),
}

/// Whether an uncaught error was thrown, or is the reason of a promise that nobody listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Uncaught {
    Thrown,
    Rejected,
}

impl Worker {
    /// The first turn of a run: its code.
    pub(super) fn run_turn(&mut self, request: &RunRequest) {
        let run = request.run;
        // What earlier runs have shown is in this one's way.
        if self.host.is_heap_needed() {
            self.host.forget_references();
        }
        let cpu = self.begin_foreground_turn(run);
        let input_was_set = std::mem::replace(&mut self.input_is_set, request.input.is_some());
        let Some(engine) = &self.engine else { return };
        let host = &self.host;
        let completed = engine.context.with(|ctx| {
            if let Err(thrown) = set_input(&ctx, request.input.as_deref(), input_was_set) {
                return Evaluated::WithoutInput(Persistent::save(&ctx, thrown));
            }
            match source::evaluate(&ctx, host, request) {
                Ok(Completion::Value(value)) => Evaluated::Value(Persistent::save(&ctx, value)),
                Ok(Completion::Promise(promise, unwrap)) => {
                    Evaluated::Promise(Persistent::save(&ctx, promise.into_value()), unwrap)
                }
                Err(Failure::Thrown(thrown)) => Evaluated::Thrown(Persistent::save(&ctx, thrown)),
                Err(Failure::Syntax(error)) => Evaluated::Refused(error),
            }
        });
        let awaited = match &completed {
            Evaluated::Promise(promise, _) => Some(promise),
            Evaluated::Value(_) | Evaluated::Thrown(_) | Evaluated::Refused(_) | Evaluated::WithoutInput(_) => None,
        };
        self.drain_jobs(run, awaited);
        let verdict = match completed {
            Evaluated::Promise(promise, unwrap) => {
                self.awaiting = Some(Awaiting { run, promise, unwrap });
                self.verdict_of_promise()
            }
            Evaluated::Value(value) => self.verdict_of(Ok(value), run),
            Evaluated::Thrown(thrown) => self.verdict_of(Err(thrown), run),
            Evaluated::WithoutInput(thrown) => {
                self.input_is_set = false;
                self.verdict_without_input(thrown, run)
            }
            Evaluated::Refused(error) => Some(Verdict::Thrown { error, out_of_memory: false }),
        };
        self.end_turn(run, cpu, verdict);
    }

    /// A turn in which the foreground's settled promise is looked at, after some other turn has settled it.
    pub(super) fn conclude_if_settled(&mut self) -> bool {
        let (Some(awaiting), Some(engine)) = (&self.awaiting, &self.engine) else { return false };
        let run = awaiting.run;
        let pending = engine.context.with(|ctx| {
            promise_of(&ctx, &awaiting.promise)
                .is_some_and(|promise| promise.state() == rquickjs::promise::PromiseState::Pending)
        });
        if pending {
            return false;
        }
        let cpu = self.begin_foreground_turn(run);
        let verdict = self.verdict_of_promise();
        self.end_turn(run, cpu, verdict);
        true
    }

    /// A turn of the foreground run's, where something else has left microtasks.
    pub(super) fn jobs_turn(&mut self, run: RunId) {
        if !self.engine.as_ref().is_some_and(|engine| engine.runtime.is_job_pending()) {
            return;
        }
        let cpu = self.begin_foreground_turn(run);
        let awaited = self.awaiting.as_ref().map(|awaiting| awaiting.promise.clone());
        self.drain_jobs(run, awaited.as_ref());
        drop(awaited);
        self.end_turn(run, cpu, Some(Verdict::Pending));
    }

    /// The turn of a timer that is due.
    pub(super) fn timer_turn(&mut self, timer: Timer) {
        let now = Instant::now();
        let run = timer.run;
        let left = {
            let mut runs = self.host.runs.borrow_mut();
            let foreground = runs.foreground().and_then(|id| runs.get(id)).map(|run| run.clock.left(now));
            let Some(run) = runs.get_mut(run) else { return };
            if timer.holds_run() && !timer.repeats() {
                run.timers = run.timers.saturating_sub(1);
            }
            foreground.into_iter().fold(run.turn_time(now), Duration::min)
        };
        let cpu = self.begin_turn(run, left, now);
        let Some(engine) = &self.engine else { return };
        let thrown = engine.context.with(|ctx| match timer.fire(&ctx) {
            Ok(()) => None,
            Err(_) => Some(Persistent::save(&ctx, ctx.catch())),
        });
        if let Some(thrown) = thrown
            && self.host.stopped().is_none()
        {
            self.report_uncaught(run, thrown, Uncaught::Thrown);
        }
        let payer = self.hand_over(run, cpu);
        let cpu = thread_cpu();
        let awaited = self.awaiting.as_ref().map(|awaiting| awaiting.promise.clone());
        self.drain_jobs(run, awaited.as_ref());
        drop(awaited);
        self.bill(payer, cpu);
        let stopped = self.host.stopped().is_some();
        let repeats = timer.repeats();
        let over =
            if stopped { Some(timer) } else { self.host.timers.borrow_mut().after_firing(timer, Instant::now()) };
        if repeats
            && over.is_some()
            && let Some(run) = self.host.runs.borrow_mut().get_mut(run)
        {
            run.timers = run.timers.saturating_sub(1);
        }
        drop(over);
        self.end_turn(run, thread_cpu(), Some(Verdict::Pending));
    }

    /// Ends the part of a timer's turn that is certainly its own run's, and says whose the rest is. Where a run in the foreground waits,
    /// the timer may have settled what it waits for: the jobs are then that run's code, and have its time rather than what is left to
    /// the other.
    fn hand_over(&self, run: RunId, cpu: Duration) -> RunId {
        self.bill(run, cpu);
        let (now, runs) = (Instant::now(), self.host.runs.borrow());
        let Some(foreground) = runs.foreground().filter(|foreground| *foreground != run) else { return run };
        let left = runs.get(foreground).map_or(Duration::ZERO, |run| run.clock.left(now));
        drop(runs);
        self.host.go_on_for(left, now);
        foreground
    }

    /// Counts what was computed since then, and returns it.
    fn bill(&self, run: RunId, since: Duration) -> Duration {
        let cpu = thread_cpu().saturating_sub(since);
        if let Some(run) = self.host.runs.borrow_mut().get_mut(run) {
            run.add_cpu(cpu);
        }
        cpu
    }

    /// A turn of the foreground run has what is left of its time.
    fn begin_foreground_turn(&self, run: RunId) -> Duration {
        let now = Instant::now();
        let left = self.host.runs.borrow().get(run).map_or(Duration::ZERO, |run| run.clock.left(now));
        self.begin_turn(run, left, now)
    }

    fn begin_turn(&self, run: RunId, time: Duration, now: Instant) -> Duration {
        self.begin(Turn { run, clock: RunClock::start(time, now), grace: self.host.grace() }, now)
    }

    pub(super) fn begin(&self, turn: Turn, now: Instant) -> Duration {
        self.host.begin_turn(turn, now);
        self.host.gauge.borrow().take_refused();
        thread_cpu()
    }

    /// Runs the microtasks until there are none or the turn must stop, and reports what nobody has caught. The promise that
    /// decides the foreground is not among that: its rejection is the run's own error.
    pub(super) fn drain_jobs(&self, run: RunId, awaited: Option<&Kept>) {
        let Some(engine) = &self.engine else { return };
        let mut reported = 0;
        while !self.host.must_stop() {
            match engine.runtime.execute_pending_job() {
                Ok(true) => {}
                Ok(false) => break,
                Err(job) => {
                    let thrown = job.0.with(|ctx| Persistent::save(&ctx, ctx.catch()));
                    if self.host.stopped().is_none() && reported < MOST_UNCAUGHT {
                        reported += 1;
                        self.report_uncaught(run, thrown, Uncaught::Thrown);
                    }
                }
            }
        }
        if let Some(awaited) = awaited {
            let forgotten = self.host.rejections.borrow_mut().forget(awaited);
            drop(forgotten);
        }
        let reasons = self.host.rejections.borrow_mut().take();
        for reason in reasons {
            if self.host.must_stop() {
                break;
            }
            self.report_uncaught(run, reason, Uncaught::Rejected);
        }
    }

    fn report_uncaught(&self, run: RunId, thrown: Kept, how: Uncaught) {
        let Some(engine) = &self.engine else { return };
        self.host.gauge.borrow().set_host_room(true);
        let error = engine.context.with(|ctx| {
            let thrown = thrown.restore(&ctx).ok()?;
            let error = errors::error_info(&ctx, &self.host, &thrown, run);
            clear_exception(&ctx);
            error.ok()
        });
        self.host.gauge.borrow().set_host_room(self.host.stopped().is_some());
        let Some(error) = error else { return };
        let lead = match how {
            Uncaught::Thrown => "Uncaught",
            Uncaught::Rejected => "Uncaught (in promise)",
        };
        self.host.print_uncaught(run, format!("{lead} {}", error.stack));
        if let Some(run) = self.host.runs.borrow_mut().get_mut(run)
            && let Phase::Background { error: first } = &mut run.phase
        {
            first.get_or_insert(error);
        }
    }

    fn verdict_of_promise(&self) -> Option<Verdict> {
        let (awaiting, engine) = (self.awaiting.as_ref()?, self.engine.as_ref()?);
        if self.host.stopped().is_some() {
            return None;
        }
        let settled = engine.context.with(|ctx| {
            let promise = promise_of(&ctx, &awaiting.promise)?;
            let settled = source::settled(&ctx, &self.host, &promise, awaiting.unwrap).ok()?;
            Some(settled.map(|settled| match settled {
                Ok(value) => Ok(Persistent::save(&ctx, value)),
                Err(thrown) => Err(Persistent::save(&ctx, thrown)),
            }))
        })?;
        match settled {
            None => Some(Verdict::Pending),
            Some(settled) => self.verdict_of(settled, awaiting.run),
        }
    }

    /// Looks at a value or a thrown error. `None` when the turn must stop, or the engine cannot even do that.
    fn verdict_of(&self, completed: Result<Kept, Kept>, run: RunId) -> Option<Verdict> {
        if self.host.stopped().is_some() {
            return None;
        }
        let refused = self.host.gauge.borrow().take_refused();
        self.host.gauge.borrow().set_host_room(true);
        self.engine.as_ref()?.context.with(|ctx| {
            let verdict = match completed {
                Ok(value) => {
                    let value = value.restore(&ctx).ok()?;
                    source::finish(&ctx, &self.host, Ok(&value));
                    inspect::value_info(&ctx, &self.host, &value).map(Verdict::Value)
                }
                Err(thrown) => {
                    let thrown = thrown.restore(&ctx).ok()?;
                    source::finish(&ctx, &self.host, Err(&thrown));
                    errors::error_info(&ctx, &self.host, &thrown, run).map(|error| {
                        let out_of_memory = refused && is_out_of_memory(&thrown, &error);
                        Verdict::Thrown { error, out_of_memory }
                    })
                }
            };
            clear_exception(&ctx);
            verdict.ok()
        })
    }

    /// What becomes of a run whose `input` the engine could not make.
    fn verdict_without_input(&self, thrown: Kept, run: RunId) -> Option<Verdict> {
        match self.verdict_of(Err(thrown), run)? {
            Verdict::Thrown { error, out_of_memory: false } => {
                let message = format!("The input cannot be had: {}", error.message);
                let stack = format!("{}: {message}", error.name);
                let error = ErrorInfo { message, stack, line: None, column: None, frames: Vec::new(), ..error };
                Some(Verdict::Thrown { error, out_of_memory: false })
            }
            verdict => Some(verdict),
        }
    }

    /// Closes the turn and acts on what came of it.
    fn end_turn(&mut self, run: RunId, cpu: Duration, verdict: Option<Verdict>) {
        let refused = self.host.gauge.borrow().take_refused();
        let stop = self.host.end_turn();
        if self.bill(run, cpu) >= DEEP_CPU {
            sandbox::return_stack();
        }
        match (stop, verdict) {
            (Some(Stop::Prepare), _) => {}
            (Some(Stop::Run(reason)), _) => {
                self.end_interrupted_turn(run, reason);
            }
            (None, Some(Verdict::Value(value))) => self.finish(run, Outcome::Ok, Some(value), None),
            (None, Some(Verdict::Thrown { error, out_of_memory })) => {
                let outcome = if out_of_memory { Outcome::Memory } else { Outcome::Error };
                self.finish(run, outcome, None, Some(error));
            }
            (None, Some(Verdict::Pending)) => {}
            // The heap is so full that not even the host's room was enough to say what happened.
            (None, None) => self.finish(run, if refused { Outcome::Memory } else { Outcome::Error }, None, None),
        }
    }

    /// Ends the foreground run. Where what it leaves in the heap has no room for another run beside it, the engine goes too: else
    /// every run from now on would end for want of memory, even the one that wants to tidy up.
    fn finish(&mut self, run: RunId, outcome: Outcome, value: Option<ValueInfo>, error: Option<ErrorInfo>) {
        if !self.is_exhausted() {
            return self.done(run, outcome, value, error);
        }
        self.host.bury_timers(run);
        self.host.engine_unfit.set(true);
        self.done(run, outcome, value, error);
        let others = self.host.runs.borrow().ids();
        for other in others {
            self.host.settle(other, Some(Outcome::Memory));
        }
        self.rebuild();
    }

    /// Whether the heap stays nearly full after everything that nobody can reach any more is gone.
    fn is_exhausted(&self) -> bool {
        let Some(engine) = &self.engine else { return false };
        let limit = self.host.settings.borrow().heap_bytes;
        let most = limit - limit / LEAST_FREE_HEAP;
        if self.host.heap_bytes() <= most {
            return false;
        }
        // What is only kept to be looked at is nobody's fault.
        self.host.forget_references();
        engine.runtime.run_gc();
        self.host.heap_bytes() > most
    }

    /// Ends the run whose turn was interrupted, and every other that was meant. Where the interrupt has left jobs, the engine
    /// goes: there is no way to drop them one by one, and running them would run the script beyond its end. (A stack limit of
    /// nothing keeps new calls from starting, but not suspended async functions from going on.) Says whether it went.
    pub(super) fn end_interrupted_turn(&mut self, run: RunId, reason: StopReason) -> bool {
        let rejections = self.host.rejections.borrow_mut().take();
        drop(rejections);
        let fit = self.engine.as_ref().is_some_and(super::engine::Engine::is_fit);
        for (id, other) in self.host.runs.borrow_mut().iter_mut() {
            if id == run || !fit {
                other.stop.get_or_insert(reason);
            }
        }
        self.host.engine_unfit.set(!fit);
        self.end_stopped_runs();
        if !fit {
            self.rebuild();
        }
        !fit
    }
}

fn promise_of<'js>(ctx: &Ctx<'js>, kept: &Kept) -> Option<Promise<'js>> {
    Promise::from_value(kept.clone().restore(ctx).ok()?).ok()
}

pub(super) fn clear_exception(ctx: &Ctx<'_>) {
    while ctx.has_exception() {
        ctx.catch();
    }
}

/// Defines the global `input`, or takes the last run's away: that one is gone first, so that no run ever sees another's. What
/// kept the new one from being defined comes back.
fn set_input<'js>(ctx: &Ctx<'js>, input: Option<&str>, was_set: bool) -> Result<(), Value<'js>> {
    let globals = ctx.globals();
    if was_set && globals.remove("input").is_err() {
        // A script has made it its own for good.
        clear_exception(ctx);
    }
    let Some(json) = input else { return Ok(()) };
    ctx.json_parse(json)
        .and_then(|value| globals.prop("input", Property::from(value).writable().configurable().enumerable()))
        .map_err(|_| ctx.catch())
}

/// Whether a thrown value is what the engine throws when the heap is full: its own error, or null where there was no room for one.
fn is_out_of_memory(thrown: &Value<'_>, error: &ErrorInfo) -> bool {
    // The engine's error of that name, the one it makes where there is no room even for that name, or nothing at all.
    let messages = ["out of memory", "Invalid error message"];
    thrown.is_null() || (error.name == "InternalError" && messages.contains(&error.message.as_str()))
}

/// Processor time below which a turn cannot have descended so deep that its stack is worth giving back.
const DEEP_CPU: Duration = Duration::from_micros(100);

/// What this thread has cost so far.
pub(super) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

impl Host {
    /// Takes away the timers of a foreground run that ends before its time.
    pub fn bury_timers(&self, run: RunId) {
        self.timers.borrow_mut().bury(run);
        if let Some(run) = self.runs.borrow_mut().get_mut(run) {
            run.timers = 0;
        }
    }
}
