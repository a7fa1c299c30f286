//! Random interleavings of everything that can happen to a session. The harness below plays the client, the worker and the pool, and
//! knows the promises of [`super::super`]; any sequence that breaks one of them fails and is shrunk to the shortest.

use std::collections::{HashMap, HashSet};

use super::*;

/// One thing that happens. Numbers are reduced to what exists at that moment, so that most steps mean something.
#[derive(Debug, Clone)]
enum Step {
    Run {
        id: Option<u64>,
        timeout_ms: Option<u64>,
        fresh: bool,
    },
    Cancel(u64),
    CancelAll,
    Input(Option<u64>),
    Reset,
    Ask(u8),
    /// The worker answers its first question.
    Answer,
    /// The pool answers, if it was asked.
    Grant,
    Position(usize),
    Refuse,
    Recall,
    /// The worker goes on with its `n`th run as a good worker would.
    Obey(usize),
    Console(usize),
    Prompt(usize),
    /// The worker finishes its `n`th run, leaving timers or an unfit engine.
    Finish {
        nth: usize,
        outcome: Outcome,
        background: u32,
        replaced: bool,
    },
    /// A frame that may be a lie.
    Frame {
        run: u32,
        outcome: Outcome,
        kind: u8,
    },
    WorkerDies,
    WorkerTaken,
    Wait(u64),
    Drain(Option<u64>),
    Gone,
    Shutdown,
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = || prop::sample::select(Outcome::ALL.to_vec());
    let word = || prop::sample::select(vec![Outcome::Ok, Outcome::Error, Outcome::Memory, Outcome::Unsettled]);
    prop_oneof![
        12 => (prop::option::of(1..5u64), prop::option::of(1..20_000u64), prop::bool::weighted(0.2))
            .prop_map(|(id, timeout_ms, fresh)| Step::Run { id, timeout_ms, fresh }),
        6 => (1..6u64).prop_map(Step::Cancel),
        2 => Just(Step::CancelAll),
        3 => prop::option::of(1..5u64).prop_map(Step::Input),
        2 => Just(Step::Reset),
        5 => (0..3u8).prop_map(Step::Ask),
        5 => Just(Step::Answer),
        10 => Just(Step::Grant),
        1 => (1..9usize).prop_map(Step::Position),
        1 => Just(Step::Refuse),
        1 => Just(Step::Recall),
        14 => (0..4usize).prop_map(Step::Obey),
        4 => (0..4usize).prop_map(Step::Console),
        3 => (0..4usize).prop_map(Step::Prompt),
        8 => (0..4usize, word(), 0..3u32, prop::bool::weighted(0.1))
            .prop_map(|(nth, outcome, background, replaced)| Step::Finish { nth, outcome, background, replaced }),
        1 => (0..6u32, outcome(), 0..7u8).prop_map(|(run, outcome, kind)| Step::Frame { run, outcome, kind }),
        1 => Just(Step::WorkerDies),
        1 => Just(Step::WorkerTaken),
        8 => prop_oneof![0..60u64, 900..20_000u64, 290_000..310_000u64].prop_map(Step::Wait),
        1 => prop::option::of(1..2_000u64).prop_map(Step::Drain),
        1 => Just(Step::Gone),
        1 => Just(Step::Shutdown),
    ]
}

/// What the client knows of a run that is not over.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Seen {
    Accepted,
    Started,
    /// `done` has promised a `settled`.
    Background,
}

/// A run as the worker has it.
#[derive(Debug, Clone, Copy)]
struct Job {
    run: RunId,
    started: bool,
    background: bool,
    interrupted: Option<StopReason>,
}

struct Model {
    bench: Bench,
    /// Runs that the client waits for, by id.
    seen: HashMap<String, Seen>,
    accepted: usize,
    ended: usize,
    refused: usize,
    settles_promised: usize,
    settles: usize,
    resets_asked: usize,
    resets: usize,
    asked_pool: bool,
    leased: bool,
    jobs: Vec<Job>,
    /// The nonce of a `Prepare` that was not answered yet.
    preparing: Option<u64>,
    /// The run whose prompt blocks the worker.
    prompting: Option<RunId>,
    /// What the worker was asked and has not answered.
    questions: VecDeque<(QueryId, Query)>,
    /// The client's questions without an answer.
    unanswered: HashSet<String>,
    next_question: u32,
    gone: bool,
    closed: bool,
}

