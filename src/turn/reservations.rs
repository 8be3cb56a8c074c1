//! Ports kept for a later Allocate (EVEN-PORT with its R bit, RFC 8656 sections 7.2 and 18.7):
//! shared, because the second request comes on another five-tuple and so on any shard.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::ports::PortClaim;
use crate::time::Instant;

/// How long a reserved port waits (RFC 8656 section 7.2: at least 30 s).
pub(super) const RESERVATION: Duration = Duration::from_secs(30);

/// Reservations at once, over all shards; the next EVEN-PORT with R is answered 508.
const MAX_RESERVATIONS: usize = 4096;

/// Reservations of one user at once, who could otherwise reserve every port: they count in no quota.
const MAX_PER_USER: usize = 32;

/// The value of RESERVATION-TOKEN.
pub(super) type Token = [u8; 8];

#[derive(Debug)]
struct Reserved {
    claim: PortClaim,
    user: Arc<str>,
    until: Instant,
}

/// All reservations of a server.
#[derive(Debug)]
pub(super) struct Reservations {
    by_token: Mutex<HashMap<Token, Reserved, FixedState>>,
    /// As many as in the table: lets a shard's tick pass without the lock.
    count: AtomicUsize,
}

impl Reservations {
    pub(super) fn new(seed: u64) -> Self {
        let by_token = Mutex::new(HashMap::with_hasher(FixedState::with_seed(seed)));
        Self { by_token, count: AtomicUsize::new(0) }
    }

    /// Keeps `claim` for whoever brings `token`; gives it back when `user` or all users together have
    /// too many.
    pub(super) fn keep(
        &self,
        now: Instant,
        token: Token,
        claim: PortClaim,
        user: &Arc<str>,
    ) -> Result<(), PortClaim> {
        let mut by_token = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = by_token.values().filter(|reserved| reserved.user == *user);
        if by_token.len() >= MAX_RESERVATIONS || theirs.count() >= MAX_PER_USER {
            return Err(claim);
        }
        let user = Arc::clone(user);
        by_token.insert(token, Reserved { claim, user, until: now + RESERVATION });
        self.count.store(by_token.len(), Relaxed);
        Ok(())
    }

    /// The port kept for `token`: once, and only in time.
    pub(super) fn redeem(&self, now: Instant, token: &Token) -> Option<PortClaim> {
        let mut by_token = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        let reserved = by_token.remove(token)?;
        self.count.store(by_token.len(), Relaxed);
        (now < reserved.until).then_some(reserved.claim)
    }

    /// Frees what nobody came for.
    pub(super) fn expire(&self, now: Instant) {
        if self.is_empty() {
            return;
        }
        let mut by_token = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        by_token.retain(|_, reserved| now < reserved.until);
        self.count.store(by_token.len(), Relaxed);
    }

    /// Whether none waits. No lock.
    pub(super) fn is_empty(&self) -> bool {
        self.count.load(Relaxed) == 0
    }
}
