//! What a client's messages mean, and which of them are too many.

use actix_ws::{AggregatedMessage, CloseReason, ProtocolError};

use super::WsClient;
use crate::http::gate::{Violation, most_pieces};
use crate::http::lines::{Full, Lines, Next};
use crate::protocol::{ClientMessage, ErrorCode, Rejected, RequestId, Run};
use crate::session::Incoming;

impl WsClient {
    /// What a message means; `None` for one that means nothing to a session.
    pub(super) fn heard(&mut self, heard: Option<Result<AggregatedMessage, ProtocolError>>) -> Option<Incoming> {
        match heard {
            Some(Ok(AggregatedMessage::Close(reason))) => self.heard_close(reason),
            Some(Ok(AggregatedMessage::Ping(payload))) => {
                if !self.is_too_fast(1) {
                    self.answer(payload);
                }
                None
            }
            Some(Ok(AggregatedMessage::Pong(_))) => {
                self.is_too_fast(1);
                None
            }
            Some(Ok(AggregatedMessage::Text(text))) => {
                let too_fast = self.is_too_fast(self.seen.pieces());
                self.understand(&text, too_fast)
            }
            Some(Ok(AggregatedMessage::Binary(_))) => {
                Some(self.reject("binary frames are not understood here; send text"))
            }
            // The gate has let it through: it is a well-formed message, and what is wrong is its text alone.
            Some(Err(ProtocolError::Io(error))) if error.kind() == std::io::ErrorKind::InvalidData => {
                Some(self.reject("the text is not valid UTF-8"))
            }
            // Nothing else is left for an error to say than that the connection has broken.
            Some(Err(_)) => Some(Incoming::Gone),
            None => {
                if let Some(violation) = self.seen.violation() {
                    self.goodbye = Some(Some(self.farewell(violation)));
                }
                Some(Incoming::Gone)
            }
        }
    }

    fn heard_close(&mut self, reason: Option<CloseReason>) -> Option<Incoming> {
        let is_finished = reason.is_none();
        self.goodbye = Some(reason);
        match &mut self.lines {
            Some(lines) if is_finished => {
                lines.end();
                None
            }
            None if is_finished => Some(Incoming::Drain(self.close_drain)),
            Some(_) | None => Some(Incoming::Gone),
        }
    }

    /// What a client is told that has broken a rule.
    fn farewell(&self, violation: Violation) -> CloseReason {
        let limit = self.limits.frame_bytes;
        let (code, description) = match violation {
            Violation::Protocol(sentence) => (actix_ws::CloseCode::Protocol, sentence.to_owned()),
            Violation::NotUtf8 => (actix_ws::CloseCode::Invalid, "the reason is not valid UTF-8".to_owned()),
            Violation::TooLarge => (actix_ws::CloseCode::Size, format!("a message may have at most {limit} bytes")),
            Violation::TooManyPieces => {
                let limit = most_pieces(limit);
                (actix_ws::CloseCode::Size, format!("a message may have at most {limit} frames"))
            }
        };
        CloseReason { code, description: Some(description) }
    }

    /// Counts a message in so many frames, and says whether it is one too many. It is taken as one, and its further frames from what
    /// the next messages may have: a library that sends in pieces is not refused for that alone.
    fn is_too_fast(&self, frames: usize) -> bool {
        let Some(rate) = &self.rate else { return false };
        let is_too_fast = rate.check().is_err();
        (1..frames).take_while(|_| rate.check().is_ok()).for_each(drop);
        is_too_fast
    }

    /// Refuses a message that is no JSON text.
    fn reject(&self, sentence: &str) -> Incoming {
        if self.is_too_fast(self.seen.pieces()) {
            return rejected(ErrorCode::RateLimited, TOO_FAST, None);
        }
        rejected(ErrorCode::BadMessage, sentence, None)
    }

    fn understand(&mut self, text: &str, too_fast: bool) -> Option<Incoming> {
        let Some(lines) = &mut self.lines else {
            return Some(match ClientMessage::parse(text, self.limits) {
                Ok(message) if too_fast => rejected(ErrorCode::RateLimited, TOO_FAST, message_id(message)),
                Ok(message) => Incoming::Message(message),
                Err(Rejected { id, .. }) if too_fast => rejected(ErrorCode::RateLimited, TOO_FAST, id),
                Err(rejected) => Incoming::Rejected(rejected),
            });
        };
        if too_fast {
            return Some(rejected(ErrorCode::RateLimited, TOO_FAST, None));
        }
        match lines.hear(text.to_owned()) {
            Ok(()) => None,
            Err(Full) => Some(rejected(
                ErrorCode::QueueFull,
                "too many lines wait; this one is lost: send a script as one frame",
                None,
            )),
        }
    }

    /// A line for which the session is ready.
    pub(super) fn next_line(&mut self, next: Next) -> Incoming {
        match next {
            Next::Program(code) => match Run::from_code(code, self.limits) {
                Ok(run) => Incoming::Message(ClientMessage::Run(Box::new(run))),
                Err(rejected) => {
                    self.lines.iter_mut().for_each(Lines::refused);
                    Incoming::Rejected(rejected)
                }
            },
            Next::Answer(text) => Incoming::Message(ClientMessage::Input { id: None, text: Some(text) }),
            Next::End => Incoming::Drain(self.close_drain),
        }
    }
}

const TOO_FAST: &str = "too many messages a second; slow down";

fn rejected(code: ErrorCode, message: &str, id: Option<RequestId>) -> Incoming {
    Incoming::Rejected(Rejected { code, message: message.to_owned(), id })
}

fn message_id(message: ClientMessage) -> Option<RequestId> {
    match message {
        ClientMessage::Run(run) => run.id,
        ClientMessage::Cancel { id } | ClientMessage::Input { id, .. } | ClientMessage::Query { id, .. } => id,
        ClientMessage::Reset | ClientMessage::Hello { .. } | ClientMessage::Ping => None,
    }
}
