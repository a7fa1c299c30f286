//! A session's state machine between a client, a pool and a worker, with the promises that it makes to each of them.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use runpen::fuzzing::{Finals, Presenter};
use runpen::ids::{QueryId, RunId};
use runpen::ipc::{
    self, Answer, Completeness, Completions, ConsoleEntry, Health, HostMessage, InputKind, Level, Query, RunEnd,
    Settings, ValueInfo, ValueKind, WorkerMessage,
};
use runpen::outcome::{Outcome, StopReason, Usage};
use runpen::protocol::{ClientMessage, ErrorCode, Rejected, RequestId, Run, ServerMessage};
use runpen::session::state::{Action, CloseCode, Event, Rules, State};

/// What the client knows of a run that is not over.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Seen {
    Accepted,
    Started,
    /// `done` has promised a `settled`.
    Background,
}

/// A run as a worker that does what it should has it.
#[derive(Debug, Clone, Copy)]
struct Job {
    run: RunId,
    started: bool,
    interrupted: Option<StopReason>,
}

pub struct Conversation {
    state: State,
    now: Instant,
    presenters: [Presenter; 3],
    seen: HashMap<RequestId, Seen>,
    /// Accepted without an id: the server's count is learned from its first message.
    unnamed: usize,
    accepted: usize,
    ended: usize,
    refused: usize,
    resets_asked: usize,
    resets: usize,
    in_line: bool,
    leased: bool,
    jobs: Vec<Job>,
    /// Questions that the worker has not answered.
    questions: VecDeque<(QueryId, Query)>,
    /// The ids that the client has given its questions.
    asked: Vec<RequestId>,
    /// The nonce of a `Prepare` that was not answered.
    preparing: Option<u64>,
    /// The run that was dispatched last.
    last_run: u64,
    /// What the worker has written and the server not yet decoded.
    wire: BytesMut,
    /// When a drain is over: a client that is still there then counts as gone, and is told nothing more.
    drained: Option<Instant>,
    gone: bool,
    closed: bool,
}

impl Conversation {
    /// `flavour` picks among the few ways in which a session can be set up.
    pub fn new(flavour: usize) -> Conversation {
        let now = Instant::now();
        Conversation {
            state: State::new(rules(flavour % 8 == 7), now),
            now,
            presenters: [Presenter::Json, Presenter::Final(Finals::default()), Presenter::Text],
            seen: HashMap::new(),
            unnamed: 0,
            accepted: 0,
            ended: 0,
            refused: 0,
            resets_asked: 0,
            resets: 0,
            in_line: false,
            leased: false,
            jobs: Vec::new(),
            questions: VecDeque::new(),
            asked: Vec::new(),
            preparing: None,
            last_run: 0,
            wire: BytesMut::new(),
            drained: None,
            gone: false,
            closed: false,
        }
    }

    // ---- what the client, the pool and the clock do --------------------------------------------------------------------------

    pub fn client(&mut self, message: ClientMessage) {
        if self.gone || self.closed || self.drained.is_some_and(|at| at <= self.now) {
            return;
        }
        let run = match &message {
            ClientMessage::Run(run) => Some(run.id.clone()),
            ClientMessage::Reset => {
                self.resets_asked += 1;
                None
            }
            ClientMessage::Query { id, .. } => {
                self.asked.extend(id.clone());
                None
            }
            _ => None,
        };
        let actions = self.state.apply(Event::Client(message), self.now);
        if let Some(id) = run {
            let refused = |action: &Action| {
                let Action::Send(ServerMessage::Error { code, .. }) = action else { return false };
                matches!(code, ErrorCode::QueueFull | ErrorCode::DuplicateId | ErrorCode::ShuttingDown)
            };
            if !actions.iter().any(refused) {
                self.accepted += 1;
                match id {
                    Some(id) => assert_eq!(self.seen.insert(id, Seen::Accepted), None, "accepted twice"),
                    None => self.unnamed += 1,
                }
            }
        }
        self.carry_out(actions);
    }

    pub fn rejected(&mut self, rejected: Rejected) {
        if !self.gone {
            self.event(Event::Rejected(rejected));
        }
    }

    pub fn wait(&mut self, time: Duration) {
        self.now += time;
        self.event(Event::Tick);
        self.event(Event::Tick);
    }

    pub fn drain(&mut self, limit: Option<Duration>) {
        self.drained = self.drained.or(limit.map(|limit| self.now + limit));
        self.event(Event::Drain(limit));
    }

    pub fn gone(&mut self) {
        self.gone = true;
        self.event(Event::Gone);
    }

    pub fn shutdown(&mut self) {
        self.event(Event::Shutdown);
    }

