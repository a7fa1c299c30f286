//! The line: who is next, who hears what, and who is called back for whom.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Instant;

use super::fake::{behave, ready};
use super::*;

#[tokio::test]
async fn the_line_is_served_in_order_and_everybody_hears_the_position() {
    let rig = Rig::tuned(config(1, 1), World::good(), Tuning { tick: SOON, ..Tuning::default() });
    let mut lease = rig.lease();
    let mut waiters: Vec<_> = (0..3).map(|_| rig.queue()).collect();
    for (index, waiter) in waiters.iter_mut().enumerate() {
        expect_position(soon(waiter.next()).await, index + 1);
        expect_pending(waiter.next(), "a position is told once");
    }
    while !waiters.is_empty() {
        use_it(&mut lease).await;
        drop(lease);
        lease = expect_ready(soon(waiters.remove(0).next()).await);
        for (index, waiter) in waiters.iter_mut().enumerate() {
            expect_position(soon(waiter.next()).await, index + 1);
        }
    }
    drop(lease);
    rig.wait_for_idle(1);
    assert_eq!(rig.ledger.seen().waited, [WaitOutcome::Leased; 3]);
    rig.finish();
}

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls a waiter as a session does, until it has nothing more to say, and counts what it says.
fn listen(waiter: &mut Waiter, bell: &Arc<Bell>) -> usize {
    let waker = Waker::from(Arc::clone(bell));
    let mut cx = std::task::Context::from_waker(&waker);
    let mut told = 0;
    while pin!(waiter.next()).poll(&mut cx).is_ready() {
        told += 1;
    }
    told
}

#[tokio::test]
async fn a_line_that_is_served_wakes_each_once_and_tells_nobody_every_move() {
    const LINE: usize = 100;
    let config = config::Pool { wait_queue: LINE, ..config(1, 1) };
    let rig = Rig::tuned(config, World::good(), Tuning { tick: NEVER, ..Tuning::default() });
    let mut lease = rig.lease();
    let mut line: VecDeque<(Waiter, Arc<Bell>)> = (0..LINE).map(|_| (rig.queue(), Arc::default())).collect();
    let bells: Vec<Arc<Bell>> = line.iter().map(|(_, bell)| Arc::clone(bell)).collect();
    let mut told: usize = line.iter_mut().map(|(waiter, bell)| listen(waiter, bell)).sum();
    while let Some((mut first, _)) = line.pop_front() {
        let rung: Vec<usize> = line.iter().map(|(_, bell)| bell.0.load(Ordering::Relaxed)).collect();
        drop(lease);
        lease = expect_ready(soon(first.next()).await);
        let woken = line.iter_mut().zip(rung).filter(|((_, bell), rung)| bell.0.load(Ordering::Relaxed) > *rung);
        told += woken.map(|((waiter, bell), _)| listen(waiter, bell)).sum::<usize>();
    }
    drop(lease);
    assert_eq!(told, LINE, "each is told the first place, and no other without a tick");
    let woken: usize = bells.iter().map(|bell| bell.0.load(Ordering::Relaxed)).sum();
    assert_eq!(woken, LINE, "each is woken for the lease alone");
    rig.finish();
}

#[tokio::test]
async fn places_are_told_by_the_tick_alone_and_only_where_they_are_new() {
    let rig = Rig::tuned(config(1, 1), World::good(), Tuning { tick: NEVER, ..Tuning::default() });
    let lease = rig.lease();
    let mut waiters: Vec<_> = (0..4).map(|_| rig.queue()).collect();
    for (index, waiter) in waiters.iter_mut().enumerate() {
        expect_position(soon(waiter.next()).await, index + 1);
    }
    drop(waiters.remove(1));
    drop(waiters.remove(1));
    expect_pending(waiters[1].next(), "moved twice, not yet told");
    rig.pool.owner.shared.update(|state, _| state.tell_places());
    expect_pending(waiters[0].next(), "has not moved");
    expect_position(soon(waiters[1].next()).await, 2);
    expect_pending(waiters[1].next(), "told once");
    drop((waiters, lease));
    rig.finish();
}

#[tokio::test]
async fn nobody_jumps_the_line() {
    let rig = Rig::new(config(1, 1), World::good());
    let lease = rig.lease();
    let mut first = rig.queue();
    drop(lease);
    let second = rig.queue();
    drop(expect_ready(soon(first.next()).await));
    drop(first);
    drop(second);
    rig.wait_for_idle(1);
    rig.finish();
}

