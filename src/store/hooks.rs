//! What waits to be told to hooks: bodies in the order of their events, one queue for each hook.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde::Deserialize;

use super::places::{hook_key, hook_prefix, id_of};
use super::{Change, Store, StoreError};

/// Which hook: the beginning of its address's hash, so that a queue finds its hook after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HookId(pub [u8; 8]);

/// One body that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The number of its event.
    pub id: u64,
    /// The room it is about.
    pub room: Option<String>,
}

/// The queues of a store.
#[derive(Clone, Copy)]
pub struct HookQueues<'a>(&'a Store);

#[derive(Deserialize)]
struct Head {
    room: Option<String>,
}

impl<'a> HookQueues<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self(store)
    }

    /// Returns when something was put into a queue since the last call.
    pub async fn changed(self) {
        self.0.journal().bell.notified().await;
    }

    /// What waits for `hook` behind the number `after`, `limit` of them at most, in order.
    ///
    /// # Errors
    /// The engine's.
    pub fn waiting(
        self,
        hook: HookId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Queued>, StoreError> {
        let keys = hook_key(&hook, after.saturating_add(1))..hook_key(&hook, u64::MAX);
        let mut found = Vec::new();
        for entry in self.0.journal().tree.range(keys).take(limit) {
            let (key, body) = entry?;
            let Some(id) = id_of(&key) else { continue };
            let room = serde_json::from_slice::<Head>(&body).ok().and_then(|head| head.room);
            found.push(Queued { id, room });
        }
        Ok(found)
    }

    /// The oldest number that waits for `hook`.
    ///
    /// # Errors
    /// The engine's.
    pub fn oldest(self, hook: HookId) -> Result<Option<u64>, StoreError> {
        let mut keys = self.0.journal().tree.scan_prefix(hook_prefix(&hook)).keys();
        Ok(keys.next().transpose()?.and_then(|key| id_of(&key)))
    }

    /// The body of one; `None` when it does not wait any more.
    ///
    /// # Errors
    /// The engine's.
    pub fn body(self, hook: HookId, id: u64) -> Result<Option<String>, StoreError> {
        let body = self.0.journal().tree.get(hook_key(&hook, id))?;
        Ok(body.map(|body| String::from_utf8_lossy(&body).into_owned()))
    }

    /// Takes one out of its queue: it was delivered, or given up.
    pub fn remove(self, hook: HookId, id: u64) -> Change<bool, StoreError> {
        self.0.write(move |trees| Ok(trees.journal.unqueue(hook, Some(id))? > 0))
    }

    /// Empties the queues of all hooks but these; gives back how many were thrown away.
    pub fn keep_only(self, hooks: Vec<HookId>) -> Change<u64, StoreError> {
        self.0.write(move |trees| {
            let others = trees.journal.queues().into_keys().filter(|hook| !hooks.contains(hook));
            let mut gone = 0;
            for hook in others {
                gone += trees.journal.unqueue(hook, None)?;
            }
            Ok(gone)
        })
    }

    /// How many wait for each hook.
    pub fn lengths(self) -> BTreeMap<HookId, u64> {
        self.0.journal().queues()
    }

    /// How many were thrown away so far because a queue was full.
    pub fn dropped(self) -> u64 {
        self.0.journal().numbers.hooks_dropped.load(Ordering::Relaxed)
    }
}

/// The unix second of an event's number.
pub fn second_of(id: u64) -> u64 {
    id / super::journal::MOMENTS
}
