//! The ladder: interrupt, grace, kill. Every way of stopping a run climbs it here.

use std::time::Instant;

use super::{Action, Active, Engine, Phase, Stage, State, Stop};
use crate::ids::RunId;
use crate::ipc::HostMessage;
use crate::outcome::StopReason;
use crate::pool::RetireReason;

impl State {
    /// The ladder's first step, for one run. The first reason stays.
    pub(super) fn stop(&mut self, id: RunId, reason: StopReason, now: Instant) {
        let Some(run) = self.active.get_mut(&id) else { return };
        if run.stop.is_none() {
            run.stop = Some(Stop { reason, at: now });
            if !self.told.contains(&reason) {
                self.told.push(reason);
            }
            self.out.push(Action::ToWorker(HostMessage::Interrupt { run: Some(id), reason }));
        }
        if self.asking == Some(id) {
            self.resume_clocks(now);
        }
    }

    pub(super) fn stop_everything(&mut self, reason: StopReason, now: Instant) {
        while let Some(run) = self.waiting.pop_front() {
            self.end_waiting(run, reason.outcome());
        }
        for id in self.active.keys().copied().collect::<Vec<_>>() {
            self.stop(id, reason, now);
        }
    }

    pub(super) fn end(&mut self, reason: StopReason, now: Instant) {
        match self.phase {
            // A client may vanish while the server is closing: from then on nobody is told, and no run is stopped twice.
            Phase::Ending(_) if reason == StopReason::Disconnect => self.phase = Phase::Ending(reason),
            Phase::Ending(_) | Phase::Closed => {}
            Phase::Open | Phase::Draining { .. } => {
                if reason == StopReason::Disconnect {
                    self.phase = Phase::Ending(reason);
                }
                self.stop_everything(reason, now);
                self.drop_queries(reason);
                self.phase = Phase::Ending(reason);
            }
        }
    }

    /// The ladder's last step for a run that has been told to stop. A background run that is to stop while another run's code
    /// holds the engine waits for that code, which has its own deadline: a run must not lose its engine for another's sake.
    pub(super) fn kill_at(&self, run: &Active, stop: Stop) -> Option<Instant> {
        let blocked = run.stage == Stage::Background
            && self.active.values().any(|other| other.stage == Stage::Foreground && other.stop.is_none());
        (!blocked).then(|| stop.at + self.rules.kill_grace)
    }

    pub(super) fn tick(&mut self, now: Instant) {
        if let Phase::Draining { until: Some(until) } = self.phase
            && until <= now
        {
            self.end(StopReason::Disconnect, now);
        }
        if let Some(run) = self.asking
            && self.active.get(&run).is_some_and(|run| run.patience.is_over(now))
        {
            self.answer(run, None, now);
        }
        let late = self.active.iter().filter(|(_, run)| run.stop.is_none() && run.clock.is_over(now));
        for id in late.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.stop(id, StopReason::Deadline, now);
        }
        let stuck = self.active.values().find_map(|run| {
            let stop = run.stop?;
            self.kill_at(run, stop).filter(|at| *at <= now).map(|_| stop.reason)
        });
        let hung = |run: &Active| run.stop.is_none() && run.begin().is_some_and(|begin| begin.is_over(now));
        if let Some(reason) = stuck {
            self.lose_worker(RetireReason::Killed, Some(reason.outcome()), now);
        } else if self.active.values().any(hung) {
            self.lose_worker(RetireReason::Unresponsive, None, now);
        } else if let Engine::Preparing { until, .. } = self.engine
            && until <= now
        {
            self.lose_worker(RetireReason::NotReadyInTime, None, now);
        }
    }
}
