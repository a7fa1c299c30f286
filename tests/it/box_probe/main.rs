//! Enters the box as a worker does, then does one thing in it, and says over its socket what came of it. For `box_probes.rs`.
//!
//! `box-probe ACTION POLICY [KEY=VALUE ...]`. The socket is descriptor 0. First comes the report as a line of JSON, then a line for
//! what was done; a process that the box ends says nothing more.

#![allow(unsafe_code, reason = "the attempts are made as an attacker makes them: by bare calls into C")]
#![allow(clippy::unwrap_used, reason = "a test program may panic")]

use std::collections::HashMap;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use runpen::sandbox::probes::{self, Target, Verdict};
use runpen::sandbox::{self, Policy};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (action, policy) = (arguments[1].as_str(), arguments[2].parse::<Policy>().unwrap());
    let target = target(&arguments[3..]);
    if action == "relay" {
        relay(policy);
    }
    let _other = (action == "threads").then(|| std::thread::spawn(|| std::thread::sleep(Duration::from_secs(60))));

    match sandbox::enter(&policy) {
        Ok(report) => say(&serde_json::to_string(&report).unwrap()),
        Err(error) => {
            say(&error.to_string());
            std::process::exit(error.exit_code());
        }
    }
    match action {
        "enter" => {}
        "hold" => hold(),
        "works" => works(),
        "engine" => engine(),
        "timer" => timer(),
        "spin" => spin(),
        "memory" => memory(),
        "panic" => {
            // As the worker does. The standard library's hook would ask for its thread's number.
            std::panic::set_hook(Box::new(|panic| {
                eprintln!("{panic}");
                std::process::exit(101);
            }));
            panic!("as a fault of this program would");
        }
        name => match probes::attempt(name, &target).unwrap() {
            Verdict::Succeeded => say("succeeded"),
            Verdict::Denied(code) => say(&format!("denied {code}")),
        },
    }
}

fn target(arguments: &[String]) -> Target {
    let mut target = Target::default();
    for argument in arguments {
        match argument.split_once('=').unwrap() {
            ("pid", value) => target.pid = value.parse().unwrap(),
            ("path", value) => target.path = CString::new(value).unwrap(),
            ("port", value) => target.port = value.parse().unwrap(),
            ("abstract", value) => target.abstract_name = value.to_owned(),
            other => panic!("{other:?}"),
        }
    }
    target
}

fn say(line: &str) {
    let line = format!("{line}\n");
    let sent = rustix::net::send(std::io::stdin().as_fd(), line.as_bytes(), SendFlags::NOSIGNAL);
    assert_eq!(sent, Ok(line.len()));
}

/// Starts a holder as a server starts a worker, and lives until it is killed.
fn relay(mut policy: Policy) -> ! {
    policy.parent = std::process::id();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["hold", &policy.to_string()])
        .env_clear()
        .env("TZ", "UTC0")
        .stdin(std::io::stdin().as_fd().try_clone_to_owned().unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.wait().unwrap();
    std::process::exit(0)
}

/// Lives until it is killed: the other end of the socket says nothing and stays open.
fn hold() {
    say("held");
    let _ = rustix::net::recv(std::io::stdin().as_fd(), &mut [0_u8; 1][..], RecvFlags::empty());
}

/// What the worker's frame loop and the standard library do.
fn works() {
    let stdin = std::io::stdin();
    let socket = stdin.as_fd();
    let mut byte = [0_u8; 1];

    assert_eq!(rustix::net::recv(socket, &mut byte[..], RecvFlags::DONTWAIT).err(), Some(Errno::AGAIN));
    let mut fds = [PollFd::new(&socket, PollFlags::IN)];
    let millisecond = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };
    assert_eq!(rustix::event::poll(&mut fds, Some(&millisecond)), Ok(0));
    say("echo?");
    assert_eq!(rustix::event::poll(&mut fds, None), Ok(1));
    assert_eq!(rustix::net::recv(socket, &mut byte[..], RecvFlags::DONTWAIT).unwrap().1, 1);
    assert_eq!(rustix::io::write(socket, &byte), Ok(1));

    // Blocks that are grown, moved, filled and given back.
    let mut block = vec![1_u8; 1 << 20];
    while block.len() < 64 << 20 {
        block.extend_from_within(..);
    }
    assert_eq!(block.last(), Some(&1));
    drop(block);
    let small: Vec<Vec<u8>> = (0..100_000_usize).map(|size| vec![0; size % 512]).collect();
    drop(small);
    #[cfg(target_env = "gnu")]
    // SAFETY: no preconditions.
    unsafe {
        libc::malloc_trim(0);
    }

    assert_eq!(HashMap::from([(1, 2)])[&1], 2);
    assert!(Instant::now().elapsed() < Duration::from_secs(60));
    assert!(SystemTime::now() > SystemTime::UNIX_EPOCH);
    let _ = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let open = (0..64).filter(|fd| {
        // SAFETY: the descriptor is only asked about.
        rustix::io::fcntl_getfd(unsafe { BorrowedFd::borrow_raw(*fd) }).is_ok()
    });
    assert_eq!(open.collect::<Vec<_>>(), [0]);
    // SAFETY: an all-zero itimerval and rusage are valid, and both outlive the calls.
    unsafe {
        let mut timer: libc::itimerval = std::mem::zeroed();
        timer.it_value.tv_sec = 60;
        assert_eq!(libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()), 0);
        timer.it_value.tv_sec = 0;
        assert_eq!(libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()), 0);
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, &raw mut usage), 0);
    }
    say("worked");
}

/// The engine is built, used in many ways, and dropped.
fn engine() {
    const SCRIPT: &str = r"
        const parts = [];
        parts.push(new Date(0).toString());
        parts.push(new Date(2026, 5, 1).getTimezoneOffset());
        parts.push(typeof Math.random(), Date.now() > 0, /(a+)+b/.test('aaab'));
        parts.push([...'héllo'].reverse().join(''), 2n ** 100n, JSON.stringify({ a: [1, 2] }));
        let big = []; for (let i = 0; i < 200000; i++) big.push({ i });
        parts.push(big.length, new Uint8Array(16 << 20).length);
        try { (function deep() { deep(); })(); } catch (error) { parts.push(error.name); }
        try { let s = 'x'; for (;;) s += s + '!'; } catch (error) { parts.push('refused'); }
        parts.join(' ');
    ";
    let runtime = rquickjs::Runtime::new().unwrap();
    runtime.set_memory_limit(64 << 20);
    runtime.set_max_stack_size(512 << 10);
    let context = rquickjs::Context::full(&runtime).unwrap();
    let text: String = context.with(|ctx| ctx.eval(SCRIPT)).unwrap();
    drop(context);
    runtime.run_gc();
    drop(runtime);
    say(&text);
}

fn timer() {
    // SAFETY: as in `works`.
    unsafe {
        let mut timer: libc::itimerval = std::mem::zeroed();
        timer.it_value.tv_usec = 1000;
        assert_eq!(libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()), 0);
    }
    spin();
}

fn spin() {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) {}
    say("survived");
}

/// Takes memory by the MiB until it is refused, and says how many there were.
fn memory() {
    let mut blocks: Vec<Vec<u8>> = Vec::with_capacity(1 << 16);
    loop {
        let mut block = Vec::new();
        if block.try_reserve_exact(1 << 20).is_err() {
            break;
        }
        blocks.push(block);
    }
    let count = blocks.len();
    drop(blocks);
    say(&format!("{count} MiB"));
}
