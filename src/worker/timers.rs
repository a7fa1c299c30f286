//! `setTimeout` and its relatives.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rquickjs::function::{Opt, Rest};
use rquickjs::{Ctx, Exception, Function, Persistent, Result, Value};

use super::host::Host;
use crate::ids::RunId;

/// The longest delay, as in browsers: the largest that fits 32 bits with a sign. A longer one fires at once.
const MAX_DELAY_MS: f64 = 2_147_483_647.0;

/// The shortest delay, as in Node.
const MIN_DELAY_MS: f64 = 1.0;

/// One timer. Holds values of the engine and must be dropped before it.
pub struct Timer {
    pub run: RunId,
    id: u32,
    callback: Persistent<Function<'static>>,
    arguments: Vec<Persistent<Value<'static>>>,
    /// Between two calls of an interval; `None` for a timer that fires once.
    every: Option<Duration>,
    holds: Holds,
}

/// What a timer keeps going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Its run goes on in the background until it has fired.
    Run,
    /// Nothing: it fires as long as its run goes on for other reasons.
    Nothing,
}

/// When a timer is due. Timers of the same instant fire in the order in which they were set.
type Due = (Instant, u64);

/// The engine's live timers.
#[derive(Default)]
pub struct Timers {
    queue: BTreeMap<Due, Timer>,
    by_id: BTreeMap<u32, Due>,
    /// The interval whose callback is running: it is in no queue, but it can be cleared.
    firing: Option<u32>,
    last_id: u32,
    last_sequence: u64,
    /// Timers of runs that were ended while JavaScript was running. Dropped when none is.
    graveyard: Vec<Timer>,
}

impl Timers {
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.queue.first_key_value().map(|((due, _), _)| *due)
    }

    /// Takes the first timer that is due.
    pub fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        if self.next_due()? > now {
            return None;
        }
        let (_, timer) = self.queue.pop_first()?;
        self.by_id.remove(&timer.id);
        self.firing = timer.every.map(|_| timer.id);
        Some(timer)
    }

    /// Queues an interval again after its callback, unless the callback has cleared it. What is not queued is handed back, to be
    /// dropped outside of the borrow.
    pub fn after_firing(&mut self, timer: Timer, now: Instant) -> Option<Timer> {
        let cleared = self.firing.take() != Some(timer.id);
        match timer.every {
            Some(every) if !cleared => {
                self.insert(now + every, timer);
                None
            }
            _ => Some(timer),
        }
    }

    /// Takes away all timers of a run, without dropping them. Returns how many there were.
    pub fn bury(&mut self, run: RunId) -> usize {
        let before = self.queue.len();
        let dues: Vec<Due> = self.queue.iter().filter(|(_, timer)| timer.run == run).map(|(due, _)| *due).collect();
        for due in dues {
            if let Some(timer) = self.queue.remove(&due) {
                self.by_id.remove(&timer.id);
                self.graveyard.push(timer);
            }
        }
        before - self.queue.len()
    }

    /// Hands over the buried timers, to be dropped while no JavaScript is running and nothing is borrowed.
    pub fn take_graveyard(&mut self) -> Vec<Timer> {
        std::mem::take(&mut self.graveyard)
    }

    /// Hands over everything, for the end of the engine.
    pub fn take_all(&mut self) -> Timers {
        std::mem::take(self)
    }

    fn insert(&mut self, due: Instant, timer: Timer) {
        self.last_sequence += 1;
        let due = (due, self.last_sequence);
        self.by_id.insert(timer.id, due);
        self.queue.insert(due, timer);
    }

    fn clear(&mut self, id: u32) -> Option<Timer> {
        if self.firing == Some(id) {
            self.firing = None;
        }
        let due = self.by_id.remove(&id)?;
        self.queue.remove(&due)
    }
}

impl Timer {
    /// Whether it is an interval.
    pub fn repeats(&self) -> bool {
        self.every.is_some()
    }

    /// Whether its run counts it.
    pub fn holds_run(&self) -> bool {
        self.holds == Holds::Run
    }

    /// Calls the callback.
    pub fn fire(&self, ctx: &Ctx<'_>) -> Result<()> {
        let callback = self.callback.clone().restore(ctx)?;
        let arguments: Vec<Value> =
            self.arguments.iter().map(|argument| argument.clone().restore(ctx)).collect::<Result<_>>()?;
        callback.call::<_, Value>((Rest(arguments),)).map(drop)
    }
}

