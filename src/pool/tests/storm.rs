//! Everything at once, at random, from several threads.

use std::hash::{BuildHasher, RandomState};

use super::fake::{FIT, behave, ready, unfit};
use super::*;
use crate::ipc::Health;

/// xorshift: good enough to mix, and the same again for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// One session after another, each doing something else.
async fn sessions(pool: Pool, mut dice: Dice, rounds: u32) {
    for _ in 0..rounds {
        let mut lease = match pool.acquire() {
            Ok(Acquired::Now(lease)) => lease,
            Ok(Acquired::Waiting(mut waiter)) => {
                if dice.roll(4) == 0 {
                    poll_once(waiter.next());
                    continue;
                }
                loop {
                    match soon(waiter.next()).await {
                        Waited::Position(_) => {}
                        Waited::Ready(lease) => break lease,
                        other => panic!("{other:?}"),
                    }
                }
            }
            Err(busy) => panic!("{busy}"),
        };
        match dice.roll(6) {
            0 => {}
            1 => lease.retire(RetireReason::Killed),
            2 => drop(lease.send(&run(1))),
            3 => tokio::spawn(async move { lease.recv().await.map(drop) }).abort(),
            _ => {
                let _ = lease.send(&run(1));
                while let Ok(message) = soon(lease.recv()).await {
                    if let WorkerMessage::Done(_) = message {
                        break;
                    }
                }
            }
        }
        tokio::task::yield_now().await;
    }
}

/// Polls once, and drops it whatever came of it.
fn poll_once<F: Future>(future: F) {
    let mut future = std::pin::pin!(future);
    let _ = future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
}

#[test]
fn after_a_storm_everything_is_idle_and_adds_up() {
    const THREADS: u64 = 4;
    const ROUNDS: u32 = 150;
    let seed = RandomState::new().hash_one(0) | 1;
    println!("seed {seed}");
    let world = World::new(move |cue| {
        let luck = seed.wrapping_mul(cue.worker * 31 + u64::from(cue.prepares)) >> 32;
        match cue.message {
            HostMessage::Run(_) if luck.is_multiple_of(7) => vec![Act::Die],
            HostMessage::Run(_) if luck.is_multiple_of(11) => vec![Act::Raw(vec![0xff; 16])],
            HostMessage::Prepare { nonce, .. } if cue.prepares > 1 => match luck % 13 {
                0 => vec![unfit(*nonce, Health { leftovers: 1, ..FIT })],
                1 => vec![ready(!*nonce)],
                2 => vec![Act::Die],
                3 => vec![Act::Hang],
                _ => vec![ready(*nonce)],
            },
            other => behave(other),
        }
    });
    let tuning = Tuning { tick: Duration::from_millis(2), surplus_after: SOON, ..Tuning::default() };
    let rig = Rig::tuned(config::Pool { health: SOON, max_leases_per_worker: 5, ..config(2, 5) }, world, tuning);
    let threads: Vec<_> = (1..=THREADS)
        .map(|thread| {
            let pool = rig.pool.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let dice = |lane: u64| Dice(seed.rotate_left((thread * 8 + lane) as u32) | 1);
                runtime.block_on(async {
                    tokio::join!(
                        sessions(pool.clone(), dice(0), ROUNDS),
                        sessions(pool.clone(), dice(1), ROUNDS),
                        sessions(pool.clone(), dice(2), ROUNDS),
                    )
                });
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    rig.ledger.wait_for("calm", |seen| seen.counts.of(SlotKind::Idle) == 2 && seen.counts.total() == 2);
    assert_eq!(rig.pool.stats().waiting, 0);
    let seen = rig.ledger.seen();
    println!("{} workers, {} returned, {} waited", seen.born, seen.returned, seen.waited.len());
    assert!(!seen.retired.contains(&RetireReason::Abandoned), "{seen:?}");
    rig.finish();
}

#[test]
fn a_pool_can_close_in_the_middle_of_a_storm() {
    let rig = Rig::new(config(2, 4), World::good());
    let pool = rig.pool.clone();
    let sessions = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            loop {
                match pool.acquire() {
                    Ok(Acquired::Now(mut lease)) => {
                        let _ = lease.send(&run(1));
                        let _ = soon(lease.recv()).await;
                    }
                    Ok(Acquired::Waiting(mut waiter)) => drop(soon(waiter.next()).await),
                    Err(Busy::LineFull) => tokio::task::yield_now().await,
                    Err(Busy::Closed) => return,
                }
            }
        });
    });
    rig.ledger.wait_for("some life", |seen| seen.returned > 50);
    let pool = rig.pool.clone();
    pool.shutdown(PATIENCE).unwrap();
    sessions.join().unwrap();
    rig.finish();
}
