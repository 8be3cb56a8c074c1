//! What the driver itself counts, beside the machine's [`Counters`](crate::turn::Counters).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Numbers of one shard's sockets: its thread writes, any thread reads. They outlive a restart of
/// the shard.
#[derive(Debug, Default)]
pub(super) struct Stats {
    /// Datagrams the kernel dropped because a receive buffer was full.
    pub(super) kernel_drops: AtomicU64,
    /// Datagrams the kernel did not take.
    pub(super) send_drops: AtomicU64,
    /// Trains of datagrams the kernel did not take; the datagrams went alone.
    pub(super) refused_trains: AtomicU64,
    /// Lanes opened for clients that filled a listener's queue.
    pub(super) lanes: AtomicU64,
    /// Received datagrams that were cut, came from no address, or came to a lane by mistake, and were dropped.
    pub(super) receive_drops: AtomicU64,
    /// Messages a client did not read in time.
    pub(super) slow_client_drops: AtomicU64,
    /// Connections that idled too long.
    pub(super) idle_closes: AtomicU64,
    /// Connections that brought nonsense.
    pub(super) broken_closes: AtomicU64,
    /// ICMP messages about datagrams to peers.
    pub(super) icmp_errors: AtomicU64,
    /// Events nobody fetched in time.
    pub(super) events_lost: AtomicU64,
    /// How often the shard was started anew after a bug.
    pub(super) restarts: AtomicU64,
}

/// `count` more. Not a read-modify-write: only the shard's own thread writes.
pub(super) fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(count), Relaxed);
}
