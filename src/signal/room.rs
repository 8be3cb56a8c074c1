//! One room: who is in it, who waits, who may not come back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::effects::Effects;
use super::member::{Member, Waiting};
use super::timers::Timer;
use super::{
    Event, LeaveReason, LeftReason, PeerId, PeerInfo, Presence, Role, RoomId, RoomView,
    ServerMessage, WaitingInfo,
};
use crate::time::{Instant, Now, UnixTime};

/// What a room is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSpec {
    /// Its name in tickets.
    pub id: RoomId,
    /// The name to show.
    pub name: Option<Arc<str>>,
    /// Peers it holds; brought into 1..=[`peers_per_room`](super::HubLimits::peers_per_room).
    pub capacity: usize,
    /// Whether guests wait for a host.
    pub lobby: bool,
    /// Whether it admits nobody, to begin with.
    pub locked: bool,
    /// Peers that were removed and may not come back, oldest first; as many as
    /// [`kicked_per_room`](super::HubLimits::kicked_per_room) are remembered.
    pub kicked: Vec<PeerId>,
    /// When it was made.
    pub created: UnixTime,
    /// When it ends in any case.
    pub expires: Option<UnixTime>,
    /// How long it stays with nobody in it; zero is for ever.
    pub idle: Duration,
}

pub(super) struct Room {
    pub(super) spec: RoomSpec,
    /// In the order they came.
    pub(super) members: Vec<Member>,
    /// In the order they knocked.
    pub(super) waiting: Vec<Waiting>,
    pub(super) kicked: VecDeque<PeerId>,
    /// The number of the last peer that came.
    pub(super) joins: u64,
    /// When it closes because nobody is in it.
    idle_at: Option<Instant>,
    /// When somebody in it last said something.
    pub(super) heard: Instant,
    /// When that is looked at next.
    silence_at: Instant,
    /// When it closes in any case.
    expires_at: Option<Instant>,
}

impl Room {
    pub(super) fn open(mut spec: RoomSpec, effects: &mut Effects) -> Self {
        spec.capacity = spec.capacity.clamp(1, effects.limits.peers_per_room.max(1));
        let expires_at = spec.expires.map(|at| on_the_monotonic_clock(at, effects.now));
        if let Some(at) = expires_at {
            effects.timers.set(at, Timer::Expiry(spec.id.clone()));
        }
        let kicked = std::mem::take(&mut spec.kicked);
        effects.event(Event::RoomOpened { room: spec.id.clone() });
        let mut room = Self {
            spec,
            members: Vec::new(),
            waiting: Vec::new(),
            kicked: VecDeque::new(),
            joins: 0,
            idle_at: None,
            heard: effects.now.mono,
            silence_at: Instant::FAR,
            expires_at,
        };
        for peer in kicked {
            room.remember_kicked(peer, effects);
        }
        room.watch_silence(effects);
        room.watch_idleness(effects);
        room
    }

