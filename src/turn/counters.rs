//! Numbers of one shard. One thread writes, any thread reads: a store is all an increment costs.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::event::EndReason;
use super::verdict::DropReason;

/// The STUN error codes that are counted on their own; anything else is counted as `other`.
pub(super) const REFUSAL_CODES: [u16; 14] =
    [300, 400, 401, 403, 405, 420, 437, 438, 440, 441, 442, 443, 486, 508];

/// Counters of one shard, written by its thread alone.
#[derive(Debug, Default)]
pub struct Counters {
    pub(super) allocations: AtomicU64,
    pub(super) allocations_total: AtomicU64,
    pub(super) allocations_ended: [AtomicU64; EndReason::ALL.len()],
    pub(super) allocations_refused: [AtomicU64; REFUSAL_CODES.len() + 1],
    pub(super) requests_refused: [AtomicU64; REFUSAL_CODES.len() + 1],
    pub(super) authentication_failures: AtomicU64,
    pub(super) bindings: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) connections_total: AtomicU64,
    pub(super) packets_up: AtomicU64,
    pub(super) packets_down: AtomicU64,
    pub(super) bytes_up: AtomicU64,
    pub(super) bytes_down: AtomicU64,
    pub(super) drops: [AtomicU64; DropReason::ALL.len()],
}

/// A reading of [`Counters`], of one shard or (added up) of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Allocations open now.
    pub allocations: u64,
    /// Allocations opened since the start.
    pub allocations_total: u64,
    /// Allocations that ended, by reason, in the order of [`EndReason::ALL`].
    pub allocations_ended: Vec<(EndReason, u64)>,
    /// Allocate requests refused, by STUN error code (0: any other).
    pub allocations_refused: Vec<(u16, u64)>,
    /// Other requests refused (Refresh, CreatePermission, ChannelBind …), by STUN error code (0: any
    /// other).
    pub requests_refused: Vec<(u16, u64)>,
    /// Requests with credentials that did not hold (401 after a nonce, 441).
    pub authentication_failures: u64,
    /// Binding requests answered.
    pub bindings: u64,
    /// TCP connections to peers (RFC 6062) that are there now, whatever their state.
    pub connections: u64,
    /// TCP connections to peers that were bound since the start.
    pub connections_total: u64,
    /// Packets relayed from clients to peers.
    pub packets_up: u64,
    /// Packets relayed from peers to clients.
    pub packets_down: u64,
    /// Payload bytes relayed from clients to peers.
    pub bytes_up: u64,
    /// Payload bytes relayed from peers to clients.
    pub bytes_down: u64,
    /// Packets dropped, by reason, in the order of [`DropReason::ALL`].
    pub drops: Vec<(DropReason, u64)>,
}

/// One more. Not a read-modify-write: only the shard's own thread writes.
pub(super) fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(count), Relaxed);
}

/// One less.
pub(super) fn subtract(gauge: &AtomicU64, count: u64) {
    gauge.store(gauge.load(Relaxed).saturating_sub(count), Relaxed);
}

impl Counters {
    pub(super) fn dropped(&self, reason: DropReason) {
        add(&self.drops[reason as usize], 1);
    }

    pub(super) fn allocation_ended(&self, reason: EndReason) {
        add(&self.allocations_ended[reason as usize], 1);
        subtract(&self.allocations, 1);
    }

    pub(super) fn allocation_refused(&self, code: u16) {
        add(&self.allocations_refused[place(code)], 1);
    }

    /// A request other than Allocate.
    pub(super) fn request_refused(&self, code: u16) {
        add(&self.requests_refused[place(code)], 1);
    }

    /// What the counters say now.
    pub fn snapshot(&self) -> Snapshot {
        let codes = || REFUSAL_CODES.into_iter().chain([0]);
        Snapshot {
            allocations: self.allocations.load(Relaxed),
            allocations_total: self.allocations_total.load(Relaxed),
            allocations_ended: EndReason::ALL
                .into_iter()
                .zip(self.allocations_ended.iter().map(read))
                .collect(),
            allocations_refused: codes().zip(self.allocations_refused.iter().map(read)).collect(),
            requests_refused: codes().zip(self.requests_refused.iter().map(read)).collect(),
            authentication_failures: self.authentication_failures.load(Relaxed),
            bindings: self.bindings.load(Relaxed),
            connections: self.connections.load(Relaxed),
            connections_total: self.connections_total.load(Relaxed),
            packets_up: self.packets_up.load(Relaxed),
            packets_down: self.packets_down.load(Relaxed),
            bytes_up: self.bytes_up.load(Relaxed),
            bytes_down: self.bytes_down.load(Relaxed),
            drops: DropReason::ALL.into_iter().zip(self.drops.iter().map(read)).collect(),
        }
    }
}

/// Where a code is counted.
fn place(code: u16) -> usize {
    REFUSAL_CODES.iter().position(|known| *known == code).unwrap_or(REFUSAL_CODES.len())
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Relaxed)
}

impl Snapshot {
    /// Adds another shard's reading to this one.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        if self.drops.is_empty() {
            return other.clone();
        }
        self.allocations += other.allocations;
        self.allocations_total += other.allocations_total;
        self.authentication_failures += other.authentication_failures;
        self.bindings += other.bindings;
        self.connections += other.connections;
        self.connections_total += other.connections_total;
        self.packets_up += other.packets_up;
        self.packets_down += other.packets_down;
        self.bytes_up += other.bytes_up;
        self.bytes_down += other.bytes_down;
        for (mine, theirs) in self.allocations_ended.iter_mut().zip(&other.allocations_ended) {
            mine.1 += theirs.1;
        }
        for (mine, theirs) in self.allocations_refused.iter_mut().zip(&other.allocations_refused) {
            mine.1 += theirs.1;
        }
        for (mine, theirs) in self.requests_refused.iter_mut().zip(&other.requests_refused) {
            mine.1 += theirs.1;
        }
        for (mine, theirs) in self.drops.iter_mut().zip(&other.drops) {
            mine.1 += theirs.1;
        }
        self
    }
}
