//! Addresses, by whose they are. Client and peer addresses are different types, so that a packet
//! cannot be sent to the wrong side of the relay (RFC 8656 section 2).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

/// How a client reaches the server (RFC 8656 section 2.1, "TURN client-to-server transport").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Plain UDP.
    Udp,
    /// Plain TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl Transport {
    /// Whether messages come in a byte stream: lengths matter, retransmissions do not.
    pub const fn is_stream(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// The word logs and metrics use: `udp`, `tcp` or `tls`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// A client's transport address as this server sees it (its server-reflexive address).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientAddr(pub SocketAddr);

/// A peer's transport address as the relayed side sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerAddr(pub SocketAddr);

impl fmt::Display for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The five-tuple between a client and this server (RFC 8656 section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The protocol between the two.
    pub transport: Transport,
    /// The server's own address: the one the packet was really sent to, never a wildcard.
    pub local: SocketAddr,
    /// The client's address.
    pub remote: ClientAddr,
}

impl Hash for Flow {
    /// Ports and transport as one word, two IPv4 addresses as another: looked up for every packet from a
    /// client, it is one multiplication where it is inlined (a third of the instructions of a look-up). What the
    /// derived one would add, lengths, flow labels and scopes, tells no two clients apart but those of
    /// one link-local address on two interfaces.
    #[inline(always)]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ports = u64::from(self.local.port()) << 16 | u64::from(self.remote.0.port());
        state.write_u64((self.transport as u64) << 32 | ports);
        if let (IpAddr::V4(local), IpAddr::V4(remote)) = (self.local.ip(), self.remote.0.ip()) {
            state.write_u64(u64::from(remote.to_bits()) << 32 | u64::from(local.to_bits()));
            return;
        }
        for ip in [self.local.ip(), self.remote.0.ip()] {
            match ip {
                IpAddr::V4(ip) => state.write_u64(ip.to_bits().into()),
                // Two words: the hasher folds a longer one in before what came earlier.
                IpAddr::V6(ip) => {
                    state.write_u64((ip.to_bits() >> 64) as u64);
                    state.write_u64(ip.to_bits() as u64);
                }
            }
        }
    }
}

/// Which relay socket: an index into the configured relay addresses, and the port opened on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayPort {
    /// Index into [`Settings::relay_addresses`](crate::turn::Settings::relay_addresses).
    pub address: u8,
    /// The UDP port.
    pub port: u16,
}

/// An address family as TURN numbers it (RFC 8656 section 18.6: 0x01 and 0x02).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of `ip`.
    pub const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The number on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::V4 => 0x01,
            Self::V6 => 0x02,
        }
    }

    /// The family with this number on the wire.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0x01 => Some(Self::V4),
            0x02 => Some(Self::V6),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foldhash::fast::FixedState;
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    #[test]
    fn flows_that_differ_anywhere_hash_apart() {
        let addresses = ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1", "[2001:db8::1]:1"];
        let addresses = addresses.map(|text| text.parse::<SocketAddr>().expect("an address"));
        let transports = [Transport::Udp, Transport::Tcp, Transport::Tls];
        let flows = transports.into_iter().flat_map(|transport| {
            addresses.into_iter().flat_map(move |local| {
                addresses.map(|remote| Flow { transport, local, remote: ClientAddr(remote) })
            })
        });
        let hasher = FixedState::with_seed(1);
        let hashes: HashSet<u64> = flows.map(|flow| hasher.hash_one(flow)).collect();
        assert_eq!(hashes.len(), 3 * 4 * 4);
    }
}
