//! What the benchmarks print.

use std::time::{Duration, Instant};

/// The median and the 99th percentile of many single measurements.
pub fn measure(name: &str, rounds: usize, mut once: impl FnMut()) {
    for _ in 0..rounds / 10 + 1 {
        once();
    }
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let begun = Instant::now();
            once();
            begun.elapsed()
        })
        .collect();
    times.sort();
    println!("{name:44} p50 {:>10.2?}  p99 {:>10.2?}", times[rounds / 2], times[rounds * 99 / 100]);
}
