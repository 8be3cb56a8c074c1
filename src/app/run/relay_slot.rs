//! The relay's handle, shared by those who read its numbers and taken by the one who stops it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::app::metrics::RelayNumbers;
use crate::relay::RelayHandle;

/// A relay that may have been stopped.
#[derive(Clone, Debug)]
pub(super) struct RelaySlot(Arc<Mutex<Option<RelayHandle>>>);

impl RelaySlot {
    /// A running relay.
    pub(super) fn new(relay: RelayHandle) -> Self {
        Self(Arc::new(Mutex::new(Some(relay))))
    }

    /// Does something with the relay, if it still runs.
    pub(super) fn with<T>(&self, act: impl FnOnce(&RelayHandle) -> T) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(act)
    }

    /// Its numbers; all zero once it is stopped.
    pub(super) fn numbers(&self) -> RelayNumbers {
        let read = |relay: &RelayHandle| RelayNumbers {
            machines: relay.counters(),
            workers: u64::try_from(relay.workers()).unwrap_or(u64::MAX),
            kernel_drops: relay.kernel_drops(),
            send_drops: relay.send_drops(),
            refused_trains: relay.refused_trains(),
            lanes: relay.lanes(),
            slow_client_drops: relay.slow_client_drops(),
            idle_closes: relay.idle_closes(),
            broken_closes: relay.broken_closes(),
            receive_drops: relay.receive_drops(),
            icmp_errors: relay.icmp_errors(),
            events_lost: relay.events_lost(),
            restarts: relay.restarts(),
            draining: false,
        };
        self.with(read).unwrap_or_default()
    }

    /// Ends every allocation and the threads. Blocks for about `grace` at most.
    pub(super) fn stop(&self, grace: Duration) {
        let relay = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(relay) = relay {
            relay.shutdown(grace);
        }
    }
}
