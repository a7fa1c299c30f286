//! From what is written to what is checked, and back: the bounds of every number, the choices of every string, and the rules
//! between keys.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use super::machine::half_of_memory;
use super::names::{origins, origins_shown, public_url};
use super::raw::{RawConfig, RawLog, RawPool, RawRun, RawSandbox, RawServer, RawSession};
use super::{Config, Log, LogFormat, Pool, Reuse, Run, Sandbox, Server, Session, millis};
use crate::ipc::MAX_FRAME_BYTES;
use crate::sandbox::Mode;

/// See `pool.max`.
const MOST_WORKERS: usize = 65_536;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const MIB: u64 = 1 << 20;

/// What a client's message may gain on its way to the worker: the fields around code and input in the frame between processes.
const FRAME_SLACK_BYTES: u64 = 1024;

/// JSON around the code of a run: its type, its id, its other fields.
const ENVELOPE_BYTES: u64 = 4096;

/// How much longer honest JSON escapes make text, at most: `"\u00e9"` for the two bytes of `é`. Control characters become six times
/// as long, but code made of those is nobody's.
const ESCAPE_FACTOR: u64 = 3;

/// In a worker's `Done`: usage, names, and the notes on texts that were cut.
const DONE_SLACK_BYTES: u64 = 64 * 1024;

/// What is allowed for one number.
struct Bound {
    key: &'static str,
    min: u64,
    max: u64,
    why: &'static str,
}

const fn row(key: &'static str, min: u64, max: u64, why: &'static str) -> Bound {
    Bound { key, min, max, why }
}

/// Every number of the configuration. Wide on purpose: a bound is where the program would break or the value could only be a
/// mistake, not where it stops being wise.
const BOUNDS: &[Bound] = &[
    row("server.http_threads", 1, 256, "threads beyond the cores only cost memory"),
    row("server.max_sessions", 1, 100_000, "each is an open file"),
    row("server.max_connections", 16, 200_000, "each is an open file"),
    row("server.frame_bytes", 8192, MAX_FRAME_BYTES as u64 - FRAME_SLACK_BYTES, "it must fit a frame to the worker"),
    row("server.inflight_bytes", MIB, 1 << 40, "1 MiB to 1 TiB"),
    row("server.head_timeout_ms", 100, 60 * 60 * 1000, "a tenth of a second to an hour"),
    row("server.body_timeout_ms", 100, 60 * 60 * 1000, "a tenth of a second to an hour"),
    row("server.stall_timeout_ms", 100, 60 * 60 * 1000, "a tenth of a second to an hour"),
    row("server.shutdown_ms", 1, 10 * 60 * 1000, "ten minutes"),
    row("server.http_runs_per_s", 0, 1_000_000, "0 is no limit"),
    row("session.heartbeat_ms", 10, 60 * 60 * 1000, "an hour"),
    row("session.close_drain_ms", 0, 60 * 60 * 1000, "an hour"),
    row("session.messages_per_s", 0, 1_000_000, "0 is no limit"),
    row("session.queued_bytes", 8192, 1 << 40, "8 KiB to 1 TiB"),
    row("session.unread_bytes", MIB, 1 << 40, "1 MiB, more than any one message, to 1 TiB"),
    row("run.timeout_ms", 1, DAY_MS, "a day"),
    row("run.max_timeout_ms", 1, DAY_MS, "a day"),
    row("run.kill_grace_ms", 1, 60_000, "a minute"),
    row("run.background_timeout_ms", 1, DAY_MS, "a day"),
    row("run.input_timeout_ms", 1, DAY_MS, "a day"),
    row("run.code_bytes", 1, MAX_FRAME_BYTES as u64, "it must fit a frame to the worker"),
    row("run.heap_bytes", MIB, 1024 * MIB, "1 MiB to 1 GiB; an engine takes part of the least for itself"),
    row("run.stack_bytes", 64 << 10, 8 * MIB, "64 KiB to 8 MiB; the worker's thread has 16 MiB"),
    row("run.console_bytes", 0, 1 << 40, "1 TiB"),
    row("run.console_entries", 0, 1 << 40, "about a trillion"),
    row("run.text_bytes", 64, MIB, "64 bytes to 1 MiB; a note has to fit, and all of it a frame from the worker"),
    row("run.json_bytes", 0, MIB, "0 is none; 1 MiB fits a frame from the worker"),
    row("run.queue", 0, 10_000, "what they hold is bounded besides"),
    row("run.timers", 1, 1_000_000, "each takes memory of the worker"),
    row("pool.warm", 1, 65_536, "with none, nobody would see at the start that workers cannot start"),
    row("pool.max", 0, MOST_WORKERS as u64, "each is a process; 0 is as many as `server.max_sessions`"),
    row("pool.memory_bytes", 0, 1 << 50, "0 is half of what the machine or its control group has"),
    row("pool.wait_queue", 0, 100_000, "no more than there can be sessions"),
    row("pool.wait_ms", 1, 60 * 60 * 1000, "an hour"),
    row("pool.idle_lease_ms", 1, DAY_MS, "a day"),
    row("pool.max_leases_per_worker", 1, u32::MAX as u64, "1 is the same as `reuse = \"never\"`"),
    row("pool.health_ms", 1, 60_000, "a minute"),
    row("pool.start_ms", 1, 10 * 60 * 1000, "ten minutes"),
];

