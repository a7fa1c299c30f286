//! Tests of the program as its users meet it: each module starts the real binary.

#![allow(clippy::unwrap_used, reason = "a test may panic; clippy knows test functions, not the helpers beside them")]

mod architecture;
mod attempts;
mod bad_input;
mod bad_requests;
mod box_probes;
mod cancel;
mod complete;
mod config;
mod crashes;
mod disconnects;
mod evil_worker;
mod fuzz_corpus;
mod hostile;
mod inspecting;
mod isolation;
mod leaks;
mod limits;
mod logs;
mod memory;
mod modules;
mod node_parity;
mod older_cases;
mod readme;
mod repl;
mod repl_parity;
mod replies;
mod sessions;
mod shutdown;
mod slow_reader;
mod soak;
mod source_hostile;
mod stopped;
mod support;
mod typescript;
mod waiting;
mod web_parity;
mod websocat;
mod worker;
mod worker_background;
mod worker_console;
mod worker_hostile;
mod worker_inspect;
mod worker_interrupt;
mod worker_lease;