impl Model {
    fn new() -> Model {
        Model {
            bench: Bench::new(),
            seen: HashMap::new(),
            accepted: 0,
            ended: 0,
            refused: 0,
            settles_promised: 0,
            settles: 0,
            resets_asked: 0,
            resets: 0,
            asked_pool: false,
            leased: false,
            jobs: Vec::new(),
            preparing: None,
            prompting: None,
            questions: VecDeque::new(),
            unanswered: HashSet::new(),
            next_question: 0,
            gone: false,
            closed: false,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Run { id, timeout_ms, fresh } => self.run(id, timeout_ms, fresh),
            Step::Cancel(id) => self.client(cancel(id)),
            Step::CancelAll => self.client(ClientMessage::Cancel { id: None }),
            Step::Input(id) => self.client(ClientMessage::Input { id: id.map(RequestId::from), text: None }),
            Step::Reset => {
                self.resets_asked += usize::from(!self.closed && !self.gone);
                self.client(ClientMessage::Reset);
            }
            Step::Ask(kind) => self.ask(kind),
            Step::Answer => {
                if self.preparing.is_none()
                    && let Some((id, query)) = self.questions.pop_front()
                {
                    self.event(Event::Worker(answer(id, &query)));
                }
            }
            Step::Grant if self.asked_pool => {
                self.asked_pool = false;
                self.leased = true;
                self.event(Event::Leased);
            }
            Step::Position(position) if self.asked_pool => self.event(Event::Position(position)),
            Step::Refuse if self.asked_pool => {
                self.asked_pool = false;
                self.event(Event::NoLease("full".into()));
            }
            Step::Recall if self.bench.state.idle_since().is_some() => {
                self.event(Event::Recalled);
            }
            Step::Obey(nth) => self.obey(nth),
            Step::Console(nth) => {
                if let Some(job) = self.talking(nth) {
                    self.event(Event::Worker(console(job.run, "x")));
                }
            }
            Step::Prompt(nth) => {
                if let Some(job) = self.talking(nth) {
                    self.prompting = Some(job.run);
                    let text = String::new();
                    let ask =
                        WorkerMessage::InputRequest { run: job.run, kind: InputKind::Prompt, text, default: None };
                    self.event(Event::Worker(ask));
                }
            }
            Step::Finish { nth, outcome, background, replaced } => self.finish(nth, outcome, background, replaced),
            Step::Frame { run, outcome, kind } if self.leased => self.frame(run, outcome, kind),
            Step::WorkerDies if self.leased => self.event(Event::WorkerGone { overdue: false }),
            Step::WorkerTaken if self.leased => self.event(Event::WorkerTaken),
            Step::Wait(ms) => {
                self.bench.now += Duration::from_millis(ms);
                self.event(Event::Tick);
                let late = self.bench.state.wake_at().filter(|at| *at <= self.bench.now);
                // One tick may bring the next: an interrupt long overdue is followed by its kill at once.
                if late.is_some() {
                    self.event(Event::Tick);
                }
            }
            Step::Drain(limit) => self.event(Event::Drain(limit.map(Duration::from_millis))),
            Step::Gone => {
                self.gone = true;
                self.event(Event::Gone);
            }
            Step::Shutdown => self.event(Event::Shutdown),
            Step::Grant | Step::Position(_) | Step::Refuse | Step::Recall | Step::Frame { .. } => {}
            Step::WorkerDies | Step::WorkerTaken => {}
        }
    }

    fn run(&mut self, id: Option<u64>, timeout_ms: Option<u64>, fresh: bool) {
        if self.closed || self.gone {
            return;
        }
        let before: Vec<String> = self.bench.state.waiting.iter().map(|run| run.id.to_string()).collect();
        let next_run = self.bench.state.next_run;
        let actions = self.bench.apply(Event::Client(run_with(id, timeout_ms, fresh)));
        // An accepted run waits, or went to the worker at once; it is the one that was not there before.
        let state = &self.bench.state;
        let waiting = state.waiting.iter().map(|run| run.id.to_string()).filter(|id| !before.contains(id));
        let sent = state.active.iter().filter(|(run, _)| run.0 >= next_run).map(|(_, run)| run.id.to_string());
        let newcomer = waiting.chain(sent).find(|id| !before.contains(id));
        if let Some(id) = newcomer {
            assert!(self.seen.insert(id.clone(), Seen::Accepted).is_none(), "{id} was accepted twice");
            self.accepted += 1;
        }
        self.carry_out(actions);
    }

    fn ask(&mut self, kind: u8) {
        if self.closed || self.gone {
            return;
        }
        let id = format!("q{}", self.next_question);
        self.next_question += 1;
        self.unanswered.insert(RequestId::Text(id.clone()).to_string());
        let about = match kind {
            0 => inspect(),
            1 => is_complete(),
            _ => Query::Complete { code: "a".into(), cursor: 1 },
        };
        self.event(query(&id, about));
    }

