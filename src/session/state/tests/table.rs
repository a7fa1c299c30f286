//! Each situation once, with its one defined answer.

use super::*;

#[test]
fn a_run_is_started_and_done_and_the_next_one_keeps_the_engine() {
    let mut bench = Bench::leased();
    let run = dispatched(&bench.apply(Event::Client(run(1)))).unwrap();
    assert_eq!(bench.told(Event::Worker(WorkerMessage::Started { run })), ["started 1 Fresh"]);
    assert_eq!(bench.told(Event::Worker(console(run, "hi"))), ["console 1 0"]);
    assert_eq!(bench.told(Event::Worker(run_end(run, Outcome::Ok, 0))), ["done 1 ok Kept 0"]);
    let run = dispatched(&bench.apply(Event::Client(super::run(2)))).unwrap();
    assert_eq!(bench.told(Event::Worker(WorkerMessage::Started { run })), ["started 2 Kept"]);
}

#[test]
fn the_first_run_asks_for_a_lease_and_hears_its_place_in_the_line() {
    let mut bench = Bench::new();
    let actions = bench.apply(Event::Client(run(1)));
    assert!(matches!(actions[..], [Action::Acquire]));
    assert_eq!(bench.told(Event::Position(4)), ["queued 1 4 Pool"]);
    assert_eq!(bench.told(Event::Client(run(2))), ["queued 2 1 Session"]);
    assert_eq!(bench.told(Event::NoLease("later".into())), ["error Busy 1", "error Busy 2"]);
    assert!(matches!(bench.apply(Event::Client(run(3)))[..], [Action::Acquire]), "the next run asks again");
}

#[test]
fn a_run_that_becomes_the_first_in_the_queue_hears_the_place_in_the_line() {
    let mut bench = Bench::new();
    bench.apply(Event::Client(run(1)));
    bench.apply(Event::Position(4));
    bench.apply(Event::Client(run(2)));
    assert_eq!(bench.told(Event::Client(cancel(1))), ["done 1 cancelled Kept 0", "queued 2 4 Pool"]);
}

#[test]
fn a_stopped_background_is_reported_with_its_latency() {
    let mut bench = Bench::leased();
    let run = bench.background(1);
    bench.apply(Event::Client(cancel(1)));
    bench.now += GRACE / 2;
    let actions = bench.apply(Event::Worker(settled(run, Outcome::Cancelled)));
    assert!(
        actions.iter().any(|action| matches!(action, Action::Stopped(StopReason::Cancel, took) if *took == GRACE / 2))
    );
}

#[test]
fn the_queue_is_bounded_and_an_id_in_use_is_refused() {
    let mut bench = Bench::leased();
    bench.start(1);
    assert_eq!(bench.told(Event::Client(run(1))), ["error DuplicateId 1"]);
    for id in 2..=4 {
        assert_eq!(bench.told(Event::Client(run(id))), [format!("queued {id} {} Session", id - 1)]);
    }
    assert_eq!(bench.told(Event::Client(run(5))), ["error QueueFull 5"]);
}

#[test]
fn a_run_without_an_id_gets_a_number_that_is_not_in_use() {
    let mut bench = Bench::leased();
    bench.start(1);
    assert_eq!(bench.told(Event::Client(run_with(None, None, false))), ["queued 2 1 Session"]);
}

#[test]
fn a_cancel_in_the_line_ends_the_run_and_leaves_the_line() {
    let mut bench = Bench::new();
    bench.apply(Event::Client(run(1)));
    bench.apply(Event::Position(1));
    let actions = bench.apply(Event::Client(cancel(1)));
    assert_eq!(shown(&actions), ["done 1 cancelled Kept 0"]);
    assert!(actions.iter().any(|action| matches!(action, Action::LeaveLine)));
}

#[test]
fn a_cancel_in_the_queue_ends_only_that_run() {
    let mut bench = Bench::leased();
    bench.start(1);
    bench.apply(Event::Client(run(2)));
    assert_eq!(bench.told(Event::Client(cancel(2))), ["done 2 cancelled Kept 0"]);
}

