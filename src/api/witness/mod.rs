//! What the relay reported lately: the last refusals, for operators, and what happened to each of a
//! bounded number of usernames, for whoever tests a connection and is shown only codes by its
//! browser.

mod happening;
mod stories;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) use happening::{Happening, Refusal};
use stories::Stories;

use crate::time::UnixTime;
use crate::turn::Event;

/// Refusals that are kept; older ones make room.
pub const MAX_REFUSALS: usize = 512;

/// Tests of a connection at once. One more is told to come again.
pub const MAX_CHECKS: usize = 1024;

/// Keeps what the relay reports. Everything it keeps has a bound.
#[derive(Debug, Default)]
pub struct Witness(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    /// The oldest first.
    refusals: VecDeque<Refusal>,
    stories: Stories,
}

/// What is known of one username.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// The oldest first.
    pub(super) seen: Vec<Happening>,
    /// So many more may have happened.
    pub(super) missing: u64,
}

impl Witness {
    /// Keeps one event of the relay, which was read at `now`.
    pub fn saw(&self, now: UnixTime, event: &Event) {
        let now = now.0;
        let mut memory = self.memory();
        match event {
            Event::AllocationOpened { flow, username, relayed, .. } => {
                memory.stories.add(now, username, Happening::opened(now, flow, relayed));
            }
            Event::AllocationClosed(summary) => {
                memory.stories.add(now, &summary.username, Happening::closed(now, summary));
            }
            Event::Refused { flow, method, code, why, username, suppressed } => {
                memory.stories.untold.add(now, *suppressed);
                if let Some(username) = username {
                    let refused = Happening::refused(now, flow, method, *code, why);
                    memory.stories.add(now, username, refused);
                }
                if memory.refusals.len() == MAX_REFUSALS {
                    memory.refusals.pop_front();
                }
                let username = username.as_deref();
                let refusal = Refusal::new(now, flow, method, *code, why, username);
                memory.refusals.push_back(refusal);
            }
            Event::BandwidthExceeded { .. } => {}
        }
    }

    /// The last refusals, the newest first, `limit` at most.
    pub(super) fn refusals(&self, limit: usize) -> Vec<Refusal> {
        self.memory().refusals.iter().rev().take(limit).cloned().collect()
    }

    /// A test begins, of the credential with this username. False if there are too many.
    pub(super) fn begin(
        &self,
        now: UnixTime,
        check: &str,
        username: &str,
        until: UnixTime,
    ) -> bool {
        self.memory().stories.begin(now.0, check, username, until.0)
    }

    /// What was seen of a test; `None` where there is none of this name.
    pub(super) fn of_check(&self, now: UnixTime, check: &str) -> Option<Account> {
        self.memory().stories.of_check(now.0, check)
    }

    /// What was seen of a username from this client's own address. The relay must be asked to watch
    /// it for [`WATCH`] from now on.
    pub(super) fn of_username(&self, now: UnixTime, username: &str, client: IpAddr) -> Account {
        self.memory().stories.of_username(now.0, username, client)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For how long a username that somebody asked about is watched. Seconds.
pub(super) const WATCH: u64 = 120;

#[cfg(test)]
mod tests;
