//! What calls leave in the audit trail.

use super::Api;
use super::caller::Caller;
use crate::signal::Actor;
use crate::store::{EventKind, NewEvent};

impl Api {
    /// An event of this moment; see [`note`](Self::note).
    pub(in crate::api) fn event(&self, kind: EventKind) -> NewEvent {
        NewEvent::new(kind, self.now().unix.0)
    }

    /// Puts an event into the audit trail and before the hooks that want it. Never waits.
    pub(in crate::api) fn note(&self, event: NewEvent) {
        self.store().events().note(event);
    }
}

impl Caller {
    /// Who decides, in the words of events: `user:…`, `key:…`, `ticket:…` or `api`.
    pub(in crate::api) fn by(&self) -> String {
        match self.as_actor() {
            Actor::Caller(name) => name.to_string(),
            Actor::Peer(peer) => format!("peer:{}", peer.as_str()),
            Actor::Api => "api".to_owned(),
        }
    }
}
