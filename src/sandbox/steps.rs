//! The small steps into the box, each one thing that a process may do to itself.

use std::fmt::Display;
use std::io;

use rustix::process::{getppid, getrlimit};

use crate::sandbox::Status;

/// The whole environment of a worker. With a time zone in it the C library never looks for `/etc/localtime`.
const ENVIRONMENT: (&str, &str) = ("TZ", "UTC0");

/// The signals that end a process from within: the kernel timer's, and the one at the end of the processor time. Those of faults have a
/// handler of our own (`scratch`), which lets a fault of the engine's end the process by its own signal.
const DEADLY_SIGNALS: [libc::c_int; 2] = [libc::SIGALRM, libc::SIGXCPU];

/// The lowest priority there is.
const LOWEST_PRIORITY: i32 = 19;

/// Whether nothing else shares this process's memory.
pub(super) fn is_single_threaded() -> bool {
    #[cfg(target_os = "linux")]
    {
        // To stop sharing memory is refused to all who do share it, and does nothing for others: an answer without /proc.
        // SAFETY: `unshare` takes no pointers, and with this flag either fails or changes nothing.
        if unsafe { libc::unshare(libc::CLONE_VM) } == 0 {
            return true;
        }
        if io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL) {
            return false;
        }
        // Some containers refuse the call itself.
        std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1)
    }
    // Nowhere else is there a filter that would bind only one thread.
    #[cfg(not(target_os = "linux"))]
    true
}

/// Lets the libraries do what they put off to the first use, and then do by calls that the box forbids.
pub(super) fn warm_up() {
    unsafe extern "C" {
        // Not in the libc crate for Unix.
        fn tzset();
    }
    // The C library reads the time zone.
    // SAFETY: it reads the environment, which no other thread can be changing, because there is none.
    unsafe { tzset() };
    // rustix looks for the clock that needs no system call, by prctl or in /proc/self/auxv.
    let _ = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    // The standard library draws the seed of its hash maps, by a call that older kernels have no flag for.
    let _ = std::hash::RandomState::new();
}

/// Closes every descriptor but 0, the standard ones included: the standard library takes a closed standard output for a silent one.
pub(super) fn close_descriptors() -> Status {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: closing takes no pointers, and nothing in this young process owns a descriptor above 0.
        if unsafe { libc::syscall(libc::SYS_close_range, 1, libc::c_uint::MAX, 0) } == 0 {
            return Status::Enforced;
        }
    }
    // Older kernels and other systems: one by one, as far as numbers can go.
    let limit = getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let last = libc::c_int::try_from(limit).unwrap_or(libc::c_int::MAX).min(MAX_DESCRIPTORS_TO_CLOSE);
    for descriptor in 1..last {
        // SAFETY: as above; most of these are not open, which is an error without effect.
        unsafe { libc::close(descriptor) };
    }
    if u64::try_from(last).is_ok_and(|last| last == limit) {
        Status::Enforced
    } else {
        Status::Partly(format!("closed descriptors up to {last}; more were allowed"))
    }
}

/// Beyond this, closing numbers one by one would take longer than anyone waits for a worker.
const MAX_DESCRIPTORS_TO_CLOSE: libc::c_int = 1 << 16;

/// Checks that the spawner left no variable that could hold a secret.
pub(super) fn check_environment() -> Status {
    let (mut zone, mut others) = (false, 0);
    for (name, value) in std::env::vars_os() {
        if name == ENVIRONMENT.0 && value == ENVIRONMENT.1 {
            zone = true;
        } else {
            others += 1;
        }
    }
    match (zone, others) {
        (true, 0) => Status::Enforced,
        (false, 0) => Status::Missing(format!("{}={} is not set", ENVIRONMENT.0, ENVIRONMENT.1)),
        // Taking them out here would leave their text in memory; only the spawner can keep them from the process.
        (_, count) => Status::Missing(format!("{count} variables besides {}={}", ENVIRONMENT.0, ENVIRONMENT.1)),
    }
}

/// Stands where every path is absolute anyway, and where no file system is kept from being unmounted.
pub(super) fn leave_directory() -> Status {
    status("change to /", std::env::set_current_dir("/"))
}

/// A spawner may have had signals blocked or ignored, and both outlive an exec.
pub(super) fn reset_signals() -> Status {
    for signal in DEADLY_SIGNALS {
        // SAFETY: the default action is no function that could be called at a bad time.
        if unsafe { libc::signal(signal, libc::SIG_DFL) } == libc::SIG_ERR {
            return Status::failed("reset a signal", io::Error::last_os_error());
        }
    }
    // SAFETY: an all-zero set is a valid value to be overwritten by `sigemptyset`, and both pointers outlive their calls.
    let result = unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut())
    };
    if result == 0 { Status::Enforced } else { Status::failed("unblock signals", io::Error::last_os_error()) }
}

/// Makes the kernel choose workers first when the machine's memory is at its end.
pub(super) fn volunteer_under_memory_pressure() -> Status {
    #[cfg(target_os = "linux")]
    {
        match std::fs::write("/proc/self/oom_score_adj", "1000") {
            Ok(()) => Status::Enforced,
            // Protects the host from heavy use, not from an attacker, so a system without /proc may go on.
            Err(error) => Status::Partly(format!("write oom_score_adj: {error}")),
        }
    }
    #[cfg(not(target_os = "linux"))]
    only_on_linux()
}

