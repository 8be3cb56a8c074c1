//! Coming in: a fresh join, a knock at the lobby, a newer connection, a resume.

use super::bucket::Bucket;
use super::effects::Effects;
use super::hub::{Connection, Hub};
use super::member::{Link, Member, Waiting};
use super::outbox::Outbox;
use super::room::Room;
use super::{
    Admission, ConnId, ErrorCode, Event, Hello, LeaveReason, LeftReason, Outgoing, PeerInfo, Ready,
    RefId, ResumeToken, Role, ServerMessage,
};
use crate::time::Now;

impl Hub {
    /// A connection said hello with a good ticket. Answered with ready, waiting, or an error and
    /// leave. `conn` must be new.
    pub fn connect(&mut self, now: Now, conn: ConnId, hello: Hello) {
        self.effects.now = now;
        if let Err((code, reason)) = self.try_connect(conn, &hello) {
            let who = (&hello.admission.room, &hello.admission.peer);
            self.effects.error(conn, who, hello.id, code, sentence(code));
            self.effects.end(conn, reason.leave());
        }
        self.settle();
    }

    fn try_connect(&mut self, conn: ConnId, hello: &Hello) -> Result<(), (ErrorCode, LeaveReason)> {
        let admission = &hello.admission;
        let effects = &mut self.effects;
        let Some(room) = self.rooms.get_mut(&admission.room) else {
            return Err((ErrorCode::NoSuchRoom, LeaveReason::NoSuchRoom));
        };
        // An earlier room had the same name.
        if admission.issued.is_some_and(|issued| issued < room.spec.created) {
            return Err((ErrorCode::NoSuchRoom, LeaveReason::NoSuchRoom));
        }
        let limits = &effects.limits;
        let connection = Connection {
            room: admission.room.clone(),
            peer: admission.peer.clone(),
            messages: Bucket::per_second(limits.rate, limits.burst),
            bad: Bucket::new(limits.bad_every, limits.bad_burst),
        };

        // 1. A peer that is in the room already: goes on, or begins anew in its own place.
        if let Some(index) = room.member(&admission.peer) {
            room.members[index].hang_up(LeaveReason::Replaced, effects);
            if let Some(seen) = continues(&room.members[index], hello) {
                resume(room, index, conn, seen, hello.id.clone(), effects);
            } else {
                room.remove_member(index, LeftReason::Replaced, effects);
                let token = self.tokens.next();
                let member = member(room, admission, hello.keeps_place, conn, token);
                enter(room, member, hello.id.clone(), effects);
            }
            self.connections.insert(conn, connection);
            return Ok(());
        }

        // 2. A guest that waits already: the newer connection waits in its place.
        if let Some(index) = room.waiting(&admission.peer) {
            let old = std::mem::replace(&mut room.waiting[index].conn, conn);
            effects.end(old, LeaveReason::Replaced.leave());
            effects.send(conn, waiting(room, admission, hello.id.clone()));
            self.connections.insert(conn, connection);
            return Ok(());
        }

        // 3. A new one.
        let bars = room.spec.lobby && admission.role == Role::Guest;
        if room.kicked.contains(&admission.peer) {
            return Err((ErrorCode::Kicked, LeaveReason::Kicked));
        }
        if room.spec.locked {
            return Err((ErrorCode::RoomLocked, LeaveReason::RoomLocked));
        }
        if room.is_full() || bars && room.waiting.len() >= effects.limits.waiting_per_room {
            return Err((ErrorCode::RoomFull, LeaveReason::RoomFull));
        }
        if bars {
            knock(room, hello, conn, effects);
        } else {
            let token = self.tokens.next();
            let member = member(room, admission, hello.keeps_place, conn, token);
            enter(room, member, hello.id.clone(), effects);
        }
        self.connections.insert(conn, connection);
        Ok(())
    }
}

/// Where the replay starts, when this hello continues the member's earlier connection: the token is
/// the member's, and nothing it has not seen is forgotten.
fn continues(member: &Member, hello: &Hello) -> Option<u64> {
    let token = hello.resume.as_ref()?;
    if !token.matches(&member.token) {
        return None;
    }
    match hello.seen {
        Some(seen) => member.outbox.reaches_back_to(seen).then_some(seen),
        None => Some(0),
    }
}

