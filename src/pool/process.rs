//! The handle on a worker's process, and the thread that waits for the ends of processes.

use std::io;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::shared::Shared;
use crate::ids::WorkerId;

/// A launched process: can be killed, and must be waited for. No method blocks.
pub trait Process: Send {
    /// The process id.
    fn pid(&self) -> u32;

    /// Ends it with SIGKILL. Does nothing to a process that has ended already.
    fn kill(&mut self);

    /// The exit status once it has ended; from then on the process id may belong to another process.
    ///
    /// # Errors
    /// When the operating system does not know the process; it is then given up.
    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>>;

    /// Whether a signal has stopped it, and none has let it go on.
    fn is_stopped(&self) -> bool {
        false
    }
}

impl Process for Child {
    fn pid(&self) -> u32 {
        self.id()
    }

    fn kill(&mut self) {
        // Fails only for a process that was waited for already, which is as good.
        let _ = Child::kill(self);
    }

    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        Child::try_wait(self)
    }

    fn is_stopped(&self) -> bool {
        Pid::from_raw(self.id().cast_signed()).is_some_and(|pid| stopped(WaitId::Pid(pid)))
    }
}

/// Whether any process that this one has started is stopped: one system call, however many there are.
pub(super) fn any_is_stopped() -> bool {
    stopped(WaitId::All)
}

/// `NOWAIT` leaves the news where it is, so that it is found again until the process is dead or goes on.
fn stopped(which: WaitId<'_>) -> bool {
    let found = waitid(which, WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT);
    matches!(found, Ok(Some(_)))
}

/// What the reaper is told.
pub(super) enum ReaperJob {
    /// Wait for the end of a process that was killed.
    Reap(WorkerId, Box<dyn Process>),
    /// Every process is reaped.
    End,
}

/// The first pause between two looks at dying processes: a killed worker needs a few hundred microseconds.
const FIRST_PAUSE: Duration = Duration::from_micros(200);

/// The longest pause: bounds what a process that does not die costs, and how late its end is seen.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// The reaper thread. It looks at all dying processes in turn instead of blocking on one, so that a process stuck in the kernel
/// does not hold up the slots of the others.
pub(super) fn reap(shared: &Arc<Shared>, jobs: &Receiver<ReaperJob>) {
    let mut dying: Vec<(WorkerId, Box<dyn Process>)> = Vec::new();
    let mut pause = FIRST_PAUSE;
    loop {
        let job = if dying.is_empty() {
            jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            jobs.recv_timeout(pause)
        };
        pause = match job {
            Ok(ReaperJob::Reap(worker, process)) => {
                dying.push((worker, process));
                FIRST_PAUSE
            }
            Err(RecvTimeoutError::Timeout) => (pause * 2).min(LONGEST_PAUSE),
            Ok(ReaperJob::End) | Err(RecvTimeoutError::Disconnected) => return,
        };
        // All that came meanwhile, before the look: looking once for each would be quadratic when thousands die together.
        while let Ok(job) = jobs.try_recv() {
            match job {
                ReaperJob::Reap(worker, process) => dying.push((worker, process)),
                ReaperJob::End => return,
            }
        }
        dying.retain_mut(|(worker, process)| match process.try_wait() {
            Ok(None) => true,
            Ok(Some(status)) => {
                tracing::debug!(%worker, %status, "worker reaped");
                shared.reaped(*worker, Some(status));
                false
            }
            Err(error) => {
                tracing::warn!(%worker, %error, "worker cannot be waited for");
                shared.reaped(*worker, None);
                false
            }
        });
    }
}
