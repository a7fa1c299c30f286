//! Real processes: programs every Unix has stand in for workers that do not work, this very test binary for one that does.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Instant;

use super::fake::behave;
use super::*;
use crate::ids::WorkerId;

/// The worker that does: it follows the protocol on its file 0.
#[test]
#[ignore = "not a test: other tests run it as their worker"]
fn worker_main() {
    let Ok(socket) = std::io::stdin().as_fd().try_clone_to_owned() else { return };
    let mut socket = UnixStream::from(socket);
    if socket.local_addr().is_err() {
        // Somebody runs all ignored tests.
        return;
    }
    let (mut inbox, mut outbox) = (bytes::BytesMut::new(), bytes::BytesMut::new());
    loop {
        while let Some(message) = crate::ipc::decode::<HostMessage>(&mut inbox).unwrap() {
            for act in behave(&message) {
                let Act::Say(message) = act else { continue };
                crate::ipc::encode(&message, &mut outbox).unwrap();
            }
            socket.write_all(&outbox.split()).unwrap();
        }
        let mut space = [0; 4096];
        match socket.read(&mut space) {
            Ok(read) if read > 0 => inbox.extend_from_slice(&space[..read]),
            _ => return,
        }
    }
}

/// Launches this test binary as a worker.
struct Ourselves(ProcessLauncher);

impl Launcher for Ourselves {
    fn launch(&mut self, id: WorkerId) -> Result<Launched, LaunchError> {
        self.0.launch(id)
    }

    /// The test runner's own thread does not count: it only waits.
    fn meter(&self) -> Meter {
        Arc::new(|pid| {
            let Footprint { resident_bytes, threads } = health::footprint(pid)?;
            Some(Footprint { resident_bytes, threads: threads - 1 })
        })
    }
}

fn ourselves() -> Ourselves {
    let name = concat!(module_path!(), "::worker_main").split_once("::").expect("a crate and a path").1;
    let args = [name, "--exact", "--ignored"].map(String::from).to_vec();
    Ourselves(ProcessLauncher { program: std::env::current_exe().unwrap(), args, policy: None })
}

fn exists(pid: u32) -> bool {
    PathBuf::from(format!("/proc/{pid}")).exists()
}

fn real_pool(config: config::Pool) -> (Pool, Arc<Ledger>) {
    let ledger = Arc::new(Ledger::new(config.max));
    let pool = Pool::start(config, settings(), Duration::ZERO, ourselves(), ledger.clone()).expect("starts");
    (pool, ledger)
}

