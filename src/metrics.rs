//! Counters and histograms for `/metrics`, in the OpenMetrics text format that Prometheus reads.

use std::sync::Mutex;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::outcome::StopReason;
use crate::pool::{PoolHook, PoolStats, RecallReason, RetireReason, SlotKind, WaitOutcome};
use crate::session::state::RunReport;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SignalLabel {
    signal: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// Everything that is counted. Shared by all threads; each field is cheap to update.
pub struct Metrics {
    registry: Registry,
    runs: Family<OutcomeLabel, Counter>,
    run_seconds: Histogram,
    stop_seconds: Family<ReasonLabel, Histogram, fn() -> Histogram>,
    retired: Family<ReasonLabel, Counter>,
    died: Family<SignalLabel, Counter>,
    returned_seconds: Histogram,
    started_seconds: Histogram,
    waited_seconds: Family<OutcomeLabel, Histogram, fn() -> Histogram>,
    refused: Counter,
    recalls: Family<ReasonLabel, Counter>,
    slots: Family<StateLabel, Gauge>,
    waiting: Gauge,
    used_bytes: Gauge,
    memory_bytes: Gauge,
    sessions: Family<KindLabel, Gauge>,
    connections: Gauge,
    connections_cut: Family<ReasonLabel, Counter>,
    inflight_bytes: Gauge,
    evictions: Counter,
    /// Rendering sets the gauges first; two renderings at once would mix theirs.
    rendering: Mutex<()>,
}

/// From 50 µs to about a minute and a half, each bucket four times the one before.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(50e-6, 4.0, 11))
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl Metrics {
    pub fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("runpen"),
            runs: Family::default(),
            run_seconds: seconds(),
            stop_seconds: Family::new_with_constructor(seconds),
            retired: Family::default(),
            died: Family::default(),
            returned_seconds: seconds(),
            started_seconds: seconds(),
            waited_seconds: Family::new_with_constructor(seconds),
            refused: Counter::default(),
            recalls: Family::default(),
            slots: Family::default(),
            waiting: Gauge::default(),
            used_bytes: Gauge::default(),
            memory_bytes: Gauge::default(),
            sessions: Family::default(),
            connections: Gauge::default(),
            connections_cut: Family::default(),
            inflight_bytes: Gauge::default(),
            evictions: Counter::default(),
            rendering: Mutex::new(()),
        };
        let registry = &mut metrics.registry;
        registry.register("runs", "Finished runs by outcome", metrics.runs.clone());
        registry.register("run_seconds", "From dispatch to the end of a run", metrics.run_seconds.clone());
        registry.register(
            "stop_seconds",
            "From the interrupt (or cancel, disconnect, shutdown) to the engine at rest, kills included",
            metrics.stop_seconds.clone(),
        );
        registry.register("workers_retired", "Workers replaced, by reason", metrics.retired.clone());
        registry.register("worker_deaths", "Workers that ended by a signal, by its name", metrics.died.clone());
        registry.register(
            "pool_return_seconds",
            "From a lease given back to its worker ready again",
            metrics.returned_seconds.clone(),
        );
        registry.register(
            "pool_start_seconds",
            "From the launch of a worker to ready",
            metrics.started_seconds.clone(),
        );
        registry.register(
            "pool_wait_seconds",
            "How long sessions waited for a worker, by how that ended",
            metrics.waited_seconds.clone(),
        );
        registry.register("pool_refused", "Sessions refused because the line was full", metrics.refused.clone());
        registry.register("pool_recalls", "Idle leases called back, by what for", metrics.recalls.clone());
        registry.register("pool_used_bytes", "Unshared memory of all workers", metrics.used_bytes.clone());
        registry.register("pool_memory_bytes", "What it is bounded by", metrics.memory_bytes.clone());
        registry.register("pool_slots", "Workers by state", metrics.slots.clone());
        registry.register("pool_waiting", "Sessions in the waiting line", metrics.waiting.clone());
        registry.register("sessions", "Sessions by kind", metrics.sessions.clone());
        registry.register("connections", "Open connections, of all kinds", metrics.connections.clone());
        registry.register(
            "connections_cut",
            "Connections that the server has ended before their client did, by reason",
            metrics.connections_cut.clone(),
        );
        registry.register(
            "inflight_bytes",
            "What all clients together have under way, in bytes",
            metrics.inflight_bytes.clone(),
        );
        registry.register(
            "evictions",
            "Connections closed because they held the most when all together held too much",
            metrics.evictions.clone(),
        );
        metrics
    }

    /// Counts a session that was ended because it held the most.
    pub fn evicted(&self) {
        self.evictions.inc();
    }

    /// Counts a connection that was ended from here.
    pub fn connection_cut(&self, reason: &'static str) {
        self.connections_cut.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Counts a finished run.
    pub fn run_ended(&self, report: &RunReport) {
        let RunReport { outcome, took } = report;
        self.runs.get_or_create(&OutcomeLabel { outcome: outcome.name() }).inc();
        self.run_seconds.observe(took.as_secs_f64());
    }

    /// Counts something that was stopped and is at rest.
    pub fn stopped(&self, reason: StopReason, latency: Duration) {
        self.stop_seconds.get_or_create(&ReasonLabel { reason: reason.name() }).observe(latency.as_secs_f64());
    }

    /// The whole text for one scrape.
    pub fn render(&self, pool: &PoolStats, clients: &ClientStats) -> String {
        let ClientStats { websockets, http_runs, connections, inflight_bytes } = *clients;
        let _alone = self.rendering.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for kind in SlotKind::ALL {
            set(&self.slots.get_or_create(&StateLabel { state: kind.name() }), pool.slots.of(kind));
        }
        set(&self.waiting, pool.waiting);
        self.used_bytes.set(i64::try_from(pool.used_bytes).unwrap_or(i64::MAX));
        self.memory_bytes.set(i64::try_from(pool.memory_bytes).unwrap_or(i64::MAX));
        set(&self.sessions.get_or_create(&KindLabel { kind: "websocket" }), websockets);
        set(&self.sessions.get_or_create(&KindLabel { kind: "http" }), http_runs);
        set(&self.connections, connections);
        set(&self.inflight_bytes, inflight_bytes);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string does not fail");
        text
    }
}

