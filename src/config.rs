//! What can be set, checked once at the edge. `config.toml` documents every key and is the built-in default.
//!
//! `load` lays the sources over each other, `raw` is what they say together, `check` turns that into the types here, in which every
//! number is inside its bounds. Everything after the start sees only these.

mod check;
mod load;
mod machine;
mod names;
mod raw;
#[cfg(test)]
mod tests;

pub use load::{BUILT_IN, ConfigError, Origin, Sources};
pub use names::{Authority, ForeignPages, PageOrigin, PublicUrl};

use std::net::SocketAddr;
use std::time::Duration;

use crate::ipc::Settings;
use crate::sandbox;

/// The checked configuration. Every number in it is inside its bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub server: Server,
    pub session: Session,
    pub run: Run,
    pub pool: Pool,
    pub sandbox: Sandbox,
    pub log: Log,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sandbox {
    /// Whether the server starts where a layer of the workers' box is missing.
    pub mode: sandbox::Mode,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    pub listen: SocketAddr,
    /// What this server is called outside, where that is not what it listens on.
    pub public_url: Option<PublicUrl>,
    /// The pages of others that may use this server.
    pub origins: ForeignPages,
    /// Threads that speak HTTP and WebSocket.
    pub http_threads: usize,
    /// WebSocket sessions and HTTP runs at once.
    pub max_sessions: usize,
    /// Connections at once, whatever they are used for. Fewer where the limit of open files is lower.
    pub max_connections: usize,
    /// The largest WebSocket message and HTTP body, in bytes.
    pub frame_bytes: usize,
    /// What all clients together may have under way, in bytes.
    pub inflight_bytes: usize,
    /// From the start of a connection, or the end of a response, to the next whole head.
    pub head_timeout: Duration,
    /// From a head to the end of its body.
    pub body_timeout: Duration,
    /// Between two moves of a response that the client does not read.
    pub stall_timeout: Duration,
    /// From SIGTERM to the end of the process, at the latest.
    pub shutdown: Duration,
    /// `POST /api/run` calls a second from one address; `None` for no limit.
    pub http_runs_per_s: Option<std::num::NonZeroU32>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// A ping goes out this often; a client silent for two of them is gone.
    pub heartbeat: Duration,
    /// How long a `Close` without a code lets received runs finish on `/ws`.
    pub close_drain: Duration,
    /// Messages a second a client may send, in the long run; `None` for no limit.
    pub messages_per_s: Option<std::num::NonZeroU32>,
    /// What waits in a session for its worker, in bytes.
    pub queued_bytes: usize,
    /// What waits in a session for its client, in bytes.
    pub unread_bytes: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub timeout: Duration,
    pub max_timeout: Duration,
    pub kill_grace: Duration,
    pub background_timeout: Duration,
    pub input_timeout: Duration,
    pub code_bytes: usize,
    pub heap_bytes: u64,
    pub stack_bytes: u64,
    pub console_bytes: u64,
    pub console_entries: u64,
    pub text_bytes: u64,
    pub json_bytes: u64,
    /// Runs that wait behind the foreground one.
    pub queue: usize,
    pub timers: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// Workers kept ready.
    pub warm: usize,
    /// Workers at most.
    pub max: usize,
    /// Memory of all workers together, shared pages not counted; above it idle leases are called back.
    pub memory_bytes: u64,
    /// Sessions that may wait for a worker.
    pub wait_queue: usize,
    /// How long one of them waits.
    pub wait: Duration,
    /// An idle session gives its worker back after this at the latest when others wait.
    pub idle_lease: Duration,
    pub max_leases_per_worker: u32,
    pub reuse: Reuse,
    /// From `Prepare` to `Ready`, at the latest, for a worker that is up.
    pub health: Duration,
    /// From exec to `Ready`, at the latest.
    pub start: Duration,
}

/// Whether a worker process may serve a second lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// After a passed health check. The engine inside is new in any case.
    Healthy,
    Never,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    pub level: tracing::level_filters::LevelFilter,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl Config {
    /// The limits a worker has to know.
    pub fn worker_settings(&self) -> Settings {
        Settings {
            heap_bytes: self.run.heap_bytes,
            stack_bytes: self.run.stack_bytes,
            console_bytes: self.run.console_bytes,
            console_entries: self.run.console_entries,
            timers: self.run.timers,
            text_bytes: self.run.text_bytes,
            json_bytes: self.run.json_bytes,
            kill_grace_ms: millis(self.run.kill_grace),
            background_timeout_ms: millis(self.run.background_timeout),
            input_timeout_ms: millis(self.run.input_timeout),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).expect("durations in the configuration are bounded")
}
