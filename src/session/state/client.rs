//! What the client asks for: runs into the queue, and answers, cancels and resets for those that are under way.

use std::time::Instant;

use super::{Action, Active, MOST_RESETS, Phase, State, Waiting};
use crate::ids::RunId;
use crate::ipc::HostMessage;
use crate::outcome::{Outcome, StopReason};
use crate::protocol::{ClientMessage, ErrorCode, RequestId, Run, ServerMessage, WaitingFor};

impl State {
    pub(super) fn client(&mut self, message: ClientMessage, now: Instant) {
        match (self.phase, message) {
            (Phase::Open, ClientMessage::Run(run)) => self.enqueue(*run),
            (_, ClientMessage::Run(run)) => {
                self.error(ErrorCode::ShuttingDown, "no more runs are taken here", run.id);
            }
            (_, ClientMessage::Cancel { id: Some(id) }) => self.cancel(id, now),
            (_, ClientMessage::Cancel { id: None }) => self.cancel_all(now),
            (_, ClientMessage::Input { id, text }) => self.input(id, text, now),
            (_, ClientMessage::Reset) if self.resets >= MOST_RESETS => {
                self.error(ErrorCode::QueueFull, "too many resets wait already", None);
            }
            (_, ClientMessage::Reset) => {
                self.stop_everything(StopReason::Cancel, now);
                self.resets += 1;
            }
            (_, ClientMessage::Ping) => self.send(ServerMessage::Pong),
            // The loop answers it, because only the loop knows versions and limits.
            (_, ClientMessage::Hello { detail }) => self.detail = detail.unwrap_or(self.detail),
            (_, ClientMessage::Query { id, query }) => self.query(id, query, now),
        }
    }

    pub(super) fn enqueue(&mut self, run: Run) {
        let id = match run.id.clone() {
            Some(id) if self.is_known(&id) => {
                let message = format!("the run {id} is not over: its id cannot be used again yet");
                return self.error(ErrorCode::DuplicateId, message, Some(id));
            }
            Some(id) => id,
            None => self.count_id(),
        };
        let ahead = self.waiting.len() + usize::from(self.foreground().is_some());
        if ahead > self.rules.queue {
            let message = format!("{} runs wait already; wait for a `done` or cancel some", self.rules.queue);
            return self.error(ErrorCode::QueueFull, message, Some(id));
        }
        let waiting = Waiting::new(id, run);
        if !self.has_room_for(waiting.bytes) {
            let message = format!(
                "what waits already and this run have more than {} bytes; wait for a `done` or cancel some",
                self.rules.queued_bytes
            );
            return self.error(ErrorCode::QueueFull, message, Some(waiting.id));
        }
        // The first in line either starts at once or is told its place by the pool.
        if ahead > 0 {
            let id = waiting.id.clone();
            self.send(ServerMessage::Queued { id, position: ahead, waiting_for: WaitingFor::Session });
        }
        self.waiting.push_back(waiting);
    }

    pub(super) fn is_known(&self, id: &RequestId) -> bool {
        self.waiting.iter().any(|run| run.id == *id) || self.active.values().any(|run| run.id == *id)
    }

    pub(super) fn count_id(&mut self) -> RequestId {
        loop {
            let id = RequestId::from(self.next_id);
            self.next_id += 1;
            if !self.is_known(&id) {
                return id;
            }
        }
    }

    pub(super) fn cancel(&mut self, id: RequestId, now: Instant) {
        if let Some(at) = self.waiting.iter().position(|run| run.id == id) {
            let run = self.waiting.remove(at).expect("the position was just found");
            self.end_waiting(run, Outcome::Cancelled);
            if at == 0 {
                self.tell_position();
            }
        } else if let Some(run) = self.active.iter().find(|(_, run)| run.id == id).map(|(run, _)| *run) {
            self.stop(run, StopReason::Cancel, now);
        } else {
            let message = format!("no run {id} is waiting, running or in the background");
            self.error(ErrorCode::UnknownRun, message, Some(id));
        }
    }

    pub(super) fn cancel_all(&mut self, now: Instant) {
        if self.waiting.is_empty() && self.active.is_empty() && self.queries.is_empty() {
            return self.error(ErrorCode::UnknownRun, "nothing is running", None);
        }
        self.stop_everything(StopReason::Cancel, now);
        self.cancel_queries();
    }

    pub(super) fn input(&mut self, id: Option<RequestId>, text: Option<String>, now: Instant) {
        let asked = self.asking.filter(|run| match (&id, self.active.get(run)) {
            (Some(id), Some(run)) => run.id == *id,
            (None, Some(_)) => true,
            (_, None) => false,
        });
        match asked {
            Some(run) => self.answer(run, text, now),
            None => self.error(ErrorCode::NoInputWanted, "no run waits for input", id),
        }
    }

    /// Hands the answer to the worker and lets the clocks run again.
    pub(super) fn answer(&mut self, run: RunId, text: Option<String>, now: Instant) {
        self.resume_clocks(now);
        self.out.push(Action::ToWorker(HostMessage::InputAnswer { run, text }));
    }

    pub(super) fn resume_clocks(&mut self, now: Instant) {
        let Some(asking) = self.asking.take() else { return };
        if let Some(run) = self.active.get_mut(&asking) {
            run.patience.pause(now);
        }
        self.active.values_mut().flat_map(Active::clocks).for_each(|clock| clock.resume(now));
    }
}
