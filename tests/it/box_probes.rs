//! The box, proved from inside: a process enters it as a worker does and then tries what it must not be able to do.
//!
//! Three kinds of proof. In the whole box each attempt ends the process. With seccomp left out the other layers still refuse nearly
//! all of them. And single layers, alone, refuse what they are there for. That the attempts are real is shown by the same
//! attempts outside the box, where they succeed.

#![cfg(all(feature = "box-probes", target_os = "linux"))]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use runpen::sandbox::{
    DEFAULT_NICENESS, EXIT_LAYER_MISSING, EXIT_PARENT_GONE, EXIT_SEVERAL_THREADS, FIRST_USER, Layer, Mode, Policy,
    Report, Status, probes,
};

/// A probe that says nothing for so long is stuck.
const PATIENCE: Duration = Duration::from_secs(20);

const HEAP_BYTES: u64 = 64 << 20;

/// One boxed process and the other end of its socket. Killed when dropped.
struct Probe {
    child: Child,
    lines: BufReader<UnixStream>,
}

impl Probe {
    fn start(action: &str, policy: &Policy, targets: &[String]) -> Probe {
        Probe::start_with(action, policy, targets, &[("TZ", "UTC0")])
    }

    fn start_with(action: &str, policy: &Policy, targets: &[String], environment: &[(&str, &str)]) -> Probe {
        let mut command = Command::new(env!("CARGO_BIN_EXE_box-probe"));
        command.env_clear().envs(environment.iter().copied());
        Probe::spawn(command, action, policy, targets).unwrap()
    }

