//! One peer in a room, and one guest in its lobby.

use std::sync::Arc;

use super::effects::Effects;
use super::outbox::{Outbox, Reader};
use super::timers::Timer;
use super::{
    ConnId, LeaveReason, LeftReason, Outgoing, PeerId, PeerInfo, ResumeToken, Role, RoomId,
    ServerMessage,
};
use crate::time::Instant;

/// A peer that was let in.
pub(super) struct Member {
    pub(super) room: RoomId,
    pub(super) peer: PeerId,
    pub(super) role: Role,
    pub(super) name: Option<Arc<str>>,
    /// Grows with each join, so it orders the peers by when they came.
    pub(super) number: u64,
    pub(super) publishing: bool,
    /// Whether it may resume when its connection breaks.
    pub(super) keeps_place: bool,
    pub(super) token: ResumeToken,
    pub(super) link: Link,
    pub(super) outbox: Outbox,
}

/// Whether a peer has a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Attached(ConnId),
    /// Dropped; its place is kept until then.
    Away {
        until: Instant,
    },
}

/// A guest that waits for a host.
pub(super) struct Waiting {
    pub(super) conn: ConnId,
    pub(super) peer: PeerId,
    pub(super) role: Role,
    pub(super) name: Option<Arc<str>>,
    pub(super) keeps_place: bool,
}

impl Member {
    /// This peer as one that joined as `viewer` sees it. Of two, the later is polite.
    pub(super) fn seen_by(&self, viewer: u64) -> PeerInfo {
        PeerInfo {
            peer: self.peer.clone(),
            name: self.name.clone(),
            role: self.role,
            polite: viewer > self.number,
            publishing: self.publishing,
            connected: matches!(self.link, Link::Attached(_)),
            number: self.number,
        }
    }

    /// Sends what a resume must not lose: at once when connected, and kept until confirmed.
    pub(super) fn tell(&mut self, message: ServerMessage, effects: &mut Effects) {
        if let Link::Attached(conn) = self.link {
            if self.outbox.has_room(Reader::Present, &effects.limits) {
                let seq = Some(self.outbox.push(message.clone()));
                effects.sends.push_back(Outgoing { conn, seq, message });
                return;
            }
            effects.end(conn, LeaveReason::Slow.leave());
            if !self.keeps_place {
                self.link = Link::Away { until: effects.now.mono };
                let gone = (self.room.clone(), self.peer.clone(), LeftReason::Slow);
                effects.overflowed.push(gone);
                return;
            }
            self.go_away(effects);
        }
        if self.outbox.has_room(Reader::Absent, &effects.limits) {
            self.outbox.push(message);
        } else {
            let gone = (self.room.clone(), self.peer.clone(), LeftReason::Slow);
            effects.overflowed.push(gone);
        }
    }

    /// Keeps the place without a connection, for a while.
    pub(super) fn go_away(&mut self, effects: &mut Effects) {
        self.detach(effects);
        let until = effects.now.mono + effects.limits.resume;
        self.link = Link::Away { until };
        effects.timers.set(until, self.timer());
    }

    /// Takes a new connection.
    pub(super) fn attach(&mut self, conn: ConnId, effects: &mut Effects) {
        self.detach(effects);
        self.link = Link::Attached(conn);
    }

    /// Drops the timer of an absence, when there is one.
    pub(super) fn detach(&self, effects: &mut Effects) {
        if let Link::Away { until } = self.link {
            effects.timers.cancel(until, self.timer());
        }
    }

    /// Ends the connection, when there is one.
    pub(super) fn hang_up(&self, reason: LeaveReason, effects: &mut Effects) {
        if let Link::Attached(conn) = self.link {
            effects.end(conn, reason.leave());
        }
    }

    fn timer(&self) -> Timer {
        Timer::Away(self.room.clone(), self.peer.clone())
    }
}
