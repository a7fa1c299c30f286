//! Whatever the code does, it ends: by the deadline, by a cancel, by its own hand, or by the kernel's.

use std::time::{Duration, Instant};

use runpen::ids::{QueryId, RunId};
use runpen::ipc::{Answer, Completeness, HostMessage, Lang, Query, RunRequest, WorkerMessage};
use runpen::outcome::{Outcome, StopReason};

use crate::support::worker_driver::{Death, Worker, request};

const SIGSEGV: i32 = 11;
const SIGALRM: i32 = 14;

/// The exit code of a worker that was asked to stop and did not.
const STUCK: i32 = 72;

#[track_caller]
fn check_timeout(code: &str, engine_replaced: bool) {
    let mut worker = Worker::start();
    worker.run("var kept = 'kept'");
    let finished = worker.run_for(code, 100);
    assert_eq!((finished.end.outcome, finished.end.background), (Outcome::Timeout, 0), "{code}");
    assert_eq!(finished.end.engine_replaced, engine_replaced, "{code}");
    let kept = if engine_replaced { "'undefined'" } else { "'string'" };
    assert_eq!(worker.run("typeof kept").text(), kept, "{code}");
}

#[track_caller]
fn death_by(code: &str) -> Death {
    let mut worker = Worker::start();
    let run = worker.begin(RunRequest { timeout_ms: 100, ..request(code) });
    assert!(worker.try_finish(run).is_none(), "{code}");
    worker.death()
}

#[test]
fn an_endless_loop_ends_at_the_deadline_and_keeps_the_engine() {
    check_timeout("for (;;);", false);
    check_timeout("try { for (;;); } catch { kept = 1 } finally { kept = 2 }", false);
    check_timeout("setTimeout(() => {}, 1); for (;;);", false);
}

#[test]
fn microtask_storms_end_at_the_deadline_and_cost_the_engine() {
    check_timeout("(async () => { for (;;) await 0 })()", true);
    check_timeout("(function loop() { queueMicrotask(loop) })()", true);
    check_timeout("Promise.resolve().then(() => { kept = 1 }); for (;;);", true);
}

#[test]
fn no_code_runs_after_the_end() {
    let mut worker = Worker::start();
    worker.run("var n = 0");
    let finished = worker.run_for("setInterval(() => n++, 1); for (;;);", 50);
    assert_eq!(finished.end.outcome, Outcome::Timeout);
    assert_eq!(worker.run("await new Promise(r => setTimeout(r, 20)); n").text(), "0");
}

#[test]
fn the_deadline_is_kept_closely() {
    let mut worker = Worker::start();
    let begun = Instant::now();
    let finished = worker.run_for("for (;;);", 100);
    let took = begun.elapsed();
    assert_eq!(finished.end.outcome, Outcome::Timeout);
    assert!(took >= Duration::from_millis(100) && took < Duration::from_millis(1000), "{took:?}");
}

#[test]
fn cancel_ends_a_busy_loop_and_keeps_the_engine() {
    let mut worker = Worker::start();
    let run = worker.begin(RunRequest { timeout_ms: 60_000, ..request("var kept = 1; for (;;);") });
    worker.interrupt(Some(run), StopReason::Cancel);
    let finished = worker.finish(run);
    assert_eq!((finished.end.outcome, finished.end.engine_replaced), (Outcome::Cancelled, false));
    assert_eq!(worker.run("kept").text(), "1");
}

#[test]
fn every_reason_has_its_outcome() {
    for reason in StopReason::ALL {
        let mut worker = Worker::start();
        let run = worker.begin(RunRequest { timeout_ms: 60_000, ..request("for (;;);") });
        worker.interrupt(None, reason);
        assert_eq!(worker.finish(run).end.outcome, reason.outcome());
    }
}

#[test]
fn the_first_reason_wins() {
    let mut worker = Worker::start();
    let run = worker.begin(RunRequest { timeout_ms: 60_000, ..request("for (;;);") });
    worker.interrupt(Some(run), StopReason::Shutdown);
    worker.interrupt(Some(run), StopReason::Cancel);
    assert_eq!(worker.finish(run).end.outcome, Outcome::Shutdown);
}

#[test]
fn a_run_interrupted_before_it_began_runs_nothing() {
    let mut worker = Worker::start();
    worker.run("var ran = 0");
    let run = RunId(50);
    // Both frames are there before the worker looks again, so it does not begin; or it has begun. Either way it ends as cancelled.
    worker.send_all(&[
        HostMessage::Run(RunRequest { run, timeout_ms: 60_000, ..request("ran = 1; for (;;);") }),
        HostMessage::Interrupt { run: Some(run), reason: StopReason::Cancel },
    ]);
    let end = loop {
        match worker.receive() {
            WorkerMessage::Started { .. } => {}
            WorkerMessage::Done(end) => break end,
            other => panic!("expected Started or Done, got {other:?}"),
        }
    };
    assert_eq!((end.run, end.outcome), (run, Outcome::Cancelled));
}

