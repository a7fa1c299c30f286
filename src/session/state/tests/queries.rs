//! Questions about the engine, each situation once.

use super::*;

/// A run whose value the worker keeps under this number, and the number that the client is told.
fn shown_as(bench: &mut Bench, id: u64, number: u32) -> Option<Reference> {
    let run = bench.start(id);
    let mut end = run_end(run, Outcome::Ok, 0);
    let WorkerMessage::Done(done) = &mut end else { panic!("it ends") };
    let glimpse = Glimpse { kind: ValueKind::Object, text: "Object".into() };
    let preview = Preview { glimpse, reference: Some(Reference(number)), entries: Vec::new(), more: 0 };
    done.value.as_mut().unwrap().preview = Some(preview);
    bench.apply(Event::Worker(end)).iter().find_map(|action| match action {
        Action::Send(ServerMessage::Done(done)) => done.value.as_ref()?.preview.as_ref()?.reference,
        _ => None,
    })
}

#[test]
fn questions_are_answered_in_order_also_while_a_run_awaits() {
    let mut bench = Bench::leased();
    bench.start(1);
    let first = asked(&bench.apply(query("a", inspect())));
    let second = asked(&bench.apply(query("b", is_complete())));
    let (id, question) = &first[0];
    assert_eq!(bench.told(Event::Worker(answer(*id, question))), ["properties \"a\""]);
    let (id, question) = &second[0];
    assert_eq!(bench.told(Event::Worker(answer(*id, question))), ["completeness \"b\""]);
}

#[test]
fn a_question_about_text_takes_a_lease_and_one_about_a_value_does_not() {
    let mut bench = Bench::new();
    assert_eq!(bench.told(query("a", inspect())), ["error RefExpired \"a\""]);
    assert!(matches!(bench.apply(query("b", is_complete()))[..], [Action::Acquire]));
    assert_eq!(asked(&bench.apply(Event::Leased)).len(), 1);
}

#[test]
fn a_question_that_finds_no_lease_is_refused_like_a_run() {
    let mut bench = Bench::new();
    bench.apply(query("a", is_complete()));
    assert_eq!(bench.told(Event::NoLease("later".into())), ["error Busy \"a\""]);
}

#[test]
fn what_was_asked_about_a_reset_engine_expires_and_the_rest_is_asked_again() {
    let mut bench = Bench::leased();
    shown_as(&mut bench, 1, 1);
    bench.apply(query("a", inspect()));
    bench.apply(query("b", is_complete()));
    bench.apply(query("c", inspect()));
    let actions = bench.apply(Event::Client(ClientMessage::Reset));
    assert_eq!(shown(&actions), ["error RefExpired \"a\""]);
    assert!(asked(&actions).is_empty(), "the engine is being built");
    let nonce = prepared(&actions).unwrap();
    let actions = bench.apply(Event::Worker(ready(nonce)));
    assert_eq!(shown(&actions), ["reset"]);
    let again = asked(&actions);
    // Answers come in the order of the questions, also those that need no engine any more.
    let told = bench.told(Event::Worker(answer(again[0].0, &again[0].1)));
    assert_eq!(told, ["completeness \"b\"", "error RefExpired \"c\""]);
}

#[test]
fn numbers_of_values_go_on_from_one_engine_to_the_next() {
    let mut bench = Bench::leased();
    assert_eq!(shown_as(&mut bench, 1, 7), Some(Reference(7)));
    bench.apply(Event::WorkerGone { overdue: false });
    // Nothing is there to be asked: the session knows that 7 was of the engine that is gone.
    let inspect_7 = Query::Inspect { reference: Reference(7), start: 0, count: 1 };
    assert_eq!(bench.told(query("old", inspect_7.clone())), ["error RefExpired \"old\""]);
    bench.apply(Event::Client(super::run(2)));
    let run = dispatched(&bench.apply(Event::Leased)).unwrap();
    bench.apply(Event::Worker(WorkerMessage::Started { run }));
    bench.apply(Event::Worker(run_end(run, Outcome::Ok, 0)));
    assert_eq!(shown_as(&mut bench, 3, 1), Some(Reference(8)), "the new engine counts from 1, the session goes on");
    assert_eq!(bench.told(query("old", inspect_7)), ["error RefExpired \"old\""]);
    let inspect_8 = Query::Inspect { reference: Reference(8), start: 0, count: 1 };
    let (_, asked) = asked(&bench.apply(query("new", inspect_8)))[0].clone();
    assert_eq!(asked, Query::Inspect { reference: Reference(1), start: 0, count: 1 });
}

