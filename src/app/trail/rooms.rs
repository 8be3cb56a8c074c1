//! What happens in rooms. Of what peers send each other there is a size and a salted hash, no more.

use crate::signal::{Actor, Event, Moderation, PeerId, RoomId, SignalKind};
use crate::store::{EventKind, NewEvent};

/// The event as it is kept. `None`: there is nothing to keep.
pub fn of_rooms(event: &Event, at: u64) -> Option<NewEvent> {
    let new = |kind, room: &RoomId| NewEvent::new(kind, at).room(room.as_str());
    let of = |kind, room, peer: &PeerId| new(kind, room).peer(peer.as_str());
    Some(match event {
        Event::RoomOpened { room } => new(EventKind::RoomOpened, room),
        Event::RoomClosed { room, reason } => {
            new(EventKind::RoomClosed, room).with("reason", reason.as_str())
        }
        Event::Waiting { room, peer } => of(EventKind::Waiting, room, peer),
        Event::WaitingEnded { room, peer, reason } => {
            of(EventKind::WaitingEnded, room, peer).with("reason", reason.as_str())
        }
        Event::Joined { room, peer, role } => {
            of(EventKind::Joined, room, peer).with("role", role.as_str())
        }
        Event::Resumed { room, peer, replayed } => {
            of(EventKind::Resumed, room, peer).with("replayed", *replayed)
        }
        Event::Left { room, peer, reason } => {
            of(EventKind::Left, room, peer).with("reason", reason.as_str())
        }
        Event::Described { room, from, to, kind, size, digest } => {
            let described = of(described_kind(*kind)?, room, from)
                .with("size", *size)
                .with("hash", hex(digest));
            match to {
                Some(to) => described.with("to", to.as_str()),
                None => described,
            }
        }
        Event::Moderation { room, by, what } => moderation(new(EventKind::Moderation, room), what)
            .by(&match by {
                Actor::Peer(host) => format!("peer:{}", host.as_str()),
                Actor::Caller(name) => name.to_string(),
                Actor::Api => "api".to_owned(),
            }),
        Event::Error { room, peer, code } => {
            of(EventKind::Error, room, peer).with("code", code.as_str())
        }
    })
}

fn moderation(event: NewEvent, what: &Moderation) -> NewEvent {
    let (action, peer) = match what {
        Moderation::Admit(peer) => ("admit", Some(peer)),
        Moderation::Deny(peer) => ("deny", Some(peer)),
        Moderation::Kick(peer) => ("kick", Some(peer)),
        Moderation::Lock => ("lock", None),
        Moderation::Unlock => ("unlock", None),
        Moderation::Rename(_) => ("rename", None),
    };
    let event = event.with("action", action);
    match peer {
        Some(peer) => event.peer(peer.as_str()),
        None => event,
    }
}

const fn described_kind(kind: SignalKind) -> Option<EventKind> {
    match kind {
        SignalKind::Offer => Some(EventKind::Offer),
        SignalKind::Answer => Some(EventKind::Answer),
        SignalKind::Candidate => Some(EventKind::Candidate),
        SignalKind::Message => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
