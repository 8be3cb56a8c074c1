//! Addresses, by whose they are. Client and peer addresses are different types, so that a packet
//! cannot be sent to the wrong side of the relay (RFC 8656 section 2).

use std::fmt;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// The protocol between the two.
    pub transport: Transport,
    /// The server's own address: the one the packet was really sent to, never a wildcard.
    pub local: SocketAddr,
    /// The client's address.
    pub remote: ClientAddr,
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
