//! What the rest of the process and one shard's thread have in common.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::creds::Credentials;
use crate::time::Instant;
use crate::turn::{Counters, Settings, Snapshot};

use super::allocations::Unanswered;
use super::questions::{Question, Questions};
use super::stats::Stats;
use super::stream::{Arrival, Mailbox, Refused};
use super::sys::Waker;

/// Settings and credentials, swapped together.
#[derive(Debug)]
pub(super) struct Orders {
    /// What the operator decided.
    pub(super) settings: Arc<Settings>,
    /// Who may ask.
    pub(super) credentials: Arc<Credentials>,
}

/// The mailbox of one shard: written by the handle, read by the shard when it is woken. No lock on
/// the shard's side but when it is woken and when it (re)starts.
#[derive(Debug)]
pub(super) struct Control {
    orders: ArcSwap<Orders>,
    /// Nanoseconds on the shards' clock until which the last events may wait for their reader;
    /// [`Self::RUNNING`] is no stop yet.
    stop: AtomicU64,
    counters: Mutex<Tally>,
    /// Connections handed to this shard.
    pub(super) mailbox: Mailbox,
    /// What operators ask of it.
    pub(super) questions: Questions,
    /// Rung after anything here changed.
    pub(super) waker: Waker,
    /// What the shard's sockets count.
    pub(super) stats: Stats,
    /// Makes the shard panic on its next wake: what tests have in place of a bug.
    #[cfg(test)]
    pub(super) fail: std::sync::atomic::AtomicBool,
}

/// The numbers of a shard over all its restarts.
#[derive(Debug, Default)]
struct Tally {
    past: Snapshot,
    live: Option<Arc<Counters>>,
}

impl Control {
    const RUNNING: u64 = u64::MAX;

    /// A mailbox with its first orders.
    pub(super) fn new(orders: Arc<Orders>) -> std::io::Result<Self> {
        Ok(Self {
            orders: ArcSwap::new(orders),
            stop: AtomicU64::new(Self::RUNNING),
            counters: Mutex::default(),
            mailbox: Mailbox::default(),
            questions: Questions::default(),
            waker: Waker::new()?,
            stats: Stats::default(),
            #[cfg(test)]
            fail: std::sync::atomic::AtomicBool::new(false),
        })
    }

    /// New orders, and a ring.
    pub(super) fn order(&self, orders: Arc<Orders>) {
        self.orders.store(orders);
        self.waker.wake();
    }

    /// A connection for this shard, and a ring.
    pub(super) fn deliver(&self, arrival: Arrival) -> Result<(), Refused> {
        self.mailbox.put(arrival)?;
        self.waker.wake();
        Ok(())
    }

    /// A question for this shard, and a ring.
    pub(super) fn ask(&self, question: Question) -> Result<(), Unanswered> {
        self.questions.put(question)?;
        self.waker.wake();
        Ok(())
    }

    /// The orders that hold now.
    pub(super) fn orders(&self) -> Arc<Orders> {
        self.orders.load_full()
    }

    /// Tells the shard to end everything and return; its last events may wait until `deadline`.
    pub(super) fn stop(&self, deadline: Instant) {
        let nanos = deadline.as_nanos().min(Self::RUNNING - 1);
        self.stop.store(nanos, Ordering::Release);
        self.waker.wake();
    }

    /// The deadline of the last events, once the shard is to stop.
    pub(super) fn stopping(&self) -> Option<Instant> {
        match self.stop.load(Ordering::Acquire) {
            Self::RUNNING => None,
            nanos => Some(Instant::from_nanos(nanos)),
        }
    }

    /// The machine of this shard is a new one with new counters: what the last one counted is
    /// kept, but its allocations are gone.
    pub(super) fn count_anew(&self, counters: Arc<Counters>) {
        let mut tally = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = tally.live.replace(counters) {
            let past = Snapshot { allocations: 0, connections: 0, ..last.snapshot() };
            tally.past = std::mem::take(&mut tally.past).plus(&past);
        }
    }

    /// What this shard's machines counted.
    pub(super) fn snapshot(&self) -> Snapshot {
        let tally = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        match &tally.live {
            Some(live) => live.snapshot().plus(&tally.past),
            None => tally.past.clone(),
        }
    }
}
