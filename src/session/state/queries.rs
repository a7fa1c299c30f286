//! Questions about the engine: they wait for one, are asked in order, and each is answered once.
//!
//! None of them has a deadline here. The worker gives each little time and ends itself when it cannot keep to that; one that keeps
//! silent harms nobody but its own session, which can be recalled, reset and ended like any other.

use std::time::{Duration, Instant};

use super::frames::Violation;
use super::{Action, Engine, Phase, State, WAITING_BYTES};
use crate::ids::QueryId;
use crate::ipc::{
    Answer, Completions, Content, HostMessage, MOST_ANSWER_BYTES, MOST_COMPLETIONS, MOST_PREVIEWED, PATIENT_GRACE,
    Preview, Property, Query, Reference, properties_bytes, try_map_properties,
};
use crate::outcome::StopReason;
use crate::protocol::{ErrorCode, Found, PropertyShown, RequestId, ServerMessage};

/// Questions of a session that wait for their answers. A client that types faster than it is answered can leave some out.
const MOST_QUERIES: usize = 16;

/// A question of the client.
#[derive(Debug)]
pub(super) struct Asked {
    id: Option<RequestId>,
    query: Query,
    /// Under this id the worker has it.
    sent: Option<QueryId>,
    /// The client does not want the answer any more.
    is_cancelled: bool,
}

impl Asked {
    /// What it holds, and what its copy holds on the way to the worker.
    pub(super) fn bytes(&self) -> usize {
        let text = match &self.query {
            Query::Complete { code, .. } | Query::IsComplete { code, .. } => code.len(),
            Query::Inspect { .. } => 0,
        };
        self.id.as_ref().map_or(0, RequestId::bytes) + 2 * text + WAITING_BYTES
    }
}
/// What is said of a question that was cancelled.
const CANCELLED: &str = "the question was cancelled";

impl State {
    pub(super) fn query(&mut self, id: Option<RequestId>, query: Query, now: Instant) {
        if self.phase != Phase::Open {
            return self.error(ErrorCode::ShuttingDown, "no more questions are taken here", id);
        }
        if self.queries.len() >= MOST_QUERIES {
            return self.error(ErrorCode::QueueFull, "too many questions wait already", id);
        }
        let asked = Asked { id, query, sent: None, is_cancelled: false };
        if !self.has_room_for(asked.bytes()) {
            return self.error(ErrorCode::QueueFull, "too much waits already", asked.id);
        }
        self.idle_since = now;
        self.queries.push_back(asked);
    }

    /// Hands the worker what it does not have yet. A reset that waits goes first: what is asked behind it is about the fresh engine.
    pub(super) fn ask_worker(&mut self) {
        if !matches!(self.engine, Engine::Up { .. }) || self.resets > 0 {
            return;
        }
        for asked in self.queries.iter_mut().filter(|asked| asked.sent.is_none()) {
            let mut query = asked.query.clone();
            if let Query::Inspect { reference, .. } = &mut query {
                match self.references.of_worker(*reference) {
                    Some(known) => *reference = known,
                    // Answered in its turn, by the session itself.
                    None => continue,
                }
            }
            let id = QueryId(self.next_query);
            self.next_query += 1;
            asked.sent = Some(id);
            self.out.push(Action::ToWorker(HostMessage::Query { id, query }));
        }
    }

    /// Answers what is first in line and asks about a value that is gone: no engine is needed for that.
    pub(super) fn answer_expired(&mut self) {
        let is_absent = self.engine == Engine::Absent;
        while let Some(Asked { id, query: Query::Inspect { reference, .. }, sent: None, .. }) = self.queries.front()
            && (is_absent || self.references.of_worker(*reference).is_none())
        {
            let id = id.clone();
            self.queries.pop_front();
            self.expired(id);
        }
    }

    /// The engine that was asked is gone. What was asked about its values has no answer any more; the rest is asked again where it
    /// was replaced in good order, and not where a question may have been its end.
    pub(super) fn engine_lost(&mut self, may_ask_again: bool) {
        self.references.engine_lost();
        for mut asked in std::mem::take(&mut self.queries) {
            match asked {
                Asked { is_cancelled: true, id, .. } => self.error(ErrorCode::NoAnswer, CANCELLED, id),
                Asked { sent: Some(_), query: Query::Inspect { .. }, id, .. } if !may_ask_again => self.expired(id),
                Asked { sent: Some(_), id, .. } if !may_ask_again => {
                    self.error(ErrorCode::NoAnswer, "the runtime ended before it had an answer", id);
                }
                Asked { .. } => {
                    asked.sent = None;
                    self.queries.push_back(asked);
                }
            }
        }
    }

    /// Ends all questions: those that a worker has by its word, so that the answers stay in order.
    pub(super) fn cancel_queries(&mut self) {
        if self.queries.iter().all(|asked| asked.sent.is_none()) {
            return self.refuse_queries(ErrorCode::NoAnswer, CANCELLED);
        }
        let are_told = self.queries.iter().all(|asked| asked.is_cancelled || asked.sent.is_none());
        for asked in &mut self.queries {
            asked.is_cancelled = true;
        }
        if are_told {
            return;
        }
        self.told.push(StopReason::Cancel);
        self.out.push(Action::ToWorker(HostMessage::Interrupt { run: None, reason: StopReason::Cancel }));
    }

    /// How long the worker may be busy with the questions that it has before it comes to a run behind them. A turn of the background
    /// may follow each.
    pub(super) fn time_of_queries(&self, turn: Duration) -> Duration {
        let sent = self.queries.iter().filter(|asked| asked.sent.is_some());
        sent.map(|asked| asked.query.time_limit() + PATIENT_GRACE + turn).sum()
    }

