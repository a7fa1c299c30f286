//! The way into the box: the steps in their order, and what they add up to.

use std::time::Instant;

use crate::sandbox::{Layer, LayerReport, Mode, Policy, Report, Status, rlimits, steps};

/// The exit code of a worker whose server was gone before the box was closed. Nobody is left to read it.
pub const EXIT_PARENT_GONE: i32 = 120;

/// The exit code of a worker that refused to start because a layer is missing.
pub const EXIT_LAYER_MISSING: i32 = 121;

/// The exit code of a worker that had more than one thread, which no layer here would bind.
pub const EXIT_SEVERAL_THREADS: i32 = 122;

/// Why a worker must not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnterError {
    /// A fault of this program, so not even a best effort goes on: the filters bind the calling thread and no other.
    #[error("enter the box: the process has more than one thread")]
    SeveralThreads,
    #[error("enter the box: the server is gone")]
    ParentGone,
    /// Only with [`Mode::Required`]. All layers were tried, so that the report names every one that is missing.
    #[error("enter the box: {0}")]
    LayerMissing(Report),
}

impl EnterError {
    /// What the worker exits with.
    pub fn exit_code(&self) -> i32 {
        match self {
            EnterError::SeveralThreads => EXIT_SEVERAL_THREADS,
            EnterError::ParentGone => EXIT_PARENT_GONE,
            EnterError::LayerMissing(_) => EXIT_LAYER_MISSING,
        }
    }
}

/// Puts the calling process into the box, for good. To be called first of all, with one thread and the socket as descriptor 0.
///
/// The order is part of the design. What needs files, descriptors or rights comes before the layers that take them away; the
/// change of user comes before the death signal and the dump flag, because the kernel resets both when the user changes;
/// Landlock and seccomp demand `no_new_privs`; and seccomp is last, because it forbids every call that the others make.
///
/// # Errors
/// Any error means that the process must end, with [`EnterError::exit_code`]. It is then boxed all the same, as far as possible,
/// and may still write to its socket.
pub fn enter(policy: &Policy) -> Result<Report, EnterError> {
    let started = Instant::now();
    if !steps::is_single_threaded() {
        return Err(EnterError::SeveralThreads);
    }
    steps::warm_up();
    let mut layers = Vec::with_capacity(Layer::ALL.len());
    for layer in Layer::ALL {
        let status = if is_left_out(policy, layer) {
            Status::Partly("left out by a test".to_owned())
        } else {
            apply(layer, policy)
        };
        layers.push(LayerReport { layer, status });
        // Looked at after the death signal is armed: a server that died earlier sends none, one that dies later does.
        if layer == Layer::ParentDeath && !steps::is_child_of(policy.parent) {
            return Err(EnterError::ParentGone);
        }
    }
    let micros = u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX);
    let report = Report { layers, micros };
    match policy.mode {
        Mode::Required if !report.is_complete() => Err(EnterError::LayerMissing(report)),
        Mode::Required | Mode::BestEffort => Ok(report),
    }
}

fn apply(layer: Layer, policy: &Policy) -> Status {
    match layer {
        Layer::Descriptors => steps::close_descriptors(),
        Layer::Environment => steps::check_environment(),
        Layer::Directory => steps::leave_directory(),
        Layer::Signals => steps::reset_signals(),
        Layer::MemoryPressure => steps::volunteer_under_memory_pressure(),
        Layer::Priority => steps::lower_priority(policy.niceness),
        Layer::Limits => rlimits::apply(policy),
        Layer::User => steps::become_nobody(policy.user),
        Layer::NoNewPrivileges => steps::gain_no_privileges(),
        Layer::NotDumpable => steps::forbid_dumps(),
        Layer::ParentDeath => steps::die_with_parent(),
        Layer::ExecutableMemory => steps::deny_executable_memory(),
        Layer::Landlock => landlock(),
        Layer::NewDescriptors => rlimits::forbid_descriptors(),
        Layer::Seccomp => seccomp(),
    }
}

#[cfg(target_os = "linux")]
fn landlock() -> Status {
    super::landlock::apply()
}

#[cfg(target_os = "linux")]
fn seccomp() -> Status {
    super::seccomp::apply()
}

#[cfg(not(target_os = "linux"))]
fn landlock() -> Status {
    steps::only_on_linux()
}

#[cfg(not(target_os = "linux"))]
fn seccomp() -> Status {
    steps::only_on_linux()
}

#[cfg(feature = "box-probes")]
fn is_left_out(policy: &Policy, layer: Layer) -> bool {
    policy.without.contains(&layer)
}

#[cfg(not(feature = "box-probes"))]
fn is_left_out(_: &Policy, _: Layer) -> bool {
    false
}
