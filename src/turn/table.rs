//! The allocations of one shard, found by five-tuple (from clients), by relay port (from peers) and
//! by id (for operators).

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::ops::{Bound, RangeInclusive};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use slab::Slab;

use super::allocation::Allocation;
use super::event::AllocationId;
use crate::net::{Flow, RelayPort};

const NONE: u32 = u32::MAX;

/// The allocations of one shard. A slot number names one until it is removed.
#[derive(Debug)]
pub(super) struct Table {
    allocations: Slab<Allocation>,
    /// Four bytes an entry instead of eighty: the five-tuple is compared where it stands, in the allocation,
    /// which a packet looks at in any case. 10,000 clients take 80 KiB of cache instead of 1.3 MiB.
    slots_by_flow: HashTable<u32>,
    hasher: FixedState,
    /// Per relay address: slot by (port - first port of the range).
    slots_by_port: Vec<Box<[u32]>>,
    /// In the order they were asked for. Touched per allocation, never per packet.
    slots_by_id: BTreeMap<AllocationId, usize>,
    first_port: u16,
}

impl Table {
    pub(super) fn new(addresses: usize, ports: RangeInclusive<u16>, hasher: FixedState) -> Self {
        let count = usize::from(*ports.end()).saturating_sub(usize::from(*ports.start())) + 1;
        Self {
            allocations: Slab::new(),
            slots_by_flow: HashTable::new(),
            hasher,
            slots_by_port: (0..addresses).map(|_| vec![NONE; count].into()).collect(),
            slots_by_id: BTreeMap::new(),
            first_port: *ports.start(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.allocations.len()
    }

    pub(super) fn slot_of(&self, flow: &Flow) -> Option<usize> {
        let is_its = |slot: &u32| self.get(*slot as usize).is_some_and(|one| one.flow == *flow);
        self.slots_by_flow.find(self.hasher.hash_one(flow), is_its).map(|slot| *slot as usize)
    }

    pub(super) fn slot_on(&self, port: RelayPort) -> Option<usize> {
        let slots = self.slots_by_port.get(usize::from(port.address))?;
        let slot = slots.get(usize::from(port.port.checked_sub(self.first_port)?))?;
        (*slot != NONE).then_some(*slot as usize)
    }

    pub(super) fn slot_named(&self, id: AllocationId) -> Option<usize> {
        self.slots_by_id.get(&id).copied()
    }

    pub(super) fn get(&self, slot: usize) -> Option<&Allocation> {
        self.allocations.get(slot)
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Allocation> {
        self.allocations.get_mut(slot)
    }

    /// Every slot in use.
    pub(super) fn slots(&self) -> Vec<usize> {
        self.allocations.iter().map(|(slot, _)| slot).collect()
    }

    /// Visits the next `most` allocations behind `after`, in the order of their ids; the last one
    /// visited if there may be more.
    pub(super) fn walk(
        &mut self,
        after: AllocationId,
        most: usize,
        mut visit: impl FnMut(&mut Allocation),
    ) -> Option<AllocationId> {
        let behind = (Bound::Excluded(after), Bound::Unbounded);
        let mut last = None;
        let mut visited = 0;
        for (id, slot) in self.slots_by_id.range(behind).take(most) {
            self.allocations.get_mut(*slot).into_iter().for_each(&mut visit);
            (last, visited) = (Some(*id), visited + 1);
        }
        last.filter(|_| visited == most)
    }

    /// Its five-tuple has no allocation yet.
    pub(super) fn insert(&mut self, allocation: Allocation) -> usize {
        let (flow, id) = (allocation.flow, allocation.id);
        let slot = self.allocations.insert(allocation);
        let (allocations, hasher) = (&self.allocations, &self.hasher);
        let hash = |slot: &u32| hasher.hash_one(allocations[*slot as usize].flow);
        self.slots_by_flow.insert_unique(hasher.hash_one(flow), small(slot), hash);
        self.slots_by_id.insert(id, slot);
        slot
    }

    /// From now on packets on `port` are `slot`'s.
    pub(super) fn link(&mut self, port: RelayPort, slot: usize) {
        if let Some(entry) = self.entry(port) {
            *entry = small(slot);
        }
    }

    /// Packets on `port` are nobody's.
    pub(super) fn unlink(&mut self, port: RelayPort) {
        if let Some(entry) = self.entry(port) {
            *entry = NONE;
        }
    }

    fn entry(&mut self, port: RelayPort) -> Option<&mut u32> {
        let slots = self.slots_by_port.get_mut(usize::from(port.address))?;
        slots.get_mut(usize::from(port.port.checked_sub(self.first_port)?))
    }

    /// Takes an allocation out; its ports are unlinked by whoever closes them.
    pub(super) fn remove(&mut self, slot: usize) -> Option<Allocation> {
        let allocation = self.allocations.try_remove(slot)?;
        let hash = self.hasher.hash_one(allocation.flow);
        if let Ok(entry) = self.slots_by_flow.find_entry(hash, |named| *named as usize == slot) {
            entry.remove();
        }
        self.slots_by_id.remove(&allocation.id);
        Some(allocation)
    }
}

fn small(slot: usize) -> u32 {
    u32::try_from(slot).expect("fewer allocations than 2^32")
}