fn lease(pool: &Pool) -> Lease {
    match pool.acquire() {
        Ok(Acquired::Now(lease)) => lease,
        other => panic!("expected a lease: {other:?}"),
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn real_workers_are_leased_recycled_killed_and_replaced() {
    let (pool, ledger) = real_pool(config(2, 2));
    let idle = |idle| move |seen: &ledger::Seen| seen.counts.of(SlotKind::Idle) == idle && seen.counts.total() == idle;
    ledger.wait_for("two", idle(2));

    let mut used = lease(&pool);
    use_it(&mut used).await;
    let pid = used.pid();
    drop(used);
    ledger.wait_for("its return", |seen| seen.returned == 1);
    ledger.wait_for("calm", |seen| seen.counts.of(SlotKind::Spawning) == 0);
    let retired = lease(&pool);
    assert_eq!(retired.pid(), pid, "the same process");
    retired.retire(RetireReason::Killed);
    ledger.wait_for("its end", |seen| seen.gone == 1 && seen.counts.of(SlotKind::Idle) >= 2);
    assert!(!exists(pid), "killed and reaped");

    let mut victim = lease(&pool);
    let pid = victim.pid();
    let process = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    assert_eq!(rustix::process::getpgid(Some(process)).unwrap(), process, "a group of its own");
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
    assert!(matches!(soon(victim.recv()).await, Err(WorkerGone { cause: GoneCause::Closed, .. })));
    drop(victim);
    ledger.wait_for("its death", |seen| seen.retired.contains(&RetireReason::DiedInUse));

    let last = lease(&pool);
    pool.shutdown(PATIENCE).unwrap();
    assert!(!exists(last.pid()));
    ledger.check_closed();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_worker_stopped_by_a_signal_is_replaced_whether_idle_or_leased() {
    use rustix::process::{Pid, Signal, kill_process};
    let stop = |pid: u32| kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::STOP).unwrap();
    let (pool, ledger) = real_pool(config(1, 3));
    let calm = |seen: &ledger::Seen| seen.counts.of(SlotKind::Idle) >= 1 && seen.counts.of(SlotKind::Spawning) == 0;
    let stopped = |count: usize| {
        move |seen: &ledger::Seen| {
            let found = seen.retired.iter().filter(|reason| **reason == RetireReason::Stopped).count();
            found == count && seen.gone >= count && calm(seen)
        }
    };

    ledger.wait_for("calm", calm);
    let untouched = lease(&pool);
    let pid = untouched.pid();
    drop(untouched);
    ledger.wait_for("calm", calm);
    stop(pid);
    ledger.wait_for("the idle one's end", stopped(1));
    assert!(!exists(pid), "killed and reaped");

    let mut leased = lease(&pool);
    use_it(&mut leased).await;
    stop(leased.pid());
    assert!(matches!(soon(leased.recv()).await, Err(WorkerGone { cause: GoneCause::Closed, .. })));
    drop(leased);
    ledger.wait_for("the leased one's end", stopped(2));
    use_it(&mut lease(&pool)).await;
    pool.shutdown(PATIENCE).unwrap();
    ledger.check_closed();
}

#[cfg(target_os = "linux")]
#[test]
fn the_pools_threads_end_with_it() {
    let ours = || {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let names = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default());
        names.filter(|name| name.trim() == KEEPER).count()
    };
    // Other tests have pools as well, so only a lower bound can be told while it lives.
    let (pool, _) = real_pool(config(1, 1));
    assert!(ours() >= 1);
    let threads = Arc::downgrade(&pool.owner.shared);
    pool.shutdown(PATIENCE).unwrap();
    drop(pool);
    assert!(threads.upgrade().is_none(), "no thread and no task holds on to the pool");
}

/// `cargo test --release --lib figures -- --ignored --nocapture`
#[tokio::test]
#[ignore = "prints figures"]
async fn figures() {
    let mut launcher = ourselves();
    let mut launch: Vec<_> = (0..200)
        .map(|id| {
            let begun = Instant::now();
            let mut launched = launcher.launch(WorkerId(id)).unwrap();
            let took = begun.elapsed();
            launched.process.kill();
            while launched.process.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
            took
        })
        .collect();
    report("launch", &mut launch);

    let (pool, ledger) = real_pool(config(2, 3));
    ledger.wait_for("two", |seen| seen.counts.of(SlotKind::Idle) == 2);
    let mut untouched: Vec<_> = (0..10_000).map(|_| timed(|| drop(lease(&pool)))).collect();
    report("acquire and drop, unused", &mut untouched);

    let (mut acquire, mut trip, mut give_back) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=2000 {
        let begun = Instant::now();
        let mut lease = lease(&pool);
        acquire.push(begun.elapsed());
        use_it(&mut lease).await;
        let begun = Instant::now();
        use_it(&mut lease).await;
        trip.push(begun.elapsed());
        let begun = Instant::now();
        drop(lease);
        ledger.wait_for("its return", |seen| seen.returned == round);
        give_back.push(begun.elapsed());
    }
    report("acquire", &mut acquire);
    report("run round trip", &mut trip);
    report("give back until ready", &mut give_back);
    pool.shutdown(PATIENCE).unwrap();

    for others in [10, 1000] {
        let begun = Instant::now();
        let (pool, ledger) = real_pool(config(others + 1, others + 1));
        ledger.wait_for("all", |seen| seen.counts.of(SlotKind::Idle) == others + 1);
        println!("{others} workers started in {:?}", begun.elapsed());
        let leases: Vec<_> = (0..others).map(|_| lease(&pool)).collect();
        let mut trip = Vec::new();
        for round in 1..=1000 {
            let begun = Instant::now();
            let mut lease = lease(&pool);
            use_it(&mut lease).await;
            drop(lease);
            ledger.wait_for("its return", |seen| seen.returned == round);
            trip.push(begun.elapsed());
        }
        report(&format!("acquire, run, give back, ready again, beside {others} leases"), &mut trip);
        drop(leases);
        let begun = Instant::now();
        pool.shutdown(PATIENCE).unwrap();
        println!("{others} workers killed and reaped in {:?}", begun.elapsed());
    }
}

fn timed(action: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    action();
    begun.elapsed()
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort();
    println!("{what}: p50 {:?}, p99 {:?}", times[times.len() / 2], times[times.len() * 99 / 100]);
}

fn start(program: &str, args: &[&str], limit: Duration) -> (PoolError, Arc<Ledger>) {
    let launcher =
        ProcessLauncher { program: program.into(), args: args.iter().map(ToString::to_string).collect(), policy: None };
    let ledger = Arc::new(Ledger::new(2));
    let config = config::Pool { start: limit, ..config(2, 2) };
    let error = Pool::start(config, settings(), Duration::ZERO, launcher, ledger.clone()).expect_err("no worker");
    ledger.check_closed();
    (error, ledger)
}

#[test]
fn a_missing_binary_is_named() {
    let (error, _) = start("/nonexistent/runpen", &[], PATIENCE);
    let PoolError::Launch(error) = error else { panic!("{error:?}") };
    assert_eq!(error.to_string(), "execute the worker /nonexistent/runpen");
}

#[test]
fn a_worker_that_ends_at_once_is_reported_with_its_status() {
    let (error, _) = start("/bin/sh", &["-c", "exit 7"], PATIENCE);
    assert_eq!(error.to_string(), "start a worker: it ended before it was ready (exit status: 7)");
}

#[test]
fn a_worker_that_never_answers_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    let script = format!("echo $$ > {}; exec sleep 3600", file.display());
    let (error, _) = start("/bin/sh", &["-c", &script], Duration::from_millis(300));
    assert!(matches!(error, PoolError::NotReadyInTime { .. }), "{error:?}");
    let pid = fs::read_to_string(file).unwrap();
    assert!(!PathBuf::from(format!("/proc/{}", pid.trim())).exists(), "reaped");
}

