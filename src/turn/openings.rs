//! How many allocations one credential has opened in its whole life, for those that may not open any
//! number: counted over all shards until the credential expires, by a hash of its username.
//!
//! The table has a bound. A credential that was counted is never forgotten while it is good, because
//! it would be as new again: where there is no room, another one that must be counted is refused.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use sha2::{Digest, Sha256};

use super::settings::QuotaLimits;
use crate::creds::{Allowance, Verified};
use crate::time::{Instant, Now, UnixTime};

/// Credentials counted at once, over all shards: about 20 MB.
const MAX_COUNTED: usize = 262_144;

/// The table is looked through for credentials that have expired when it has doubled since the last
/// time, and has at least so many entries.
const SWEEP_FROM: usize = 1024;

/// Allocations that begin so soon after the first one belong to the same session: a browser opens one
/// for each URL, interface and address family, and a connection over TLS takes its time.
pub(super) const SESSION: Duration = Duration::from_secs(30);

/// Why a credential may open no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spent {
    /// As many as its own username says.
    Allowance(Allowance),
    /// `quota.openings_per_credential`.
    Quota(u32),
    /// Too many others are counted.
    NoRoom,
}

type Key = [u8; 16];

/// What credentials have opened.
#[derive(Debug)]
pub(super) struct Openings {
    salt: [u8; 32],
    capacity: usize,
    counted: Mutex<Counted>,
}

#[derive(Debug)]
struct Counted {
    by_credential: HashMap<Key, Opened, FixedState>,
    /// How many entries make the next sweep.
    sweep_at: usize,
    swept: UnixTime,
}

/// What one credential has opened.
#[derive(Clone, Copy, Debug)]
struct Opened {
    expires: UnixTime,
    allocations: u32,
    sessions: u32,
    /// The last session: when it began, and how many allocations it has.
    began: Instant,
    members: u32,
}

/// One allocation, counted; not counted after all when dropped before it is [kept](Self::keep).
#[derive(Debug)]
pub(super) struct Opening {
    /// None once it is kept.
    openings: Option<Arc<Openings>>,
    key: Key,
    session: u32,
}

impl Openings {
    pub(super) fn new(salt: [u8; 32], seed: u64) -> Self {
        Self::with_capacity(salt, seed, MAX_COUNTED)
    }

    fn with_capacity(salt: [u8; 32], seed: u64, capacity: usize) -> Self {
        let by_credential = HashMap::with_hasher(FixedState::with_seed(seed));
        let counted = Counted { by_credential, sweep_at: SWEEP_FROM, swept: UnixTime(0) };
        Self { salt, capacity, counted: Mutex::new(counted) }
    }

    fn key(&self, username: &str) -> Key {
        let mut hash = Sha256::new_with_prefix(self.salt);
        hash.update(username.as_bytes());
        let mut key = Key::default();
        key.copy_from_slice(&hash.finalize()[..16]);
        key
    }

    /// Takes back an allocation that did not come about.
    fn undo(&self, key: &Key, session: u32) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(opened) = counted.by_credential.get_mut(key) else { return };
        opened.allocations -= 1;
        if opened.sessions == session {
            opened.members -= 1;
            // A session that nothing was opened in was none.
            opened.sessions -= u32::from(opened.members == 0);
        }
        if opened.allocations == 0 {
            counted.by_credential.remove(key);
        }
    }
}

impl Opening {
    /// Counts one more allocation of this credential; `None` where nothing bounds them.
    pub(super) fn take(
        openings: &Arc<Openings>,
        limits: &QuotaLimits,
        now: Now,
        who: &Verified,
    ) -> Result<Option<Self>, Spent> {
        let quota = Some(limits.openings_per_credential).filter(|quota| *quota != 0);
        let Some(expires) = who.expires() else { return Ok(None) };
        if quota.is_none() && who.allowance().is_none() {
            return Ok(None);
        }
        let key = openings.key(who.username());
        let mut counted = openings.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counted.by_credential.get(&key).copied();
        let opened = known.unwrap_or(Opened::nothing(expires)).one_more(now.mono);
        match who.allowance() {
            Some(Allowance::Allocations(most)) if opened.allocations > most => {
                return Err(Spent::Allowance(Allowance::Allocations(most)));
            }
            Some(Allowance::Sessions(most)) if opened.sessions > most => {
                return Err(Spent::Allowance(Allowance::Sessions(most)));
            }
            _ => {}
        }
        if let Some(most) = quota.filter(|most| opened.allocations > *most) {
            return Err(Spent::Quota(most));
        }
        if known.is_none() {
            counted.make_room(now.unix, openings.capacity)?;
        }
        counted.by_credential.insert(key, opened);
        drop(counted);
        Ok(Some(Self { openings: Some(Arc::clone(openings)), key, session: opened.sessions }))
    }

    /// The allocation is open: it counts until the credential expires.
    pub(super) fn keep(mut self) {
        self.openings = None;
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(openings) = &self.openings {
            openings.undo(&self.key, self.session);
        }
    }
}

impl Opened {
    fn nothing(expires: UnixTime) -> Self {
        Self { expires, allocations: 0, sessions: 0, began: Instant::ORIGIN, members: 0 }
    }

    fn one_more(mut self, now: Instant) -> Self {
        self.allocations = self.allocations.saturating_add(1);
        if self.members > 0 && now - self.began < SESSION {
            self.members = self.members.saturating_add(1);
        } else {
            (self.sessions, self.members) = (self.sessions.saturating_add(1), 1);
            self.began = now;
        }
        self
    }
}

