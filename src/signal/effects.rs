//! What the machine does to the world outside its rooms while it handles one input.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::digest::Digests;
use super::timers::Timers;
use super::{
    ConnId, ErrorCode, Event, HubLimits, Leave, LeftReason, Outgoing, PeerId, RefId, RoomId,
    ServerMessage, SignalKind,
};
use crate::time::Now;

/// The queues out, the timers, and the time of the input being handled.
pub(super) struct Effects {
    pub(super) now: Now,
    pub(super) limits: HubLimits,
    pub(super) timers: Timers,
    /// Drained by the driver after each input, so bounded by what one input can cause.
    pub(super) sends: VecDeque<Outgoing>,
    /// As `sends`.
    pub(super) events: VecDeque<Event>,
    /// Connections that were told to leave; their entries go when the input is handled.
    pub(super) ended: Vec<ConnId>,
    /// Absent peers whose queue overflowed; removed when the input is handled.
    pub(super) overflowed: Vec<(RoomId, PeerId, LeftReason)>,
    /// Made from the salt, when one was given.
    pub(super) digests: Option<Digests>,
    pub(super) relayed: u64,
    pub(super) errors: u64,
    pub(super) resumed: u64,
}

impl Effects {
    pub(super) fn new(limits: HubLimits) -> Self {
        Self {
            now: Now::default(),
            limits,
            timers: Timers::default(),
            sends: VecDeque::new(),
            events: VecDeque::new(),
            ended: Vec::new(),
            overflowed: Vec::new(),
            digests: None,
            relayed: 0,
            errors: 0,
            resumed: 0,
        }
    }

    /// Sends what no resume replays.
    pub(super) fn send(&mut self, conn: ConnId, message: ServerMessage) {
        self.sends.push_back(Outgoing { conn, seq: None, message });
    }

    /// Ends a connection.
    pub(super) fn end(&mut self, conn: ConnId, leave: Leave) {
        self.send(conn, ServerMessage::Leave(leave));
        self.ended.push(conn);
    }

    /// Tells a client that something is wrong.
    pub(super) fn error(
        &mut self,
        conn: ConnId,
        (room, peer): (&RoomId, &PeerId),
        reference: Option<RefId>,
        code: ErrorCode,
        message: impl Into<Cow<'static, str>>,
    ) {
        self.errors += 1;
        self.send(conn, ServerMessage::Error { reference, code, message: message.into() });
        self.event(Event::Error { room: room.clone(), peer: peer.clone(), code });
    }

    /// Reports what was passed on, by size and hash.
    pub(super) fn described(
        &mut self,
        (room, from): (&RoomId, &PeerId),
        to: Option<&PeerId>,
        kind: SignalKind,
        payload: &str,
    ) {
        let Some(digests) = self.digests.as_ref().filter(|_| kind != SignalKind::Message) else {
            return;
        };
        let (size, digest) = (payload.len(), digests.of(payload));
        let (room, from, to) = (room.clone(), from.clone(), to.cloned());
        self.event(Event::Described { room, from, to, kind, size, digest });
    }

    pub(super) fn event(&mut self, event: Event) {
        self.events.push_back(event);
    }
}
