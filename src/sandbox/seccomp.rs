//! The system calls a boxed worker may make. Any other ends the process.
//!
//! Arguments are checked where that costs the engine nothing and takes something from an attacker: the only descriptor there is,
//! no executable memory, and only those flags and commands that the worker uses, because the kernel's bugs live in the others.
//! Descriptors cannot be sent or received: `sendmsg` and `recvmsg` are absent, and with them the kernel's collector of sockets in
//! flight, which has been a way into it more than once. Also deliberately absent, though a program in trouble would call them:
//! `rt_sigprocmask`, `gettid` and `tgkill`, with which the C library aborts and the standard library's own panic message names
//! its thread. A worker that fails an assertion of the engine's dies by SIGSYS instead, which the server warns of as of any other call
//! that is refused. One that overflows its stack dies by SIGSEGV. A worker's own panic hook may print a line and exit.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

use crate::sandbox::Status;

/// One row of the list. Several rows for one call are alternatives.
struct Rule {
    syscall: c_long,
    /// All of them must hold.
    when: &'static [Check],
    #[cfg_attr(not(test), expect(dead_code, reason = "for the reader of the list; a test demands it of every row"))]
    why: &'static str,
}

/// A demand on one argument, counted from 0.
enum Check {
    /// It is this number.
    Is(u8, libc::c_int),
    /// It has no bits besides these.
    Only(u8, libc::c_int),
    /// It has all of these bits.
    Has(u8, libc::c_int),
    /// It has none of these bits.
    Without(u8, libc::c_int),
    /// It is a null pointer.
    Null(u8),
}

/// The socket is descriptor 0, and the only one.
const SOCKET: Check = Check::Is(0, 0);

/// Out-of-band data (CVE-2025-38236) and peeking (CVE-2026-23394) led into the kernel's memory; nobody needs them here.
const MESSAGE_FLAGS: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;

const fn rule(syscall: c_long, when: &'static [Check], why: &'static str) -> Rule {
    Rule { syscall, when, why }
}

/// Everything a boxed worker may do.
const RULES: &[Rule] = &[
    // Frames from and to the server.
    rule(libc::SYS_read, &[SOCKET], "frames from the server"),
    rule(libc::SYS_write, &[SOCKET], "frames to the server"),
    rule(
        libc::SYS_write,
        &[Check::Is(0, libc::STDERR_FILENO)],
        "a panic's last words: standard error is closed, so they go nowhere, and the panic can still end with its exit code",
    ),
    rule(libc::SYS_recvfrom, &[SOCKET, Check::Only(3, MESSAGE_FLAGS)], "frames from the server, without blocking"),
    rule(
        libc::SYS_sendto,
        &[SOCKET, Check::Only(3, MESSAGE_FLAGS), Check::Null(4)],
        "frames to the server, without blocking; to no other address",
    ),
    #[cfg(target_arch = "x86_64")]
    rule(libc::SYS_poll, &[], "wait for a frame or for the next timer; RLIMIT_NOFILE bounds the list to one entry"),
    rule(libc::SYS_ppoll, &[], "wait for a frame or for the next timer; RLIMIT_NOFILE bounds the list to one entry"),
    // Memory.
    rule(libc::SYS_brk, &[], "malloc's heap"),
    rule(
        libc::SYS_mmap,
        &[Check::Without(2, libc::PROT_EXEC), Check::Has(3, libc::MAP_ANONYMOUS | libc::MAP_PRIVATE)],
        "malloc's large blocks; never executable, never a file",
    ),
    rule(libc::SYS_munmap, &[], "malloc's large blocks"),
    rule(
        libc::SYS_mremap,
        &[Check::Only(3, libc::MREMAP_MAYMOVE)],
        "growing malloc's large blocks, to where the kernel wants",
    ),
    rule(
        libc::SYS_mprotect,
        &[Check::Only(2, libc::PROT_READ | libc::PROT_WRITE)],
        "malloc makes reserved pages usable; never executable",
    ),
    rule(libc::SYS_madvise, &[Check::Is(2, libc::MADV_DONTNEED)], "malloc gives freed pages back"),
    rule(libc::SYS_madvise, &[Check::Is(2, libc::MADV_FREE)], "malloc gives freed pages back when they are needed"),
    // Time and chance.
    rule(libc::SYS_clock_gettime, &[], "processor time; and Date and deadlines, where the machine has no vdso clock"),
    rule(libc::SYS_gettimeofday, &[], "Date, where the machine has no vdso clock"),
    rule(
        libc::SYS_setitimer,
        &[Check::Is(0, libc::ITIMER_REAL)],
        "the kernel's timer, which ends a turn that nothing else ends",
    ),
    rule(
        libc::SYS_setitimer,
        &[Check::Is(0, libc::ITIMER_PROF)],
        "the timer that looks into the parsers, which ask nobody whether they should stop",
    ),
    rule(libc::SYS_getrusage, &[Check::Is(0, libc::RUSAGE_SELF)], "processor time of a run"),
    rule(libc::SYS_getrandom, &[], "hash seeds and crypto.getRandomValues"),
    // Locks of the standard library, which one thread never waits for. Not the operations on two locks, nor on priorities.
    rule(libc::SYS_futex, &[Check::Is(1, libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG)], "locks of the C library"),
    rule(libc::SYS_futex, &[Check::Is(1, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG)], "locks of both libraries"),
    rule(
        libc::SYS_futex,
        &[Check::Is(1, libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG)],
        "locks of the standard library",
    ),
    // Its own state.
    rule(
        libc::SYS_fcntl,
        &[Check::Is(1, libc::F_GETFD)],
        "the health check counts open descriptors; debug builds ask before closing",
    ),
    rule(libc::SYS_close, &[], "dropping the socket"),
    rule(libc::SYS_rt_sigreturn, &[], "the end of a signal handler"),
    rule(libc::SYS_restart_syscall, &[], "the kernel resumes a wait that SIGSTOP and SIGCONT interrupted"),
    rule(libc::SYS_sigaltstack, &[], "the standard library frees its signal stack on the way out"),
    rule(libc::SYS_exit, &[], "the end"),
    rule(libc::SYS_exit_group, &[], "the end"),
];

