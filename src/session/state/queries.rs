//! Questions about the engine: they wait for one, are asked in order, and each is answered once.
//!
//! None of them has a deadline here. The worker gives each little time and ends itself when it cannot keep to that; one that keeps
//! silent harms nobody but its own session, which can be recalled, reset and ended like any other.

use std::time::Instant;

use super::frames::Violation;
use super::{Action, Engine, Phase, State};
use crate::ids::QueryId;
use crate::ipc::{
    Answer, Completions, HostMessage, MOST_COMPLETIONS, MOST_PREVIEWED, Preview, Property, Query, properties_bytes,
};
use crate::outcome::StopReason;
use crate::protocol::{ErrorCode, Found, PropertyShown, RequestId, ServerMessage};

/// Questions of a session that wait for their answers. A client that types faster than it is answered can leave some out.
const MOST_QUERIES: usize = 16;

/// Bytes of one answer, by the measure of [`properties_bytes`]: far more than the worker ever finds.
const MOST_ANSWER_BYTES: usize = 1 << 20;

/// A question of the client.
#[derive(Debug)]
pub(super) struct Asked {
    id: Option<RequestId>,
    query: Query,
    /// Under this id the worker has it.
    sent: Option<QueryId>,
}

impl State {
    pub(super) fn query(&mut self, id: Option<RequestId>, query: Query) {
        if self.phase != Phase::Open {
            return self.error(ErrorCode::ShuttingDown, "no more questions are taken here", id);
        }
        if self.queries.len() >= MOST_QUERIES {
            return self.error(ErrorCode::QueueFull, "too many questions wait already", id);
        }
        self.queries.push_back(Asked { id, query, sent: None });
    }

    /// Hands the worker what it does not have yet. A reset that waits goes first: what is asked behind it is about the fresh engine.
    pub(super) fn ask_worker(&mut self) {
        if !matches!(self.engine, Engine::Up { .. }) || self.resets > 0 {
            return;
        }
        for asked in self.queries.iter_mut().filter(|asked| asked.sent.is_none()) {
            let id = QueryId(self.next_query);
            self.next_query = self.next_query.wrapping_add(1);
            asked.sent = Some(id);
            self.out.push(Action::ToWorker(HostMessage::Query { id, query: asked.query.clone() }));
        }
    }

    /// The engine that was asked is gone. What was asked about its values has no answer any more; the rest is asked again where it
    /// was replaced in good order, and not where a question may have been its end.
    pub(super) fn engine_lost(&mut self, may_ask_again: bool) {
        for mut asked in std::mem::take(&mut self.queries) {
            match asked {
                Asked { sent: None, .. } => self.queries.push_back(asked),
                Asked { query: Query::Inspect { .. }, id, .. } => self.expired(id),
                Asked { .. } if may_ask_again => {
                    asked.sent = None;
                    self.queries.push_back(asked);
                }
                Asked { id, .. } => {
                    self.error(ErrorCode::NoAnswer, "the runtime ended before it had an answer", id);
                }
            }
        }
    }

    /// Answers everything that waits with an error.
    pub(super) fn refuse_queries(&mut self, code: ErrorCode, message: &str) {
        for Asked { id, .. } in std::mem::take(&mut self.queries) {
            self.error(code, message, id);
        }
    }

    /// There is no engine, so nothing that could be looked at: no lease is taken to find that out.
    pub(super) fn expire_without_engine(&mut self) {
        for asked in std::mem::take(&mut self.queries) {
            match asked {
                Asked { query: Query::Inspect { .. }, id, .. } => self.expired(id),
                asked => self.queries.push_back(asked),
            }
        }
    }

    fn expired(&mut self, id: Option<RequestId>) {
        self.error(ErrorCode::RefExpired, "this value is not kept any more", id);
    }

    /// The worker answers in the order in which it was asked, and with what was asked for.
    pub(super) fn answered(
        &mut self,
        id: QueryId,
        answer: Answer,
        engine_replaced: bool,
        now: Instant,
    ) -> Result<(), Violation> {
        let Some(Asked { id: request, query, .. }) = self.queries.pop_front_if(|asked| asked.sent == Some(id)) else {
            return Err(Violation);
        };
        let message = match (query, answer) {
            (_, Answer::TooSlow) => {
                let message = "the answer would have taken too long";
                ServerMessage::Error { code: ErrorCode::NoAnswer, message: message.to_owned(), id: request }
            }
            (Query::Inspect { .. }, Answer::Expired) => {
                self.expired(request);
                return Ok(());
            }
            (Query::Inspect { reference, start, count }, answer) => {
                let found = match answer {
                    Answer::Properties { total, entries }
                        if entries.len() <= count as usize
                            && entries.iter().all(is_bounded_property)
                            && properties_bytes(&entries) <= MOST_ANSWER_BYTES =>
                    {
                        let entries = entries.into_iter().map(PropertyShown::from).collect();
                        Found::Entries { start, total, entries }
                    }
                    Answer::Value(value) if is_bounded_preview(&value) => Found::Value { value: value.into() },
                    Answer::Thrown(error) if self.is_bounded_error(&error) => Found::Thrown { error: error.into() },
                    _ => return Err(Violation),
                };
                ServerMessage::Properties { id: request, reference, found }
            }
            (Query::Complete { cursor, .. }, Answer::Completions(Completions { from, to, items })) => {
                let bytes: usize = items.iter().map(|item| item.label.len() + item.detail.len()).sum();
                let is_true =
                    from <= cursor && cursor <= to && items.len() <= MOST_COMPLETIONS && bytes <= MOST_ANSWER_BYTES;
                if !is_true {
                    return Err(Violation);
                }
                ServerMessage::Completions { id: request, from, to, items }
            }
            (Query::IsComplete { .. }, Answer::Completeness(state)) => {
                ServerMessage::Completeness { id: request, state }
            }
            (Query::Complete { .. } | Query::IsComplete { .. }, _) => return Err(Violation),
        };
        self.send(message);
        self.idle_since = now;
        self.note_replaced(engine_replaced);
        Ok(())
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

pub(super) fn is_bounded_preview(preview: &Preview) -> bool {
    preview.entries.len() <= MOST_PREVIEWED && preview.bytes() <= MOST_ANSWER_BYTES
}

fn is_bounded_property(property: &Property<Preview>) -> bool {
    match &property.content {
        crate::ipc::Content::Value(value) => is_bounded_preview(value),
        crate::ipc::Content::Getter(_) | crate::ipc::Content::Setter => true,
    }
}
