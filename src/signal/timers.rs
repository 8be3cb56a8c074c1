//! When something is due next.

use std::collections::BTreeSet;

use super::{PeerId, RoomId};
use crate::time::Instant;

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// An absent peer's place is given up.
    Away(RoomId, PeerId),
    /// An empty room closes.
    Idle(RoomId),
    /// A room may have been silent for too long.
    Silence(RoomId),
    /// A room's time is over.
    Expiry(RoomId),
}

/// Timers by time: one for each absent peer and at most three for each room, so as bounded as they are.
#[derive(Default)]
pub(super) struct Timers(BTreeSet<(Instant, Timer)>);

impl Timers {
    /// Sets `timer`; one at [`Instant::FAR`] never comes and is not kept.
    pub(super) fn set(&mut self, at: Instant, timer: Timer) {
        if at < Instant::FAR {
            self.0.insert((at, timer));
        }
    }

    pub(super) fn cancel(&mut self, at: Instant, timer: Timer) {
        self.0.remove(&(at, timer));
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, timer)| timer)
    }
}
