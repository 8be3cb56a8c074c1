//! Whose turn it is. What waits for one hook stands in lanes: one for each room, and one of its own
//! for whatever is of no room. Of a lane the first is tried until it is done; the others stand behind
//! it. Lanes do not wait for each other.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The pause after the first failure; it doubles with each further one.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Which lane.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Lane {
    /// Everything about a room.
    Room(Arc<str>),
    /// One event of no room.
    Alone(u64),
}

/// What is to be delivered now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) lane: Lane,
    /// The number of the event.
    pub(super) id: u64,
    /// How often it was tried before.
    pub(super) failures: u32,
}

/// All that waits for one hook, by number.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: HashMap<Lane, Waiting>,
    /// Lanes whose first is not under way, by when it is due.
    due: BTreeSet<(Instant, u64, Lane)>,
    waiting: usize,
}

#[derive(Default)]
struct Waiting {
    ids: VecDeque<u64>,
    failures: u32,
}

impl Lanes {
    /// How many wait or are under way.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    /// One more, newer than all before.
    pub(super) fn push(&mut self, now: Instant, lane: Lane, id: u64) {
        let waiting = self.lanes.entry(lane.clone()).or_default();
        waiting.ids.push_back(id);
        self.waiting += 1;
        if waiting.ids.len() == 1 {
            self.due.insert((now, id, lane));
        }
    }

    /// The first that is due, which is under way from now on. Of those due at one time the oldest.
    pub(super) fn take(&mut self, now: Instant) -> Option<Turn> {
        let (due, ..) = self.due.first()?;
        if *due > now {
            return None;
        }
        let (_, id, lane) = self.due.pop_first()?;
        let failures = self.lanes.get(&lane).map_or(0, |waiting| waiting.failures);
        Some(Turn { lane, id, failures })
    }

    /// When [`take`](Self::take) has something again.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, ..)| *due)
    }

    /// The first of a lane is done with; the next of it is due.
    pub(super) fn done(&mut self, now: Instant, lane: &Lane) {
        let Some(waiting) = self.lanes.get_mut(lane) else { return };
        waiting.failures = 0;
        if waiting.ids.pop_front().is_some() {
            self.waiting -= 1;
        }
        match waiting.ids.front() {
            Some(next) => drop(self.due.insert((now, *next, lane.clone()))),
            None => drop(self.lanes.remove(lane)),
        }
    }

    /// The first of a lane failed and is due again after `pause`.
    pub(super) fn failed(&mut self, now: Instant, lane: &Lane, pause: Duration) {
        let Some(waiting) = self.lanes.get_mut(lane) else { return };
        waiting.failures = waiting.failures.saturating_add(1);
        if let Some(first) = waiting.ids.front() {
            self.due.insert((now + pause, *first, lane.clone()));
        }
    }

    /// Forgets what is older than `oldest` and not under way: the queue was full and lost it.
    pub(super) fn forget_before(&mut self, now: Instant, oldest: u64) {
        let (lanes, due, left) = (&mut self.lanes, &mut self.due, &mut self.waiting);
        let mut resting = BTreeSet::new();
        for (at, id, lane) in std::mem::take(due) {
            let Some(waiting) = lanes.get_mut(&lane) else { continue };
            let before = waiting.ids.len();
            waiting.ids.retain(|id| *id >= oldest);
            *left -= before - waiting.ids.len();
            match waiting.ids.front() {
                // The one that failed is gone, and its pause with it.
                Some(first) if *first != id => {
                    waiting.failures = 0;
                    resting.insert((now, *first, lane));
                }
                Some(_) => drop(resting.insert((at, id, lane))),
                None => drop(lanes.remove(&lane)),
            }
        }
        *due = resting;
    }
}

/// How long to wait after so many failures before: doubling, and by chance up to half of it less, so
/// that what failed together is not tried together. `chance` is any number.
pub(super) fn pause(failures: u32, chance: u16) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << failures.min(16)).min(LONGEST_PAUSE);
    longest - longest.mul_f64(f64::from(chance) / f64::from(u16::MAX) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> Lane {
        Lane::Room(name.into())
    }

    fn id(turn: Option<Turn>) -> Option<u64> {
        turn.map(|turn| turn.id)
    }

    #[test]
    fn a_room_is_told_in_order_one_at_a_time() {
        let (mut lanes, now) = (Lanes::default(), Instant::now());
        (1..=3).for_each(|n| lanes.push(now, room("r"), n));
        for n in 1..=3 {
            assert_eq!(id(lanes.take(now)), Some(n));
            assert_eq!(id(lanes.take(now)), None);
            lanes.done(now, &room("r"));
        }
        assert_eq!((lanes.len(), lanes.next_due()), (0, None));
        assert!(lanes.lanes.is_empty());
    }

    #[test]
    fn a_failure_holds_up_its_own_room_alone() {
        let (mut lanes, now) = (Lanes::default(), Instant::now());
        lanes.push(now, room("r"), 1);
        lanes.push(now, room("r"), 2);
        lanes.push(now, room("s"), 3);
        lanes.push(now, Lane::Alone(4), 4);
        assert_eq!(id(lanes.take(now)), Some(1));
        lanes.failed(now, &room("r"), FIRST_PAUSE);
        assert_eq!(id(lanes.take(now)), Some(3));
        assert_eq!(id(lanes.take(now)), Some(4));
        assert_eq!(id(lanes.take(now)), None);
        assert_eq!(lanes.next_due(), Some(now + FIRST_PAUSE));
        let again = lanes.take(now + FIRST_PAUSE).expect("due");
        assert_eq!((again.id, again.failures), (1, 1));
        lanes.done(now + FIRST_PAUSE, &room("r"));
        let next = lanes.take(now + FIRST_PAUSE).expect("due");
        assert_eq!((next.id, next.failures), (2, 0));
    }

    #[test]
    fn what_the_queue_lost_is_forgotten() {
        let (mut lanes, now) = (Lanes::default(), Instant::now());
        (1..=4).for_each(|n| lanes.push(now, room("r"), n));
        lanes.push(now, room("s"), 5);
        lanes.push(now, Lane::Alone(6), 6);
        assert_eq!(id(lanes.take(now)), Some(1));
        lanes.failed(now, &room("r"), LONGEST_PAUSE);
        lanes.forget_before(now, 4);
        assert_eq!(lanes.len(), 3);
        assert_eq!([(); 4].map(|()| id(lanes.take(now))), [Some(4), Some(5), Some(6), None]);
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_differ() {
        assert_eq!(pause(0, 0), FIRST_PAUSE);
        assert_eq!(pause(3, 0), FIRST_PAUSE * 8);
        assert_eq!(pause(0, u16::MAX), FIRST_PAUSE / 2);
        assert_eq!(pause(u32::MAX, 0), LONGEST_PAUSE);
    }
}
