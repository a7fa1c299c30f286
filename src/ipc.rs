//! What the server and a worker say to each other, and how it is framed.
//!
//! A frame is a little-endian `u32` length and that many bytes of [postcard]. The server reads frames as if an attacker wrote
//! them, because the worker runs strangers' code: lengths are capped before anything is allocated, text is checked to be UTF-8,
//! no type here nests, and what a frame *means* is checked again by the session's state machine.

pub(crate) mod counted;
mod query;

use bytes::{Buf, BufMut, BytesMut};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use query::{
    Answer, Completeness, Completion, CompletionKind, Completions, Content, Glimpse, MOST_ANSWER_BYTES,
    MOST_COMPLETIONS, MOST_GLIMPSE_UNITS, MOST_PREVIEWED, MOST_PROPERTIES, MOST_REFERENCES, PATIENT_GRACE, Preview,
    Property, PropertyKind, Query, Reference, properties_bytes, try_map_properties,
};

use crate::ids::{QueryId, RunId};
use crate::outcome::{Outcome, StopReason, Usage};
use crate::sandbox::Report;

/// The largest frame either side accepts, in bytes. Above the largest legal message (a full client frame of code and input, or a
/// value's text and JSON at their caps). Half a frame of a worker is claimed from `server.inflight_bytes`, so that many hostile workers
/// together cannot exhaust the server either.
pub const MAX_FRAME_BYTES: usize = 4 << 20;

/// UTF-8 bytes of a question's text; the rest is cut with a note. Nobody reads a longer one before answering.
pub const MAX_PROMPT_BYTES: usize = 8 << 10;

/// Questions of one run. Nobody answers so many before the time for answers is used up; where a program answers, or nobody does,
/// it keeps questions from being a flood that no other limit bounds.
pub const MAX_PROMPTS: u32 = 1_000;

/// Bytes of the length in front of each frame.
pub const HEADER_BYTES: usize = 4;

/// How a worker ends that goes on being asked whether to stop, and does not, for longer than the grace. One whose code never asks
/// is ended by the kernel's alarm instead.
pub const STUCK_EXIT: i32 = 72;

/// What the worker needs to know about limits. Sent with every [`HostMessage::Prepare`]; all of it comes from the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub heap_bytes: u64,
    pub stack_bytes: u64,
    pub console_bytes: u64,
    pub console_entries: u64,
    /// Live timers at once.
    pub timers: u32,
    /// UTF-8 bytes of a value's or console argument's text; the rest is cut with a note.
    pub text_bytes: u64,
    /// UTF-8 bytes of a value's JSON; a larger one is left out.
    pub json_bytes: u64,
    /// From an interrupt to the end of the process, when the interrupt is ignored.
    pub kill_grace_ms: u64,
    /// How long a run's timers may live on after its value is settled, all in all.
    pub background_timeout_ms: u64,
    /// How long the prompts of one run may wait for the client, all in all.
    pub input_timeout_ms: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A console: state lives on, the completion value is shown, top-level `await` and `return` work.
    #[default]
    Repl,
    /// A plain script, sloppy unless it says otherwise.
    Script,
    /// An ES module.
    Module,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    #[default]
    Js,
    Ts,
}

/// Server to worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum HostMessage {
    /// Stop whatever runs, drop the engine, build a fresh one, check yourself, answer [`WorkerMessage::Ready`] with the nonce.
    /// Sent to a new worker, after each lease, and for `reset`.
    Prepare { nonce: u64, settings: Settings },
    /// Start a foreground run. Only sent while no other foreground run is active.
    Run(RunRequest),
    /// Stop one run, or all of them. Ignored for a run that is over.
    Interrupt { run: Option<RunId>, reason: StopReason },
    /// The answer to [`WorkerMessage::InputRequest`]; `None` when the user dismissed it or the time was up.
    InputAnswer { run: RunId, text: Option<String> },
    /// Answered by [`WorkerMessage::Answer`], between turns, in the order of the questions.
    Query { id: QueryId, query: Query },
}

/// What is said of values besides their text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Detail {
    #[default]
    Text,
    /// Previews too, and references to open them with.
    Previews,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRequest {
    pub run: RunId,
    pub code: String,
    /// What the code may import.
    pub files: Vec<SourceFile>,
    pub mode: Mode,
    pub lang: Lang,
    /// From the worker's `Started` to the deadline; also the deadline of each of the run's background turns.
    pub timeout_ms: u64,
    /// JSON text that becomes the global `input`.
    pub input: Option<String>,
    pub detail: Detail,
}

