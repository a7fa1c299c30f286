//! Clocks that stand still while a question waits for the client.

use super::*;

fn ask(run: RunId) -> Event {
    Event::Worker(WorkerMessage::InputRequest { run, kind: InputKind::Prompt, text: "?".into(), default: None })
}

fn answer_nothing() -> Event {
    Event::Client(ClientMessage::Input { id: None, text: None })
}

/// Longer than a run may take, and no longer than a question may wait.
const LONG: Duration = Duration::from_secs(50);

#[test]
fn a_worker_that_dies_while_its_run_asks_has_crashed_however_long_the_question_has_waited() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    bench.apply(ask(run));
    assert!(bench.wait(LONG).is_empty());
    assert_eq!(bench.told(Event::WorkerGone { overdue: false }), ["done 1 crashed Replaced 0"]);
}

#[test]
fn a_run_behind_a_long_question_is_tried_again_when_the_worker_dies() {
    let mut bench = Bench::leased();
    let first = bench.background(1);
    bench.apply(Event::Client(run(2)));
    bench.apply(ask(first));
    assert!(bench.wait(LONG).is_empty());
    let actions = bench.apply(Event::WorkerGone { overdue: false });
    assert_eq!(shown(&actions), ["settled 1 crashed"]);
    assert!(dispatched(&bench.apply(Event::Leased)).is_some(), "the second run goes to the next worker");
}

#[test]
fn a_run_that_is_sent_while_another_asks_gets_no_more_than_its_own_time() {
    let mut bench = Bench::leased();
    let first = bench.background(1);
    bench.apply(ask(first));
    assert!(bench.wait(LONG).is_empty());
    bench.apply(Event::Client(run(2)));
    bench.apply(answer_nothing());
    let answered = bench.now;
    assert!(has_kill(&bench.next_tick()));
    assert_eq!(bench.now - answered, TIMEOUT + START, "a background turn may go first");
}

#[test]
fn the_background_of_another_run_stands_still_too() {
    let mut bench = Bench::leased();
    bench.background(1);
    let settled_by = bench.now + BACKGROUND;
    let second = bench.start(2);
    bench.apply(ask(second));
    assert!(bench.wait(LONG).is_empty());
    bench.apply(answer_nothing());
    bench.apply(Event::Worker(run_end(second, Outcome::Ok, 0)));
    assert_eq!(interrupts(&bench.next_tick()), [StopReason::Deadline]);
    assert_eq!(bench.now, settled_by + LONG);
}

#[test]
fn a_cancel_in_the_middle_of_a_question_lets_the_other_clocks_go_on() {
    let mut bench = Bench::leased();
    let first = bench.background(1);
    bench.apply(Event::Client(run(2)));
    bench.apply(ask(first));
    assert!(bench.wait(LONG).is_empty());
    bench.apply(Event::Client(cancel(1)));
    bench.apply(Event::Worker(settled(first, Outcome::Cancelled)));
    let cancelled = bench.now;
    assert!(has_kill(&bench.next_tick()), "the second run has not begun");
    assert_eq!(bench.now - cancelled, TIMEOUT + START);
}
