//! `runpen.v1`: what a client and the server say to each other, as JSON text frames. `docs/protocol.md` is its manual.
//!
//! Messages from the client are checked here, once, and handed on as types that cannot be wrong. Messages to the client are plain
//! data that serialises itself.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::ipc::{
    ConsoleEntry, ConsoleMethod, ErrorInfo, InputKind, Lang, Level, Mode, SourceFile, StackFrame, StyleRun, ValueInfo,
    ValueKind,
};
use crate::outcome::{Outcome, Usage};

/// The name of this protocol, as `hello` says it.
pub const PROTOCOL: &str = "runpen.v1";

/// A client's id for a run may be this long, in bytes: it is echoed in every message of the run.
pub const MAX_ID_BYTES: usize = 128;

/// Files that may come with a run. Programs that need more have a place of their own.
pub const MAX_FILES: usize = 64;

/// A file's name may be this long, in bytes: it is in every line of a stack.
pub const MAX_FILE_NAME_BYTES: usize = 128;

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

/// Client to server, checked.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientMessage {
    Run(Box<Run>),
    /// Without an id: everything of this session.
    Cancel {
        id: Option<RequestId>,
    },
    Input {
        id: Option<RequestId>,
        text: Option<String>,
    },
    Reset,
    Hello,
    Ping,
    /// A request this version knows of but cannot answer yet.
    Unsupported {
        kind: &'static str,
        id: Option<RequestId>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub id: Option<RequestId>,
    pub code: String,
    /// Their names are relative and normal, and no two are the same; their sizes count as code.
    pub files: Vec<SourceFile>,
    /// Within 1 and the server's maximum; `None` for the server's default.
    pub timeout_ms: Option<u64>,
    pub lang: Lang,
    pub mode: Mode,
    pub fresh: bool,
    /// JSON text.
    pub input: Option<String>,
}

/// What a client message is checked against.
#[derive(Debug, Clone, Copy)]
pub struct ClientLimits {
    /// One whole message.
    pub frame_bytes: usize,
    pub code_bytes: usize,
    pub max_timeout_ms: u64,
}

/// A message that was not understood. Answered with `error`; the session goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    pub code: ErrorCode,
    pub message: String,
    pub id: Option<RequestId>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RunFields<'a> {
    code: Option<String>,
    files: Option<BTreeMap<String, String>>,
    timeout_ms: Option<f64>,
    lang: Option<Lang>,
    mode: Option<Mode>,
    fresh: Option<bool>,
    /// `null` is an input like any other.
    #[serde(borrow, default, deserialize_with = "present")]
    input: Option<&'a RawValue>,
}

fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(field).map(Some)
}

#[derive(Deserialize)]
struct InputFields {
    text: Option<String>,
}

impl ClientMessage {
    /// Reads one text frame.
    ///
    /// # Errors
    /// [`Rejected`] with `bad_message`, `too_large`, `unknown_type` or `unsupported`, and a sentence that names the field.
    pub fn parse(frame: &str, limits: ClientLimits) -> Result<ClientMessage, Rejected> {
        must_be_object(frame)?;
        let envelope: Envelope = serde_json::from_str(frame)
            .map_err(|error| Rejected::bad(None, format!("a message is one JSON object: {error}")))?;
        let id = envelope.id.map(parse_id).transpose()?.flatten();
        let Some(kind) = envelope.kind else {
            return Err(Rejected::bad(id, "the field `type` is missing".to_owned()));
        };
        let Ok(kind) = serde_json::from_str::<String>(kind.get()) else {
            return Err(Rejected::bad(id, "the field `type` must be a string".to_owned()));
        };
        match kind.as_str() {
            "run" => Run::parse(frame, id, limits).map(|run| ClientMessage::Run(Box::new(run))),
            "cancel" => Ok(ClientMessage::Cancel { id }),
            "input" => {
                let fields: InputFields = serde_json::from_str(frame)
                    .map_err(|error| Rejected::bad(id.clone(), format!("in `input`: {error}")))?;
                Ok(ClientMessage::Input { id, text: fields.text })
            }
            "reset" => Ok(ClientMessage::Reset),
            "hello" => Ok(ClientMessage::Hello),
            "ping" => Ok(ClientMessage::Ping),
            "complete" => Ok(ClientMessage::Unsupported { kind: "complete", id }),
            "inspect" => Ok(ClientMessage::Unsupported { kind: "inspect", id }),
            other => {
                let shown: String = other.chars().take(40).collect();
                Err(Rejected {
                    code: ErrorCode::UnknownType,
                    message: format!("there is no message type {shown:?}"),
                    id,
                })
            }
        }
    }
}

