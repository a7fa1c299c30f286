//! What a message costs while it waits, and how it is made small where there is no room for it.

use super::{ConsoleLine, Done, ErrorCode, ErrorShown, Found, RequestId, ServerMessage, ValueShown};

/// What every message costs besides its texts.
const MESSAGE_BYTES: usize = 128;

/// The end of a run is told with its value or error where these are no larger, however little room there is: the ends of a session
/// are bounded in number, and a client wants to know.
const ALWAYS_TOLD_BYTES: usize = 1024;

/// What stands in the place of a text that was left out.
const LEFT_OUT: &str = "… left out: too much waits to be read";

impl ServerMessage {
    /// About as many bytes as the message holds.
    pub fn bytes(&self) -> usize {
        MESSAGE_BYTES
            + match self {
                ServerMessage::Console { id, entries, .. } => {
                    id.bytes() + entries.iter().map(|entry| entry.bytes() + MESSAGE_BYTES).sum::<usize>()
                }
                ServerMessage::InputRequest { id, text, default, .. } => {
                    id.bytes() + text.len() + default.as_ref().map_or(0, String::len)
                }
                ServerMessage::Done(done) => {
                    let Done { id, value, error, .. } = &**done;
                    id.bytes()
                        + value.as_ref().map_or(0, ValueShown::bytes)
                        + error.as_ref().map_or(0, ErrorShown::bytes)
                }
                ServerMessage::Settled { id, error, .. } => id.bytes() + error.as_ref().map_or(0, ErrorShown::bytes),
                ServerMessage::Properties { found, .. } => match found {
                    Found::Entries { entries, .. } => entries.iter().map(|entry| entry.bytes()).sum(),
                    Found::Value { value } => value.bytes(),
                    Found::Thrown { error } => error.bytes(),
                },
                ServerMessage::Completions { items, .. } => {
                    items.iter().map(|item| item.label.len() + item.detail.len() + MESSAGE_BYTES).sum()
                }
                ServerMessage::Error { message, .. } => message.len(),
                ServerMessage::Queued { id, .. } | ServerMessage::Started { id, .. } => id.bytes(),
                ServerMessage::Reset
                | ServerMessage::Pong
                | ServerMessage::Hello(_)
                | ServerMessage::Completeness { .. } => 0,
            }
    }

    /// The same message where it fits into `room` bytes; else without what can be left out, and with a word on that. Nothing is
    /// left out in silence, and every end stays an end.
    #[must_use]
    pub fn within(self, room: usize) -> ServerMessage {
        let is_end = matches!(self, ServerMessage::Done(_) | ServerMessage::Settled { .. });
        let room = if is_end { room.max(ALWAYS_TOLD_BYTES) } else { room };
        if self.bytes() <= room {
            return self;
        }
        match self {
            ServerMessage::Console { id, seq, entries, dropped } => {
                let dropped = dropped + entries.len() as u64;
                ServerMessage::Console { id, seq, entries: Vec::new(), dropped }
            }
            ServerMessage::Done(mut done) => {
                done.value = done.value.map(ValueShown::left_out);
                done.error = done.error.map(ErrorShown::left_out);
                ServerMessage::Done(done)
            }
            ServerMessage::Settled { id, outcome, error, usage, runtime } => {
                ServerMessage::Settled { id, outcome, error: error.map(ErrorShown::left_out), usage, runtime }
            }
            ServerMessage::Properties { id, .. } | ServerMessage::Completions { id, .. } => {
                let message = "the answer is left out: too much waits to be read".to_owned();
                ServerMessage::Error { code: ErrorCode::NoAnswer, message, id }
            }
            // Small, or an answer to a message that a client may not send while it does not read.
            small @ (ServerMessage::Queued { .. }
            | ServerMessage::Started { .. }
            | ServerMessage::InputRequest { .. }
            | ServerMessage::Reset
            | ServerMessage::Pong
            | ServerMessage::Hello(_)
            | ServerMessage::Completeness { .. }
            | ServerMessage::Error { .. }) => small,
        }
    }
}

impl RequestId {
    /// About as many bytes as it takes in a message.
    pub fn bytes(&self) -> usize {
        match self {
            RequestId::Number(_) => 0,
            RequestId::Text(text) => text.len(),
        }
    }
}

impl ValueShown {
    fn bytes(&self) -> usize {
        let ValueShown { kind: _, text, json, preview } = self;
        text.len() + json.as_ref().map_or(0, |json| json.get().len()) + preview.as_ref().map_or(0, |one| one.bytes())
    }

    fn left_out(self) -> ValueShown {
        ValueShown { kind: self.kind, text: LEFT_OUT.to_owned(), json: None, preview: None }
    }
}

impl ErrorShown {
    fn bytes(&self) -> usize {
        let ErrorShown { name, message, stack, line: _, column: _, frames } = self;
        let frames = frames.iter().map(|frame| frame.function.len() + frame.source.len() + MESSAGE_BYTES);
        name.len() + message.len() + stack.len() + frames.sum::<usize>()
    }

    /// Its place stays.
    fn left_out(self) -> ErrorShown {
        let ErrorShown { name, message: _, stack: _, line, column, frames: _ } = self;
        let stack = format!("{name}: {LEFT_OUT}");
        ErrorShown { name, message: LEFT_OUT.to_owned(), stack, line, column, frames: Vec::new() }
    }
}

impl ConsoleLine {
    /// What holding it costs, more or less.
    pub fn bytes(&self) -> usize {
        let styles = self.styles.iter().map(|style| style.css.len() + MESSAGE_BYTES);
        let values = self.values.iter().map(|value| value.bytes());
        self.text.len() + styles.sum::<usize>() + values.sum::<usize>()
    }
}
