//! runpen: a WebSocket JavaScript sandbox server. Every session leases a QuickJS runtime in a process of its own, and whatever the
//! code in it does, it can be stopped.
//!
//! # The path of a run
//!
//! ```text
//! browser, websocat, curl
//!    │  {"type":"run","code":"1+1"}
//!    ▼
//! http::gate      reads the frames' headers, and stops at what breaks RFC 6455 or a limit
//!    ▼
//! http::ws        checks the message (protocol), makes it a ClientMessage
//!    ▼
//! session         waits for whatever comes first and asks session::state what to do
//!    │                state: queue it, lease a worker, dispatch, stop, end - pure, no I/O
//!    ▼
//! pool            hands out a Lease: one worker process, checked and fresh
//!    │  HostMessage::Run, framed by ipc, over one socket
//!    ▼
//! worker          another process: this same program as `runpen worker`, boxed by sandbox before QuickJS exists
//!    │                a turn at a time: the code, then each timer, all under a deadline
//!    │  WorkerMessage::{Started, Console, Done, Settled}: untrusted from here on
//!    ▼
//! session         holds each frame against what can be true, and sends it on
//!    ▼
//! http::present   a frame, a line of text, or one reply at the end
//! ```
//!
//! HTTP runs (`http::run`) take the same path with a session of their own.
//!
//! # What always holds
//!
//! - **One end.** An accepted run gets exactly one `done`, and nothing follows its last message. `session::state` alone makes them.
//! - **One ladder.** A deadline, a cancel, a disconnect, a missed heartbeat and a shutdown all climb the same steps: interrupt, a
//!   grace, SIGKILL, a fresh worker. Inside the worker stand a latched interrupt and a kernel timer, for when the server is slow.
//! - **Never back before it is at rest.** A lease goes home only through a rebuilt engine and a health check that can fail; any
//!   doubt replaces the process.
//! - **The server evaluates nothing.** No user code is run or parsed outside a worker, and what a worker says is read as an
//!   attacker's word.
//! - **Everything is bounded**, each bound by a key in `config.toml` or a named constant with its reason.
//!
//! # Who may use whom
//!
//! `main` uses `cli`, `config`, `http`, `worker`. `http` uses `session`, `pool`, `metrics`; `session` uses `pool`, `metrics`; `metrics` uses
//! `pool`; `worker` enters `sandbox`, whose policy and report are data for the others. All may use the leaves: `clock`, `config`, `ids`,
//! `ipc`, `outcome`, `protocol`. Four absences keep it so, and
//! a test looks for them: `actix` only in `http`, `rquickjs` only in `worker` and its allocator in `sandbox`, `unsafe` only in
//! `sandbox`, and no user code in the server.

pub mod cli;
pub mod clock;
pub mod config;
pub mod http;
pub mod session;

pub mod pool;

pub mod worker;

pub mod sandbox;

pub mod ids;
pub mod ipc;
pub mod metrics;
pub mod outcome;
pub mod protocol;

/// What the fuzz targets in `fuzz/` reach, and nobody else should.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::http::gate::{Gate, PIECE_BYTES, Violation, most_pieces};
    pub use crate::http::present::{Finals, Presenter};
    pub use crate::worker::fuzzing::{completion, quoted, source};
}