fn resume(
    room: &mut Room,
    index: usize,
    conn: ConnId,
    seen: u64,
    reference: Option<RefId>,
    effects: &mut Effects,
) {
    let view = room.view();
    let now_there = room.seen_by(room.members[index].number);
    let member = &mut room.members[index];
    member.attach(conn, effects);
    member.outbox.confirm(seen);
    member.outbox.begin_replay();
    let ready = Ready {
        reference,
        peer: member.peer.clone(),
        role: member.role,
        room: view,
        peers: before_the_replay(now_there, member),
        resume: member.token.clone(),
        resumed: true,
    };
    effects.send(conn, ServerMessage::Ready(Box::new(ready)));
    let mut replayed = 0;
    for (seq, message) in member.outbox.unconfirmed() {
        let (seq, message) = (Some(*seq), message.clone());
        effects.sends.push_back(Outgoing { conn, seq, message });
        replayed += 1;
    }
    effects.resumed += 1;
    let (room, peer) = (room.spec.id.clone(), member.peer.clone());
    effects.event(Event::Resumed { room, peer, replayed });
}

/// The other peers as `member` last knew them: what it is about to be told again is taken back, from
/// the newest to the oldest.
fn before_the_replay(mut peers: Vec<PeerInfo>, member: &Member) -> Vec<PeerInfo> {
    for (_, message) in member.outbox.unconfirmed().rev() {
        match message {
            ServerMessage::Joined(info) => peers.retain(|peer| peer.peer != info.peer),
            ServerMessage::Left { was: Some(was), .. } => peers.push(was.clone()),
            ServerMessage::Media { peer, publishing } => {
                for known in peers.iter_mut().filter(|known| known.peer == *peer) {
                    known.publishing = !publishing;
                }
            }
            _ => {}
        }
    }
    peers.sort_by_key(|peer| peer.number);
    peers
}

fn member(
    room: &mut Room,
    admission: &Admission,
    keeps_place: bool,
    conn: ConnId,
    token: ResumeToken,
) -> Member {
    room.joins += 1;
    Member {
        room: admission.room.clone(),
        peer: admission.peer.clone(),
        role: admission.role,
        name: admission.name.clone(),
        number: room.joins,
        publishing: false,
        keeps_place,
        token,
        link: Link::Attached(conn),
        outbox: Outbox::default(),
    }
}

/// Puts a connected member into the room and tells everybody.
pub(super) fn enter(
    room: &mut Room,
    member: Member,
    reference: Option<RefId>,
    effects: &mut Effects,
) {
    let Link::Attached(conn) = member.link else { return };
    let (number, peer, role) = (member.number, member.peer.clone(), member.role);
    let resume = member.token.clone();
    room.members.push(member);
    room.watch_idleness(effects);
    let (view, peers) = (room.view(), room.seen_by(number));
    let ready =
        Ready { reference, peer: peer.clone(), role, room: view, peers, resume, resumed: false };
    effects.send(conn, ServerMessage::Ready(Box::new(ready)));

    let (newest, earlier) = room.members.split_last_mut().expect("just pushed");
    for other in earlier {
        other.tell(ServerMessage::Joined(newest.seen_by(other.number)), effects);
    }
    if role == Role::Host {
        for guest in &room.waiting {
            let (peer, name) = (guest.peer.clone(), guest.name.clone());
            newest.tell(ServerMessage::Knock { peer, name }, effects);
        }
    }
    effects.event(Event::Joined { room: room.spec.id.clone(), peer, role });
}

/// Makes a member of a guest that waited.
pub(super) fn admit(room: &mut Room, guest: Waiting, token: ResumeToken, effects: &mut Effects) {
    let Waiting { conn, peer, role, name, keeps_place } = guest;
    let admission = Admission { room: room.spec.id.clone(), peer, role, name, issued: None };
    let member = member(room, &admission, keeps_place, conn, token);
    enter(room, member, None, effects);
}

fn knock(room: &mut Room, hello: &Hello, conn: ConnId, effects: &mut Effects) {
    let Hello { admission, keeps_place, .. } = hello;
    effects.send(conn, waiting(room, admission, hello.id.clone()));
    let (Admission { peer, role, name, .. }, keeps_place) = (admission.clone(), *keeps_place);
    let message = ServerMessage::Knock { peer: peer.clone(), name: name.clone() };
    room.tell_hosts(&message, effects);
    effects.event(Event::Waiting { room: room.spec.id.clone(), peer: peer.clone() });
    room.waiting.push(Waiting { conn, peer, role, name, keeps_place });
}

fn waiting(room: &Room, admission: &Admission, reference: Option<RefId>) -> ServerMessage {
    let (peer, room) = (admission.peer.clone(), Box::new(room.view()));
    ServerMessage::Waiting { reference, peer, room }
}

const fn sentence(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NoSuchRoom => "there is no such room, or it has ended",
        ErrorCode::Kicked => "a host removed you from this room",
        ErrorCode::RoomLocked => "the room is locked and admits nobody",
        ErrorCode::RoomFull => "the room is full",
        _ => "you cannot come in",
    }
}
