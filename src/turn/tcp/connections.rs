//! Where in a shard a connection belongs: by its name, and by the client's connection that it is
//! spliced to.

use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::net::Flow;
use crate::turn::command::ConnectionId;
use crate::turn::counters::{Counters, add, subtract};
use crate::turn::random::Random;

/// The bits of a name that are drawn; those above them are the shard's number.
const DRAWN_BITS: u32 = 24;

/// Names that are drawn before there is none: with that many in use, something else is wrong.
const TRIES: usize = 64;

/// The connections of one shard.
#[derive(Debug)]
pub(in crate::turn) struct Connections {
    shard: u8,
    slots: HashMap<ConnectionId, usize, FixedState>,
    by_flow: HashMap<Flow, ConnectionId, FixedState>,
    counters: Arc<Counters>,
}

impl Connections {
    pub(in crate::turn) fn new(shard: u8, hasher: FixedState, counters: Arc<Counters>) -> Self {
        Self {
            shard,
            slots: HashMap::with_hasher(hasher.clone()),
            by_flow: HashMap::with_hasher(hasher),
            counters,
        }
    }

    /// The shard that all of them are named after.
    pub(in crate::turn) fn shard(&self) -> u8 {
        self.shard
    }

    /// A new name, for a connection of the allocation in `slot`. Names are hard to guess, though a
    /// ConnectionBind has to prove more than that it knows one.
    pub(super) fn open(&mut self, slot: usize, random: &mut Random) -> Option<ConnectionId> {
        let shard = u32::from(self.shard) << DRAWN_BITS;
        let mut names = (0..TRIES).map(|_| {
            let drawn = random.below(1 << DRAWN_BITS) as u32;
            ConnectionId(shard | drawn)
        });
        let id = names.find(|id| !self.slots.contains_key(id))?;
        self.slots.insert(id, slot);
        add(&self.counters.connections, 1);
        Some(id)
    }

    /// The slot of the allocation whose connection this is.
    pub(in crate::turn) fn slot_of(&self, id: ConnectionId) -> Option<usize> {
        self.slots.get(&id).copied()
    }

    /// The connection that a connection of a client is spliced to.
    pub(super) fn on(&self, flow: &Flow) -> Option<ConnectionId> {
        self.by_flow.get(flow).copied()
    }

    pub(super) fn splice(&mut self, id: ConnectionId, flow: Flow) {
        self.by_flow.insert(flow, id);
        add(&self.counters.connections_total, 1);
    }

    /// Forgets it.
    pub(super) fn remove(&mut self, id: ConnectionId, flow: Option<&Flow>) {
        if self.slots.remove(&id).is_some() {
            subtract(&self.counters.connections, 1);
        }
        if let Some(flow) = flow {
            self.by_flow.remove(flow);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_with_the_shard_and_is_not_the_next_number() {
        let mut random = Random::new([5; 32]);
        let mut connections = Connections::new(7, FixedState::with_seed(1), Arc::default());
        let names: Vec<_> =
            (0..100).filter_map(|slot| connections.open(slot, &mut random)).collect();
        assert_eq!(connections.slots.len(), 100, "all different");
        assert!(names.iter().all(|name| name.shard() == 7));
        assert!(names.windows(2).all(|pair| pair[0].0.abs_diff(pair[1].0) > 1));
    }
}
