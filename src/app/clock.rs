//! The one place of the program (beside the relay's shards) where clocks are read.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::time::{Instant, Now, UnixTime};

/// Both clocks. The monotonic one counts from the first call of this process.
pub fn now() -> Now {
    static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();
    let origin = *ORIGIN.get_or_init(std::time::Instant::now);
    let nanos = u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    Now { mono: Instant::from_nanos(nanos), unix: unix() }
}

/// Wall-clock time in whole seconds; 0 when the clock stands before 1970.
pub fn unix() -> UnixTime {
    UnixTime(since_1970().as_secs())
}

/// Wall-clock time; zero when the clock stands before 1970.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
