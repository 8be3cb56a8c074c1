//! Token buckets, each in one number (the generic cell rate algorithm): the time at which the
//! bucket would be full again. What is over is dropped and counted, never queued.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::time::Instant;

/// A bucket holds one second's worth: bursts of a video frame pass, floods do not.
const BURST_NANOS: u64 = 1_000_000_000;

/// One allocation's bucket for one direction.
#[derive(Debug, Default)]
pub(super) struct Bucket(u64);

impl Bucket {
    /// Whether `bytes` pass at `rate` bytes per second (0: no limit).
    pub(super) fn admits(&mut self, now: Instant, bytes: usize, rate: u64) -> bool {
        if rate == 0 {
            return true;
        }
        match after(self.0, now, bytes, rate) {
            Some(next) => {
                self.0 = next;
                true
            }
            None => false,
        }
    }
}

/// The whole server's bucket, shared by all shards.
#[derive(Debug, Default)]
pub(super) struct SharedBucket(AtomicU64);

impl SharedBucket {
    /// As [`Bucket::admits`].
    pub(super) fn admits(&self, now: Instant, bytes: usize, rate: u64) -> bool {
        let step = |full_at| after(full_at, now, bytes, rate);
        rate == 0 || self.0.fetch_update(Relaxed, Relaxed, step).is_ok()
    }
}

fn after(full_at: u64, now: Instant, bytes: usize, rate: u64) -> Option<u64> {
    let cost = (bytes as u128 * 1_000_000_000) / u128::from(rate);
    let cost = u64::try_from(cost).unwrap_or(u64::MAX);
    let next = full_at.max(now.as_nanos()).saturating_add(cost);
    (next - now.as_nanos() <= BURST_NANOS).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_second_of_traffic_passes_at_once_and_then_the_rate_holds() {
        let mut bucket = Bucket::default();
        let mut now = Instant::from_nanos(5_000_000_000);
        let burst = (0..100).filter(|_| bucket.admits(now, 100, 1000)).count();
        assert_eq!(burst, 10);
        let mut passed = 0;
        for _ in 0..100 {
            now = now + Duration::from_millis(10);
            passed += usize::from(bucket.admits(now, 100, 1000));
        }
        assert_eq!(passed, 10);
    }

    #[test]
    fn no_rate_is_no_limit() {
        assert!(Bucket::default().admits(Instant::ORIGIN, usize::MAX, 0));
        assert!(SharedBucket::default().admits(Instant::ORIGIN, usize::MAX, 0));
    }

    #[test]
    fn shards_share_one_bucket() {
        let bucket = SharedBucket::default();
        let now = Instant::from_nanos(1);
        assert_eq!((0..20).filter(|_| bucket.admits(now, 100, 1000)).count(), 10);
    }
}
