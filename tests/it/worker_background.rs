//! Timers, and what lives on after a run's value is known.

use runpen::ids::RunId;
use runpen::ipc::{RunRequest, Settings, WorkerMessage};
use runpen::outcome::{Outcome, StopReason};

use crate::support::worker_driver::{Worker, request, settings};

#[track_caller]
fn outcome_of(settled: &WorkerMessage) -> Outcome {
    match settled {
        WorkerMessage::Settled { outcome, .. } => *outcome,
        other => panic!("not a Settled: {other:?}"),
    }
}

#[test]
fn timers_fire_in_the_order_of_their_time_and_then_of_their_making() {
    let mut worker = Worker::start();
    let run = worker.begin(request(
        "setTimeout(console.log, 20, 'c'); setTimeout(console.log, 5, 'a', 1); setTimeout(console.log, 5, 'b'); 'done'",
    ));
    let finished = worker.finish(run);
    assert_eq!((finished.text(), finished.end.background), ("'done'", 3));
    let (lines, settled) = worker.settle(run);
    assert_eq!(lines, ["a 1", "b", "c"]);
    assert_eq!(outcome_of(&settled), Outcome::Ok);
}

#[test]
fn intervals_repeat_until_they_are_cleared() {
    let mut worker = Worker::start();
    let code = "let n = 0; const id = setInterval(() => { console.log(++n); if (n === 3) clearInterval(id) }, 2)";
    let run = worker.begin(request(code));
    assert_eq!(worker.finish(run).end.background, 1);
    let (lines, settled) = worker.settle(run);
    assert_eq!(lines, ["1", "2", "3"]);
    assert_eq!(outcome_of(&settled), Outcome::Ok);
}

#[test]
fn a_cleared_timer_never_fires_and_leaves_no_background() {
    let finished = Worker::start()
        .run("const id = setTimeout(() => { throw 1 }, 1); clearTimeout(id); clearTimeout(id); clearTimeout('x')");
    assert_eq!((finished.end.outcome, finished.end.background), (Outcome::Ok, 0));
}

#[test]
fn another_run_may_clear_the_timers_and_so_settle_the_background() {
    let mut worker = Worker::start();
    let background = worker.begin(request("var id = setInterval(() => {}, 60_000)"));
    assert_eq!(worker.finish(background).end.background, 1);
    let run = worker.begin(request("clearInterval(id)"));
    assert_eq!(worker.finish(run).end.background, 0);
    assert_eq!(outcome_of(&worker.settle(background).1), Outcome::Ok);
}

#[test]
fn runs_go_on_while_others_have_timers() {
    let mut worker = Worker::start();
    let background = worker.begin(request("var n = 0; setInterval(() => n++, 1); 0"));
    worker.finish(background);
    assert_eq!(worker.run("while (n < 4) await new Promise(r => setTimeout(r, 1)); n > 3").text(), "true");
}

