//! The doors of the room machine: inputs with their time, outputs to be fetched after each.

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::bucket::Bucket;
use super::digest::Digests;
use super::effects::Effects;
use super::member::Link;
use super::room::Room;
use super::timers::Timer;
use super::token::TokenSource;
use super::{
    CloseReason, ConnId, Event, HubLimits, HubStats, LeaveReason, LeftReason, Outgoing, PeerId,
    PeerInfo, Presence, RoomId, RoomSpec, RoomView,
};
use crate::time::{Instant, Now};

/// All rooms of the process. After every input, drain [`poll_send`](Self::poll_send) and
/// [`poll_event`](Self::poll_event), and call [`handle_timeout`](Self::handle_timeout) when
/// [`poll_timeout`](Self::poll_timeout) says so.
pub struct Hub {
    pub(super) rooms: BTreeMap<RoomId, Room>,
    /// By the driver's numbers, which no client chooses.
    pub(super) connections: HashMap<ConnId, Connection, FixedState>,
    pub(super) tokens: TokenSource,
    pub(super) effects: Effects,
}

/// Whose connection it is, and how much it talks.
pub(super) struct Connection {
    pub(super) room: RoomId,
    pub(super) peer: PeerId,
    pub(super) messages: Bucket,
    pub(super) bad: Bucket,
}

/// How a connection ended, as the driver saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It broke or was closed: the peer may resume.
    Dropped,
    /// It took no more bytes: the peer may resume, and is told so if that is still possible.
    Slow,
    /// It sent what cannot even be read: the peer is told, and may begin anew.
    TooLarge,
    /// It ended as its client meant it to (a dialect whose sockets have no resume): gone for good.
    Left,
}

impl Hub {
    /// An empty hub. `seed` must come from a random source: resume tokens are made from it.
    pub fn new(limits: HubLimits, seed: [u8; 32]) -> Self {
        Self {
            rooms: BTreeMap::new(),
            connections: HashMap::default(),
            tokens: TokenSource::new(seed),
            effects: Effects::new(limits),
        }
    }

    /// From now on each description and candidate that is passed on is an
    /// [`Event::Described`], hashed under this salt.
    pub fn describe(&mut self, salt: &[u8; 32]) {
        self.effects.digests = Some(Digests::new(salt));
    }

    /// The bounds this hub was made with.
    pub fn limits(&self) -> &HubLimits {
        &self.effects.limits
    }

    /// Opens a room, or leaves one that is open as it is. False when there are too many rooms.
    #[must_use]
    pub fn open(&mut self, now: Now, spec: RoomSpec) -> bool {
        self.effects.now = now;
        if self.rooms.contains_key(&spec.id) {
            return true;
        }
        if self.rooms.len() >= self.effects.limits.rooms {
            return false;
        }
        self.rooms.insert(spec.id.clone(), Room::open(spec, &mut self.effects));
        true
    }

    /// Ends a room and everybody's connection to it. Nothing happens when there is none.
    pub fn close(&mut self, now: Now, room: &RoomId, reason: CloseReason) {
        self.effects.now = now;
        if let Some(gone) = self.rooms.remove(room) {
            gone.dissolve(LeaveReason::RoomClosed, &mut self.effects);
            self.effects.event(Event::RoomClosed { room: room.clone(), reason });
        }
        self.settle();
    }

    /// A room as it is now.
    pub fn room(&self, room: &RoomId) -> Option<RoomView> {
        self.rooms.get(room).map(Room::view)
    }

    /// Every room, by name.
    pub fn rooms(&self) -> impl Iterator<Item = RoomView> + '_ {
        self.rooms.values().map(Room::view)
    }

    /// The peers of a room in the order they came; nobody is polite to an onlooker.
    pub fn peers(&self, room: &RoomId) -> Option<Vec<PeerInfo>> {
        self.rooms.get(room).map(|room| room.seen_by(0))
    }

    /// Who is in a room and who waits there.
    pub fn presence(&self, room: &RoomId) -> Option<Presence> {
        self.rooms.get(room).map(Room::presence)
    }

    /// How much there is. Walks the rooms: for metrics, not for each message.
    pub fn stats(&self) -> HubStats {
        let rooms = self.rooms.values();
        let away = |room: &Room| {
            room.members.iter().filter(|member| matches!(member.link, Link::Away { .. })).count()
        };
        HubStats {
            rooms: self.rooms.len(),
            peers: rooms.clone().map(|room| room.members.len()).sum(),
            away: rooms.clone().map(away).sum(),
            waiting: rooms.map(|room| room.waiting.len()).sum(),
            connections: self.connections.len(),
            relayed: self.effects.relayed,
            errors: self.effects.errors,
            resumed: self.effects.resumed,
        }
    }

    /// The client has everything up to `seq`: it need not be replayed.
    pub fn acknowledge(&mut self, conn: ConnId, seq: u64) {
        let Some(connection) = self.connections.get(&conn) else { return };
        let Some(room) = self.rooms.get_mut(&connection.room) else { return };
        if let Some(index) = room.member(&connection.peer) {
            room.members[index].outbox.confirm(seq);
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Now) {
        self.effects.now = now;
        while let Some(timer) = self.effects.timers.pop_due(now.mono) {
            match timer {
                Timer::Away(room, peer) => self.remove(&room, &peer, LeftReason::Dropped),
                Timer::Idle(room) => self.close(now, &room, CloseReason::Idle),
                Timer::Silence(room) => {
                    let effects = &mut self.effects;
                    if self.rooms.get_mut(&room).is_some_and(|it| it.watch_silence(effects)) {
                        self.close(now, &room, CloseReason::Silent);
                    }
                }
                Timer::Expiry(room) => self.close(now, &room, CloseReason::Expired),
            }
        }
        self.settle();
    }

    /// When [`handle_timeout`](Self::handle_timeout) is wanted next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.effects.timers.next()
    }

    /// The next message to send, in order. After a `Leave` nothing more comes for its connection.
    pub fn poll_send(&mut self) -> Option<Outgoing> {
        self.effects.sends.pop_front()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.effects.events.pop_front()
    }

    /// The room and the peer behind a connection.
    pub(super) fn whose(&self, conn: ConnId) -> Option<(RoomId, PeerId)> {
        let connection = self.connections.get(&conn)?;
        Some((connection.room.clone(), connection.peer.clone()))
    }

    /// Ends what the input just handled brought to its end. Each removal may overflow another absent
    /// peer's queue, so this goes on until nothing is left; members only become fewer.
    pub(super) fn settle(&mut self) {
        while let Some((room, peer, reason)) = self.effects.overflowed.pop() {
            self.remove(&room, &peer, reason);
        }
        for conn in self.effects.ended.drain(..) {
            self.connections.remove(&conn);
        }
    }

    /// Takes a peer out of its room, whether it is connected or not.
    pub(super) fn remove(&mut self, room: &RoomId, peer: &PeerId, reason: LeftReason) {
        let Some(room) = self.rooms.get_mut(room) else { return };
        if let Some(index) = room.member(peer) {
            room.remove_member(index, reason, &mut self.effects);
        }
    }
}