#[test]
fn a_cancel_in_the_foreground_interrupts_once_and_the_second_says_nothing() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    assert_eq!(interrupts(&bench.apply(Event::Client(cancel(1)))), [StopReason::Cancel]);
    assert!(bench.apply(Event::Client(cancel(1))).is_empty());
    assert_eq!(bench.told(Event::Worker(run_end(run, Outcome::Cancelled, 0))), ["done 1 cancelled Kept 0"]);
    assert_eq!(bench.told(Event::Client(cancel(1))), ["error UnknownRun 1"]);
}

#[test]
fn a_cancel_before_the_worker_has_started_the_run_ends_it_too() {
    let mut bench = Bench::leased();
    let run = dispatched(&bench.apply(Event::Client(run(1)))).unwrap();
    assert_eq!(interrupts(&bench.apply(Event::Client(cancel(1)))), [StopReason::Cancel]);
    assert_eq!(bench.told(Event::Worker(run_end(run, Outcome::Cancelled, 0))), ["done 1 cancelled Kept 0"]);
}

#[test]
fn a_cancel_in_the_background_settles_it() {
    let mut bench = Bench::leased();
    let run = bench.background(1);
    assert_eq!(interrupts(&bench.apply(Event::Client(cancel(1)))), [StopReason::Cancel]);
    assert_eq!(bench.told(Event::Worker(settled(run, Outcome::Cancelled))), ["settled 1 cancelled"]);
}

#[test]
fn a_cancel_of_nothing_is_an_error() {
    let mut bench = Bench::leased();
    assert_eq!(bench.told(Event::Client(cancel(9))), ["error UnknownRun 9"]);
    assert_eq!(bench.told(Event::Client(ClientMessage::Cancel { id: None })), ["error UnknownRun"]);
}

#[test]
fn a_cancel_without_an_id_means_everything() {
    let mut bench = Bench::leased();
    bench.background(1);
    bench.start(2);
    bench.apply(Event::Client(run(3)));
    let actions = bench.apply(Event::Client(ClientMessage::Cancel { id: None }));
    assert_eq!(shown(&actions), ["done 3 cancelled Kept 0"]);
    assert_eq!(interrupts(&actions), [StopReason::Cancel, StopReason::Cancel]);
}

#[test]
fn a_deadline_climbs_the_ladder_and_the_session_goes_on() {
    let mut bench = Bench::leased();
    bench.start(1);
    let started = bench.now;
    assert_eq!(interrupts(&bench.next_tick()), [StopReason::Deadline]);
    assert_eq!(bench.now - started, TIMEOUT);
    let actions = bench.next_tick();
    assert_eq!(bench.now - started, TIMEOUT + GRACE);
    assert!(has_kill(&actions));
    assert_eq!(shown(&actions), ["done 1 timeout Replaced 0"]);
    assert!(matches!(bench.apply(Event::Client(run(2)))[..], [Action::Acquire]));
}

#[test]
fn the_workers_own_timer_may_beat_the_servers_and_it_is_still_a_timeout() {
    let mut bench = Bench::leased();
    bench.start(1);
    bench.now += TIMEOUT + GRACE;
    assert_eq!(bench.told(Event::WorkerGone { overdue: false }), ["done 1 timeout Replaced 0"]);
}

#[test]
fn a_worker_that_dies_by_itself_is_a_crash_for_all_its_runs() {
    let mut bench = Bench::leased();
    bench.background(1);
    bench.start(2);
    bench.apply(Event::Client(run(3)));
    let actions = bench.apply(Event::WorkerGone { overdue: false });
    assert_eq!(shown(&actions), ["settled 1 crashed", "done 2 crashed Replaced 0"]);
    assert!(matches!(actions.last(), Some(Action::Acquire)), "the queued run gets another worker");
}

#[test]
fn a_background_cancel_does_not_cost_another_run_its_engine() {
    let mut bench = Bench::leased();
    let background = bench.background(1);
    bench.start(2);
    bench.apply(Event::Client(cancel(1)));
    assert!(!has_kill(&bench.wait(GRACE * 10)), "the foreground run holds the engine and is within its time");
    bench.apply(Event::Worker(settled(background, Outcome::Cancelled)));
    assert!(!has_kill(&bench.wait(GRACE)));
}