const LEVELS: [(&str, LevelFilter); 6] = [
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];
const FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];
const MODES: [(&str, Mode); 2] = [("required", Mode::Required), ("best-effort", Mode::BestEffort)];

const REUSES: [(&str, Reuse); 2] = [("healthy", Reuse::Healthy), ("never", Reuse::Never)];

/// A value that is not allowed. Where it was set is the loader's to say.
#[derive(Debug)]
pub(super) struct NotAllowed {
    pub key: &'static str,
    pub allowed: String,
    pub found: String,
}

/// Two values that are fine alone and not together.
#[derive(Debug)]
pub(super) struct Clash {
    pub first: &'static str,
    pub second: &'static str,
    /// A sentence about both, without a full stop.
    pub rule: String,
}

/// The range of a number in words, or `None` for keys that are not numbers.
pub(super) fn allowed_numbers(key: &str) -> Option<String> {
    let bound = BOUNDS.iter().find(|bound| bound.key == key)?;
    Some(format!("a whole number from {} to {} ({})", bound.min, bound.max, bound.why))
}

impl RawConfig {
    /// Each value by itself; [`Config::agree`] is about the values together.
    pub(super) fn check(self) -> Result<Config, NotAllowed> {
        let RawConfig { server, session, run, pool, sandbox, log, profiles: _ } = self;
        let server = server.check()?;
        Ok(Config {
            pool: pool.check(server.max_sessions)?,
            server,
            session: session.check()?,
            run: run.check()?,
            sandbox: sandbox.check()?,
            log: log.check()?,
        })
    }
}

impl RawServer {
    fn check(self) -> Result<Server, NotAllowed> {
        Ok(Server {
            listen: address("server.listen", &self.listen)?,
            public_url: public_url("server.public_url", &self.public_url)?,
            origins: origins("server.origins", &self.origins)?,
            http_threads: number("server.http_threads", self.http_threads)?,
            max_sessions: number("server.max_sessions", self.max_sessions)?,
            max_connections: number("server.max_connections", self.max_connections)?,
            frame_bytes: number("server.frame_bytes", self.frame_bytes)?,
            inflight_bytes: number("server.inflight_bytes", self.inflight_bytes)?,
            head_timeout: duration("server.head_timeout_ms", self.head_timeout_ms)?,
            body_timeout: duration("server.body_timeout_ms", self.body_timeout_ms)?,
            stall_timeout: duration("server.stall_timeout_ms", self.stall_timeout_ms)?,
            shutdown: duration("server.shutdown_ms", self.shutdown_ms)?,
            http_runs_per_s: rate("server.http_runs_per_s", self.http_runs_per_s)?,
        })
    }
}

