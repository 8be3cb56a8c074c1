//! How many shards.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// The most shards: more threads than this only get in each other's way.
pub(super) const MAX_WORKERS: usize = 256;

/// How many shards to run when `asked` are configured: 0 is one for each core this process may
/// use, by its CPU affinity and its cgroup's quota (both versions), rounded down, at least one.
pub(super) fn count(asked: usize) -> usize {
    let wanted = match asked {
        0 => available_parallelism().map_or(1, NonZeroUsize::get),
        some => some,
    };
    wanted.min(MAX_WORKERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_means_every_core_and_never_none() {
        assert!((1..=MAX_WORKERS).contains(&count(0)));
    }

    #[test]
    fn what_is_asked_for_is_bounded() {
        assert_eq!(count(3), 3);
        assert_eq!(count(usize::MAX), MAX_WORKERS);
    }
}
