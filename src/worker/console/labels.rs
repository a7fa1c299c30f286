//! What `count` and `time` remember by label.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Labels of each kind that are kept. One more takes the place of another.
const MOST_LABELS: usize = 1000;

#[derive(Debug, Default)]
pub struct Labels {
    counts: BTreeMap<String, u64>,
    timers: BTreeMap<String, Instant>,
}

impl Labels {
    /// Counts one more, and says how many there have been.
    pub fn count(&mut self, label: &str) -> u64 {
        if let Some(count) = self.counts.get_mut(label) {
            *count += 1;
            return *count;
        }
        make_room(&mut self.counts);
        self.counts.insert(label.to_owned(), 1);
        1
    }

    /// Forgets a count; false when there was none.
    pub fn reset_count(&mut self, label: &str) -> bool {
        self.counts.remove(label).is_some()
    }

    /// Starts a timer; false when it runs already.
    pub fn start(&mut self, label: &str) -> bool {
        if self.timers.contains_key(label) {
            return false;
        }
        make_room(&mut self.timers);
        self.timers.insert(label.to_owned(), Instant::now());
        true
    }

    /// How long a timer has run; `None` when there is none.
    pub fn elapsed(&mut self, label: &str, stop: bool) -> Option<Duration> {
        let since = if stop { self.timers.remove(label)? } else { *self.timers.get(label)? };
        Some(since.elapsed())
    }
}

fn make_room<V>(map: &mut BTreeMap<String, V>) {
    if map.len() >= MOST_LABELS {
        map.pop_first();
    }
}

/// A duration in the unit that suits it: `1.234ms`, `1.234s`, `1:02.345 (m:ss.mmm)`.
pub fn duration_text(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1000.0;
    if ms < 1000.0 {
        let text = format!("{ms:.3}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        return format!("{text}ms");
    }
    if ms < 60_000.0 {
        return format!("{:.3}s", ms / 1000.0);
    }
    let hours = (ms / 3_600_000.0).floor();
    let minutes = ((ms % 3_600_000.0) / 60_000.0).floor();
    let seconds = (ms % 60_000.0) / 1000.0;
    if hours > 0.0 {
        format!("{hours}:{minutes:02}:{seconds:06.3} (h:mm:ss.mmm)")
    } else {
        format!("{minutes}:{seconds:06.3} (m:ss.mmm)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_in_the_unit_that_suits_them() {
        for (ms, text) in [
            (0.0, "0ms"),
            (0.5, "0.5ms"),
            (12.3456, "12.346ms"),
            (100.0, "100ms"),
            (1000.0, "1.000s"),
            (59_999.0, "59.999s"),
            (62_345.0, "1:02.345 (m:ss.mmm)"),
            (3_723_004.0, "1:02:03.004 (h:mm:ss.mmm)"),
        ] {
            assert_eq!(duration_text(Duration::from_secs_f64(ms / 1000.0)), text);
        }
    }

    #[test]
    fn labels_are_bounded() {
        let mut labels = Labels::default();
        for label in 0..2 * MOST_LABELS {
            assert_eq!(labels.count(&label.to_string()), 1);
            assert!(labels.start(&label.to_string()));
        }
        assert!(labels.counts.len() <= MOST_LABELS && labels.timers.len() <= MOST_LABELS);
    }
}
