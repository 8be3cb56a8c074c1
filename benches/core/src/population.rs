//! Clients with allocations, ten permissions and two channels each, at addresses of a kind.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use relayhouse::net::{Flow, RelayPort};
use relayhouse::stun::{Method, XorPeerAddress};

use super::machine::{Client, World, ip, port_of};

/// Permissions of one allocation.
pub const PEERS: usize = 10;

/// Channels of one allocation, to the first of its peers.
pub const CHANNELS: usize = 2;

/// Where clients and peers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Anywhere.
    Random,
    /// Where a weak hash would put all of them into few places of a table: ports of one address counted up,
    /// addresses that differ in one octet of four, or in the low half of an IPv6 prefix.
    Hostile,
}

/// One open allocation.
#[derive(Debug)]
pub struct Member {
    pub flow: Flow,
    pub port: RelayPort,
    pub peers: [SocketAddr; PEERS],
}

/// A shard with clients.
pub struct Population {
    pub world: World,
    pub members: Vec<Member>,
    addresses: Addresses,
    chance: u64,
    /// Addresses drawn so far.
    drawn: u32,
}

impl Population {
    pub fn new(allocations: usize, addresses: Addresses) -> Self {
        let world = World::with(|settings| {
            settings.ports = 10_000..=65_535;
            // High enough for all, but the table behind it is looked into.
            settings.unauthenticated_rate = 1_000_000_000;
        });
        let members = Vec::with_capacity(allocations);
        let mut population = Self { world, members, addresses, chance: 1, drawn: 0 };
        for _ in 0..allocations {
            let member = population.join();
            population.members.push(member);
        }
        population
    }

    /// A number below `bound` (SplitMix64).
    pub fn below(&mut self, bound: u64) -> u64 {
        self.chance = self.chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.chance;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    /// The flow of a client that has no allocation.
    pub fn stranger(&mut self) -> Flow {
        let remote = self.client_address();
        Client::at(&remote.to_string()).flow
    }

    fn client_address(&mut self) -> SocketAddr {
        self.drawn += 1;
        let n = self.drawn;
        if self.addresses == Addresses::Random {
            let bits = 0x2000_0000 + self.below(0x2000_0000) as u32;
            return SocketAddr::from((bits.to_be_bytes(), 1024 + self.below(60_000) as u16));
        }
        let [.., high, low] = (n / 4).to_be_bytes();
        match n % 4 {
            0 => SocketAddr::from(([203, 0, 113, 1], 1024 + (n / 4) as u16)),
            1 => SocketAddr::from(([32 + high, low, 0, 1], 4000)),
            2 => SocketAddr::from(([64, 1, high, low], 4000)),
            _ => {
                let bits = 0x2620_0000_0000_0000_0000_0000_0000_0000 | u128::from(n / 4);
                SocketAddr::new(Ipv6Addr::from_bits(bits).into(), 4000)
            }
        }
    }

    /// The peers of one more allocation. Hostile ones are alike for all allocations.
    fn peers(&mut self) -> [SocketAddr; PEERS] {
        let mut peers = [SocketAddr::new(ip("192.0.2.1"), 5000); PEERS];
        for (peer, n) in peers.iter_mut().zip(0u8..) {
            let address = match self.addresses {
                Addresses::Random => {
                    Ipv4Addr::from_bits(0x5000_0000 + self.below(0x1000_0000) as u32)
                }
                Addresses::Hostile if n % 2 == 0 => Ipv4Addr::new(80, 0, 0, n),
                Addresses::Hostile => Ipv4Addr::new(80 + n, 0, 0, 1),
            };
            peer.set_ip(IpAddr::V4(address));
        }
        peers
    }

    fn join(&mut self) -> Member {
        let mut client = Client::at(&self.client_address().to_string());
        let peers = self.peers();
        let world = &mut self.world;
        let port = port_of(client.allocate(world));
        let permitted = client.ask(world, Method::CREATE_PERMISSION, |writer| {
            peers.iter().for_each(|peer| {
                writer.put(&XorPeerAddress(*peer));
            });
        });
        assert_eq!(permitted.code(), 0, "permitted");
        for (peer, number) in peers.iter().take(CHANNELS).zip(0x4000..) {
            assert_eq!(client.bind(world, number, &peer.to_string()).code(), 0, "bound");
        }
        world.events.clear();
        Member { flow: client.flow, port, peers }
    }
}
