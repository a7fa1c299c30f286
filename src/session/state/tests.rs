//! The state machine against a model: a worker that may obey, lie or die, a pool that may refuse, a client that does anything.

use proptest::prelude::*;

use super::*;
use crate::ids::QueryId;
use crate::ipc::{
    Answer, Completeness, Completion, CompletionKind, Completions, ConsoleEntry, ErrorInfo, Glimpse, Health, InputKind,
    Lang, Level, Mode, PATIENT_GRACE, Preview, Query, Reference, RunEnd, StackFrame, ValueInfo, ValueKind,
};
use crate::outcome::Usage;
use crate::protocol::Done;

mod model;
mod prompts;
mod queries;
mod table;

const GRACE: Duration = Duration::from_millis(50);
const TIMEOUT: Duration = Duration::from_secs(10);
const BACKGROUND: Duration = Duration::from_secs(300);
const INPUT: Duration = Duration::from_secs(60);
const PREPARE: Duration = Duration::from_secs(1);
const START: Duration = Duration::from_secs(5);
const QUEUE: usize = 3;

fn rules() -> Rules {
    Rules {
        queued_bytes: 4 << 20,
        timeout: TIMEOUT,
        kill_grace: GRACE,
        background_timeout: BACKGROUND,
        input_timeout: INPUT,
        prepare_timeout: PREPARE,
        start_timeout: START,
        queue: QUEUE,
        once: false,
        settings: Settings {
            heap_bytes: 1 << 26,
            stack_bytes: 1 << 19,
            console_bytes: 1 << 20,
            console_entries: 10_000,
            timers: 1_000,
            text_bytes: 1 << 18,
            json_bytes: 1 << 18,
            kill_grace_ms: 50,
            background_timeout_ms: 300_000,
            input_timeout_ms: 60_000,
        },
    }
}

fn run(id: u64) -> ClientMessage {
    run_with(Some(id), None, false)
}

fn run_with(id: Option<u64>, timeout_ms: Option<u64>, fresh: bool) -> ClientMessage {
    ClientMessage::Run(Box::new(Run {
        id: id.map(RequestId::from),
        code: "1+1".into(),
        files: Vec::new(),
        timeout_ms,
        lang: Lang::Js,
        mode: Mode::Repl,
        fresh,
        input: None,
    }))
}

fn cancel(id: u64) -> ClientMessage {
    ClientMessage::Cancel { id: Some(RequestId::from(id)) }
}

fn run_end(run: RunId, outcome: Outcome, background: u32) -> WorkerMessage {
    let value = (outcome == Outcome::Ok).then(|| ValueInfo {
        kind: ValueKind::Number,
        text: "2".into(),
        json: Some("2".into()),
        preview: None,
    });
    WorkerMessage::Done(Box::new(RunEnd {
        run,
        outcome,
        value,
        error: None,
        usage: Usage::default(),
        background,
        engine_replaced: false,
    }))
}

fn settled(run: RunId, outcome: Outcome) -> WorkerMessage {
    WorkerMessage::Settled { run, outcome, error: None, usage: Usage::default(), engine_replaced: false }
}

fn console(run: RunId, text: &str) -> WorkerMessage {
    let entry = ConsoleEntry {
        level: Level::Log,
        text: text.into(),
        time_ms: 0,
        uncaught: false,
        method: None,
        group: 0,
        styles: Vec::new(),
        values: Vec::new(),
    };
    WorkerMessage::Console { run, entries: vec![entry], dropped: 0 }
}

fn ready(nonce: u64) -> WorkerMessage {
    WorkerMessage::Ready { nonce, health: Health { heap_bytes: 0, interrupt_polls: 1, open_files: 1, leftovers: 0 } }
}

