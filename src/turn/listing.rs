//! What an operator sees of a shard's allocations, and how one is ended. Nothing here is on a
//! packet's way; whoever asks, asks for a bounded number of them at a time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::allocation::{Allocation, Phase};
use super::event::{AllocationId, EndReason};
use super::relay::Relay;
use crate::net::Flow;
use crate::time::{Instant, Now};

/// One open allocation at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocationView {
    /// Which.
    pub id: AllocationId,
    /// The client's five-tuple.
    pub flow: Flow,
    /// Whom quotas count: the username without its timestamp.
    pub user: Arc<str>,
    /// The username that the client authenticated with.
    pub username: Arc<str>,
    /// The relayed transport address(es), as told to the client.
    pub relayed: Vec<SocketAddr>,
    /// How long it has been open.
    pub age: Duration,
    /// How long until it ends, unless it is refreshed.
    pub expires_in: Duration,
    /// Permissions that hold.
    pub permissions: usize,
    /// Channels that are bound.
    pub channels: usize,
    /// Payload bytes from the client to peers.
    pub bytes_up: u64,
    /// Payload bytes from peers to the client.
    pub bytes_down: u64,
    /// Packets from the client to peers.
    pub packets_up: u64,
    /// Packets from peers to the client.
    pub packets_down: u64,
    /// Bytes a second from the client, over the last few seconds.
    pub rate_up: u64,
    /// Bytes a second to the client, over the last few seconds.
    pub rate_down: u64,
}

/// Some of a shard's allocations, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Those that were asked for, in the order of their ids.
    pub allocations: Vec<AllocationView>,
    /// The last one that was looked at, if there may be more behind it.
    pub more_after: Option<AllocationId>,
}

impl Relay {
    /// The open allocations with an id above `after`, of this user (or username) alone if one is
    /// named, or of those whose name begins so where a star follows. Looks at `most` allocations: a page may be empty and still not the last.
    pub fn list(
        &mut self,
        now: Now,
        after: AllocationId,
        user: Option<&str>,
        most: usize,
    ) -> Listing {
        let mut allocations = Vec::new();
        let more_after = self.table.walk(after, most, |allocation| {
            if allocation.phase == Phase::Open && allocation.is_of(user) {
                allocations.push(allocation.view(now.mono));
            }
        });
        Listing { allocations, more_after }
    }

    /// Ends one at an operator's wish. Says whether it was there, open. Its client learns of it by
    /// the 437 to its next request.
    pub fn end_allocation(&mut self, now: Now, id: AllocationId) -> bool {
        let slot = self.table.slot_named(id);
        let is_open = |slot: &usize| {
            self.table.get(*slot).is_some_and(|allocation| allocation.phase == Phase::Open)
        };
        let Some(slot) = slot.filter(is_open) else { return false };
        self.end(now, slot, EndReason::Ended);
        true
    }
}

impl Allocation {
    fn is_of(&self, user: Option<&str>) -> bool {
        let Some(user) = user else { return true };
        let mut names = [self.owner.user(), self.owner.username()].into_iter();
        match user.strip_suffix('*') {
            Some(beginning) => names.any(|name| name.starts_with(beginning)),
            None => names.any(|name| **name == *user),
        }
    }

    fn view(&self, now: Instant) -> AllocationView {
        let (rate_up, rate_down) = self.pace.rates(now, &self.usage);
        AllocationView {
            id: self.id,
            flow: self.flow,
            user: Arc::clone(self.owner.user()),
            username: Arc::clone(self.owner.username()),
            relayed: self.relays.addresses(),
            age: now.since(self.opened),
            expires_in: self.expires().since(now),
            permissions: self.permissions.values().filter(|one| now < one.expires).count(),
            channels: self.channels.alive(now),
            bytes_up: self.usage.bytes_up,
            bytes_down: self.usage.bytes_down,
            packets_up: self.usage.packets_up,
            packets_down: self.usage.packets_down,
            rate_up,
            rate_down,
        }
    }
}
