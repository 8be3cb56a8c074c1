//! Rate limits per client address or API key: token buckets in tables of bounded size.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use super::errors::{ApiError, Code};

/// Addresses (or keys) one limiter remembers at most; when so many are active, newcomers are told to wait.
pub const MAX_TRACKED: usize = 65_536;

/// Requests a minute, and at once, from one address (IPv6: one /64).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Tests of a connection.
    pub checks: NonZeroU32,
    /// Questions about what became of a username.
    pub lookups: NonZeroU32,
    /// Join codes that devices try to accept.
    pub join_codes: NonZeroU32,
    /// Looks at join codes and meetings: clients that ask again every second.
    pub polls: NonZeroU32,
    /// Whatever else is written down or given out: invites, tickets, decisions about rooms and people
    /// in them, renewed sessions and tokens, pairings that are ended.
    pub changes: NonZeroU32,
    /// Redeemed invites.
    pub redeem: NonZeroU32,
    /// New rooms.
    pub rooms: NonZeroU32,
    /// Refused keys and tickets; further ones are answered `429`.
    pub failures: NonZeroU32,
    /// WebSockets opened.
    pub websockets: NonZeroU32,
    /// Wrong passwords.
    pub logins: NonZeroU32,
    /// Wrong passwords for one account, from everywhere together.
    pub logins_per_account: NonZeroU32,
    /// Credentials for the relay, to whoever has no API key; `None` is no limit.
    pub ice_per_address: Option<NonZeroU32>,
    /// Credentials for the relay, to one API key; `None` is no limit.
    pub ice_per_key: Option<NonZeroU32>,
}

impl Default for RateLimits {
    fn default() -> Self {
        // A classroom behind one address comes in; a guesser of 128 bits does not.
        let per_minute = |count| NonZeroU32::new(count).expect("a constant above zero");
        Self {
            checks: per_minute(20),
            lookups: per_minute(120),
            // A code has six digits or so: whoever tries all of them must need longer than it lasts.
            join_codes: per_minute(30),
            polls: per_minute(600),
            changes: per_minute(600),
            redeem: per_minute(60),
            rooms: per_minute(60),
            failures: per_minute(30),
            // Everybody of a school comes back at once after a restart.
            websockets: per_minute(600),
            logins: per_minute(10),
            // More than any three addresses have.
            logins_per_account: per_minute(30),
            ice_per_address: Some(per_minute(120)),
            ice_per_key: Some(per_minute(6000)),
        }
    }
}

/// Per client address.
pub(super) type Limiter = KeyedLimiter<IpAddr>;

pub(super) struct KeyedLimiter<K: Clone + Eq + Hash> {
    buckets: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    /// Entries after the last shrinking plus checks since: never less than the table's size.
    tracked: AtomicUsize,
}

impl<K: Clone + Eq + Hash> KeyedLimiter<K> {
    pub(super) fn per_minute(count: NonZeroU32) -> Self {
        Self {
            buckets: DefaultKeyedRateLimiter::dashmap(Quota::per_minute(count)),
            clock: DefaultClock::default(),
            tracked: AtomicUsize::new(0),
        }
    }

    /// Takes one token of the key; when there is none, says how many seconds to wait.
    pub(super) fn take(&self, key: &K) -> Result<(), u64> {
        if self.tracked.fetch_add(1, Ordering::Relaxed) >= MAX_TRACKED {
            self.shrink();
            if self.tracked.load(Ordering::Relaxed) >= MAX_TRACKED {
                return Err(60);
            }
        }
        self.buckets.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            wait.as_secs() + 1
        })
    }

    /// Forgets keys whose bucket is full again.
    pub(super) fn shrink(&self) {
        self.buckets.retain_recent();
        self.buckets.shrink_to_fit();
        self.tracked.store(self.buckets.len(), Ordering::Relaxed);
    }
}

