//! Attempts to do what the box forbids, for the tests of the box. Only with the feature `box-probes`, never in a release.
//!
//! Each attempt is made by raw system calls, as code that owns the process would make it, and with arguments that work outside the
//! box: a call that fails for a reason of its own would prove nothing. Where an attempt succeeds, it does no lasting harm.

use std::ffi::CString;
use std::io;

use libc::{c_int, c_long, c_ulong, c_void};

/// What the attempts are aimed at. The defaults exist everywhere; the tests set up more telling ones.
#[derive(Debug, Clone)]
pub struct Target {
    /// A process that lives; the parent by default.
    pub pid: i32,
    /// A file that exists and does not matter.
    pub path: CString,
    /// A TCP port of this machine that somebody listens on.
    pub port: u16,
    /// An abstract Unix socket that somebody listens on.
    pub abstract_name: String,
}

impl Default for Target {
    fn default() -> Target {
        let pid = rustix::process::getppid().map_or(1, |pid| pid.as_raw_nonzero().get());
        let path = CString::from(c"/tmp/runpen-box-probe");
        Target { pid, path, port: 9, abstract_name: "runpen-box-probe".to_owned() }
    }
}

/// How an attempt ended, if the process survived it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Refused, with this error number.
    Denied(i32),
    /// Done.
    Succeeded,
}

/// One attempt: `Ok` when the forbidden thing was done.
type Attempt = fn(&Target) -> io::Result<()>;

/// Makes the attempt of this name. `None` if there is no such.
pub fn attempt(name: &str, target: &Target) -> Option<Verdict> {
    let (_, run) = ATTEMPTS.iter().find(|(known, _)| *known == name)?;
    Some(match run(target) {
        Ok(()) => Verdict::Succeeded,
        Err(error) => Verdict::Denied(error.raw_os_error().unwrap_or(0)),
    })
}

/// The names of all attempts.
pub fn names() -> impl Iterator<Item = &'static str> {
    ATTEMPTS.iter().map(|(name, _)| *name)
}

/// One raw system call, with unused arguments zero. `Ok` is its result.
macro_rules! syscall {
    ($number:expr $(, $argument:expr)*) => {{
        // SAFETY: every pointer passed below is to a live value of the type that the call expects, or null, or meant to be refused.
        let result = unsafe { libc::syscall($number $(, $argument)*) };
        if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
    }};
}

/// A system call that is forbidden whatever comes of it.
macro_rules! forbidden {
    ($($argument:expr),*) => { |_| syscall!($($argument),*).map(drop) };
}

const NULL: *const c_void = std::ptr::null();
const PAGE: usize = 4096;
const READ_WRITE: c_int = libc::PROT_READ | libc::PROT_WRITE;
const PRIVATE: c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;

