//! `runpen.v1`: what a client and the server say to each other, as JSON text frames. `docs/protocol.md` is its manual.
//!
//! Messages from the client are checked here, once, and handed on as types that cannot be wrong. Messages to the client are plain
//! data that serialises itself.

mod client;
mod previews;
mod size;
mod values;

use std::fmt;

use serde::Serialize;

pub use client::{ClientLimits, ClientMessage, MAX_FILE_NAME_BYTES, MAX_FILES, MAX_ID_BYTES, Rejected, Run};
pub use previews::{PreviewShown, PropertyShown};
pub use values::{BadJson, ConsoleLine, ErrorShown, UsageShown, ValueShown};

use crate::ipc::{Completeness, Completion, InputKind, Reference};
use crate::outcome::Outcome;

/// The name of this protocol, as `hello` says it.
pub const PROTOCOL: &str = "runpen.v1";

/// A run's id as the client chose it (a string or a number), echoed as it came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum RequestId {
    Number(serde_json::Number),
    Text(String),
}

impl From<u64> for RequestId {
    fn from(number: u64) -> Self {
        RequestId::Number(number.into())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestId::Number(number) => write!(f, "{number}"),
            RequestId::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// Server to client.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    Queued {
        id: RequestId,
        /// 1 is next.
        position: usize,
        waiting_for: WaitingFor,
    },
    Started {
        id: RequestId,
        runtime: StartedIn,
        /// The name of the run's text in stacks and frames.
        source: String,
    },
    Console {
        id: RequestId,
        /// Counts the run's console messages from 0.
        seq: u64,
        entries: Vec<ConsoleLine>,
        #[serde(skip_serializing_if = "is_zero")]
        dropped: u64,
    },
    InputRequest {
        id: RequestId,
        kind: InputKind,
        text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        default: Option<String>,
    },
    Done(Box<Done>),
    Settled {
        id: RequestId,
        outcome: Outcome,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<ErrorShown>,
        usage: UsageShown,
        runtime: EndedIn,
    },
    Reset,
    Pong,
    Hello(Box<Hello>),
    /// Answers `inspect`: a part of what is in a value, or what a getter has come to.
    Properties {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        #[serde(rename = "ref")]
        reference: Reference,
        #[serde(flatten)]
        found: Found,
    },
    /// Answers `complete`.
    Completions {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        from: u32,
        to: u32,
        items: Vec<Completion>,
    },
    /// Answers `is_complete`.
    Completeness {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        state: Completeness,
    },
    Error {
        code: ErrorCode,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
    },
}

/// What `inspect` has found.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Found {
    Entries { start: u64, total: u64, entries: Vec<PropertyShown> },
    Value { value: PreviewShown },
    Thrown { error: ErrorShown },
}

#[derive(Debug, Clone, Serialize)]
pub struct Done {
    pub id: RequestId,
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<ValueShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorShown>,
    pub usage: UsageShown,
    pub runtime: EndedIn,
    /// Timers that live on; a `settled` follows if there are any.
    pub background: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hello {
    pub protocol: &'static str,
    pub version: &'static str,
    pub engine: &'static str,
    /// Absent in `/api/info`, which belongs to no session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    pub limits: LimitsShown,
    pub features: Vec<&'static str>,
}

/// The limits that a client can meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitsShown {
    pub timeout_ms: u64,
    pub max_timeout_ms: u64,
    pub background_timeout_ms: u64,
    pub input_timeout_ms: u64,
    pub code_bytes: usize,
    pub frame_bytes: usize,
    pub heap_bytes: u64,
    pub console_bytes: u64,
    pub console_entries: u64,
    pub queue: usize,
    pub timers: u32,
}

/// What a queued run waits for: runs of its own session, or a runtime from the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    Session,
    Pool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StartedIn {
    Kept,
    Fresh,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedIn {
    Kept,
    Replaced,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not JSON, a field missing or of the wrong type.
    BadMessage,
    UnknownType,
    TooLarge,
    /// The id belongs to a run that is not over.
    DuplicateId,
    /// The session's own queue is full.
    QueueFull,
    /// No runtime was free in time, or the waiting line is full.
    Busy,
    RateLimited,
    /// No such run, or it is over, or nothing is running.
    UnknownRun,
    /// No run waits for input.
    NoInputWanted,
    /// The value belongs to an engine that is gone, or was given up for newer ones.
    RefExpired,
    /// The engine is gone, or needed longer than a question may.
    NoAnswer,
    ShuttingDown,
}

impl From<Rejected> for ServerMessage {
    fn from(rejected: Rejected) -> ServerMessage {
        let Rejected { code, message, id } = rejected;
        ServerMessage::Error { code, message, id }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests;
