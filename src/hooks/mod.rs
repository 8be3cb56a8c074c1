//! Hooks: what happens here, told to other people's servers by `POST`.
//!
//! Bodies wait in the store, written together with the event they are about, so neither a crash nor a
//! receiver that is down loses one. Of one room they are delivered in order; a room whose delivery
//! fails holds up nobody else. Nothing here is ever waited for by a call.
//!
//! | file | thought |
//! |---|---|
//! | `address` | where to: an URL, and what of it may be shown |
//! | `signature` | what proves that a delivery is ours |
//! | `lanes` | whose turn it is, and when again after a failure: no clock, no network |
//! | `post` | one delivery |
//! | `delivery` | one task for each hook |

mod address;
mod delivery;
mod lanes;
mod post;
mod signature;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::creds::Secret;
use crate::store::{HookId, Store, second_of};
use crate::time::UnixTime;

pub use address::{HookAddress, MAX_ADDRESS};
pub use signature::signature;

/// Hooks there may be.
pub const MAX_HOOKS: usize = 16;

/// Whom to tell, and how patiently. Which events are told is the store's to know.
#[derive(Clone, Debug, Default)]
pub struct HookSettings {
    /// Where to.
    pub addresses: Vec<HookAddress>,
    /// What deliveries are signed with; each of them signs, so that a receiver may change over.
    pub secrets: Vec<Secret>,
    /// How long one delivery may take, from the name's resolution to the status.
    pub timeout: Duration,
    /// How old an event may be before a failure is its last.
    pub give_up_after: Duration,
    /// Bodies that wait for one hook at most, as the store has it.
    pub max_queue: u64,
}

/// What the deliveries came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookNumbers {
    /// Answered with 2xx.
    pub delivered: u64,
    /// Answered otherwise or not at all; tried again.
    pub failed: u64,
    /// Not tried again any more: too old.
    pub given_up: u64,
    /// Thrown away because a queue was full.
    pub dropped: u64,
    /// Waiting now, over all hooks.
    pub waiting: u64,
    /// How long the oldest of them waits.
    pub oldest: Duration,
}

#[derive(Default)]
struct Counters {
    delivered: AtomicU64,
    failed: AtomicU64,
    given_up: AtomicU64,
}

/// The hooks of a running server.
pub struct Hooks {
    store: Store,
    settings: watch::Sender<Option<Arc<HookSettings>>>,
    counters: Arc<Counters>,
    supervisor: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hooks")
    }
}

/// Tells the time, unix seconds.
pub type UnixClock = fn() -> UnixTime;

impl Hooks {
    /// Begins to deliver, on the current runtime.
    pub fn start(store: Store, settings: HookSettings, clock: UnixClock) -> Self {
        let (settings, changes) = watch::channel(Some(Arc::new(settings)));
        let counters = Arc::<Counters>::default();
        let task = delivery::supervise(store.clone(), changes, Arc::clone(&counters), clock);
        let supervisor = Mutex::new(Some(tokio::spawn(task)));
        Self { store, settings, counters, supervisor }
    }

    /// Goes on with these. What waits for a hook that is not among them is thrown away.
    pub fn configure(&self, settings: HookSettings) {
        self.settings.send_replace(Some(Arc::new(settings)));
    }

    /// Begins no more deliveries and waits for those that are under way, up to their timeout.
    pub async fn stop(&self) {
        self.settings.send_replace(None);
        let task = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }

    /// The numbers of this moment. Looks into the store.
    pub fn numbers(&self, now: UnixTime) -> HookNumbers {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let lengths = self.store.hooks().lengths();
        HookNumbers {
            delivered: read(&self.counters.delivered),
            failed: read(&self.counters.failed),
            given_up: read(&self.counters.given_up),
            dropped: self.store.hooks().dropped(),
            waiting: lengths.values().sum(),
            oldest: oldest(&self.store, &lengths, now),
        }
    }
}

fn oldest(store: &Store, lengths: &BTreeMap<HookId, u64>, now: UnixTime) -> Duration {
    let ids = lengths.keys().filter_map(|hook| store.hooks().oldest(*hook).ok().flatten());
    let second = ids.map(second_of).min();
    second.map_or(Duration::ZERO, |second| Duration::from_secs(now.0.saturating_sub(second)))
}
