//! Talking: what a connected client asks for, and how much of it.

use std::borrow::Cow;
use std::sync::Arc;

use super::effects::Effects;
use super::hub::Hub;
use super::room::Room;
use super::{
    Actor, Body, ClientMessage, ConnId, ErrorCode, LeaveReason, LeftReason, PeerId, RefId, RoomId,
    ServerMessage, SignalKind,
};
use crate::time::Now;

/// Why something is refused: for programs, and for people.
pub(super) type Refusal = (ErrorCode, &'static str);

/// Nobody of that name is here.
pub(super) const NO_SUCH_PEER: Refusal =
    (ErrorCode::NoSuchPeer, "no other peer of that name is here");

impl Hub {
    /// A message of a connection. One that is not (or no longer) connected is not heard.
    pub fn handle(&mut self, now: Now, conn: ConnId, message: ClientMessage) {
        self.effects.now = now;
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        if !connection.messages.take(now.mono) {
            return self.flood(conn, message.id);
        }
        let who = (connection.room.clone(), connection.peer.clone());
        if let Err((code, text)) = self.act(conn, &who, message.id.clone(), message.body) {
            self.effects.error(conn, (&who.0, &who.1), message.id, code, text);
            if code == ErrorCode::TooLarge {
                self.count_bad(conn);
            }
        }
        self.settle();
    }

    /// A message of a connection that could not be understood: answered with an error, and one too
    /// many ends the connection.
    pub fn complain(
        &mut self,
        now: Now,
        conn: ConnId,
        id: Option<RefId>,
        code: ErrorCode,
        text: impl Into<Cow<'static, str>>,
    ) {
        self.effects.now = now;
        let Some((room, peer)) = self.whose(conn) else { return };
        self.effects.error(conn, (&room, &peer), id, code, text);
        self.count_bad(conn);
        self.settle();
    }

    fn act(
        &mut self,
        conn: ConnId,
        (room_id, peer): &(RoomId, PeerId),
        id: Option<RefId>,
        body: Body,
    ) -> Result<(), Refusal> {
        let Some(room) = self.rooms.get_mut(room_id) else { return Ok(()) };
        room.heard = self.effects.now.mono;
        match body {
            Body::Ping => self.effects.send(conn, ServerMessage::Pong { reference: id }),
            Body::Leave => self.part(conn, LeftReason::Left, Some(LeaveReason::Left.leave())),
            _ if room.member(peer).is_none() => {
                return Err((ErrorCode::NotAdmitted, "wait until a host lets you in"));
            }
            Body::Signal { kind, to, payload } => {
                signal(room, &mut self.effects, (room_id, peer), kind, to, payload)?;
            }
            Body::Media { publishing } => self.media(room_id, peer, publishing),
            Body::Moderate(what) => {
                let host = room.member(peer).is_some_and(|index| room.is_host(index));
                if !host {
                    return Err((ErrorCode::Forbidden, "only a host may do this"));
                }
                self.moderation(room_id, Actor::Peer(peer.clone()), what)?;
            }
        }
        Ok(())
    }

    /// Tells the others, when it is news.
    fn media(&mut self, room: &RoomId, peer: &PeerId, publishing: bool) {
        let Some(room) = self.rooms.get_mut(room) else { return };
        let Some(index) = room.member(peer) else { return };
        let known = std::mem::replace(&mut room.members[index].publishing, publishing);
        if known != publishing {
            let message = ServerMessage::Media { peer: peer.clone(), publishing };
            room.tell_others(peer, &message, &mut self.effects);
        }
    }

    fn count_bad(&mut self, conn: ConnId) {
        let now = self.effects.now.mono;
        if self.connections.get_mut(&conn).is_some_and(|it| !it.bad.take(now)) {
            self.flood(conn, None);
        }
    }

    fn flood(&mut self, conn: ConnId, id: Option<RefId>) {
        let Some((room, peer)) = self.whose(conn) else { return };
        let text = "too many messages";
        self.effects.error(conn, (&room, &peer), id, ErrorCode::Flood, text);
        let leave = LeaveReason::Flood.leave_for(self.effects.limits.flood_pause);
        self.part(conn, LeftReason::Flood, Some(leave));
        self.settle();
    }
}

/// Passes a payload on, unread.
fn signal(
    room: &mut Room,
    effects: &mut Effects,
    who @ (_, from): (&RoomId, &PeerId),
    kind: SignalKind,
    to: Option<PeerId>,
    payload: Arc<str>,
) -> Result<(), Refusal> {
    let (bound, text) = match kind {
        SignalKind::Offer | SignalKind::Answer => (effects.limits.sdp, "the SDP is too long"),
        SignalKind::Candidate => (effects.limits.candidate, "the candidate is too long"),
        SignalKind::Message => (effects.limits.data, "the data is too long"),
    };
    if payload.len() > bound {
        return Err((ErrorCode::TooLarge, text));
    }
    let message = ServerMessage::Signal { kind, from: from.clone(), payload: Arc::clone(&payload) };
    let Some(to) = to else {
        effects.relayed += room.members.len() as u64 - 1;
        room.tell_others(from, &message, effects);
        effects.described(who, None, kind, &payload);
        return Ok(());
    };
    // Nothing is echoed to its sender.
    let index = room.member(&to).filter(|_| to != *from).ok_or(NO_SUCH_PEER)?;
    effects.relayed += 1;
    room.members[index].tell(message, effects);
    effects.described(who, Some(&to), kind, &payload);
    Ok(())
}
