//! Which events go when there are too many or they are too old: the oldest, of the noisy kinds first.

use std::collections::BTreeSet;

use sled::{Batch, IVec, Tree};

use super::StoreError;
use super::ledger::{Ledger, NOISY, noisy_share};
use super::places::{event_key, id_of, kind_key, room_key};
use super::records::decode;
use super::stored::StoredEvent;

/// Events removed in one turn, at most.
const PER_TURN: usize = 4096;

/// What one turn removes.
pub(super) struct Removal<'a> {
    tree: &'a Tree,
    batch: &'a mut Batch,
    ledger: &'a mut Ledger,
    gone: BTreeSet<u64>,
}

impl<'a> Removal<'a> {
    pub(super) fn new(tree: &'a Tree, batch: &'a mut Batch, ledger: &'a mut Ledger) -> Self {
        Self { tree, batch, ledger, gone: BTreeSet::new() }
    }

    /// How many are removed.
    pub(super) fn count(&self) -> usize {
        self.gone.len()
    }

    /// Noisy kinds go down to their share of `most`.
    pub(super) fn of_noisy(&mut self, most: u64) -> Result<(), StoreError> {
        for (index, kind) in NOISY.iter().enumerate() {
            let over = self.ledger.noisy[index].saturating_sub(noisy_share(most));
            let first = kind_key(kind.as_str(), 0)..kind_key(kind.as_str(), u64::MAX);
            for key in self.tree.range(first).keys().take(self.bounded(over)) {
                let key = key?;
                if let Some(id) = id_of(&key) {
                    let event = self.tree.get(event_key(id))?;
                    self.remove(id, event);
                }
                // Also where its event is gone.
                self.batch.remove(key);
            }
        }
        Ok(())
    }

    /// All of them go down to `most`.
    pub(super) fn of_oldest(&mut self, most: u64) -> Result<(), StoreError> {
        let mut over = self.bounded(self.ledger.events.saturating_sub(most));
        let mut oldest = self.tree.range(event_key(0)..event_key(u64::MAX));
        while over > 0
            && let Some(entry) = oldest.next()
        {
            let (key, event) = entry?;
            let Some(id) = id_of(&key) else { continue };
            if !self.gone.contains(&id) {
                self.remove(id, Some(event));
                over -= 1;
            }
        }
        Ok(())
    }

    /// Those with a number below `end` go.
    pub(super) fn of_before(&mut self, end: u64) -> Result<(), StoreError> {
        for entry in self.tree.range(event_key(0)..event_key(end)).take(PER_TURN) {
            let (key, event) = entry?;
            if let Some(id) = id_of(&key) {
                self.remove(id, Some(event));
            }
        }
        Ok(())
    }

    fn bounded(&self, count: u64) -> usize {
        usize::try_from(count).unwrap_or(usize::MAX).min(PER_TURN)
    }

    fn remove(&mut self, id: u64, event: Option<IVec>) {
        let Some(bytes) = event else { return };
        self.gone.insert(id);
        self.batch.remove(event_key(id));
        // Of one that cannot be read the indices stay behind; a search passes them over.
        let Ok(event) = decode::<StoredEvent>(&bytes) else { return self.ledger.take("") };
        self.ledger.take(&event.kind);
        self.batch.remove(kind_key(&event.kind, id));
        if let Some(room) = &event.room {
            self.batch.remove(room_key(room, id));
        }
    }
}
