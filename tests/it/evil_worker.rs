//! The real server with workers that lie. Whatever they say, the run ends as `crashed` or by its deadline, the worker is killed
//! for a counted reason, other sessions do not notice, and the server's memory stays where it was.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use bytes::BytesMut;
use runpen::ids::RunId;
use runpen::ipc::{self, ConsoleEntry, Health, InputKind, Level, RunEnd, ValueInfo, ValueKind, WorkerMessage};
use runpen::outcome::{Outcome, Usage};
use runpen::sandbox::{Layer, LayerReport, Report, Status};
use serde_json::json;

use crate::support::server::TestServer;
use crate::support::ws::{Ran, WsClient};

const PROGRAM: &str = include_str!("support/evil_worker.pl");
const RUN: RunId = RunId(1);

/// A flood of large frames, before it begins again.
const FLOOD_BYTES: usize = 16 << 20;

struct Lair {
    server: TestServer,
    directory: tempfile::TempDir,
}

impl Lair {
    fn new(settings: &[(&str, &str)]) -> Lair {
        let directory = tempfile::tempdir().unwrap();
        // Workers may have a user of their own.
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let program = directory.path().join("worker");
        std::fs::write(&program, PROGRAM).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let layers = Layer::ALL.map(|layer| LayerReport { layer, status: Status::Enforced }).to_vec();
        let boxed = WorkerMessage::Boxed(Report { layers, micros: 1 });
        std::fs::write(directory.path().join("boxed"), frames(&[boxed])).unwrap();
        let mut all = vec![("run.timeout_ms", "2000"), ("log.level", "error"), ("pool.warm", "2")];
        all.extend_from_slice(settings);
        let server = TestServer::with_worker(&program, &all);
        Lair { server, directory }
    }

    /// The code of a run that makes the worker say this.
    fn code(&self, name: &str, how: &str, said: &[u8]) -> String {
        let path: PathBuf = self.directory.path().join(name);
        std::fs::write(&path, said).unwrap();
        format!("{} {how}", path.display())
    }

    async fn run(&self, client: &mut WsClient, name: &str, how: &str, said: &[u8]) -> Ran {
        client.request(json!({ "type": "run", "id": "evil", "code": self.code(name, how, said) })).await
    }
}

fn frames(messages: &[WorkerMessage]) -> Vec<u8> {
    let mut out = BytesMut::new();
    for message in messages {
        ipc::encode(message, &mut out).unwrap();
    }
    out.to_vec()
}

fn done(value: &str) -> WorkerMessage {
    WorkerMessage::Done(Box::new(RunEnd {
        run: RUN,
        outcome: Outcome::Ok,
        value: Some(ValueInfo { kind: ValueKind::String, text: value.into(), json: None, preview: None }),
        error: None,
        usage: Usage {
            wall_us: u64::MAX,
            cpu_us: u64::MAX,
            heap_bytes: u64::MAX,
            console_bytes: u64::MAX,
            dropped: u64::MAX,
        },
        background: 0,
        engine_replaced: false,
    }))
}

fn console(count: usize, text: &str, dropped: u64) -> WorkerMessage {
    let entry = ConsoleEntry {
        level: Level::Log,
        text: text.into(),
        time_ms: u64::MAX,
        uncaught: true,
        group: 0,
        method: None,
        styles: Vec::new(),
        values: Vec::new(),
    };
    WorkerMessage::Console { run: RUN, entries: vec![entry; count], dropped }
}

const STARTED: WorkerMessage = WorkerMessage::Started { run: RUN };

#[tokio::test]
async fn a_lie_ends_the_run_as_crashed_and_the_worker_with_a_counted_reason() {
    let lair = Lair::new(&[]);
    let health = Health { heap_bytes: 0, interrupt_polls: 1, open_files: 1, leftovers: 0 };
    let prompt = |text: String| WorkerMessage::InputRequest { run: RUN, kind: InputKind::Prompt, text, default: None };
    let mut said: Vec<(&str, &str, Vec<u8>)> = vec![
        ("ready", "violation", frames(&[STARTED, WorkerMessage::Ready { nonce: 1, health }])),
        ("boxed", "violation", frames(&[WorkerMessage::Boxed(Report { layers: Vec::new(), micros: 0 })])),
        ("started-twice", "violation", frames(&[STARTED, STARTED])),
        ("done-unstarted", "violation", frames(&[done("x")])),
        ("other-run", "violation", frames(&[STARTED, WorkerMessage::Started { run: RunId(u64::MAX) }])),
        ("entries", "bad_frame", frames(&[STARTED, console(200_000, "", 0)])),
        ("large-prompt", "violation", frames(&[STARTED, prompt("x".repeat(3 << 20))])),
        ("two-prompts", "violation", frames(&[STARTED, prompt("1".into()), prompt("2".into())])),
        ("large-value", "violation", frames(&[STARTED, done(&"\u{1}".repeat(3 << 20))])),
        ("length", "bad_frame", u32::MAX.to_le_bytes().to_vec()),
        ("garbage", "bad_frame", vec![3, 0, 0, 0, 0xff, 0xff, 0xff]),
        ("not-utf8", "bad_frame", vec![6, 0, 0, 0, 4, 1, 0, 2, 0xff, 0xfe]),
    ];
    let mut trailing = frames(&[STARTED]);
    trailing[0] += 1;
    trailing.push(0);
    said.push(("trailing", "bad_frame", trailing));
    for (name, reason, frames) in said {
        let before = lair.server.retired(reason);
        let mut client = WsClient::connect(&lair.server).await;
        let ran = lair.run(&mut client, name, "once", &frames).await;
        assert_eq!(ran.outcome(), "crashed", "{name}: {}", ran.done);
        assert_eq!(ran.done["runtime"], "replaced", "{name}");
        lair.server.eventually(name, |server| server.retired(reason) > before);
    }
}

