//! How often one source is answered before it has proved anything: 401 and Binding are larger than
//! what asks for them, and a source address is easily forged.
//!
//! A table of fixed size: sources that fall on one slot share its allowance, so that a flood of
//! forged sources costs no memory.

use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::fast::FixedState;

use super::quota::site;
use crate::time::Instant;

const SLOTS: usize = 4096;

/// Answers to unproved sources, per shard.
#[derive(Debug)]
pub(super) struct Limiter {
    full_at: Box<[u64]>,
    hasher: FixedState,
}

impl Limiter {
    pub(super) fn new(seed: u64) -> Self {
        Self { full_at: vec![0; SLOTS].into(), hasher: FixedState::with_seed(seed) }
    }

    /// Whether `source` may have one more answer at `rate` per second (0: no limit).
    pub(super) fn admits(&mut self, now: Instant, source: IpAddr, rate: u32) -> bool {
        if rate == 0 {
            return true;
        }
        let slot = (self.hasher.hash_one(site(source)) % SLOTS as u64) as usize;
        let (now, cost) = (now.as_nanos(), 1_000_000_000 / u64::from(rate));
        let next = self.full_at[slot].max(now) + cost;
        let admitted = next - now <= 1_000_000_000;
        if admitted {
            self.full_at[slot] = next;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn one_source_is_held_and_another_is_not() {
        let mut limiter = Limiter::new(1);
        let (a, b) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let now = Instant::from_nanos(1);
        assert_eq!((0..100).filter(|_| limiter.admits(now, a, 10)).count(), 10);
        assert!(limiter.admits(now, b, 10));
        assert!(limiter.admits(now + Duration::from_millis(100), a, 10));
    }
}
