//! A timer in the kernel that ends the process, for the loops inside the engine that never ask whether they should stop.

use std::time::Duration;

/// While armed, the kernel will end this process by SIGALRM (at its default action: nothing here handles it), whatever the
/// engine is doing by then. One process has one such timer.
#[derive(Debug, Default)]
pub struct KernelTimer {
    armed: bool,
}

impl KernelTimer {
    /// Starts the timer, or starts it again from the beginning.
    pub fn arm(&mut self, after: Duration) {
        // An all-zero value would disarm instead.
        set(after.max(Duration::from_millis(1)));
        self.armed = true;
    }

    pub fn disarm(&mut self) {
        if self.armed {
            set(Duration::ZERO);
            self.armed = false;
        }
    }
}

fn set(after: Duration) {
    let value = libc::itimerval {
        it_interval: libc::timeval { tv_sec: 0, tv_usec: 0 },
        it_value: libc::timeval {
            tv_sec: libc::time_t::try_from(after.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_usec: libc::suseconds_t::from(after.subsec_micros() as i32),
        },
    };
    // SAFETY: `value` is a valid itimerval that outlives the call, and a null old value is allowed.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &value, std::ptr::null_mut()) };
}