    /// The `n`th run that the worker could speak for.
    fn talking(&self, nth: usize) -> Option<Job> {
        if self.preparing.is_some() || self.prompting.is_some() {
            return None;
        }
        let jobs: Vec<&Job> = self.jobs.iter().filter(|job| job.started).collect();
        (!jobs.is_empty()).then(|| *jobs[nth % jobs.len()])
    }

    fn obey(&mut self, nth: usize) {
        if let Some(nonce) = self.preparing.take() {
            self.jobs.clear();
            self.questions.clear();
            return self.event(Event::Worker(ready(nonce)));
        }
        let Some(at) = (!self.jobs.is_empty()).then(|| nth % self.jobs.len()) else { return };
        let job = self.jobs[at];
        if self.prompting.is_some() && job.interrupted.is_none() {
            return;
        }
        self.prompting = self.prompting.filter(|run| *run != job.run);
        match (job.interrupted, job.background) {
            (Some(reason), false) => {
                self.jobs.remove(at);
                self.event(Event::Worker(run_end(job.run, reason.outcome(), 0)));
            }
            (Some(reason), true) => {
                self.jobs.remove(at);
                self.event(Event::Worker(settled(job.run, reason.outcome())));
            }
            (None, _) if !job.started => {
                self.jobs[at].started = true;
                self.event(Event::Worker(WorkerMessage::Started { run: job.run }));
            }
            (None, true) => {
                self.jobs.remove(at);
                self.event(Event::Worker(settled(job.run, Outcome::Ok)));
            }
            (None, false) => {
                self.jobs.remove(at);
                self.event(Event::Worker(run_end(job.run, Outcome::Ok, 0)));
            }
        }
    }

    fn finish(&mut self, nth: usize, outcome: Outcome, background: u32, replaced: bool) {
        let Some(job) = self.talking(nth).filter(|job| !job.background) else { return };
        let background = if replaced { 0 } else { background };
        if background == 0 {
            self.jobs.retain(|other| other.run != job.run);
        }
        for other in &mut self.jobs {
            other.background |= other.run == job.run;
        }
        let mut end = run_end(job.run, outcome, background);
        if let WorkerMessage::Done(end) = &mut end {
            end.engine_replaced = replaced;
        }
        self.event(Event::Worker(end));
    }

    fn frame(&mut self, run: u32, outcome: Outcome, kind: u8) {
        let run = RunId(u64::from(run));
        // A lie that happens to be true changes what the worker has; drop it from the model's worker, which then only obeys less.
        let frame = match kind {
            0 => WorkerMessage::Started { run: RunId(run.0 + 1_000) },
            1 => console(RunId(run.0 + 1_000), "x"),
            2 => run_end(RunId(run.0 + 1_000), outcome, 1),
            3 => settled(RunId(run.0 + 1_000), outcome),
            4 => ready(run.0 + 1_000),
            _ => run_end(run, Outcome::Crashed, 0),
        };
        self.event(Event::Worker(frame));
    }

    /// A client that is gone says nothing.
    fn client(&mut self, message: ClientMessage) {
        if !self.gone {
            self.event(Event::Client(message));
        }
    }

