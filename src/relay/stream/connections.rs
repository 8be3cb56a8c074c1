//! The connections of one shard, found by slot and by five-tuple.

use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::super::token::Token;
use super::{Connection, Ended};
use crate::net::Flow;
use crate::time::Instant;
use crate::turn::timers::Timers;

/// All connections of a shard.
#[derive(Debug)]
pub(in crate::relay) struct Connections {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_flow: HashMap<Flow, u32, FixedState>,
    timers: Timers,
    /// Connections that broke while something was written to them; they are ended when nothing else
    /// is in progress.
    doomed: Vec<(u32, Ended)>,
}

/// A place for a connection. It has many lives; what was meant for one does not reach the next.
#[derive(Debug)]
struct Slot {
    life: u32,
    open: Option<Connection>,
}

impl Connections {
    /// None. `seed` keeps the table flat under hostile addresses.
    pub(in crate::relay) fn new(seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_flow: HashMap::with_hasher(FixedState::with_seed(seed)),
            timers: Timers::new(),
            doomed: Vec::new(),
        }
    }

    /// The connection in `slot`.
    pub(in crate::relay) fn at(&mut self, slot: u32) -> Option<&mut Connection> {
        self.slots.get_mut(slot as usize)?.open.as_mut()
    }

    /// The connection in `slot`, if it still is in its `life`.
    pub(in crate::relay) fn alive(&mut self, slot: u32, life: u32) -> Option<&mut Connection> {
        let slot = self.slots.get_mut(slot as usize)?;
        if slot.life == life { slot.open.as_mut() } else { None }
    }

    /// The slot of the connection with this five-tuple.
    pub(in crate::relay) fn slot_of(&self, flow: &Flow) -> Option<u32> {
        self.by_flow.get(flow).copied()
    }

    /// The slot the next [`Self::insert`] takes, and the life it will have.
    pub(in crate::relay) fn vacancy(&self) -> (u32, u32) {
        let slot = self.free.last().copied().unwrap_or(self.slots.len() as u32);
        (slot, self.slots.get(slot as usize).map_or(0, |slot| slot.life))
    }

    /// The life of `slot`.
    pub(in crate::relay) fn life(&self, slot: u32) -> u32 {
        self.slots.get(slot as usize).map_or(0, |slot| slot.life)
    }

    /// Puts a connection into the [`Self::vacancy`]. No other has its five-tuple.
    pub(in crate::relay) fn insert(&mut self, connection: Connection) {
        let (slot, life) = self.vacancy();
        self.free.pop();
        let before = self.by_flow.insert(connection.flow, slot);
        debug_assert!(before.is_none(), "one connection has a five-tuple");
        let open = Some(connection);
        match self.slots.get_mut(slot as usize) {
            Some(vacant) => vacant.open = open,
            None => self.slots.push(Slot { life, open }),
        }
    }

    /// Takes a connection out.
    pub(in crate::relay) fn remove(&mut self, slot: u32) -> Option<Connection> {
        let place = self.slots.get_mut(slot as usize)?;
        let connection = place.open.take()?;
        place.life = Token::next_life(place.life);
        self.free.push(slot);
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
