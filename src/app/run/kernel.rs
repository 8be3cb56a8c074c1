//! What this machine's kernel gets wrong.

use std::ops::RangeInclusive;

use tracing::warn;

use crate::relay::Trains;

/// Kernels that corrupt trains of equal datagrams on their way out.
const CORRUPT_TRAINS: RangeInclusive<[u32; 3]> = [7, 0, 0]..=[7, 1, 4];

/// What of `wanted` this kernel does right.
pub(super) fn trains(wanted: Trains) -> Trains {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = release.trim();
    if wanted.send && corrupts_trains(release) {
        warn!(kernel = release, "this kernel corrupts trains of datagrams: relay.gso stays off");
        return Trains { send: false, ..wanted };
    }
    wanted
}

fn corrupts_trains(release: &str) -> bool {
    version(release).is_some_and(|version| CORRUPT_TRAINS.contains(&version))
}

/// `6.12.0-rc1` is `[6, 12, 0]`.
fn version(release: &str) -> Option<[u32; 3]> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    let major = numbers.next()?.ok()?;
    let minor = numbers.next()?.ok()?;
    let patch = numbers.next().and_then(Result::ok).unwrap_or(0);
    Some([major, minor, patch])
}

#[cfg(test)]
mod tests {
    use super::corrupts_trains;

    #[test]
    fn kernels_that_corrupt_trains_are_known_by_their_release() {
        for bad in ["7.0.0", "7.0.3-arch1-1", "7.1.4", "7.1-rc3", "7.0"] {
            assert!(corrupts_trains(bad), "{bad}");
        }
        for good in ["6.1.0-18-amd64", "6.19.9", "7.1.5", "7.2.0-rc1", "", "odd"] {
            assert!(!corrupts_trains(good), "{good}");
        }
    }
}
