//! A token bucket over the driver's clock, in integers.

use crate::time::Instant;
use std::time::Duration;

/// Allows `burst` at once and one more each interval.
#[derive(Clone, Debug)]
pub struct Bucket {
    interval: Duration,
    /// How far ahead of the clock the bucket may run: `interval * burst`.
    depth: Duration,
    /// When the bucket will be full again.
    full_at: Instant,
}

impl Bucket {
    /// A full bucket. A `burst` of zero never allows anything.
    pub fn new(interval: Duration, burst: u32) -> Self {
        Self { interval, depth: interval.saturating_mul(burst), full_at: Instant::ORIGIN }
    }

    /// A full bucket that refills `rate` times a second.
    pub fn per_second(rate: u32, burst: u32) -> Self {
        Self::new(Duration::from_secs(1) / rate.max(1), burst)
    }

    /// Takes one token; false when there is none.
    pub fn take(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + self.interval;
        let allowed = full_at.since(now) <= self.depth;
        if allowed {
            self.full_at = full_at;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_then_one_each_interval() {
        let mut bucket = Bucket::per_second(1, 3);
        let start = Instant::from_nanos(7);
        assert_eq!([(); 4].map(|()| bucket.take(start)), [true, true, true, false]);
        let later = start + Duration::from_secs(1);
        assert_eq!([(); 2].map(|()| bucket.take(later)), [true, false]);
    }

    #[test]
    fn a_long_silence_fills_no_more_than_the_burst() {
        let mut bucket = Bucket::per_second(10, 2);
        let later = Instant::ORIGIN + Duration::from_secs(1000);
        assert_eq!([(); 3].map(|()| bucket.take(later)), [true, true, false]);
    }
}