/// Takes a place behind the server in the scheduler's queue.
pub(super) fn lower_priority(niceness: i32) -> Status {
    let current = rustix::process::getpriority_process(None).unwrap_or(0);
    let wanted = current.saturating_add(niceness).min(LOWEST_PRIORITY);
    status("lower the priority", rustix::process::setpriority_process(None, wanted))
}

/// Gives up root for a user and group that own nothing, and every capability in any case.
pub(super) fn become_nobody(user: Option<u32>) -> Status {
    let is_root = rustix::process::geteuid().is_root() || rustix::process::getuid().is_root();
    let status = match (is_root, user) {
        (true, Some(id)) => match change_user(id) {
            Ok(()) => Status::Enforced,
            Err((what, error)) => Status::failed(what, error),
        },
        (true, None) => Status::Partly("stays root, as configured".to_owned()),
        (false, _) => {
            Status::Partly("shares the server's user, which is not root and so cannot lend another".to_owned())
        }
    };
    match drop_capabilities() {
        Ok(()) => status,
        Err(error) => Status::failed("drop capabilities", error),
    }
}

#[cfg(target_os = "linux")]
fn change_user(id: u32) -> Result<(), (&'static str, io::Error)> {
    use rustix::process::{Gid, Uid};
    use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

    // These bind the calling thread, which is the only one. Groups first: the right to change them goes with the user.
    let (uid, gid) = (Uid::from_raw(id), Gid::from_raw(id));
    set_thread_groups(&[]).map_err(|error| ("drop the groups", error.into()))?;
    set_thread_res_gid(gid, gid, gid).map_err(|error| ("change the group", error.into()))?;
    set_thread_res_uid(uid, uid, uid).map_err(|error| ("change the user", error.into()))
}

#[cfg(not(target_os = "linux"))]
fn change_user(id: u32) -> Result<(), (&'static str, io::Error)> {
    fn check(what: &'static str, result: libc::c_int) -> Result<(), (&'static str, io::Error)> {
        if result == 0 { Ok(()) } else { Err((what, io::Error::last_os_error())) }
    }
    // Groups first: the right to change them goes with the user. Called by root, all three ids of a kind change.
    // SAFETY: the list of groups is empty, so its pointer is not read; the other calls take numbers.
    unsafe {
        check("drop the groups", libc::setgroups(0, std::ptr::null()))?;
        check("change the group", libc::setgid(id))?;
        check("change the user", libc::setuid(id))
    }
}

#[cfg(target_os = "linux")]
fn drop_capabilities() -> rustix::io::Result<()> {
    use rustix::thread::{CapabilitySet, CapabilitySets, clear_ambient_capability_set, set_capabilities};

    clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
}

#[cfg(not(target_os = "linux"))]
fn drop_capabilities() -> rustix::io::Result<()> {
    Ok(())
}

/// No set-user-id program could help, were one executed; and Landlock and seccomp demand it.
pub(super) fn gain_no_privileges() -> Status {
    #[cfg(target_os = "linux")]
    {
        status("set no_new_privs", rustix::thread::set_no_new_privs(true))
    }
    #[cfg(not(target_os = "linux"))]
    only_on_linux()
}

/// Keeps other processes of the same user out of the memory and off /proc, and keeps cores from being written.
pub(super) fn forbid_dumps() -> Status {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        status("clear the dump flag", set_dumpable_behavior(DumpableBehavior::NotDumpable))
    }
    #[cfg(not(target_os = "linux"))]
    only_on_linux()
}

/// Asks for SIGKILL at the end of the thread that spawned this process.
pub(super) fn die_with_parent() -> Status {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, set_parent_process_death_signal};
        status("ask for a death signal", set_parent_process_death_signal(Some(Signal::KILL)))
    }
    // The end of the socket tells the worker, unless it is busy; then the timer and the processor limit end it.
    #[cfg(not(target_os = "linux"))]
    only_on_linux()
}

/// Whether the process that started this one still lives.
pub(super) fn is_child_of(parent: u32) -> bool {
    getppid().is_some_and(|pid| u32::try_from(pid.as_raw_nonzero().get()) == Ok(parent))
}

/// Machine code cannot be made at run time; the engine only interprets.
pub(super) fn deny_executable_memory() -> Status {
    #[cfg(target_os = "linux")]
    {
        let (on, unused) = (libc::c_ulong::from(libc::PR_MDWE_REFUSE_EXEC_GAIN), 0 as libc::c_ulong);
        // SAFETY: this prctl takes numbers only.
        let result = unsafe { libc::prctl(libc::PR_SET_MDWE, on, unused, unused, unused) };
        if result == 0 {
            Status::Enforced
        } else {
            // Linux has it since 6.3, and some architectures not at all. The filter refuses the same requests.
            Status::Partly(format!("left to seccomp, the kernel cannot: {}", io::Error::last_os_error()))
        }
    }
    #[cfg(not(target_os = "linux"))]
    only_on_linux()
}

/// The status of a layer that this system has no equal to.
#[cfg(not(target_os = "linux"))]
pub(super) fn only_on_linux() -> Status {
    Status::Missing("only on Linux".to_owned())
}

fn status(what: &str, result: Result<(), impl Display>) -> Status {
    match result {
        Ok(()) => Status::Enforced,
        Err(error) => Status::failed(what, error),
    }
}