#[test]
fn a_run_behind_a_long_background_turn_has_its_whole_time_from_its_start() {
    let mut bench = Bench::leased();
    bench.background(1);
    let run = dispatched(&bench.apply(Event::Client(run(2)))).unwrap();
    assert!(bench.wait(TIMEOUT).is_empty(), "the background turn may take its time first");
    bench.apply(Event::Worker(WorkerMessage::Started { run }));
    let started = bench.now;
    assert_eq!(interrupts(&bench.next_tick()), [StopReason::Deadline]);
    assert_eq!(bench.now - started, TIMEOUT);
}

#[test]
fn the_whole_background_has_a_deadline() {
    let mut bench = Bench::leased();
    bench.background(1);
    let settled = bench.now;
    assert_eq!(interrupts(&bench.next_tick()), [StopReason::Deadline]);
    assert_eq!(bench.now - settled, BACKGROUND);
    assert_eq!(shown(&bench.next_tick()), ["settled 1 timeout"]);
}

#[test]
fn a_prompt_pauses_the_deadline_and_the_pauses_are_bounded() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    let started = bench.now;
    let ask =
        || Event::Worker(WorkerMessage::InputRequest { run, kind: InputKind::Prompt, text: "?".into(), default: None });
    assert_eq!(bench.told(ask()), ["input_request 1"]);
    bench.now += INPUT / 2;
    let answer = ClientMessage::Input { id: None, text: Some("me".into()) };
    let actions = bench.apply(Event::Client(answer.clone()));
    assert!(matches!(actions[..], [Action::ToWorker(HostMessage::InputAnswer { text: Some(_), .. })]));
    assert_eq!(bench.told(Event::Client(answer)), ["error NoInputWanted"]);
    bench.apply(ask());
    let actions = bench.next_tick();
    assert!(matches!(actions[..], [Action::ToWorker(HostMessage::InputAnswer { text: None, .. })]));
    assert_eq!(bench.now - started, INPUT, "two waits, one budget");
    assert_eq!(interrupts(&bench.next_tick()), [StopReason::Deadline]);
    assert_eq!(bench.now - started, INPUT + TIMEOUT);
}

#[test]
fn a_cancel_ends_a_run_that_waits_for_input() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    bench.apply(Event::Worker(WorkerMessage::InputRequest {
        run,
        kind: InputKind::Alert,
        text: String::new(),
        default: None,
    }));
    assert_eq!(interrupts(&bench.apply(Event::Client(cancel(1)))), [StopReason::Cancel]);
    assert_eq!(shown(&bench.next_tick()), ["done 1 cancelled Replaced 0"]);
}

#[test]
fn a_reset_stops_everything_and_answers_when_the_engine_is_fresh() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    let actions = bench.apply(Event::Client(ClientMessage::Reset));
    assert_eq!(interrupts(&actions), [StopReason::Cancel]);
    assert!(shown(&actions).is_empty());
    let actions = bench.apply(Event::Worker(run_end(run, Outcome::Cancelled, 0)));
    assert_eq!(shown(&actions), ["done 1 cancelled Kept 0"]);
    assert!(matches!(actions.last(), Some(Action::ToWorker(HostMessage::Prepare { nonce: 1, .. }))));
    assert_eq!(bench.told(Event::Worker(ready(1))), ["reset"]);
}

#[test]
fn a_reset_without_a_lease_is_answered_at_once() {
    assert_eq!(Bench::new().told(Event::Client(ClientMessage::Reset)), ["reset"]);
}

#[test]
fn a_fresh_run_gets_a_fresh_engine_and_says_so() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    bench.apply(Event::Worker(run_end(run, Outcome::Ok, 0)));
    let actions = bench.apply(Event::Client(run_with(Some(2), None, true)));
    assert!(matches!(actions[..], [Action::ToWorker(HostMessage::Prepare { nonce: 1, .. })]));
    let run = dispatched(&bench.apply(Event::Worker(ready(1)))).unwrap();
    assert_eq!(bench.told(Event::Worker(WorkerMessage::Started { run })), ["started 2 Fresh"]);
}

#[test]
fn an_engine_that_is_not_ready_in_time_is_killed_and_the_reset_still_answered() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    bench.apply(Event::Worker(run_end(run, Outcome::Ok, 0)));
    bench.apply(Event::Client(ClientMessage::Reset));
    let actions = bench.next_tick();
    assert!(has_kill(&actions));
    assert_eq!(shown(&actions), ["reset"]);
}