impl Counted {
    /// Room for one more; only credentials that have expired are forgotten for it. A full table is
    /// looked through once a second.
    fn make_room(&mut self, now: UnixTime, capacity: usize) -> Result<(), Spent> {
        if self.by_credential.len() < self.sweep_at.min(capacity) {
            return Ok(());
        }
        if self.swept != now {
            self.by_credential.retain(|_, opened| now <= opened.expires);
            self.swept = now;
            self.sweep_at = SWEEP_FROM.max(2 * self.by_credential.len());
            self.by_credential.shrink_to(self.sweep_at);
        }
        match self.by_credential.len() < capacity {
            true => Ok(()),
            false => Err(Spent::NoRoom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: u64 = 1000;

    fn at(seconds: u64) -> Now {
        Now::default().after(Duration::from_secs(seconds))
    }

    fn openings(capacity: usize) -> Arc<Openings> {
        Arc::new(Openings::with_capacity([1; 32], 2, capacity))
    }

    fn take(
        openings: &Arc<Openings>,
        now: Now,
        name: &str,
        allowance: Option<Allowance>,
    ) -> Result<Option<Opening>, Spent> {
        let who = Verified::minted_for_tests(name, UnixTime(END), allowance);
        Opening::take(openings, &QuotaLimits::default(), now, &who)
    }

    /// Opens an allocation for good.
    fn open(openings: &Arc<Openings>, now: Now, name: &str, what: Allowance) -> Result<(), Spent> {
        take(openings, now, name, Some(what)).map(|opening| opening.expect("it is counted").keep())
    }

    fn entries(openings: &Openings) -> usize {
        openings.counted.lock().expect("nobody panicked").by_credential.len()
    }

    #[test]
    fn a_credential_opens_as_many_as_it_says_and_another_its_own() {
        let (openings, two) = (openings(9), Allowance::Allocations(2));
        let seen: Vec<_> = (0..3).map(|n| open(&openings, at(n), "a", two)).collect();
        assert_eq!(seen, [Ok(()), Ok(()), Err(Spent::Allowance(two))]);
        assert_eq!(open(&openings, at(3), "b", two), Ok(()));
    }

    #[test]
    fn what_did_not_come_about_does_not_count() {
        let (openings, one) = (openings(9), Allowance::Allocations(1));
        drop(take(&openings, at(0), "a", Some(one)));
        assert_eq!(entries(&openings), 0);
        assert_eq!(open(&openings, at(1), "a", one), Ok(()));
    }

    #[test]
    fn one_that_is_being_opened_counts() {
        let (openings, one) = (openings(9), Allowance::Allocations(1));
        let first = take(&openings, at(0), "a", Some(one)).expect("the first");
        assert_eq!(open(&openings, at(0), "a", one), Err(Spent::Allowance(one)));
        drop(first);
        assert_eq!(open(&openings, at(0), "a", one), Ok(()));
    }

    #[test]
    fn a_session_is_what_begins_within_half_a_minute() {
        let (openings, one) = (openings(9), Allowance::Sessions(1));
        let times = [0, 1, 29, 30];
        let seen = times.map(|second| open(&openings, at(second), "a", one));
        assert_eq!(seen, [Ok(()), Ok(()), Ok(()), Err(Spent::Allowance(one))]);
    }

    #[test]
    fn a_session_in_which_nothing_was_opened_is_none() {
        let (openings, two) = (openings(9), Allowance::Sessions(2));
        assert_eq!(open(&openings, at(0), "a", two), Ok(()));
        drop(take(&openings, at(40), "a", Some(two)));
        assert_eq!(open(&openings, at(80), "a", two), Ok(()));
        assert_eq!(open(&openings, at(120), "a", two), Err(Spent::Allowance(two)));
    }

    #[test]
    fn the_quota_counts_every_minted_credential_and_no_static_user() {
        let openings = openings(9);
        let limits = QuotaLimits { openings_per_credential: 1, ..QuotaLimits::default() };
        let minted = Verified::minted_for_tests("a", UnixTime(END), None);
        let again = || Opening::take(&openings, &limits, at(0), &minted);
        again().expect("the first").expect("it is counted").keep();
        assert_eq!(again().map(drop), Err(Spent::Quota(1)));
        let fixed = Verified::for_tests("alice");
        assert!(matches!(Opening::take(&openings, &limits, at(0), &fixed), Ok(None)));
    }

    #[test]
    fn what_is_not_bounded_is_not_counted() {
        let openings = openings(0);
        assert!(matches!(take(&openings, at(0), "a", None), Ok(None)));
    }

    /// Otherwise whoever has many credentials makes used ones as new again.
    #[test]
    fn a_full_table_forgets_only_what_has_expired() {
        let (openings, one) = (openings(2), Allowance::Allocations(1));
        assert_eq!(open(&openings, at(0), "a", one), Ok(()));
        assert_eq!(open(&openings, at(0), "b", one), Ok(()));
        assert_eq!(open(&openings, at(1), "c", one), Err(Spent::NoRoom));
        assert_eq!(open(&openings, at(END), "a", one), Err(Spent::Allowance(one)));
        assert_eq!(open(&openings, at(END + 1), "c", one), Ok(()));
        assert_eq!(entries(&openings), 1);
    }

    #[test]
    fn expired_credentials_are_swept_long_before_the_table_is_full() {
        let (openings, one) = (openings(MAX_COUNTED), Allowance::Allocations(1));
        for n in 0..SWEEP_FROM {
            assert_eq!(open(&openings, at(0), &n.to_string(), one), Ok(()));
        }
        assert_eq!(open(&openings, at(END + 1), "late", one), Ok(()));
        assert_eq!(entries(&openings), 1);
    }
}