/// Puts the timer functions on the global object.
pub fn install<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> Result<()> {
    for (name, repeats) in [("setTimeout", false), ("setInterval", true)] {
        let host = Rc::clone(host);
        let set =
            move |ctx: Ctx<'js>, handler: Opt<Value<'js>>, delay: Opt<Value<'js>>, arguments: Rest<Value<'js>>| {
                set_timer(&ctx, &host, handler.0, delay.0, arguments.0, repeats)
            };
        ctx.globals().set(name, Function::new(ctx.clone(), set)?.with_name(name)?.with_length(2)?)?;
    }
    for name in ["clearTimeout", "clearInterval"] {
        let host = Rc::clone(host);
        let clear = move |id: Opt<Value<'js>>| {
            let id = id.0.and_then(|id| id.as_number()).unwrap_or(0.0);
            let timer = host.timers.borrow_mut().clear(id as u32);
            if let Some(timer) = timer.as_ref().filter(|timer| timer.holds_run())
                && let Some(run) = host.runs.borrow_mut().get_mut(timer.run)
            {
                run.timers = run.timers.saturating_sub(1);
            }
        };
        ctx.globals().set(name, Function::new(ctx.clone(), clear)?.with_name(name)?.with_length(1)?)?;
    }
    Ok(())
}

fn set_timer<'js>(
    ctx: &Ctx<'js>,
    host: &Host,
    handler: Option<Value<'js>>,
    delay: Option<Value<'js>>,
    arguments: Vec<Value<'js>>,
    repeats: bool,
) -> Result<u32> {
    let Some(callback) = handler.and_then(Value::into_function) else {
        return Err(Exception::throw_type(ctx, "The handler of a timer must be a function"));
    };
    let delay = delay_of(delay.as_ref());
    let arguments = arguments.into_iter().map(|argument| Persistent::save(ctx, argument)).collect();
    let every = repeats.then_some(delay);
    add(
        ctx,
        host,
        delay,
        Timer { run: RunId(0), id: 0, callback: Persistent::save(ctx, callback), arguments, every, holds: Holds::Run },
    )
}

/// Sets a timer that fires once, and that no run waits for once it has nothing else to do.
///
/// # Errors
/// When there are too many timers.
pub fn set_unheld<'js>(ctx: &Ctx<'js>, host: &Host, callback: Function<'js>, milliseconds: f64) -> Result<()> {
    let delay = Duration::from_micros((milliseconds.clamp(MIN_DELAY_MS, MAX_DELAY_MS) * 1000.0) as u64);
    let callback = Persistent::save(ctx, callback);
    let timer = Timer { run: RunId(0), id: 0, callback, arguments: Vec::new(), every: None, holds: Holds::Nothing };
    add(ctx, host, delay, timer).map(drop)
}

/// Queues a timer for the run whose turn it is, and gives it its number.
fn add(ctx: &Ctx<'_>, host: &Host, delay: Duration, timer: Timer) -> Result<u32> {
    let Some(turn) = host.turn_of_run() else {
        return Err(Exception::throw_message(ctx, "No run is there to own the timer"));
    };
    let most = host.settings.borrow().timers as usize;
    if host.timers.borrow().len() >= most {
        return Err(Exception::throw_range(ctx, &format!("Too many timers: at most {most} can be pending at once")));
    }
    let holds_run = timer.holds_run();
    let mut timers = host.timers.borrow_mut();
    timers.last_id = timers.last_id.wrapping_add(1).max(1);
    let id = timers.last_id;
    timers.insert(Instant::now() + delay, Timer { run: turn.run, id, ..timer });
    if holds_run && let Some(run) = host.runs.borrow_mut().get_mut(turn.run) {
        run.timers += 1;
    }
    Ok(id)
}

/// The delay a timer function was given. Numbers, booleans and numeric strings count, as they do after coercion; an object would
/// have to be asked by running code, and is taken for nothing.
fn delay_of(delay: Option<&Value<'_>>) -> Duration {
    let milliseconds = delay.map_or(0.0, |delay| {
        if let Some(number) = delay.as_number() {
            number
        } else if let Some(boolean) = delay.as_bool() {
            f64::from(u8::from(boolean))
        } else if let Some(string) = delay.as_string() {
            string.to_string().ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0.0)
        } else {
            0.0
        }
    });
    let in_range = (MIN_DELAY_MS..=MAX_DELAY_MS).contains(&milliseconds);
    Duration::from_micros((if in_range { milliseconds } else { MIN_DELAY_MS } * 1000.0) as u64)
}