#[test]
fn an_uncaught_error_in_the_background_is_shown_and_decides_the_outcome() {
    let mut worker = Worker::start();
    let run = worker
        .begin(request("setTimeout(() => { throw new Error('late') }, 1); setTimeout(console.log, 5, 'still'); 0"));
    worker.finish(run);
    let (lines, settled) = worker.settle(run);
    assert!(lines[0].starts_with("Uncaught Error: late\n    at "), "{lines:?}");
    assert_eq!(lines[1], "still");
    match settled {
        WorkerMessage::Settled { outcome, error, .. } => {
            assert_eq!(outcome, Outcome::Error);
            assert_eq!(error.expect("an error").message, "late");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_background_is_cancelled_without_delay_even_while_another_run_is_busy() {
    let mut worker = Worker::start();
    let background = worker.begin(request("setInterval(() => {}, 1); 0"));
    worker.finish(background);
    let busy = worker.begin(request("for (;;);"));
    worker.interrupt(Some(background), StopReason::Cancel);
    assert_eq!(outcome_of(&worker.settle(background).1), Outcome::Cancelled);
    worker.interrupt(Some(busy), StopReason::Cancel);
    assert_eq!(worker.finish(busy).end.outcome, Outcome::Cancelled);
}

#[test]
fn a_background_turn_that_loops_ends_at_the_runs_timeout() {
    let mut worker = Worker::start();
    let run =
        worker.begin(RunRequest { timeout_ms: 100, ..request("var kept = 1; setTimeout(() => { for (;;); }, 1); 0") });
    assert_eq!(worker.finish(run).end.background, 1);
    assert_eq!(outcome_of(&worker.settle(run).1), Outcome::Timeout);
    assert_eq!(worker.run("kept").text(), "1");
}

#[test]
fn a_background_has_an_end() {
    let mut worker = Worker::start_with(Settings { background_timeout_ms: 60, ..settings() });
    let run = worker.begin(request("setInterval(() => {}, 5); 0"));
    worker.finish(run);
    assert_eq!(outcome_of(&worker.settle(run).1), Outcome::Timeout);
}

#[test]
fn a_background_stands_still_while_another_run_asks() {
    let mut worker =
        Worker::start_with(Settings { background_timeout_ms: 1_500, input_timeout_ms: 2_000, ..settings() });
    let background = worker.begin(request("setTimeout(() => {}, 1_000); 0"));
    worker.finish(background);
    // Nobody answers: the question waits for longer than the background may live.
    let run = worker.begin(request("prompt('?')"));
    assert!(matches!(worker.receive(), WorkerMessage::InputRequest { .. }));
    assert_eq!(worker.finish(run).text(), "null");
    assert_eq!(outcome_of(&worker.settle(background).1), Outcome::Ok);
}

#[test]
fn the_deadline_bounds_the_background_turns_of_other_runs() {
    let mut worker = Worker::start();
    let background = worker.begin(RunRequest {
        timeout_ms: 60_000,
        ..request("setTimeout(function wait() { while (globalThis.busy); setTimeout(wait, 1) }, 1); 0")
    });
    worker.finish(background);
    let run = worker.begin(RunRequest {
        timeout_ms: 100,
        ..request("globalThis.busy = true; await new Promise(r => setTimeout(r, 60_000))")
    });
    let mut seen = Vec::new();
    while seen.len() < 2 {
        match worker.receive() {
            WorkerMessage::Done(end) => seen.push((end.run, end.outcome)),
            WorkerMessage::Settled { run, outcome, .. } => seen.push((run, outcome)),
            other => panic!("{other:?}"),
        }
    }
    seen.sort_by_key(|(run, _)| *run);
    assert_eq!(seen, [(background, Outcome::Timeout), (run, Outcome::Timeout)]);
}

#[test]
fn a_run_that_waits_for_another_ones_timer_goes_on_for_its_own_time() {
    let mut worker = Worker::start();
    let code = "var tick = new Promise(r => setTimeout(r, 100)); const id = setInterval(() => {}, 10); 0";
    let background = worker.begin(RunRequest { timeout_ms: 150, ..request(code) });
    worker.finish(background);
    let finished = worker.run("await tick; const t = Date.now(); while (Date.now() - t < 600); 'done'");
    assert_eq!((finished.end.outcome, finished.text()), (Outcome::Ok, "'done'"));
    worker.run("clearInterval(id)");
    assert_eq!(outcome_of(&worker.settle(background).1), Outcome::Ok, "what it did not compute is not its own");
}

#[test]
fn an_awaited_run_times_out_although_nothing_runs() {
    let mut worker = Worker::start();
    let finished = worker.run_for("var kept = 1; await new Promise(r => setTimeout(r, 60_000))", 50);
    assert_eq!(
        (finished.end.outcome, finished.end.background, finished.end.engine_replaced),
        (Outcome::Timeout, 0, false)
    );
    assert_eq!(worker.run("kept").text(), "1");
}

#[test]
fn an_awaited_run_is_cancelled_although_nothing_runs() {
    let mut worker = Worker::start();
    let run = worker.begin(request("await new Promise(r => setTimeout(r, 60_000))"));
    worker.interrupt(Some(run), StopReason::Cancel);
    assert_eq!(worker.finish(run).end.outcome, Outcome::Cancelled);
}

#[test]
fn timers_are_bounded_and_picky() {
    let mut worker = Worker::start_with(Settings { timers: 10, ..settings() });
    let finished = worker.run("for (;;) setTimeout(() => {}, 60_000)");
    let error = finished.end.error.expect("an error");
    assert_eq!((finished.end.outcome, error.name.as_str()), (Outcome::Error, "RangeError"));
    assert_eq!(finished.end.background, 10, "what was set before the error lives on");
    let finished = worker.run("setTimeout('1 + 1')");
    assert_eq!(finished.end.error.expect("an error").name, "TypeError");
}

#[test]
fn an_interrupt_for_a_run_that_is_over_or_unknown_is_ignored() {
    let mut worker = Worker::start();
    worker.run("1");
    worker.interrupt(Some(RunId(1)), StopReason::Cancel);
    worker.interrupt(Some(RunId(77)), StopReason::Cancel);
    assert_eq!(worker.run("2").text(), "2");
}

/// A background that would compute for as long as it may wait.
const RESTLESS: [&str; 3] = [
    "setInterval(() => { for (let i = 0; i < 1e5; i++); }, 0); 0",
    "function two() { for (let i = 0; i < 1e5; i++); setTimeout(two); setTimeout(two) } two(); 0",
    "const work = async () => { for (;;) { for (let i = 0; i < 1e5; i++); await new Promise(r => setTimeout(r)) } }; void work(); 0",
];

#[test]
fn all_turns_of_a_background_together_compute_no_longer_than_the_runs_own_limit() {
    for code in RESTLESS {
        // A grace that a busy machine keeps to.
        let mut worker = Worker::start_with(Settings { kill_grace_ms: 5000, ..settings() });
        let run = worker.begin(RunRequest { timeout_ms: 300, ..request(code) });
        worker.finish(run);
        match worker.settle(run).1 {
            WorkerMessage::Settled { outcome, usage, .. } => {
                assert_eq!(outcome, Outcome::Timeout, "{code}");
                // Far from the ten seconds that it might wait.
                assert!((50_000..3_000_000).contains(&usage.cpu_us), "{code}: {usage:?}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(worker.run("1 + 1").text(), "2", "{code}");
    }
}

#[test]
fn a_background_that_waits_may_do_so_for_longer_than_its_runs_limit() {
    let mut worker = Worker::start();
    let code = "let n = 0; const id = setInterval(() => { if (++n === 20) clearInterval(id) }, 25); 0";
    let run = worker.begin(RunRequest { timeout_ms: 250, ..request(code) });
    worker.finish(run);
    match worker.settle(run).1 {
        WorkerMessage::Settled { outcome, usage, .. } => {
            assert_eq!(outcome, Outcome::Ok, "{usage:?}");
            assert!(usage.wall_us > 250_000, "{usage:?}");
        }
        other => panic!("{other:?}"),
    }
}