/// Installs the filter. It cannot be taken off or widened again.
pub(super) fn apply() -> Status {
    let program = match compile(RULES) {
        Ok(program) => program,
        Err(error) => return Status::failed("compile the system call filter", error),
    };
    match seccompiler::apply_filter(&program) {
        Ok(()) => Status::Enforced,
        Err(error) => Status::failed("install the system call filter", error),
    }
}

fn compile(rules: &[Rule]) -> Result<BpfProgram, seccompiler::BackendError> {
    // The filter also ends the process when a call comes through another architecture's door: numbers mean other calls there.
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    let mut table: BTreeMap<c_long, Vec<SeccompRule>> = BTreeMap::new();
    for Rule { syscall, when, why: _ } in rules {
        let alternatives = table.entry(*syscall).or_default();
        // To the compiler a call without alternatives is allowed whatever its arguments.
        if !when.is_empty() {
            alternatives.push(SeccompRule::new(when.iter().map(condition).collect::<Result<_, _>>()?)?);
        }
    }
    SeccompFilter::new(table, SeccompAction::KillProcess, SeccompAction::Allow, architecture)?.try_into()
}

fn condition(check: &Check) -> Result<SeccompCondition, seccompiler::BackendError> {
    use SeccompCmpArgLen::{Dword, Qword};
    use SeccompCmpOp::{Eq, MaskedEq};

    // 32 bits even where the kernel takes a long: the C library passes ints, whose upper half is nobody's promise, and every flag
    // that is checked here lies in the lower half.
    const fn bits(value: libc::c_int) -> u64 {
        value.cast_unsigned() as u64
    }
    match *check {
        Check::Is(argument, value) => SeccompCondition::new(argument, Dword, Eq, bits(value)),
        Check::Only(argument, allowed) => SeccompCondition::new(argument, Dword, MaskedEq(bits(!allowed)), 0),
        Check::Has(argument, needed) => SeccompCondition::new(argument, Dword, MaskedEq(bits(needed)), bits(needed)),
        Check::Without(argument, forbidden) => SeccompCondition::new(argument, Dword, MaskedEq(bits(forbidden)), 0),
        Check::Null(argument) => SeccompCondition::new(argument, Qword, Eq, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_says_why() {
        assert!(RULES.iter().all(|rule| !rule.why.is_empty()));
    }

    #[test]
    fn no_row_without_checks_hides_one_with_checks() {
        for open in RULES.iter().filter(|rule| rule.when.is_empty()) {
            let rows = RULES.iter().filter(|rule| rule.syscall == open.syscall).count();
            assert_eq!(rows, 1, "system call {} is allowed outright and has other rows", open.syscall);
        }
    }

    #[test]
    fn the_filter_allows_the_list_and_kills_every_other_number() {
        let program = compile(RULES).unwrap();
        for number in 0..2048 {
            let rows: Vec<&Rule> = RULES.iter().filter(|rule| rule.syscall == number).collect();
            for row in &rows {
                assert_eq!(run(&program, number, row.when, NATIVE), libc::SECCOMP_RET_ALLOW, "{number}");
            }
            if rows.is_empty() {
                assert_eq!(run(&program, number, &[], NATIVE), libc::SECCOMP_RET_KILL_PROCESS, "{number}");
            }
            assert_eq!(run(&program, number, &[], !NATIVE), libc::SECCOMP_RET_KILL_PROCESS, "{number}, foreign door");
        }
        assert_eq!(run(&program, 0x4000_0000, &[], NATIVE), libc::SECCOMP_RET_KILL_PROCESS, "x32");
        assert_eq!(run(&program, 0xffff_ffff, &[], NATIVE), libc::SECCOMP_RET_KILL_PROCESS);
    }

    #[cfg(target_arch = "x86_64")]
    const NATIVE: u32 = 0xc000_003e;
    #[cfg(target_arch = "aarch64")]
    const NATIVE: u32 = 0xc000_00b7;

    /// What the kernel would do with a call whose arguments just fulfil `when`.
    fn run(program: &BpfProgram, number: c_long, when: &[Check], architecture: u32) -> u32 {
        // struct seccomp_data: number, architecture, instruction pointer, six arguments of two words each.
        let mut data = [0_u32; 16];
        data[0] = u32::try_from(number).unwrap();
        data[1] = architecture;
        for check in when {
            if let Check::Is(argument, value) | Check::Has(argument, value) = *check {
                data[4 + 2 * usize::from(argument)] |= value.cast_unsigned();
            }
        }
        let (mut accumulator, mut at) = (0, 0);
        loop {
            let seccompiler::sock_filter { code, jt, jf, k } = &program[at];
            at += 1;
            let branch = |condition: bool| usize::from(if condition { *jt } else { *jf });
            match u32::from(*code) {
                0x20 => accumulator = data[*k as usize / 4],
                0x54 => accumulator &= k,
                0x05 => at += *k as usize,
                0x15 => at += branch(accumulator == *k),
                0x35 => at += branch(accumulator >= *k),
                0x06 => return *k,
                other => panic!("instruction {other:#x}"),
            }
        }
    }
}
