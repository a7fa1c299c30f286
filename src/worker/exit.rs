//! The ways a worker leaves. Always at once: the engine may be in the middle of anything.

use crate::{ipc, sandbox};

/// Why the process ends, as its exit code. The server counts them; SIGALRM and the other signals are the kernel's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The server closed the socket, or it broke.
    Orphaned,
    /// A frame could not be read, or one could not be built.
    OutOfStep,
    /// The interrupt was asked for and ignored for longer than the grace.
    Stuck,
    /// A fault of this program. The message is on standard error.
    Panicked,
    /// The engine could not be built.
    NoEngine,
}

impl Exit {
    pub fn code(self) -> i32 {
        match self {
            Exit::Orphaned => 0,
            Exit::OutOfStep => 71,
            Exit::Stuck => ipc::STUCK_EXIT,
            Exit::Panicked => 73,
            Exit::NoEngine => 74,
        }
    }
}

pub fn now(exit: Exit) -> ! {
    sandbox::exit_now(exit.code())
}