const ATTEMPTS: &[(&str, Attempt)] = &[
    // Files.
    #[cfg(target_arch = "x86_64")]
    ("open", forbidden!(libc::SYS_open, c"/etc/hostname".as_ptr(), libc::O_RDONLY)),
    ("openat", |_| open(c"/etc/hostname", libc::O_RDONLY).map(drop)),
    ("openat2", |_| {
        let how = [0_u64; 3];
        syscall!(libc::SYS_openat2, libc::AT_FDCWD, c"/etc/hostname".as_ptr(), how.as_ptr(), size_of_val(&how))
            .map(drop)
    }),
    ("read_passwd", |_| read_file(c"/etc/passwd")),
    ("read_environ", |_| read_file(c"/proc/self/environ")),
    ("read_parent_environ", |target| {
        read_file(&CString::new(format!("/proc/{}/environ", target.pid)).map_err(|_| io::ErrorKind::InvalidInput)?)
    }),
    ("write_own_memory_file", |_| open(c"/proc/self/mem", libc::O_RDWR).map(drop)),
    ("list_directory", |_| open(c"/", libc::O_RDONLY | libc::O_DIRECTORY).map(drop)),
    ("create_file", |_| open(c"/tmp/runpen-box-probe-created", libc::O_CREAT | libc::O_WRONLY).map(drop)),
    ("stat", |_| {
        let mut stat = [0_u8; 256];
        syscall!(libc::SYS_newfstatat, libc::AT_FDCWD, c"/etc/passwd".as_ptr(), stat.as_mut_ptr(), 0).map(drop)
    }),
    ("unlink", |target| syscall!(libc::SYS_unlinkat, libc::AT_FDCWD, target.path.as_ptr(), 0).map(drop)),
    ("chmod", |target| syscall!(libc::SYS_fchmodat, libc::AT_FDCWD, target.path.as_ptr(), 0o777).map(drop)),
    ("chown", |target| syscall!(libc::SYS_fchownat, libc::AT_FDCWD, target.path.as_ptr(), 0, 0, 0).map(drop)),
    ("truncate", |target| syscall!(libc::SYS_truncate, target.path.as_ptr(), 0).map(drop)),
    ("rename", |target| {
        let path = target.path.as_ptr();
        syscall!(libc::SYS_renameat2, libc::AT_FDCWD, path, libc::AT_FDCWD, path, 0).map(drop)
    }),
    ("mkdir", forbidden!(libc::SYS_mkdirat, libc::AT_FDCWD, c"/tmp/runpen-box-probe-dir".as_ptr(), 0o700)),
    ("symlink", forbidden!(libc::SYS_symlinkat, c"/".as_ptr(), libc::AT_FDCWD, c"/tmp/runpen-box-probe-link".as_ptr())),
    ("mount", forbidden!(libc::SYS_mount, c"none".as_ptr(), c"/".as_ptr(), c"no such type".as_ptr(), 0, NULL)),
    ("chroot", forbidden!(libc::SYS_chroot, c"/".as_ptr())),
    ("chdir", forbidden!(libc::SYS_chdir, c"/tmp".as_ptr())),
    ("inotify", forbidden!(libc::SYS_inotify_init1, 0)),
    ("fanotify", forbidden!(libc::SYS_fanotify_init, 0, 0)),
    // Sockets.
    ("socket", |_| socket(libc::AF_INET, libc::SOCK_STREAM).map(drop)),
    ("socket_udp", |_| socket(libc::AF_INET, libc::SOCK_DGRAM).map(drop)),
    ("socket_unix", |_| socket(libc::AF_UNIX, libc::SOCK_STREAM).map(drop)),
    ("socket_netlink", |_| socket(libc::AF_NETLINK, libc::SOCK_RAW).map(drop)),
    ("socket_vsock", |_| socket(libc::AF_VSOCK, libc::SOCK_STREAM).map(drop)),
    ("socketpair", |_| {
        let mut pair: [c_int; 2] = [0; 2];
        syscall!(libc::SYS_socketpair, libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr()).map(drop)
    }),
    ("tcp_connect", |target| {
        let address = localhost(target.port);
        let socket = socket(libc::AF_INET, libc::SOCK_STREAM)?;
        syscall!(libc::SYS_connect, socket, &raw const address, size_of_val(&address)).map(drop)
    }),
    ("tcp_bind", |_| {
        let address = localhost(0);
        let socket = socket(libc::AF_INET, libc::SOCK_STREAM)?;
        syscall!(libc::SYS_bind, socket, &raw const address, size_of_val(&address)).map(drop)
    }),
    ("connect_own_socket", |target| {
        let address = localhost(target.port);
        syscall!(libc::SYS_connect, 0, &raw const address, size_of_val(&address)).map(drop)
    }),
    ("abstract_connect", |target| {
        let (address, length) = abstract_address(&target.abstract_name);
        let socket = socket(libc::AF_UNIX, libc::SOCK_STREAM)?;
        syscall!(libc::SYS_connect, socket, &raw const address, length).map(drop)
    }),
    ("send_out_of_band", forbidden!(libc::SYS_sendto, 0, c"!".as_ptr(), 1, libc::MSG_OOB, NULL, 0)),
    ("send_descriptor", |_| {
        // A header without addresses, data or control text: sending it would do nothing.
        let header = [0_u64; 7];
        syscall!(libc::SYS_sendmsg, 0, header.as_ptr(), 0).map(drop)
    }),
    ("receive_descriptor", |_| {
        let mut header = [0_u64; 7];
        syscall!(libc::SYS_recvmsg, 0, header.as_mut_ptr(), libc::MSG_DONTWAIT).map(drop)
    }),
    ("peek", |_| {
        let mut byte = 0_u8;
        let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
        syscall!(libc::SYS_recvfrom, 0, &raw mut byte, 1, flags, NULL, NULL).map(drop)
    }),
    ("send_to_address", |target| {
        let (address, length) = abstract_address(&target.abstract_name);
        syscall!(libc::SYS_sendto, 0, c"!".as_ptr(), 1, 0, &raw const address, length).map(drop)
    }),
    ("setsockopt", |_| {
        let size: c_int = 1 << 20;
        let length = size_of_val(&size);
        syscall!(libc::SYS_setsockopt, 0, libc::SOL_SOCKET, libc::SO_SNDBUF, &raw const size, length).map(drop)
    }),
    // Processes.
    #[cfg(target_arch = "x86_64")]
    ("fork", |_| syscall!(libc::SYS_fork).map(end_child)),
    #[cfg(target_arch = "x86_64")]
    ("vfork", |_| vfork()),
    ("clone", |_| syscall!(libc::SYS_clone, libc::SIGCHLD, NULL, NULL, NULL, NULL).map(end_child)),
    ("clone3", |_| {
        // The kernel's clone_args: the fifth of its eight words is the exit signal.
        let arguments: [u64; 8] = [0, 0, 0, 0, libc::SIGCHLD as u64, 0, 0, 0];
        syscall!(libc::SYS_clone3, arguments.as_ptr(), size_of_val(&arguments)).map(end_child)
    }),
    ("execve", |_| {
        let arguments = [c"true".as_ptr(), std::ptr::null()];
        syscall!(libc::SYS_execve, c"/bin/true".as_ptr(), arguments.as_ptr(), NULL).map(drop)
    }),
    ("execveat", |_| {
        let arguments = [c"true".as_ptr(), std::ptr::null()];
        syscall!(libc::SYS_execveat, libc::AT_FDCWD, c"/bin/true".as_ptr(), arguments.as_ptr(), NULL, 0).map(drop)
    }),
    ("kill_parent", |_| {
        let parent = syscall!(libc::SYS_getppid)?;
        syscall!(libc::SYS_kill, parent, 0).map(drop)
    }),
    ("kill", |target| syscall!(libc::SYS_kill, target.pid, 0).map(drop)),
    ("kill_self", |_| syscall!(libc::SYS_kill, std::process::id(), 0).map(drop)),
    ("tgkill", |target| syscall!(libc::SYS_tgkill, target.pid, target.pid, 0).map(drop)),
    ("pidfd_open", |target| syscall!(libc::SYS_pidfd_open, target.pid, 0).map(drop)),
    ("ptrace", |target| syscall!(libc::SYS_ptrace, libc::PTRACE_SEIZE, target.pid, NULL, NULL).map(drop)),
    ("process_vm_readv", |target| touch_memory(libc::SYS_process_vm_readv, target.pid)),
    ("process_vm_writev", |target| touch_memory(libc::SYS_process_vm_writev, target.pid)),
    ("setpriority", forbidden!(libc::SYS_setpriority, libc::PRIO_PROCESS, 0, -5)),
    ("sched_setscheduler", |_| {
        let priority: c_int = 1;
        syscall!(libc::SYS_sched_setscheduler, 0, libc::SCHED_FIFO, &raw const priority).map(drop)
    }),
    ("prlimit", |_| raise_limit(0)),
    ("prlimit_parent", |target| raise_limit(target.pid)),
    ("unshare", forbidden!(libc::SYS_unshare, libc::CLONE_NEWUSER)),
    ("setns", forbidden!(libc::SYS_setns, 0, 0)),
    ("setsid", forbidden!(libc::SYS_setsid)),
    ("setuid", forbidden!(libc::SYS_setuid, 0)),
    ("setresuid", forbidden!(libc::SYS_setresuid, 0, 0, 0)),
    ("setgid", forbidden!(libc::SYS_setgid, 0)),
    ("setgroups", forbidden!(libc::SYS_setgroups, 0, NULL)),
    (
        "prctl",
        forbidden!(libc::SYS_prctl, libc::PR_SET_DUMPABLE, 1 as c_ulong, 0 as c_ulong, 0 as c_ulong, 0 as c_ulong),
    ),
    ("rt_sigaction", forbidden!(libc::SYS_rt_sigaction, libc::SIGALRM, NULL, NULL, 8)),
    ("rt_sigprocmask", |_| {
        let mask: u64 = 1 << (libc::SIGALRM - 1);
        syscall!(libc::SYS_rt_sigprocmask, libc::SIG_BLOCK, &raw const mask, NULL, 8).map(drop)
    }),
    // Memory.
    ("mmap_exec", |_| map(READ_WRITE | libc::PROT_EXEC).map(drop)),
    ("mprotect_exec", |_| {
        let page = map(READ_WRITE)?;
        syscall!(libc::SYS_mprotect, page, PAGE, libc::PROT_READ | libc::PROT_EXEC).map(drop)
    }),
    ("pkey_mprotect_exec", |_| {
        let page = map(READ_WRITE)?;
        syscall!(libc::SYS_pkey_mprotect, page, PAGE, libc::PROT_READ | libc::PROT_EXEC, -1).map(drop)
    }),
    ("mmap_shared", |_| {
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        syscall!(libc::SYS_mmap, NULL, PAGE, READ_WRITE, flags, -1, 0).map(drop)
    }),
    ("mremap_fixed", |_| {
        let (from, to) = (map(READ_WRITE)?, map(READ_WRITE)?);
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
        syscall!(libc::SYS_mremap, from, PAGE, PAGE, flags, to).map(drop)
    }),
    ("mlock", |_| {
        let page = map(READ_WRITE)?;
        syscall!(libc::SYS_mlock, page, PAGE).map(drop)
    }),
    ("madvise_other", |_| {
        let page = map(READ_WRITE)?;
        syscall!(libc::SYS_madvise, page, PAGE, libc::MADV_WILLNEED).map(drop)
    }),
    ("memfd_create", forbidden!(libc::SYS_memfd_create, c"probe".as_ptr(), 0)),
    ("userfaultfd", forbidden!(libc::SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */)),
    ("shmget", |_| {
        let id = syscall!(libc::SYS_shmget, libc::IPC_PRIVATE, PAGE, 0o600)?;
        syscall!(libc::SYS_shmctl, id, libc::IPC_RMID, NULL).map(drop)
    }),
    ("msgget", |_| {
        let id = syscall!(libc::SYS_msgget, libc::IPC_PRIVATE, 0o600)?;
        syscall!(libc::SYS_msgctl, id, libc::IPC_RMID, NULL).map(drop)
    }),
    // Descriptors.
    ("dup", forbidden!(libc::SYS_dup, 0)),
    ("fcntl_dup", forbidden!(libc::SYS_fcntl, 0, libc::F_DUPFD, 0)),
    ("fcntl_setfl", forbidden!(libc::SYS_fcntl, 0, libc::F_SETFL, 0)),
    ("ioctl", |_| {
        let mut count: c_int = 0;
        syscall!(libc::SYS_ioctl, 0, libc::FIONREAD, &raw mut count).map(drop)
    }),
    ("pipe", |_| {
        let mut pair: [c_int; 2] = [0; 2];
        syscall!(libc::SYS_pipe2, pair.as_mut_ptr(), 0).map(drop)
    }),
    ("epoll", forbidden!(libc::SYS_epoll_create1, 0)),
    ("eventfd", forbidden!(libc::SYS_eventfd2, 0, 0)),
    ("timerfd", forbidden!(libc::SYS_timerfd_create, libc::CLOCK_MONOTONIC, 0)),
    ("write_elsewhere", forbidden!(libc::SYS_write, 1, c"".as_ptr(), 0)),
    ("read_elsewhere", |_| {
        let mut byte = 0_u8;
        syscall!(libc::SYS_read, 1, &raw mut byte, 0).map(drop)
    }),
    // The kernel's larger doors.
    ("io_uring_setup", |_| {
        let mut parameters = [0_u64; 15];
        syscall!(libc::SYS_io_uring_setup, 1, parameters.as_mut_ptr()).map(drop)
    }),
    ("bpf", |_| {
        // BPF_MAP_CREATE of an array with four-byte keys and values and one entry.
        let attributes: [u32; 32] = std::array::from_fn(|index| [2, 4, 4, 1].get(index).copied().unwrap_or(0));
        syscall!(libc::SYS_bpf, 0, attributes.as_ptr(), size_of_val(&attributes)).map(drop)
    }),
    ("perf_event_open", |_| {
        // A software event that counts nothing: type 1, size 112, config 9.
        let attributes: [u64; 14] = std::array::from_fn(|index| match index {
            0 => 1 | 112 << 32,
            1 => 9,
            _ => 0,
        });
        syscall!(libc::SYS_perf_event_open, attributes.as_ptr(), 0, -1, -1, 0).map(drop)
    }),
    ("keyctl", forbidden!(libc::SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -2 /* the process's */, 1)),
    ("add_key", forbidden!(libc::SYS_add_key, c"user".as_ptr(), c"probe".as_ptr(), c"x".as_ptr(), 1, -2)),
    ("kexec_load", forbidden!(libc::SYS_kexec_load, 0, 0, NULL, 0)),
    ("init_module", forbidden!(libc::SYS_init_module, NULL, 0, c"".as_ptr())),
    ("seccomp", forbidden!(libc::SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &raw const SECCOMP_ALLOW)),
    ("landlock_create_ruleset", forbidden!(libc::SYS_landlock_create_ruleset, NULL, 0, 1)),
    ("uname", |_| {
        let mut names = [0_u8; 6 * 65];
        syscall!(libc::SYS_uname, names.as_mut_ptr()).map(drop)
    }),
    ("futex_requeue", |_| {
        let word = 0_u32;
        syscall!(libc::SYS_futex, &raw const word, libc::FUTEX_CMP_REQUEUE_PI, 1, 0, &raw const word, 0).map(drop)
    }),
    ("unknown_call", forbidden!(4095)),
    #[cfg(target_arch = "x86_64")]
    ("x32_call", forbidden!(0x4000_0000 | libc::SYS_getpid)),
    #[cfg(target_arch = "x86_64")]
    ("i386_call", |_| i386_getpid()),
];

