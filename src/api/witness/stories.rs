//! What happened to each username: the last things, for some minutes. Usernames of tests that were
//! begun here have places of their own, so that strangers cannot crowd them out.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use super::happening::{Happening, Kind};
use super::{Account, MAX_CHECKS, WATCH};
use crate::api::limits::bucket_of;
use crate::turn::TOLD_WHILE_WATCHED;

/// Things that are kept of one username; older ones make room.
const LONGEST: usize = 32;

/// What is older is forgotten. Seconds.
const MEMORY: u64 = 600;

/// Usernames of no test that are kept; the one that was quiet for longest makes room.
const MAX_OTHERS: usize = 512;

/// Seconds between two looks for what is over.
const SWEEP: u64 = 10;

/// The stories of usernames.
#[derive(Debug, Default)]
pub(super) struct Stories {
    by_username: HashMap<Box<str>, Story>,
    usernames_by_check: HashMap<Box<str>, Box<str>>,
    /// Refusals that the relay did not tell.
    pub(super) untold: Untold,
    swept: u64,
    /// How often any story was touched: tells which of two was first in one second.
    touched: u64,
}

#[derive(Debug)]
struct Story {
    /// The oldest first.
    seen: VecDeque<Happening>,
    /// How many had to make room.
    lost: u64,
    /// The last time that something was added or asked.
    touched: u64,
    /// Which touch that was.
    order: u64,
    /// A test's own, until then.
    check_until: Option<u64>,
    /// Since when and until when the relay tells its refusals whatever else there is.
    watched: Option<(u64, u64)>,
    /// Refusals told since then.
    told: u32,
}

impl Stories {
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_username.len()
    }

    pub(super) fn begin(&mut self, now: u64, check: &str, username: &str, until: u64) -> bool {
        self.sweep(now);
        if self.usernames_by_check.len() >= MAX_CHECKS {
            return false;
        }
        let keep_until = until.saturating_add(MEMORY);
        let story = Story {
            check_until: Some(keep_until),
            watched: Some((now, keep_until)),
            ..Story::new(now)
        };
        self.usernames_by_check.insert(check.into(), username.into());
        self.by_username.insert(username.into(), story);
        true
    }

    pub(super) fn add(&mut self, now: u64, username: &str, happening: Happening) {
        if now >= self.swept.saturating_add(SWEEP) {
            self.sweep(now);
        }
        let story = self.story_of(now, username);
        if happening.kind == Kind::Refused {
            story.told = story.told.saturating_add(1);
        }
        if story.seen.len() == LONGEST {
            story.seen.pop_front();
            story.lost += 1;
        }
        story.seen.push_back(happening);
    }

    pub(super) fn of_check(&mut self, now: u64, check: &str) -> Option<Account> {
        self.sweep(now);
        let story = self.by_username.get(self.usernames_by_check.get(check)?)?;
        Some(Account {
            seen: story.lately(now).cloned().collect(),
            missing: story.missing(now, &self.untold),
        })
    }

    pub(super) fn of_username(&mut self, now: u64, username: &str, client: IpAddr) -> Account {
        self.sweep(now);
        self.story_of(now, username);
        let Some(story) = self.by_username.get_mut(username) else { return Account::default() };
        let own = |one: &&Happening| bucket_of(one.client.ip()) == bucket_of(client);
        let seen = story.lately(now).filter(own).cloned().collect();
        let missing = story.missing(now, &self.untold);
        story.watch(now);
        Account { seen, missing }
    }

    /// The story of a username, which was touched now. A new one is of no test; it takes the place of
    /// the one that was quiet for longest.
    fn story_of(&mut self, now: u64, username: &str) -> &mut Story {
        let others = self.by_username.len() - self.usernames_by_check.len();
        if others >= MAX_OTHERS && !self.by_username.contains_key(username) {
            let quiet = self.by_username.iter().filter(|(_, story)| story.check_until.is_none());
            let quiet = quiet.min_by_key(|(_, story)| story.order);
            if let Some(quiet) = quiet.map(|(username, _)| username.clone()) {
                self.by_username.remove(&quiet);
            }
        }
        self.touched += 1;
        let story = self.by_username.entry(username.into()).or_insert_with(|| Story::new(now));
        (story.touched, story.order) = (now, self.touched);
        story
    }

    fn sweep(&mut self, now: u64) {
        self.swept = now;
        self.by_username.retain(|_, story| match story.check_until {
            Some(until) => now <= until,
            None => now <= story.touched.saturating_add(MEMORY),
        });
        let there = &self.by_username;
        self.usernames_by_check.retain(|_, username| there.contains_key(username));
    }
}

impl Story {
    fn new(now: u64) -> Self {
        let seen = VecDeque::new();
        Self { seen, lost: 0, touched: now, order: 0, check_until: None, watched: None, told: 0 }
    }

    /// What may have happened to it and is not told: what made room, and the refusals that the relay
    /// did not tell, whosesoever they were, while it was not watched or was told as many as are told.
    fn missing(&self, now: u64, untold: &Untold) -> u64 {
        let begin = now.saturating_sub(MEMORY);
        let told_all = self.told < TOLD_WHILE_WATCHED;
        let untold = match (self.watched, self.check_until) {
            // It did not exist before its test, and is watched to its end.
            (Some(_), Some(_)) if told_all => 0,
            (Some((from, _)), Some(_)) => untold.between(from, now),
            (Some((from, until)), None) if told_all => {
                untold.between(begin, from) + untold.between(until, now)
            }
            _ => untold.between(begin, now),
        };
        self.lost + untold
    }

    fn lately(&self, now: u64) -> impl Iterator<Item = &Happening> {
        let begin = now.saturating_sub(MEMORY);
        self.seen.iter().filter(move |one| self.check_until.is_some() || one.at >= begin)
    }

    /// It is watched from now on, or on.
    fn watch(&mut self, now: u64) {
        if self.check_until.is_some() {
            return;
        }
        match &mut self.watched {
            Some((_, until)) if now < *until => *until = now + WATCH,
            over => {
                *over = Some((now, now + WATCH));
                self.told = 0;
            }
        }
    }
}

/// How many refusals were not told, by the minute in which that was heard.
#[derive(Debug, Default)]
pub(super) struct Untold(VecDeque<(u64, u64)>);

impl Untold {
    pub(super) fn add(&mut self, now: u64, count: u64) {
        if count == 0 {
            return;
        }
        self.0.retain(|(minute, _)| minute + 1 + MEMORY / 60 >= now / 60);
        match self.0.back_mut() {
            Some((minute, sum)) if *minute == now / 60 => *sum += count,
            _ => self.0.push_back((now / 60, count)),
        }
    }

    /// Rather too many than too few: whole minutes, both ends included.
    fn between(&self, from: u64, to: u64) -> u64 {
        if from > to {
            return 0;
        }
        let minutes = from / 60..=to / 60;
        self.0.iter().filter(|(minute, _)| minutes.contains(minute)).map(|(_, sum)| sum).sum()
    }
}
