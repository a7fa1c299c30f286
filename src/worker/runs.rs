//! The runs a worker knows: at most one in the foreground, and those whose timers live on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::ids::RunId;
use crate::ipc::{Detail, ErrorInfo};
use crate::outcome::{StopReason, Usage};

/// Uncaught errors of one run that are shown although its console caps are used up: errors are never dropped, but an interval
/// that throws for ever is a flood like any other.
pub const UNCAUGHT_BEYOND_CAPS: u32 = 100;

/// UTF-8 bytes of each of these, where the cap on bytes is used up. All of them fit into what the server grants over the caps.
pub const UNCAUGHT_BYTES: usize = 2 << 10;

/// Where a run stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Its value is not known yet. Left by `Done`.
    Foreground,
    /// Its timers live on, until then at most. Left by `Settled`.
    Background { deadline: Instant, error: Option<ErrorInfo> },
}

/// One run, from its `Started` to its last message.
#[derive(Debug)]
pub struct Run {
    pub timeout: Duration,
    /// Of the foreground. Moves while a prompt waits.
    pub deadline: Instant,
    pub phase: Phase,
    /// The first reason to end it; decides its outcome.
    pub stop: Option<StopReason>,
    /// How many of the engine's timers are its own.
    pub timers: u32,
    /// How long its prompts have waited.
    pub input_waited: Duration,
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
    pub fn new(timeout: Duration, detail: Detail, now: Instant) -> Run {
        Run {
            timeout,
            deadline: now + timeout,
            phase: Phase::Foreground,
            stop: None,
            timers: 0,
            input_waited: Duration::ZERO,
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

    /// When a turn of this run that begins now must be over.
    pub fn turn_deadline(&self, now: Instant) -> Instant {
        match self.phase {
            Phase::Foreground => self.deadline,
            Phase::Background { deadline, .. } => deadline.min(now + self.timeout),
        }
    }

    pub fn add_cpu(&mut self, cpu: Duration) {
        self.cpu += cpu;
    }

    /// A prompt has kept it waiting: that is not its own time.
    pub fn add_wait(&mut self, waited: Duration) {
        self.input_waited += waited;
        self.shift_deadline(waited);
    }

    pub fn shift_deadline(&mut self, by: Duration) {
        match &mut self.phase {
            Phase::Foreground => self.deadline += by,
            Phase::Background { deadline, .. } => *deadline += by,
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
    pub fn move_to_background(&mut self, id: RunId, deadline: Instant) {
        self.foreground = self.foreground.filter(|foreground| *foreground != id);
        if let Some(run) = self.all.get_mut(&id) {
            run.phase = Phase::Background { deadline, error: None };
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
        self.all
            .values()
            .map(|run| match run.phase {
                Phase::Foreground => run.deadline,
                Phase::Background { deadline, .. } => deadline,
            })
            .min()
    }
}
