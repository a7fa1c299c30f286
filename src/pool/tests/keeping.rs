//! How many workers there are: replacement, growth, surplus, and patience with a binary that does not start.

use std::sync::mpsc;
use std::time::Instant;

use super::fake::{behave, console, ready};
use super::*;

/// Times short enough for a test.
fn quick() -> Tuning {
    Tuning { tick: Duration::from_millis(5), ..Tuning::default() }
}

#[tokio::test]
async fn an_idle_worker_that_dies_is_found_and_replaced() {
    let rig = Rig::tuned(config(3, 3), World::good(), quick());
    rig.world.kill(2);
    rig.wait_for_retired(RetireReason::DiedIdle);
    rig.wait_for_idle(3);
    assert_eq!(rig.world.launches(), 4);
    rig.finish();
}

#[tokio::test]
async fn every_worker_is_launched_by_the_thread_that_lives_as_long_as_the_pool() {
    let rig = Rig::new(config(2, 4), World::good());
    let mut lease = rig.lease();
    use_it(&mut lease).await;
    lease.retire(RetireReason::Killed);
    rig.wait_for_idle(2);
    assert!(rig.world.launches() >= 3);
    assert_eq!(rig.world.launched_by(), [Some("runpen-spawner".to_owned())]);
    rig.finish();
}

#[tokio::test]
async fn dead_idle_workers_are_never_leased() {
    // Those that take the places of the dead are ready only when the lease has been made.
    let world = World::new(|cue| match cue.message {
        HostMessage::Prepare { nonce, .. } if cue.worker > 4 => vec![Act::Gate("later"), ready(*nonce)],
        other => behave(other),
    });
    let rig = Rig::tuned(config(4, 4), world, Tuning { tick: NEVER, ..quick() });
    for pid in 2..=4 {
        rig.world.kill(pid);
    }
    assert_eq!(rig.lease().pid(), 1);
    assert_eq!(rig.ledger.seen().retired.len(), 3);
    rig.world.open("later");
    rig.wait_for_idle(4);
    rig.finish();
}

#[tokio::test]
async fn an_idle_worker_that_talks_is_replaced() {
    let world = World::new(|cue| match cue.message {
        HostMessage::Prepare { nonce, .. } if cue.worker == 1 => {
            vec![ready(*nonce), Act::Gate("talk"), Act::Say(console(1))]
        }
        other => behave(other),
    });
    let rig = Rig::tuned(config(2, 2), world, quick());
    rig.world.open("talk");
    rig.wait_for_retired(RetireReason::Violation);
    rig.wait_for_idle(2);
    rig.finish();
}

#[tokio::test]
async fn a_sweep_sees_every_one_of_many() {
    let rig = Rig::tuned(config(200, 200), World::good(), quick());
    for pid in (1..=200).step_by(2) {
        rig.world.kill(pid);
    }
    rig.ledger.wait_for("100 deaths", |seen| seen.retired.len() == 100);
    rig.wait_for_idle(200);
    rig.finish();
}

#[tokio::test]
async fn the_pool_keeps_warm_workers_ready_while_others_are_leased() {
    let rig = Rig::new(config(2, 5), World::good());
    let mut leases = Vec::new();
    for expected in [2, 2, 2, 1, 0] {
        leases.push(rig.lease());
        rig.ledger.wait_for("the warm ones", |seen| {
            seen.counts.of(SlotKind::Idle) == expected && seen.counts.of(SlotKind::Spawning) == 0
        });
    }
    assert!(matches!(rig.pool.acquire(), Ok(Acquired::Waiting(_))));
    drop(leases);
    rig.wait_for_idle(5);
    rig.finish();
}

#[tokio::test]
async fn surplus_workers_go_after_a_while_and_warm_ones_stay() {
    let tuning = Tuning { surplus_after: SOON, ..quick() };
    let rig = Rig::tuned(config(2, 8), World::good(), tuning);
    let waiters: Vec<_> = {
        let _leases = [rig.lease(), rig.lease()];
        (0..3).map(|_| rig.pool.acquire()).collect()
    };
    drop(waiters);
    rig.wait_for_retired(RetireReason::Surplus);
    rig.wait_for_idle(2);
    rig.finish();
}

#[tokio::test]
async fn workers_start_a_few_at_a_time() {
    let world = World::new(|cue| match cue.message {
        HostMessage::Prepare { nonce, .. } if cue.worker > 1 => vec![Act::Gate("start"), ready(*nonce)],
        other => behave(other),
    });
    let tuning = Tuning { starts_at_once: 3, ..Tuning::default() };
    let ledger = Arc::new(Ledger::new(20));
    let launcher = FakeLauncher(world.clone());
    let pool = Pool::start_tuned(config(20, 20), settings(), Duration::ZERO, launcher, ledger.clone(), tuning).unwrap();
    world.wait_for_launches(4);
    assert_eq!(pool.stats().slots.of(SlotKind::Spawning), 3);
    assert_eq!(world.launches(), 4);
    world.open("start");
    ledger.wait_for("all", |seen| seen.counts.of(SlotKind::Idle) == 20);
    Rig { pool, world, ledger }.finish();
}

