//! How console output reaches the server: in batches, within the run's caps, and never faster than the server reads.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::ids::RunId;
use crate::ipc::{ConsoleEntry, Level, WorkerMessage};
use crate::worker::host::Host;
use crate::worker::inspect;
use crate::worker::runs::{UNCAUGHT_BEYOND_CAPS, UNCAUGHT_BYTES};

/// A batch of this size is sent at once. Large enough that a flood costs few system calls, small against the frame cap.
const BATCH_BYTES: usize = 16 << 10;

/// How old a batch may grow: one frame of a screen.
const BATCH_AGE: Duration = Duration::from_millis(16);

/// What an entry costs besides its text, so that empty lines fill a batch too.
const ENTRY_BYTES: usize = 16;

/// Entries not yet sent. All of one run.
#[derive(Debug, Default)]
pub struct Batch {
    run: Option<RunId>,
    entries: Vec<ConsoleEntry>,
    bytes: usize,
    since: Option<Instant>,
}

fn unix_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// A plain entry of this moment.
pub(super) fn entry(level: Level, text: String) -> ConsoleEntry {
    ConsoleEntry {
        level,
        text,
        time_ms: unix_ms(),
        uncaught: false,
        method: None,
        group: 0,
        styles: Vec::new(),
        values: Vec::new(),
    }
}

impl Host {
    pub(super) fn has_console_room(&self, run: RunId) -> bool {
        let settings = self.settings.borrow();
        self.runs.borrow().get(run).is_some_and(|run| {
            let console = &run.console;
            !console.is_full && console.entries < settings.console_entries && console.bytes < settings.console_bytes
        })
    }

    fn fits_console(&self, run: RunId, bytes: usize) -> bool {
        let most = self.settings.borrow().console_bytes;
        self.runs.borrow().get(run).is_some_and(|run| run.console.bytes + bytes as u64 <= most)
    }

    pub(super) fn drop_entry(&self, run: RunId) {
        self.drop_entries(run, 1);
    }

    fn drop_entries(&self, run: RunId, count: u64) {
        if let Some(run) = self.runs.borrow_mut().get_mut(run) {
            run.console.dropped += count;
            run.console.untold += count;
        }
    }

    /// Adds an entry to the batch, where the run's caps allow it.
    pub(super) fn print(&self, run: RunId, entry: ConsoleEntry) {
        if !self.fits_console(run, entry.bytes()) {
            // A smaller one might fit, but to find out each would have to be made, for nothing most often.
            if let Some(run) = self.runs.borrow_mut().get_mut(run) {
                run.console.is_full = true;
            }
            return self.drop_entry(run);
        }
        self.add_entry(run, entry);
        if self.batch.borrow().bytes >= BATCH_BYTES {
            self.flush_console();
        } else {
            self.flush_console_if_old(Instant::now());
        }
    }

    /// Shows an uncaught error of a run. Outside of the caps, for the first ones.
    pub fn print_uncaught(&self, run: RunId, text: String) {
        let beyond_caps = self.runs.borrow_mut().get_mut(run).is_some_and(|run| {
            run.console.uncaught += 1;
            run.console.uncaught <= UNCAUGHT_BEYOND_CAPS
        });
        if beyond_caps || self.has_console_room(run) {
            let text = if self.fits_console(run, text.len()) { text } else { inspect::cut(text, UNCAUGHT_BYTES) };
            self.add_entry(run, ConsoleEntry { uncaught: true, ..entry(Level::Error, text) });
        } else {
            self.drop_entry(run);
        }
    }

    fn add_entry(&self, run: RunId, entry: ConsoleEntry) {
        if self.batch.borrow().run.is_some_and(|of| of != run) {
            self.flush_console();
        }
        if let Some(run) = self.runs.borrow_mut().get_mut(run) {
            run.console.entries += 1;
            run.console.bytes += entry.bytes() as u64;
        }
        let mut batch = self.batch.borrow_mut();
        batch.run = Some(run);
        batch.bytes += entry.bytes() + ENTRY_BYTES;
        batch.since.get_or_insert_with(Instant::now);
        batch.entries.push(entry);
    }

    /// Sends the batch, waiting for the server if it lags. What the turn's end finds still waiting is given up and counted: a
    /// frame that has begun is always completed, but one that has not can be left out.
    pub fn flush_console(&self) {
        if self.batch.borrow().run.is_none() {
            return;
        }
        while self.wire.is_congested() {
            let Some(turn) = self.turn() else {
                // Nothing is running, so nothing has a deadline here; the server reads, or ends this process.
                self.wire.wait_for_room(None);
                self.receive(Instant::now());
                continue;
            };
            if self.must_stop() {
                let batch = self.batch.take();
                if let Some(run) = batch.run {
                    self.give_up(run, &batch);
                }
                return;
            }
            self.wire.wait_for_room(turn.clock.until());
            self.receive(Instant::now());
        }
        self.send_batch();
    }

    /// Sends the batch of a run that is about to have its last message in this phase, and what was dropped since the last frame.
    /// Does not wait for the server: the message behind it must get out.
    pub fn flush_console_of(&self, run: RunId) {
        if self.batch.borrow().run == Some(run) {
            self.send_batch();
        }
        let untold = self.runs.borrow_mut().get_mut(run).map_or(0, |run| std::mem::take(&mut run.console.untold));
        if untold > 0 {
            self.send(&WorkerMessage::Console { run, entries: Vec::new(), dropped: untold });
        }
    }

    /// Sends the batch if it has waited long enough and the server keeps up.
    pub fn flush_console_if_old(&self, now: Instant) {
        let old = self.batch.borrow().since.is_some_and(|since| now.saturating_duration_since(since) >= BATCH_AGE);
        if old && !self.wire.is_congested() {
            self.send_batch();
        }
    }

    fn send_batch(&self) {
        let batch = self.batch.take();
        let Some(run) = batch.run else { return };
        let dropped = self.runs.borrow_mut().get_mut(run).map_or(0, |run| std::mem::take(&mut run.console.untold));
        self.send(&WorkerMessage::Console { run, entries: batch.entries, dropped });
    }

    fn give_up(&self, run: RunId, batch: &Batch) {
        if let Some(run) = self.runs.borrow_mut().get_mut(run) {
            run.console.bytes -= batch.entries.iter().map(|entry| entry.bytes() as u64).sum::<u64>();
            run.console.entries -= batch.entries.len() as u64;
        }
        self.drop_entries(run, batch.entries.len() as u64);
    }
}
