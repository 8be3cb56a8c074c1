//! How pairings are found by device, and removed together with their places in the index.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::records::decode;
use super::super::{StoreError, Trees};
use super::{PairRecord, PendingRecord};

/// How many are stored. Only the writer changes them.
#[derive(Debug)]
pub(in crate::store) struct Counts {
    pendings: AtomicUsize,
    pairs: AtomicUsize,
}

impl Counts {
    /// What these trees hold now.
    pub(in crate::store) fn of(pendings: &sled::Tree, pairs: &sled::Tree) -> Self {
        Self { pendings: pendings.len().into(), pairs: pairs.len().into() }
    }

    pub(super) fn pendings(&self) -> usize {
        self.pendings.load(Ordering::Relaxed)
    }

    pub(super) fn pairs(&self) -> usize {
        self.pairs.load(Ordering::Relaxed)
    }

    pub(super) fn add_pendings(&self, count: usize) {
        self.pendings.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn add_pair(&self) {
        self.pairs.fetch_add(1, Ordering::Relaxed);
    }
}

/// What an entry of the index stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pending,
    Pair,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Pending => b'p',
            Self::Pair => b'r',
        }
    }
}

/// `length of the device's name, its name`: no name is the beginning of another one's key.
fn device_prefix(device: &str) -> Vec<u8> {
    let length = u32::try_from(device.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), device.as_bytes()].concat()
}

pub(super) fn index_key(device: &str, kind: Kind, id: &str) -> Vec<u8> {
    [&device_prefix(device), [kind.byte()].as_slice(), id.as_bytes()].concat()
}

pub(super) fn of_device(trees: &Trees, device: &str) -> Result<Vec<(Kind, String)>, StoreError> {
    let prefix = device_prefix(device);
    let mut found = Vec::new();
    for key in trees.pairings_by_device.scan_prefix(&prefix).keys() {
        let key = key?;
        let Some((kind, id)) = key[prefix.len()..].split_first() else { continue };
        let kind = if *kind == Kind::Pending.byte() { Kind::Pending } else { Kind::Pair };
        found.push((kind, String::from_utf8_lossy(id).into_owned()));
    }
    Ok(found)
}

pub(super) fn pending_of(trees: &Trees, code: &str) -> Result<Option<PendingRecord>, StoreError> {
    trees.pendings.get(code)?.map(|bytes| decode(&bytes)).transpose()
}

pub(super) fn pair_of(trees: &Trees, id: &str) -> Result<Option<PairRecord>, StoreError> {
    trees.pairs.get(id)?.map(|bytes| decode(&bytes)).transpose()
}

// Records before their place in the index: what a crash leaves of the index finds nothing.
pub(super) fn remove_pending(
    trees: &Trees,
    code: &str,
    pending: &PendingRecord,
) -> Result<(), StoreError> {
    if trees.pendings.remove(code)?.is_some() {
        trees.pairing_counts.pendings.fetch_sub(1, Ordering::Relaxed);
    }
    trees.pairings_by_device.remove(index_key(&pending.client1, Kind::Pending, code))?;
    Ok(())
}

pub(super) fn remove_pair(trees: &Trees, pair: &PairRecord) -> Result<(), StoreError> {
    if trees.pairs.remove(&pair.id)?.is_some() {
        trees.pairing_counts.pairs.fetch_sub(1, Ordering::Relaxed);
    }
    for device in [&pair.client1, &pair.client2] {
        trees.pairings_by_device.remove(index_key(device, Kind::Pair, &pair.id))?;
    }
    Ok(())
}

/// Removes pendings that are over by `now`; how many. An unreadable one is left for the program that
/// can read it.
pub(in crate::store) fn sweep_pendings(trees: &Trees, now: u64) -> Result<usize, StoreError> {
    let mut gone = 0;
    for entry in trees.pendings.iter() {
        let (code, bytes) = entry?;
        let Ok(pending) = decode::<PendingRecord>(&bytes) else { continue };
        if pending.expires <= now {
            remove_pending(trees, &String::from_utf8_lossy(&code), &pending)?;
            gone += 1;
        }
    }
    Ok(gone)
}

/// Removes pairs that nobody has asked for in [`PAIR_MEMORY`]; how many.
pub(in crate::store) fn sweep_pairs(trees: &Trees, now: u64) -> Result<usize, StoreError> {
    let mut gone = 0;
    for entry in trees.pairs.iter() {
        let (_, bytes) = entry?;
        let Ok(pair) = decode::<PairRecord>(&bytes) else { continue };
        if pair.is_over(now) {
            remove_pair(trees, &pair)?;
            gone += 1;
        }
    }
    Ok(gone)
}
