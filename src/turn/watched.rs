//! Usernames that somebody waits to hear about: their refusals are told even while a flood of
//! others' has used up the words of a second.

use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::relay::Relay;
use crate::time::{Instant, Now};

/// Usernames watched at once. For one more, the one whose time ends first is forgotten.
const MOST: usize = 256;

/// Refusals of one watched username that are told beside everybody's.
pub const TOLD_WHILE_WATCHED: u32 = 32;

/// The usernames that are watched.
#[derive(Debug)]
pub(super) struct Watched {
    by_username: HashMap<Box<str>, Watch, FixedState>,
}

#[derive(Clone, Copy, Debug)]
struct Watch {
    until: Instant,
    left: u32,
}

impl Watched {
    pub(super) fn new(hasher: FixedState) -> Self {
        Self { by_username: HashMap::with_hasher(hasher) }
    }

    /// Whether one more refusal of `username` may be told on its own account.
    pub(super) fn admits(&mut self, now: Instant, username: &str) -> bool {
        match self.by_username.get_mut(username) {
            Some(watch) if now < watch.until && watch.left > 0 => {
                watch.left -= 1;
                true
            }
            _ => false,
        }
    }

    fn add(&mut self, now: Instant, username: &str, until: Instant) {
        self.by_username.retain(|_, watch| now < watch.until);
        if let Some(watch) = self.by_username.get_mut(username) {
            watch.until = watch.until.max(until);
            return;
        }
        if self.by_username.len() >= MOST {
            let first = self.by_username.iter().min_by_key(|(_, watch)| watch.until);
            if let Some(first) = first.map(|(username, _)| username.clone()) {
                self.by_username.remove(&first);
            }
        }
        self.by_username.insert(username.into(), Watch { until, left: TOLD_WHILE_WATCHED });
    }
}

impl Relay {
    /// Tells refusals of exactly this username for so long, a bounded number of them, however many
    /// others there are. To ask again makes it longer, not more.
    pub fn watch(&mut self, now: Now, username: &str, lasts: Duration) {
        self.watched.add(now.mono, username, now.mono + lasts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ORIGIN + Duration::from_secs(seconds)
    }

    fn watched() -> Watched {
        Watched::new(FixedState::with_seed(1))
    }

    #[test]
    fn a_watched_name_is_told_so_many_times_until_its_time_is_over() {
        let mut watched = watched();
        watched.add(at(0), "alice", at(10));
        assert!(watched.admits(at(9), "alice"));
        assert!(!watched.admits(at(9), "bob") && !watched.admits(at(10), "alice"));
        watched.add(at(9), "alice", at(20));
        let told = (0..100).filter(|_| watched.admits(at(15), "alice")).count();
        assert_eq!(told, TOLD_WHILE_WATCHED as usize - 1, "asking again does not make it more");
    }

    #[test]
    fn of_too_many_names_those_that_end_first_are_forgotten() {
        let mut watched = watched();
        watched.add(at(0), "long", at(1000));
        for name in 0..MOST as u64 + 10 {
            watched.add(at(0), &name.to_string(), at(100 + name));
        }
        assert_eq!(watched.by_username.len(), MOST);
        assert!(watched.admits(at(1), "long") && !watched.admits(at(1), "0"));
        watched.add(at(1000), "later", at(2000));
        assert_eq!(watched.by_username.len(), 1, "what is over is gone");
    }
}