/// SECCOMP_RET_ALLOW, to ask the kernel whether it knows it.
static SECCOMP_ALLOW: u32 = 0x7fff_0000;

fn open(path: &std::ffi::CStr, flags: c_int) -> io::Result<c_long> {
    syscall!(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0o600)
}

fn read_file(path: &std::ffi::CStr) -> io::Result<()> {
    let file = open(path, libc::O_RDONLY)?;
    let mut buffer = [0_u8; 64];
    syscall!(libc::SYS_read, file, buffer.as_mut_ptr(), buffer.len()).map(drop)
}

fn socket(family: c_int, kind: c_int) -> io::Result<c_long> {
    syscall!(libc::SYS_socket, family, kind, 0)
}

fn localhost(port: u16) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::sa_family_t::try_from(libc::AF_INET).expect("2"),
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) },
        sin_zero: [0; 8],
    }
}

fn abstract_address(name: &str) -> (libc::sockaddr_un, usize) {
    let mut path = [0; 108];
    for (place, byte) in path[1..].iter_mut().zip(name.bytes()) {
        *place = libc::c_char::from_ne_bytes([byte]);
    }
    let family = libc::sa_family_t::try_from(libc::AF_UNIX).expect("1");
    (libc::sockaddr_un { sun_family: family, sun_path: path }, size_of::<libc::sa_family_t>() + 1 + name.len())
}

