//! One session's exclusive use of a worker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

use super::health::Vitals;
use super::keeper::{KeeperJob, Returned};
use super::link::{GoneCause, Link};
use super::rest::{Noted, Recall, Rest, Standing};
use super::shared::{Custody, Shared};
use super::slot::RetireReason;
use super::state::Grant;
use crate::config::Reuse;
use crate::ids::WorkerId;
use crate::ipc::{HostMessage, STUCK_EXIT, WorkerMessage};

/// How far the end of a process may lag behind that of its socket: microseconds, on a busy machine more. What the process was
/// doing is known by its exit status alone, and a session waits this long for it at most.
const END_LAG: Duration = Duration::from_millis(200);

/// Between two looks.
const END_LOOK: Duration = Duration::from_millis(1);

/// Exclusive use of one worker.
///
/// Dropping it gives the worker back, whatever that is doing: it is told to stop and to make itself fit again, and is killed
/// when it does not do so within the kill grace and `pool.health`. The drop itself never waits and never fails.
pub struct Lease {
    shared: Arc<Shared>,
    id: WorkerId,
    vitals: Vitals,
    rest: Arc<Rest>,
    /// `None` once it has gone home.
    link: Option<Link>,
    /// Something was said in either direction: the worker is not as fresh as it was.
    used: bool,
    /// `Prepare`s sent through this lease whose `Ready` was not read yet.
    unanswered: u32,
    /// What the socket's end or a bad frame says about the worker.
    verdict: Option<RetireReason>,
}

/// The worker is of no use any more. Dropping the lease replaces it.
#[derive(Debug, thiserror::Error)]
#[error("talk to worker {worker}: {cause}")]
pub struct WorkerGone {
    pub worker: WorkerId,
    pub cause: GoneCause,
}

impl Lease {
    pub(super) fn new(shared: Arc<Shared>, grant: Grant) -> Self {
        let Grant { id, link, vitals, rest } = grant;
        Self { shared, id, vitals, rest, link: Some(link), used: false, unanswered: 0, verdict: None }
    }

    /// The worker's name in logs.
    pub fn worker_id(&self) -> WorkerId {
        self.id
    }

    /// The worker's process id. Until the pool closes it means no other process, even if the worker has died.
    pub fn pid(&self) -> u32 {
        self.vitals.pid
    }

    /// Says whether the session runs something or has been idle, and since when. Only an idle lease is called back.
    pub fn note_idle(&self, since: Option<Instant>) {
        let matters = match self.rest.note(since) {
            Noted::Nothing => false,
            Noted::Changed => self.shared.is_pressed(),
            Noted::WasCalled => true,
        };
        if matters {
            self.shared.update(|state, now| state.noted(self.id, since, now));
        }
    }

    /// Where the call to give the lease back is heard.
    pub fn recall(&self) -> Recall {
        Recall(Arc::clone(&self.rest))
    }

    /// Whether the pool has ended the worker, because there was not enough memory for all.
    pub fn was_taken(&self) -> bool {
        self.rest.standing() == Standing::Taken
    }

    /// Sends a message: what the socket takes goes out at once, the rest while [`Lease::recv`] is awaited. Never blocks.
    ///
    /// # Errors
    /// When the worker is gone, or has left [`MAX_OUTBOX_BYTES`](super::MAX_OUTBOX_BYTES) unread. What a dead worker had said
    /// can still be received. `BadFrame` means that this message is larger than a frame may be: nothing was sent, and the worker
    /// is as it was.
    pub fn send(&mut self, message: &HostMessage) -> Result<(), WorkerGone> {
        self.used = true;
        let outcome = self.link.as_mut().ok_or(GoneCause::Closed).and_then(|link| link.send(message));
        if let Err(cause) = outcome {
            match &cause {
                // Our own message was too large; the worker has done nothing wrong.
                GoneCause::BadFrame(_) => {}
                GoneCause::Stalled => self.verdict = Some(RetireReason::Stalled),
                GoneCause::Closed | GoneCause::Io(_) => self.verdict = Some(RetireReason::DiedInUse),
            }
            return Err(WorkerGone { worker: self.id, cause });
        }
        if matches!(message, HostMessage::Prepare { .. }) {
            self.unanswered += 1;
        }
        Ok(())
    }

    /// Bytes that wait for the worker to read them, or for the rest of a frame to arrive.
    pub fn buffered_bytes(&self) -> usize {
        self.link.as_ref().map_or(0, Link::buffered_bytes)
    }

