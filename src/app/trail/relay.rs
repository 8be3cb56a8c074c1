//! What happens at the relay: allocations that ended, with what they carried.

use crate::store::{EventKind, NewEvent};
use crate::turn::Event;

/// The event as it is kept. Beginnings and refusals are the log's.
pub fn of_relay(event: &Event, at: u64) -> Option<NewEvent> {
    let Event::AllocationClosed(summary) = event else { return None };
    let relayed: Vec<_> = summary.relayed.iter().map(ToString::to_string).collect();
    let ended = NewEvent::new(EventKind::AllocationEnded, at)
        .with("allocation", summary.id.0.to_string())
        .with("username", &*summary.username)
        .with("client", summary.flow.remote.to_string())
        .with("transport", summary.flow.transport.name())
        .with("relayed", relayed)
        .with("age", summary.age.as_secs())
        .with("bytesUp", summary.bytes_up)
        .with("bytesDown", summary.bytes_down)
        .with("packetsUp", summary.packets_up)
        .with("packetsDown", summary.packets_down)
        .with("reason", summary.reason.name());
    Some(ended)
}
