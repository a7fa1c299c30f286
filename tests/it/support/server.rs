//! The real binary, started for one test and ended with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::PATIENCE;

/// Between two looks at something that only a look can tell.
const LOOK_AGAIN: Duration = Duration::from_millis(3);

pub struct TestServer {
    child: Child,
    pub address: SocketAddr,
}

/// What `curl` got.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }
}

/// What a server holds at some moment.
#[derive(Debug, Clone, Copy)]
pub struct Footprint {
    /// Zombies included.
    pub children: usize,
    pub open_files: usize,
    pub threads: usize,
    /// Resident, in bytes.
    pub memory: u64,
}

impl TestServer {
    /// A server with the built-in configuration on a free port.
    pub fn start() -> TestServer {
        TestServer::with(&[])
    }

    /// A server that never kills what an interrupt can stop, however busy the machine is: for tests of what an interrupt keeps.
    pub fn patient() -> TestServer {
        TestServer::with(&[
            ("run.kill_grace_ms", "30000"),
            ("pool.health_ms", "31000"),
            ("server.shutdown_ms", "40000"),
        ])
    }

    /// A server with some keys set: `("run.timeout_ms", "300")`.
    pub fn with(settings: &[(&str, &str)]) -> TestServer {
        TestServer::launch(settings, None)
    }

    /// A server whose workers are this program.
    pub fn with_worker(program: &std::path::Path, settings: &[(&str, &str)]) -> TestServer {
        TestServer::launch(settings, Some(program))
    }

    /// A server that a shell has limited first: `limited("ulimit -n 256", &[])`.
    pub fn limited(limit: &str, settings: &[(&str, &str)]) -> TestServer {
        TestServer::spawn(&mut configured(limited_serve(limit), settings))
    }

    /// A server with some keys set, and the file that its log goes to.
    pub fn with_log(settings: &[(&str, &str)]) -> (TestServer, tempfile::NamedTempFile) {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = configured(serve(), settings);
        command.stderr(log.reopen().unwrap());
        (TestServer::spawn(&mut command), log)
    }

    fn launch(settings: &[(&str, &str)], worker: Option<&std::path::Path>) -> TestServer {
        let mut command = configured(serve(), settings);
        if let Some(worker) = worker {
            command.env("RUNPEN_WORKER_PROGRAM", worker);
        }
        TestServer::spawn(&mut command)
    }

    fn spawn(command: &mut Command) -> TestServer {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (told, telling) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        let line = telling.recv_timeout(PATIENCE).expect("the server says where it listens");
        let address = line.strip_prefix("listening on http://").expect(&line).parse().unwrap();
        TestServer { child, address }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn ws_url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// `curl` with these arguments and the address of `path`.
    pub fn curl(&self, arguments: &[&str], path: &str) -> Reply {
        let output = Command::new("curl")
            .args(["-sS", "--max-time", &PATIENCE.as_secs().to_string(), "-w", "\n%{http_code}"])
            .args(arguments)
            .arg(self.url(path))
            .output()
            .expect("curl is installed");
        let stdout = String::from_utf8(output.stdout).unwrap();
        let (body, status) = stdout.rsplit_once('\n').unwrap_or(("", "0"));
        assert!(output.status.success(), "curl: {}", String::from_utf8_lossy(&output.stderr));
        Reply { status: status.parse().unwrap(), body: body.to_owned() }
    }

    pub fn get(&self, path: &str) -> Reply {
        self.curl(&[], path)
    }

    /// `POST /api/run` with this body.
    pub fn run(&self, body: &Value) -> Reply {
        self.curl(&["-d", &body.to_string()], "/api/run")
    }

    /// `/metrics`, without the cost of a process for each look.
    pub fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    /// One sample of `/metrics`, by its name and labels as they stand there; 0 where it has not appeared yet.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.metrics();
        let sample = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
        sample.map_or(0.0, |value| value.parse().unwrap())
    }

    pub fn slots(&self, state: &str) -> f64 {
        self.metric(&format!("runpen_pool_slots{{state=\"{state}\"}}"))
    }

    /// Runs that ended this way.
    pub fn ended(&self, outcome: &str) -> f64 {
        self.metric(&format!("runpen_runs_total{{outcome=\"{outcome}\"}}"))
    }

    pub fn retired(&self, reason: &str) -> f64 {
        self.metric(&format!("runpen_workers_retired_total{{reason=\"{reason}\"}}"))
    }

    /// Idle leases that were called back for this.
    pub fn recalled(&self, reason: &str) -> f64 {
        self.metric(&format!("runpen_pool_recalls_total{{reason=\"{reason}\"}}"))
    }

