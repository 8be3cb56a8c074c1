//! What an operator decides about the relay, already checked.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;

/// Everything the machine must know of the configuration. Replaced as a whole on a reload; what is
/// established keeps what it was given.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where relayed ports are opened; at most 256. The first of a family serves that family's
    /// allocations, unless its ports are used up.
    pub relay_addresses: Vec<RelayAddress>,
    /// The range relayed ports are drawn from.
    pub ports: RangeInclusive<u16>,
    /// Which channel numbers a client may bind.
    pub channel_numbers: ChannelNumbers,
    /// Bounds per allocation.
    pub limits: Limits,
    /// Bounds per user, credential, address and server.
    pub quota: QuotaLimits,
    /// Ranges of peers that are opened; the more specific of `allow` and `deny` wins, `deny` on a tie.
    /// This host itself is opened only by one of its addresses, or by loopback, not by a wider range.
    pub allow: Vec<IpNet>,
    /// Ranges of peers that are closed.
    pub deny: Vec<IpNet>,
    /// Every address of this host, with its public names: peers only on live relay ports.
    pub own_addresses: Vec<IpAddr>,
    /// Addresses and ports this server listens on itself (the address may be unspecified): never a
    /// peer, whatever `allow` says. The addresses count as [own](Self::own_addresses).
    pub service_ports: Vec<SocketAddr>,
    /// Answers (401, 438 and Binding) to unauthenticated packets per second and source address;
    /// 0 is no limit.
    pub unauthenticated_rate: u32,
    /// Listeners that answer RFC 5780, each with the other address and port it can answer from.
    pub nat_discovery: Vec<NatDiscovery>,
    /// Servers that new clients are sent to (300) while this one drains.
    pub alternate: Vec<SocketAddr>,
    /// Whether new allocations are refused, so that the server can stop when the last one is gone.
    pub draining: bool,
}

/// One of the four addresses of NAT behaviour discovery (RFC 5780 section 3): together with the
/// other IP address and the other port it makes all four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatDiscovery {
    /// What this server listens on.
    pub local: SocketAddr,
    /// The other IP address, of the same family.
    pub other_ip: IpAddr,
    /// The other port.
    pub other_port: u16,
}

/// A local address relayed ports are opened on, and the name peers see it under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayAddress {
    /// Bound.
    pub local: IpAddr,
    /// Told to clients: the same, unless a 1:1 NAT stands before this host.
    pub public: IpAddr,
}

/// Which channel numbers a client may bind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChannelNumbers {
    /// 0x4000 to 0x7FFE (RFC 5766), what older clients use.
    #[default]
    Rfc5766,
    /// 0x4000 to 0x4FFF (RFC 8656).
    Rfc8656,
}

impl ChannelNumbers {
    /// The numbers.
    pub const fn range(self) -> RangeInclusive<u16> {
        match self {
            Self::Rfc5766 => 0x4000..=0x7FFE,
            Self::Rfc8656 => 0x4000..=0x4FFF,
        }
    }
}

/// Bounds per allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest LIFETIME granted; at least 600 s.
    pub max_lifetime: Duration,
    /// Permissions one allocation may hold.
    pub permissions_per_allocation: usize,
    /// Channels one allocation may hold.
    pub channels_per_allocation: usize,
    /// TCP connections to peers one allocation may have (RFC 6062).
    pub connections_per_allocation: usize,
}

/// Bounds per user, credential, address and server; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuotaLimits {
    /// Allocations of the whole server (508).
    pub allocations: u32,
    /// Allocations per user: the part of a REST username that is not the timestamp (486).
    pub per_user: u32,
    /// Allocations per username as given, timestamp included (486).
    pub per_credential: u32,
    /// Allocations that one username as given may open in its whole life (486).
    pub openings_per_credential: u32,
    /// Allocations per client IP address (486).
    pub per_address: u32,
    /// Bytes per second each way and allocation.
    pub bandwidth_per_allocation: u64,
    /// Bytes per second each way of all allocations of one user together.
    pub bandwidth_per_user: u64,
    /// Bytes per second of the whole server, both ways together.
    pub bandwidth: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_lifetime: Duration::from_secs(3600),
            permissions_per_allocation: 64,
            channels_per_allocation: 64,
            connections_per_allocation: 64,
        }
    }
}
