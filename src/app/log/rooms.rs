//! What happens in rooms, as log lines: who came and went, never what was said. Names of rooms and
//! peers can be their clients' own, so they are fields in quotes.

use tracing::{debug, info};

use crate::signal::Event;

/// What the lines are filed under.
const TARGET: &str = "relayhouse::signal";

/// Writes one event.
pub fn write(event: &Event) {
    match event {
        Event::RoomOpened { room } => {
            debug!(target: TARGET, room = room.as_str(), "room begins");
        }
        Event::RoomClosed { room, reason } => {
            info!(target: TARGET, room = room.as_str(), reason = reason.as_str(), "room ends");
        }
        Event::Waiting { room, peer } => {
            let (room, peer) = (room.as_str(), peer.as_str());
            debug!(target: TARGET, room, peer, "guest waits in the lobby");
        }
        Event::WaitingEnded { room, peer, reason } => {
            let (room, peer) = (room.as_str(), peer.as_str());
            debug!(target: TARGET, room, peer, reason = reason.as_str(), "guest waits no more");
        }
        Event::Joined { room, peer, role } => {
            let (room, peer) = (room.as_str(), peer.as_str());
            info!(target: TARGET, room, peer, role = ?role, "peer joins");
        }
        Event::Resumed { room, peer, replayed } => {
            let (room, peer) = (room.as_str(), peer.as_str());
            debug!(target: TARGET, room, peer, replayed, "peer is back");
        }
        Event::Left { room, peer, reason } => {
            let (room, peer) = (room.as_str(), peer.as_str());
            info!(target: TARGET, room, peer, reason = reason.as_str(), "peer leaves");
        }
        Event::Moderation { room, by, what } => {
            info!(target: TARGET, room = room.as_str(), ?by, ?what, "moderation");
        }
        // For the audit trail; a line for each candidate would tell an operator nothing.
        Event::Described { .. } => {}
        Event::Error { room, peer, code } => {
            let (room, peer) = (room.as_str(), peer.as_str());
            debug!(target: TARGET, room, peer, code = code.as_str(), "client was told an error");
        }
    }
}
