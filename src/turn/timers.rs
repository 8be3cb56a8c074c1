//! A timing wheel with a second's resolution: one timer per slot, everything O(1), nothing left
//! behind when a timer is taken off. (Hashed wheel after Varghese and Lauck, 1987.)

use std::time::Duration;

use crate::time::Instant;

/// Timers lie at most this far ahead; what is due later is looked at then and set again.
pub(crate) const HORIZON: Duration = Duration::from_secs(300);

/// Buckets, one a second; more than the horizon, so that no bucket holds two rounds.
const BUCKETS: usize = 512;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    previous: u32,
    next: u32,
    bucket: u32,
}

const UNLINKED: Link = Link { previous: NONE, next: NONE, bucket: NONE };

/// Timers, by slot number.
#[derive(Debug)]
pub(crate) struct Timers {
    heads: Box<[u32]>,
    links: Vec<Link>,
    count: usize,
    /// The second that is looked at next.
    cursor: u64,
}

impl Timers {
    pub(crate) fn new() -> Self {
        Self { heads: vec![NONE; BUCKETS].into(), links: Vec::new(), count: 0, cursor: 0 }
    }

    /// When [`Self::pop`] has something to look at next.
    pub(crate) fn next(&self) -> Option<Instant> {
        (self.count > 0).then(|| Instant::ORIGIN + Duration::from_secs(self.cursor))
    }

    /// Sets (or moves) the timer of `slot`, to the second at or after `due`.
    pub(crate) fn set(&mut self, now: Instant, slot: usize, due: Instant) {
        self.cancel(slot);
        if self.count == 0 {
            self.cursor = now.as_secs();
        }
        let due = due.min(now + HORIZON) + Duration::from_nanos(999_999_999);
        let bucket = (due.as_secs().max(self.cursor) % BUCKETS as u64) as usize;
        if self.links.len() <= slot {
            self.links.resize(slot + 1, UNLINKED);
        }
        let next = self.heads[bucket];
        self.links[slot] = Link { previous: NONE, next, bucket: bucket as u32 };
        if next != NONE {
            self.links[next as usize].previous = slot as u32;
        }
        self.heads[bucket] = slot as u32;
        self.count += 1;
    }

    /// Takes the timer of `slot` off, if it has one.
    pub(crate) fn cancel(&mut self, slot: usize) {
        let Some(link) = self.links.get_mut(slot).filter(|link| link.bucket != NONE) else {
            return;
        };
        let Link { previous, next, bucket } = std::mem::replace(link, UNLINKED);
        match previous {
            NONE => self.heads[bucket as usize] = next,
            previous => self.links[previous as usize].next = next,
        }
        if next != NONE {
            self.links[next as usize].previous = previous;
        }
        self.count -= 1;
    }

    /// The next slot whose timer has run out; its timer is off.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<usize> {
        let second = now.as_secs();
        // After a long sleep one round over the wheel sees every timer.
        self.cursor = self.cursor.max((second + 1).saturating_sub(BUCKETS as u64));
        while self.count > 0 && self.cursor <= second {
            let head = self.heads[(self.cursor % BUCKETS as u64) as usize];
            if head != NONE {
                self.cancel(head as usize);
                return Some(head as usize);
            }
            self.cursor += 1;
        }
        None
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Instant {
        Instant::from_nanos((seconds * 1e9) as u64)
    }

    #[test]
    fn a_timer_fires_within_the_second_after_it_is_due_and_never_before() {
        let mut timers = Timers::new();
        timers.set(at(10.0), 3, at(12.5));
        assert_eq!(timers.pop(at(12.4)), None);
        assert_eq!(timers.pop(at(12.9)), None);
        assert_eq!(timers.pop(at(13.0)), Some(3));
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_moved_or_cancelled_timer_leaves_nothing_behind() {
        let mut timers = Timers::new();
        for slot in 0..100 {
            timers.set(at(1.0), slot, at(5.0));
        }
        timers.set(at(1.0), 50, at(100.0));
        (0..50).for_each(|slot| timers.cancel(slot));
        timers.cancel(7);
        let fired: Vec<_> = std::iter::from_fn(|| timers.pop(at(6.0))).collect();
        assert_eq!(fired.len(), 49);
        assert_eq!(timers.count(), 1);
        assert_eq!(timers.pop(at(100.0)), Some(50));
    }

    #[test]
    fn far_timers_come_back_at_the_horizon_and_a_long_sleep_loses_none() {
        let mut timers = Timers::new();
        timers.set(at(0.0), 1, at(3600.0));
        timers.set(at(0.0), 2, at(10.0));
        let mut fired: Vec<_> = std::iter::from_fn(|| timers.pop(at(100_000.0))).collect();
        fired.sort_unstable();
        assert_eq!(fired, [1, 2]);
    }
}
