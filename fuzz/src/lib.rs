//! What the fuzz targets do with their bytes. Each function takes any bytes at all, and panics where a promise is broken.
//!
//! The fuzz targets call these, and so does a plain test of the server, `tests/it/fuzz_corpus.rs`, with every file of the corpus.

mod conversation;
mod rfc6455;

use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::BytesMut;
use conversation::Conversation;
use runpen::config::{Config, Sources};
use runpen::fuzzing;
use runpen::ipc::{self, HEADER_BYTES, HostMessage, MAX_FRAME_BYTES, WorkerMessage};
use runpen::protocol::{ClientLimits, ClientMessage, Run};

/// A target's name and its function.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 5] = [
    ("client_frames", client_frames),
    ("worker_frames", worker_frames),
    ("configuration", configuration),
    ("source", source),
    ("gate", gate),
];

/// A stack for texts of the length that a fuzzer makes.
const DEEP_STACK_BYTES: usize = 1 << 30;

/// Small limits, so that short inputs reach them.
const LIMITS: ClientLimits = ClientLimits { frame_bytes: 1024, code_bytes: 64, max_timeout_ms: 300_000 };

/// Places of a text that are completed, or it would take its length by its length.
const MOST_CURSORS: usize = 64;

/// Lines are what a client sends to one session, whose worker and pool do what they should. A line that begins with a control
/// character is no frame: it lets time pass, or the client leave.
pub fn client_frames(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut conversation = Conversation::new(data.len());
    for line in text.split('\n') {
        let mut chars = line.chars();
        match chars.next() {
            Some('\u{1}') => conversation.wait(Duration::from_millis(line.len() as u64 * 100)),
            Some('\u{2}') => conversation.drain(Some(Duration::from_millis(line.len() as u64 * 10))),
            Some('\u{3}') => conversation.gone(),
            Some('\u{4}') => conversation.shutdown(),
            Some('\u{5}') => conversation.obey(),
            Some(_) | None => {
                let body = Run::from_body(line, LIMITS);
                let plain = Run::from_code(line.to_owned(), LIMITS);
                assert!(plain.is_ok() || line.len() > LIMITS.code_bytes || line.contains('\0'), "{plain:?}");
                match ClientMessage::parse(line, LIMITS) {
                    Ok(message) => {
                        if let ClientMessage::Run(run) = &message {
                            check_run(run);
                            let alike = body.expect("a body is a `run` without its envelope");
                            assert_eq!((&alike.code, alike.timeout_ms), (&run.code, run.timeout_ms));
                        }
                        conversation.client(message);
                    }
                    Err(rejected) => {
                        assert!(!rejected.message.is_empty());
                        conversation.rejected(rejected);
                    }
                }
            }
        }
    }
    conversation.finish();
}

fn check_run(run: &Run) {
    assert!(run.code.len() <= LIMITS.code_bytes && !run.code.contains('\0'), "{run:?}");
    assert!(run.timeout_ms.is_none_or(|ms| (1..=LIMITS.max_timeout_ms).contains(&ms)), "{run:?}");
    let input = run.input.as_deref().map(serde_json::from_str::<serde_json::Value>);
    assert!(input.is_none_or(|input| input.is_ok()), "{run:?}");
}

/// The bytes are what a worker writes, cut at arbitrary places, between what a client, the pool and the clock do meanwhile.
pub fn worker_frames(data: &[u8]) {
    decode_alone(data);
    let mut conversation = Conversation::new(data.first().map_or(0, |byte| *byte as usize));
    let mut rest = data.get(1..).unwrap_or_default();
    while let Some((&step, more)) = rest.split_first() {
        rest = conversation.step(step, more);
    }
    conversation.finish();
}

/// A stream that is only decoded: whole, and a byte at a time, it must come to the same.
fn decode_alone(data: &[u8]) {
    let mut whole = BytesMut::from(data);
    let (mut messages, mut error) = (Vec::new(), None);
    loop {
        match ipc::decode::<WorkerMessage>(&mut whole) {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => break,
            Err(cause) => {
                error = Some(cause);
                break;
            }
        }
    }
    let (mut buffer, mut again, mut error_again) = (BytesMut::new(), Vec::new(), None);
    'bytes: for byte in data {
        buffer.extend_from_slice(&[*byte]);
        loop {
            match ipc::decode::<WorkerMessage>(&mut buffer) {
                Ok(Some(message)) => again.push(message),
                Ok(None) => break,
                Err(cause) => {
                    error_again = Some(cause);
                    break 'bytes;
                }
            }
        }
        assert!(buffer.len() <= HEADER_BYTES + MAX_FRAME_BYTES);
    }
    assert_eq!((&messages, error), (&again, error_again));
    for message in &messages {
        let mut out = BytesMut::new();
        ipc::encode(message, &mut out).expect("no larger than it came");
        assert_eq!(ipc::decode(&mut out).as_ref(), Ok(&Some(message.clone())));
    }
    // The other direction is trusted, and yet a worker must not trip over it.
    let mut hosts = BytesMut::from(data);
    while let Ok(Some(_)) = ipc::decode::<HostMessage>(&mut hosts) {}
}

