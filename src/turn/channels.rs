//! The channels of one allocation (RFC 8656 section 12), and the look-ups that the packet path makes.

use std::net::{IpAddr, SocketAddr};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::policy::Guard;
use crate::net::RelayPort;
use crate::time::Instant;

/// A channel binding (RFC 8656 section 12).
#[derive(Clone, Copy, Debug)]
pub(super) struct Channel {
    pub(super) number: u16,
    /// Where data goes and comes from, turned inward.
    pub(super) peer: SocketAddr,
    pub(super) from: RelayPort,
    pub(super) expires: Instant,
    /// When the permission for the peer's address ends: a copy, so that a packet needs one look-up.
    pub(super) permitted_until: Instant,
    pub(super) guard: Guard,
}

/// The channels of one allocation, found by number (up) and by peer (down).
#[derive(Debug)]
pub(super) struct Channels {
    by_number: HashMap<u16, Channel, FixedState>,
    numbers_by_peer: HashMap<SocketAddr, u16, FixedState>,
}

impl Channels {
    pub(super) fn new(hasher: FixedState) -> Self {
        Self {
            by_number: HashMap::with_hasher(hasher.clone()),
            numbers_by_peer: HashMap::with_hasher(hasher),
        }
    }

    pub(super) fn get(&self, number: u16) -> Option<&Channel> {
        self.by_number.get(&number)
    }

    pub(super) fn to(&self, peer: SocketAddr) -> Option<&Channel> {
        self.numbers_by_peer.get(&peer).and_then(|number| self.by_number.get(number))
    }

    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    /// How many are bound at this moment.
    pub(super) fn alive(&self, now: Instant) -> usize {
        self.by_number.values().filter(|channel| now < channel.expires).count()
    }

    /// Binds or refreshes.
    pub(super) fn bind(&mut self, channel: Channel) {
        self.numbers_by_peer.insert(channel.peer, channel.number);
        self.by_number.insert(channel.number, channel);
    }

    /// A permission for `ip` has been made or refreshed.
    pub(super) fn permit(&mut self, ip: IpAddr, until: Instant) {
        let touched = self.by_number.values_mut().filter(|channel| channel.peer.ip() == ip);
        touched.for_each(|channel| channel.permitted_until = until);
    }

    /// Drops every channel that `keep` does not want.
    pub(super) fn retain(&mut self, keep: impl Fn(&Channel) -> bool) {
        self.by_number.retain(|_, channel| keep(channel));
        let by_number = &self.by_number;
        self.numbers_by_peer.retain(|_, number| by_number.contains_key(number));
    }
}
