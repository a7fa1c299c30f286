//! The configuration as it is written: one struct for each section of `config.toml`, nothing checked but the types.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// A whole configuration, every key given. Field for field what `config.toml` documents.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    pub server: RawServer,
    pub session: RawSession,
    pub run: RawRun,
    pub pool: RawPool,
    pub sandbox: RawSandbox,
    pub log: RawLog,
    /// Only their shape is checked here. The loader lays each over the rest and reads the sum as one more `RawConfig`, so that a
    /// mistake is found in every profile and not only in the chosen one.
    #[serde(default, skip_serializing)]
    pub profiles: BTreeMap<String, BTreeMap<String, BTreeMap<String, IgnoredAny>>>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawServer {
    pub listen: String,
    pub public_url: String,
    pub origins: Vec<String>,
    pub http_threads: u64,
    pub max_sessions: u64,
    pub max_connections: u64,
    pub frame_bytes: u64,
    pub inflight_bytes: u64,
    pub head_timeout_ms: u64,
    pub body_timeout_ms: u64,
    pub stall_timeout_ms: u64,
    pub shutdown_ms: u64,
    pub http_runs_per_s: u64,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSandbox {
    pub mode: String,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSession {
    pub heartbeat_ms: u64,
    pub close_drain_ms: u64,
    pub messages_per_s: u64,
    pub queued_bytes: u64,
    pub unread_bytes: u64,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRun {
    pub timeout_ms: u64,
    pub max_timeout_ms: u64,
    pub kill_grace_ms: u64,
    pub background_timeout_ms: u64,
    pub input_timeout_ms: u64,
    pub code_bytes: u64,
    pub heap_bytes: u64,
    pub stack_bytes: u64,
    pub console_bytes: u64,
    pub console_entries: u64,
    pub text_bytes: u64,
    pub json_bytes: u64,
    pub queue: u64,
    pub timers: u64,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPool {
    pub warm: u64,
    pub max: u64,
    pub memory_bytes: u64,
    pub wait_queue: u64,
    pub wait_ms: u64,
    pub idle_lease_ms: u64,
    pub max_leases_per_worker: u64,
    pub reuse: String,
    pub health_ms: u64,
    pub start_ms: u64,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    pub level: String,
    pub format: String,
}