impl Limiter {
    /// Takes one token of the address.
    pub(super) fn check(&self, client: IpAddr) -> Result<(), ApiError> {
        let taken = self.take(&bucket_of(client));
        taken.map_err(|wait| ApiError::new(Code::RateLimited).retry_after(wait))
    }
}

/// A limiter that may not be there.
pub(super) struct Bounded<K: Clone + Eq + Hash>(Option<KeyedLimiter<K>>);

impl<K: Clone + Eq + Hash> Bounded<K> {
    fn new(per_minute: Option<NonZeroU32>) -> Self {
        Self(per_minute.map(KeyedLimiter::per_minute))
    }

    /// Takes one token of the key; when there is none, says how many seconds to wait.
    pub(super) fn check(&self, key: &K) -> Result<(), u64> {
        self.0.as_ref().map_or(Ok(()), |limiter| limiter.take(key))
    }

    fn shrink(&self) {
        if let Some(limiter) = &self.0 {
            limiter.shrink();
        }
    }
}

/// A household has a /64, and changes addresses within it at will.
pub(super) fn bucket_of(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

/// The limiters of the API.
pub(super) struct Limiters {
    pub(super) checks: Limiter,
    pub(super) lookups: Limiter,
    pub(super) join_codes: Limiter,
    pub(super) polls: Limiter,
    pub(super) changes: Limiter,
    pub(super) redeem: Limiter,
    pub(super) rooms: Limiter,
    pub(super) failures: Limiter,
    pub(super) websockets: Limiter,
    pub(super) ice_per_address: Bounded<IpAddr>,
    pub(super) ice_per_key: Bounded<String>,
}

impl Limiters {
    pub(super) fn new(limits: RateLimits) -> Self {
        Self {
            checks: Limiter::per_minute(limits.checks),
            lookups: Limiter::per_minute(limits.lookups),
            join_codes: Limiter::per_minute(limits.join_codes),
            polls: Limiter::per_minute(limits.polls),
            changes: Limiter::per_minute(limits.changes),
            redeem: Limiter::per_minute(limits.redeem),
            rooms: Limiter::per_minute(limits.rooms),
            failures: Limiter::per_minute(limits.failures),
            websockets: Limiter::per_minute(limits.websockets),
            ice_per_address: Bounded::new(limits.ice_per_address),
            ice_per_key: Bounded::new(limits.ice_per_key),
        }
    }

    pub(super) fn shrink(&self) {
        self.checks.shrink();
        self.lookups.shrink();
        self.join_codes.shrink();
        self.polls.shrink();
        self.changes.shrink();
        self.redeem.shrink();
        self.rooms.shrink();
        self.failures.shrink();
        self.websockets.shrink();
        self.ice_per_address.shrink();
        self.ice_per_key.shrink();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(count: u32) -> Limiter {
        Limiter::per_minute(NonZeroU32::new(count).unwrap())
    }

    #[test]
    fn an_address_that_asked_too_often_waits_and_others_do_not() {
        let limiter = limiter(2);
        let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert!(limiter.check(a).is_ok() && limiter.check(a).is_ok());
        assert_eq!(limiter.check(a).unwrap_err().code(), Code::RateLimited);
        assert!(limiter.check(b).is_ok());
    }

    #[test]
    fn one_network_is_one_client_under_ipv6() {
        let limiter = limiter(1);
        assert!(limiter.check("2001:db8::1".parse().unwrap()).is_ok());
        assert!(limiter.check("2001:db8::2".parse().unwrap()).is_err());
        assert!(limiter.check("2001:db8:0:1::1".parse().unwrap()).is_ok());
    }

    #[test]
    fn the_table_has_a_bound() {
        let limiter = limiter(1);
        let address = |n: usize| IpAddr::from([10, (n >> 16) as u8, (n >> 8) as u8, n as u8]);
        assert!((0..MAX_TRACKED).all(|n| limiter.check(address(n)).is_ok()));
        assert!(limiter.check(address(MAX_TRACKED)).is_err());
        assert!(limiter.buckets.len() <= MAX_TRACKED);
    }
}
