//! A real worker process at the other end of a socketpair, driven with blocking reads. Every read has a time limit.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use runpen::ids::{QueryId, RunId};
use runpen::ipc::{
    self, Answer, ConsoleEntry, Detail, Health, HostMessage, Lang, Mode, Query, RunEnd, RunRequest, Settings,
    WorkerMessage,
};
use runpen::outcome::{Outcome, StopReason};
use runpen::sandbox::Mode::Required;
use runpen::sandbox::Policy;

/// Longer than anything here may take, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Worker {
    child: Child,
    pub socket: UnixStream,
    buffer: BytesMut,
    next_run: u64,
    next_query: u64,
}

/// What a finished process left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    pub code: Option<i32>,
    pub signal: Option<i32>,
}

/// Everything one run has said up to its `Done`.
#[derive(Debug)]
pub struct Finished {
    pub end: RunEnd,
    pub entries: Vec<ConsoleEntry>,
    pub dropped: u64,
}

impl Finished {
    pub fn text(&self) -> &str {
        match &self.end.value {
            Some(value) => &value.text,
            None => panic!("no value: {:?}", self.end),
        }
    }

    /// What a console would print for it: the text of the value, or `!` and the name and message of the error.
    pub fn shown(&self) -> String {
        match (self.end.outcome, &self.end.value, &self.end.error) {
            (Outcome::Ok, Some(value), None) => value.text.clone(),
            (Outcome::Error, None, Some(error)) => format!("!{}: {}", error.name, error.message),
            (outcome, value, error) => format!("{outcome:?} {value:?} {error:?}"),
        }
    }

    pub fn lines(&self) -> Vec<&str> {
        self.entries.iter().map(|entry| entry.text.as_str()).collect()
    }
}

pub fn settings() -> Settings {
    Settings {
        heap_bytes: 64 << 20,
        stack_bytes: 256 << 10,
        console_bytes: 1 << 20,
        console_entries: 10_000,
        timers: 1000,
        text_bytes: 64 << 10,
        json_bytes: 64 << 10,
        kill_grace_ms: 50,
        background_timeout_ms: 10_000,
        input_timeout_ms: 10_000,
    }
}

pub fn request(code: &str) -> RunRequest {
    RunRequest {
        run: RunId(0),
        code: code.into(),
        files: Vec::new(),
        mode: Mode::Repl,
        lang: Lang::Js,
        timeout_ms: 5000,
        input: None,
        detail: Detail::Text,
    }
}

impl Worker {
    /// A worker with an engine.
    pub fn start() -> Worker {
        Worker::start_with(settings())
    }

    pub fn start_with(settings: Settings) -> Worker {
        let mut worker = Worker::spawn();
        worker.prepare_with(1, settings);
        worker
    }

