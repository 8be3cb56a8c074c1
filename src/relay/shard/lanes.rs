//! Lanes: queues of their own for clients that fill everybody's.
//!
//! All UDP clients of a shard send to one listener, and the kernel keeps what waits there in one line. A
//! client that sends more than the shard relays fills it, and then all others wait as long and lose as much as
//! it does. It is given a lane, a socket connected to it: what it sends waits, and is lost, there alone, and a
//! turn takes no more from it than from anybody.
//!
//! Who it is, is a majority vote over full batches, with one vote each. Many clients that are many together
//! elect nobody, and cost nothing.

use std::os::fd::AsFd;
use std::time::Duration;

use crate::net::Flow;
use crate::time::Instant;

use super::super::listener::Listener;
use super::super::stats::add;
use super::super::token::Token;
use super::Shard;

/// The most lanes of a shard: each may have its share of a turn.
const LANES: usize = 16;

/// So many more full batches were of one client than of all others.
const ELECTED: u8 = 16;

/// What an emptied queue takes back: a burst now and then is nobody's trouble.
const RELIEF: u8 = 2;

/// Between one lane and the next.
const PAUSE: Duration = Duration::from_millis(100);

/// A lane that was silent for so long may be another client's.
const SILENT: Duration = Duration::from_secs(10);

/// Who fills the queues, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    /// Who leads, at which listener.
    leader: Option<(usize, Flow)>,
    votes: u8,
    /// No lane is opened before.
    rests_until: Instant,
}

impl Crowd {
    /// One full batch at listener `index`, of which `flow` is a sample. True when it is elected.
    fn vote(&mut self, index: usize, flow: Flow) -> bool {
        match self.leader {
            Some((at, leads)) if at == index && leads == flow => self.votes += 1,
            _ if self.votes == 0 => (self.leader, self.votes) = (Some((index, flow)), 1),
            _ => self.votes -= 1,
        }
        let elected = self.votes >= ELECTED;
        if elected {
            (self.leader, self.votes) = (None, 0);
        }
        elected
    }

    /// A queue was emptied.
    fn relieve(&mut self, index: usize) {
        if self.leader.is_some_and(|(at, _)| at == index) {
            self.votes = self.votes.saturating_sub(RELIEF);
        }
    }
}

impl Shard<'_> {
    /// Notes whether a batch of listener `index` was `full`, which is when more waits, and whose; opens a lane
    /// for who fills them.
    pub(super) fn poll_crowd(&mut self, index: usize, full: bool, sample: Option<Flow>) {
        if !full {
            return self.crowd.relieve(index);
        }
        let Some(flow) = sample else { return };
        let listeners = &self.seat.listeners;
        if listeners[index].lane.is_some() || !self.crowd.vote(index, flow) {
            return;
        }
        // Where an address and a wildcard are both listened on, a lane would join the one or the other for a
        // moment, and clients would change their shard.
        if listeners.iter().filter(|one| one.fits(flow.local) > 0).count() > 1 {
            return;
        }
        // What its lane's client sent before may fill the listener's queue for long. A second lane would be
        // given what it sends from now on, while the first still has older packets.
        if listeners.iter().any(|one| one.is_lane_of(&flow)) {
            return;
        }
        if self.now.mono < self.crowd.rests_until {
            return;
        }
        self.crowd.rests_until = self.now.mono + PAUSE;
        // Before a place is found none is made: even in its first moment it takes what others send.
        let Some(place) = self.place_for_a_lane() else { return };
        // Without one all goes on as before: there is no descriptor left, or no such route.
        if let Ok(lane) = self.seat.listeners[index].lane(index, &flow, self.now.mono) {
            self.open_lane(lane, place);
        }
    }

    /// Behind the others, or that of a lane which has been silent.
    fn place_for_a_lane(&self) -> Option<usize> {
        let listeners = &self.seat.listeners;
        let now = self.now.mono;
        let is_silent =
            |one: &Listener| one.lane.as_ref().is_some_and(|lane| lane.heard + SILENT < now);
        match listeners.iter().filter(|one| one.lane.is_some()).count() {
            LANES.. => listeners.iter().position(is_silent),
            _ => Some(listeners.len()),
        }
    }

    fn open_lane(&mut self, lane: Listener, place: usize) {
        if self.seat.trains.receive {
            lane.socket.receive_trains();
        }
        if self.epoll.add(lane.socket.as_fd(), Token::Listener(place as u16).pack()).is_err() {
            return;
        }
        if place == self.seat.listeners.len() {
            self.seat.listeners.push(lane);
        } else {
            self.retire(place);
            self.seat.listeners[place] = lane;
        }
        add(&self.seat.control.stats.lanes, 1);
    }

    /// Reads what has just come to lane `index` after all, and how much did not.
    fn retire(&mut self, index: usize) {
        self.read_listener(index);
        self.seat.listeners[index].socket.note_last_drops(&self.seat.control.stats.kernel_drops);
    }

    /// Whether a client whose datagram came to another's lane is this shard's, as far as is known here.
    pub(super) fn is_ours(&self, flow: &Flow) -> bool {
        self.seat.shards.len() == 1 || self.relay.has_allocation(flow)
    }

    /// Whether listener `index` may be read: one batch a turn. A lane may only once the queue its client came
    /// through before is empty, or a whole queue's worth of it is read: what the client sent stays in order.
    pub(super) fn may_read(&mut self, index: usize) -> bool {
        let listener = &mut self.seat.listeners[index];
        if listener.socket.had_its_share(self.turn) {
            return false;
        }
        let Some(lane) = &mut listener.lane else { return true };
        lane.heard = self.now.mono;
        let Some(behind) = &mut lane.behind else { return true };
        behind.batches = behind.batches.saturating_sub(1);
        let (last, before) = (behind.batches == 0, behind.listener);
        let may = self.read_listener(before) || last;
        if may && let Some(lane) = &mut self.seat.listeners[index].lane {
            lane.behind = None;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::net::{ClientAddr, Transport};

    fn flow(port: u16) -> Flow {
        let local = SocketAddr::from(([192, 0, 2, 1], 3478));
        let remote = ClientAddr(SocketAddr::from(([198, 51, 100, 1], port)));
        Flow { transport: Transport::Udp, local, remote }
    }

    #[test]
    fn who_fills_most_batches_is_elected() {
        let mut crowd = Crowd::default();
        // Two of three batches are one client's.
        let batches = (0..).map(|at| if at % 3 == 0 { flow(1000 + at) } else { flow(7) });
        let elected = batches.take(200).find(|flow| crowd.vote(0, *flow));
        assert_eq!(elected, Some(flow(7)));
    }

    #[test]
    fn equals_elect_nobody() {
        let mut crowd = Crowd::default();
        assert!((0..1000).all(|at| !crowd.vote(0, flow(at % 4))));
    }

    #[test]
    fn bursts_with_pauses_elect_nobody() {
        let mut crowd = Crowd::default();
        for _ in 0..100 {
            assert!(!crowd.vote(0, flow(7)) && !crowd.vote(0, flow(7)));
            crowd.relieve(0);
        }
    }
}
