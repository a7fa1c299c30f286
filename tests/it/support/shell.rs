//! Commands as a person types them: `bash -c` with websocat and curl at hand, and an end to every one of them.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process_group};

use super::PATIENCE;

/// The websocat that these tests use: the one that RUNPEN_WEBSOCAT names, the one that `make` installs, or the one on the path.
#[track_caller]
pub fn websocat() -> PathBuf {
    let named = std::env::var_os("RUNPEN_WEBSOCAT").map(PathBuf::from);
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/websocat");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found =
        named.into_iter().chain([installed]).chain(std::env::split_paths(&path).map(|d| d.join("websocat")));
    found.find(|program| program.is_file()).expect("websocat is not there: run `make test`, which installs it")
}

/// The path of programs with websocat's directory in front.
fn path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = websocat().parent().map(Path::to_path_buf).into_iter().chain(std::env::split_paths(&path));
    std::env::join_paths(directories).expect("directories from a path can be joined to one")
}

/// `bash -c SCRIPT`, in a process group of its own so that all of it can be ended.
fn bash(script: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new("bash");
    command.args(["-c", script]).env("PATH", path()).process_group(0);
    command
}

#[derive(Debug)]
pub struct Typed {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Typed {
    pub fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}

/// Runs a script to its end and returns what it printed.
#[track_caller]
pub fn typed(script: &str) -> Typed {
    // Of its own: commands write files, and a config.toml that lies about would be read.
    let directory = tempfile::tempdir().unwrap();
    let mut command = bash(script);
    command.current_dir(directory.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("bash is installed");
    let stdout = all_of(child.stdout.take().unwrap());
    let stderr = all_of(child.stderr.take().unwrap());
    let status = ends(&mut child, script);
    let text = |of: mpsc::Receiver<String>| of.recv_timeout(PATIENCE).expect("the output ends with the process");
    Typed { status, stdout: text(stdout), stderr: text(stderr) }
}

/// Waits for a process's end; kills its group where it does not come.
#[track_caller]
pub fn ends(child: &mut Child, what: &str) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() >= deadline {
            let group = Pid::from_raw(child.id().cast_signed()).unwrap();
            // Fails only where it has ended just now.
            let _ = kill_process_group(group, Signal::KILL);
            panic!("this does not end: {what}");
        }
        std::thread::yield_now();
    }
}

fn all_of(mut stream: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (told, telling) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read until an error is what there is to judge.
        let _ = stream.read_to_end(&mut bytes);
        let _ = told.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    telling
}