    /// Workers that ended by this signal.
    pub fn died(&self, signal: &str) -> f64 {
        self.metric(&format!("runpen_worker_deaths_total{{signal=\"{signal}\"}}"))
    }

    /// How long runs took to stop for this reason: how many there were, and the mean.
    pub fn stops(&self, reason: &str) -> (f64, Duration) {
        let sample = |kind| self.metric(&format!("runpen_stop_seconds_{kind}{{reason=\"{reason}\"}}"));
        let count = sample("count");
        (count, Duration::from_secs_f64(sample("sum") / count.max(1.0)))
    }

    /// Waits until a look at the server says yes.
    #[track_caller]
    pub fn eventually(&self, what: &str, is_so: impl FnMut(&TestServer) -> bool) {
        let Err(()) = self.soon(is_so) else { return };
        panic!("never seen: {what}\n{}", self.metrics());
    }

    fn soon(&self, mut is_so: impl FnMut(&TestServer) -> bool) -> Result<(), ()> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            if Instant::now() >= deadline {
                return Err(());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// Waits until no session is left and as many workers are idle as there are.
    #[track_caller]
    pub fn at_rest(&self) {
        self.eventually("a server at rest", |server| {
            let text = server.metrics();
            let sample = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            let slots = |state: &str| sample(&format!("runpen_pool_slots{{state=\"{state}\"}}"));
            let sessions = |kind: &str| sample(&format!("runpen_sessions{{kind=\"{kind}\"}}"));
            let none = Some("0");
            ["spawning", "leased", "recycling", "dying"].iter().all(|state| slots(state) == none)
                && sessions("websocket") == none
                && sessions("http") == none
        });
    }

    /// What the server's process holds, workers not counted.
    pub fn footprint(&self) -> Footprint {
        let pid = self.pid();
        let entries = |what: &str| std::fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
        Footprint {
            children: self.children().len(),
            open_files: entries("fd"),
            threads: entries("task"),
            memory: memory_of(pid),
        }
    }

    /// The processes that this server has started and that still exist, zombies included.
    pub fn children(&self) -> Vec<u32> {
        children_of(self.pid())
    }

    /// Sends a signal to the server.
    pub fn signal(&self, signal: Signal) {
        send_signal(self.pid(), signal);
    }

    /// Waits for the server's end and returns its exit code; `None` for a signal.
    pub fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

/// `runpen serve` on a free port.
fn serve() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runpen"));
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command
}

/// The same behind a shell command that limits it.
fn limited_serve(limit: &str) -> Command {
    let mut command = Command::new("sh");
    let script = format!("{limit} && exec \"$0\" serve --listen 127.0.0.1:0");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_runpen")]);
    command
}

fn configured(mut command: Command, settings: &[(&str, &str)]) -> Command {
    // Away from the repository's own config.toml, which the built-in default equals.
    command.current_dir(std::env::temp_dir());
    for (key, value) in settings {
        command.env(format!("RUNPEN_{}", key.to_uppercase().replace('.', "__")), value);
    }
    command
}

/// Starts a server that a shell has limited first, and ends it once it listens. The error is its exit code and what it said.
pub fn start_up(limit: &str) -> Result<(), (Option<i32>, String)> {
    let mut command = configured(limited_serve(limit), &[("pool.warm", "1"), ("log.level", "warn")]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line.starts_with("listening on ") {
        child.kill().unwrap();
        child.wait().unwrap();
        return Ok(());
    }
    let output = child.wait_with_output().unwrap();
    Err((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // Both fail only where the server has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn send_signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// The children of a process, from `/proc`; zombies included.
pub fn children_of(pid: u32) -> Vec<u32> {
    let parent = |pid: u32| stat(pid)?.get(1)?.parse::<u32>().ok();
    let processes =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    processes.filter(|child| parent(*child) == Some(pid)).collect()
}

/// Whether a process still runs. A zombie does not, whoever is to reap it.
pub fn runs(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| stat[0] != "Z" && stat[0] != "X")
}

/// The resident memory of a process, in bytes.
pub fn memory_of(pid: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size() as u64
}

/// Waits until none of these processes runs.
#[track_caller]
pub fn wait_for_end_of(pids: &[u32]) {
    let deadline = Instant::now() + PATIENCE;
    while let Some(pid) = pids.iter().find(|pid| runs(**pid)) {
        assert!(Instant::now() < deadline, "process {pid} goes on");
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// The fields of `/proc/PID/stat` after the name: state, parent, ...
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect())
}