impl RawSession {
    fn check(self) -> Result<Session, NotAllowed> {
        Ok(Session {
            heartbeat: duration("session.heartbeat_ms", self.heartbeat_ms)?,
            close_drain: duration("session.close_drain_ms", self.close_drain_ms)?,
            messages_per_s: rate("session.messages_per_s", self.messages_per_s)?,
            queued_bytes: number("session.queued_bytes", self.queued_bytes)?,
            unread_bytes: number("session.unread_bytes", self.unread_bytes)?,
        })
    }
}

impl RawRun {
    fn check(self) -> Result<Run, NotAllowed> {
        Ok(Run {
            timeout: duration("run.timeout_ms", self.timeout_ms)?,
            max_timeout: duration("run.max_timeout_ms", self.max_timeout_ms)?,
            kill_grace: duration("run.kill_grace_ms", self.kill_grace_ms)?,
            background_timeout: duration("run.background_timeout_ms", self.background_timeout_ms)?,
            input_timeout: duration("run.input_timeout_ms", self.input_timeout_ms)?,
            code_bytes: number("run.code_bytes", self.code_bytes)?,
            heap_bytes: number("run.heap_bytes", self.heap_bytes)?,
            stack_bytes: number("run.stack_bytes", self.stack_bytes)?,
            console_bytes: number("run.console_bytes", self.console_bytes)?,
            console_entries: number("run.console_entries", self.console_entries)?,
            text_bytes: number("run.text_bytes", self.text_bytes)?,
            json_bytes: number("run.json_bytes", self.json_bytes)?,
            queue: number("run.queue", self.queue)?,
            timers: number("run.timers", self.timers)?,
        })
    }
}

impl RawPool {
    /// What follows from other keys or from the machine is told as it is in effect.
    fn check(self, sessions: usize) -> Result<Pool, NotAllowed> {
        let warm = number("pool.warm", self.warm)?;
        Ok(Pool {
            warm,
            max: match number("pool.max", self.max)? {
                0 => sessions.max(warm).min(MOST_WORKERS),
                workers => workers,
            },
            memory_bytes: match number("pool.memory_bytes", self.memory_bytes)? {
                0 => half_of_memory(),
                bytes => bytes,
            },
            wait_queue: number::<usize>("pool.wait_queue", self.wait_queue)?.min(sessions),
            wait: duration("pool.wait_ms", self.wait_ms)?,
            idle_lease: duration("pool.idle_lease_ms", self.idle_lease_ms)?,
            max_leases_per_worker: number("pool.max_leases_per_worker", self.max_leases_per_worker)?,
            reuse: choice("pool.reuse", &self.reuse, &REUSES)?,
            health: duration("pool.health_ms", self.health_ms)?,
            start: duration("pool.start_ms", self.start_ms)?,
        })
    }
}

impl RawSandbox {
    fn check(self) -> Result<Sandbox, NotAllowed> {
        Ok(Sandbox { mode: choice("sandbox.mode", &self.mode, &MODES)? })
    }
}

impl RawLog {
    fn check(self) -> Result<Log, NotAllowed> {
        Ok(Log {
            level: choice("log.level", &self.level, &LEVELS)?,
            format: choice("log.format", &self.format, &FORMATS)?,
        })
    }
}

