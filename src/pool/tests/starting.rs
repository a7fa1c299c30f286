//! The pool's start, and its ways to fail.

use super::fake::{FIT, behave, console, ready, unfit};
use super::*;
use crate::ipc::Health;

#[track_caller]
fn start(config: config::Pool, world: &World) -> Result<Pool, PoolError> {
    let ledger = Arc::new(Ledger::new(config.max));
    let started = Pool::start(config, settings(), Duration::ZERO, FakeLauncher(world.clone()), ledger.clone());
    if started.is_err() {
        ledger.check_closed();
        world.check_all_ended();
        assert_eq!(world.launches(), 1, "one failure is enough");
    }
    started
}

/// The first worker answers its first `Prepare` so.
#[track_caller]
fn start_with(limit: Duration, answer: impl Fn(u64) -> Vec<Act> + Send + Sync + 'static) -> PoolError {
    let world = World::new(move |cue| match cue.message {
        HostMessage::Prepare { nonce, .. } => answer(*nonce),
        other => behave(other),
    });
    start(config::Pool { start: limit, ..config(4, 8) }, &world).expect_err("cannot start")
}

#[test]
fn the_first_worker_is_ready_when_the_pool_is() {
    for warm in [0, 1, 4] {
        let world = World::good();
        let pool = start(config(warm, 8), &world).unwrap();
        assert!(matches!(pool.acquire(), Ok(Acquired::Now(_))));
        pool.shutdown(PATIENCE).unwrap();
    }
}

#[test]
fn every_way_to_fail_at_the_start_says_what_it_was() {
    let dies = start_with(PATIENCE, |_| vec![Act::Die]);
    assert!(matches!(dies, PoolError::DiedAtStart { exit: Some(_) }), "{dies:?}");
    assert_eq!(dies.to_string(), "start a worker: it ended before it was ready (signal: 9 (SIGKILL))");

    let late = start_with(SOON, |_| vec![Act::Hang]);
    assert_eq!(late.to_string(), "start a worker: it was not ready within pool.start (30ms)");

    let unfit = start_with(PATIENCE, |n| vec![unfit(n, Health { interrupt_polls: 0, ..FIT })]);
    assert_eq!(unfit.to_string(), "start a worker: it failed its own check: interrupt_dead");

    let nonce = start_with(PATIENCE, |n| vec![ready(!n)]);
    assert!(matches!(nonce, PoolError::Unfit(RetireReason::WrongNonce)), "{nonce:?}");

    let talks = start_with(PATIENCE, |n| vec![Act::Say(console(1)), ready(n)]);
    assert!(matches!(talks, PoolError::Unfit(RetireReason::Violation)), "{talks:?}");

    let garbage = start_with(PATIENCE, |_| vec![Act::Raw(vec![0xff; 8])]);
    assert!(matches!(garbage, PoolError::Talk(GoneCause::BadFrame(_))), "{garbage:?}");
}

#[test]
fn a_binary_that_cannot_be_executed_is_named() {
    let world = World::good();
    world.refuse_launches(true);
    let error = start(config(4, 8), &world).expect_err("cannot start");
    assert!(matches!(error, PoolError::Launch(LaunchError::Execute { .. })), "{error:?}");
}
