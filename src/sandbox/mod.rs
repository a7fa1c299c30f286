//! The box around a worker process.
//!
//! A worker runs strangers' code in an engine written in C, so the box is built for the day that this code owns the process:
//! whatever it then asks of the kernel is refused, or ends the process. [`enter`] is the worker's first act, and takes the
//! layers in an order in which each may still do what it needs and nothing later can undo it. `docs/sandbox.md` has the threat
//! model, the reasons for each layer, and the test that proves it.

#![expect(unsafe_code, reason = "what a process does to itself is said to the kernel in C")]

mod enter;
mod heap;
#[cfg(target_os = "linux")]
mod landlock;
mod policy;
#[cfg(all(feature = "box-probes", target_os = "linux"))]
pub mod probes;
mod process;
mod proxy;
mod report;
mod rlimits;
pub mod scratch;
#[cfg(target_os = "linux")]
mod seccomp;
mod steps;
mod timer;
mod values;

pub use enter::{EXIT_LAYER_MISSING, EXIT_PARENT_GONE, EXIT_SEVERAL_THREADS, EnterError, enter};
pub use heap::{HeapGauge, LimitedHeap};
pub use policy::{
    DEFAULT_CODE_BYTES, DEFAULT_CPU_SECONDS, DEFAULT_NICENESS, FIRST_USER, Mode, Policy, PolicyError, USERS, user_for,
};
pub use process::{exit_now, give_back_large_blocks, open_files, return_free_memory, return_stack};
pub use proxy::as_proxy;
pub use report::{Layer, LayerReport, Report, Status};
pub use timer::KernelTimer;
pub use values::{Gives, IteratorClasses, Pending, class_of, copy_bytes};
