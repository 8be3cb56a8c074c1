//! The relay, as far as operators and tests of a connection see it. Who serves the API implements
//! it: this side does not know the relay's threads.

use std::sync::Arc;
use std::time::Duration;

use super::Api;
use super::errors::{ApiError, Code};
use crate::turn::{AllocationId, Listing, Snapshot};

/// Asks the relay. Calls may block for as long as a relay thread takes for one turn.
pub trait RelayDoor: Send + Sync {
    /// Up to `limit` open allocations with ids above `after`, the oldest first; of one user or
    /// username alone if one is named.
    ///
    /// # Errors
    /// Why there is no answer now.
    fn list(
        &self,
        after: AllocationId,
        user: Option<&str>,
        limit: usize,
    ) -> Result<Listing, String>;

    /// Ends an allocation; whether it was there.
    ///
    /// # Errors
    /// Why there is no answer now.
    fn end(&self, id: AllocationId) -> Result<bool, String>;

    /// From now on and for so long, refusals of exactly this username are reported however many
    /// others there are.
    ///
    /// # Errors
    /// Why that cannot be promised now.
    fn watch(&self, username: &str, lasts: Duration) -> Result<(), String>;

    /// The relay's numbers. Does not block.
    fn stats(&self) -> RelayStats;
}

/// The relay's numbers at one moment.
#[derive(Clone, Debug, Default)]
pub struct RelayStats {
    /// The machines' counters, added up.
    pub machines: Snapshot,
    /// Threads that relay.
    pub workers: u64,
    /// How often one of them started anew after a bug.
    pub restarts: u64,
    /// Events nobody fetched in time.
    pub events_lost: u64,
    /// Whether new allocations are refused because the server drains.
    pub draining: bool,
}

impl Api {
    /// Asks the relay on a thread where that may take its time.
    pub(super) async fn ask_relay<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn RelayDoor) -> Result<T, String> + Send + 'static,
    ) -> Result<T, ApiError> {
        let relay = Arc::clone(&self.relay);
        let asked = tokio::task::spawn_blocking(move || question(&*relay)).await;
        asked.map_err(|_| ApiError::new(Code::Internal))?.map_err(|why| {
            tracing::debug!(why, "the relay did not answer");
            ApiError::with(Code::Unavailable, format!("There is no answer: {why}.")).retry_after(1)
        })
    }
}