/// A file that comes with a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// A path below the run's own folder, with neither `.` nor `..` in it.
    pub name: String,
    pub text: String,
}

/// Worker to server. Untrusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum WorkerMessage {
    /// What keeps this process in. The first frame of every worker, before its engine exists, and believed only then.
    Boxed(Report),
    /// A fresh engine is up and has passed its own checks.
    Ready { nonce: u64, health: Health },
    /// The run's code is about to be evaluated.
    Started { run: RunId },
    /// Output of a run, foreground or background. `dropped` counts entries lost to the caps since the last such frame.
    Console {
        run: RunId,
        #[serde(deserialize_with = "counted::list")]
        entries: Vec<ConsoleEntry>,
        dropped: u64,
    },
    /// The run waits for the client; its deadline is paused.
    InputRequest {
        run: RunId,
        kind: InputKind,
        text: String,
        /// Of a prompt: what it offers as the answer.
        default: Option<String>,
    },
    /// The foreground of a run is over.
    Done(Box<RunEnd>),
    /// The background of a run is over. Only for runs whose `Done` had `background > 0`.
    Settled {
        run: RunId,
        outcome: Outcome,
        error: Option<ErrorInfo>,
        usage: Usage,
        /// As in [`RunEnd::engine_replaced`].
        engine_replaced: bool,
    },
    Answer {
        id: QueryId,
        answer: Answer,
        /// As in [`RunEnd::engine_replaced`]: a getter was interrupted.
        engine_replaced: bool,
    },
}