    /// The pool and the worker do what is asked of them next.
    pub fn obey(&mut self) {
        if self.in_line {
            self.in_line = false;
            self.leased = true;
            return self.event(Event::Leased);
        }
        if let Some(nonce) = self.preparing.take() {
            self.jobs.clear();
            self.questions.clear();
            return self.event(Event::Worker(ready(nonce)));
        }
        if let Some((id, query)) = self.questions.pop_front() {
            return self.event(Event::Worker(answer(id, &query)));
        }
        let Some(job) = self.jobs.first_mut() else { return };
        let run = job.run;
        match job.interrupted {
            None if !job.started => {
                job.started = true;
                self.event(Event::Worker(WorkerMessage::Started { run }));
            }
            interrupted => {
                self.jobs.remove(0);
                let outcome = interrupted.map_or(Outcome::Ok, StopReason::outcome);
                self.event(Event::Worker(end(run, outcome, 0)));
            }
        }
    }

    /// One step of a conversation in which the worker is an attacker; what follows `step` in `rest` are its details. Returns what it
    /// has left of them.
    pub fn step<'a>(&mut self, step: u8, rest: &'a [u8]) -> &'a [u8] {
        let (&detail, rest) = rest.split_first().unwrap_or((&0, &[]));
        let run = RunId(match detail >> 6 {
            0 => self.last_run,
            1 => self.last_run.saturating_sub(1),
            2 => u64::from(detail & 7),
            _ => u64::MAX,
        });
        let outcome = Outcome::ALL[usize::from(detail & 63) % Outcome::ALL.len()];
        match step % 24 {
            0..=3 => {
                let id = (detail & 7 != 0).then(|| RequestId::from(u64::from(detail & 7)));
                let timeout_ms = (detail & 8 != 0).then_some(u64::from(detail) * 10);
                let fresh = detail & 16 != 0;
                let (code, lang, mode, input) = (String::new(), ipc::Lang::Js, ipc::Mode::Repl, None);
                self.client(ClientMessage::Run(Box::new(Run {
                    id,
                    code,
                    timeout_ms,
                    lang,
                    mode,
                    fresh,
                    input,
                    files: Vec::new(),
                })));
            }
            4 => {
                let id = (detail & 7 != 0).then(|| RequestId::from(u64::from(detail & 7)));
                self.client(ClientMessage::Cancel { id });
            }
            5 => self.client(ClientMessage::Input { id: None, text: Some(detail.to_string()) }),
            6 => self.client(ClientMessage::Reset),
            7 => self.wait(Duration::from_millis(u64::from(detail).pow(2))),
            8 => self.drain((detail != 0).then(|| Duration::from_millis(u64::from(detail)))),
            9 if detail & 3 == 0 => self.gone(),
            9 if detail & 3 == 1 => self.shutdown(),
            9 if detail & 7 == 2 && self.leased => self.event(Event::WorkerGone { overdue: false }),
            9 if detail & 7 == 6 && self.leased => self.event(Event::WorkerTaken),
            9 => {
                if self.state.idle_since().is_some() {
                    self.event(Event::Recalled);
                }
            }
            10 if self.in_line && detail == 0 => {
                self.in_line = false;
                self.event(Event::NoLease("full".to_owned()));
            }
            10 if self.in_line && detail == 1 => self.event(Event::Position(usize::from(detail))),
            10..=12 => self.obey(),
            13 => self.write(&WorkerMessage::Started { run }),
            14 => self.write(&console(run, &rest[..rest.len().min(usize::from(detail & 15))])),
            15 => self.write(&WorkerMessage::InputRequest {
                run,
                kind: InputKind::Prompt,
                text: String::new(),
                default: None,
            }),
            16 => self.write(&end(run, outcome, 0)),
            17 => self.write(&end(run, outcome, u32::from(detail >> 4))),
            18 => {
                let (usage, engine_replaced) = (Usage::default(), detail & 16 != 0);
                self.write(&WorkerMessage::Settled { run, outcome, error: None, usage, engine_replaced });
            }
            19 => self.write(&ready(self.preparing.unwrap_or(u64::from(detail)))),
            // JSON that the worker made, valid or not.
            20 => {
                let (json, rest) = rest.split_at(rest.len().min(usize::from(detail & 31)));
                let mut message = end(RunId(self.last_run), Outcome::Ok, 0);
                if let WorkerMessage::Done(end) = &mut message {
                    let json = Some(String::from_utf8_lossy(json).into_owned());
                    end.value = Some(ValueInfo { kind: ValueKind::Object, text: String::new(), json, preview: None });
                }
                self.write(&message);
                return rest;
            }
            // Any bytes; a length that fits is put in front of some.
            21.. => {
                let (bytes, rest) = rest.split_at(rest.len().min(usize::from(detail & 63)));
                if detail & 64 != 0 {
                    self.wire.extend_from_slice(&u32::try_from(bytes.len()).expect("at most 63").to_le_bytes());
                }
                self.wire.extend_from_slice(bytes);
                self.read();
                return rest;
            }
        }
        rest
    }

    // ---- the worker ----------------------------------------------------------------------------------------------------------

    fn write(&mut self, message: &WorkerMessage) {
        ipc::encode(message, &mut self.wire).expect("a small message");
        self.read();
    }

    /// What the session's loop does with a worker's bytes.
    fn read(&mut self) {
        if !self.leased {
            return self.wire.clear();
        }
        while self.leased {
            match ipc::decode(&mut self.wire) {
                Ok(Some(message)) => {
                    if matches!(message, WorkerMessage::Ready { nonce, .. } if self.preparing == Some(nonce)) {
                        self.preparing = None;
                    }
                    self.event(Event::Worker(message));
                }
                Ok(None) => return,
                Err(_) => return self.event(Event::WorkerGone { overdue: false }),
            }
        }
    }

    fn tell_worker(&mut self, message: HostMessage) {
        assert!(self.leased, "{message:?} to no worker");
        match message {
            HostMessage::Run(request) => {
                assert!(self.preparing.is_none(), "a run while the engine is being built");
                self.last_run = request.run.0;
                self.jobs.push(Job { run: request.run, started: false, interrupted: None });
            }
            HostMessage::Interrupt { run, reason } => {
                for job in self.jobs.iter_mut().filter(|job| run.is_none_or(|run| run == job.run)) {
                    assert_eq!(job.interrupted, None, "{run:?} was interrupted twice");
                    job.interrupted = Some(reason);
                }
            }
            HostMessage::Prepare { nonce, .. } => self.preparing = Some(nonce),
            HostMessage::InputAnswer { .. } => {}
            HostMessage::Query { id, query } => self.questions.push_back((id, query)),
        }
    }

    fn forget_worker(&mut self) {
        self.jobs.clear();
        self.questions.clear();
        self.preparing = None;
        self.wire.clear();
    }

    // ---- what comes of it ----------------------------------------------------------------------------------------------------

    fn event(&mut self, event: Event) {
        let actions = self.state.apply(event, self.now);
        self.carry_out(actions);
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            assert!(!self.closed, "{action:?} after the close");
            match action {
                Action::Send(message) => self.see(message),
                Action::Acquire => {
                    assert!(!self.in_line && !self.leased, "one lease at a time");
                    self.in_line = true;
                }
                Action::LeaveLine => assert!(std::mem::take(&mut self.in_line), "it was not in the line"),
                Action::ToWorker(message) => self.tell_worker(message),
                Action::GiveBack | Action::Kill(_) => {
                    assert!(std::mem::take(&mut self.leased), "there is no lease to end");
                    self.forget_worker();
                }
                Action::Ended(_) => self.ended += 1,
                Action::Stopped(..) => {}
                Action::Close(code) => {
                    assert!(!self.leased && !self.in_line, "closed with a lease or a place in the line");
                    self.closed = true;
                    self.gone |= code == CloseCode::Gone;
                }
            }
        }
    }

    /// The client's view: what it may see of a run, and when.
    fn see(&mut self, message: ServerMessage) {
        assert!(!self.gone, "told a client that is gone: {message:?}");
        match &message {
            ServerMessage::Queued { id, .. } => self.expect(id, &[Seen::Accepted], Some(Seen::Accepted)),
            ServerMessage::Started { id, .. } => self.expect(id, &[Seen::Accepted], Some(Seen::Started)),
            ServerMessage::Console { id, .. } | ServerMessage::InputRequest { id, .. } => {
                let now = self.seen.get(id).copied();
                self.expect(id, &[Seen::Started, Seen::Background], now);
            }
            ServerMessage::Done(done) => {
                let next = (done.background > 0).then_some(Seen::Background);
                self.expect(&done.id, &[Seen::Accepted, Seen::Started], next);
            }
            ServerMessage::Settled { id, .. } => self.expect(id, &[Seen::Background], None),
            // A question may have the id of a run; runs are refused first.
            ServerMessage::Error { code: ErrorCode::Busy, id: Some(id), .. }
                if self.asked.contains(id) && !self.seen.contains_key(id) => {}
            ServerMessage::Error { code: ErrorCode::Busy, id: Some(id), .. } => {
                self.expect(id, &[Seen::Accepted], None);
                self.refused += 1;
            }
            ServerMessage::Reset => self.resets += 1,
            ServerMessage::Pong
            | ServerMessage::Hello(_)
            | ServerMessage::Properties { .. }
            | ServerMessage::Completions { .. }
            | ServerMessage::Completeness { .. }
            | ServerMessage::Error { .. } => {}
        }
        let [json, together, text] = &mut self.presenters;
        for frame in [json.present(message.clone()), together.present(message.clone())].into_iter().flatten() {
            assert!(!frame.contains('\n'), "streamed replies are lines: {frame:?}");
            let parsed: Result<serde_json::Value, _> = serde_json::from_str(&frame);
            assert!(parsed.is_ok_and(|value| value["type"].is_string()), "{frame:?}");
        }
        let _ = text.present(message);
    }

    /// A message about the run `id`, which must be in one of these states, and is in `next` afterwards; `None` is over.
    fn expect(&mut self, id: &RequestId, allowed: &[Seen], next: Option<Seen>) {
        let before = self.seen.remove(id).unwrap_or_else(|| {
            assert!(self.unnamed > 0, "a message about {id}, which is over or was never accepted");
            self.unnamed -= 1;
            Seen::Accepted
        });
        assert!(allowed.contains(&before), "{id} is {before:?}, not one of {allowed:?}");
        if let Some(next) = next {
            self.seen.insert(id.clone(), next);
        }
    }

    /// Lets the session run dry: the client has said all that it will, the worker does nothing any more.
    pub fn finish(mut self) {
        self.drain(None);
        for _ in 0..1000 {
            if self.closed {
                break;
            }
            if self.in_line || (self.preparing.is_none() && !self.questions.is_empty()) {
                self.obey();
            } else if let Some(at) = self.state.wake_at() {
                self.now = self.now.max(at);
                self.event(Event::Tick);
            } else {
                panic!("the session neither ends nor waits for a clock");
            }
        }
        assert!(self.closed, "the session does not end");
        assert_eq!(self.ended + self.refused, self.accepted, "each accepted run ends once");
        assert!(self.gone || self.seen.is_empty() && self.unnamed == 0, "runs without an end: {:?}", self.seen);
        assert!(self.resets <= self.resets_asked, "a reset that nobody asked for");
    }
}

