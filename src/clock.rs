//! The clock of a run's time limit, which can stand still.

use std::time::{Duration, Instant};

/// Time that runs out, but for the time in which it is paused.
///
/// A run that waits for its client's answer is not at work, and neither is anything else in its engine. Both sides of a worker's
/// socket keep such clocks. What is left is always known, also in the middle of a pause: no deadline is moved afterwards by what a
/// pause has taken, which whoever looked at it meanwhile would have found passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunClock(Hand);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hand {
    Running { until: Instant },
    Paused { left: Duration },
}

impl RunClock {
    /// A clock that runs from now on.
    pub fn start(limit: Duration, now: Instant) -> RunClock {
        RunClock(Hand::Running { until: now + limit })
    }

    /// A clock with all of its time, that is to be resumed when it counts.
    pub fn paused(limit: Duration) -> RunClock {
        RunClock(Hand::Paused { left: limit })
    }

    /// Does nothing to a clock that is paused already.
    pub fn pause(&mut self, now: Instant) {
        self.0 = Hand::Paused { left: self.left(now) };
    }

    /// Does nothing to a clock that runs already.
    pub fn resume(&mut self, now: Instant) {
        if let Hand::Paused { left } = self.0 {
            self.0 = Hand::Running { until: now + left };
        }
    }

    pub fn left(&self, now: Instant) -> Duration {
        match self.0 {
            Hand::Running { until } => until.saturating_duration_since(now),
            Hand::Paused { left } => left,
        }
    }

    pub fn is_over(&self, now: Instant) -> bool {
        self.left(now).is_zero()
    }

    /// When it will be over; `None` while it is paused.
    pub fn until(&self) -> Option<Instant> {
        match self.0 {
            Hand::Running { until } => Some(until),
            Hand::Paused { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Wait(Duration),
        Pause,
        Resume,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => (0..5_000u64).prop_map(|ms| Step::Wait(Duration::from_millis(ms))),
            1 => Just(Step::Pause),
            1 => Just(Step::Resume),
        ]
    }

    proptest! {
        #[test]
        fn only_time_outside_of_pauses_counts(
            limit in 0..10_000u64,
            begins_paused in any::<bool>(),
            steps in prop::collection::vec(step(), 0..40),
        ) {
            let limit = Duration::from_millis(limit);
            let mut now = Instant::now();
            let mut clock = if begins_paused { RunClock::paused(limit) } else { RunClock::start(limit, now) };
            let (mut runs, mut counted) = (!begins_paused, Duration::ZERO);
            for step in steps {
                match step {
                    Step::Wait(time) => {
                        now += time;
                        counted += if runs { time } else { Duration::ZERO };
                    }
                    Step::Pause => {
                        clock.pause(now);
                        runs = false;
                    }
                    Step::Resume => {
                        clock.resume(now);
                        runs = true;
                    }
                }
                let left = limit.saturating_sub(counted);
                prop_assert_eq!(clock.left(now), left);
                prop_assert_eq!(clock.is_over(now), counted >= limit);
                prop_assert_eq!(clock.until().is_some(), runs);
                if let Some(until) = clock.until() {
                    prop_assert_eq!(until.saturating_duration_since(now), left);
                }
            }
        }
    }
}