#[test]
fn a_worker_that_does_not_begin_a_run_is_replaced_long_before_the_deadline() {
    let mut bench = Bench::leased();
    let begun = bench.now;
    bench.apply(Event::Client(run(1)));
    assert!(bench.state.must_hear_worker(), "its `started` may not wait for a slow client");
    let actions = bench.next_tick();
    assert_eq!(bench.now, begun + START);
    assert!(matches!(actions[0], Action::Kill(RetireReason::Unresponsive)));
    assert_eq!(shown(&actions), ["done 1 crashed Replaced 0"]);
}

#[test]
fn a_worker_may_finish_a_background_turn_before_it_begins_the_next_run() {
    let mut bench = Bench::leased();
    bench.background(1);
    let run = dispatched(&bench.apply(Event::Client(run(2)))).unwrap();
    assert!(bench.wait(TIMEOUT + START - Duration::from_millis(1)).is_empty());
    assert_eq!(bench.told(Event::Worker(WorkerMessage::Started { run })), ["started 2 Kept"]);
    assert!(!bench.state.must_hear_worker());
}

#[test]
fn a_prompt_holds_the_clock_of_a_run_that_has_not_begun() {
    let mut bench = Bench::leased();
    let first = bench.background(1);
    bench.apply(Event::Client(run(2)));
    let ask = WorkerMessage::InputRequest { run: first, kind: InputKind::Prompt, text: String::new(), default: None };
    bench.apply(Event::Worker(ask));
    assert!(bench.wait(INPUT - Duration::from_secs(1)).is_empty());
    bench.apply(Event::Client(ClientMessage::Input { id: None, text: None }));
    assert!(bench.wait(TIMEOUT + START - Duration::from_secs(1)).is_empty());
    let actions = bench.wait(Duration::from_secs(1));
    assert!(has_kill(&actions));
    assert_eq!(shown(&actions), ["settled 1 crashed"], "the run itself goes to the next worker");
}

#[test]
fn a_client_that_is_gone_is_told_nothing_and_its_lease_goes_home_at_rest() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    bench.apply(Event::Client(super::run(2)));
    let actions = bench.apply(Event::Gone);
    assert_eq!(interrupts(&actions), [StopReason::Disconnect]);
    assert!(shown(&actions).is_empty());
    let actions = bench.apply(Event::Worker(run_end(run, Outcome::Disconnected, 0)));
    assert!(shown(&actions).is_empty());
    assert!(matches!(
        actions[..],
        [Action::Ended(_), Action::Stopped(..), Action::GiveBack, Action::Close(CloseCode::Gone)]
    ));
}

#[test]
fn a_shutdown_ends_every_run_and_closes() {
    let mut bench = Bench::leased();
    bench.start(1);
    bench.apply(Event::Client(run(2)));
    assert_eq!(bench.told(Event::Shutdown), ["done 2 shutdown Kept 0"]);
    let actions = bench.next_tick();
    assert_eq!(shown(&actions), ["done 1 shutdown Replaced 0"]);
    assert!(matches!(actions.last(), Some(Action::Close(CloseCode::GoingAway))));
}

#[test]
fn a_drain_finishes_what_was_received_and_then_closes() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    bench.apply(Event::Client(super::run(2)));
    bench.apply(Event::Drain(None));
    let actions = bench.apply(Event::Worker(run_end(run, Outcome::Ok, 0)));
    let run = dispatched(&actions).expect("the second run starts");
    bench.apply(Event::Worker(WorkerMessage::Started { run }));
    let actions = bench.apply(Event::Worker(run_end(run, Outcome::Ok, 0)));
    assert!(matches!(actions.last(), Some(Action::Close(CloseCode::Normal))));
}

#[test]
fn a_drain_is_over_when_its_time_is() {
    let mut bench = Bench::leased();
    bench.start(1);
    bench.apply(Event::Drain(Some(Duration::from_secs(1))));
    assert_eq!(interrupts(&bench.next_tick()), [StopReason::Disconnect]);
}

#[test]
fn a_prompt_after_the_end_of_input_is_answered_with_nothing() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    bench.apply(Event::Drain(None));
    let ask = WorkerMessage::InputRequest { run, kind: InputKind::Prompt, text: "?".into(), default: None };
    let actions = bench.apply(Event::Worker(ask));
    assert!(matches!(actions[..], [Action::ToWorker(HostMessage::InputAnswer { text: None, .. })]));
}

