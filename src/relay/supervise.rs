//! The thread around a shard: a bug in the handling of one packet must not end everybody's calls.
//!
//! A shard that panics is started anew with a fresh machine, on the same listeners: its own
//! allocations are lost (their clients are told by the 437 to their next refresh, and allocate
//! again), the other shards' live on. What the machine held (ports, quota) goes back with it. Every
//! restart is an error in the log and is counted. When a shard cannot be started at all, the process aborts: its clients would find nobody, and whoever
//! watches this process can do better than that.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::shard::{Seat, Shard};
use super::stats::add;

/// Between a panic and the next start: packets wait in the sockets' buffers meanwhile, and a packet
/// that kills every machine it meets cannot fill the log.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs a shard until it is told to stop.
pub(super) fn run(mut seat: Seat) {
    loop {
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut seat)));
        let stats = &seat.control.stats;
        match outcome {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                tracing::error!(%error, "a relay thread cannot start; the process ends");
                std::process::abort();
            }
            Err(panic) => {
                add(&stats.restarts, 1);
                tracing::error!(
                    panic = reason(&*panic),
                    restarts = stats.restarts.load(Relaxed),
                    "a bug stopped a relay thread: its allocations are lost, it starts anew; \
                     please report this"
                );
                std::thread::sleep(PAUSE);
            }
        }
    }
}

fn work(seat: &mut Seat) -> io::Result<()> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| io::Error::other(error.to_string()))?;
    Shard::open(seat, seed)?.run();
    Ok(())
}

/// What the panic said, where it said it in words.
fn reason(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("not in words")
}
