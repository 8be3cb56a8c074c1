//! The relay as operators reach it: from the API and from the control socket.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{RelayDoor, RelayStats};
use crate::relay::{AllocationDoor, RelayHandle, Unanswered};
use crate::turn::{AllocationId, Listing};

use super::server::Server;

/// The relay of a running server.
#[derive(Clone)]
pub(super) struct Operated(pub(super) Arc<Server>);

impl Operated {
    /// Only for as long as it takes to find the door: the relay's own lock is not held meanwhile.
    fn door(&self) -> Result<AllocationDoor, String> {
        let door = self.0.relay.with(RelayHandle::allocations);
        door.ok_or_else(|| Unanswered::Stopping.to_string())
    }
}

impl RelayDoor for Operated {
    fn list(
        &self,
        after: AllocationId,
        user: Option<&str>,
        limit: usize,
    ) -> Result<Listing, String> {
        self.door()?.list(after, user, limit).map_err(|error| error.to_string())
    }

    fn end(&self, id: AllocationId) -> Result<bool, String> {
        self.door()?.end(id).map_err(|error| error.to_string())
    }

    fn watch(&self, username: &str, lasts: Duration) -> Result<(), String> {
        self.door()?.watch(username, lasts).map_err(|error| error.to_string())
    }

    fn stats(&self) -> RelayStats {
        let numbers = self.0.relay.numbers();
        RelayStats {
            machines: numbers.machines,
            workers: numbers.workers,
            restarts: numbers.restarts,
            events_lost: numbers.events_lost,
            draining: self.0.drain.is_on(),
        }
    }
}