#[test]
fn once_ends_with_the_first_run_and_its_background() {
    let mut bench = Bench::with(Rules { once: true, ..rules() });
    bench.state.engine = Engine::Up { virgin: true };
    let run = bench.start(1);
    bench.apply(Event::Client(super::run(2)));
    assert_eq!(
        bench.told(Event::Worker(run_end(run, Outcome::Ok, 1))),
        ["done 1 ok Kept 1", "done 2 cancelled Kept 0"]
    );
    let actions = bench.apply(Event::Worker(settled(run, Outcome::Ok)));
    assert!(matches!(actions.last(), Some(Action::Close(CloseCode::Normal))));
}

#[test]
fn only_an_idle_session_gives_its_lease_back_when_others_wait() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    assert_eq!(bench.state.idle_since(), None);
    assert!(bench.apply(Event::Recalled).is_empty(), "not idle");
    bench.apply(Event::Worker(run_end(run, Outcome::Ok, 0)));
    assert_eq!(bench.state.idle_since(), Some(bench.now));
    assert!(matches!(bench.apply(Event::Recalled)[..], [Action::GiveBack]));
    bench.apply(Event::Client(super::run(2)));
    bench.apply(Event::Leased);
    let run = *bench.state.active.keys().next().unwrap();
    assert_eq!(bench.told(Event::Worker(WorkerMessage::Started { run })), ["started 2 Fresh"]);
}

#[test]
fn a_frame_that_cannot_be_true_costs_the_worker_its_life() {
    fn valued(run: RunId, text: &str, json: &str) -> WorkerMessage {
        let WorkerMessage::Done(mut end) = run_end(run, Outcome::Ok, 0) else { unreachable!() };
        end.value =
            Some(ValueInfo { kind: ValueKind::Object, text: text.into(), json: Some(json.into()), preview: None });
        WorkerMessage::Done(end)
    }
    fn failed(run: RunId, name: &str, message: &str, frames: usize) -> WorkerMessage {
        let WorkerMessage::Done(mut end) = run_end(run, Outcome::Error, 0) else { unreachable!() };
        let frame = crate::ipc::StackFrame { function: "f".into(), source: "run-1".into(), line: 1, column: 1 };
        end.error = Some(ErrorInfo {
            name: name.into(),
            message: message.into(),
            stack: String::new(),
            line: None,
            column: None,
            frames: vec![frame; frames],
        });
        WorkerMessage::Done(end)
    }
    let lies: [fn(RunId) -> WorkerMessage; 19] = [
        |run| WorkerMessage::Console { run, entries: Vec::new(), dropped: 0 },
        |run| WorkerMessage::InputRequest { run, kind: InputKind::Prompt, text: "x".repeat(1 << 14), default: None },
        |run| run_end(run, Outcome::Ok, 5_000),
        |run| valued(run, &"x".repeat(1 << 19), "1"),
        |run| valued(run, "x", &format!("[{}1]", "1,".repeat(1 << 18))),
        |run| valued(run, "[1]", "[\n{\"type\":\"done\"}\n]"),
        |run| failed(run, &"N".repeat(2_000), "m", 1),
        |run| failed(run, "N", &"m".repeat(1 << 19), 1),
        |run| failed(run, "N", "m", 1_000),
        |_| WorkerMessage::Boxed(crate::sandbox::Report { layers: Vec::new(), micros: 0 }),
        |run| WorkerMessage::Started { run },
        |_| console(RunId(99), "from nowhere"),
        |_| run_end(RunId(99), Outcome::Ok, 0),
        |run| settled(run, Outcome::Ok),
        |run| run_end(run, Outcome::Crashed, 0),
        |run| run_end(run, Outcome::Cancelled, 0),
        |_| ready(1),
        |run| console(run, &"x".repeat(2 << 20)),
        |run| {
            WorkerMessage::Done(Box::new(RunEnd {
                run,
                outcome: Outcome::Ok,
                value: Some(ValueInfo {
                    kind: ValueKind::Object,
                    text: "{}".into(),
                    json: Some("{not json".into()),
                    preview: None,
                }),
                error: None,
                usage: Usage::default(),
                background: 0,
                engine_replaced: false,
            }))
        },
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let mut bench = Bench::leased();
        let run = bench.start(1);
        let actions = bench.apply(Event::Worker(lie(run)));
        assert!(matches!(actions[0], Action::Kill(RetireReason::Violation)), "lie {number}: {actions:?}");
        assert_eq!(shown(&actions), ["done 1 crashed Replaced 0"], "lie {number}");
    }
}

