//! The connections of one shard to peers, found by slot and by name.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::super::slots::Slots;
use super::{Peer, Phase};
use crate::time::Instant;
use crate::turn::ConnectionId;
use crate::turn::timers::Timers;

/// A peer has this long to answer (RFC 6062 section 5.2).
const PATIENCE: Duration = Duration::from_secs(30);

/// All connections of a shard to peers.
#[derive(Debug)]
pub(in crate::relay) struct Peers {
    slots: Slots<Peer>,
    by_id: HashMap<ConnectionId, u32, FixedState>,
    connecting: Timers,
    /// Connections held back over a bandwidth quota, each at most once: until when, slot and life.
    held: BinaryHeap<Reverse<(Instant, u32, u32)>>,
}

impl Peers {
    /// None. `seed` keeps the table flat.
    pub(in crate::relay) fn new(seed: u64) -> Self {
        Self {
            slots: Slots::default(),
            by_id: HashMap::with_hasher(FixedState::with_seed(seed)),
            connecting: Timers::new(),
            held: BinaryHeap::new(),
        }
    }

    /// The connection in `slot`.
    pub(in crate::relay) fn at(&mut self, slot: u32) -> Option<&mut Peer> {
        self.slots.at(slot)
    }

    /// The connection in `slot`, if it still is in its `life`.
    pub(in crate::relay) fn alive(&mut self, slot: u32, life: u32) -> Option<&mut Peer> {
        self.slots.alive(slot, life)
    }

    /// The life of `slot`.
    pub(in crate::relay) fn life(&self, slot: u32) -> u32 {
        self.slots.life(slot)
    }

    /// The slot of the connection `id`.
    pub(in crate::relay) fn slot_of(&self, id: ConnectionId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// The slot the next [`Self::insert`] takes, and the life it will have.
    pub(in crate::relay) fn vacancy(&self) -> (u32, u32) {
        self.slots.vacancy()
    }

    /// Puts a connection into the [`Self::vacancy`].
    pub(in crate::relay) fn insert(&mut self, now: Instant, peer: Peer) {
        let (id, connecting) = (peer.id, peer.phase == Phase::Connecting);
        let slot = self.slots.insert(peer);
        self.by_id.insert(id, slot);
        if connecting {
            self.connecting.set(now, slot as usize, now + PATIENCE);
        }
    }

    /// The connection in `slot` is open.
    pub(in crate::relay) fn connected(&mut self, slot: u32) {
        self.connecting.cancel(slot as usize);
        if let Some(peer) = self.slots.at(slot) {
            peer.phase = Phase::Waiting;
        }
    }

    /// Takes a connection out; it closes when it is dropped.
    pub(in crate::relay) fn remove(&mut self, slot: u32) -> Option<Peer> {
        let peer = self.slots.remove(slot)?;
        self.by_id.remove(&peer.id);
        self.connecting.cancel(slot as usize);
        Some(peer)
    }

    /// The next connection whose peer has not answered in time.
    pub(in crate::relay) fn unanswered(&mut self, now: Instant) -> Option<u32> {
        self.connecting.pop(now).map(|slot| slot as u32)
    }

    /// Neither side of the connection in `slot` is read before `until`.
    pub(in crate::relay) fn hold(&mut self, slot: u32, until: Instant) {
        let life = self.slots.life(slot);
        if let Some(peer) = self.slots.at(slot)
            && !std::mem::replace(&mut peer.held, true)
        {
            self.held.push(Reverse((until, slot, life)));
        }
    }

    /// The next connection that may be read again.
    pub(in crate::relay) fn released(&mut self, now: Instant) -> Option<u32> {
        while let Some(&Reverse((until, slot, life))) = self.held.peek()
            && until <= now
        {
            self.held.pop();
            if let Some(peer) = self.slots.alive(slot, life) {
                peer.held = false;
                return Some(slot);
            }
        }
        None
    }

    /// When there is something to do next without anything coming in.
    pub(in crate::relay) fn next_due(&self) -> Option<Instant> {
        let held = self.held.peek().map(|Reverse((until, ..))| *until);
        [self.connecting.next(), held].into_iter().flatten().min()
    }
}