#[test]
fn an_answer_after_the_sessions_end_is_no_violation() {
    let mut bench = Bench::leased();
    bench.start(1);
    let (id, question) = asked(&bench.apply(query("a", is_complete())))[0].clone();
    bench.apply(Event::Gone);
    assert!(bench.apply(Event::Worker(answer(id, &question))).is_empty());
}

#[test]
fn a_question_that_was_the_workers_end_is_not_asked_again() {
    let mut bench = Bench::leased();
    bench.apply(query("a", is_complete()));
    bench.apply(query("b", inspect()));
    let told = bench.told(Event::WorkerGone { overdue: true });
    assert_eq!(told, ["error NoAnswer \"a\"", "error RefExpired \"b\""]);
}

#[test]
fn a_lease_that_is_recalled_is_asked_for_again_where_a_question_waits() {
    let mut bench = Bench::leased();
    bench.apply(query("a", is_complete()));
    let actions = bench.apply(Event::Recalled);
    assert!(matches!(actions[..], [Action::GiveBack, Action::Acquire]), "{actions:?}");
}

#[test]
fn questions_are_bounded_and_none_is_taken_at_the_end() {
    let mut bench = Bench::leased();
    for n in 0..16 {
        assert!(bench.told(query(&n.to_string(), is_complete())).is_empty());
    }
    assert_eq!(bench.told(query("x", is_complete())), ["error QueueFull \"x\""]);
    let told = bench.told(Event::Shutdown);
    assert_eq!((told.len(), told[0].as_str()), (16, "error ShuttingDown \"0\""));
}

#[test]
fn a_client_that_drains_gets_its_answers_first() {
    let mut bench = Bench::leased();
    let asked = asked(&bench.apply(query("a", is_complete())));
    assert!(bench.apply(Event::Drain(None)).is_empty());
    assert_eq!(bench.told(query("b", is_complete())), ["error ShuttingDown \"b\""]);
    let actions = bench.apply(Event::Worker(answer(asked[0].0, &asked[0].1)));
    assert_eq!(shown(&actions), ["completeness \"a\""]);
    assert!(matches!(actions.last(), Some(Action::Close(CloseCode::Normal))));
}

#[test]
fn an_answer_that_nobody_asked_for_or_that_answers_something_else_ends_the_worker() {
    let item = Completion { label: String::new(), kind: CompletionKind::Keyword, detail: String::new() };
    let too_many = Completions { from: 0, to: 1, items: vec![item; 501] };
    let wrong_place = Completions { from: 2, to: 3, items: Vec::new() };
    let complete = Query::Complete { code: "a".into(), cursor: 1 };
    for (question, answer) in [
        (is_complete(), Answer::Expired),
        (is_complete(), Answer::Completions(Completions { from: 0, to: 0, items: Vec::new() })),
        (complete.clone(), Answer::Completions(too_many)),
        (complete, Answer::Completions(wrong_place)),
        (inspect(), Answer::Completeness(Completeness::Complete)),
    ] {
        let mut bench = Bench::leased();
        let (id, _) = asked(&bench.apply(query("a", question)))[0];
        let lie = WorkerMessage::Answer { id, answer, engine_replaced: false };
        let actions = bench.apply(Event::Worker(lie.clone()));
        assert!(matches!(actions[..], [Action::Kill(RetireReason::Violation), ..]), "{lie:?}: {actions:?}");
        let told = shown(&actions);
        let answers = ["error NoAnswer \"a\"", "error RefExpired \"a\""];
        assert!(told.len() == 1 && answers.contains(&told[0].as_str()), "the question has its answer: {told:?}");
    }
    let mut bench = Bench::leased();
    let unasked = answer(QueryId(1), &is_complete());
    assert!(matches!(bench.apply(Event::Worker(unasked))[..], [Action::Kill(RetireReason::Violation), ..]));
}