/// What a worker says about itself after a [`HostMessage::Prepare`]. The server decides what is healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Bytes in the fresh engine's heap.
    pub heap_bytes: u64,
    /// How often the probe loop reached the interrupt handler: 0 means that no loop could be stopped.
    pub interrupt_polls: u64,
    /// Open file descriptors; the socket is the only one there should be.
    pub open_files: u32,
    /// Jobs and timers left in the fresh engine.
    pub leftovers: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEnd {
    pub run: RunId,
    pub outcome: Outcome,
    /// Only with [`Outcome::Ok`].
    pub value: Option<ValueInfo>,
    /// With every outcome but `Ok`, where there is something to say.
    pub error: Option<ErrorInfo>,
    pub usage: Usage,
    /// Timers of this run that live on; a `Settled` follows if there are any.
    pub background: u32,
    /// The interrupt left the engine unfit and it was rebuilt: the session's state is gone, though the process lives.
    pub engine_replaced: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueInfo {
    pub kind: ValueKind,
    /// What a console would print.
    pub text: String,
    /// The value as JSON text, when it is plain data and small.
    pub json: Option<String>,
    pub preview: Option<Preview>,
}

/// The type of a completion value, named as `typeof` names it, with the cases that people tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    Undefined,
    Null,
    Boolean,
    Number,
    Bigint,
    String,
    Symbol,
    Function,
    Array,
    Error,
    Promise,
    Object,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorInfo {
    pub name: String,
    pub message: String,
    /// As a console prints it below `Uncaught`, first line included; may be empty.
    pub stack: String,
    /// 1-based, in the text the user sent.
    pub line: Option<u32>,
    /// 1-based, in UTF-16 units as editors count.
    pub column: Option<u32>,
    #[serde(deserialize_with = "counted::list")]
    pub frames: Vec<StackFrame>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackFrame {
    pub function: String,
    /// The run whose text it is in, as stacks name it (`run-3`), or a file of that run (`run-3/util.js`).
    pub source: String,
    pub line: u32,
    pub column: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleEntry {
    pub level: Level,
    pub text: String,
    /// Milliseconds since 1970, by the worker's clock.
    pub time_ms: u64,
    /// An uncaught error of a background turn.
    pub uncaught: bool,
    /// Which method of `console` it was, where the level does not say so.
    pub method: Option<ConsoleMethod>,
    /// How many groups it stands in. Its text is indented for them already.
    pub group: u32,
    /// What `%c` has asked for, in the order of the text, without overlaps.
    #[serde(deserialize_with = "counted::list")]
    pub styles: Vec<StyleRun>,
    /// The arguments, where previews are wanted and one of them can be opened.
    #[serde(deserialize_with = "counted::list")]
    pub values: Vec<Preview>,
}

impl ConsoleEntry {
    /// What the entry counts against the console caps: all that a script decides, styles by what they cost on the wire at least.
    pub fn bytes(&self) -> usize {
        self.text.len()
            + self.styles.iter().map(|style| style.css.len() + STYLE_BYTES).sum::<usize>()
            + self.values.iter().map(Preview::bytes).sum::<usize>()
    }
}

/// What a style costs besides its CSS.
const STYLE_BYTES: usize = 32;

/// The methods of `console` that are more than a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ConsoleMethod {
    Trace,
    Dir,
    Dirxml,
    Table,
    Group,
    GroupCollapsed,
    Count,
    CountReset,
    Time,
    TimeLog,
    TimeEnd,
    Assert,
    /// Has no text: a client may clear what it shows.
    Clear,
}

/// A part of an entry's text and the CSS that the script wants for it. The CSS is a stranger's: a client picks what it allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StyleRun {
    /// UTF-16 units of the text.
    pub from: u32,
    pub to: u32,
    pub css: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Log,
    Info,
    Warn,
    Error,
    Debug,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    Prompt,
    Confirm,
    Alert,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    #[error("read a frame of {0} bytes: the cap is {MAX_FRAME_BYTES}")]
    TooLarge(usize),
    #[error("decode a frame: {0}")]
    Malformed(postcard::Error),
    #[error("decode a frame: {0} bytes follow its message")]
    TrailingBytes(usize),
}

/// Appends one frame to `out`.
///
/// # Errors
/// [`FrameError::TooLarge`]; `out` is then as it was.
pub fn encode<T: Serialize>(message: &T, out: &mut BytesMut) -> Result<(), FrameError> {
    let start = out.len();
    out.put_u32_le(0);
    let mut writer = out.writer();
    postcard::to_io(message, &mut writer).map_err(FrameError::Malformed)?;
    let length = out.len() - start - HEADER_BYTES;
    if length > MAX_FRAME_BYTES {
        out.truncate(start);
        return Err(FrameError::TooLarge(length));
    }
    let header = u32::try_from(length).expect("the cap is far below u32::MAX");
    out[start..start + HEADER_BYTES].copy_from_slice(&header.to_le_bytes());
    Ok(())
}

/// Takes the first whole frame off `buffer`. `None` means that more bytes are needed.
///
/// # Errors
/// Any error means that the stream is out of step for good: the caller must give it up.
pub fn decode<T: DeserializeOwned>(buffer: &mut BytesMut) -> Result<Option<T>, FrameError> {
    let Some(header) = buffer.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    let length = u32::from_le_bytes(*header) as usize;
    if length > MAX_FRAME_BYTES {
        return Err(FrameError::TooLarge(length));
    }
    if buffer.len() < HEADER_BYTES + length {
        return Ok(None);
    }
    counted::begin_frame();
    let (message, rest) =
        postcard::take_from_bytes(&buffer[HEADER_BYTES..HEADER_BYTES + length]).map_err(FrameError::Malformed)?;
    if !rest.is_empty() {
        return Err(FrameError::TrailingBytes(rest.len()));
    }
    buffer.advance(HEADER_BYTES + length);
    Ok(Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(message: &WorkerMessage) -> BytesMut {
        let mut out = BytesMut::new();
        encode(message, &mut out).unwrap();
        out
    }

    #[test]
    fn a_frame_survives_the_way_there_and_leaves_the_rest_of_the_buffer() {
        let message = WorkerMessage::Started { run: RunId(7) };
        let mut buffer = framed(&message);
        buffer.extend_from_slice(b"next");
        assert_eq!(decode(&mut buffer), Ok(Some(message)));
        assert_eq!(&buffer[..], b"next");
    }

    #[test]
    fn a_frame_cut_anywhere_waits_for_more() {
        let whole = framed(&WorkerMessage::InputRequest {
            run: RunId(1),
            kind: InputKind::Prompt,
            text: "name?".into(),
            default: None,
        });
        for cut in 0..whole.len() {
            let mut part = BytesMut::from(&whole[..cut]);
            assert_eq!(decode::<WorkerMessage>(&mut part), Ok(None), "cut at {cut}");
            assert_eq!(part.len(), cut, "nothing is taken before the frame is whole");
        }
    }

    #[test]
    fn an_oversized_length_is_refused_before_its_body_arrives() {
        let mut buffer = BytesMut::from(&u32::MAX.to_le_bytes()[..]);
        assert_eq!(decode::<WorkerMessage>(&mut buffer), Err(FrameError::TooLarge(u32::MAX as usize)));
    }

    #[test]
    fn garbage_and_bad_utf8_and_trailing_bytes_are_errors() {
        let mut garbage = BytesMut::from(&[2, 0, 0, 0, 0xff, 0xff][..]);
        assert!(matches!(decode::<WorkerMessage>(&mut garbage), Err(FrameError::Malformed(_))));

        let mut bad_text = framed(&WorkerMessage::InputRequest {
            run: RunId(1),
            kind: InputKind::Alert,
            text: "ab".into(),
            default: None,
        });
        let last = bad_text.len() - 1;
        bad_text[last] = 0xff;
        assert!(matches!(decode::<WorkerMessage>(&mut bad_text), Err(FrameError::Malformed(_))));

        let mut trailing = framed(&WorkerMessage::Started { run: RunId(1) });
        trailing[0] += 1;
        trailing.put_u8(0);
        assert_eq!(decode::<WorkerMessage>(&mut trailing), Err(FrameError::TrailingBytes(1)));
    }

    /// A value, and nothing in it.
    fn small() -> Preview {
        let glimpse = Glimpse { kind: ValueKind::Null, text: String::new() };
        Preview { glimpse, reference: None, entries: Vec::new(), more: 0 }
    }

    fn property<V>(value: V) -> Property<V> {
        let kind = PropertyKind::Plain;
        Property { key: String::new(), kind, key_reference: None, content: Content::Value(value) }
    }

    fn line(values: Vec<Preview>) -> ConsoleEntry {
        let (level, text, styles) = (Level::Log, String::new(), Vec::new());
        ConsoleEntry { level, text, time_ms: 0, uncaught: false, method: None, group: 0, styles, values }
    }

    fn answer(entries: Vec<Property<Preview>>) -> WorkerMessage {
        let answer = Answer::Properties { total: 0, entries };
        WorkerMessage::Answer { id: QueryId(1), answer, engine_replaced: false }
    }

    fn console(entries: Vec<ConsoleEntry>) -> WorkerMessage {
        WorkerMessage::Console { run: RunId(1), entries, dropped: 0 }
    }

    #[test]
    fn a_frame_of_many_tiny_items_takes_no_more_memory_than_a_large_honest_one() {
        const MANY: usize = 150_000;
        let nested = Preview { entries: vec![property(small().glimpse); MANY], ..small() };
        let frame = || StackFrame { function: String::new(), source: String::new(), line: 1, column: 1 };
        let thrown = ErrorInfo {
            name: String::new(),
            message: String::new(),
            stack: String::new(),
            line: None,
            column: None,
            frames: (0..MANY).map(|_| frame()).collect(),
        };
        let style = StyleRun { from: 0, to: 0, css: String::new() };
        let item = Completion { label: String::new(), kind: CompletionKind::Keyword, detail: String::new() };
        let completions = Completions { from: 0, to: 0, items: vec![item; MANY] };
        let answered = |answer| WorkerMessage::Answer { id: QueryId(1), answer, engine_replaced: false };
        for hostile in [
            console(vec![line(Vec::new()); MANY]),
            console(vec![line(vec![small(); MANY])]),
            console(vec![line(vec![small(); 10]); MANY / 10]),
            console(vec![line(vec![nested])]),
            console(vec![ConsoleEntry { styles: vec![style; MANY], ..line(Vec::new()) }]),
            answer(vec![property(small()); MANY]),
            answered(Answer::Thrown(thrown)),
            answered(Answer::Completions(completions)),
        ] {
            let mut buffer = framed(&hostile);
            assert!(buffer.len() < MAX_FRAME_BYTES, "{} bytes", buffer.len());
            assert!(matches!(decode::<WorkerMessage>(&mut buffer), Err(FrameError::Malformed(_))));
        }
        let full = Preview { entries: vec![property(small().glimpse); MOST_PREVIEWED], ..small() };
        let most = answer(vec![property(full.clone()); MOST_PROPERTIES as usize]);
        assert_eq!(decode(&mut framed(&most)), Ok(Some(most)), "what the worker may say, and each frame anew");
        let most = console(vec![line(vec![full]); 1000]);
        assert_eq!(decode(&mut framed(&most)), Ok(Some(most)));
    }

    #[test]
    fn a_message_over_the_cap_is_not_sent_and_leaves_the_buffer_as_it_was() {
        let mut out = BytesMut::from(&b"before"[..]);
        let message = HostMessage::InputAnswer { run: RunId(1), text: Some("x".repeat(MAX_FRAME_BYTES)) };
        assert!(matches!(encode(&message, &mut out), Err(FrameError::TooLarge(_))));
        assert_eq!(&out[..], b"before");
    }
}