/// As the server has them, but for a queue and caps that short inputs can fill.
fn rules(once: bool) -> Rules {
    Rules {
        queued_bytes: 4 << 20,
        timeout: Duration::from_secs(10),
        kill_grace: Duration::from_millis(50),
        background_timeout: Duration::from_secs(300),
        input_timeout: Duration::from_secs(300),
        prepare_timeout: Duration::from_secs(1),
        start_timeout: Duration::from_secs(5),
        queue: 3,
        once,
        settings: Settings {
            heap_bytes: 64 << 20,
            stack_bytes: 512 << 10,
            console_bytes: 64,
            console_entries: 4,
            timers: 1000,
            text_bytes: 64 << 10,
            json_bytes: 64 << 10,
            kill_grace_ms: 50,
            background_timeout_ms: 300_000,
            input_timeout_ms: 300_000,
        },
    }
}

/// A true answer to a question.
fn answer(id: QueryId, query: &Query) -> WorkerMessage {
    let answer = match query {
        Query::Inspect { .. } => Answer::Expired,
        Query::Complete { cursor, .. } => {
            Answer::Completions(Completions { from: *cursor, to: *cursor, items: Vec::new() })
        }
        Query::IsComplete { .. } => Answer::Completeness(Completeness::Complete),
    };
    WorkerMessage::Answer { id, answer, engine_replaced: false }
}

fn ready(nonce: u64) -> WorkerMessage {
    WorkerMessage::Ready { nonce, health: Health { heap_bytes: 0, interrupt_polls: 1, open_files: 1, leftovers: 0 } }
}

fn console(run: RunId, text: &[u8]) -> WorkerMessage {
    let text = String::from_utf8_lossy(text).into_owned();
    let entry = ConsoleEntry {
        level: Level::Log,
        text,
        time_ms: 0,
        uncaught: false,
        group: 0,
        method: None,
        styles: Vec::new(),
        values: Vec::new(),
    };
    WorkerMessage::Console { run, entries: vec![entry], dropped: 0 }
}

fn end(run: RunId, outcome: Outcome, background: u32) -> WorkerMessage {
    let (value, error, usage) = (None, None, Usage::default());
    WorkerMessage::Done(Box::new(RunEnd { run, outcome, value, error, usage, background, engine_replaced: false }))
}
