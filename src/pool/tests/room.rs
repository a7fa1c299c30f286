//! Who gives way: for those in the line, and for want of memory.

use std::time::Instant;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Leases whose sessions have been idle: the first since now, each further one for a second longer.
fn idle_leases(rig: &Rig, number: u32) -> Vec<Lease> {
    let now = Instant::now();
    let idle = |age| {
        let lease = rig.lease();
        lease.note_idle(now.checked_sub(age * SECOND));
        lease
    };
    (0..number).map(idle).collect()
}

#[track_caller]
fn expect_uncalled<'a>(leases: impl IntoIterator<Item = &'a Lease>, why: &str) {
    for lease in leases {
        expect_pending(lease.recall().called(), why);
    }
}

/// The lease that comes at last, whatever places are told before.
async fn served(waiter: &mut Waiter) -> Lease {
    loop {
        match soon(waiter.next()).await {
            Waited::Position(_) => {}
            other => break expect_ready(other),
        }
    }
}

#[tokio::test]
async fn one_waiter_calls_back_one_lease_and_the_longest_idle_first() {
    let rig = Rig::new(config(3, 3), World::good());
    let leases = idle_leases(&rig, 3);
    expect_uncalled(&leases, "nobody waits");
    let _waiter = rig.queue();
    soon(leases[2].recall().called()).await;
    expect_uncalled(&leases[..2], "one is enough");
    let _another = rig.queue();
    soon(leases[1].recall().called()).await;
    expect_uncalled(&leases[..1], "two are enough");
    drop(leases);
    rig.finish();
}

#[tokio::test]
async fn a_called_lease_that_is_used_again_lets_the_next_be_called() {
    let rig = Rig::new(config(2, 2), World::good());
    let leases = idle_leases(&rig, 2);
    let _waiter = rig.queue();
    soon(leases[1].recall().called()).await;
    expect_uncalled(&leases[..1], "one is enough");
    leases[1].note_idle(None);
    expect_uncalled(&leases[1..], "it is in use");
    soon(leases[0].recall().called()).await;
    drop(leases);
    rig.finish();
}

#[tokio::test]
async fn a_lease_that_becomes_idle_while_somebody_waits_is_called() {
    let rig = Rig::new(config(1, 1), World::good());
    let lease = rig.lease();
    let mut waiter = rig.queue();
    expect_uncalled([&lease], "it is in use");
    lease.note_idle(Some(Instant::now()));
    soon(lease.recall().called()).await;
    drop(lease);
    drop(served(&mut waiter).await);
    rig.finish();
}

#[tokio::test]
async fn nobody_is_called_back_for_somebody_who_has_left_or_been_served() {
    let rig = Rig::new(config(2, 2), World::good());
    let (first, idle) = (rig.lease(), rig.lease());
    idle.note_idle(Some(Instant::now()));
    // It is called, but the waiter is gone before it hears of it.
    drop(rig.queue());
    expect_uncalled([&idle], "gone");
    let mut waiter = rig.queue();
    drop(first);
    let _served = served(&mut waiter).await;
    expect_uncalled([&idle], "served");
    let _another = rig.queue();
    soon(idle.recall().called()).await;
    drop(idle);
    rig.finish();
}

#[tokio::test]
async fn who_joins_while_a_recalled_worker_is_on_its_way_has_a_recall_of_his_own() {
    let rig = Rig::new(config(1, 1), World::good());
    let mut lease = rig.lease();
    use_it(&mut lease).await;
    lease.note_idle(Some(Instant::now()));
    let mut first = rig.queue();
    soon(lease.recall().called()).await;
    drop(lease);
    let _second = rig.queue();
    let lease = served(&mut first).await;
    lease.note_idle(Some(Instant::now()));
    soon(lease.recall().called()).await;
    drop(lease);
    rig.finish();
}