#[test]
fn a_run_behind_questions_is_cancelled_at_once_and_costs_nobody_his_state() {
    let mut worker = Worker::start();
    worker.run("var kept = 'kept'");
    let run = RunId(50);
    let question = |id| HostMessage::Query { id: QueryId(id), query: slow_question() };
    worker.send_all(&[
        question(101),
        question(102),
        HostMessage::Run(RunRequest { run, timeout_ms: 60_000, ..request("kept = 'lost'") }),
        HostMessage::Interrupt { run: Some(run), reason: StopReason::Cancel },
    ]);
    match worker.receive() {
        WorkerMessage::Done(end) => assert_eq!((end.run, end.outcome), (run, Outcome::Cancelled)),
        other => panic!("the run is not the first to end: {other:?}"),
    }
    for expected in [101, 102] {
        assert!(matches!(worker.receive(), WorkerMessage::Answer { id, .. } if id == QueryId(expected)));
    }
    assert_eq!(worker.run("kept").text(), "'kept'");
}

#[test]
fn questions_end_by_an_interrupt_of_everything_also_those_that_wait() {
    let mut worker = Worker::start();
    worker.run("var kept = 'kept'");
    let question = |id| HostMessage::Query { id: QueryId(id), query: slow_question() };
    let everything = HostMessage::Interrupt { run: None, reason: StopReason::Cancel };
    worker.send_all(&[question(101), question(102), question(103), everything]);
    for expected in [101, 102, 103] {
        let answer = worker.receive();
        let expected = WorkerMessage::Answer { id: QueryId(expected), answer: Answer::TooSlow, engine_replaced: false };
        assert_eq!(answer, expected);
    }
    assert_eq!(
        worker.ask(Query::IsComplete { code: "1".into(), lang: Lang::Js }),
        Answer::Completeness(Completeness::Complete)
    );
    assert_eq!(worker.run("kept").text(), "'kept'");
}

/// One that keeps the parser busy: names that are declared again and again, and compared with each other.
fn slow_question() -> Query {
    Query::IsComplete { code: "enum A{a,b}".repeat(20_000), lang: Lang::Ts }
}

#[test]
fn a_question_about_any_text_ends_within_its_limit() {
    let mut worker = Worker::start();
    worker.run("var kept = 'kept'");
    let query = slow_question();
    let limit = query.time_limit();
    let begun = Instant::now();
    let answer = worker.ask(query);
    // Room for a busy machine; without a limit it takes much longer.
    assert!(begun.elapsed() < 4 * limit, "{answer:?}: {:?}", begun.elapsed());
    assert_eq!(worker.run("kept").text(), "'kept'");
}

#[test]
fn a_run_whose_text_keeps_the_parser_busy_ends_at_its_deadline_and_keeps_the_engine() {
    let mut worker = Worker::start();
    worker.run("var kept = 'kept'");
    let code = "enum A{a,b}".repeat(20_000);
    let run = worker.begin(RunRequest { lang: Lang::Ts, timeout_ms: 100, ..request(&code) });
    let end = worker.finish(run).end;
    assert_eq!((end.outcome, end.engine_replaced), (Outcome::Timeout, false), "{:?}", end.error);
    assert_eq!(worker.run("kept").text(), "'kept'");
}

#[test]
fn a_forged_interrupt_error_is_an_ordinary_error() {
    let finished = Worker::start().run("throw new InternalError('interrupted')");
    assert_eq!(finished.end.outcome, Outcome::Error);
}

#[test]
fn code_that_swallows_interrupts_ends_its_process() {
    for code in ["for (;;) new Promise(() => { for (;;); })", "for (;;) Promise.try(() => { for (;;); })"] {
        let death = death_by(code);
        // On a busy machine the kernel may be faster.
        assert!(death.code == Some(STUCK) || death.signal == Some(SIGALRM), "{code}: {death:?}");
    }
}

#[test]
fn a_fault_of_the_engines_own_ends_the_process_by_its_signal() {
    // Native recursion without a check of the stack. What handles the faults of parsers lets others pass.
    let mut worker = Worker::start();
    let code = "let it = [].values(); for (let i = 0; i < 1e5; i++) it = it.take(5); it.next()";
    let run = worker.begin(RunRequest { timeout_ms: 20_000, ..request(code) });
    assert!(worker.try_finish(run).is_none());
    assert_eq!(worker.death().signal, Some(SIGSEGV));
}

#[test]
fn loops_inside_the_engine_are_ended_by_the_kernel() {
    assert_eq!(death_by("Array.prototype.slice.call({length: 2 ** 32 - 1})").signal, Some(SIGALRM));
    assert_eq!(
        death_by("setTimeout(() => [].reverse.call({length: 2 ** 53 - 1}), 1); await new Promise(() => {})").signal,
        Some(SIGALRM)
    );
}

#[test]
fn a_full_heap_cannot_keep_an_interrupt_from_working() {
    let code = "let l = null; try { for (;;) l = {l} } catch {} for (;;) { try { for (;;); } catch {} }";
    let finished = Worker::start().run_for(code, 5000);
    assert_eq!(finished.end.outcome, Outcome::Timeout);
}

#[test]
fn an_idle_worker_is_not_hit_by_the_timer_of_an_earlier_run() {
    let mut worker = Worker::start();
    worker.run_for("1", 1);
    worker.run_for("for (;;);", 20);
    assert_eq!(worker.run("await new Promise(r => setTimeout(r, 200)); 'alive'").text(), "'alive'");
}
