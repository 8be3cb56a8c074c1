//! How often somebody may be wrong: per address, and per account over all addresses.
//!
//! Only failures count; a login that succeeds gives back what it took. A stranger who spends an
//! account's attempts does not lock its owner out: where somebody has logged in from before, they
//! have attempts of their own. The tables have a fixed size and forget by overwriting, so that no
//! flood of names or addresses makes them grow; which names share a place nobody outside can know.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::api::errors::{ApiError, Code};
use crate::api::limits::bucket_of;
use crate::time::Instant;

/// Places in each table.
const PLACES: usize = 16_384;
const MINUTE: u64 = 60 * 1_000_000_000;

/// The failures of everybody.
pub(super) struct Attempts {
    addresses: Throttle,
    accounts: Throttle,
    /// Accounts from where their owner is known to come.
    pairs: Throttle,
    known: Known,
}

/// One attempt under way. Dropped, it was a failure.
pub(super) struct Attempt<'a> {
    of: &'a Attempts,
    pair: (String, IpAddr),
    is_known: bool,
}

impl Attempts {
    /// So many failures a minute, and at once, from one address and on one account.
    pub(super) fn new(per_address: NonZeroU32, per_account: NonZeroU32) -> Self {
        Self {
            addresses: Throttle::per_minute(per_address),
            accounts: Throttle::per_minute(per_account),
            pairs: Throttle::per_minute(per_address),
            known: Known::new(),
        }
    }

    /// Begins an attempt on the account `name`, whether it exists or not.
    pub(super) fn begin(
        &self,
        client: IpAddr,
        name: &str,
        now: Instant,
    ) -> Result<Attempt<'_>, ApiError> {
        let pair = (name.to_owned(), bucket_of(client));
        let is_known = self.known.contains(&pair);
        if is_known {
            self.pairs.take(&pair, now).map_err(refused)?;
        } else {
            self.addresses.take(&pair.1, now).map_err(refused)?;
            if let Err(wait) = self.accounts.take(&pair.0, now) {
                self.addresses.give_back(&pair.1);
                return Err(refused(wait));
            }
        }
        Ok(Attempt { of: self, pair, is_known })
    }
}

impl Attempt<'_> {
    /// It was the right password.
    pub(super) fn succeeded(self) {
        self.of.known.insert(&self.pair);
        self.undone();
    }

    /// It was not looked at.
    pub(super) fn undone(self) {
        if self.is_known {
            self.of.pairs.give_back(&self.pair);
        } else {
            self.of.addresses.give_back(&self.pair.1);
            self.of.accounts.give_back(&self.pair.0);
        }
    }
}

fn refused(wait: u64) -> ApiError {
    ApiError::with(Code::RateLimited, "Too many failed logins.")
        .retry_after(wait / 1_000_000_000 + 1)
}

/// Token buckets by hashed key: each place holds when its bucket will be full again, in nanoseconds.
struct Throttle {
    places: Box<[AtomicU64]>,
    hasher: RandomState,
    /// Between two tokens.
    interval: u64,
}

impl Throttle {
    fn per_minute(count: NonZeroU32) -> Self {
        Self {
            places: places(),
            hasher: RandomState::new(),
            interval: MINUTE / u64::from(count.get()),
        }
    }

    /// Takes one, or says how long to wait.
    fn take(&self, key: &impl Hash, now: Instant) -> Result<(), u64> {
        let now = now.as_nanos();
        let taken = |full: u64| {
            let next = full.max(now) + self.interval;
            (next - now <= MINUTE).then_some(next)
        };
        let place = self.place(key);
        let update = place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
        update.map(drop).map_err(|full| full + self.interval - now - MINUTE)
    }

    fn give_back(&self, key: &impl Hash) {
        let back = |full: u64| Some(full.saturating_sub(self.interval));
        let _ = self.place(key).fetch_update(Ordering::Relaxed, Ordering::Relaxed, back);
    }

    fn place(&self, key: &impl Hash) -> &AtomicU64 {
        &self.places[index(self.hasher.hash_one(key))]
    }
}

/// Keys that were seen, until another one takes their place.
struct Known {
    places: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Known {
    fn new() -> Self {
        Self { places: places(), hasher: RandomState::new() }
    }

    fn insert(&self, key: &impl Hash) {
        let hash = self.hasher.hash_one(key);
        self.places[index(hash)].store(hash, Ordering::Relaxed);
    }

    fn contains(&self, key: &impl Hash) -> bool {
        let hash = self.hasher.hash_one(key);
        self.places[index(hash)].load(Ordering::Relaxed) == hash
    }
}

fn places() -> Box<[AtomicU64]> {
    (0..PLACES).map(|_| AtomicU64::new(0)).collect()
}

fn index(hash: u64) -> usize {
    // The remainder is below PLACES, whatever the width of usize.
    (hash % PLACES as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOW: Instant = Instant::from_nanos(5 * MINUTE);

    fn attempts(per_address: u32, per_account: u32) -> Attempts {
        let count = |n| NonZeroU32::new(n).unwrap();
        Attempts::new(count(per_address), count(per_account))
    }

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn fails(attempts: &Attempts, client: u8, name: &str) -> bool {
        attempts.begin(address(client), name, NOW).map(drop).is_ok()
    }

    #[test]
    fn an_address_may_be_wrong_so_often_and_then_waits() {
        let attempts = attempts(3, 100);
        assert!((0..3).all(|n| fails(&attempts, 1, &format!("user{n}"))));
        assert!(!fails(&attempts, 1, "another"));
        assert!(fails(&attempts, 2, "another"));
        let later = NOW + Duration::from_secs(21);
        assert!(attempts.begin(address(1), "another", later).is_ok());
    }

    #[test]
    fn an_account_may_be_tried_so_often_from_everywhere() {
        let attempts = attempts(3, 5);
        assert!((0..5).all(|n| fails(&attempts, n, "alice")));
        assert!(!fails(&attempts, 9, "alice"));
        assert!(fails(&attempts, 9, "bob"));
    }

    #[test]
    fn what_succeeds_costs_nothing() {
        let attempts = attempts(1, 1);
        for _ in 0..10 {
            attempts.begin(address(1), "alice", NOW).map(Attempt::succeeded).unwrap();
        }
        attempts.begin(address(2), "bob", NOW).map(Attempt::undone).unwrap();
        assert!(fails(&attempts, 2, "bob"));
    }

    #[test]
    fn strangers_do_not_lock_out_somebody_who_has_been_here() {
        let attempts = attempts(3, 5);
        attempts.begin(address(1), "alice", NOW).map(Attempt::succeeded).unwrap();
        assert_eq!((0..20).filter(|n| fails(&attempts, 100 + n, "alice")).count(), 5);
        assert!(!fails(&attempts, 50, "alice"));
        attempts.begin(address(1), "alice", NOW).map(Attempt::succeeded).unwrap();
        // But whoever comes from there guesses no more than others.
        assert!((0..3).all(|_| fails(&attempts, 1, "alice")));
        assert!(!fails(&attempts, 1, "alice"));
    }
}