#[tokio::test]
async fn a_closed_pool_launches_nothing_more() {
    /// Stops in the second launch until the test lets it go on, so that further permits queue behind it.
    struct Slow(FakeLauncher, u32, mpsc::Sender<()>, mpsc::Receiver<()>);
    impl Launcher for Slow {
        fn launch(&mut self, id: crate::ids::WorkerId) -> Result<Launched, LaunchError> {
            self.1 += 1;
            if self.1 == 2 {
                self.2.send(()).unwrap();
                let _ = self.3.recv_timeout(PATIENCE);
            }
            self.0.launch(id)
        }

        fn meter(&self) -> Meter {
            self.0.meter()
        }
    }
    let (world, ledger) = (World::good(), Arc::new(Ledger::new(8)));
    let (entered, door) = mpsc::channel();
    let (go_on, gate) = mpsc::channel();
    let launcher = Slow(FakeLauncher(world.clone()), 0, entered, gate);
    let pool = Pool::start(config(8, 8), settings(), Duration::ZERO, launcher, ledger.clone()).unwrap();
    ledger.wait_for("permits", |seen| seen.counts.of(SlotKind::Spawning) == 7);
    door.recv_timeout(PATIENCE).unwrap();
    assert_eq!(pool.shutdown(Duration::ZERO).map_err(|slow| slow.workers > 0), Err(true), "one is being launched");
    go_on.send(()).unwrap();
    pool.shutdown(PATIENCE).unwrap();
    assert_eq!(world.launches(), 2);
    Rig { pool, world, ledger }.finish();
}

#[tokio::test]
async fn a_slot_is_free_only_when_its_process_is_reaped() {
    let rig = Rig::new(config(1, 1), World::good());
    rig.world.hold_reaping(true);
    rig.lease().retire(RetireReason::Killed);
    let mut waiter = rig.queue();
    expect_position(soon(waiter.next()).await, 1);
    assert_eq!(rig.pool.stats().slots.of(SlotKind::Dying), 1);
    assert_eq!(rig.world.launches(), 1, "max is max");
    rig.world.hold_reaping(false);
    drop(expect_ready(soon(waiter.next()).await));
    rig.finish();
}

#[tokio::test]
async fn launches_that_fail_are_tried_again_ever_more_slowly() {
    let tuning = Tuning { first_hold: Duration::from_millis(4), longest_hold: Duration::from_millis(32), ..quick() };
    let rig = Rig::tuned(config(4, 8), World::good(), tuning);
    rig.world.refuse_launches(true);
    let before = Instant::now();
    for pid in 1..=4 {
        rig.world.kill(pid);
    }
    let mut waiter = rig.queue();
    // Four deaths and somebody who waits: at most five launches at once before the first is seen to fail. From then on one at
    // a time, 4 + 8 + 16 + 32 + 32 ms apart.
    rig.world.wait_for_launches(4 + 5 + 5);
    assert!(before.elapsed() >= Duration::from_millis(92), "{:?}", before.elapsed());
    rig.world.refuse_launches(false);
    drop(expect_ready(loop {
        match soon(waiter.next()).await {
            Waited::Position(_) => {}
            other => break other,
        }
    }));
    // One was started for who waited.
    rig.wait_for_idle(5);
    rig.finish();
}

#[tokio::test]
async fn a_launcher_that_is_lost_does_not_make_the_pool_spin() {
    struct Panics(FakeLauncher, u32);
    impl Launcher for Panics {
        fn launch(&mut self, id: crate::ids::WorkerId) -> Result<Launched, LaunchError> {
            self.1 += 1;
            assert!(self.1 == 1, "the second launch panics, on purpose");
            self.0.launch(id)
        }

        fn meter(&self) -> Meter {
            self.0.meter()
        }
    }
    let world = World::good();
    let ledger = Arc::new(Ledger::new(4));
    let launcher = Panics(FakeLauncher(world.clone()), 0);
    let pool = Pool::start_tuned(config(2, 4), settings(), Duration::ZERO, launcher, ledger.clone(), quick()).unwrap();
    ledger.wait_for("a lost launch", |seen| seen.retired.contains(&RetireReason::StartFailed));
    assert!(matches!(pool.acquire(), Ok(Acquired::Now(_))), "what is there still works");
    ledger.wait_for("a second attempt", |seen| seen.retired.len() >= 2);
    Rig { pool, world, ledger }.finish();
}