/// What clients hold of the server, for one scrape.
#[derive(Debug, Clone, Copy)]
pub struct ClientStats {
    pub websockets: usize,
    pub http_runs: usize,
    pub connections: usize,
    pub inflight_bytes: usize,
}

impl PoolHook for Metrics {
    fn retired(&self, reason: RetireReason) {
        self.retired.get_or_create(&ReasonLabel { reason: reason.name() }).inc();
    }

    fn died(&self, signal: i32) {
        self.died.get_or_create(&SignalLabel { signal: signal_name(signal) }).inc();
    }

    fn returned(&self, took: Duration) {
        self.returned_seconds.observe(took.as_secs_f64());
    }

    fn started(&self, took: Duration) {
        self.started_seconds.observe(took.as_secs_f64());
    }

    fn waited(&self, took: Duration, outcome: WaitOutcome) {
        let label = OutcomeLabel { outcome: outcome.name() };
        self.waited_seconds.get_or_create(&label).observe(took.as_secs_f64());
    }

    fn recalled(&self, reason: RecallReason) {
        self.recalls.get_or_create(&ReasonLabel { reason: reason.name() }).inc();
    }

    fn refused(&self) {
        self.refused.inc();
    }
}

/// The signals that end workers: the server's own, the kernel's timers, the box's, and those of faults.
fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGKILL => "SIGKILL",
        libc::SIGALRM => "SIGALRM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGSYS => "SIGSYS",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGBUS => "SIGBUS",
        libc::SIGILL => "SIGILL",
        libc::SIGFPE => "SIGFPE",
        libc::SIGABRT => "SIGABRT",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGTERM => "SIGTERM",
        _ => "other",
    }
}

fn set(gauge: &Gauge, count: usize) {
    gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
}
