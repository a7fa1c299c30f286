//! Leases: getting one, talking through it, and where it goes.

use super::fake::{behave, console, done};
use super::*;
use crate::ipc::MAX_FRAME_BYTES;

#[tokio::test]
async fn a_lease_talks_to_its_worker_and_comes_back() {
    let rig = Rig::new(config(1, 1), World::good());
    for _ in 0..3 {
        let mut lease = rig.lease();
        assert_eq!(lease.pid(), 1);
        lease.send(&run(7)).unwrap();
        assert_eq!(soon(lease.recv()).await.unwrap(), WorkerMessage::Started { run: RunId(7) });
        assert!(matches!(soon(lease.recv()).await.unwrap(), WorkerMessage::Done(end) if end.run == RunId(7)));
        drop(lease);
        rig.wait_for_idle(1);
    }
    assert_eq!(rig.ledger.seen().returned, 3);
    assert_eq!(rig.world.launches(), 1);
    rig.finish();
}

#[tokio::test]
async fn the_worker_used_last_is_leased_next() {
    let rig = Rig::new(config(3, 3), World::good());
    let mut lease = rig.lease();
    let id = lease.worker_id();
    use_it(&mut lease).await;
    drop(lease);
    rig.wait_for_idle(3);
    assert_eq!(rig.lease().worker_id(), id);
    rig.finish();
}

#[tokio::test]
async fn a_lease_that_was_never_used_goes_home_as_it_was() {
    let world = World::new(|cue| {
        assert_eq!(cue.prepares, 1, "nothing to prepare again");
        behave(cue.message)
    });
    let rig = Rig::new(config::Pool { reuse: Reuse::Never, ..config(1, 1) }, world);
    drop(rig.lease());
    let mut lease = rig.lease();
    expect_pending(lease.recv(), "an idle worker says nothing");
    drop(lease);
    assert_eq!(rig.pool.stats().slots.of(SlotKind::Idle), 1, "at once");
    rig.finish();
}

#[tokio::test]
async fn a_lease_dropped_in_the_middle_of_a_run_is_recycled() {
    let world = World::new(|cue| match cue.message {
        HostMessage::Run(run) => vec![Act::Say(WorkerMessage::Started { run: run.run })],
        other => behave(other),
    });
    let rig = Rig::new(config(1, 1), world);
    let mut lease = rig.lease();
    lease.send(&run(1)).unwrap();
    soon(lease.recv()).await.unwrap();
    drop(lease);
    rig.wait_for_idle(1);
    assert_eq!(rig.world.launches(), 1);
    rig.finish();
}