#[tokio::test]
async fn who_leaves_the_line_lets_the_others_move_up() {
    let rig = Rig::tuned(config(1, 1), World::good(), Tuning { tick: SOON, ..Tuning::default() });
    let lease = rig.lease();
    let (mut first, second, mut third) = (rig.queue(), rig.queue(), rig.queue());
    expect_position(soon(first.next()).await, 1);
    expect_position(soon(third.next()).await, 3);
    drop(second);
    expect_pending(first.next(), "nothing has changed in front");
    expect_position(soon(third.next()).await, 2);
    drop(first);
    expect_position(soon(third.next()).await, 1);
    assert_eq!(rig.pool.stats().waiting, 1);
    drop(lease);
    drop(expect_ready(soon(third.next()).await));
    assert_eq!(rig.ledger.seen().waited, [WaitOutcome::Left, WaitOutcome::Left, WaitOutcome::Leased]);
    rig.finish();
}

#[tokio::test]
async fn a_lease_for_somebody_who_is_gone_goes_to_the_next() {
    let rig = Rig::new(config(1, 1), World::good());
    let lease = rig.lease();
    let (first, mut second) = (rig.queue(), rig.queue());
    drop(lease);
    // The first has been served and has not fetched it.
    assert_eq!(rig.pool.stats().waiting, 1);
    drop(first);
    let lease = expect_ready(soon(second.next()).await);
    assert!(matches!(soon(second.next()).await, Waited::Closed));
    drop(lease);
    rig.wait_for_idle(1);
    rig.finish();
}

#[tokio::test]
async fn waiting_futures_can_be_dropped_at_any_time() {
    let rig = Rig::new(config(1, 1), World::good());
    let lease = rig.lease();
    let mut waiter = rig.queue();
    expect_position(soon(waiter.next()).await, 1);
    for _ in 0..10 {
        expect_pending(waiter.next(), "dropped in the middle");
    }
    drop(lease);
    drop(expect_ready(soon(waiter.next()).await));
    rig.finish();
}

#[tokio::test]
async fn the_wait_has_an_end() {
    let rig = Rig::new(config::Pool { wait: SOON, ..config(1, 1) }, World::good());
    let _lease = rig.lease();
    let mut waiter = rig.queue();
    expect_position(soon(waiter.next()).await, 1);
    assert!(matches!(soon(waiter.next()).await, Waited::TimedOut));
    assert!(matches!(soon(waiter.next()).await, Waited::Closed));
    assert_eq!(rig.pool.stats().waiting, 0);
    assert_eq!(rig.ledger.seen().waited, [WaitOutcome::TimedOut]);
    rig.finish();
}

#[tokio::test]
async fn a_full_line_refuses() {
    let rig = Rig::new(config::Pool { wait_queue: 2, ..config(1, 1) }, World::good());
    let lease = rig.lease();
    let waiters = [rig.queue(), rig.queue()];
    assert!(matches!(rig.pool.acquire(), Err(Busy::LineFull)));
    assert_eq!(rig.ledger.seen().refused, 1);
    drop(waiters);
    drop(rig.queue());
    drop(lease);
    rig.finish();
}

#[tokio::test]
async fn a_burst_is_not_refused_because_spawning_takes_a_moment() {
    let world = World::new(|cue| match cue.message {
        HostMessage::Prepare { nonce, .. } if cue.worker > 1 => vec![Act::Gate("start"), ready(*nonce)],
        other => behave(other),
    });
    let rig = Rig::new(config::Pool { wait_queue: 1, ..config(1, 10) }, world);
    let mut leases = vec![rig.lease()];
    leases[0].note_idle(Some(Instant::now()));
    let recall = leases[0].recall();
    let mut waiters: Vec<_> = (0..9).map(|_| rig.queue()).collect();
    expect_pending(recall.called(), "new workers will serve them all");
    waiters.push(rig.queue());
    soon(recall.called()).await;
    assert!(matches!(rig.pool.acquire(), Err(Busy::LineFull)));
    rig.world.open("start");
    for waiter in &mut waiters[..9] {
        leases.push(loop {
            match soon(waiter.next()).await {
                Waited::Position(_) => {}
                other => break expect_ready(other),
            }
        });
    }
    assert_eq!(rig.pool.stats().slots.of(SlotKind::Leased), 10);
    drop((leases, waiters));
    rig.finish();
}

#[tokio::test]
async fn the_line_hears_when_the_pool_closes() {
    let rig = Rig::new(config(1, 1), World::good());
    let _lease = rig.lease();
    let mut waiters = [rig.queue(), rig.queue()];
    expect_position(soon(waiters[1].next()).await, 2);
    let closed = async {
        let mut told = soon(waiters[1].next()).await;
        while let Waited::Position(_) = told {
            told = soon(waiters[1].next()).await;
        }
        assert!(matches!(told, Waited::Closed), "{told:?}");
        assert!(matches!(soon(waiters[0].next()).await, Waited::Closed));
    };
    let pool = rig.pool.clone();
    let shutdown = tokio::task::spawn_blocking(move || pool.shutdown(PATIENCE).unwrap());
    closed.await;
    shutdown.await.unwrap();
    assert_eq!(rig.ledger.seen().waited, [WaitOutcome::Closed; 2]);
    rig.finish();
}