impl Config {
    /// The rules between keys. Only for the configuration in effect: two profiles that nobody combines need not agree.
    pub(super) fn agree(&self) -> Result<(), Clash> {
        let Config { server, session, run, pool, sandbox: _, log: _ } = self;
        above(
            "server.max_connections",
            server.max_connections as u64,
            "server.max_sessions",
            server.max_sessions as u64,
        )?;
        at_most("server.frame_bytes", server.frame_bytes as u64, "session.queued_bytes", session.queued_bytes as u64)?;
        at_most(
            "session.unread_bytes",
            session.unread_bytes as u64,
            "server.inflight_bytes",
            server.inflight_bytes as u64,
        )?;
        at_most("run.timeout_ms", millis(run.timeout), "run.max_timeout_ms", millis(run.max_timeout))?;
        at_most("run.heap_bytes", run.heap_bytes, "pool.memory_bytes", pool.memory_bytes)?;
        at_most("pool.warm", pool.warm as u64, "pool.max", pool.max as u64)?;

        let code_frame = run.code_bytes as u64 * ESCAPE_FACTOR + ENVELOPE_BYTES;
        if (server.frame_bytes as u64) < code_frame {
            return Err(Clash {
                first: "server.frame_bytes",
                second: "run.code_bytes",
                rule: format!("the longest code may need a message of {code_frame} bytes, escaped as JSON"),
            });
        }

        // A `Done` has at most three such texts (an error's name, message and stack; a value has one) and one JSON text.
        let done_frame = 3 * run.text_bytes + run.json_bytes + DONE_SLACK_BYTES;
        if done_frame > MAX_FRAME_BYTES as u64 {
            return Err(Clash {
                first: "run.text_bytes",
                second: "run.json_bytes",
                rule: format!("a result may need {done_frame} bytes, and the worker may send {MAX_FRAME_BYTES}"),
            });
        }

        // An outer timeout that is not longer than the inner one cuts off its answer.
        let grace = millis(run.kill_grace);
        above("server.shutdown_ms", millis(server.shutdown), "run.kill_grace_ms", grace)?;
        above("pool.health_ms", millis(pool.health), "run.kill_grace_ms", grace)
    }
}

fn at_most(first: &'static str, value: u64, second: &'static str, limit: u64) -> Result<(), Clash> {
    if value <= limit {
        return Ok(());
    }
    Err(Clash { first, second, rule: format!("the first ({value}) must not be greater than the second ({limit})") })
}

fn above(first: &'static str, value: u64, second: &'static str, limit: u64) -> Result<(), Clash> {
    if value > limit {
        return Ok(());
    }
    Err(Clash { first, second, rule: format!("the first ({value}) must be greater than the second ({limit})") })
}

fn number<T: TryFrom<u64>>(key: &'static str, value: u64) -> Result<T, NotAllowed> {
    let bound =
        BOUNDS.iter().find(|bound| bound.key == key).expect("every number has a row, or no configuration loads");
    let in_bounds = (bound.min..=bound.max).contains(&value).then(|| T::try_from(value).ok()).flatten();
    in_bounds.ok_or_else(|| NotAllowed {
        key,
        allowed: allowed_numbers(key).expect("the row was just found"),
        found: value.to_string(),
    })
}

fn duration(key: &'static str, value: u64) -> Result<Duration, NotAllowed> {
    number(key, value).map(Duration::from_millis)
}

fn rate(key: &'static str, value: u64) -> Result<Option<NonZeroU32>, NotAllowed> {
    number(key, value).map(NonZeroU32::new)
}

fn address(key: &'static str, value: &str) -> Result<SocketAddr, NotAllowed> {
    value.parse().map_err(|_| NotAllowed {
        key,
        allowed: "an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080".to_owned(),
        found: format!("{value:?}"),
    })
}

fn choice<T: Copy>(key: &'static str, value: &str, choices: &[(&'static str, T)]) -> Result<T, NotAllowed> {
    let found = choices.iter().find(|(name, _)| *name == value);
    found.map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("{name:?}")).collect();
        NotAllowed { key, allowed: format!("one of {}", names.join(", ")), found: format!("{value:?}") }
    })
}