    /// A worker that has not been asked for anything yet.
    pub fn spawn() -> Worker {
        let (ours, theirs) = UnixStream::pair().expect("a socketpair");
        ours.set_read_timeout(Some(PATIENCE)).expect("a timeout that is not zero");
        let child = Command::new(env!("CARGO_BIN_EXE_runpen"))
            .arg("worker")
            .arg(Policy::new(Required, std::process::id(), settings().heap_bytes).to_string())
            .env_clear()
            .env("TZ", "UTC0")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()
            .expect("the worker starts");
        Worker { child, socket: ours, buffer: BytesMut::new(), next_run: 0, next_query: 0 }
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn prepare_with(&mut self, nonce: u64, settings: Settings) -> Health {
        self.send(&HostMessage::Prepare { nonce, settings });
        loop {
            if let WorkerMessage::Ready { nonce: answered, health } = self.receive()
                && answered == nonce
            {
                return health;
            }
        }
    }

    pub fn send(&mut self, message: &HostMessage) {
        let mut out = BytesMut::new();
        ipc::encode(message, &mut out).expect("a small message");
        self.socket.write_all(&out).expect("the worker reads");
    }

    /// Sends several frames in one write.
    pub fn send_all(&mut self, messages: &[HostMessage]) {
        let mut out = BytesMut::new();
        for message in messages {
            ipc::encode(message, &mut out).expect("a small message");
        }
        self.socket.write_all(&out).expect("the worker reads");
    }

    #[track_caller]
    pub fn receive(&mut self) -> WorkerMessage {
        match self.try_receive() {
            Some(message) => message,
            None => panic!("the worker died: {:?}", self.death()),
        }
    }

    /// The next frame; `None` at the end of the stream.
    #[track_caller]
    pub fn try_receive(&mut self) -> Option<WorkerMessage> {
        let mut chunk = [0; 64 << 10];
        loop {
            if let Some(message) = ipc::decode(&mut self.buffer).expect("frames are in step") {
                return Some(message);
            }
            match self.socket.read(&mut chunk) {
                Ok(0) => return None,
                Ok(count) => self.buffer.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came from the worker: {error}"),
            }
        }
    }

    /// Sends a run under the next id, and waits for its `Started`.
    pub fn begin(&mut self, mut request: RunRequest) -> RunId {
        self.next_run += 1;
        request.run = RunId(self.next_run);
        let run = request.run;
        self.send(&HostMessage::Run(request));
        loop {
            match self.receive() {
                WorkerMessage::Started { run: started } => {
                    assert_eq!(started, run);
                    return run;
                }
                WorkerMessage::Console { .. } | WorkerMessage::Settled { .. } => {}
                other => panic!("expected Started, got {other:?}"),
            }
        }
    }

    /// Everything up to the run's `Done`; `None` when the process dies before.
    pub fn try_finish(&mut self, run: RunId) -> Option<Finished> {
        let mut entries = Vec::new();
        let mut dropped = 0;
        loop {
            match self.try_receive()? {
                WorkerMessage::Console { run: of, entries: more, dropped: lost } if of == run => {
                    entries.extend(more);
                    dropped += lost;
                }
                WorkerMessage::Done(end) => {
                    assert_eq!(end.run, run);
                    return Some(Finished { end: *end, entries, dropped });
                }
                WorkerMessage::Console { .. } | WorkerMessage::Settled { .. } => {}
                other => panic!("expected Console or Done, got {other:?}"),
            }
        }
    }

    #[track_caller]
    pub fn finish(&mut self, run: RunId) -> Finished {
        match self.try_finish(run) {
            Some(finished) => finished,
            None => panic!("the worker died: {:?}", self.death()),
        }
    }

    /// Like `finish`, for a run whose `Started` has not been read.
    #[track_caller]
    pub fn finish_after_started(&mut self, run: RunId) -> Finished {
        assert_eq!(self.receive(), WorkerMessage::Started { run });
        self.finish(run)
    }

    #[track_caller]
    pub fn run(&mut self, code: &str) -> Finished {
        self.run_request(request(code))
    }

    #[track_caller]
    pub fn run_request(&mut self, request: RunRequest) -> Finished {
        let run = self.begin(request);
        self.finish(run)
    }

    #[track_caller]
    pub fn run_for(&mut self, code: &str, timeout_ms: u64) -> Finished {
        self.run_request(RunRequest { timeout_ms, ..request(code) })
    }

    pub fn interrupt(&mut self, run: Option<RunId>, reason: StopReason) {
        self.send(&HostMessage::Interrupt { run, reason });
    }

    /// Asks about the engine.
    #[track_caller]
    pub fn ask(&mut self, query: Query) -> Answer {
        self.next_query += 1;
        let id = QueryId(self.next_query);
        self.send(&HostMessage::Query { id, query });
        loop {
            match self.receive() {
                WorkerMessage::Answer { id: of, answer, .. } => {
                    assert_eq!(of, id);
                    return answer;
                }
                WorkerMessage::Console { .. } | WorkerMessage::Settled { .. } => {}
                other => panic!("expected an answer, got {other:?}"),
            }
        }
    }

    /// Console texts of a background run, and its `Settled`.
    #[track_caller]
    pub fn settle(&mut self, run: RunId) -> (Vec<String>, WorkerMessage) {
        let mut lines = Vec::new();
        loop {
            match self.receive() {
                WorkerMessage::Console { run: of, entries, .. } if of == run => {
                    lines.extend(entries.into_iter().map(|entry| entry.text));
                }
                settled @ WorkerMessage::Settled { run: of, .. } if of == run => return (lines, settled),
                other => panic!("expected Console or Settled of {run}, got {other:?}"),
            }
        }
    }

    /// Waits until there is something to read, and leaves it there.
    #[track_caller]
    pub fn speaks(&self) {
        let peeked = rustix::net::recv(&self.socket, &mut [0_u8; 1][..], rustix::net::RecvFlags::PEEK);
        assert!(matches!(peeked, Ok((_, 1))), "nothing came from the worker: {peeked:?}");
    }

    /// Waits until the process sleeps: it has nothing to do, or waits for its output to be read.
    #[track_caller]
    pub fn falls_asleep(&self) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it lives");
            if stat.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('S')) {
                return;
            }
            std::thread::yield_now();
        }
        panic!("the worker does not sleep");
    }

    /// Waits for the end of the process.
    #[track_caller]
    pub fn death(&mut self) -> Death {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                return Death::of(status);
            }
            std::thread::yield_now();
        }
        panic!("the worker does not end");
    }
}

impl Death {
    fn of(status: ExitStatus) -> Death {
        Death { code: status.code(), signal: status.signal() }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