    /// The worker's next message. Also sends what [`Lease::send`] could not. Must be awaited in a tokio runtime with I/O, and
    /// always in the same one, which wakes the caller without crossing threads.
    ///
    /// # Errors
    /// When the worker is gone or has sent something that is no frame; every frame before that is delivered first. Every
    /// further call fails as well.
    ///
    /// # Cancel safety
    /// Safe: no message is lost.
    pub async fn recv(&mut self) -> Result<WorkerMessage, WorkerGone> {
        let received = match &mut self.link {
            Some(link) => link.recv().await,
            None => Err(GoneCause::Closed),
        };
        match received {
            Ok(message) => {
                self.used = true;
                if matches!(message, WorkerMessage::Ready { .. }) {
                    self.unanswered = self.unanswered.saturating_sub(1);
                }
                Ok(message)
            }
            Err(cause) => {
                self.verdict = Some(match &cause {
                    GoneCause::BadFrame(_) => RetireReason::BadFrame,
                    GoneCause::Stalled => RetireReason::Stalled,
                    GoneCause::Closed | GoneCause::Io(_) => RetireReason::DiedInUse,
                });
                Err(WorkerGone { worker: self.id, cause })
            }
        }
    }

    /// Whether a worker that is gone has ended itself because its code went on past a deadline: by its own count, or by the
    /// kernel's alarm. Must be awaited in a tokio runtime with a clock.
    ///
    /// # Cancel safety
    /// Safe: it only looks. The process is reaped by whoever has its handle.
    pub async fn is_overdue(&self) -> bool {
        // Whoever breaks the protocol lives on, and has no end to look at.
        let died = self.verdict == Some(RetireReason::DiedInUse);
        let Some(pid) = Pid::from_raw(self.vitals.pid.cast_signed()).filter(|_| died) else { return false };
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let patience = Instant::now() + END_LAG;
        loop {
            match waitid(WaitId::Pid(pid), look) {
                Ok(Some(end)) => {
                    let alarm = end.terminating_signal() == Some(Signal::ALARM.as_raw());
                    return alarm || end.exit_status() == Some(STUCK_EXIT);
                }
                Ok(None) if Instant::now() < patience => tokio::time::sleep(END_LOOK).await,
                Ok(None) | Err(_) => return false,
            }
        }
    }

    /// Kills the worker at once and has it replaced. Where it is given up because it is gone, the lease knows better how that came:
    /// a frame that is none is the worker's doing, and counted as such.
    pub fn retire(mut self, reason: RetireReason) {
        let reason = match (reason, self.verdict) {
            (RetireReason::DiedInUse, Some(verdict)) => verdict,
            _ => reason,
        };
        self.end(reason);
    }

    fn end(&mut self, reason: RetireReason) {
        if let Some(link) = self.link.take() {
            self.shared.update(|state, _| state.retire(self.id, reason));
            drop(link);
        }
    }

    /// Brings the worker home in the cheapest way that is safe.
    fn give_back(&mut self) {
        let Some(mut link) = self.link.take() else { return };
        let given_back = Instant::now();
        let reason = match self.way_home(&mut link) {
            Ok(Way::AsItWas) => {
                self.shared.update(|state, now| state.put_back(self.id, link, self.vitals, now));
                return;
            }
            Ok(Way::Recycle { nonce }) => {
                self.recycle(link, nonce, given_back);
                return;
            }
            Err(reason) => reason,
        };
        self.shared.update(|state, _| state.retire(self.id, reason));
    }

    fn way_home(&mut self, link: &mut Link) -> Result<Way, RetireReason> {
        if let Some(verdict) = self.verdict {
            return Err(verdict);
        }
        let parked = |link: &mut Link| link.park().map_err(|_| RetireReason::DiedInUse);
        if !self.used && link.is_in_step() {
            return parked(link).map(|()| Way::AsItWas);
        }
        self.vitals.leases += 1;
        match self.shared.config.reuse {
            Reuse::Never => return Err(RetireReason::NeverReuse),
            Reuse::Healthy if self.vitals.leases >= self.shared.config.max_leases_per_worker => {
                return Err(RetireReason::UsedUp);
            }
            Reuse::Healthy => {}
        }
        let nonce = self.shared.nonce();
        // Sent from here and not by the keeper: the worker stops, and begins to make itself fit, one thread switch earlier.
        match link.send(&HostMessage::Prepare { nonce, settings: self.shared.settings.clone() }) {
            Ok(()) => {}
            Err(GoneCause::Stalled) => return Err(RetireReason::Stalled),
            Err(GoneCause::BadFrame(_) | GoneCause::Closed | GoneCause::Io(_)) => return Err(RetireReason::DiedInUse),
        }
        parked(link).map(|()| Way::Recycle { nonce })
    }

    fn recycle(&self, link: Link, nonce: u64, given_back: Instant) {
        if !self.shared.update(|state, _| state.recycle(self.id)) {
            // Killed at shutdown.
            return;
        }
        let custody = Custody::new(&self.shared, self.id);
        self.shared.tell_keeper(KeeperJob::Recycle(Returned {
            custody,
            link,
            vitals: self.vitals,
            nonce,
            unanswered: self.unanswered,
            given_back,
        }));
    }
}

/// How a lease ends well.
enum Way {
    /// Never used: straight to the idle workers.
    AsItWas,
    /// Used: `Prepare` is sent, `Ready` must come.
    Recycle { nonce: u64 },
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease").field("worker", &self.id).field("pid", &self.vitals.pid).finish_non_exhaustive()
    }
}