    pub(super) fn view(&self) -> RoomView {
        RoomView {
            id: self.spec.id.clone(),
            name: self.spec.name.clone(),
            capacity: self.spec.capacity,
            lobby: self.spec.lobby,
            locked: self.spec.locked,
            created: self.spec.created,
            expires: self.spec.expires,
            participants: self.members.len(),
            waiting: self.waiting.len(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.members.len() >= self.spec.capacity
    }

    pub(super) fn member(&self, peer: &PeerId) -> Option<usize> {
        self.members.iter().position(|member| member.peer == *peer)
    }

    pub(super) fn waiting(&self, peer: &PeerId) -> Option<usize> {
        self.waiting.iter().position(|waiting| waiting.peer == *peer)
    }

    /// The members as the one who came as `viewer` sees them, itself left out.
    pub(super) fn seen_by(&self, viewer: u64) -> Vec<PeerInfo> {
        let others = self.members.iter().filter(|member| member.number != viewer);
        others.map(|member| member.seen_by(viewer)).collect()
    }

    pub(super) fn presence(&self) -> Presence {
        let waiting = self
            .waiting
            .iter()
            .map(|guest| WaitingInfo { peer: guest.peer.clone(), name: guest.name.clone() });
        Presence { peers: self.seen_by(0), waiting: waiting.collect() }
    }

    /// Tells everybody but `except`.
    pub(super) fn tell_others(
        &mut self,
        except: &PeerId,
        message: &ServerMessage,
        effects: &mut Effects,
    ) {
        for member in self.members.iter_mut().filter(|member| member.peer != *except) {
            member.tell(message.clone(), effects);
        }
    }

    pub(super) fn tell_all(&mut self, message: &ServerMessage, effects: &mut Effects) {
        for member in &mut self.members {
            member.tell(message.clone(), effects);
        }
    }

    pub(super) fn tell_hosts(&mut self, message: &ServerMessage, effects: &mut Effects) {
        for member in self.members.iter_mut().filter(|member| member.role == Role::Host) {
            member.tell(message.clone(), effects);
        }
    }

    /// Takes a member out and tells the others. Its connection is the caller's business.
    pub(super) fn remove_member(
        &mut self,
        index: usize,
        reason: LeftReason,
        effects: &mut Effects,
    ) -> Member {
        let gone = self.members.remove(index);
        gone.detach(effects);
        for member in &mut self.members {
            let was = Some(gone.seen_by(member.number));
            member.tell(ServerMessage::Left { peer: gone.peer.clone(), reason, was }, effects);
        }
        let (room, peer) = (self.spec.id.clone(), gone.peer.clone());
        effects.event(Event::Left { room, peer, reason });
        self.watch_idleness(effects);
        gone
    }

    /// Takes a guest out of the lobby and tells the hosts that it waits no more.
    pub(super) fn remove_waiting(
        &mut self,
        index: usize,
        reason: LeftReason,
        effects: &mut Effects,
    ) -> Waiting {
        let gone = self.waiting.remove(index);
        let left = ServerMessage::Left { peer: gone.peer.clone(), reason, was: None };
        self.tell_hosts(&left, effects);
        let (room, peer) = (self.spec.id.clone(), gone.peer.clone());
        effects.event(Event::WaitingEnded { room, peer, reason });
        gone
    }

    /// Refuses this peer from now on.
    pub(super) fn remember_kicked(&mut self, peer: PeerId, effects: &Effects) {
        self.kicked.push_back(peer);
        while self.kicked.len() > effects.limits.kicked_per_room {
            self.kicked.pop_front();
        }
    }

    /// Starts or stops the clock of an empty room.
    pub(super) fn watch_idleness(&mut self, effects: &mut Effects) {
        match (self.members.is_empty(), self.idle_at) {
            (true, None) if !self.spec.idle.is_zero() => {
                let at = effects.now.mono + self.spec.idle;
                self.idle_at = Some(at);
                effects.timers.set(at, Timer::Idle(self.spec.id.clone()));
            }
            (false, Some(_)) => self.stop_idle_clock(effects),
            _ => {}
        }
    }

    fn stop_idle_clock(&mut self, effects: &mut Effects) {
        if let Some(at) = self.idle_at.take() {
            effects.timers.cancel(at, Timer::Idle(self.spec.id.clone()));
        }
    }

    /// Whether nobody said anything for too long; else this is asked again when that may be so.
    /// Looked at by a timer, because a message must not cost one.
    pub(super) fn watch_silence(&mut self, effects: &mut Effects) -> bool {
        let silence = effects.limits.silence;
        let due = self.heard + silence;
        if silence.is_zero() || due <= effects.now.mono {
            return !silence.is_zero();
        }
        self.silence_at = due;
        effects.timers.set(due, Timer::Silence(self.spec.id.clone()));
        false
    }

    /// Reports that everybody in it and before its door is gone, whom nobody is left to tell.
    pub(super) fn report_all_gone(&self, reason: LeftReason, effects: &mut Effects) {
        for member in &self.members {
            let (room, peer) = (self.spec.id.clone(), member.peer.clone());
            effects.event(Event::Left { room, peer, reason });
        }
        for waiting in &self.waiting {
            let (room, peer) = (self.spec.id.clone(), waiting.peer.clone());
            effects.event(Event::WaitingEnded { room, peer, reason });
        }
    }

    /// Sends everybody away and drops every timer.
    pub(super) fn dissolve(mut self, reason: LeaveReason, effects: &mut Effects) {
        self.stop_idle_clock(effects);
        effects.timers.cancel(self.silence_at, Timer::Silence(self.spec.id.clone()));
        if let Some(at) = self.expires_at {
            effects.timers.cancel(at, Timer::Expiry(self.spec.id.clone()));
        }
        self.report_all_gone(LeftReason::RoomClosed, effects);
        for member in &self.members {
            member.detach(effects);
            member.hang_up(reason, effects);
        }
        for waiting in &self.waiting {
            effects.end(waiting.conn, reason.leave());
        }
    }
}

fn on_the_monotonic_clock(at: UnixTime, now: Now) -> Instant {
    now.mono + Duration::from_secs(at.0.saturating_sub(now.unix.0))
}
