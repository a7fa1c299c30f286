//! The real websocat, each line as a person types it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::server::TestServer;
use crate::support::shell::{ends, typed, websocat};

/// Types a command in which `WS` stands for the server's address, and returns the lines that it printed.
#[track_caller]
fn prints(server: &TestServer, command: &str) -> Vec<String> {
    let typed = typed(&command.replace("WS/", &server.ws_url("/")));
    assert!(typed.status.success(), "{command}: {typed:?}");
    typed.lines().into_iter().map(str::to_owned).collect()
}

#[track_caller]
fn check(server: &TestServer, command: &str, expected: &[&str]) {
    assert_eq!(prints(server, command), expected, "{command}");
}

/// What a command printed, as frames.
#[track_caller]
fn frames(server: &TestServer, command: &str) -> Vec<Value> {
    prints(server, command).iter().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn types(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame["type"].as_str().unwrap()).collect()
}

#[test]
fn a_line_through_ws_text_prints_its_value() {
    check(&TestServer::start(), "echo '1+1' | websocat WS/ws/text", &["2"]);
}

#[test]
fn a_script_of_lines_keeps_its_state_from_line_to_line() {
    let server = TestServer::start();
    check(&server, r"printf 'let a = 20\nlet b = 22\na + b\n' | websocat WS/ws/text", &["42"]);
}

#[test]
fn a_long_script_of_lines_is_run_to_its_end() {
    let server = TestServer::with(&[("run.queue", "1")]);
    let printed = prints(&server, "seq 300 | websocat WS/ws/text");
    assert_eq!(printed, (1..=300).map(|line| line.to_string()).collect::<Vec<_>>());
}

#[test]
fn each_line_of_output_is_a_line_on_the_terminal() {
    let server = TestServer::start();
    check(
        &server,
        r"echo 'console.log(1); console.log(2, {a: 3}); 4' | websocat WS/ws/text",
        &["1", "2 { a: 3 }", "4"],
    );
    check(&server, r#"echo 'console.log("a\n\nb")' | websocat WS/ws/text"#, &["a", " ", "b"]);
}

#[test]
fn undefined_prints_nothing_and_an_error_is_uncaught() {
    let server = TestServer::start();
    check(&server, "echo 'undefined' | websocat WS/ws/text", &[]);
    check(&server, "echo 'throw 5' | websocat WS/ws/text", &["Uncaught 5"]);
    let printed = prints(&server, "echo 'null.x' | websocat WS/ws/text");
    assert_eq!(printed[0], "Uncaught TypeError: cannot read property 'x' of null");
}

#[test]
fn the_next_lines_answer_what_a_program_asks_also_when_they_are_sent_ahead() {
    let server = TestServer::start();
    let script = r#"printf 'prompt("first?") + prompt("second?")\nA\nB\n"next"\n'"#;
    let command = format!("{script} | websocat WS/ws/text");
    check(&server, &command, &["first?", "second?", "'AB'", "'next'"]);
}

#[test]
fn a_question_that_nobody_answers_is_answered_by_null() {
    check(&TestServer::start(), r#"echo 'prompt("name?")' | websocat WS/ws/text"#, &["name?", "null"]);
}

#[test]
fn output_of_timers_comes_after_the_end_of_input() {
    let server = TestServer::start();
    let program = r#"setTimeout(() => console.log("late"), 300); console.log("soon")"#;
    check(&server, &format!("echo '{program}' | websocat WS/ws/text"), &["soon", "late"]);
}

#[test]
fn an_endless_loop_ends_by_its_time_limit_and_says_so() {
    let server = TestServer::with(&[("run.timeout_ms", "500")]);
    let began = Instant::now();
    let printed = prints(&server, "echo 'for(;;);' | websocat WS/ws/text");
    assert_eq!(printed, ["Uncaught TimeoutError: stopped: the time limit of 500 ms was reached"]);
    assert!(began.elapsed() >= Duration::from_millis(500));
    assert!(began.elapsed() < Duration::from_secs(20), "it took {:?}", began.elapsed());
}

#[test]
fn a_run_through_ws_prints_its_frames_although_the_input_has_ended() {
    let server = TestServer::start();
    let frames = frames(&server, r#"echo '{"type":"run","code":"1+1"}' | websocat WS/ws"#);
    assert_eq!(types(&frames), ["started", "done"]);
    assert_eq!(frames[1]["value"]["text"], "2");
}

#[test]
fn the_server_ends_the_conversation_after_the_first_run_when_asked_to() {
    let server = TestServer::start();
    let frames = frames(&server, r#"echo '{"type":"run","code":"console.log(1); 2"}' | websocat -n 'WS/ws?once=1'"#);
    assert_eq!(types(&frames), ["started", "console", "done"]);
}

#[test]
fn one_message_is_the_whole_reply_when_asked_to() {
    let server = TestServer::start();
    let run = r#"{"type":"run","code":"console.log(1); setTimeout(() => console.log(3), 50); 2"}"#;
    let frames = frames(&server, &format!("echo '{run}' | websocat -n1 'WS/ws?reply=final'"));
    assert_eq!(types(&frames), ["done"]);
    assert_eq!(frames[0]["value"]["text"], "2");
    let texts: Vec<_> = frames[0]["console"].as_array().unwrap().iter().map(|entry| &entry["text"]).collect();
    assert_eq!(texts, ["1", "3"]);
}

#[test]
fn ctrl_c_stops_the_run() {
    let server = TestServer::start();
    let mut child = Command::new(websocat())
        .arg(server.ws_url("/ws"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Held open until the end, as a terminal is.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"{\"type\":\"run\",\"code\":\"for(;;);\"}\n").unwrap();
    let mut started = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut started).unwrap();
    assert!(started.contains("\"started\""), "{started}");

    kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), Signal::INT).unwrap();
    ends(&mut child, "websocat after Ctrl-C");
    server.eventually("the run counted as disconnected", |server| {
        server.metric("runpen_runs_total{outcome=\"disconnected\"}") == 1.0
    });
    server.eventually("the worker free again", |server| server.slots("leased") == 0.0);
    assert_eq!(server.metric("runpen_runs_total{outcome=\"timeout\"}"), 0.0);
    drop(stdin);
}
