//! How many allocations there may be: in total, per user, per credential and per client address.
//! An entry goes with its last allocation, so the table never outgrows what is open.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::bandwidth::UserBuckets;
use super::settings::QuotaLimits;
use crate::creds::Verified;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Holder {
    User(Arc<str>),
    Credential(Arc<str>),
    Address(IpAddr),
}

/// Which quota refused an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuotaRefusal {
    /// `quota.allocations`: 508.
    Server,
    /// `quota.allocations_per_user`: 486.
    User,
    /// `quota.allocations_per_credential`: 486.
    Credential,
    /// `quota.allocations_per_address`: 486.
    Address,
}

/// What is held, over all shards.
#[derive(Debug)]
pub(super) struct Quotas {
    total: AtomicU32,
    held: Mutex<HashMap<Holder, Held, FixedState>>,
}

/// What one holder has.
#[derive(Debug, Default)]
struct Held {
    allocations: u32,
    /// A user's alone.
    bandwidth: Option<Arc<UserBuckets>>,
}

/// One allocation's share of every quota; gives it back when dropped.
#[derive(Debug)]
pub(super) struct Grant {
    quotas: Arc<Quotas>,
    holders: [Holder; 3],
    bandwidth: Arc<UserBuckets>,
}

impl Quotas {
    pub(super) fn new(seed: u64) -> Self {
        let held = HashMap::with_hasher(FixedState::with_seed(seed));
        Self { total: AtomicU32::new(0), held: Mutex::new(held) }
    }

    /// Allocations held, over all shards.
    pub(super) fn total(&self) -> u32 {
        self.total.load(Relaxed)
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn release(&self, holders: &[Holder]) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for holder in holders {
            if let Some(theirs) = held.get_mut(holder) {
                theirs.allocations -= 1;
                if theirs.allocations == 0 {
                    held.remove(holder);
                }
            }
        }
        self.total.fetch_sub(1, Relaxed);
    }
}

impl Grant {
    /// Takes one allocation's share, or none at all.
    pub(super) fn take(
        quotas: &Arc<Quotas>,
        limits: &QuotaLimits,
        who: &Verified,
        client: IpAddr,
    ) -> Result<Self, QuotaRefusal> {
        let holders = [
            Holder::User(Arc::clone(who.user())),
            Holder::Credential(Arc::clone(who.username())),
            Holder::Address(site(client)),
        ];
        let bounds = [
            (limits.per_user, QuotaRefusal::User),
            (limits.per_credential, QuotaRefusal::Credential),
            (limits.per_address, QuotaRefusal::Address),
        ];
        let mut held = quotas.held.lock().unwrap_or_else(PoisonError::into_inner);
        if limits.allocations != 0 && quotas.total() >= limits.allocations {
            return Err(QuotaRefusal::Server);
        }
        for (holder, (bound, refusal)) in holders.iter().zip(bounds) {
            if bound != 0 && held.get(holder).is_some_and(|held| held.allocations >= bound) {
                return Err(refusal);
            }
        }
        for holder in &holders {
            held.entry(holder.clone()).or_default().allocations += 1;
        }
        let user = held.entry(holders[0].clone()).or_default();
        let bandwidth = Arc::clone(user.bandwidth.get_or_insert_default());
        quotas.total.fetch_add(1, Relaxed);
        drop(held);
        Ok(Self { quotas: Arc::clone(quotas), holders, bandwidth })
    }

    /// The buckets that the user's allocations share.
    pub(super) fn bandwidth(&self) -> &UserBuckets {
        &self.bandwidth
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.quotas.release(&self.holders);
    }
}

/// Whom an address stands for: an IPv6 host has a whole /64 to choose from. A mapped IPv4 address is
/// that IPv4 address.
pub(super) fn site(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_goes_with_its_last_allocation() {
        let quotas = Arc::new(Quotas::new(1));
        let limits = QuotaLimits::default();
        let take = |name: &str, host: u8| {
            let who = Verified::for_tests(name);
            Grant::take(&quotas, &limits, &who, [192, 0, 2, host].into()).expect("no limit")
        };
        let grants = [take("alice", 1), take("alice", 1), take("bob", 1)];
        assert_eq!(quotas.total(), 3);
        assert_eq!(quotas.entries(), 5);
        drop(grants);
        assert_eq!((quotas.total(), quotas.entries()), (0, 0));
    }

    /// A dual-stack socket shows IPv4 clients as mapped addresses, which all lie in one /64.
    #[test]
    fn mapped_ipv4_clients_are_not_one_site() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(site(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
        assert_eq!(site(ip("2001:db8::1:2")), ip("2001:db8::"));
    }

    #[test]
    fn a_refused_grant_takes_nothing() {
        let quotas = Arc::new(Quotas::new(1));
        let limits = QuotaLimits { per_address: 1, ..QuotaLimits::default() };
        let who = Verified::for_tests("alice");
        let client = [192, 0, 2, 1].into();
        let first = Grant::take(&quotas, &limits, &who, client).expect("the first");
        assert_eq!(
            Grant::take(&quotas, &limits, &who, client).map(drop),
            Err(QuotaRefusal::Address)
        );
        assert_eq!(quotas.total(), 1);
        drop(first);
        assert_eq!(quotas.entries(), 0);
    }
}