#[test]
fn an_answer_may_say_that_the_engine_was_replaced() {
    let mut bench = Bench::leased();
    let run = bench.start(1);
    bench.apply(Event::Worker(run_end(run, Outcome::Ok, 0)));
    let (id, _) = asked(&bench.apply(query("a", inspect())))[0];
    let slow = WorkerMessage::Answer { id, answer: Answer::TooSlow, engine_replaced: true };
    assert_eq!(bench.told(Event::Worker(slow)), ["error NoAnswer \"a\""]);
    let run = dispatched(&bench.apply(Event::Client(super::run(2)))).unwrap();
    assert_eq!(bench.told(Event::Worker(WorkerMessage::Started { run })), ["started 2 Fresh"]);
}

#[test]
fn a_cancel_without_an_id_ends_the_questions_in_their_order() {
    let mut bench = Bench::leased();
    let first = asked(&bench.apply(query("a", is_complete())));
    let second = asked(&bench.apply(query("b", is_complete())));
    let cancel = || Event::Client(ClientMessage::Cancel { id: None });
    let actions = bench.apply(cancel());
    assert!(matches!(
        actions[..],
        [Action::ToWorker(HostMessage::Interrupt { run: None, reason: StopReason::Cancel })]
    ));
    assert!(bench.apply(cancel()).is_empty(), "once is enough");
    let slow = |id| WorkerMessage::Answer { id, answer: Answer::TooSlow, engine_replaced: false };
    assert_eq!(bench.told(Event::Worker(slow(first[0].0))), ["error NoAnswer \"a\""]);
    assert_eq!(bench.told(Event::Worker(slow(second[0].0))), ["error NoAnswer \"b\""]);
    assert_eq!(bench.told(cancel()), ["error UnknownRun"]);
}

#[test]
fn a_cancel_without_an_id_ends_questions_that_wait_for_a_lease() {
    let mut bench = Bench::new();
    bench.apply(query("a", is_complete()));
    let actions = bench.apply(Event::Client(ClientMessage::Cancel { id: None }));
    assert_eq!(shown(&actions), ["error NoAnswer \"a\""]);
    assert!(matches!(actions.last(), Some(Action::LeaveLine)));
}

#[test]
fn a_run_behind_questions_may_begin_when_they_have_had_their_time() {
    let mut bench = Bench::leased();
    let questions = u32::try_from((0..3).map(|_| bench.apply(query("a", is_complete()))).count()).unwrap();
    assert!(dispatched(&bench.apply(Event::Client(super::run(1)))).is_some());
    let begins_by = bench.state.wake_at().unwrap();
    let most = questions * (is_complete().time_limit() + PATIENT_GRACE) + START;
    assert!(begins_by >= bench.now + most, "the worker keeps to its own limits for them");
    assert!(has_kill(&bench.next_tick()), "and no longer");
}

#[test]
fn a_run_whose_worker_dies_of_a_question_before_it_goes_to_the_next_one() {
    let mut bench = Bench::leased();
    bench.apply(query("a", inspect()));
    bench.apply(query("b", is_complete()));
    let first = dispatched(&bench.apply(Event::Client(super::run(1)))).unwrap();
    let actions = bench.apply(Event::WorkerGone { overdue: true });
    assert_eq!(shown(&actions), ["error RefExpired \"a\"", "error NoAnswer \"b\""]);
    let again = dispatched(&bench.apply(Event::Leased)).unwrap();
    assert!(first != again);
}
