//! What the server writes, and where.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// The lines of a server's standard error, from its start to its end by SIGTERM.
fn logged(settings: &[(&str, &str)]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_runpen"));
    command.args(["serve", "--listen", "127.0.0.1:0"]).envs(settings.iter().copied()).current_dir(directory.path());
    let mut server = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut stdout = BufReader::new(server.stdout.take().unwrap());
    stdout.read_line(&mut first).unwrap();
    assert!(first.starts_with("listening on http://127.0.0.1:"), "{first}");
    kill_process(Pid::from_raw(server.id().cast_signed()).unwrap(), Signal::TERM).unwrap();
    let mut errors = String::new();
    server.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "standard output is for the one line");
    assert_eq!(server.wait().unwrap().code(), Some(0));
    errors.lines().map(str::to_owned).collect()
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