    fn event(&mut self, event: Event) {
        let actions = self.bench.apply(event);
        self.carry_out(actions);
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            assert!(!self.closed, "{action:?} after the close");
            match action {
                Action::Send(message) => self.see(&message),
                Action::Acquire => {
                    assert!(!self.asked_pool && !self.leased, "one lease at a time");
                    self.asked_pool = true;
                }
                Action::LeaveLine => assert!(std::mem::take(&mut self.asked_pool), "it was not in the line"),
                Action::ToWorker(message) => self.tell_worker(message),
                Action::GiveBack => {
                    assert!(std::mem::take(&mut self.leased), "nothing to give back");
                    assert!(self.jobs.is_empty() || self.preparing.is_some(), "given back at work: {:?}", self.jobs);
                    self.forget_worker();
                }
                Action::Kill(_) => {
                    assert!(std::mem::take(&mut self.leased), "nothing to kill");
                    self.forget_worker();
                }
                Action::Ended(_) => self.ended += 1,
                Action::Stopped(..) => {}
                Action::Close(code) => {
                    assert!(!self.leased && !self.asked_pool, "closed with a lease or a place in the line");
                    self.closed = true;
                    // A drain that takes too long ends like a disconnect: nobody is told any more.
                    self.gone |= code == CloseCode::Gone;
                }
            }
        }
    }

    fn forget_worker(&mut self) {
        self.jobs.clear();
        self.questions.clear();
        self.preparing = None;
        self.prompting = None;
    }

    fn tell_worker(&mut self, message: HostMessage) {
        assert!(self.leased, "{message:?} to no worker");
        match message {
            HostMessage::Run(request) => {
                assert!(self.jobs.iter().all(|job| job.background), "two in the foreground");
                assert!(self.preparing.is_none(), "a run while the engine is being built");
                self.jobs.push(Job { run: request.run, started: false, background: false, interrupted: None });
            }
            HostMessage::Interrupt { run, reason } => match run {
                Some(run) => {
                    for job in self.jobs.iter_mut().filter(|job| job.run == run) {
                        assert_eq!(job.interrupted, None, "{run:?} was interrupted twice");
                        job.interrupted = Some(reason);
                    }
                }
                None => {
                    assert!(!self.questions.is_empty(), "interrupted questions that nobody has asked");
                    assert!(self.jobs.iter().all(|job| job.interrupted.is_some()), "a run is stopped by its own name");
                }
            },
            HostMessage::Prepare { nonce, .. } => {
                assert!(self.jobs.is_empty(), "prepared at work");
                self.preparing = Some(nonce);
            }
            HostMessage::Query { id, query } => {
                assert!(self.preparing.is_none(), "a question while the engine is being built");
                self.questions.push_back((id, query));
            }
            HostMessage::InputAnswer { .. } => {
                assert!(self.prompting.take().is_some(), "an answer that nobody waits for");
            }
        }
    }

    /// The client's view: what it may see of a run, and when.
    fn see(&mut self, message: &ServerMessage) {
        assert!(!self.gone, "told a client that is gone: {message:?}");
        match message {
            ServerMessage::Queued { id, .. } => {
                // The first word about a run may come before the harness has noted it.
                assert!(matches!(self.seen.get(&id.to_string()), None | Some(Seen::Accepted)), "{message:?}");
            }
            ServerMessage::Started { id, .. } => {
                let before = self.seen.insert(id.to_string(), Seen::Started);
                assert_eq!(before, Some(Seen::Accepted), "{message:?}");
            }
            ServerMessage::Console { id, .. } | ServerMessage::InputRequest { id, .. } => {
                let seen = self.seen.get(&id.to_string());
                assert!(matches!(seen, Some(Seen::Started | Seen::Background)), "{message:?}: {seen:?}");
            }
            ServerMessage::Done(done) => {
                let before = self.seen.remove(&done.id.to_string());
                assert!(matches!(before, Some(Seen::Accepted | Seen::Started)), "{message:?}: {before:?}");
                if done.background > 0 {
                    self.settles_promised += 1;
                    self.seen.insert(done.id.to_string(), Seen::Background);
                }
            }
            ServerMessage::Settled { id, .. } => {
                assert_eq!(self.seen.remove(&id.to_string()), Some(Seen::Background), "{message:?}");
                self.settles += 1;
            }
            ServerMessage::Properties { id: Some(id), .. }
            | ServerMessage::Completions { id: Some(id), .. }
            | ServerMessage::Completeness { id: Some(id), .. } => {
                assert!(self.unanswered.remove(&id.to_string()), "{message:?}");
            }
            ServerMessage::Error { id: Some(id), .. } if self.unanswered.contains(&id.to_string()) => {
                self.unanswered.remove(&id.to_string());
            }
            ServerMessage::Error { code: ErrorCode::Busy, id: Some(id), .. } => {
                assert_eq!(self.seen.remove(&id.to_string()), Some(Seen::Accepted), "{message:?}");
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
    }

    /// Lets the session run dry: the client has said all it will, the worker does nothing any more.
    fn finish_up(&mut self, politely: bool) {
        if politely {
            self.step(Step::Drain(None));
        } else {
            self.step(Step::Gone);
        }
        for _ in 0..200 {
            if self.closed {
                break;
            }
            if self.asked_pool {
                self.step(Step::Grant);
            } else if self.preparing.is_none() && !self.questions.is_empty() {
                self.step(Step::Answer);
            } else if self.bench.state.wake_at().is_some() {
                let actions = self.bench.next_tick();
                self.carry_out(actions);
            } else {
                panic!("the session neither ends nor waits for a clock");
            }
        }
        assert!(self.closed, "the session does not end");
        assert_eq!(self.ended + self.refused, self.accepted, "each accepted run ends once");
        if !self.gone {
            assert!(self.seen.is_empty(), "runs without an end: {:?}", self.seen);
            assert_eq!(self.settles, self.settles_promised, "settled exactly when promised");
            assert!(self.unanswered.is_empty(), "questions without an answer: {:?}", self.unanswered);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_accepted_run_ends_once_and_every_lease_goes_home(
        steps in prop::collection::vec(step(), 1..60),
        politely in any::<bool>(),
    ) {
        let mut model = Model::new();
        for step in steps {
            model.step(step);
        }
        model.finish_up(politely);
    }
}
