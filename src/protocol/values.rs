//! Values, errors, console entries and figures as clients see them.

use serde::Serialize;
use serde_json::value::RawValue;

use super::PreviewShown;
use crate::ipc::{ConsoleEntry, ConsoleMethod, ErrorInfo, Level, StackFrame, StyleRun, ValueInfo, ValueKind};
use crate::outcome::Usage;

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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<PreviewShown>,
}

#[derive(Debug, Clone, Serialize)]
pub struct ValueShown {
    pub kind: ValueKind,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<PreviewShown>,
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
        let ConsoleEntry { level, text, time_ms, uncaught, method, group, styles, values } = entry;
        let values = values.into_iter().map(PreviewShown::from).collect();
        ConsoleLine { level, text, time: time_ms, uncaught, method, group, styles, values }
    }
}

/// What a worker calls JSON is none, or none that may stand in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadJson;

impl TryFrom<ValueInfo> for ValueShown {
    type Error = BadJson;

    /// Fails where the worker's JSON is not JSON, or not on one line: it goes on as it is, and in a streamed reply a line is a frame.
    fn try_from(value: ValueInfo) -> Result<ValueShown, BadJson> {
        let ValueInfo { kind, text, json, preview } = value;
        if json.as_ref().is_some_and(|json| json.contains(['\n', '\r'])) {
            return Err(BadJson);
        }
        let json = json.map(RawValue::from_string).transpose().map_err(|_| BadJson)?;
        Ok(ValueShown { kind, text, json, preview: preview.map(PreviewShown::from) })
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