impl Run {
    fn parse(frame: &str, id: Option<RequestId>, limits: ClientLimits) -> Result<Run, Rejected> {
        let fields: RunFields = match serde_json::from_str(frame) {
            Ok(fields) => fields,
            Err(error) => return Err(Rejected::bad(id, format!("in `run`: {error}"))),
        };
        let RunFields { code, files, timeout_ms, lang, mode, fresh, input } = fields;
        let Some(code) = code else {
            return Err(Rejected::bad(id, "in `run`: the field `code` is missing".to_owned()));
        };
        let mut sources = Vec::new();
        for (name, text) in files.unwrap_or_default() {
            match file_name(&name) {
                Ok(name) => sources.push(SourceFile { name, text }),
                Err(message) => return Err(Rejected::bad(id, message)),
            }
        }
        let run = Run {
            code,
            files: sources,
            timeout_ms: None,
            lang: lang.unwrap_or_default(),
            mode: mode.unwrap_or_default(),
            fresh: fresh.unwrap_or_default(),
            input: input.map(|raw| raw.get().to_owned()),
            id,
        };
        run.checked(timeout_ms, limits)
    }

    /// The body of `POST /api/run`: a `run` message without its envelope.
    ///
    /// # Errors
    /// As [`ClientMessage::parse`].
    pub fn from_body(body: &str, limits: ClientLimits) -> Result<Run, Rejected> {
        must_be_object(body)?;
        Run::parse(body, None, limits)
    }

    /// A run of plain code with the defaults, as `/ws/text` makes them.
    ///
    /// # Errors
    /// [`Rejected`] where the code is too long or has a NUL character.
    pub fn from_code(code: String, limits: ClientLimits) -> Result<Run, Rejected> {
        let run = Run {
            id: None,
            code,
            files: Vec::new(),
            timeout_ms: None,
            lang: Lang::Js,
            mode: Mode::Repl,
            fresh: false,
            input: None,
        };
        run.checked(None, limits)
    }

    /// The one place where a run's fields are held against the limits.
    fn checked(mut self, timeout_ms: Option<f64>, limits: ClientLimits) -> Result<Run, Rejected> {
        let sizes = self.files.iter().map(|file| file.name.len() + file.text.len());
        let length = self.code.len() + sizes.sum::<usize>();
        if length > limits.code_bytes {
            let what = if self.files.is_empty() { "`code` has" } else { "`code` and `files` have" };
            return Err(Rejected {
                code: ErrorCode::TooLarge,
                message: format!("{what} {length} bytes; the limit is {}", limits.code_bytes),
                id: self.id,
            });
        }
        if self.code.contains('\0') || self.files.iter().any(|file| file.text.contains('\0')) {
            return Err(Rejected::bad(self.id, "`code` has a NUL character, which no program needs".to_owned()));
        }
        if self.files.len() > MAX_FILES {
            return Err(Rejected::bad(self.id, format!("`files` may have at most {MAX_FILES} files")));
        }
        if let Some(twice) =
            self.files.iter().enumerate().find_map(|(at, file)| {
                self.files[..at].iter().any(|other| other.name == file.name).then_some(&file.name)
            })
        {
            let message = format!("in `files`: {twice:?} is there twice");
            return Err(Rejected::bad(self.id, message));
        }
        if let Some(asked) = timeout_ms {
            let max = limits.max_timeout_ms;
            if !(asked.fract() == 0.0 && asked >= 1.0 && asked <= max as f64) {
                let message = format!("`timeout_ms` must be a whole number from 1 to {max}");
                return Err(Rejected::bad(self.id, message));
            }
            self.timeout_ms = Some(asked as u64);
        }
        Ok(self)
    }
}

impl Rejected {
    fn bad(id: Option<RequestId>, message: String) -> Rejected {
        Rejected { code: ErrorCode::BadMessage, message, id }
    }
}

impl From<Rejected> for ServerMessage {
    fn from(rejected: Rejected) -> ServerMessage {
        let Rejected { code, message, id } = rejected;
        ServerMessage::Error { code, message, id }
    }
}

