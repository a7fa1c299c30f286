//! The kernel's limits on what one process may use.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::sandbox::{Policy, Status, scratch};

/// Address space beside the engine's heap and the parsers' stretches: the program itself, its stack, console and frame buffers.
const BASE_ADDRESS_SPACE: u64 = 128 << 20;

/// The stack may grow to this, whatever the server's own limit was: twice what the engine may be given of it. The rest is for calls of
/// the engine's own that do not look how deep they are.
pub(super) const STACK_BYTES: u64 = 16 << 20;

/// Descriptors while the box is being entered: the socket, and Landlock's ruleset for a moment.
const DESCRIPTORS_ON_THE_WAY: u64 = 8;

/// The socket is descriptor 0, and no number above it is to be had.
const DESCRIPTORS_INSIDE: u64 = 1;

struct Limit {
    resource: Resource,
    value: u64,
    name: &'static str,
}

/// Sets all limits but the last on descriptors, soft and hard alike, so that they cannot be raised again.
pub(super) fn apply(policy: &Policy) -> Status {
    report(&limits(policy))
}

/// No descriptor but 0 from here on. Apart from the other limits because Landlock needs one for a moment, and a layer of its own
/// because it alone refuses sockets, files, pipes, memory files and rings, however they are asked for.
pub(super) fn forbid_descriptors() -> Status {
    report(&[Limit { resource: Resource::Nofile, value: DESCRIPTORS_INSIDE, name: "NOFILE" }])
}

fn report(limits: &[Limit]) -> Status {
    let failures: Vec<String> = limits
        .iter()
        .filter_map(|limit| lower(limit).err().map(|error| format!("set RLIMIT_{}: {error}", limit.name)))
        .collect();
    if failures.is_empty() { Status::Enforced } else { Status::Missing(failures.join(", ")) }
}

fn limits(policy: &Policy) -> Vec<Limit> {
    // Twice the heap, because a block that grows may for a moment exist at its old and its new place.
    let parsers = scratch::reserved_bytes(policy.code_bytes);
    let address_space = policy.heap_bytes.saturating_mul(2).saturating_add(BASE_ADDRESS_SPACE).saturating_add(parsers);
    let limit = |resource, value, name| Limit { resource, value, name };
    vec![
        limit(Resource::As, address_space, "AS"),
        limit(Resource::Stack, STACK_BYTES, "STACK"),
        // The backstop when all else fails: a process that nobody watches any more ends some time.
        limit(Resource::Cpu, policy.cpu_seconds, "CPU"),
        limit(Resource::Nofile, DESCRIPTORS_ON_THE_WAY, "NOFILE"),
        // A core would be a file, with the strangers' data in it.
        limit(Resource::Core, 0, "CORE"),
        limit(Resource::Fsize, 0, "FSIZE"),
        // Refuses fork and threads to every user but root, who is not bound by it.
        limit(Resource::Nproc, 0, "NPROC"),
        limit(Resource::Memlock, 0, "MEMLOCK"),
        #[cfg(target_os = "linux")]
        limit(Resource::Msgqueue, 0, "MSGQUEUE"),
        // The lowest ceilings there are: the priority cannot be raised again.
        #[cfg(target_os = "linux")]
        limit(Resource::Nice, 0, "NICE"),
        #[cfg(target_os = "linux")]
        limit(Resource::Rtprio, 0, "RTPRIO"),
    ]
}

/// Sets soft and hard limit to the value, or to the hard limit in force where that is lower.
fn lower(limit: &Limit) -> rustix::io::Result<()> {
    let ceiling = getrlimit(limit.resource).maximum.unwrap_or(u64::MAX);
    let value = Some(limit.value.min(ceiling));
    setrlimit(limit.resource, Rlimit { current: value, maximum: value })
}
