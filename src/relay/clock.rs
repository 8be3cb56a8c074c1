//! The one place that reads the clocks for the machine.

use std::time::{Duration, Instant as StdInstant, SystemTime};

use crate::time::{Instant, Now, UnixTime};

/// Both clocks. Copies share their origin, so that instants of different shards compare.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    origin: StdInstant,
}

impl Clock {
    /// Time begins a second ago, so that no instant is the origin itself.
    pub(super) fn new() -> Self {
        let now = StdInstant::now();
        Self { origin: now.checked_sub(Duration::from_secs(1)).unwrap_or(now) }
    }

    /// Now.
    pub(super) fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Now {
            mono: Instant::ORIGIN + self.origin.elapsed(),
            unix: UnixTime(unix.map_or(0, |since| since.as_secs())),
        }
    }
}