/// A session under test, with a clock of its own.
struct Bench {
    state: State,
    now: Instant,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(rules())
    }

    fn with(rules: Rules) -> Bench {
        let now = Instant::now();
        Bench { state: State::new(rules, now), now }
    }

    /// A session whose lease is there at once.
    fn leased() -> Bench {
        let mut bench = Bench::new();
        bench.state.engine = Engine::Up { virgin: true };
        bench
    }

    fn apply(&mut self, event: Event) -> Vec<Action> {
        self.state.apply(event, self.now)
    }

    /// What the client is told because of an event, in short.
    fn told(&mut self, event: Event) -> Vec<String> {
        shown(&self.apply(event))
    }

    /// Lets time pass to the next deadline and returns what came of it.
    fn next_tick(&mut self) -> Vec<Action> {
        self.now = self.state.wake_at().expect("a deadline is set").max(self.now);
        self.apply(Event::Tick)
    }

    fn wait(&mut self, time: Duration) -> Vec<Action> {
        self.now += time;
        self.apply(Event::Tick)
    }

    /// Takes a run to its foreground.
    fn start(&mut self, id: u64) -> RunId {
        let actions = self.apply(Event::Client(run(id)));
        let run = dispatched(&actions).expect("the run is dispatched");
        self.apply(Event::Worker(WorkerMessage::Started { run }));
        run
    }

    /// Takes a run to its background.
    fn background(&mut self, id: u64) -> RunId {
        let run = self.start(id);
        self.apply(Event::Worker(run_end(run, Outcome::Ok, 1)));
        run
    }
}

fn prepared(actions: &[Action]) -> Option<u64> {
    actions.iter().find_map(|action| match action {
        Action::ToWorker(HostMessage::Prepare { nonce, .. }) => Some(*nonce),
        _ => None,
    })
}

fn dispatched(actions: &[Action]) -> Option<RunId> {
    actions.iter().find_map(|action| match action {
        Action::ToWorker(HostMessage::Run(request)) => Some(request.run),
        _ => None,
    })
}

fn has_kill(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Kill(_)))
}

fn interrupts(actions: &[Action]) -> Vec<StopReason> {
    let reason = |action: &Action| match action {
        Action::ToWorker(HostMessage::Interrupt { reason, .. }) => Some(*reason),
        _ => None,
    };
    actions.iter().filter_map(reason).collect()
}

fn shown(actions: &[Action]) -> Vec<String> {
    actions
        .iter()
        .filter_map(|action| if let Action::Send(message) = action { Some(brief(message)) } else { None })
        .collect()
}

fn named(id: &Option<RequestId>) -> String {
    id.as_ref().map_or_else(|| "-".into(), RequestId::to_string)
}

fn query(id: &str, query: Query) -> Event {
    Event::Client(ClientMessage::Query { id: Some(RequestId::Text(id.into())), query })
}

fn is_complete() -> Query {
    Query::IsComplete { code: "1".into(), lang: Lang::Js }
}

fn inspect() -> Query {
    Query::Inspect { reference: Reference(1), start: 0, count: 2 }
}

/// A true answer to a question.
fn answer(id: QueryId, query: &Query) -> WorkerMessage {
    let answer = match query {
        Query::Inspect { .. } => Answer::Properties { total: 0, entries: Vec::new() },
        Query::Complete { cursor, .. } => {
            Answer::Completions(Completions { from: *cursor, to: *cursor, items: Vec::new() })
        }
        Query::IsComplete { .. } => Answer::Completeness(Completeness::Complete),
    };
    WorkerMessage::Answer { id, answer, engine_replaced: false }
}

/// The questions among the actions.
fn asked(actions: &[Action]) -> Vec<(QueryId, Query)> {
    let of = |action: &Action| match action {
        Action::ToWorker(HostMessage::Query { id, query }) => Some((*id, query.clone())),
        _ => None,
    };
    actions.iter().filter_map(of).collect()
}

fn brief(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Queued { id, position, waiting_for } => format!("queued {id} {position} {waiting_for:?}"),
        ServerMessage::Started { id, runtime, .. } => format!("started {id} {runtime:?}"),
        ServerMessage::Console { id, seq, .. } => format!("console {id} {seq}"),
        ServerMessage::InputRequest { id, .. } => format!("input_request {id}"),
        ServerMessage::Done(done) => {
            let Done { id, outcome, runtime, background, .. } = &**done;
            format!("done {id} {} {runtime:?} {background}", outcome.name())
        }
        ServerMessage::Settled { id, outcome, .. } => format!("settled {id} {}", outcome.name()),
        ServerMessage::Reset => "reset".into(),
        ServerMessage::Pong => "pong".into(),
        ServerMessage::Hello(_) => "hello".into(),
        ServerMessage::Properties { id, .. } => format!("properties {}", named(id)),
        ServerMessage::Completions { id, .. } => format!("completions {}", named(id)),
        ServerMessage::Completeness { id, .. } => format!("completeness {}", named(id)),
        ServerMessage::Error { code, id, .. } => match id {
            Some(id) => format!("error {code:?} {id}"),
            None => format!("error {code:?}"),
        },
    }
}
