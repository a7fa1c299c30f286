//! What the tests share: a real server on a free port, and clients that speak to it.

// Each test file uses a part of it.
#![allow(dead_code, reason = "shared by test modules that each use a part")]

pub mod corpus;
pub mod frames;
pub mod http;
pub mod ledger;
pub mod markdown;
pub mod samples;
pub mod server;
pub mod shell;
pub mod worker_driver;
pub mod ws;

use std::time::Duration;

/// How long anything in a test may take. Far above what it takes on a busy machine, so that only a real hang meets it.
pub const PATIENCE: Duration = Duration::from_secs(60);