fn name_of<T: PartialEq>(value: T, choices: &[(&'static str, T)]) -> String {
    let found = choices.iter().find(|(_, choice)| *choice == value);
    let (name, _) = found.expect("every variant has a name: a test writes and reads them all");
    (*name).to_owned()
}

fn rate_number(rate: Option<NonZeroU32>) -> u64 {
    rate.map_or(0, |rate| rate.get().into())
}

impl From<&Config> for RawConfig {
    fn from(config: &Config) -> RawConfig {
        let Config { server, session, run, pool, sandbox, log } = config;
        RawConfig {
            server: server.into(),
            session: session.into(),
            run: run.into(),
            pool: pool.into(),
            sandbox: sandbox.into(),
            log: log.into(),
            profiles: Default::default(),
        }
    }
}

impl From<&Server> for RawServer {
    fn from(server: &Server) -> RawServer {
        let Server {
            listen,
            public_url,
            origins,
            http_threads,
            max_sessions,
            max_connections,
            frame_bytes,
            inflight_bytes,
            head_timeout,
            body_timeout,
            stall_timeout,
            shutdown,
            http_runs_per_s,
        } = server;
        RawServer {
            listen: listen.to_string(),
            public_url: public_url.as_ref().map(ToString::to_string).unwrap_or_default(),
            origins: origins_shown(origins),
            http_threads: *http_threads as u64,
            max_sessions: *max_sessions as u64,
            max_connections: *max_connections as u64,
            frame_bytes: *frame_bytes as u64,
            inflight_bytes: *inflight_bytes as u64,
            head_timeout_ms: millis(*head_timeout),
            body_timeout_ms: millis(*body_timeout),
            stall_timeout_ms: millis(*stall_timeout),
            shutdown_ms: millis(*shutdown),
            http_runs_per_s: rate_number(*http_runs_per_s),
        }
    }
}

impl From<&Session> for RawSession {
    fn from(session: &Session) -> RawSession {
        let Session { heartbeat, close_drain, messages_per_s, queued_bytes, unread_bytes } = session;
        RawSession {
            heartbeat_ms: millis(*heartbeat),
            close_drain_ms: millis(*close_drain),
            messages_per_s: rate_number(*messages_per_s),
            queued_bytes: *queued_bytes as u64,
            unread_bytes: *unread_bytes as u64,
        }
    }
}

impl From<&Run> for RawRun {
    fn from(run: &Run) -> RawRun {
        let Run {
            timeout,
            max_timeout,
            kill_grace,
            background_timeout,
            input_timeout,
            code_bytes,
            heap_bytes,
            stack_bytes,
            console_bytes,
            console_entries,
            text_bytes,
            json_bytes,
            queue,
            timers,
        } = run;
        RawRun {
            timeout_ms: millis(*timeout),
            max_timeout_ms: millis(*max_timeout),
            kill_grace_ms: millis(*kill_grace),
            background_timeout_ms: millis(*background_timeout),
            input_timeout_ms: millis(*input_timeout),
            code_bytes: *code_bytes as u64,
            heap_bytes: *heap_bytes,
            stack_bytes: *stack_bytes,
            console_bytes: *console_bytes,
            console_entries: *console_entries,
            text_bytes: *text_bytes,
            json_bytes: *json_bytes,
            queue: *queue as u64,
            timers: (*timers).into(),
        }
    }
}

impl From<&Pool> for RawPool {
    fn from(pool: &Pool) -> RawPool {
        let Pool { warm, max, memory_bytes, wait_queue, wait, idle_lease, max_leases_per_worker, reuse, health, start } =
            pool;
        RawPool {
            warm: *warm as u64,
            max: *max as u64,
            memory_bytes: *memory_bytes,
            wait_queue: *wait_queue as u64,
            wait_ms: millis(*wait),
            idle_lease_ms: millis(*idle_lease),
            max_leases_per_worker: (*max_leases_per_worker).into(),
            reuse: name_of(*reuse, &REUSES),
            health_ms: millis(*health),
            start_ms: millis(*start),
        }
    }
}

impl From<&Sandbox> for RawSandbox {
    fn from(sandbox: &Sandbox) -> RawSandbox {
        let Sandbox { mode } = sandbox;
        RawSandbox { mode: name_of(*mode, &MODES) }
    }
}

impl From<&Log> for RawLog {
    fn from(log: &Log) -> RawLog {
        let Log { level, format } = log;
        RawLog { level: name_of(*level, &LEVELS), format: name_of(*format, &FORMATS) }
    }
}