/// Ends the child that should not be; in the parent, does nothing.
fn end_child(pid: c_long) {
    if pid == 0 {
        // SAFETY: `_exit` has no preconditions.
        unsafe { libc::_exit(0) }
    }
}

/// The child borrows the parent's stack, so it must end before anything else can be compiled in.
#[cfg(target_arch = "x86_64")]
fn vfork() -> io::Result<()> {
    let result: c_long;
    // SAFETY: the child runs the three instructions after the call and ends; the parent sees a changed rax, rcx, r11 and rdi.
    unsafe {
        std::arch::asm!(
            "syscall", "test rax, rax", "jnz 2f", "xor edi, edi", "mov eax, 231", "syscall", "2:",
            inlateout("rax") libc::SYS_vfork => result, out("rcx") _, out("r11") _, out("rdi") _,
        );
    }
    if result < 0 { Err(io::Error::from_raw_os_error(c_int::try_from(-result).unwrap_or(0))) } else { Ok(()) }
}

/// The door of 32-bit programs, where 20 is `getpid` and would be `writev` at the other.
#[cfg(target_arch = "x86_64")]
fn i386_getpid() -> io::Result<()> {
    let result: c_long;
    // SAFETY: the call has no arguments and changes rax, and r8 to r11 on older kernels.
    unsafe {
        std::arch::asm!(
            "int 0x80", inlateout("rax") 20_i64 => result,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    if result < 0 { Err(io::Error::from_raw_os_error(c_int::try_from(-result).unwrap_or(0))) } else { Ok(()) }
}

/// Asks for a page that the other process does not have: only who may look is told so.
fn touch_memory(call: c_long, pid: i32) -> io::Result<()> {
    let mut byte = 0_u8;
    let local = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let remote = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 1 };
    match syscall!(call, pid, &raw const local, 1, &raw const remote, 1, 0) {
        Err(error) if error.raw_os_error() == Some(libc::EFAULT) => Ok(()),
        result => result.map(drop),
    }
}

/// Of all limits the one on locks, which nobody sets and nothing depends on; only its hard value goes up.
fn raise_limit(pid: i32) -> io::Result<()> {
    let mut limit: [u64; 2] = [0; 2];
    syscall!(libc::SYS_prlimit64, pid, libc::RLIMIT_MEMLOCK, NULL, limit.as_mut_ptr())?;
    limit[1] = limit[1].saturating_add(1);
    syscall!(libc::SYS_prlimit64, pid, libc::RLIMIT_MEMLOCK, limit.as_ptr(), NULL).map(drop)
}

fn map(protection: c_int) -> io::Result<c_long> {
    syscall!(libc::SYS_mmap, NULL, PAGE, protection, PRIVATE, -1, 0)
}
