//! Delays, as counts in steps that grow with the delay: 1/32 apart, whatever it is.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

/// Steps for each doubling.
const STEPS: u32 = 32;
const ROOM: usize = 64 * STEPS as usize;

/// A histogram.
#[derive(Clone)]
pub(super) struct Delays {
    counts: Vec<u64>,
    total: u64,
    longest: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self { counts: vec![0; ROOM], total: 0, longest: 0 }
    }
}

impl Delays {
    /// One more, in nanoseconds.
    pub(super) fn add(&mut self, nanos: u64) {
        self.counts[step(nanos)] += 1;
        self.total += 1;
        self.longest = self.longest.max(nanos);
    }

    /// Adds all of another.
    pub(super) fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    /// What `share` of all (0 to 1) took no longer than.
    pub(super) fn percentile(&self, share: f64) -> Duration {
        let wanted = (self.total as f64 * share).ceil() as u64;
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted.max(1)
        });
        Duration::from_nanos(found.map_or(0, value).min(self.longest))
    }

    /// The longest.
    pub(super) fn longest(&self) -> Duration {
        Duration::from_nanos(self.longest)
    }
}

/// Percentiles, in microseconds.
pub(super) fn json(delays: &Delays) -> Value {
    let micros = |delay: Duration| (delay.as_nanos() as f64 / 100.0).round() / 10.0;
    let of = |share| micros(delays.percentile(share));
    json!({ "p50": of(0.5), "p90": of(0.9), "p99": of(0.99), "p999": of(0.999), "max": micros(delays.longest()) })
}

/// The line about them.
pub(super) fn write(f: &mut fmt::Formatter<'_>, delays: &Delays) -> fmt::Result {
    let micros = |delay: Duration| delay.as_nanos() as f64 / 1000.0;
    let of = |share| micros(delays.percentile(share));
    writeln!(
        f,
        "delay     median {:.0} µs, p90 {:.0} µs, p99 {:.0} µs, longest {:.0} µs",
        of(0.5),
        of(0.9),
        of(0.99),
        micros(delays.longest())
    )
}

fn step(nanos: u64) -> usize {
    let nanos = nanos.max(u64::from(STEPS));
    let doubling = nanos.ilog2() - STEPS.ilog2();
    let within = (nanos >> doubling) as usize - STEPS as usize;
    (doubling as usize * STEPS as usize + within).min(ROOM - 1)
}

/// The upper end of a step.
fn value(step: usize) -> u64 {
    let steps = STEPS as usize;
    ((steps + step % steps + 1) as u64) << (step / steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_within_a_step() {
        let mut delays = Delays::default();
        (1..=1000).for_each(|micros| delays.add(micros * 1000));
        for (share, micros) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let got = delays.percentile(share).as_nanos() as f64 / 1000.0;
            assert!((got / micros - 1.0).abs() < 0.04, "{share}: {got} µs");
        }
        assert_eq!(delays.longest(), Duration::from_millis(1));
    }
}