#[tokio::test]
async fn half_a_frame_survives_a_cancelled_receive() {
    let world = World::new(|cue| match cue.message {
        HostMessage::Run(_) => {
            let mut frame = bytes::BytesMut::new();
            crate::ipc::encode(&WorkerMessage::Started { run: RunId(9) }, &mut frame).unwrap();
            let rest = frame.split_off(5);
            vec![Act::Raw(frame.to_vec()), Act::Gate("rest"), Act::Raw(rest.to_vec())]
        }
        other => behave(other),
    });
    let rig = Rig::new(config(1, 1), world);
    let mut lease = rig.lease();
    lease.send(&run(9)).unwrap();
    for _ in 0..10 {
        tokio::select! {
            biased;
            received = lease.recv() => panic!("half a frame is no message: {received:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    rig.world.open("rest");
    assert_eq!(soon(lease.recv()).await.unwrap(), WorkerMessage::Started { run: RunId(9) });
    drop(lease);
    rig.finish();
}

fn big_run(id: u32, bytes: usize) -> HostMessage {
    let HostMessage::Run(request) = run(id) else { unreachable!() };
    HostMessage::Run(RunRequest { code: "x".repeat(bytes), ..request })
}

#[tokio::test]
async fn sending_never_blocks_and_receiving_sends_the_rest() {
    let world = World::new(|cue| match cue.message {
        HostMessage::Run(run) if run.run == RunId(1) => vec![Act::Gate("read on"), done(run.run)],
        other => behave(other),
    });
    let rig = Rig::new(config(1, 1), world);
    let mut lease = rig.lease();
    lease.send(&run(1)).unwrap();
    lease.send(&big_run(2, 3 << 20)).unwrap();
    rig.world.open("read on");
    let mut ends = Vec::new();
    while ends.len() < 2 {
        if let WorkerMessage::Done(end) = soon(lease.recv()).await.unwrap() {
            ends.push(end.run);
        }
    }
    assert_eq!(ends, [RunId(1), RunId(2)]);
    drop(lease);
    rig.wait_for_idle(1);
    rig.finish();
}

#[tokio::test]
async fn a_worker_that_reads_nothing_is_given_up_before_it_fills_our_memory() {
    let world = World::new(|cue| match cue.message {
        HostMessage::Run(_) => vec![Act::Hang],
        other => behave(other),
    });
    let rig = Rig::new(config(1, 1), world);
    let mut lease = rig.lease();
    let sent = (0..100).take_while(|&id| lease.send(&big_run(id, 1 << 20)).is_ok()).count();
    assert!((8..20).contains(&sent), "{sent}");
    assert!(matches!(lease.send(&run(1)), Err(WorkerGone { cause: GoneCause::Stalled, .. })));
    drop(lease);
    rig.wait_for_retired(RetireReason::Stalled);
    rig.wait_for_idle(1);
    rig.finish();
}

#[tokio::test]
async fn a_message_too_large_for_a_frame_is_refused_and_harms_nobody() {
    let rig = Rig::new(config(1, 1), World::good());
    let mut lease = rig.lease();
    let refused = lease.send(&big_run(1, MAX_FRAME_BYTES));
    assert!(matches!(refused, Err(WorkerGone { cause: GoneCause::BadFrame(_), .. })), "{refused:?}");
    use_it(&mut lease).await;
    drop(lease);
    rig.wait_for_idle(1);
    assert_eq!(rig.world.launches(), 1);
    rig.finish();
}

#[tokio::test]
async fn the_last_words_of_a_dying_worker_are_heard() {
    let world = World::new(|cue| match cue.message {
        HostMessage::Run(run) => vec![Act::Say(console(1)), done(run.run), Act::Die],
        other => behave(other),
    });
    let rig = Rig::new(config(1, 1), world);
    let mut lease = rig.lease();
    lease.send(&run(1)).unwrap();
    rig.ledger.wait_for("a lease", |seen| seen.counts.of(SlotKind::Leased) == 1);
    assert!(matches!(soon(lease.recv()).await, Ok(WorkerMessage::Console { .. })));
    assert!(matches!(soon(lease.recv()).await, Ok(WorkerMessage::Done(_))));
    for _ in 0..2 {
        assert!(matches!(soon(lease.recv()).await, Err(WorkerGone { cause: GoneCause::Closed, .. })));
    }
    assert!(lease.send(&run(2)).is_err());
    drop(lease);
    rig.wait_for_retired(RetireReason::DiedInUse);
    rig.wait_for_idle(1);
    rig.finish();
}

#[tokio::test]
async fn a_bad_frame_ends_the_lease_and_the_worker() {
    let world = World::new(|cue| match cue.message {
        HostMessage::Run(_) => vec![Act::Raw(vec![0xff; 64])],
        other => behave(other),
    });
    let rig = Rig::new(config(1, 1), world);
    let mut lease = rig.lease();
    lease.send(&run(1)).unwrap();
    assert!(matches!(soon(lease.recv()).await, Err(WorkerGone { cause: GoneCause::BadFrame(_), .. })));
    drop(lease);
    rig.wait_for_retired(RetireReason::BadFrame);
    rig.wait_for_idle(1);
    rig.finish();
}

#[tokio::test]
async fn a_retired_worker_is_killed_at_once_and_replaced() {
    let world = World::new(|cue| match cue.message {
        HostMessage::Run(_) => vec![Act::Hang],
        other => behave(other),
    });
    let rig = Rig::new(config(1, 1), world);
    let mut lease = rig.lease();
    lease.send(&run(1)).unwrap();
    let id = lease.worker_id();
    lease.retire(RetireReason::Killed);
    rig.wait_for_idle(1);
    assert_eq!(rig.ledger.seen().retired, [RetireReason::Killed]);
    assert_ne!(rig.lease().worker_id(), id);
    rig.finish();
}

#[tokio::test]
async fn leases_still_out_die_with_the_pool() {
    let rig = Rig::new(config(2, 2), World::good());
    let (mut first, mut second) = (rig.lease(), rig.lease());
    expect_pending(first.recv(), "nothing yet");
    let pool = rig.pool.clone();
    rig.finish();
    assert!(matches!(soon(first.recv()).await, Err(WorkerGone { cause: GoneCause::Closed, .. })));
    assert!(second.send(&run(1)).is_err());
    assert!(matches!(pool.acquire(), Err(Busy::Closed)));
}

#[tokio::test]
async fn the_last_handle_on_a_pool_ends_it() {
    let rig = Rig::new(config(2, 3), World::good());
    let mut lease = rig.lease();
    let Rig { pool, world, ledger } = rig;
    let clone = pool.clone();
    drop(pool);
    assert!(clone.acquire().is_ok());
    drop(clone);
    ledger.wait_for("the end of all slots", |seen| seen.counts.total() == 0);
    world.check_all_ended();
    ledger.check_closed();
    assert!(soon(lease.recv()).await.is_err());
}
