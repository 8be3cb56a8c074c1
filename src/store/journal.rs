//! The journal: one tree that holds the audit trail, its indices and what waits for hooks, so that
//! whatever one event changes is one batch, written whole or not at all.
//!
//! | key | value |
//! |---|---|
//! | `#` | how many events there are, and the last number given (`ledger`) |
//! | `e` number | the event |
//! | `r` length room number | its kind: the index of a room |
//! | `t` kind `\0` number | nothing: the index of a kind that has one |
//! | `h` hook number | the body that waits for this hook |
//!
//! Events are noted in memory by anybody and taken from there by the writer's thread. Numbers are
//! unix seconds times [`MOMENTS`], then counted on: a time is a range of numbers, and no index of
//! times is needed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sled::{Batch, Tree};
use tokio::sync::Notify;

use super::events::{EventKind, EventNumbers, EventRecord, JournalSettings, NewEvent, first_id_of};
use super::ledger::{Ledger, noisy_share};
use super::places::{HOOK, LEDGER, event_key, hook_key, hook_of, hook_prefix, kind_key, room_key};
use super::removal::Removal;
use super::stored::{StoredEvent, StoredView};
use super::{HookId, StoreError};

/// Numbers of one second. Below 2^53 until the year 2255, so that JavaScript reads them exactly.
pub(super) const MOMENTS: u64 = 1_000_000;
/// Events that may wait for the disk; what comes on top is counted and lost.
pub const MAX_UNWRITTEN: usize = 65_536;
/// Events written in one turn, so that other changes need not wait for a flood.
const TURN: usize = 1024;

/// A hook and the kinds of events it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenBy {
    /// Whose queue it is.
    pub hook: HookId,
    /// What goes into it; a ping always does.
    pub kinds: Vec<EventKind>,
}

pub(super) struct Journal {
    pub(super) tree: Tree,
    waiting: Mutex<Waiting>,
    ledger: Mutex<Ledger>,
    pub(super) numbers: Numbers,
    /// Rung when something was put into a hook's queue.
    pub(super) bell: Notify,
}

/// What was noted and is not written yet.
struct Waiting {
    settings: Arc<JournalSettings>,
    events: VecDeque<NewEvent>,
    /// Not even noted, since there was no room.
    overflow: u64,
}

/// Counters for metrics.
#[derive(Default)]
pub(super) struct Numbers {
    kept: AtomicU64,
    written: AtomicU64,
    lost: AtomicU64,
    pub(super) hooks_dropped: AtomicU64,
}

impl Numbers {
    pub(super) fn lost(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> EventNumbers {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        EventNumbers {
            kept: read(&self.kept),
            written: read(&self.written),
            lost: read(&self.lost),
        }
    }
}

impl Journal {
    pub(super) fn open(tree: Tree) -> Result<Self, StoreError> {
        let mut ledger =
            tree.get(LEDGER)?.map(|bytes| Ledger::from_bytes(&bytes)).unwrap_or_default();
        for key in tree.scan_prefix(HOOK).keys() {
            if let Some((hook, _)) = hook_of(&key?) {
                *ledger.queues.entry(hook).or_default() += 1;
            }
        }
        let numbers = Numbers::default();
        numbers.kept.store(ledger.events, Ordering::Relaxed);
        let settings = Arc::default();
        let waiting = Waiting { settings, events: VecDeque::new(), overflow: 0 };
        Ok(Self {
            tree,
            waiting: Mutex::new(waiting),
            ledger: Mutex::new(ledger),
            numbers,
            bell: Notify::new(),
        })
    }

    pub(super) fn configure(&self, settings: JournalSettings) {
        self.waiting().settings = Arc::new(settings);
    }

    /// Notes an event. True when the writer does not know yet that something waits.
    pub(super) fn note(&self, event: NewEvent) -> bool {
        let mut waiting = self.waiting();
        if !waiting.settings.want(event.kind) {
            return false;
        }
        if waiting.events.len() >= MAX_UNWRITTEN {
            waiting.overflow += 1;
            self.numbers.lost(1);
            return false;
        }
        let first = waiting.events.is_empty();
        // Where there was no room a moment ago, the trail says so in its place.
        waiting.close_gap(event.at);
        waiting.events.push_back(event);
        first
    }

    /// Writes what waits, up to a turn's worth. True when more waits.
    pub(super) fn write(&self) -> Result<bool, StoreError> {
        let (settings, events) = self.waiting().take();
        if events.is_empty() {
            return Ok(false);
        }
        if let Err(error) = self.append(&settings, &events) {
            self.waiting().give_back(events);
            return Err(error);
        }
        self.numbers.written.fetch_add(events.len() as u64, Ordering::Relaxed);
        Ok(!self.waiting().events.is_empty())
    }

