//! The runs a worker knows: at most one in the foreground, and those whose timers live on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::clock::RunClock;
use crate::ids::RunId;
use crate::ipc::{Detail, ErrorInfo};
use crate::outcome::{StopReason, Usage};

/// Uncaught errors of one run that are shown although its console caps are used up: errors are never dropped, but an interval
/// that throws for ever is a flood like any other.
pub const UNCAUGHT_BEYOND_CAPS: u32 = 100;

/// UTF-8 bytes of each of these, where the cap on bytes is used up. All of them fit into what the server grants over the caps.
pub const UNCAUGHT_BYTES: usize = 2 << 10;

/// What a turn of the background gets however little its run has left to compute: a short one that has to wait for the processor is
/// better counted at its end than interrupted.
const LEAST_TURN: Duration = Duration::from_millis(50);

/// Where a run stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Its value is not known yet. Left by `Done`.
    Foreground,
    /// Its timers live on. Left by `Settled`.
    Background { error: Option<ErrorInfo> },
}

/// One run, from its `Started` to its last message.
#[derive(Debug)]
pub struct Run {
    pub timeout: Duration,
    /// Until it is to end: of the foreground, or of the whole background.
    pub clock: RunClock,
    pub phase: Phase,
    /// The first reason to end it; decides its outcome.
    pub stop: Option<StopReason>,
    /// How many of the engine's timers are its own.
    pub timers: u32,
    /// What is left for answers to its prompts: runs while one waits.
    pub patience: RunClock,
    /// How many questions it has asked.
    pub prompts: u32,
    /// What its values come with.
    pub detail: Detail,
    pub console: ConsoleAccount,
    phase_since: Instant,
    cpu: Duration,
}

/// What a run has said so far, against its caps.
#[derive(Debug, Default)]
pub struct ConsoleAccount {
    pub bytes: u64,
    pub entries: u64,
    pub dropped: u64,
    /// Dropped, and not yet told.
    pub untold: u64,
    pub uncaught: u32,
    /// An entry had no room: nothing more is taken, so that what would be dropped is not made first.
    pub is_full: bool,
    /// What of it an earlier phase has reported.
    reported_bytes: u64,
    reported_dropped: u64,
}

impl Run {
    pub fn new(timeout: Duration, patience: Duration, detail: Detail, now: Instant) -> Run {
        Run {
            timeout,
            clock: RunClock::start(timeout, now),
            phase: Phase::Foreground,
            stop: None,
            timers: 0,
            patience: RunClock::paused(patience),
            prompts: 0,
            detail,
            console: ConsoleAccount::default(),
            phase_since: now,
            cpu: Duration::ZERO,
        }
    }

    pub fn is_foreground(&self) -> bool {
        self.phase == Phase::Foreground
    }

    /// How long a turn of this run that begins now may take.
    pub fn turn_time(&self, now: Instant) -> Duration {
        match self.phase {
            Phase::Foreground => self.clock.left(now),
            Phase::Background { .. } => {
                let computing = self.timeout.saturating_sub(self.cpu).max(LEAST_TURN.min(self.timeout));
                self.clock.left(now).min(computing)
            }
        }
    }

    /// Counts what a turn has computed. All turns of a background together have the run's own time limit for that, and no more:
    /// else one that never rests would hold a core for as long as a background may wait.
    pub fn add_cpu(&mut self, cpu: Duration) {
        self.cpu += cpu;
        if !self.is_foreground() && self.cpu >= self.timeout {
            self.stop.get_or_insert(StopReason::Deadline);
        }
    }

    /// What this phase has used, as it ends.
    pub fn take_usage(&mut self, now: Instant, heap_bytes: u64) -> Usage {
        let usage = Usage {
            wall_us: micros(now.saturating_duration_since(self.phase_since)),
            cpu_us: micros(self.cpu),
            heap_bytes,
            console_bytes: self.console.bytes - self.console.reported_bytes,
            dropped: self.console.dropped - self.console.reported_dropped,
        };
        self.console.reported_bytes = self.console.bytes;
        self.console.reported_dropped = self.console.dropped;
        self.phase_since = now;
        self.cpu = Duration::ZERO;
        usage
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The runs that have begun and have not had their last message.
#[derive(Debug, Default)]
pub struct Runs {
    all: BTreeMap<RunId, Run>,
    foreground: Option<RunId>,
}

impl Runs {
    pub fn start(&mut self, id: RunId, run: Run) {
        self.all.insert(id, run);
        self.foreground = Some(id);
    }

    pub fn foreground(&self) -> Option<RunId> {
        self.foreground
    }

    pub fn get(&self, id: RunId) -> Option<&Run> {
        self.all.get(&id)
    }

    pub fn get_mut(&mut self, id: RunId) -> Option<&mut Run> {
        self.all.get_mut(&id)
    }

    /// Moves the foreground run to the background.
    pub fn move_to_background(&mut self, id: RunId, clock: RunClock) {
        self.foreground = self.foreground.filter(|foreground| *foreground != id);
        if let Some(run) = self.all.get_mut(&id) {
            run.phase = Phase::Background { error: None };
            run.clock = clock;
        }
    }

    pub fn remove(&mut self, id: RunId) -> Option<Run> {
        self.foreground = self.foreground.filter(|foreground| *foreground != id);
        self.all.remove(&id)
    }

    pub fn clear(&mut self) {
        self.all.clear();
        self.foreground = None;
    }

    pub fn ids(&self) -> Vec<RunId> {
        self.all.keys().copied().collect()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (RunId, &mut Run)> {
        self.all.iter_mut().map(|(id, run)| (*id, run))
    }

    pub fn iter(&self) -> impl Iterator<Item = (RunId, &Run)> {
        self.all.iter().map(|(id, run)| (*id, run))
    }

    /// The next instant at which a deadline of an idle run passes.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.all.values().filter_map(|run| run.clock.until()).min()
    }
}
