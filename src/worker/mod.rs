//! The child process that runs strangers' code: one thread, one engine, one socket.
//!
//! [`main`] enters the box, then `event_loop` takes frames and timers in turn. Each stretch of JavaScript is a *turn*
//! (`turn`): it has a deadline, the engine asks `host::Host::must_stop` every few microseconds of it, the same question is
//! asked between jobs and by every host function that may take long, and a kernel timer stands behind all of them. The host's
//! own first reason to stop decides the outcome; an error never does, because scripts can make any error.
//!
//! Texts are parsed on a stack and a heap that can be given up (`source::guard`, `sandbox::scratch`), so that no text costs the
//! process its life.
//!
//! An engine is built for one lease and dropped after it (`engine`). Values are shown by reading data properties only
//! (`inspect`, `errors`); the intrinsics for that are captured before any other code runs (`tools`).

#[doc(hidden)]
pub mod bench;
mod complete;
mod console;
mod engine;
mod errors;
mod event_loop;
mod exit;
pub(crate) mod fuzzing;
mod host;
mod input;
mod inspect;
mod query;
mod references;
mod rejections;
mod runs;
mod source;
mod timers;
mod tools;
mod turn;
mod web;
mod wire;

pub use exit::Exit;

use crate::sandbox;

/// Does once what would otherwise ask the kernel for something new the first time it is needed, when the box is closed: the
/// libraries look for the fast clock, and hash maps are seeded.
fn warm_up() {
    turn::thread_cpu();
    let _ = std::hash::RandomState::new();
}

/// The worker's whole life. The process must have been started for this, with the socket as its standard input.
pub fn main(policy: &sandbox::Policy) -> ! {
    // A panic inside the engine's callbacks would become an exception that scripts can catch. A fault of this program ends it.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("worker: {panic}");
        exit::now(Exit::Panicked);
    }));
    warm_up();
    if sandbox::scratch::install(policy.code_bytes).is_err() {
        exit::now(Exit::NoEngine);
    }
    match sandbox::enter(policy) {
        Ok(report) => event_loop::run(report),
        Err(error) => {
            if let sandbox::EnterError::LayerMissing(report) = &error {
                event_loop::refuse(report.clone());
            }
            sandbox::exit_now(error.exit_code())
        }
    }
}
