//! The channels of one allocation (RFC 8656 section 12), and the look-ups that the packet path makes.

use std::net::{IpAddr, SocketAddr};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::policy::Guard;
use crate::net::RelayPort;
use crate::time::Instant;

/// A channel binding (RFC 8656 section 12), in one line of memory.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
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

/// So many channels are found by looking at each; for more there is an index. A browser has one or two.
const FEW: usize = 4;

/// The channels of one allocation, found by number (up) and by peer (down).
///
/// A short list is searched in place: two hash tables cost a packet from a peer 64 instructions more (of
/// 306), and a packet of one client among thousands 2.5 more lines of memory up and 3.4 down (of 13
/// and 14; `benches/core`). With more than [`FEW`], a look-up costs the same for any number of them.
#[derive(Debug)]
pub(super) struct Channels {
    list: Vec<Channel>,
    /// Places in `list`.
    index: Option<Box<Index>>,
    hasher: FixedState,
}

/// Where the channels of a long list are.
#[derive(Debug)]
struct Index {
    by_number: HashMap<u16, usize, FixedState>,
    by_peer: HashMap<SocketAddr, usize, FixedState>,
}

impl Channels {
    pub(super) fn new(hasher: FixedState) -> Self {
        Self { list: Vec::new(), index: None, hasher }
    }

    pub(super) fn get(&self, number: u16) -> Option<&Channel> {
        self.place_of(number).map(|place| &self.list[place])
    }

    pub(super) fn to(&self, peer: SocketAddr) -> Option<&Channel> {
        match &self.index {
            None => self.list.iter().find(|channel| channel.peer == peer),
            Some(index) => index.by_peer.get(&peer).map(|place| &self.list[*place]),
        }
    }

    fn place_of(&self, number: u16) -> Option<usize> {
        match &self.index {
            None => self.list.iter().position(|channel| channel.number == number),
            Some(index) => index.by_number.get(&number).copied(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// How many are bound at this moment.
    pub(super) fn alive(&self, now: Instant) -> usize {
        self.list.iter().filter(|channel| now < channel.expires).count()
    }

    /// Binds or refreshes. No other channel may have its number or its peer.
    pub(super) fn bind(&mut self, channel: Channel) {
        if let Some(place) = self.place_of(channel.number) {
            let bound = &mut self.list[place];
            debug_assert_eq!(bound.peer, channel.peer, "a number is free before it is bound anew");
            *bound = channel;
            return;
        }
        self.list.push(channel);
        match &mut self.index {
            Some(index) => index.add(self.list.len() - 1, &channel),
            None => self.build_index(),
        }
    }

    /// A permission for `ip` has been made or refreshed.
    pub(super) fn permit(&mut self, ip: IpAddr, until: Instant) {
        let touched = self.list.iter_mut().filter(|channel| channel.peer.ip() == ip);
        touched.for_each(|channel| channel.permitted_until = until);
    }

    /// Drops every channel that `keep` does not want.
    pub(super) fn retain(&mut self, keep: impl Fn(&Channel) -> bool) {
        let before = self.list.len();
        self.list.retain(keep);
        if self.list.len() < before {
            self.build_index();
        }
    }

    fn build_index(&mut self) {
        self.index = (self.list.len() > FEW).then(|| {
            let mut index = Index {
                by_number: HashMap::with_hasher(self.hasher.clone()),
                by_peer: HashMap::with_hasher(self.hasher.clone()),
            };
            self.list.iter().enumerate().for_each(|(place, channel)| index.add(place, channel));
            Box::new(index)
        });
    }
}

impl Index {
    fn add(&mut self, place: usize, channel: &Channel) {
        self.by_number.insert(channel.number, place);
        self.by_peer.insert(channel.peer, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn channel(number: u16) -> Channel {
        let now = Instant::from_nanos(1);
        Channel {
            number,
            peer: SocketAddr::from(([192, 0, 2, (number & 0xFF) as u8], 7)),
            from: RelayPort { address: 0, port: 50_000 },
            expires: now + Duration::from_secs(u64::from(number)),
            permitted_until: now,
            guard: Guard::Open,
        }
    }

    /// Every channel is found both ways, and nothing else is.
    fn holds(channels: &Channels, numbers: &[u16]) {
        assert_eq!(channels.len(), numbers.len());
        for number in 0..64 {
            let found = channels.get(number).map(|found| found.peer);
            let expected = numbers.contains(&number).then(|| channel(number).peer);
            assert_eq!(found, expected, "by number {number}");
            let found = channels.to(channel(number).peer).map(|found| found.number);
            assert_eq!(found, numbers.contains(&number).then_some(number), "by peer {number}");
        }
    }

    #[test]
    fn few_and_many_channels_are_found_alike() {
        let mut channels = Channels::new(FixedState::with_seed(1));
        for count in 0..64 {
            holds(&channels, &(0..count).collect::<Vec<_>>());
            channels.bind(channel(count));
        }
        channels.retain(|channel| channel.number % 3 == 0);
        holds(&channels, &(0..64).step_by(3).collect::<Vec<_>>());
        channels.retain(|channel| channel.number < 6);
        holds(&channels, &[0, 3]);
        channels.bind(channel(1));
        holds(&channels, &[0, 1, 3]);
    }

    #[test]
    fn a_refresh_replaces_the_channel_where_it_is() {
        let mut channels = Channels::new(FixedState::with_seed(1));
        for count in 1..=2 * FEW as u16 {
            channels.bind(channel(count));
            let later = Instant::from_nanos(9) + Duration::from_secs(1000);
            channels.bind(Channel { expires: later, ..channel(1) });
            assert_eq!(channels.get(1).map(|channel| channel.expires), Some(later));
            assert_eq!(channels.len(), usize::from(count));
        }
    }
}
