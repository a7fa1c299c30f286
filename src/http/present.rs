//! The faces of a session's output: frames as they are, one frame a run, or a console's text.

use std::collections::HashMap;

use serde::Serialize;

use crate::ipc::{ConsoleMethod, ValueKind};
use crate::outcome::Outcome;
use crate::protocol::{ConsoleLine, Done, ErrorShown, RequestId, ServerMessage, UsageShown, ValueShown};

/// Turns messages into text frames.
#[derive(Debug)]
pub enum Presenter {
    /// `runpen.v1`.
    Json,
    /// `?reply=final`: a run's messages in one frame, when its last has come.
    Final(Finals),
    /// `/ws/text`: what a console would print.
    Text,
}

/// The runs of a `?reply=final` session that are not over.
#[derive(Debug, Default)]
pub struct Finals {
    runs: HashMap<RequestId, Collected>,
    /// What they hold together.
    bytes: usize,
}

/// A run's messages so far. Bounded by the run's console caps.
#[derive(Debug, Default)]
pub struct Collected {
    pub console: Vec<ConsoleLine>,
    pub done: Option<Done>,
    pub settled: Option<Settled>,
    /// What it holds.
    bytes: usize,
}

/// How the background ended.
#[derive(Debug, Serialize)]
pub struct Settled {
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorShown>,
    pub usage: UsageShown,
}

impl Collected {
    /// Takes a message of the run in; true when it was the last one. Messages that are no part of the result are let go.
    pub fn take(&mut self, message: ServerMessage) -> bool {
        self.bytes += message.bytes();
        match message {
            ServerMessage::Console { id: _, seq: _, entries, dropped: _ } => {
                self.console.extend(entries);
                false
            }
            ServerMessage::Done(done) => {
                let last = done.background == 0;
                self.done = Some(*done);
                last
            }
            ServerMessage::Settled { id: _, outcome, error, usage, runtime: _ } => {
                self.settled = Some(Settled { outcome, error, usage });
                true
            }
            ServerMessage::Queued { .. }
            | ServerMessage::Started { .. }
            | ServerMessage::InputRequest { .. }
            | ServerMessage::Reset
            | ServerMessage::Pong
            | ServerMessage::Hello(_)
            | ServerMessage::Properties { .. }
            | ServerMessage::Completions { .. }
            | ServerMessage::Completeness { .. }
            | ServerMessage::Error { .. } => false,
        }
    }
}

#[derive(Serialize)]
struct FinalFrame<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    done: &'a Done,
    console: &'a [ConsoleLine],
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: &'a Option<Settled>,
}

impl Presenter {
    /// The frame for a message, if it makes one now.
    pub fn present(&mut self, message: ServerMessage) -> Option<String> {
        match self {
            Presenter::Json => Some(json(&message)),
            Presenter::Final(runs) => runs.collect(message),
            Presenter::Text => console_text(message),
        }
    }

    /// Bytes of messages that make a frame later.
    pub fn held(&self) -> usize {
        match self {
            Presenter::Json | Presenter::Text => 0,
            Presenter::Final(runs) => runs.bytes,
        }
    }
}

/// A message as compact JSON.
pub fn json(message: &impl Serialize) -> String {
    serde_json::to_string(message).expect("messages have string keys and no failing serialisers")
}

impl Finals {
    fn collect(&mut self, message: ServerMessage) -> Option<String> {
        let id = match &message {
            ServerMessage::Queued { .. } | ServerMessage::Started { .. } => return None,
            ServerMessage::Console { id, .. } | ServerMessage::Settled { id, .. } => id.clone(),
            ServerMessage::Done(done) => done.id.clone(),
            ServerMessage::InputRequest { .. }
            | ServerMessage::Reset
            | ServerMessage::Pong
            | ServerMessage::Hello(_)
            | ServerMessage::Properties { .. }
            | ServerMessage::Completions { .. }
            | ServerMessage::Completeness { .. }
            | ServerMessage::Error { .. } => return Some(json(&message)),
        };
        self.bytes += message.bytes();
        let run = self.runs.entry(id.clone()).or_default();
        if !run.take(message) {
            return None;
        }
        let Collected { console, done, settled, bytes } = self.runs.remove(&id)?;
        self.bytes -= bytes;
        let done = done?;
        let frame = FinalFrame { kind: "done", done: &done, console: &console, settled: &settled };
        Some(json(&frame))
    }
}

fn console_text(message: ServerMessage) -> Option<String> {
    match message {
        ServerMessage::Console { entries, dropped, .. } => {
            // Nothing is cleared where there is no screen.
            let shown = entries.into_iter().filter(|entry| entry.method != Some(ConsoleMethod::Clear));
            let mut lines: Vec<String> = shown.map(|entry| entry.text).collect();
            if dropped > 0 {
                lines.push(format!("… {dropped} console entries dropped"));
            }
            (!lines.is_empty()).then(|| lines.join("\n"))
        }
        ServerMessage::Done(done) => match (done.error, done.value) {
            (Some(error), _) => Some(uncaught(&error)),
            (None, Some(ValueShown { kind, text, .. })) if kind != ValueKind::Undefined => Some(text),
            (None, _) => None,
        },
        // An error of a background turn was printed when it was thrown.
        ServerMessage::Settled { outcome: Outcome::Ok | Outcome::Error, .. } => None,
        ServerMessage::Settled { error, .. } => error.as_ref().map(uncaught),
        ServerMessage::InputRequest { text, .. } => Some(text),
        ServerMessage::Error { message, .. } => Some(format!("error: {message}")),
        ServerMessage::Queued { .. }
        | ServerMessage::Started { .. }
        | ServerMessage::Reset
        | ServerMessage::Pong
        | ServerMessage::Hello(_)
        | ServerMessage::Properties { .. }
        | ServerMessage::Completions { .. }
        | ServerMessage::Completeness { .. } => None,
    }
}

fn uncaught(error: &ErrorShown) -> String {
    let ErrorShown { name, message, stack, .. } = error;
    let shown = match (stack.is_empty(), name.is_empty()) {
        (false, _) => stack.trim_end().to_owned(),
        (true, false) => format!("{name}: {message}"),
        (true, true) => message.clone(),
    };
    format!("Uncaught {shown}")
}
