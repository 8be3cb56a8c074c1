//! Token buckets, each in one number (the generic cell rate algorithm): the time at which the
//! bucket would be full again. What is over is dropped and counted, never queued.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::allocation::Allocation;
use super::settings::QuotaLimits;
use crate::time::Instant;

/// A bucket holds one second's worth: bursts of a video frame pass, floods do not.
const BURST_NANOS: u64 = 1_000_000_000;

/// What streams may use of it. They come back for more the moment they may: with all of it theirs,
/// datagrams, which are dropped and do not wait, would never find room.
const STREAM_BURST_NANOS: u64 = BURST_NANOS / 2;

/// A direction, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To peers.
    Up,
    /// From peers.
    Down,
}

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

    /// Takes `bytes` that have passed already; says how long until the rate is held again.
    fn charge(&mut self, now: Instant, bytes: u64, rate: u64) -> Duration {
        if rate == 0 {
            return Duration::ZERO;
        }
        self.0 = charged(self.0, now, bytes, rate);
        debt(self.0, now)
    }
}

/// A bucket of several allocations, shared by all shards.
#[derive(Debug, Default)]
pub(super) struct SharedBucket(AtomicU64);

impl SharedBucket {
    /// As [`Bucket::admits`].
    pub(super) fn admits(&self, now: Instant, bytes: usize, rate: u64) -> bool {
        let step = |full_at| after(full_at, now, bytes, rate);
        rate == 0 || self.0.fetch_update(Relaxed, Relaxed, step).is_ok()
    }

    /// As [`Bucket::charge`].
    fn charge(&self, now: Instant, bytes: u64, rate: u64) -> Duration {
        if rate == 0 {
            return Duration::ZERO;
        }
        let step = |full_at| Some(charged(full_at, now, bytes, rate));
        let before = self.0.fetch_update(Relaxed, Relaxed, step).unwrap_or_else(|before| before);
        debt(charged(before, now, bytes, rate), now)
    }
}

/// The buckets of one user, shared by all of the user's allocations.
#[derive(Debug, Default)]
pub(super) struct UserBuckets {
    up: SharedBucket,
    down: SharedBucket,
}

impl UserBuckets {
    fn of(&self, way: Way) -> &SharedBucket {
        match way {
            Way::Up => &self.up,
            Way::Down => &self.down,
        }
    }
}

impl Allocation {
    /// Whether a packet of `bytes` passes every bandwidth quota; `total` is the server's bucket.
    pub(super) fn admits(
        &mut self,
        now: Instant,
        way: Way,
        bytes: usize,
        quota: &QuotaLimits,
        total: &SharedBucket,
    ) -> bool {
        self.bucket(way).admits(now, bytes, quota.bandwidth_per_allocation)
            && self.grant.bandwidth().of(way).admits(now, bytes, quota.bandwidth_per_user)
            && total.admits(now, bytes, quota.bandwidth)
    }

    /// Counts a packet of `bytes` to a peer; not if it does not [pass](Self::admits).
    pub(super) fn sends(
        &mut self,
        now: Instant,
        bytes: usize,
        quota: &QuotaLimits,
        total: &SharedBucket,
    ) -> bool {
        if !self.admits(now, Way::Up, bytes, quota, total) {
            return false;
        }
        self.usage.bytes_up += bytes as u64;
        self.usage.packets_up += 1;
        true
    }

    /// Takes `bytes` of a stream, which have passed already, from every bandwidth quota; says how
    /// long to hold the stream back.
    pub(super) fn charge(
        &mut self,
        now: Instant,
        way: Way,
        bytes: u64,
        quota: &QuotaLimits,
        total: &SharedBucket,
    ) -> Duration {
        let own = self.bucket(way).charge(now, bytes, quota.bandwidth_per_allocation);
        let user = self.grant.bandwidth().of(way).charge(now, bytes, quota.bandwidth_per_user);
        own.max(user).max(total.charge(now, bytes, quota.bandwidth))
    }

    fn bucket(&mut self, way: Way) -> &mut Bucket {
        match way {
            Way::Up => &mut self.usage.up,
            Way::Down => &mut self.usage.down,
        }
    }
}

fn after(full_at: u64, now: Instant, bytes: usize, rate: u64) -> Option<u64> {
    let next = charged(full_at, now, bytes as u64, rate);
    (next - now.as_nanos() <= BURST_NANOS).then_some(next)
}

fn charged(full_at: u64, now: Instant, bytes: u64, rate: u64) -> u64 {
    let cost = (u128::from(bytes) * 1_000_000_000) / u128::from(rate);
    let cost = u64::try_from(cost).unwrap_or(u64::MAX);
    full_at.max(now.as_nanos()).saturating_add(cost)
}

fn debt(full_at: u64, now: Instant) -> Duration {
    Duration::from_nanos((full_at - now.as_nanos()).saturating_sub(STREAM_BURST_NANOS))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_has_passed_already_is_waited_for() {
        let now = Instant::from_nanos(1);
        let (mut bucket, shared) = (Bucket::default(), SharedBucket::default());
        for (bytes, wait) in [(500, 0), (500, 500), (1000, 1500)] {
            assert_eq!(bucket.charge(now, bytes, 1000), Duration::from_millis(wait));
            assert_eq!(shared.charge(now, bytes, 1000), Duration::from_millis(wait));
        }
        assert_eq!(bucket.charge(now, u64::MAX, 0), Duration::ZERO);
    }

    #[test]
    fn streams_that_take_all_they_may_leave_datagrams_their_way() {
        let bucket = SharedBucket::default();
        let (mut released, mut streamed, mut passed) = ([0; 8], 0, 0);
        for milli in 0..20_000 {
            let now = Instant::from_nanos(milli * 1_000_000);
            for until in released.iter_mut().filter(|until| **until <= milli) {
                let wait = bucket.charge(now, 65_536, 10_000_000);
                (*until, streamed) = (milli + wait.as_millis() as u64 + 1, streamed + 65_536);
            }
            passed += u32::from(milli % 20 == 0 && bucket.admits(now, 160, 10_000_000));
        }
        assert!(passed > 950, "{passed} of 1000 packets of a voice call passed");
        assert!((190_000_000..210_000_000).contains(&streamed), "{streamed} bytes streamed");
    }

    #[test]
    fn shards_share_one_bucket() {
        let bucket = SharedBucket::default();
        let now = Instant::from_nanos(1);
        assert_eq!((0..20).filter(|_| bucket.admits(now, 100, 1000)).count(), 10);
    }
}