    /// `None` where the ordinary user may not even execute what is built here.
    fn start_as_ordinary_user(action: &str, policy: &Policy, targets: &[String]) -> Option<Probe> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_box-probe"));
        command.env_clear().env("TZ", "UTC0");
        if is_root() {
            command.uid(FIRST_USER).gid(FIRST_USER);
        }
        match Probe::spawn(command, action, policy, targets) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => None,
            result => Some(result.unwrap()),
        }
    }

    fn spawn(mut command: Command, action: &str, policy: &Policy, targets: &[String]) -> std::io::Result<Probe> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(PATIENCE))?;
        command.arg(action).arg(policy.to_string()).args(targets);
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Probe { child: command.spawn()?, lines: BufReader::new(ours) })
    }

    /// The next line, without its end; empty when the process is gone.
    fn line(&mut self) -> String {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(_) => line.trim_end().to_owned(),
            // What was sent to a process that died unread resets the connection.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => String::new(),
            Err(error) => panic!("{error}"),
        }
    }

    #[track_caller]
    fn report(&mut self) -> Report {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn end(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What became of one attempt.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Succeeded,
    Denied(i32),
    Killed(i32),
}

/// What the attempts are aimed at: a process, a file, a port and an abstract socket, all of them alive.
struct Range {
    sibling: Probe,
    file: tempfile::NamedTempFile,
    listener: TcpListener,
    _abstract_listener: UnixListener,
    abstract_name: String,
}

impl Range {
    fn new() -> Range {
        let mut sibling = Probe::start("hold", &outside(), &[]);
        sibling.report();
        assert_eq!(sibling.line(), "held");
        let abstract_name = format!("runpen-box-{}-{}", std::process::id(), sibling.child.id());
        let address = SocketAddr::from_abstract_name(&abstract_name).unwrap();
        Range {
            sibling,
            file: tempfile::NamedTempFile::new().unwrap(),
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            _abstract_listener: UnixListener::bind_addr(&address).unwrap(),
            abstract_name,
        }
    }

    fn attempt(&self, name: &str, policy: &Policy) -> Fate {
        let targets = [
            format!("pid={}", self.sibling.child.id()),
            format!("path={}", self.file.path().display()),
            format!("port={}", self.listener.local_addr().unwrap().port()),
            format!("abstract={}", self.abstract_name),
        ];
        let mut probe = Probe::start(name, policy, &targets);
        probe.report();
        let verdict = probe.line();
        let end = probe.end();
        match (verdict.as_str(), end.signal()) {
            ("", Some(signal)) => Fate::Killed(signal),
            // A program that replaced the process has nothing to say.
            ("" | "succeeded", None) if end.success() => Fate::Succeeded,
            (verdict, None) if end.success() => {
                Fate::Denied(verdict.strip_prefix("denied ").and_then(|code| code.parse().ok()).unwrap())
            }
            other => panic!("{name}: {other:?}, {end}"),
        }
    }
}

fn whole_box() -> Policy {
    Policy::new(Mode::Required, std::process::id(), HEAP_BYTES)
}

fn without(layers: &[Layer]) -> Policy {
    Policy { without: layers.to_vec(), ..whole_box() }
}

fn only(layers: &[Layer]) -> Policy {
    without(&Layer::ALL.into_iter().filter(|layer| !layers.contains(layer)).collect::<Vec<_>>())
}

fn outside() -> Policy {
    only(&[])
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Each of the named attempts must end as one of the given errors says.
#[track_caller]
fn refused(policy: &Policy, names: &[&str], codes: &[i32]) {
    let range = Range::new();
    for name in names {
        let fate = range.attempt(name, policy);
        assert!(matches!(fate, Fate::Denied(code) if codes.contains(&code)), "{name}: {fate:?}");
    }
}

#[test]
fn the_box_is_complete_on_this_machine() {
    let report = Probe::start("enter", &whole_box(), &[]).report();
    assert!(report.is_complete(), "{report}");
    for line in &report.layers {
        let expected = line.layer != Layer::User || is_root();
        assert_eq!(line.status == Status::Enforced, expected, "{report}");
    }
    println!("entered in {} µs", report.micros);
}

#[test]
fn every_forbidden_call_ends_the_process() {
    let range = Range::new();
    let policy = whole_box();
    for name in probes::names() {
        assert_eq!(range.attempt(name, &policy), Fate::Killed(libc::SIGSYS), "{name}");
    }
}

#[test]
fn outside_the_box_the_same_calls_succeed() {
    // Only what does no harm to the machine that runs the tests.
    let mut harmless = vec![
        "openat",
        "read_passwd",
        "read_environ",
        "write_own_memory_file",
        "list_directory",
        "stat",
        "chmod",
        "truncate",
        "rename",
        "unlink",
        "chdir",
        "inotify",
        "socket",
        "socket_udp",
        "socket_unix",
        "socketpair",
        "tcp_connect",
        "tcp_bind",
        "abstract_connect",
        "setsockopt",
        "clone",
        "clone3",
        "execve",
        "execveat",
        "kill_parent",
        "kill",
        "kill_self",
        "tgkill",
        "pidfd_open",
        "ptrace",
        "process_vm_readv",
        "process_vm_writev",
        "setsid",
        "prctl",
        "rt_sigaction",
        "rt_sigprocmask",
        "mmap_exec",
        "mprotect_exec",
        "pkey_mprotect_exec",
        "mmap_shared",
        "mremap_fixed",
        "mlock",
        "memfd_create",
        "shmget",
        "msgget",
        "dup",
        "fcntl_dup",
        "fcntl_setfl",
        "ioctl",
        "pipe",
        "epoll",
        "eventfd",
        "timerfd",
        "seccomp",
        "landlock_create_ruleset",
        "uname",
    ];
    #[cfg(target_arch = "x86_64")]
    harmless.extend(["open", "fork", "vfork"]);
    if is_root() {
        harmless.extend(["setpriority", "sched_setscheduler", "setuid", "setgid", "setgroups", "chroot", "chown"]);
    }
    let mut range = Range::new();
    for name in harmless {
        assert_eq!(range.attempt(name, &outside()), Fate::Succeeded, "{name}");
        if name == "unlink" {
            assert!(!range.file.path().exists());
            range.file = tempfile::NamedTempFile::new().unwrap();
        }
    }
}

#[test]
fn without_seccomp_the_other_layers_refuse_nearly_everything() {
    let policy = without(&[Layer::Seccomp]);
    let files =
        ["openat", "read_passwd", "read_environ", "read_parent_environ", "list_directory", "create_file", "truncate"];
    // No file may be opened, and no descriptor is left to open it with: whichever the kernel looks at first.
    refused(&policy, &files, &[libc::EACCES, libc::EMFILE]);
    refused(&policy, &["unlink", "mkdir", "symlink"], &[libc::EACCES]);
    // A user with more processes than allowed may not execute either, and is told so first.
    refused(&policy, &["execve", "execveat"], &[libc::EACCES, libc::EAGAIN]);
    refused(
        &policy,
        &["socket", "socket_udp", "socket_unix", "socket_netlink", "socketpair", "tcp_connect"],
        &[libc::EMFILE],
    );
    refused(&policy, &["memfd_create", "pipe", "epoll", "eventfd", "timerfd", "dup", "inotify"], &[libc::EMFILE]);
    refused(&policy, &["pidfd_open", "userfaultfd"], &[libc::EMFILE, libc::EPERM, libc::ENOSYS]);
    // Locked memory is at its limit before descriptors are; some systems switch rings off altogether.
    refused(&policy, &["io_uring_setup"], &[libc::ENOMEM, libc::EMFILE, libc::EPERM, libc::ENOSYS]);
    refused(&policy, &["kill_parent", "kill", "tgkill", "ptrace"], &[libc::EPERM]);
    refused(&policy, &["process_vm_readv", "process_vm_writev"], &[libc::EPERM]);
    refused(&policy, &["mprotect_exec", "pkey_mprotect_exec", "mmap_exec"], &[libc::EACCES]);
    refused(&policy, &["setpriority", "sched_setscheduler", "prlimit"], &[libc::EPERM, libc::EACCES]);
    refused(&policy, &["mount", "chroot", "setgroups", "bpf"], &[libc::EPERM]);
    refused(&policy, &["kexec_load", "init_module"], &[libc::EPERM, libc::ENOSYS]);
    refused(&policy, &["mlock"], &[libc::EPERM, libc::ENOMEM]);
    refused(&policy, &["clone", "clone3"], &[libc::EAGAIN]);
    if is_root() {
        refused(&policy, &["setuid", "setresuid", "setgid", "chmod", "chown", "prlimit_parent"], &[libc::EPERM]);
    }
}

#[test]
fn landlock_alone_refuses_files_even_to_root() {
    let policy = only(&[Layer::NoNewPrivileges, Layer::Landlock]);
    let files =
        ["openat", "read_passwd", "read_environ", "read_parent_environ", "list_directory", "create_file", "truncate"];
    refused(&policy, &files, &[libc::EACCES]);
    refused(&policy, &["unlink", "mkdir", "symlink", "execve"], &[libc::EACCES]);
}

#[test]
fn landlock_alone_refuses_tcp() {
    refused(&only(&[Layer::NoNewPrivileges, Layer::Landlock]), &["tcp_connect", "tcp_bind"], &[libc::EACCES]);
}

#[test]
fn landlock_alone_refuses_signals_tracing_and_abstract_sockets_to_the_outside() {
    let policy = only(&[Layer::NoNewPrivileges, Layer::Landlock]);
    refused(&policy, &["kill_parent", "kill", "tgkill", "ptrace", "abstract_connect"], &[libc::EPERM]);
}

#[test]
fn another_user_alone_may_not_touch_the_server_or_its_files() {
    if !is_root() {
        return;
    }
    let policy = only(&[Layer::User]);
    refused(
        &policy,
        &["kill_parent", "kill", "tgkill", "ptrace", "process_vm_readv", "prlimit_parent"],
        &[libc::EPERM],
    );
    refused(
        &policy,
        &["setuid", "setresuid", "setgid", "setgroups", "chroot", "mount", "chmod", "chown"],
        &[libc::EPERM],
    );
    refused(&policy, &["read_parent_environ", "setpriority", "sched_setscheduler"], &[libc::EPERM, libc::EACCES]);
}

#[test]
fn two_workers_with_users_of_their_own_are_strangers() {
    if !is_root() {
        return;
    }
    let mut sibling = Probe::start("hold", &Policy { user: Some(FIRST_USER + 1), ..only(&[Layer::User]) }, &[]);
    sibling.report();
    assert_eq!(sibling.line(), "held");
    let target = [format!("pid={}", sibling.child.id())];
    for name in ["kill", "ptrace", "process_vm_readv"] {
        let mut probe = Probe::start(name, &only(&[Layer::User]), &target);
        probe.report();
        assert_eq!(probe.line(), format!("denied {}", libc::EPERM), "{name}");
    }
}

#[test]
fn the_limits_alone_refuse_processes_and_written_files() {
    // Root is not bound by the limit on processes, so the user is part of this proof.
    let policy = only(&[Layer::Limits, Layer::User]);
    refused(&policy, &["clone", "clone3"], &[libc::EAGAIN]);
    #[cfg(target_arch = "x86_64")]
    refused(&policy, &["fork", "vfork"], &[libc::EAGAIN]);
    refused(&policy, &["prlimit", "mlock"], &[libc::EPERM, libc::ENOMEM]);
}

#[test]
fn the_limit_on_descriptors_alone_refuses_every_kind() {
    let policy = only(&[Layer::Descriptors, Layer::NewDescriptors]);
    let names =
        ["openat", "socket", "socketpair", "memfd_create", "pipe", "epoll", "eventfd", "timerfd", "dup", "pidfd_open"];
    refused(&policy, &names, &[libc::EMFILE]);
}

#[test]
fn memory_that_was_writable_never_becomes_executable_even_without_seccomp() {
    refused(&only(&[Layer::ExecutableMemory]), &["mmap_exec", "mprotect_exec"], &[libc::EACCES]);
}

#[test]
fn the_kernel_confirms_what_the_report_says() {
    let mut probe = Probe::start("hold", &whole_box(), &[]);
    probe.report();
    assert_eq!(probe.line(), "held");
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", probe.child.id())).unwrap();
    let status = read("status");
    let field = |name: &str| {
        let line = status.lines().find(|line| line.split(':').next() == Some(name)).unwrap();
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(field("Threads"), "1");
    assert_eq!(field("NoNewPrivs"), "1");
    assert_eq!(field("Seccomp"), "2", "2 is a filter");
    for capabilities in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(field(capabilities), "0000000000000000", "{capabilities}");
    }
    if is_root() {
        assert_eq!(field("Uid"), format!("{FIRST_USER} {FIRST_USER} {FIRST_USER} {FIRST_USER}"));
        assert_eq!(field("Gid"), field("Uid"));
        assert_eq!(field("Groups"), "");
        assert_eq!(std::fs::read_link(format!("/proc/{}/cwd", probe.child.id())).unwrap().to_str(), Some("/"));
    }
    assert_eq!(read("oom_score_adj").trim(), "1000");
    // The nineteenth field; the second, the name, is in parentheses.
    let niceness: i32 = read("stat").rsplit(')').next().unwrap().split_whitespace().nth(16).unwrap().parse().unwrap();
    let own = rustix::process::getpriority_process(None).unwrap();
    assert_eq!(niceness, (own + DEFAULT_NICENESS).min(19));
    let limits = read("limits");
    let address_space = (256 << 20) + parsers(&whole_box());
    for (limit, value) in [
        ("Max address space", address_space.to_string().as_str()),
        ("Max stack size", "16777216"),
        ("Max open files", "1"),
        ("Max core file size", "0"),
        ("Max file size", "0"),
        ("Max processes", "0"),
        ("Max cpu time", "14400"),
    ] {
        let line = limits.lines().find(|line| line.starts_with(limit)).unwrap();
        let values: Vec<&str> = line[limit.len()..].split_whitespace().take(2).collect();
        assert_eq!(values, [value, value], "{limit}, soft and hard");
    }
}

#[test]
fn another_process_of_the_same_user_may_not_look_inside() {
    for (layers, expected) in
        [(&[][..], "succeeded".to_owned()), (&[Layer::NotDumpable], format!("denied {}", libc::EPERM))]
    {
        let Some(mut victim) = Probe::start_as_ordinary_user("hold", &only(layers), &[]) else { return };
        victim.report();
        assert_eq!(victim.line(), "held");
        let target = [format!("pid={}", victim.child.id())];
        let mut probe = Probe::start_as_ordinary_user("process_vm_readv", &outside(), &target).unwrap();
        probe.report();
        assert_eq!(probe.line(), expected);
    }
}

#[test]
fn a_timer_signal_that_the_spawner_ignored_still_ends_the_process() {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", r#"trap "" ALRM; exec env -i TZ=UTC0 "$@""#, "sh", env!("CARGO_BIN_EXE_box-probe")]);
    let mut probe = Probe::spawn(command, "timer", &whole_box(), &[]).unwrap();
    probe.report();
    assert_eq!(probe.line(), "");
    assert_eq!(probe.end().signal(), Some(libc::SIGALRM));
}

/// Address space that is set aside for parsers.
fn parsers(policy: &Policy) -> u64 {
    runpen::sandbox::scratch::reserved_bytes(policy.code_bytes)
}

#[test]
fn address_space_is_limited() {
    let policy = whole_box();
    let mut probe = Probe::start("memory", &policy, &[]);
    probe.report();
    let line = probe.line();
    let mebibytes: u64 = line.strip_suffix(" MiB").unwrap().parse().unwrap();
    // The probe parses nothing, so it has that part for itself as well.
    let parsers = parsers(&policy) >> 20;
    assert!((96 + parsers..256 + parsers).contains(&mebibytes), "{line}");
    assert!(probe.end().success());
}

#[test]
fn processor_time_is_limited() {
    let mut probe = Probe::start("spin", &Policy { cpu_seconds: 1, ..whole_box() }, &[]);
    probe.report();
    assert_eq!(probe.line(), "");
    assert!(matches!(probe.end().signal(), Some(libc::SIGXCPU | libc::SIGKILL)));
}

#[test]
fn the_kernel_timer_ends_a_boxed_process_that_loops() {
    let mut probe = Probe::start("timer", &whole_box(), &[]);
    probe.report();
    assert_eq!(probe.line(), "");
    assert_eq!(probe.end().signal(), Some(libc::SIGALRM));
}

#[test]
fn what_the_frame_loop_needs_works_in_the_box() {
    let mut probe = Probe::start("works", &whole_box(), &[]);
    probe.report();
    assert_eq!(probe.line(), "echo?");
    probe.lines.get_mut().write_all(b"!").unwrap();
    assert_eq!(probe.line(), "!worked");
    assert!(probe.end().success());
}

#[test]
fn a_panic_in_the_box_still_ends_with_its_exit_code() {
    let mut probe = Probe::start("panic", &whole_box(), &[]);
    probe.report();
    assert_eq!(probe.end().code(), Some(101));
}

#[test]
fn the_engine_works_in_the_box() {
    let mut probe = Probe::start("engine", &whole_box(), &[]);
    probe.report();
    let expected = "Thu Jan 01 1970 00:00:00 GMT+0000 0 number true true olléh 1267650600228229401496703205376 \
                    {\"a\":[1,2]} 200000 16777216 RangeError refused";
    assert_eq!(probe.line(), expected);
    assert!(probe.end().success());
}

#[test]
fn the_boxed_process_dies_with_its_server() {
    let mut relay = Probe::start("relay", &whole_box(), &[]);
    relay.report();
    assert_eq!(relay.line(), "held");
    relay.child.kill().unwrap();
    // The socket ends only when the last process that holds its other end is gone.
    assert_eq!(relay.line(), "");
}

#[test]
fn a_process_whose_server_is_already_gone_does_not_start() {
    let mut probe = Probe::start("enter", &Policy { parent: 1, ..whole_box() }, &[]);
    assert_eq!(probe.line(), "enter the box: the server is gone");
    assert_eq!(probe.end().code(), Some(EXIT_PARENT_GONE));
}

#[test]
fn a_process_with_a_second_thread_does_not_start() {
    let mut probe = Probe::start("threads", &Policy { mode: Mode::BestEffort, ..whole_box() }, &[]);
    assert_eq!(probe.line(), "enter the box: the process has more than one thread");
    assert_eq!(probe.end().code(), Some(EXIT_SEVERAL_THREADS));
}

#[test]
fn a_missing_layer_stops_the_start_and_is_named() {
    let mut probe = Probe::start_with("enter", &whole_box(), &[], &[("TZ", "UTC0"), ("SECRET", "x")]);
    let line = probe.line();
    assert!(line.contains("environment missing (1 variables besides TZ=UTC0)"), "{line}");
    assert_eq!(probe.end().code(), Some(EXIT_LAYER_MISSING));
}

#[test]
fn best_effort_goes_on_without_the_layer_and_with_all_others() {
    let policy = Policy { mode: Mode::BestEffort, ..whole_box() };
    let mut probe = Probe::start_with("openat", &policy, &[], &[]);
    let report = probe.report();
    let missing: Vec<Layer> = report.missing().map(|line| line.layer).collect();
    assert_eq!(missing, [Layer::Environment]);
    assert_eq!(probe.line(), "");
    assert_eq!(probe.end().signal(), Some(libc::SIGSYS));
}
