//! From one lease to the next: a fresh engine, its health, and the end of the process.

use std::io::Write;

use runpen::ipc::{HostMessage, RunRequest, WorkerMessage};
use runpen::outcome::StopReason;

use crate::support::worker_driver::{Worker, request, settings};

#[test]
fn health_says_that_the_engine_is_fresh_and_can_be_interrupted() {
    let mut worker = Worker::start();
    let health = worker.prepare_with(7, settings());
    assert!(health.interrupt_polls >= 1, "{health:?}");
    assert_eq!(health.leftovers, 0);
    assert!(health.open_files >= 1);
    assert_eq!(worker.prepare_with(8, settings()).open_files, health.open_files);
    assert!((50_000..1_000_000).contains(&health.heap_bytes), "{health:?}");
}

#[test]
fn a_used_engine_leaves_nothing_to_the_next_lease() {
    let mut worker = Worker::start();
    let before = worker.prepare_with(2, settings());
    worker.run(
        "globalThis.secret = 1; let hidden = 2;
        Object.prototype.planted = 3; Function.prototype.planted = 3; Object.getPrototypeOf(console.log).planted = 3;
        console.log = null; Error.prepareStackTrace = () => 4; Error.stackTraceLimit = {};
        setInterval(() => {}, 1); (async () => { await new Promise(r => setTimeout(r, 1)); })();
        for (let i = 0; i < 1e5; i++) globalThis['k' + i] = {};",
    );
    let after = worker.prepare_with(3, settings());
    assert!(after.heap_bytes < before.heap_bytes + 10_000, "{before:?} {after:?}");
    assert_eq!(after.leftovers, 0);
    let finished = worker.run(
        "[typeof secret, typeof hidden, ({}).planted, console.log.planted, console.log.__proto__ === Function.prototype, Error.prepareStackTrace,
            console.log.__proto__.constructor('return typeof secret')(), Object.keys(globalThis).some(k => k.startsWith('k'))]",
    );
    assert_eq!(
        finished.end.value.expect("a value").text.split_whitespace().collect::<Vec<_>>().join(" "),
        "[ 'undefined', 'undefined', undefined, undefined, true, undefined, 'undefined', false ]",
    );
}

#[test]
fn an_engine_can_be_prepared_again_and_again() {
    let mut worker = Worker::start();
    for nonce in 10..60 {
        worker.prepare_with(nonce, settings());
        assert_eq!(worker.run("1 + 1").text(), "2");
    }
}

#[test]
fn prepare_ends_a_busy_run_and_says_nothing_more_of_it() {
    for code in [
        "for (;;);",
        "(async () => { for (;;) await 0 })()",
        "await new Promise(r => setTimeout(r, 60_000))",
        "prompt('?')",
    ] {
        let mut worker = Worker::start();
        let background = worker.begin(request("setTimeout(() => {}, 60_000); 0"));
        worker.finish(background);
        worker.begin(RunRequest { timeout_ms: 60_000, ..request(code) });
        worker.send(&HostMessage::Prepare { nonce: 9, settings: settings() });
        loop {
            match worker.receive() {
                WorkerMessage::Ready { nonce, health } => {
                    assert_eq!((nonce, health.leftovers), (9, 0));
                    break;
                }
                WorkerMessage::InputRequest { .. } => {}
                other => panic!("{code}: {other:?}"),
            }
        }
        assert_eq!(worker.run("1").text(), "1");
    }
}

#[test]
fn prepare_after_a_cancel_is_obeyed_too() {
    let mut worker = Worker::start();
    let run = worker.begin(RunRequest { timeout_ms: 60_000, ..request("for (;;);") });
    worker.interrupt(Some(run), StopReason::Disconnect);
    worker.prepare_with(5, settings());
    assert_eq!(worker.run("1").text(), "1");
}

#[test]
fn the_end_of_the_socket_ends_an_idle_worker_and_a_busy_one() {
    for code in [
        "1",
        "for (;;);",
        "await new Promise(r => setTimeout(r, 60_000))",
        "prompt('?')",
        "(async () => { for (;;) await 0 })()",
    ] {
        let mut worker = Worker::start();
        worker.begin(RunRequest { timeout_ms: 60_000, ..request(code) });
        worker.socket.shutdown(std::net::Shutdown::Both).expect("the socket is open");
        assert_eq!(worker.death().code, Some(0), "{code}");
    }
}

#[test]
fn a_frame_that_makes_no_sense_ends_the_worker() {
    for garbage in [&[0xff; 16][..], &[2, 0, 0, 0, 0xff, 0xff], &[1, 0, 0, 0, 9]] {
        let mut worker = Worker::start();
        worker.socket.write_all(garbage).expect("the worker reads");
        assert_eq!(worker.death().code, Some(71), "{garbage:?}");
    }
}

#[test]
fn a_run_without_an_engine_or_beside_another_ends_the_worker() {
    let mut worker = Worker::spawn();
    worker.send(&HostMessage::Run(request("1")));
    assert_eq!(worker.death().code, Some(71));
    let mut worker = Worker::start();
    worker.begin(request("await new Promise(r => setTimeout(r, 60_000))"));
    worker.send(&HostMessage::Run(request("1")));
    assert_eq!(worker.death().code, Some(71));
}