/// The text of a configuration file up to the first NUL. Each piece between further ones is a variable `NAME=VALUE`, or begins with
/// `@` and is the profile, or with `:` and is the address to listen on.
pub fn configuration(data: &[u8]) {
    let mut pieces = data.split(|byte| *byte == 0);
    let file = pieces.next().unwrap_or_default();
    let mut sources = Sources { file: Some(scratch_file(file)), ..Sources::default() };
    for piece in pieces {
        let text = String::from_utf8_lossy(piece).into_owned();
        match text.split_once('=') {
            _ if text.starts_with('@') => sources.profile = Some(text[1..].to_owned()),
            _ if text.starts_with(':') => sources.listen = Some(text[1..].to_owned()),
            Some((name, value)) => sources.environment.push((name.into(), value.into())),
            None => {}
        }
    }
    match Config::load(&sources) {
        Ok(config) => {
            let shown = config.to_toml();
            let again = Sources { file: Some(scratch_file(shown.as_bytes())), ..Sources::default() };
            assert_eq!(Config::load(&again).expect("what is printed loads"), config, "{shown}");
            let _ = config.worker_settings();
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A file with this text, the same one each time.
fn scratch_file(text: &[u8]) -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(|| {
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
        folder.join(format!("runpen-fuzz-{}.toml", std::process::id()))
    });
    let mut file = std::fs::File::create(path).expect("a file can be made");
    file.write_all(text).expect("a file can be written");
    path.clone()
}

/// A run's code, with a cursor at many places of it, and, after the first NUL, a stack as its script could forge one.
pub fn source(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (code, trace) = text.split_once('\0').unwrap_or((&text, ""));
    // Outside of a worker nobody catches a parser that descends too far.
    std::thread::scope(|scope| {
        let stack = std::thread::Builder::new().stack_size(DEEP_STACK_BYTES);
        let rehearsal = stack.spawn_scoped(scope, || fuzzing::source(code, trace)).expect("a thread can be made");
        rehearsal.join().expect("nothing panics");
    });
    let units = code.encode_utf16().count();
    for cursor in (0..=units).step_by(units / MOST_CURSORS + 1) {
        fuzzing::completion(code, u32::try_from(cursor).expect("a fuzzed text is short"));
    }
    fuzzing::quoted(&text);
}

/// Messages of at most these bytes pass the gate: few, so that short inputs reach the limit, and the one on pieces.
const GATE_BYTES: usize = 300;

/// What waits at the gate at the most: a close frame that lacks a byte.
const GATE_WAITS: usize = 130;

/// The bytes are what a client writes after the upgrade, and their first decides how they are cut. However that is, the gate lets
/// through what a plain reading of the RFC does, and stops where and for what that stops.
pub fn gate(data: &[u8]) {
    let (&cuts, stream) = data.split_first().unwrap_or((&0, &[]));
    let most_pieces = fuzzing::most_pieces(GATE_BYTES);
    let expected = rfc6455::read(stream, GATE_BYTES as u64, most_pieces as u64);
    for cut in [stream.len().max(1), 1, usize::from(cuts % 31) + 2] {
        let mut gate = fuzzing::Gate::new(GATE_BYTES);
        let (mut waiting, mut passed, mut stop) = (BytesMut::new(), Vec::new(), None);
        'stream: for piece in stream.chunks(cut) {
            waiting.extend_from_slice(piece);
            loop {
                match gate.pass(&mut waiting) {
                    Ok(Some(bytes)) => {
                        assert!(!bytes.is_empty());
                        passed.extend_from_slice(&bytes);
                    }
                    Ok(None) => break,
                    Err(violation) => {
                        assert_eq!(gate.pass(&mut waiting), Err(violation), "a violation stays");
                        stop = Some(violation.into());
                        break 'stream;
                    }
                }
                let most = GATE_BYTES + (most_pieces + 1) * fuzzing::PIECE_BYTES;
                assert!(gate.partial_bytes() <= most && gate.pieces() <= most_pieces);
            }
            assert!(waiting.len() <= GATE_WAITS, "{} bytes wait", waiting.len());
        }
        assert!(stream.starts_with(&passed), "what passes is unchanged");
        assert_eq!((passed.len(), stop), (expected.passes, expected.stop), "in pieces of {cut}: {stream:02x?}");
    }
}