#[test]
fn a_run_that_never_began_does_not_die_with_the_background_before_it() {
    let mut bench = Bench::leased();
    bench.background(1);
    bench.apply(Event::Client(run(2)));
    let actions = bench.apply(Event::WorkerGone { overdue: false });
    assert_eq!(shown(&actions), ["settled 1 crashed"]);
    assert!(matches!(actions.last(), Some(Action::Acquire)), "it gets another worker: {actions:?}");
    let run = dispatched(&bench.apply(Event::Leased)).expect("it is sent again");
    assert_eq!(bench.told(Event::Worker(WorkerMessage::Started { run })), ["started 2 Fresh"]);
    assert_eq!(
        bench.told(Event::WorkerGone { overdue: false }),
        ["done 2 crashed Replaced 0"],
        "from now on it is its own doing"
    );
}

#[test]
fn a_run_behind_a_cancelled_background_that_must_be_killed_is_not_cancelled_with_it() {
    let mut bench = Bench::leased();
    bench.background(1);
    bench.apply(Event::Client(cancel(1)));
    bench.apply(Event::Client(run(2)));
    let actions = bench.next_tick();
    assert!(has_kill(&actions));
    assert_eq!(shown(&actions), ["settled 1 cancelled"]);
    assert!(dispatched(&bench.apply(Event::Leased)).is_some(), "the second run goes on");
}

#[test]
fn a_run_that_a_fresh_worker_never_begins_is_not_tried_for_ever() {
    let mut bench = Bench::leased();
    bench.apply(Event::Client(run(1)));
    assert_eq!(bench.told(Event::WorkerGone { overdue: false }), ["done 1 crashed Replaced 0"]);
}

#[test]
fn a_stopped_run_that_never_began_ends_with_its_worker() {
    let mut bench = Bench::leased();
    bench.background(1);
    bench.apply(Event::Client(run(2)));
    bench.apply(Event::Client(cancel(2)));
    assert_eq!(bench.told(Event::WorkerGone { overdue: false }), ["settled 1 crashed", "done 2 cancelled Replaced 0"]);
}

#[test]
fn the_time_that_a_spoilt_engine_needs_to_be_replaced_is_not_the_next_runs() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    bench.apply(Event::Client(cancel(1)));
    let WorkerMessage::Done(mut end) = run_end(run, Outcome::Cancelled, 0) else { unreachable!() };
    end.engine_replaced = true;
    bench.apply(Event::Worker(WorkerMessage::Done(end)));
    bench.apply(Event::Client(run_with(Some(2), Some(20), false)));
    let run = RunId(2);
    assert!(bench.wait(PREPARE).is_empty(), "not its fault");
    assert_eq!(bench.told(Event::Worker(WorkerMessage::Started { run })), ["started 2 Fresh"]);
    assert_eq!(interrupts(&bench.wait(Duration::from_millis(20))), [StopReason::Deadline]);
}

#[test]
fn resets_that_wait_are_bounded() {
    let mut bench = Bench::leased();
    bench.start(1);
    let told: Vec<String> = (0..20).flat_map(|_| bench.told(Event::Client(ClientMessage::Reset))).collect();
    assert_eq!(told, ["error QueueFull"; 4]);
    let actions = bench.next_tick();
    assert_eq!(shown(&actions).iter().filter(|told| *told == "reset").count(), 16);
}

#[test]
fn a_replaced_engine_is_told_and_the_next_run_starts_fresh() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    bench.apply(Event::Client(cancel(1)));
    let end = RunEnd {
        run,
        outcome: Outcome::Cancelled,
        value: None,
        error: None,
        usage: Usage::default(),
        background: 0,
        engine_replaced: true,
    };
    assert_eq!(bench.told(Event::Worker(WorkerMessage::Done(Box::new(end)))), ["done 1 cancelled Replaced 0"]);
    let run = dispatched(&bench.apply(Event::Client(super::run(2)))).unwrap();
    assert_eq!(bench.told(Event::Worker(WorkerMessage::Started { run })), ["started 2 Fresh"]);
}

