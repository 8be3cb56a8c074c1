//! What clients say and what they are told, without its JSON: each dialect writes it its own way.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::{ConnId, ErrorCode, LeaveReason, LeftReason, PeerId, RefId, ResumeToken, Role, RoomId};
use crate::time::UnixTime;

/// A verified ticket's say: who comes into which room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The only room the ticket is good for.
    pub room: RoomId,
    /// The peer: the ticket's subject.
    pub peer: PeerId,
    /// What the peer may do.
    pub role: Role,
    /// The name other peers are shown.
    pub name: Option<Arc<str>>,
    /// When what was shown for it was given out: for a room that was made later it is worth nothing.
    pub issued: Option<UnixTime>,
}

/// The first message of a connection, once its ticket is verified.
#[derive(Clone, Debug)]
pub struct Hello {
    /// Echoed in the answer.
    pub id: Option<RefId>,
    /// Who comes, and where.
    pub admission: Admission,
    /// Whether the peer keeps its place for a while when this connection breaks: its client can resume.
    pub keeps_place: bool,
    /// Continues the peer's earlier connection; a token that is not the peer's counts as none.
    pub resume: Option<ResumeToken>,
    /// With `resume`: the last sequence number the client saw. Without it, what the connection
    /// confirmed through [`Hub::acknowledge`](super::Hub::acknowledge) counts.
    pub seen: Option<u64>,
}

/// One message of a client that has said hello.
#[derive(Clone, Debug)]
pub struct ClientMessage {
    /// Echoed in what answers it.
    pub id: Option<RefId>,
    /// What it wants.
    pub body: Body,
}

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// An offer, answer, candidate or application message for one peer, or for all others.
    Signal {
        /// What it is.
        kind: SignalKind,
        /// The receiver; none is everybody else.
        to: Option<PeerId>,
        /// The SDP itself, or the JSON text of a candidate or of data.
        payload: Arc<str>,
    },
    /// Says whether this peer sends media.
    Media {
        /// True when it does.
        publishing: bool,
    },
    /// A host's decision.
    Moderate(Moderation),
    /// Goodbye for good.
    Leave,
    /// Answered with a pong.
    Ping,
}

/// What is passed on from peer to peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalKind {
    /// SDP offer.
    Offer,
    /// SDP answer.
    Answer,
    /// ICE candidate, or the end of them.
    Candidate,
    /// Anything of the application.
    Message,
}

/// What a host may decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moderation {
    /// Lets a waiting guest in.
    Admit(PeerId),
    /// Sends a waiting guest away.
    Deny(PeerId),
    /// Removes a peer and refuses its ticket from now on.
    Kick(PeerId),
    /// Admits nobody from now on.
    Lock,
    /// Admits again.
    Unlock,
    /// Gives the room another name to show, or none.
    Rename(Option<Arc<str>>),
}

/// A peer as another peer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Who.
    pub peer: PeerId,
    /// The name to show.
    pub name: Option<Arc<str>>,
    /// What it may do.
    pub role: Role,
    /// The receiver's bit towards this peer (perfect negotiation): the later joiner is polite.
    pub polite: bool,
    /// Whether it sends media.
    pub publishing: bool,
    /// Whether it has a connection; without one it may still resume.
    pub connected: bool,
    /// Its number in the room, for dialects that name publishers by integers. Never used twice.
    pub number: u64,
}

/// A room as anybody in it may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomView {
    /// Which.
    pub id: RoomId,
    /// The name to show.
    pub name: Option<Arc<str>>,
    /// Peers it holds at most.
    pub capacity: usize,
    /// Whether guests wait for a host.
    pub lobby: bool,
    /// Whether it admits nobody.
    pub locked: bool,
    /// When it was made.
    pub created: UnixTime,
    /// When it ends in any case.
    pub expires: Option<UnixTime>,
    /// Peers in it, absent ones that may still resume included.
    pub participants: usize,
    /// Guests in its lobby.
    pub waiting: usize,
}

/// A guest in the lobby, as those see it who may let it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingInfo {
    /// Who.
    pub peer: PeerId,
    /// The name to show.
    pub name: Option<Arc<str>>,
}

/// Who is in a room, and who waits to be let in; each in the order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Let in, absent ones that may still resume included. Nobody is polite to an onlooker.
    pub peers: Vec<PeerInfo>,
    /// In the lobby.
    pub waiting: Vec<WaitingInfo>,
}

/// One message to one connection.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// To whom.
    pub conn: ConnId,
    /// Set on what a resume replays: counts from 1 for each peer and goes on over resumes.
    pub seq: Option<u64>,
    /// The message.
    pub message: ServerMessage,
}

/// What a client is told. Cheap to clone: payloads are shared.
#[derive(Clone, Debug)]
pub enum ServerMessage {
    /// The answer to hello: you are in.
    Ready(Box<Ready>),
    /// The answer to hello in a room with a lobby: wait.
    Waiting {
        /// The hello's id.
        reference: Option<RefId>,
        /// Who you are.
        peer: PeerId,
        /// Where.
        room: Box<RoomView>,
    },
    /// To hosts: somebody waits.
    Knock {
        /// Who.
        peer: PeerId,
        /// The name to show.
        name: Option<Arc<str>>,
    },
    /// Somebody came in.
    Joined(PeerInfo),
    /// Somebody is gone for good, or stopped waiting.
    Left {
        /// Who; its last state as the receiver saw it when it was in the room, else none.
        peer: PeerId,
        /// Why.
        reason: LeftReason,
        /// What the receiver knew of it.
        was: Option<PeerInfo>,
    },
    /// Passed on from another peer.
    Signal {
        /// What.
        kind: SignalKind,
        /// From whom.
        from: PeerId,
        /// As it was given.
        payload: Arc<str>,
    },
    /// A peer started or stopped to send media.
    Media {
        /// Who.
        peer: PeerId,
        /// True when it sends.
        publishing: bool,
    },
    /// The room changed.
    Room(Box<RoomView>),
    /// The connection ends.
    Leave(Leave),
    /// Something asked for was refused.
    Error {
        /// The id of what is refused.
        reference: Option<RefId>,
        /// What a program reads.
        code: ErrorCode,
        /// What a person reads.
        message: Cow<'static, str>,
    },
    /// The answer to ping.
    Pong {
        /// The ping's id.
        reference: Option<RefId>,
    },
}

/// Everything a peer needs to begin.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The hello's id.
    pub reference: Option<RefId>,
    /// Who you are.
    pub peer: PeerId,
    /// What you may do.
    pub role: Role,
    /// Where you are.
    pub room: RoomView,
    /// The others. On a resume: as they were before the messages that are replayed next.
    pub peers: Vec<PeerInfo>,
    /// To come back with.
    pub resume: ResumeToken,
    /// Whether this continues the earlier connection; the state of its calls is then still good.
    pub resumed: bool,
}

/// Why a connection ends and what its client should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leave {
    /// Why.
    pub reason: LeaveReason,
    /// What to do.
    pub action: Action,
    /// Not before this time.
    pub retry_after: Option<Duration>,
}

/// What a client whose connection ends should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: do not come back by yourself.
    Stop,
    /// Come back with the resume token; nothing is lost.
    Resume,
    /// Come back and begin anew.
    Reconnect,
}
