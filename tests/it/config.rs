//! `runpen check-config`, and what happens to a wrong configuration at the start.

use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in `directory` with an environment of its own.
fn runpen(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runpen"));
    command.current_dir(directory).args(arguments).env_clear().envs(environment.iter().copied());
    command.output().unwrap()
}

#[track_caller]
fn check_prints(output: &Output, line: &str) {
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.starts_with("# ok"), "{printed}");
    assert!(printed.lines().any(|printed| printed == line), "no line {line:?} in:\n{printed}");
}

#[track_caller]
fn check_refuses(output: &Output, message: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), format!("runpen: failed to {message}\n"));
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
}

#[test]
fn check_config_prints_the_configuration_in_effect() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    check_prints(&runpen(directory, &["check-config"], &[]), "timeout_ms = 10000");

    std::fs::write(directory.join("config.toml"), "[run]\ntimeout_ms = 1").unwrap();
    std::fs::write(directory.join("other.toml"), "[run]\ntimeout_ms = 2").unwrap();
    check_prints(&runpen(directory, &["check-config"], &[]), "timeout_ms = 1");
    check_prints(&runpen(directory, &["check-config", "--config", "other.toml"], &[]), "timeout_ms = 2");
    check_prints(&runpen(directory, &["check-config", "--profile", "dev"], &[]), "timeout_ms = 30000");
    let variable = [("RUNPEN_RUN__TIMEOUT_MS", "3"), ("RUNPEN_PROFILE", "dev")];
    check_prints(&runpen(directory, &["check-config"], &variable), "timeout_ms = 3");
    check_prints(&runpen(directory, &["check-config", "--listen", "[::1]:0"], &[]), "listen = \"[::1]:0\"");
}

#[test]
fn what_check_config_prints_is_a_configuration_file() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let first = runpen(directory, &["check-config", "--profile", "prod"], &[("RUNPEN_LOG__FORMAT", "json")]);
    std::fs::write(directory.join("printed.toml"), &first.stdout).unwrap();
    let second = runpen(directory, &["check-config", "--config", "printed.toml"], &[]);
    assert_eq!(String::from_utf8(second.stdout), String::from_utf8(first.stdout));
}

#[test]
fn a_wrong_configuration_stops_every_command_that_uses_it() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let message = "use `RUNPEN_LOG__FORMAT` in the environment: it must be one of \"text\", \"json\", and is \"xml\"";
    for arguments in [&["check-config"][..], &["serve"], &[], &["--listen", "127.0.0.1:0"]] {
        check_refuses(&runpen(directory, arguments, &[("RUNPEN_LOG__FORMAT", "xml")]), message);
    }
}

#[test]
fn a_missing_file_is_named_with_the_cause() {
    let directory = tempfile::tempdir().unwrap();
    check_refuses(
        &runpen(directory.path(), &["check-config", "--config", "absent.toml"], &[]),
        "read the configuration file absent.toml: No such file or directory (os error 2)",
    );
}

#[test]
fn a_wrong_flag_is_a_mistake_in_the_command_line() {
    let directory = tempfile::tempdir().unwrap();
    let output = runpen(directory.path(), &["--lisen", "127.0.0.1:0"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--lisen"));
}

#[test]
fn the_version_is_printed_and_the_worker_command_is_hidden() {
    let directory = tempfile::tempdir().unwrap();
    let version = runpen(directory.path(), &["--version"], &[]);
    assert_eq!(version.stdout, concat!("runpen ", env!("CARGO_PKG_VERSION"), "\n").as_bytes());
    let help = String::from_utf8(runpen(directory.path(), &["--help"], &[]).stdout).unwrap();
    assert!(help.contains("check-config") && !help.contains("worker"), "{help}");
}
