//! What the shards of one server share: touched per allocation, not per packet (but for a bit that
//! says whether a port of ours is live, and the server-wide bandwidth where one is set).

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering::Relaxed};

use super::bandwidth::SharedBucket;
use super::event::AllocationId;
use super::openings::Openings;
use super::ports::Ports;
use super::quota::Quotas;
use super::random::Random;
use super::reservations::Reservations;
use super::settings::Settings;

/// Ports in use, reservations, quotas and what credentials have opened, for all shards of a server.
#[derive(Debug)]
pub struct Shared {
    pub(super) ports: Arc<Ports>,
    pub(super) quotas: Arc<Quotas>,
    pub(super) openings: Arc<Openings>,
    pub(super) reservations: Reservations,
    pub(super) bandwidth: SharedBucket,
    next_id: AtomicU64,
    /// One more than the highest number of a shard.
    shards: AtomicU16,
}

impl Shared {
    /// Nothing in use. The relay addresses and the port range are those of `settings` for good;
    /// `seed` keeps the tables flat under hostile keys.
    pub fn new(settings: &Settings, seed: [u8; 32]) -> Self {
        let mut random = Random::new(seed);
        let mut number = || u64::from_be_bytes(random.bytes());
        Self {
            ports: Arc::new(Ports::new(settings.ports.clone(), settings.relay_addresses.len())),
            quotas: Arc::new(Quotas::new(number())),
            reservations: Reservations::new(number()),
            openings: Arc::new(Openings::new(random.bytes(), u64::from_be_bytes(random.bytes()))),
            bandwidth: SharedBucket::default(),
            next_id: AtomicU64::new(1),
            shards: AtomicU16::new(0),
        }
    }

    /// Allocations open or being opened, over all shards.
    pub fn allocations(&self) -> u32 {
        self.quotas.total()
    }

    /// Relay ports in use or reserved, over all shards.
    pub fn ports_taken(&self) -> usize {
        self.ports.taken()
    }

    /// A shard of this number is at work.
    pub(super) fn enter(&self, shard: u8) {
        self.shards.fetch_max(u16::from(shard) + 1, Relaxed);
    }

    pub(super) fn has_shard(&self, shard: u8) -> bool {
        u16::from(shard) < self.shards.load(Relaxed)
    }

    pub(super) fn new_id(&self) -> AllocationId {
        AllocationId(self.next_id.fetch_add(1, Relaxed))
    }
}
