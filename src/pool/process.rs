//! The handle on a worker's process, and the thread that waits for the ends of processes.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

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
    let mut alarm = Alarm::default();
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
                if let Some(signal) = status.signal() {
                    shared.hook.died(signal);
                    if signal == Signal::SYS.as_raw() {
                        alarm.ring(*worker, Instant::now());
                    }
                }
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

/// Warnings of forbidden system calls in one [`ALARM_PERIOD`]. Enough to be seen; a script that brings one about again and again must
/// not fill the disk with them.
const MOST_ALARMS: u32 = 10;

const ALARM_PERIOD: Duration = Duration::from_secs(60);

/// Warns of workers that the kernel has ended for a system call which the box forbids: nothing that code does in a sound engine leads
/// to one, so somebody may have taken the engine over.
#[derive(Default)]
struct Alarm {
    period_began: Option<Instant>,
    rung: u32,
    unsaid: u64,
}

impl Alarm {
    fn ring(&mut self, worker: WorkerId, now: Instant) {
        if let Some(unsaid) = self.may_ring(now) {
            tracing::warn!(
                %worker,
                unsaid,
                "a worker was killed by SIGSYS for a system call that its box forbids: an attack, or a fault of the engine"
            );
        }
    }

    /// How many were not warned of since the last warning, where there may be another.
    fn may_ring(&mut self, now: Instant) -> Option<u64> {
        if self.period_began.is_none_or(|began| now.duration_since(began) >= ALARM_PERIOD) {
            self.period_began = Some(now);
            self.rung = 0;
        }
        if self.rung == MOST_ALARMS {
            self.unsaid += 1;
            return None;
        }
        self.rung += 1;
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_are_bounded_in_number_and_none_is_forgotten() {
        let mut alarm = Alarm::default();
        let now = Instant::now();
        let rung = (0..MOST_ALARMS + 5).filter(|_| alarm.may_ring(now).is_some()).count();
        assert_eq!(rung, MOST_ALARMS as usize);
        assert_eq!(alarm.may_ring(now + ALARM_PERIOD), Some(5));
        assert_eq!(alarm.may_ring(now + ALARM_PERIOD), Some(0));
    }
}
