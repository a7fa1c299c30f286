//! What the server writes, and where.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::PATIENCE;
use crate::support::server::{children_of, send_signal};

/// The lines of a server's standard error, from its start to its end by SIGTERM. Before that, `act` does something to the server with this
/// process id, and reads its standard error as far as it wants.
fn logged_while(settings: &[(&str, &str)], act: impl FnOnce(u32, &mut dyn BufRead)) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_runpen"));
    command.args(["serve", "--listen", "127.0.0.1:0"]).envs(settings.iter().copied()).current_dir(directory.path());
    let mut server = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut stdout = BufReader::new(server.stdout.take().unwrap());
    stdout.read_line(&mut first).unwrap();
    assert!(first.starts_with("listening on http://127.0.0.1:"), "{first}");
    let mut stderr = BufReader::new(server.stderr.take().unwrap());
    act(server.id(), &mut stderr);
    kill_process(Pid::from_raw(server.id().cast_signed()).unwrap(), Signal::TERM).unwrap();
    let mut errors = String::new();
    stderr.read_to_string(&mut errors).unwrap();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "standard output is for the one line");
    assert_eq!(server.wait().unwrap().code(), Some(0));
    errors.lines().map(str::to_owned).collect()
}

fn logged(settings: &[(&str, &str)]) -> Vec<String> {
    logged_while(settings, |_, _| ())
}

#[test]
fn a_worker_that_the_box_has_killed_is_warned_of() {
    let mut warning = String::new();
    let rest = logged_while(&[("RUNPEN_POOL__WARM", "2"), ("RUNPEN_LOG__LEVEL", "warn")], |server, stderr| {
        let deadline = Instant::now() + PATIENCE;
        let workers = loop {
            let workers = children_of(server);
            if workers.len() == 2 {
                break workers;
            }
            assert!(Instant::now() < deadline, "{workers:?}");
        };
        send_signal(workers[0], Signal::SYS);
        while !warning.contains("SIGSYS") {
            warning.clear();
            assert_ne!(stderr.read_line(&mut warning).unwrap(), 0, "the server has ended without a warning");
        }
    });
    assert!(warning.contains("WARN") && warning.contains("worker=") && warning.contains("forbids"), "{warning}");
    assert!(!rest.iter().any(|line| line.contains("SIGSYS")), "one line is enough: {rest:#?}");
}

#[test]
fn a_log_that_is_not_on_a_terminal_has_no_colours() {
    let lines = logged(&[]);
    assert!(lines.iter().any(|line| line.contains("listening")), "{lines:#?}");
    assert!(!lines.concat().contains('\u{1b}'), "{lines:#?}");
}

#[test]
fn a_log_in_json_is_one_object_a_line() {
    let lines = logged(&[("RUNPEN_LOG__FORMAT", "json")]);
    assert!(!lines.is_empty());
    for line in lines {
        serde_json::from_str::<serde_json::Map<_, _>>(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

#[test]
fn a_log_that_is_off_is_empty() {
    assert_eq!(logged(&[("RUNPEN_LOG__LEVEL", "off")]), Vec::<String>::new());
}
