//! How a run ended: the vocabulary that worker, session, metrics and clients share.

use serde::{Deserialize, Serialize};

/// How a run ended. Matched without a wildcard everywhere, so that a new outcome stops the build until every place has decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The code finished and its value is known.
    Ok,
    /// The user's own fault: an uncaught exception or a syntax error.
    Error,
    /// The deadline passed.
    Timeout,
    /// The client asked for the end.
    Cancelled,
    /// The heap limit was hit and the script did not recover.
    Memory,
    /// The awaited promise can never settle: nothing is left that could settle it.
    Unsettled,
    /// The worker died by itself or broke the frame protocol. Never the worker's own word, always the server's.
    Crashed,
    /// The server is closing.
    Shutdown,
    /// The client was gone. Nobody is told; metrics count it.
    Disconnected,
}

impl Outcome {
    pub const ALL: [Outcome; 9] = [
        Outcome::Ok,
        Outcome::Error,
        Outcome::Timeout,
        Outcome::Cancelled,
        Outcome::Memory,
        Outcome::Unsettled,
        Outcome::Crashed,
        Outcome::Shutdown,
        Outcome::Disconnected,
    ];

    /// The name used on the wire and as a metrics label.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Error => "error",
            Outcome::Timeout => "timeout",
            Outcome::Cancelled => "cancelled",
            Outcome::Memory => "memory",
            Outcome::Unsettled => "unsettled",
            Outcome::Crashed => "crashed",
            Outcome::Shutdown => "shutdown",
            Outcome::Disconnected => "disconnected",
        }
    }
}

/// Why the host stops a run. The first reason wins and decides the outcome; the error that the script sees never does,
/// because scripts can forge errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StopReason {
    Deadline,
    Cancel,
    Disconnect,
    Shutdown,
}

impl StopReason {
    pub const ALL: [StopReason; 4] =
        [StopReason::Deadline, StopReason::Cancel, StopReason::Disconnect, StopReason::Shutdown];

    /// The outcome of a run that was stopped for this reason.
    pub fn outcome(self) -> Outcome {
        match self {
            StopReason::Deadline => Outcome::Timeout,
            StopReason::Cancel => Outcome::Cancelled,
            StopReason::Disconnect => Outcome::Disconnected,
            StopReason::Shutdown => Outcome::Shutdown,
        }
    }

    /// The metrics label.
    pub fn name(self) -> &'static str {
        match self {
            StopReason::Deadline => "deadline",
            StopReason::Cancel => "cancel",
            StopReason::Disconnect => "disconnect",
            StopReason::Shutdown => "shutdown",
        }
    }
}

/// What a run has used, from its `started` to its `done` (or, in `settled`, of its background alone).
/// Whole microseconds, because the numbers come from an untrusted process and integers have no NaN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub wall_us: u64,
    pub cpu_us: u64,
    /// Bytes in the engine's heap when the run ended.
    pub heap_bytes: u64,
    /// UTF-8 bytes of console text that were let through.
    pub console_bytes: u64,
    /// Console entries over the run's caps, which nobody saw.
    pub dropped: u64,
}