    pub(super) fn has_asked(&self) -> bool {
        self.queries.iter().any(|asked| asked.sent.is_some())
    }

    /// Answers everything that waits with an error.
    pub(super) fn refuse_queries(&mut self, code: ErrorCode, message: &str) {
        for Asked { id, .. } in std::mem::take(&mut self.queries) {
            self.error(code, message, id);
        }
    }

    fn expired(&mut self, id: Option<RequestId>) {
        self.send(expired_error(id));
    }

    /// The worker answers in the order in which it was asked, and with what was asked for.
    pub(super) fn answered(
        &mut self,
        id: QueryId,
        answer: Answer,
        engine_replaced: bool,
        now: Instant,
    ) -> Result<(), Violation> {
        let Some(asked) = self.queries.pop_front_if(|asked| asked.sent == Some(id)) else { return Err(Violation) };
        match self.told_of(&asked, answer) {
            Ok(message) => self.send(message),
            // A lie is no answer: the question is still there when the worker goes.
            Err(violation) => {
                self.queries.push_front(asked);
                return Err(violation);
            }
        }
        self.idle_since = now;
        self.note_replaced(engine_replaced);
        Ok(())
    }

    /// What the client is told, where it can be true.
    fn told_of(&mut self, asked: &Asked, answer: Answer) -> Result<ServerMessage, Violation> {
        let request = asked.id.clone();
        Ok(match (&asked.query, answer) {
            (_, Answer::TooSlow) => {
                let message = if asked.is_cancelled { CANCELLED } else { "the answer would have taken too long" };
                ServerMessage::Error { code: ErrorCode::NoAnswer, message: message.to_owned(), id: request }
            }
            (Query::Inspect { .. }, Answer::Expired) => expired_error(request),
            (Query::Inspect { reference, start, count }, answer) => {
                let (reference, start, count) = (*reference, *start, *count);
                let found = match answer {
                    Answer::Properties { total, entries }
                        if entries.len() <= count as usize
                            && entries.iter().all(is_bounded_property)
                            && properties_bytes(&entries) <= MOST_ANSWER_BYTES =>
                    {
                        let entries =
                            try_map_properties(entries, &mut |reference| self.references.of_client(reference));
                        let entries = entries.ok_or(Violation)?.into_iter().map(PropertyShown::from).collect();
                        Found::Entries { start, total, entries }
                    }
                    Answer::Value(value) if is_bounded_preview(&value) => {
                        let value = value.try_map(&mut |reference| self.references.of_client(reference));
                        Found::Value { value: value.ok_or(Violation)?.into() }
                    }
                    Answer::Thrown(error) if self.is_bounded_error(&error) => Found::Thrown { error: error.into() },
                    _ => return Err(Violation),
                };
                ServerMessage::Properties { id: request, reference, found }
            }
            (Query::Complete { cursor, .. }, Answer::Completions(Completions { from, to, items })) => {
                let bytes: usize = items.iter().map(|item| item.label.len() + item.detail.len()).sum();
                let is_true =
                    from <= *cursor && *cursor <= to && items.len() <= MOST_COMPLETIONS && bytes <= MOST_ANSWER_BYTES;
                if !is_true {
                    return Err(Violation);
                }
                ServerMessage::Completions { id: request, from, to, items }
            }
            (Query::IsComplete { .. }, Answer::Completeness(state)) => {
                ServerMessage::Completeness { id: request, state }
            }
            (Query::Complete { .. } | Query::IsComplete { .. }, _) => return Err(Violation),
        })
    }

    /// Nobody is told what the session's own end leaves unanswered, but a client that still listens.
    pub(super) fn drop_queries(&mut self, reason: StopReason) {
        match reason {
            StopReason::Disconnect => self.queries.clear(),
            StopReason::Shutdown => self.refuse_queries(ErrorCode::ShuttingDown, "the server is shutting down"),
            StopReason::Cancel | StopReason::Deadline => {}
        }
    }
}

fn expired_error(id: Option<RequestId>) -> ServerMessage {
    ServerMessage::Error { code: ErrorCode::RefExpired, message: "this value is not kept any more".to_owned(), id }
}

/// How the client's numbers of values map to the worker's. Each engine counts from 1; the client sees them go on from one engine to the
/// next, so that none ever means two values, and nobody learns what other sessions have been shown.
#[derive(Debug, Default)]
pub(super) struct References {
    /// What the client's numbers are above those of this engine.
    base: u32,
    /// The highest that the client has seen.
    highest: u32,
}

impl References {
    /// Fails where the numbers are used up, which only a worker that lies can bring about.
    pub(super) fn of_client(&mut self, reference: Reference) -> Option<Reference> {
        let shown = reference.0.checked_add(self.base)?;
        self.highest = self.highest.max(shown);
        Some(Reference(shown))
    }

    /// `None` for a number of an engine that is gone.
    fn of_worker(&self, reference: Reference) -> Option<Reference> {
        reference.0.checked_sub(self.base).filter(|known| *known > 0).map(Reference)
    }

    fn engine_lost(&mut self) {
        self.base = self.highest;
    }
}

pub(super) fn is_bounded_preview(preview: &Preview) -> bool {
    preview.entries.len() <= MOST_PREVIEWED && preview.bytes() <= MOST_ANSWER_BYTES
}

fn is_bounded_property(property: &Property<Preview>) -> bool {
    match &property.content {
        Content::Value(value) => is_bounded_preview(value),
        Content::Getter(_) | Content::Setter => true,
    }
}
