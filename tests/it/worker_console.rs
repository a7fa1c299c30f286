//! Console output and prompts.

use std::time::{Duration, Instant};

use runpen::ids::RunId;
use runpen::ipc::{
    ConsoleMethod, Detail, HostMessage, InputKind, Level, RunRequest, Settings, StyleRun, WorkerMessage,
};
use runpen::outcome::{Outcome, StopReason};

use crate::support::worker_driver::{Finished, Worker, request, settings};

#[test]
fn console_lines_are_joined_as_node_joins_them() {
    let finished = Worker::start().run(
        "console.log('a', 1, 'b'); console.info({a: 'x'}); console.warn(-0, [1, 'y']); console.error(new Set); console.debug(); console.log('\\ud800é')",
    );
    assert_eq!(finished.lines(), ["a 1 b", "{ a: 'x' }", "-0 [ 1, 'y' ]", "Set(0) {}", "", "\u{fffd}é"]);
    let levels: Vec<Level> = finished.entries.iter().map(|entry| entry.level).collect();
    assert_eq!(levels, [Level::Log, Level::Info, Level::Warn, Level::Error, Level::Debug, Level::Log]);
    assert!(finished.entries.iter().all(|entry| !entry.uncaught && entry.time_ms > 1_600_000_000_000));
}

#[test]
fn entries_say_which_method_and_which_group_they_are_of() {
    let finished = Worker::start().run(
        "console.group('A'); console.table([1]); console.groupCollapsed('B'); console.trace('t'); console.groupEnd(); console.groupEnd(); console.groupEnd(); console.count(); console.assert(false); console.dir(1); console.clear()",
    );
    let told: Vec<_> = finished.entries.iter().map(|entry| (entry.method, entry.group, entry.level)).collect();
    assert_eq!(
        told,
        [
            (Some(ConsoleMethod::Group), 0, Level::Log),
            (Some(ConsoleMethod::Table), 1, Level::Log),
            (Some(ConsoleMethod::GroupCollapsed), 1, Level::Log),
            (Some(ConsoleMethod::Trace), 2, Level::Log),
            (Some(ConsoleMethod::Count), 0, Level::Log),
            (Some(ConsoleMethod::Assert), 0, Level::Error),
            (Some(ConsoleMethod::Dir), 0, Level::Log),
            (Some(ConsoleMethod::Clear), 0, Level::Log),
        ]
    );
    assert!(finished.entries[3].text.starts_with("    Trace: t\n        at "), "{:?}", finished.entries[3]);
}

#[test]
fn styles_are_runs_of_the_text() {
    let finished = Worker::start().run("console.log('é%cred%cblue%c', 'color: red', 'color: blue', '', 'rest')");
    let entry = &finished.entries[0];
    assert_eq!(entry.text, "éredblue rest");
    let run = |from, to, css: &str| StyleRun { from, to, css: css.into() };
    assert_eq!(entry.styles, [run(1, 4, "color: red"), run(4, 8, "color: blue")]);
    let finished = Worker::start().run("console.group(); console.log('a\\n%cb', 'x')");
    assert_eq!((finished.lines()[0], &finished.entries[0].styles), ("  a\n  b", &vec![run(6, 7, "x")]));
    // A text that is cut takes its styles with it.
    let mut worker = Worker::start_with(Settings { text_bytes: 100, ..settings() });
    for method in ["log", "trace", "error"] {
        let code = format!("console.group(); console.{method}('%ca' + 'é\\n'.repeat(500) + '%cb', 'x', 'y')");
        let entry = worker.run(&code).entries.remove(0);
        let length = entry.text.encode_utf16().count() as u32;
        assert!(entry.styles.iter().all(|style| style.from < style.to && style.to <= length), "{entry:?}");
    }
    // What counts against the caps is all that a script decides.
    let mut worker = Worker::start_with(Settings { console_bytes: 1000, ..settings() });
    let finished = worker.run("for (let i = 0; i < 100; i++) console.log('%cx', 'y'.repeat(99))");
    assert!(finished.entries.len() <= 10 && finished.dropped >= 90, "{} entries", finished.entries.len());
}

#[test]
fn labels_that_are_wrong_are_warned_about() {
    let finished = Worker::start()
        .run("console.timeEnd('x'); console.timeLog(); console.countReset('y'); console.time(); console.time()");
    assert_eq!(
        finished.lines(),
        [
            "No such label 'x' for console.timeEnd()",
            "No such label 'default' for console.timeLog()",
            "Count for 'y' does not exist",
            "Label 'default' already exists for console.time()",
        ]
    );
    assert!(finished.entries.iter().all(|entry| entry.level == Level::Warn));
    let finished =
        Worker::start().run("try { console.table([], 1) } catch (e) { console.log(e.name) } console.count(Symbol())");
    assert_eq!((finished.lines(), finished.end.outcome), (vec!["TypeError"], Outcome::Error));
}