#[tokio::test]
async fn no_waiter_loses_patience_while_a_lease_is_idle() {
    let wait = 3 * SECOND;
    let rig = Rig::new(config::Pool { wait, idle_lease: NEVER, ..config(1, 1) }, World::good());
    let lease = rig.lease();
    let since = Instant::now();
    lease.note_idle(Some(since));
    let mut waiter = rig.queue();
    expect_uncalled([&lease], "the waiter has just come");
    let session = async {
        lease.recall().called().await;
        drop(lease);
    };
    let ((), lease) = soon(async { tokio::join!(session, served(&mut waiter)) }).await;
    assert!(since.elapsed() >= wait / 4, "called after {:?}", since.elapsed());
    drop(lease);
    rig.finish();
}

/// A pool whose workers weigh what the test says, looked at every few milliseconds.
fn scales(workers: usize, memory_bytes: u64) -> Rig {
    let tuning = Tuning { tick: Duration::from_millis(3), ..Tuning::default() };
    let config = config::Pool { memory_bytes, idle_lease: NEVER, ..config(workers, workers + 2) };
    Rig::tuned(config, World::good(), tuning)
}

/// Waits until the pool has seen this sum.
async fn weighed(rig: &Rig, used_bytes: u64) {
    soon(async {
        while rig.pool.stats().used_bytes != used_bytes {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_largest_idle_lease_gives_way_to_want_of_memory_and_no_more_than_needed() {
    let rig = scales(3, 100);
    let leases = idle_leases(&rig, 3);
    for (lease, bytes) in leases.iter().zip([30, 40, 20]) {
        rig.world.set_weight(lease.pid(), bytes);
    }
    weighed(&rig, 90).await;
    expect_uncalled(&leases, "there is enough");
    rig.world.set_weight(leases[0].pid(), 60);
    soon(leases[0].recall().called()).await;
    expect_uncalled(&leases[1..], "one is enough");
    drop(leases);
    rig.finish();
}

#[tokio::test]
async fn no_lease_is_given_while_memory_is_short_and_the_line_goes_on_after_that() {
    let rig = scales(2, 100);
    let (busy, idle) = (rig.lease(), rig.lease());
    idle.note_idle(Some(Instant::now()));
    rig.world.set_weight(busy.pid(), 60);
    rig.world.set_weight(idle.pid(), 50);
    weighed(&rig, 110).await;
    let launched = rig.world.launches();
    let mut waiter = rig.queue();
    expect_position(soon(waiter.next()).await, 1);
    soon(idle.recall().called()).await;
    assert_eq!(rig.world.launches(), launched, "a new worker would take still more");
    rig.world.set_weight(idle.pid(), 1);
    drop(idle);
    drop(served(&mut waiter).await);
    drop(busy);
    rig.finish();
}

#[tokio::test]
async fn an_idle_lease_that_has_nothing_is_left_alone() {
    let rig = scales(2, 80);
    let (busy, idle) = (rig.lease(), rig.lease());
    idle.note_idle(Some(Instant::now()));
    rig.world.set_weight(busy.pid(), 85);
    weighed(&rig, 85).await;
    expect_uncalled([&idle], "it would not help");
    drop((busy, idle));
    rig.finish();
}

#[tokio::test]
async fn where_nobody_is_idle_the_largest_ends_when_an_eighth_is_exceeded() {
    let rig = scales(2, 80);
    let (small, mut large) = (rig.lease(), rig.lease());
    rig.world.set_weight(small.pid(), 40);
    rig.world.set_weight(large.pid(), 50);
    weighed(&rig, 90).await;
    assert!(!large.was_taken(), "an eighth over is borne");
    rig.world.set_weight(large.pid(), 51);
    assert!(soon(large.recv()).await.is_err());
    assert!(large.was_taken() && !small.was_taken());
    rig.wait_for_retired(RetireReason::Memory);
    weighed(&rig, 40).await;
    drop((small, large));
    rig.finish();
}
