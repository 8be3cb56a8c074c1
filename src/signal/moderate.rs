//! Deciding: what hosts (and the HTTP API) may do to others.

use std::sync::Arc;

use super::hub::Hub;
use super::join;
use super::relay::{NO_SUCH_PEER, Refusal};
use super::room::Room;
use super::{
    Actor, ErrorCode, Event, LeaveReason, LeftReason, Moderation, PeerId, Role, RoomId,
    ServerMessage,
};
use crate::time::Now;

impl Hub {
    /// A decision of the HTTP API's caller `by`, who was checked.
    ///
    /// # Errors
    /// [`ErrorCode::NoSuchRoom`], [`ErrorCode::NoSuchPeer`], or to admit into a full or locked room
    /// [`ErrorCode::RoomFull`] and [`ErrorCode::RoomLocked`].
    pub fn moderate(
        &mut self,
        now: Now,
        room: &RoomId,
        by: Actor,
        what: Moderation,
    ) -> Result<(), ErrorCode> {
        self.effects.now = now;
        if !self.rooms.contains_key(room) {
            return Err(ErrorCode::NoSuchRoom);
        }
        let done = self.moderation(room, by, what);
        self.settle();
        done.map_err(|(code, _)| code)
    }

    pub(super) fn moderation(
        &mut self,
        room_id: &RoomId,
        by: Actor,
        what: Moderation,
    ) -> Result<(), Refusal> {
        let Some(room) = self.rooms.get_mut(room_id) else { return Ok(()) };
        match &what {
            Moderation::Admit(peer) => {
                let index = room.waiting(peer).ok_or(NO_SUCH_PEER)?;
                if room.spec.locked {
                    return Err((ErrorCode::RoomLocked, "unlock the room first"));
                }
                if room.is_full() {
                    return Err((ErrorCode::RoomFull, "the room is full"));
                }
                let guest = room.waiting.remove(index);
                join::admit(room, guest, self.tokens.next(), &mut self.effects);
            }
            Moderation::Deny(peer) => {
                let index = room.waiting(peer).ok_or(NO_SUCH_PEER)?;
                let guest = room.remove_waiting(index, LeftReason::Denied, &mut self.effects);
                self.effects.end(guest.conn, LeaveReason::Denied.leave());
            }
            Moderation::Kick(peer) => self.kick(room_id, &by, peer)?,
            Moderation::Lock => self.set_locked(room_id, true),
            Moderation::Unlock => self.set_locked(room_id, false),
            Moderation::Rename(name) => self.rename(room_id, name.clone()),
        }
        self.effects.event(Event::Moderation { room: room_id.clone(), by, what });
        Ok(())
    }

    fn kick(&mut self, room: &RoomId, by: &Actor, peer: &PeerId) -> Result<(), Refusal> {
        let Some(room) = self.rooms.get_mut(room) else { return Ok(()) };
        if matches!(by, Actor::Peer(host) if host == peer) {
            return Err(NO_SUCH_PEER);
        }
        let index = room.member(peer).ok_or(NO_SUCH_PEER)?;
        let gone = room.remove_member(index, LeftReason::Kicked, &mut self.effects);
        gone.hang_up(LeaveReason::Kicked, &mut self.effects);
        room.remember_kicked(gone.peer, &self.effects);
        Ok(())
    }

    fn rename(&mut self, room: &RoomId, name: Option<Arc<str>>) {
        let Some(room) = self.rooms.get_mut(room) else { return };
        if room.spec.name != name {
            room.spec.name = name;
            let message = ServerMessage::Room(Box::new(room.view()));
            room.tell_all(&message, &mut self.effects);
        }
    }

    fn set_locked(&mut self, room: &RoomId, locked: bool) {
        let Some(room) = self.rooms.get_mut(room) else { return };
        if room.spec.locked != locked {
            room.spec.locked = locked;
            let message = ServerMessage::Room(Box::new(room.view()));
            room.tell_all(&message, &mut self.effects);
        }
    }
}

impl Room {
    pub(super) fn is_host(&self, index: usize) -> bool {
        self.members[index].role == Role::Host
    }
}