    fn append(&self, settings: &JournalSettings, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut ledger = self.ledger();
        let mut next = ledger.clone();
        let mut batch = Batch::default();
        let mut dropped = 0;
        for event in events {
            next.last = first_id_of(event.at).max(next.last + 1);
            let id = next.last;
            let (view, bytes) = StoredView::of(event)?;
            if settings.keep_some() {
                next.add(event.kind.as_str());
                batch.insert(event_key(id), bytes);
                if event.kind.is_indexed() {
                    batch.insert(kind_key(event.kind.as_str(), id), &[]);
                }
                if let Some(room) = &event.room {
                    batch.insert(room_key(room, id), event.kind.as_str().as_bytes());
                }
            }
            let takers = settings.hooks.iter().filter(|taker| taker.wants(event.kind));
            let mut takers = takers.peekable();
            if takers.peek().is_none() {
                continue;
            }
            let body = body_of(id, view.into_owned());
            for TakenBy { hook, .. } in takers {
                batch.insert(hook_key(hook, id), body.as_slice());
                *next.queues.entry(*hook).or_default() += 1;
            }
        }
        for (hook, queued) in &mut next.queues {
            let over = queued.saturating_sub(settings.max_queue);
            let oldest = self.tree.scan_prefix(hook_prefix(hook)).keys();
            for key in oldest.take(usize::try_from(over).unwrap_or(usize::MAX)) {
                batch.remove(key?);
                (*queued, dropped) = (*queued - 1, dropped + 1);
            }
        }
        let mut removal = Removal::new(&self.tree, &mut batch, &mut next);
        removal.of_noisy(settings.max_events)?;
        removal.of_oldest(settings.max_events)?;
        batch.insert(LEDGER, next.to_bytes());
        self.tree.apply_batch(batch)?;
        let rings = next.queues != ledger.queues || dropped > 0;
        self.numbers.kept.store(next.events, Ordering::Relaxed);
        self.numbers.hooks_dropped.fetch_add(dropped, Ordering::Relaxed);
        *ledger = next;
        drop(ledger);
        if rings {
            self.bell.notify_one();
        }
        Ok(())
    }

    /// Removes up to a turn's worth of what is older than it may be at `now`; gives back how many.
    pub(super) fn sweep(&self, now: u64) -> Result<usize, StoreError> {
        let keep = self.waiting().settings.keep.as_secs();
        let end = if keep == 0 { u64::MAX } else { first_id_of(now.saturating_sub(keep)) };
        let mut ledger = self.ledger();
        let (mut next, mut batch) = (ledger.clone(), Batch::default());
        let mut removal = Removal::new(&self.tree, &mut batch, &mut next);
        removal.of_before(end)?;
        let gone = removal.count();
        if gone > 0 {
            batch.insert(LEDGER, next.to_bytes());
            self.tree.apply_batch(batch)?;
            self.numbers.kept.store(next.events, Ordering::Relaxed);
            *ledger = next;
        }
        Ok(gone)
    }

    /// Takes one body out of a hook's queue, or all of them; gives back how many. For the writer.
    pub(super) fn unqueue(&self, hook: HookId, which: Option<u64>) -> Result<u64, StoreError> {
        let mut ledger = self.ledger();
        let gone = match which {
            Some(id) => u64::from(self.tree.remove(hook_key(&hook, id))?.is_some()),
            None => {
                let mut batch = Batch::default();
                let keys: Result<Vec<_>, _> =
                    self.tree.scan_prefix(hook_prefix(&hook)).keys().collect();
                let keys = keys?;
                let gone = keys.len() as u64;
                keys.into_iter().for_each(|key| batch.remove(key));
                self.tree.apply_batch(batch)?;
                gone
            }
        };
        let queued = ledger.queues.entry(hook).or_default();
        *queued = queued.saturating_sub(gone);
        ledger.queues.retain(|_, queued| *queued > 0);
        Ok(gone)
    }

    /// How many wait for each hook.
    pub(super) fn queues(&self) -> BTreeMap<HookId, u64> {
        self.ledger().queues.clone()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Whoever panicked in between left a whole event or none.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take(&mut self) -> (Arc<JournalSettings>, Vec<NewEvent>) {
        // What is over a share must be in the tree already to be found there.
        let share = noisy_share(self.settings.max_events);
        let most = usize::try_from(share).unwrap_or(TURN).min(TURN);
        let turn = self.events.len().min(most);
        let mut events: Vec<_> = self.events.drain(..turn).collect();
        if self.events.is_empty()
            && let Some(at) = events.last().map(|event| event.at)
        {
            self.close_gap(at);
            events.extend(self.events.drain(..));
        }
        (Arc::clone(&self.settings), events)
    }

    /// Back to the front, in order; the bound is passed by what a turn takes, at most.
    fn give_back(&mut self, events: Vec<NewEvent>) {
        events.into_iter().rev().for_each(|event| self.events.push_front(event));
    }

    fn close_gap(&mut self, at: u64) {
        let count = std::mem::take(&mut self.overflow);
        if count > 0 {
            self.events.push_back(NewEvent::new(EventKind::Lost, at).with("count", count));
        }
    }
}

impl JournalSettings {
    fn keep_some(&self) -> bool {
        !self.keep.is_zero()
    }

    fn want(&self, kind: EventKind) -> bool {
        self.keep_some() || self.hooks.iter().any(|taker| taker.wants(kind))
    }
}

impl TakenBy {
    fn wants(&self, kind: EventKind) -> bool {
        kind == EventKind::Ping || self.kinds.contains(&kind)
    }
}

fn body_of(id: u64, stored: StoredEvent) -> Vec<u8> {
    // Texts, numbers and maps with text keys: that does not fail.
    serde_json::to_vec(&EventRecord::of(id, stored)).unwrap_or_default()
}