#[test]
fn an_error_of_the_users_keeps_his_own_words_and_a_deadline_has_ours() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    let error = ErrorInfo {
        name: "TypeError".into(),
        message: "bad".into(),
        stack: String::new(),
        line: Some(1),
        column: None,
        frames: Vec::new(),
    };
    let end = |outcome| RunEnd {
        run,
        outcome,
        value: None,
        error: Some(error.clone()),
        usage: Usage::default(),
        background: 0,
        engine_replaced: false,
    };
    let name = |actions: Vec<Action>| {
        actions.into_iter().find_map(|action| match action {
            Action::Send(ServerMessage::Done(done)) => done.error.map(|error| error.name),
            _ => None,
        })
    };
    let actions = bench.apply(Event::Worker(WorkerMessage::Done(Box::new(end(Outcome::Error)))));
    assert_eq!(name(actions).as_deref(), Some("TypeError"));
    let mut bench = Bench::leased();
    bench.start(1);
    let actions = bench.apply(Event::Worker(WorkerMessage::Done(Box::new(end(Outcome::Timeout)))));
    assert_eq!(name(actions).as_deref(), Some("TimeoutError"), "a script cannot choose the name of our errors");
}

#[test]
fn a_worker_taken_for_want_of_memory_ends_its_runs_as_memory_and_retries_what_never_began() {
    let mut bench = Bench::leased();
    bench.background(1);
    bench.apply(Event::Client(run(2)));
    let actions = bench.apply(Event::WorkerTaken);
    assert_eq!(shown(&actions), ["settled 1 memory"]);
    assert!(matches!(actions.last(), Some(Action::Acquire)), "{actions:?}");
    let error = actions.iter().find_map(|action| match action {
        Action::Send(ServerMessage::Settled { error, .. }) => error.clone(),
        _ => None,
    });
    assert!(error.unwrap().message.contains("the server is short of memory"));
}

#[test]
fn the_reasons_a_worker_was_told_do_not_grow_with_the_runs_that_were_cancelled() {
    let mut bench = Bench::leased();
    for id in 1..=1000 {
        let run = bench.start(id);
        bench.apply(Event::Client(cancel(id)));
        bench.apply(Event::Worker(run_end(run, Outcome::Cancelled, 0)));
    }
    assert_eq!(bench.state.told, [StopReason::Cancel]);
}

#[test]
fn what_waits_is_bounded_in_bytes_and_the_first_is_always_taken() {
    let mut bench = Bench::with(Rules { queued_bytes: 1000, ..rules() });
    bench.state.engine = Engine::Up { virgin: true };
    bench.start(1);
    let large = |id: u64, length: usize| {
        let ClientMessage::Run(run) = run(id) else { unreachable!("it makes a run") };
        Event::Client(ClientMessage::Run(Box::new(Run { code: "x".repeat(length), ..*run })))
    };
    assert_eq!(bench.told(large(2, 5000)), ["queued 2 1 Session"], "nothing else waits");
    assert_eq!(bench.told(large(3, 1)), ["error QueueFull 3"]);
    assert_eq!(bench.told(query("q", is_complete())), ["error QueueFull \"q\""]);
    bench.apply(Event::Client(cancel(2)));
    assert_eq!(bench.told(large(4, 500)), ["queued 4 1 Session"]);
    assert_eq!(bench.told(large(5, 500)), ["error QueueFull 5"]);
}

#[test]
fn a_frame_of_an_error_is_bounded_by_all_of_its_texts() {
    let frame = |function: usize, source: usize| StackFrame {
        function: "f".repeat(function),
        source: "s".repeat(source),
        line: 1,
        column: 1,
    };
    for (frame, is_believed) in [(frame(1, 1), true), (frame(1 << 19, 1), false), (frame(1, 1 << 19), false)] {
        let mut bench = Bench::leased();
        let run = bench.start(1);
        let error = ErrorInfo {
            name: "Error".into(),
            message: String::new(),
            stack: String::new(),
            line: None,
            column: None,
            frames: vec![frame],
        };
        let WorkerMessage::Done(mut end) = run_end(run, Outcome::Error, 0) else { unreachable!("it makes an end") };
        end.error = Some(error);
        assert_ne!(has_kill(&bench.apply(Event::Worker(WorkerMessage::Done(end)))), is_believed);
    }
}