/// serde would also read a struct from an array.
fn must_be_object(text: &str) -> Result<(), Rejected> {
    if text.trim_start().starts_with('{') {
        return Ok(());
    }
    Err(Rejected::bad(None, "a message is one JSON object".to_owned()))
}

/// The name of a file as imports find it, or what is wrong with it.
fn file_name(name: &str) -> Result<String, String> {
    let normal = name.strip_prefix("./").unwrap_or(name);
    let is_plain = |c: char| !c.is_control() && !matches!(c, ':' | '\\' | '?' | '#' | '(' | ')');
    let is_normal = normal.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if !is_normal || !normal.chars().all(is_plain) || normal.len() > MAX_FILE_NAME_BYTES {
        let shown: String = name.chars().take(40).collect();
        return Err(format!(
            "in `files`: {shown:?} is no name for a file: it must be relative, such as \"util.js\" or \"lib/util.ts\", \
             without `.` and `..` in it, without any of : \\ ? # ( ), and of at most {MAX_FILE_NAME_BYTES} bytes"
        ));
    }
    Ok(normal.to_owned())
}

fn parse_id(raw: &RawValue) -> Result<Option<RequestId>, Rejected> {
    match serde_json::from_str(raw.get()) {
        Ok(serde_json::Value::Null) => Ok(None),
        Ok(serde_json::Value::Number(number)) => Ok(Some(RequestId::Number(number))),
        Ok(serde_json::Value::String(text)) if text.len() <= MAX_ID_BYTES => Ok(Some(RequestId::Text(text))),
        Ok(serde_json::Value::String(_)) => {
            Err(Rejected::bad(None, format!("the field `id` may have at most {MAX_ID_BYTES} bytes")))
        }
        Ok(_) | Err(_) => Err(Rejected::bad(None, "the field `id` must be a string or a number".to_owned())),
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
    Error {
        code: ErrorCode,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
    },
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
    /// Known to the protocol, not to this version.
    Unsupported,
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
    ShuttingDown,
}

#[derive(Debug, Clone, Serialize)]
pub struct ConsoleLine {
    pub level: Level,
    pub text: String,
    pub time: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub uncaught: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<ConsoleMethod>,
    #[serde(skip_serializing_if = "is_top")]
    pub group: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub styles: Vec<StyleRun>,
}

#[derive(Debug, Clone, Serialize)]
pub struct ValueShown {
    pub kind: ValueKind,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Box<RawValue>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorShown {
    pub name: String,
    pub message: String,
    pub stack: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    pub frames: Vec<StackFrame>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct UsageShown {
    pub wall_ms: f64,
    pub cpu_ms: f64,
    pub heap_bytes: u64,
    pub console_bytes: u64,
    pub dropped: u64,
}

impl From<ConsoleEntry> for ConsoleLine {
    fn from(entry: ConsoleEntry) -> ConsoleLine {
        let ConsoleEntry { level, text, time_ms, uncaught, method, group, styles } = entry;
        ConsoleLine { level, text, time: time_ms, uncaught, method, group, styles }
    }
}

/// What a worker calls JSON is none, or none that may stand in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadJson;

impl TryFrom<ValueInfo> for ValueShown {
    type Error = BadJson;

    /// Fails where the worker's JSON is not JSON, or not on one line: it goes on as it is, and in a streamed reply a line is a frame.
    fn try_from(value: ValueInfo) -> Result<ValueShown, BadJson> {
        let ValueInfo { kind, text, json } = value;
        if json.as_ref().is_some_and(|json| json.contains(['\n', '\r'])) {
            return Err(BadJson);
        }
        let json = json.map(RawValue::from_string).transpose().map_err(|_| BadJson)?;
        Ok(ValueShown { kind, text, json })
    }
}

impl From<ErrorInfo> for ErrorShown {
    fn from(error: ErrorInfo) -> ErrorShown {
        let ErrorInfo { name, message, stack, line, column, frames } = error;
        ErrorShown { name, message, stack, line, column, frames }
    }
}

impl From<Usage> for UsageShown {
    fn from(usage: Usage) -> UsageShown {
        let Usage { wall_us, cpu_us, heap_bytes, console_bytes, dropped } = usage;
        UsageShown {
            wall_ms: wall_us as f64 / 1000.0,
            cpu_ms: cpu_us as f64 / 1000.0,
            heap_bytes,
            console_bytes,
            dropped,
        }
    }
}

fn is_top(group: &u32) -> bool {
    *group == 0
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests;