#[tokio::test]
async fn numbers_that_cannot_be_true_are_shown_and_nothing_overflows() {
    let lair = Lair::new(&[]);
    let mut client = WsClient::connect(&lair.server).await;
    let said = frames(&[STARTED, console(1, "\u{1b}[2J\u{202e}\0", u64::MAX), console(1, "", u64::MAX), done("x")]);
    let ran = lair.run(&mut client, "numbers", "once", &said).await;
    assert_eq!(ran.outcome(), "ok", "{}", ran.done);
    assert_eq!(ran.done["usage"]["dropped"], u64::MAX);
    let mut client = WsClient::open(lair.server.address, "/ws?reply=final").await;
    let ran = lair.run(&mut client, "numbers-final", "once", &said).await;
    assert_eq!(ran.outcome(), "ok", "{}", ran.done);
}

#[tokio::test]
async fn what_is_said_after_the_end_costs_the_worker_and_not_the_next_run() {
    let lair = Lair::new(&[]);
    let mut client = WsClient::connect(&lair.server).await;
    let said = frames(&[STARTED, done("x"), console(1, "from the grave", 0), done("again")]);
    let ran = lair.run(&mut client, "after", "once", &said).await;
    assert_eq!((ran.outcome(), ran.text()), ("ok", "x"));
    lair.server.eventually("the liar is killed", |server| server.retired("violation") > 0.0);
    let run = RunId(2);
    let WorkerMessage::Done(mut end) = done("fine") else { unreachable!() };
    end.run = run;
    let said = frames(&[WorkerMessage::Started { run }, WorkerMessage::Done(end)]);
    let ran = lair.run(&mut client, "second", "once", &said).await;
    assert_eq!((ran.outcome(), ran.text()), ("ok", "fine"));
}

#[tokio::test]
async fn floods_are_cut_off_and_leave_the_servers_memory_where_it_was() {
    let lair = Lair::new(&[("run.timeout_ms", "1000")]);
    let prompt = WorkerMessage::InputRequest { run: RUN, kind: InputKind::Alert, text: "?".into(), default: None };
    let empty = WorkerMessage::Console { run: RUN, entries: Vec::new(), dropped: 0 };
    let uncounted = WorkerMessage::Console { run: RUN, entries: Vec::new(), dropped: 1 };
    let floods = [
        ("empty", vec![empty]),
        ("dropped-only", vec![uncounted]),
        ("tiny", vec![console(1, "", 0)]),
        ("large", vec![console(1, &"x".repeat(1 << 20), 0)]),
        ("prompts", vec![prompt]),
    ];
    let before = lair.server.footprint().memory;
    for (name, flood) in floods {
        // The flood begins with the second frame that the worker says: `Started` may be said only once.
        let mut client = WsClient::connect(&lair.server).await;
        let started = frames(&[STARTED]);
        let flood = frames(&flood);
        let flood = flood.repeat((FLOOD_BYTES / flood.len()).min(20_000));
        let said = [started, flood].concat();
        let ran = lair.run(&mut client, name, "flood", &said).await;
        println!("{name}: {} after {:?}, {} messages", ran.outcome(), ran.took, ran.messages.len());
        assert!(["crashed", "timeout"].contains(&ran.outcome()), "{name}: {}", ran.done);
        assert!(ran.messages.len() < 13_000, "{name}: {} messages", ran.messages.len());
    }
    let grown = lair.server.footprint().memory.saturating_sub(before);
    assert!(grown < 64 << 20, "the server has grown by {grown} bytes");
}

#[tokio::test]
async fn a_worker_that_never_reads_is_stopped_by_the_deadline_and_the_session_goes_on() {
    let lair = Lair::new(&[("run.timeout_ms", "500")]);
    let mut client = WsClient::connect(&lair.server).await;
    let ran = lair.run(&mut client, "deaf", "deaf", &frames(&[STARTED])).await;
    assert_eq!(ran.outcome(), "timeout", "{}", ran.done);
    assert_eq!(ran.done["runtime"], "replaced");
    // A background that never ends, in a worker that never reads: its session is told when it asks.
    let mut end = match done("x") {
        WorkerMessage::Done(end) => end,
        _ => unreachable!(),
    };
    end.background = 1;
    let said = frames(&[STARTED, WorkerMessage::Done(end)]);
    let mut client = WsClient::connect(&lair.server).await;
    let ran = lair.run(&mut client, "deaf-background", "deaf", &said).await;
    assert_eq!(ran.outcome(), "ok");
    client.send(json!({ "type": "cancel" })).await;
    let settled = client.until("settled").await;
    assert_eq!((settled["outcome"].as_str(), settled["runtime"].as_str()), (Some("cancelled"), Some("replaced")));
}

#[tokio::test]
async fn a_background_for_each_run_is_bounded_as_timers_are() {
    let lair = Lair::new(&[("run.timers", "5")]);
    let mut client = WsClient::connect(&lair.server).await;
    let mut crashed = 0;
    for number in 1..=8 {
        let run = RunId(number);
        let WorkerMessage::Done(mut end) = done("x") else { unreachable!() };
        (end.run, end.background) = (run, 1);
        let said = frames(&[WorkerMessage::Started { run }, WorkerMessage::Done(end)]);
        let code = lair.code(&format!("bg-{number}"), "once", &said);
        let ran = client.request(json!({ "type": "run", "code": code })).await;
        crashed += usize::from(ran.outcome() == "crashed");
    }
    assert_eq!(crashed, 1, "the seventh that lives on is one too many");
}
