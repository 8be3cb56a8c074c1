//! What the journal knows of itself: how much there is, and the last number given.

use std::collections::BTreeMap;

use super::{EventKind, HookId};

/// Kinds that a client in a room can cause as fast as it may talk, and anybody at all from many addresses.
/// Each of them has at most its [share](noisy_share) of the trail, so that nobody washes away who came
/// and went. A new one comes last: its place in the stored ledger is its place here.
pub(super) const NOISY: [EventKind; 5] = [
    EventKind::Offer,
    EventKind::Answer,
    EventKind::Candidate,
    EventKind::Error,
    EventKind::LoginRefused,
];

/// Events of one noisy kind at most, where there may be `most` events.
pub(super) fn noisy_share(most: u64) -> u64 {
    (most / 8).max(1)
}

/// Changed by the writer's thread alone.
#[derive(Clone, Default)]
pub(super) struct Ledger {
    pub(super) events: u64,
    pub(super) last: u64,
    /// How many there are of each of [`NOISY`].
    pub(super) noisy: [u64; NOISY.len()],
    /// How many wait for each hook; counted anew at each start.
    pub(super) queues: BTreeMap<HookId, u64>,
}

impl Ledger {
    /// What is stored of it.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let numbers = [self.events, self.last].into_iter().chain(self.noisy);
        numbers.flat_map(u64::to_be_bytes).collect()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; what is missing is zero.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let mut numbers = bytes
            .chunks_exact(8)
            .map(|chunk| u64::from_be_bytes(chunk.try_into().expect("a chunk of eight")));
        let mut next = || numbers.next().unwrap_or_default();
        let (events, last) = (next(), next());
        Self { events, last, noisy: std::array::from_fn(|_| next()), queues: BTreeMap::new() }
    }

    /// One more of this kind.
    pub(super) fn add(&mut self, kind: &str) {
        self.events += 1;
        if let Some(count) = self.noisy_of(kind) {
            *count += 1;
        }
    }

    /// One less.
    pub(super) fn take(&mut self, kind: &str) {
        self.events = self.events.saturating_sub(1);
        if let Some(count) = self.noisy_of(kind) {
            *count = count.saturating_sub(1);
        }
    }

    fn noisy_of(&mut self, kind: &str) -> Option<&mut u64> {
        let index = NOISY.iter().position(|noisy| noisy.as_str() == kind)?;
        Some(&mut self.noisy[index])
    }
}
