//! From the end of a lease to the next: what a worker may do then, and what costs its place.

use super::fake::{FIT, behave, console, done, ready, unfit};
use super::*;
use crate::ipc::Health;

/// The second `Prepare` of the first worker, the one after its first lease, is answered so.
fn again(answer: impl Fn(u64) -> Vec<Act> + Send + Sync + 'static) -> World {
    World::new(move |cue| match cue.message {
        HostMessage::Prepare { nonce, .. } if cue.worker == 1 && cue.prepares == 2 => answer(*nonce),
        other => behave(other),
    })
}

/// A worker that answers so must be given up for this reason, and a new one takes its place.
async fn check(reason: RetireReason, limit: Duration, answer: impl Fn(u64) -> Vec<Act> + Send + Sync + 'static) {
    let rig = Rig::new(config::Pool { health: limit, ..config(1, 1) }, again(answer));
    let mut lease = rig.lease();
    use_it(&mut lease).await;
    drop(lease);
    rig.wait_for_retired(reason);
    rig.wait_for_idle(1);
    assert_eq!(rig.ledger.seen().retired, [reason]);
    let mut lease = rig.lease();
    assert_eq!(lease.pid(), 2);
    use_it(&mut lease).await;
    drop(lease);
    rig.wait_for_idle(1);
    rig.finish();
}

#[tokio::test]
async fn a_worker_that_fails_its_check_is_replaced() {
    check(RetireReason::InterruptDead, PATIENCE, |n| vec![unfit(n, Health { interrupt_polls: 0, ..FIT })]).await;
    check(RetireReason::Leftovers, PATIENCE, |n| vec![unfit(n, Health { leftovers: 1, ..FIT })]).await;
    check(RetireReason::HeapGrown, PATIENCE, |n| vec![unfit(n, Health { heap_bytes: 1 << 20, ..FIT })]).await;
    check(RetireReason::OpenFiles, PATIENCE, |n| vec![unfit(n, Health { open_files: 4, ..FIT })]).await;
    check(RetireReason::WrongNonce, PATIENCE, |n| vec![ready(!n)]).await;
}

#[tokio::test]
async fn a_worker_that_breaks_off_is_replaced() {
    check(RetireReason::DiedRecycling, PATIENCE, |_| vec![Act::Die]).await;
    check(RetireReason::BadFrame, PATIENCE, |_| vec![Act::Raw(vec![0xff; 8])]).await;
}

#[tokio::test]
async fn a_worker_that_does_not_come_back_in_time_is_replaced() {
    check(RetireReason::NotReadyInTime, SOON, |_| vec![Act::Hang]).await;
    // Half a frame is no answer either.
    check(RetireReason::NotReadyInTime, SOON, |_| vec![Act::Raw(vec![9, 0]), Act::Hang]).await;
}

#[tokio::test]
async fn a_worker_that_only_talks_is_replaced() {
    check(RetireReason::Violation, NEVER, |_| vec![Act::Flood(console(1))]).await;
}

#[tokio::test]
async fn a_worker_that_talks_on_after_ready_is_replaced() {
    let both = |nonce| {
        let mut frames = bytes::BytesMut::new();
        crate::ipc::encode(&WorkerMessage::Ready { nonce, health: FIT }, &mut frames).unwrap();
        crate::ipc::encode(&console(1), &mut frames).unwrap();
        vec![Act::Raw(frames.to_vec())]
    };
    check(RetireReason::Violation, PATIENCE, both).await;
}

#[tokio::test]
async fn what_is_left_of_the_old_run_is_discarded() {
    let late = |nonce| {
        let talk = (0..1000).map(|_| Act::Say(console(1)));
        talk.chain([done(RunId(1)), ready(nonce)]).collect()
    };
    let rig = Rig::new(config(1, 1), again(late));
    let mut lease = rig.lease();
    use_it(&mut lease).await;
    drop(lease);
    rig.wait_for_idle(1);
    let mut lease = rig.lease();
    assert_eq!(lease.pid(), 1);
    lease.send(&run(5)).unwrap();
    assert_eq!(soon(lease.recv()).await.unwrap(), WorkerMessage::Started { run: RunId(5) });
    drop(lease);
    rig.finish();
}

#[tokio::test]
async fn the_answer_to_a_sessions_own_reset_is_not_taken_for_ours() {
    let rig = Rig::new(config(1, 1), World::good());
    let mut lease = rig.lease();
    lease.send(&HostMessage::Prepare { nonce: 3, settings: settings() }).unwrap();
    assert!(matches!(soon(lease.recv()).await.unwrap(), WorkerMessage::Ready { nonce: 3, .. }));
    lease.send(&HostMessage::Prepare { nonce: 4, settings: settings() }).unwrap();
    drop(lease);
    rig.wait_for_idle(1);
    assert_eq!(rig.ledger.seen().retired, []);
    rig.finish();
}

#[tokio::test]
async fn a_worker_is_replaced_when_it_has_had_its_leases() {
    let rig = Rig::new(config::Pool { max_leases_per_worker: 3, ..config(1, 1) }, World::good());
    for lease_number in 1..=6 {
        let mut lease = rig.lease();
        assert_eq!(lease.pid(), if lease_number <= 3 { 1 } else { 2 });
        use_it(&mut lease).await;
        drop(lease);
        rig.wait_for_idle(1);
    }
    assert_eq!(rig.ledger.seen().retired, [RetireReason::UsedUp; 2]);
    rig.finish();
}

#[tokio::test]
async fn without_reuse_every_used_worker_is_replaced() {
    let rig = Rig::new(config::Pool { reuse: Reuse::Never, ..config(2, 4) }, World::good());
    for _ in 0..5 {
        let mut lease = rig.lease();
        use_it(&mut lease).await;
        drop(lease);
        rig.wait_for_idle(2);
    }
    assert_eq!(rig.ledger.seen().retired, [RetireReason::NeverReuse; 5]);
    rig.finish();
}

#[tokio::test]
async fn a_worker_seen_with_a_second_thread_or_too_much_memory_is_replaced() {
    for (footprint, reason) in [
        (Footprint { resident_bytes: 3 << 20, threads: 2 }, RetireReason::Threads),
        (Footprint { resident_bytes: 30 << 20, threads: 1 }, RetireReason::Bloated),
    ] {
        let world = World::good();
        world.set_footprint(1, Footprint { resident_bytes: 3 << 20, threads: 1 });
        let rig = Rig::new(config(1, 1), world);
        let mut lease = rig.lease();
        use_it(&mut lease).await;
        rig.world.set_footprint(1, footprint);
        drop(lease);
        rig.wait_for_retired(reason);
        rig.wait_for_idle(1);
        rig.finish();
    }
}

#[tokio::test]
async fn a_pool_can_close_while_workers_recycle() {
    let rig = Rig::new(config(2, 2), again(|_| vec![Act::Hang]));
    let mut leases = [rig.lease(), rig.lease()];
    for lease in &mut leases {
        use_it(lease).await;
    }
    drop(leases);
    rig.ledger.wait_for("one that recycles", |seen| seen.counts.of(SlotKind::Recycling) > 0);
    rig.finish();
}
