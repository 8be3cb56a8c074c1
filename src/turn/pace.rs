//! How fast an allocation relays: its sums now, against a reading of them some seconds ago. The
//! readings are taken beside the timers, some of the allocations each second; a packet knows
//! nothing of it.

use std::time::Duration;

use super::allocation::Usage;
use super::event::AllocationId;
use super::relay::Relay;
use crate::time::{Instant, Now};

/// Every allocation is read once in so many seconds.
const ROUND: usize = 4;

/// The most allocations read in one second, which takes half a millisecond unoptimised. Of more,
/// each is read less often, and its rate is over a longer time.
const MOST: usize = 4096;

/// A shorter time says more about how packets happen to come than about a rate.
const SHORTEST: Duration = Duration::from_secs(2);

/// The sums of an allocation at one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    up: u64,
    down: u64,
}

/// The last two readings of an allocation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    older: Reading,
    newer: Reading,
}

impl Pace {
    /// An allocation begins now, with nothing relayed.
    pub(super) fn new(now: Instant) -> Self {
        let reading = Reading { at: now, up: 0, down: 0 };
        Self { older: reading, newer: reading }
    }

    pub(super) fn read(&mut self, now: Instant, usage: &Usage) {
        self.older = self.newer;
        self.newer = Reading { at: now, up: usage.bytes_up, down: usage.bytes_down };
    }

    /// Bytes a second up and down, over the last two to eight seconds, or over a younger
    /// allocation's life.
    pub(super) fn rates(&self, now: Instant, usage: &Usage) -> (u64, u64) {
        let is_far = now.since(self.newer.at) >= SHORTEST;
        let since = if is_far { self.newer } else { self.older };
        let millis = now.since(since.at).as_millis().clamp(1000, u64::MAX.into()) as u64;
        let rate = |sum: u64, then: u64| sum.saturating_sub(then).saturating_mul(1000) / millis;
        (rate(usage.bytes_up, since.up), rate(usage.bytes_down, since.down))
    }
}

/// Where the readings are in their round over a shard's allocations.
#[derive(Debug)]
pub(super) struct Round {
    /// The second that was read last.
    second: u64,
    /// The allocation that was read last.
    last: AllocationId,
}

impl Round {
    pub(super) const START: Self = Self { second: 0, last: AllocationId(0) };
}

impl Relay {
    /// Reads this second's part of the allocations.
    pub(super) fn read_paces(&mut self, now: Now) {
        let second = now.mono.as_secs();
        if std::mem::replace(&mut self.round.second, second) == second {
            return;
        }
        let count = self.table.len().div_ceil(ROUND).min(MOST);
        let last = self.table.walk(self.round.last, count, |allocation| {
            allocation.pace.read(now.mono, &allocation.usage);
        });
        self.round.last = last.unwrap_or(AllocationId(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ORIGIN + Duration::from_secs(seconds)
    }

    fn usage(bytes_up: u64, bytes_down: u64) -> Usage {
        Usage { bytes_up, bytes_down, ..Usage::default() }
    }

    #[test]
    fn a_rate_is_over_the_last_seconds_and_not_over_the_whole_life() {
        let mut pace = Pace::new(at(0));
        pace.read(at(100), &usage(1_000_000, 0));
        pace.read(at(104), &usage(1_000_000, 800));
        assert_eq!(pace.rates(at(105), &usage(1_000_500, 1000)), (100, 200));
        assert_eq!(pace.rates(at(108), &usage(1_004_000, 800)), (1000, 0));
    }

    #[test]
    fn the_rate_of_a_moment_is_no_larger_than_what_was_relayed() {
        let pace = Pace::new(at(7));
        assert_eq!(pace.rates(at(7), &usage(1000, 1)), (1000, 1));
    }
}
