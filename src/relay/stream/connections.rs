//! The connections of one shard, found by slot and by five-tuple.

use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::super::slots::Slots;
use super::{Connection, Ended};
use crate::net::Flow;
use crate::time::Instant;
use crate::turn::timers::Timers;

/// All connections of a shard.
#[derive(Debug)]
pub(in crate::relay) struct Connections {
    slots: Slots<Connection>,
    by_flow: HashMap<Flow, u32, FixedState>,
    timers: Timers,
    /// Connections that broke while something was written to them; they are ended when nothing else
    /// is in progress.
    doomed: Vec<(u32, Ended)>,
}

impl Connections {
    /// None. `seed` keeps the table flat under hostile addresses.
    pub(in crate::relay) fn new(seed: u64) -> Self {
        Self {
            slots: Slots::default(),
            by_flow: HashMap::with_hasher(FixedState::with_seed(seed)),
            timers: Timers::new(),
            doomed: Vec::new(),
        }
    }

    /// The connection in `slot`.
    pub(in crate::relay) fn at(&mut self, slot: u32) -> Option<&mut Connection> {
        self.slots.at(slot)
    }

    /// The connection in `slot`, if it still is in its `life`.
    pub(in crate::relay) fn alive(&mut self, slot: u32, life: u32) -> Option<&mut Connection> {
        self.slots.alive(slot, life)
    }

    /// The slot of the connection with this five-tuple.
    pub(in crate::relay) fn slot_of(&self, flow: &Flow) -> Option<u32> {
        self.by_flow.get(flow).copied()
    }

    /// The slot the next [`Self::insert`] takes, and the life it will have.
    pub(in crate::relay) fn vacancy(&self) -> (u32, u32) {
        self.slots.vacancy()
    }

    /// The life of `slot`.
    pub(in crate::relay) fn life(&self, slot: u32) -> u32 {
        self.slots.life(slot)
    }

    /// Puts a connection into the [`Self::vacancy`]. No other has its five-tuple.
    pub(in crate::relay) fn insert(&mut self, connection: Connection) {
        let flow = connection.flow;
        let before = self.by_flow.insert(flow, self.slots.insert(connection));
        debug_assert!(before.is_none(), "one connection has a five-tuple");
    }

    /// Takes a connection out.
    pub(in crate::relay) fn remove(&mut self, slot: u32) -> Option<Connection> {
        let connection = self.slots.remove(slot)?;
        self.by_flow.remove(&connection.flow);
        self.timers.cancel(slot as usize);
        Some(connection)
    }

    /// Looks at the connection in `slot` again after `wait`, in place of when it was to be.
    pub(in crate::relay) fn look_again(&mut self, now: Instant, slot: u32, wait: Duration) {
        self.timers.set(now, slot as usize, now + wait);
    }

    /// The next connection that is to be looked at.
    pub(in crate::relay) fn due(&mut self, now: Instant) -> Option<u32> {
        self.timers.pop(now).map(|slot| slot as u32)
    }

    /// When [`Self::due`] has something next.
    pub(in crate::relay) fn next_due(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Notes that the connection in `slot` is to be ended. The first reason counts.
    pub(in crate::relay) fn doom(&mut self, slot: u32, ended: Ended) {
        let Some(connection) = self.at(slot) else { return };
        if !std::mem::replace(&mut connection.doomed, true) {
            self.doomed.push((slot, ended));
        }
    }

    /// The next one that is to be ended.
    pub(in crate::relay) fn next_doomed(&mut self) -> Option<(u32, Ended)> {
        while let Some((slot, ended)) = self.doomed.pop() {
            if self.at(slot).is_some_and(|connection| connection.doomed) {
                return Some((slot, ended));
            }
        }
        None
    }
}