#[test]
fn output_comes_before_the_run_is_over() {
    let mut worker = Worker::start();
    worker.begin(RunRequest { timeout_ms: 60_000, ..request("console.log('early'); for (;;);") });
    match worker.receive() {
        WorkerMessage::Console { entries, .. } => assert_eq!(entries[0].text, "early"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_over_the_caps_is_dropped_and_counted() {
    let mut worker = Worker::start_with(Settings { console_entries: 10, ..settings() });
    let finished = worker.run("for (let i = 0; i < 1000; i++) console.log(i)");
    assert_eq!((finished.entries.len(), finished.dropped, finished.end.usage.dropped), (10, 990, 990));

    let mut worker = Worker::start_with(Settings { console_bytes: 1000, ..settings() });
    let finished = worker.run("for (let i = 0; i < 100; i++) console.log('x'.repeat(99)); 'value'");
    assert_eq!((finished.entries.len(), finished.dropped, finished.end.usage.console_bytes), (10, 90, 990));
    assert_eq!(finished.text(), "'value'", "results are never dropped");
    assert_eq!(worker.run("console.log(1)").entries.len(), 1, "each run has caps of its own");
}

#[test]
fn what_has_no_room_is_not_made_first() {
    // Of what is made and dropped, each would look through all of the object's hundred getters' names.
    let cpu_of = |what: &str| {
        let mut worker = Worker::start_with(Settings { console_bytes: 100_000, ..settings() });
        let code = format!(
            "const big = Object.fromEntries(Array.from({{ length: 100 }}, (_, i) => ['key' + i, {{ i }}])); \
             for (let i = 0; i < 20_000; i++) console.log({what}); 0"
        );
        let request = RunRequest { detail: Detail::Previews, timeout_ms: 60_000, ..request(&code) };
        let finished = worker.run_request(request);
        assert!(finished.dropped > 10_000, "{:?}", finished.end);
        finished.end.usage.cpu_us
    };
    let (objects, strings) = (cpu_of("big"), cpu_of("'x'.repeat(2000)"));
    assert!(objects < 4 * strings, "objects {objects} us, strings {strings} us");
}

#[test]
fn a_prompt_offers_its_default() {
    let offered = |code: &str| {
        let mut worker = Worker::start();
        worker.begin(request(code));
        match worker.receive() {
            WorkerMessage::InputRequest { default, .. } => default,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(offered("prompt('name?', 'Ada')").as_deref(), Some("Ada"));
    assert_eq!(offered("prompt('name?', 7)").as_deref(), Some("7"));
    assert_eq!(offered("prompt('name?')"), None);
    assert_eq!(offered("prompt('name?', undefined)"), None);
    assert_eq!(offered("confirm('sure?', 'yes')"), None);
}

#[test]
fn a_long_line_is_cut() {
    let mut worker = Worker::start_with(Settings { text_bytes: 1000, ..settings() });
    let finished = worker.run("console.log('x'.repeat(5000))");
    assert!(finished.lines()[0].ends_with("... 4000 more characters"), "{}", finished.lines()[0].len());
}

#[test]
fn a_server_that_does_not_read_slows_the_run_and_loses_nothing() {
    let mut worker = Worker::start_with(Settings { console_bytes: 64 << 20, console_entries: 1 << 30, ..settings() });
    let code = "for (let i = 0; i < 20_000; i++) console.log('x'.repeat(100)); 'end'";
    let run = worker.begin(RunRequest { timeout_ms: 60_000, ..request(code) });
    let finished = worker.finish(run);
    assert_eq!((finished.entries.len(), finished.dropped, finished.text()), (20_000, 0, "'end'"));
}

#[test]
fn a_server_that_never_reads_does_not_move_the_deadline() {
    let mut worker = Worker::start_with(Settings { console_bytes: 64 << 20, console_entries: 1 << 30, ..settings() });
    let run = worker.begin(RunRequest { timeout_ms: 1000, ..request("for (;;) console.log('x'.repeat(100))") });
    // Long after the deadline the worker waits, alive, to say so; no frame is cut.
    let until = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < until {
        std::thread::yield_now();
    }
    let finished = worker.finish(run);
    assert_eq!(finished.end.outcome, Outcome::Timeout);
    assert!(finished.dropped > 0 && finished.end.usage.wall_us < 4_000_000, "{:?}", finished.end);
    assert_eq!(worker.run("1").text(), "1");
}

#[test]
fn a_cancel_is_heard_while_the_output_is_stuck() {
    let mut worker = Worker::start_with(Settings { console_bytes: 64 << 20, console_entries: 1 << 30, ..settings() });
    let run = worker.begin(RunRequest { timeout_ms: 60_000, ..request("for (;;) console.log('x'.repeat(100))") });
    worker.interrupt(Some(run), StopReason::Cancel);
    assert_eq!(worker.finish(run).end.outcome, Outcome::Cancelled);
}

/// Runs code that asks once, and answers.
#[track_caller]
fn answer(code: &str, kind: InputKind, text: &str, answer: Option<&str>) -> Finished {
    let mut worker = Worker::start();
    let run = worker.begin(request(code));
    match worker.receive() {
        WorkerMessage::InputRequest { run: of, kind: asked, text: asked_text, default: _ } => {
            assert_eq!((of, asked, asked_text.as_str()), (run, kind, text));
        }
        other => panic!("{other:?}"),
    }
    worker.send(&HostMessage::InputAnswer { run, text: answer.map(str::to_owned) });
    worker.finish(run)
}

#[test]
fn prompts_block_until_they_are_answered() {
    assert_eq!(answer("prompt('name?')", InputKind::Prompt, "name?", Some("Ada")).text(), "'Ada'");
    assert_eq!(answer("prompt()", InputKind::Prompt, "", None).text(), "null");
    assert_eq!(answer("confirm('sure?')", InputKind::Confirm, "sure?", Some("Yes")).text(), "true");
    assert_eq!(answer("confirm('sure?')", InputKind::Confirm, "sure?", None).text(), "false");
    assert_eq!(answer("alert({a: 1})", InputKind::Alert, "{ a: 1 }", Some("")).text(), "undefined");
}

#[test]
fn the_deadline_waits_while_the_client_thinks() {
    let mut worker = Worker::start();
    let run = worker.begin(RunRequest { timeout_ms: 100, ..request("prompt('?'); 'still here'") });
    assert!(matches!(worker.receive(), WorkerMessage::InputRequest { .. }));
    let until = Instant::now() + Duration::from_millis(400);
    while Instant::now() < until {
        std::thread::yield_now();
    }
    worker.send(&HostMessage::InputAnswer { run, text: None });
    assert_eq!(worker.finish(run).text(), "'still here'");
}

#[test]
fn a_prompt_answers_itself_in_the_end_and_a_run_cannot_ask_for_ever() {
    let mut worker = Worker::start_with(Settings { input_timeout_ms: 50, ..settings() });
    let run = worker.begin(request("[prompt('1'), prompt('2'), prompt('3')]"));
    assert!(matches!(worker.receive(), WorkerMessage::InputRequest { .. }));
    assert_eq!(worker.finish(run).text(), "[ null, null, null ]");
}

#[test]
fn a_prompt_is_cancelled() {
    let mut worker = Worker::start();
    let run = worker.begin(request("try { prompt('?') } catch {} for (;;);"));
    assert!(matches!(worker.receive(), WorkerMessage::InputRequest { .. }));
    worker.interrupt(Some(run), StopReason::Cancel);
    assert_eq!(worker.finish(run).end.outcome, Outcome::Cancelled);
}

#[test]
fn a_run_that_arrives_while_output_waits_to_be_read_begins_when_it_has_been() {
    let large = 1 << 20;
    let mut worker = Worker::start_with(Settings {
        text_bytes: large,
        console_bytes: 4 * large,
        background_timeout_ms: 60_000,
        ..settings()
    });
    let code =
        "setTimeout(() => { console.log('x'.repeat(1 << 20)); console.log('tail') }); setTimeout(() => {}, 1e6); 1";
    let first = worker.run(code).end.run;
    // The socket holds a part of the long line and is full; the worker sleeps because nobody reads.
    worker.speaks();
    worker.falls_asleep();
    let second = RunId(2);
    worker.send(&HostMessage::Run(RunRequest { run: second, ..request("2") }));
    let mut tail = String::new();
    loop {
        match worker.receive() {
            WorkerMessage::Console { run, mut entries, .. } if run == first => {
                tail = entries.pop().map(|entry| entry.text).unwrap_or(tail);
            }
            WorkerMessage::Started { run } if run == second => break,
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!((tail.as_str(), worker.finish(second).text()), ("tail", "2"));
}
