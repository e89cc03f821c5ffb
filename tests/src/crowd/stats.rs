//! Counts of what was posted and told, and how long it took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Steps of a factor of two.
const STEPS: usize = 32;
/// Factors of two, from a microsecond on.
const DOUBLES: usize = 30;

/// Times in steps of three in a hundred: counting one costs an addition, however many there are.
pub struct Stats {
    posted: AtomicU64,
    told: AtomicU64,
    times: Vec<AtomicU64>,
}

impl Default for Stats {
    fn default() -> Self {
        let times = (0..STEPS * DOUBLES).map(|_| AtomicU64::new(0)).collect();
        Self { posted: AtomicU64::new(0), told: AtomicU64::new(0), times }
    }
}

fn step(micros: u64) -> usize {
    let m = micros.max(1);
    let double = m.ilog2() as usize;
    let within = (((m - (1 << double)) * STEPS as u64) >> double) as usize;
    (double * STEPS + within).min(STEPS * DOUBLES - 1)
}

fn middle(step: usize) -> Duration {
    let (double, within) = (step / STEPS, step % STEPS);
    let base = (1_u64 << double) as f64;
    Duration::from_secs_f64(base * (1.0 + (within as f64 + 0.5) / STEPS as f64) / 1e6)
}

impl Stats {
    /// A text was posted.
    pub fn posted(&self) {
        self.posted.fetch_add(1, Ordering::Relaxed);
    }

    /// A text was told after this many microseconds.
    pub fn told(&self, micros: u64) {
        self.times[step(micros)].fetch_add(1, Ordering::Relaxed);
        self.told.fetch_add(1, Ordering::Relaxed);
    }

    /// Posted and told.
    pub fn counts(&self) -> (u64, u64) {
        (self.posted.load(Ordering::Relaxed), self.told.load(Ordering::Relaxed))
    }

    /// From the beginning.
    pub fn clear(&self) {
        for n in self.times.iter().chain([&self.posted, &self.told]) {
            n.store(0, Ordering::Relaxed);
        }
    }

    /// The time that `p` of 100 stay below.
    pub fn percentile(&self, p: u64) -> Duration {
        let all: u64 = self.times.iter().map(|n| n.load(Ordering::Relaxed)).sum();
        let mut left = all * p / 100;
        for (i, n) in self.times.iter().enumerate() {
            let n = n.load(Ordering::Relaxed);
            if n > left {
                return middle(i);
            }
            left -= n;
        }
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_three_in_a_hundred() {
        let s = Stats::default();
        for i in 1..=1000 {
            s.told(i * 100);
        }
        for (p, wanted) in [(50, 50.0), (99, 99.0)] {
            let got = s.percentile(p).as_secs_f64() * 1e3;
            assert!((got / wanted - 1.0).abs() < 0.04, "p{p}: {got} ms instead of {wanted}");
        }
        s.clear();
        assert_eq!((s.counts(), s.percentile(99)), ((0, 0), Duration::ZERO));
    }
}
