//! Which relay ports are taken, and which are live, over all shards (RFC 8656 section 7.2).
//!
//! *Taken* is a claim: in use, being opened, or reserved. *Live* means a socket is open and its
//! client has been told: only such a port of this host is a peer for other allocations.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::command::RelayKind;
use super::random::Random;
use crate::net::RelayPort;

/// What a client asks of the port's number (EVEN-PORT, RFC 8656 section 18.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parity {
    /// Any port.
    Any,
    /// An even one.
    Even,
    /// An even one, with the next higher one claimed too.
    EvenPair,
}

/// How many ports are drawn at random before the range is searched from end to end.
const RANDOM_DRAWS: usize = 32;

/// One bit for each port number.
struct Bits(Box<[AtomicU64]>);

impl Bits {
    fn new() -> Self {
        Self((0..1024).map(|_| AtomicU64::new(0)).collect())
    }

    fn get(&self, port: u16) -> bool {
        self.0[usize::from(port >> 6)].load(Relaxed) & (1 << (port & 63)) != 0
    }

    /// Sets the bit; says whether it was clear before.
    fn set(&self, port: u16) -> bool {
        let bit = 1 << (port & 63);
        self.0[usize::from(port >> 6)].fetch_or(bit, Relaxed) & bit == 0
    }

    /// The first clear bit from `port` to `last`: full words are passed over at a glance.
    fn first_clear(&self, port: u16, last: u16) -> Option<u16> {
        let mut at = usize::from(port);
        while at <= usize::from(last) {
            let clear = !self.0[at / 64].load(Relaxed) >> (at % 64);
            if clear != 0 {
                let found = u16::try_from(at + clear.trailing_zeros() as usize).ok()?;
                return (found <= last).then_some(found);
            }
            at = (at / 64 + 1) * 64;
        }
        None
    }

    fn clear(&self, port: u16) {
        self.0[usize::from(port >> 6)].fetch_and(!(1 << (port & 63)), Relaxed);
    }
}

struct AddressPorts {
    taken: Bits,
    live_udp: Bits,
    live_tcp: Bits,
}

impl AddressPorts {
    fn new() -> Self {
        Self { taken: Bits::new(), live_udp: Bits::new(), live_tcp: Bits::new() }
    }

    /// The port of the same number is another one over TCP, and may be another program's.
    fn live(&self, kind: RelayKind) -> &Bits {
        match kind {
            RelayKind::Udp => &self.live_udp,
            RelayKind::Tcp => &self.live_tcp,
        }
    }
}

/// The ports of every relay address.
pub(super) struct Ports {
    range: RangeInclusive<u16>,
    addresses: Vec<AddressPorts>,
}

impl Ports {
    pub(super) fn new(range: RangeInclusive<u16>, addresses: usize) -> Self {
        Self { range, addresses: (0..addresses).map(|_| AddressPorts::new()).collect() }
    }

    /// Claims a port of relay address `address`; `None` when no such port is free.
    pub(super) fn draw(&self, address: u8, parity: Parity, random: &mut Random) -> Option<u16> {
        let (first, last) = (u64::from(*self.range.start()), u64::from(*self.range.end()));
        let count = (last + 1).checked_sub(first).filter(|count| *count > 0)?;
        let at = |offset: u64| u16::try_from(first + offset).expect("within the range");
        let drawn = (0..RANDOM_DRAWS).map(|_| at(random.below(count)));
        if let Some(port) = drawn.into_iter().find(|port| self.claim(address, *port, parity)) {
            return Some(port);
        }
        let start = at(random.below(count));
        let (first, last) = (*self.range.start(), *self.range.end());
        self.search(address, start, last, parity)
            .or_else(|| self.search(address, first, last, parity))
    }

    /// Claims the first port from `from` to `last` that will do. Cheap where nothing is free: whoever
    /// may allocate may ask for it again and again.
    fn search(&self, address: u8, from: u16, last: u16, parity: Parity) -> Option<u16> {
        let taken = &self.addresses[usize::from(address)].taken;
        let after = |port: &u16| taken.first_clear(port.checked_add(1)?, last);
        std::iter::successors(taken.first_clear(from, last), after)
            .find(|port| self.claim(address, *port, parity))
    }

    fn claim(&self, address: u8, port: u16, parity: Parity) -> bool {
        let taken = &self.addresses[usize::from(address)].taken;
        if parity != Parity::Any && !port.is_multiple_of(2) {
            return false;
        }
        if parity != Parity::EvenPair {
            return taken.set(port);
        }
        if port >= *self.range.end() || taken.get(port + 1) || !taken.set(port) {
            return false;
        }
        let next_is_ours = taken.set(port + 1);
        if !next_is_ours {
            taken.clear(port);
        }
        next_is_ours
    }

