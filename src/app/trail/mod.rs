//! What happens, as events of the audit trail and of hooks.

mod relay;
mod rooms;

use crate::app::clock;
use crate::store::{EventKind, NewEvent, Store};

pub use relay::of_relay;
pub use rooms::of_rooms;

/// An event of this moment.
pub fn now(kind: EventKind) -> NewEvent {
    NewEvent::new(kind, clock::unix().0)
}

/// Notes that the server begins or ends.
pub fn note_server(store: &Store, kind: EventKind) {
    store.events().note(now(kind).by("operator").with("version", env!("CARGO_PKG_VERSION")));
}