#[test]
fn a_worker_that_echoes_is_no_worker() {
    // What it sends back is our own Prepare: the same tag as Ready, and not the same content.
    let (error, _) = start("/bin/sh", &["-c", "exec cat <&0 >&0"], PATIENCE);
    assert!(matches!(error, PoolError::Talk(GoneCause::BadFrame(_)) | PoolError::Unfit(_)), "{error:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_inherits_its_socket_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("seen");
    // A file of ours that is open while the worker starts.
    let _open = fs::File::create(directory.path().join("other")).unwrap();
    let script = format!(
        "exec 2>&1 > {}; /usr/bin/env; /bin/pwd; for fd in 0 2 3 4 5 6 7 8 9; do readlink /proc/$$/fd/$fd || echo none; done",
        file.display()
    );
    let (error, _) = start("/bin/sh", &["-c", &script], PATIENCE);
    assert!(matches!(error, PoolError::DiedAtStart { .. }), "{error:?}");
    let seen = fs::read_to_string(file).unwrap();
    let seen: Vec<_> = seen.lines().filter(|line| !line.starts_with("_=")).collect();
    assert!(seen.contains(&"TZ=UTC0"), "{seen:?}");
    // The shell itself adds PWD and its like; nothing of ours is there.
    assert!(!seen.iter().any(|line| line.starts_with("HOME=") || line.starts_with("PATH=")), "{seen:?}");
    assert!(seen.contains(&"/"), "{seen:?}");
    assert_eq!(seen.iter().filter(|line| line.starts_with("socket:")).count(), 1, "{seen:?}");
    assert_eq!(seen.iter().filter(|line| line.ends_with("/other")).count(), 0, "{seen:?}");
}