    pub(super) fn release(&self, port: RelayPort) {
        let ports = &self.addresses[usize::from(port.address)];
        ports.live_udp.clear(port.port);
        ports.live_tcp.clear(port.port);
        ports.taken.clear(port.port);
    }

    pub(super) fn set_live(&self, port: RelayPort, kind: RelayKind) {
        self.addresses[usize::from(port.address)].live(kind).set(port.port);
    }

    /// Whether an open allocation relays on this port.
    pub(super) fn is_live(&self, port: RelayPort, kind: RelayKind) -> bool {
        let address = self.addresses.get(usize::from(port.address));
        address.is_some_and(|address| address.live(kind).get(port.port))
    }

    /// How many ports are claimed, over all addresses.
    pub(super) fn taken(&self) -> usize {
        let words = self.addresses.iter().flat_map(|address| address.taken.0.iter());
        words.map(|word| word.load(Relaxed).count_ones() as usize).sum()
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").field("range", &self.range).field("taken", &self.taken()).finish()
    }
}

/// A relay port that is ours; given back when dropped.
#[derive(Debug)]
pub(super) struct PortClaim {
    ports: Arc<Ports>,
    port: RelayPort,
    parity: Parity,
}

impl PortClaim {
    /// Any free port of relay address `address`.
    pub(super) fn draw(
        ports: &Arc<Ports>,
        address: u8,
        parity: Parity,
        random: &mut Random,
    ) -> Option<Self> {
        let port = ports.draw(address, parity, random)?;
        Some(Self { ports: Arc::clone(ports), port: RelayPort { address, port }, parity })
    }

    /// An even port and the one above it.
    pub(super) fn draw_pair(
        ports: &Arc<Ports>,
        address: u8,
        random: &mut Random,
    ) -> Option<(Self, Self)> {
        let even = Self::draw(ports, address, Parity::EvenPair, random)?;
        let next = RelayPort { address, port: even.port.port + 1 };
        Some((even, Self { ports: Arc::clone(ports), port: next, parity: Parity::Any }))
    }

    pub(super) fn port(&self) -> RelayPort {
        self.port
    }

    /// What was asked of its number.
    pub(super) fn parity(&self) -> Parity {
        self.parity
    }

    /// From now on other allocations may have this port as a peer.
    pub(super) fn set_live(&self, kind: RelayKind) {
        self.ports.set_live(self.port, kind);
    }
}

impl Drop for PortClaim {
    fn drop(&mut self) {
        self.ports.release(self.port);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw_all(ports: &Ports, parity: Parity) -> Vec<u16> {
        let mut random = Random::new([9; 32]);
        std::iter::from_fn(|| ports.draw(0, parity, &mut random)).collect()
    }

    #[test]
    fn every_port_of_the_range_is_drawn_once_in_no_predictable_order() {
        let ports = Ports::new(50_000..=50_999, 1);
        let mut drawn = draw_all(&ports, Parity::Any);
        assert!(drawn.windows(2).filter(|pair| pair[0] + 1 == pair[1]).count() < 500);
        drawn.sort_unstable();
        assert_eq!(drawn, (50_000..=50_999).collect::<Vec<_>>());
    }

    #[test]
    fn even_pairs_claim_both_ports_and_failed_ones_claim_none() {
        let ports = Ports::new(50_001..=50_006, 1);
        let mut drawn = draw_all(&ports, Parity::EvenPair);
        drawn.sort_unstable();
        assert_eq!(drawn, [50_002, 50_004]);
        assert_eq!(ports.taken(), 4);
    }

    #[test]
    fn the_last_free_port_is_found_wherever_it_is() {
        for free in [0, 63, 64, 12_345, 65_535] {
            let ports = Ports::new(0..=65_535, 1);
            (0..=65_535).filter(|port| *port != free).for_each(|port| {
                ports.addresses[0].taken.set(port);
            });
            assert_eq!(draw_all(&ports, Parity::Any), [free]);
            assert_eq!(ports.taken(), 65_536);
        }
    }

    #[test]
    fn a_released_port_is_neither_taken_nor_live() {
        let ports = Ports::new(65_535..=65_535, 1);
        let port = RelayPort { address: 0, port: 65_535 };
        assert_eq!(draw_all(&ports, Parity::Any), [65_535]);
        ports.set_live(port, RelayKind::Tcp);
        assert!(ports.is_live(port, RelayKind::Tcp));
        assert!(!ports.is_live(port, RelayKind::Udp), "that is another port");
        ports.release(port);
        assert!(!ports.is_live(port, RelayKind::Tcp));
        assert_eq!(ports.taken(), 0);
    }

    #[test]
    fn the_end_of_the_number_range_has_no_successor() {
        let ports = Ports::new(65_534..=65_534, 1);
        assert!(draw_all(&ports, Parity::EvenPair).is_empty());
    }
}
