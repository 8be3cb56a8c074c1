//! What happened, for log, metrics, audit and the store. Carries no payload and no token.

use std::sync::Arc;

use super::{CloseReason, ErrorCode, LeftReason, Moderation, PeerId, Role, RoomId, SignalKind};

/// Who decided something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A host in the room.
    Peer(PeerId),
    /// A caller of the HTTP API, by name: `user:ann`, `key:…`, `ticket:…`.
    Caller(Arc<str>),
    /// A caller of the HTTP API who has no name, or the server itself.
    Api,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A room began.
    RoomOpened {
        /// Which.
        room: RoomId,
    },
    /// A room ended; everybody in it was told.
    RoomClosed {
        /// Which.
        room: RoomId,
        /// Why.
        reason: CloseReason,
    },
    /// A guest waits in the lobby.
    Waiting {
        /// Where.
        room: RoomId,
        /// Who.
        peer: PeerId,
    },
    /// A guest waits no more and did not come in.
    WaitingEnded {
        /// Where.
        room: RoomId,
        /// Who.
        peer: PeerId,
        /// Why.
        reason: LeftReason,
    },
    /// A peer came in.
    Joined {
        /// Where.
        room: RoomId,
        /// Who.
        peer: PeerId,
        /// As what.
        role: Role,
    },
    /// A peer came back in time.
    Resumed {
        /// Where.
        room: RoomId,
        /// Who.
        peer: PeerId,
        /// Messages it had missed.
        replayed: usize,
    },
    /// A peer is gone for good.
    Left {
        /// Where.
        room: RoomId,
        /// Who.
        peer: PeerId,
        /// Why.
        reason: LeftReason,
    },
    /// A description or a candidate was passed on. Only where the hub was given a salt.
    Described {
        /// Where.
        room: RoomId,
        /// Who sent it.
        from: PeerId,
        /// Who was sent it; none is everybody else.
        to: Option<PeerId>,
        /// Offer, answer or candidate; never a message of the application.
        kind: SignalKind,
        /// Bytes of what was sent.
        size: usize,
        /// HMAC-SHA256 of it under the salt.
        digest: [u8; 32],
    },
    /// A host or the API decided something.
    Moderation {
        /// Where.
        room: RoomId,
        /// Who decided.
        by: Actor,
        /// What.
        what: Moderation,
    },
    /// A client was told that something is wrong.
    Error {
        /// Where.
        room: RoomId,
        /// Who.
        peer: PeerId,
        /// What.
        code: ErrorCode,
    },
}

/// How much there is, and what was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HubStats {
    /// Rooms open now.
    pub rooms: usize,
    /// Peers in them, absent ones included.
    pub peers: usize,
    /// Of these, the ones whose connection broke and that may still resume.
    pub away: usize,
    /// Guests waiting in lobbies.
    pub waiting: usize,
    /// Connections past their hello.
    pub connections: usize,
    /// Messages passed on so far, counted once for each receiver.
    pub relayed: u64,
    /// Errors told to clients so far.
    pub errors: u64,
    /// Peers that resumed so far.
    pub resumed: u64,
}
