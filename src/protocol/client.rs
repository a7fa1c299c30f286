//! What a client says, checked once and handed on as types that cannot be wrong.

mod query;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{ErrorCode, RequestId};
use crate::ipc::{Detail, Lang, Mode, Query, SourceFile};

/// A client's id for a run may be this long, in bytes: it is echoed in every message of the run.
pub const MAX_ID_BYTES: usize = 128;

/// Files that may come with a run. Programs that need more have a place of their own.
pub const MAX_FILES: usize = 64;

/// A file's name may be this long, in bytes: it is in every line of a stack.
pub const MAX_FILE_NAME_BYTES: usize = 128;

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
    Hello {
        /// What values are to come with from now on; `None` leaves it as it is.
        detail: Option<Detail>,
    },
    Ping,
    /// A question about the engine.
    Query {
        id: Option<RequestId>,
        query: Query,
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

impl Run {
    /// About as many bytes as it holds.
    pub fn bytes(&self) -> usize {
        let Run { id, code, files, timeout_ms: _, lang: _, mode: _, fresh: _, input } = self;
        let files = files.iter().map(|file| file.name.len() + file.text.len() + RUN_BYTES);
        let id = id.as_ref().map_or(0, RequestId::bytes);
        id + code.len() + files.sum::<usize>() + input.as_ref().map_or(0, String::len) + RUN_BYTES
    }
}

/// What a run, or a file of it, costs besides its texts.
const RUN_BYTES: usize = 256;

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

#[derive(Deserialize)]
struct HelloFields {
    preview: Option<bool>,
}

fn fields_of<'a, F: Deserialize<'a>>(kind: &str, frame: &'a str, id: &Option<RequestId>) -> Result<F, Rejected> {
    serde_json::from_str(frame).map_err(|error| Rejected::bad(id.clone(), format!("in `{kind}`: {error}")))
}

impl ClientMessage {
    /// Reads one text frame.
    ///
    /// # Errors
    /// [`Rejected`] with `bad_message`, `too_large` or `unknown_type`, and a sentence that names the field.
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
                let InputFields { text } = fields_of("input", frame, &id)?;
                Ok(ClientMessage::Input { id, text })
            }
            "reset" => Ok(ClientMessage::Reset),
            "hello" => {
                let HelloFields { preview } = fields_of("hello", frame, &id)?;
                let detail = preview.map(|preview| if preview { Detail::Previews } else { Detail::Text });
                Ok(ClientMessage::Hello { detail })
            }
            "ping" => Ok(ClientMessage::Ping),
            "inspect" => query::inspect(frame, id),
            "complete" => query::complete(frame, id, limits),
            "is_complete" => query::is_complete(frame, id, limits),
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
        let RunFields { code, files, timeout_ms, lang, mode, fresh, input } = fields_of("run", frame, &id)?;
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
