//! What the relay decides about one packet.

use crate::net::{Flow, PeerAddr, RelayPort};

/// Where a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To the client, from the listener that owns `Flow::local`.
    Client(Flow),
    /// To a peer, from the relay socket `from`.
    Peer {
        /// The relay socket to send from.
        from: RelayPort,
        /// The peer.
        to: PeerAddr,
        /// Send with the IPv4 don't-fragment bit set (RFC 8656 section 14.9).
        dont_fragment: bool,
    },
}

/// The decision about one packet, in XDP's three words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The window now holds exactly what to send, there.
    Forward(Route),
    /// The packet has been dealt with; commands or an answer may be waiting.
    Taken,
    /// A ConnectionBind for a connection of this other shard. Nothing was changed: hand the client's
    /// connection over to it, this message first.
    Elsewhere(u8),
    /// Nothing is sent. Already counted in [`Counters`](super::Counters).
    Drop(DropReason),
}

/// Why a packet was dropped: bounded, because it is a metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum DropReason {
    /// Neither STUN nor ChannelData, or STUN that does not parse.
    Malformed,
    /// A response or an indication that a server has no use for.
    Unexpected,
    /// ChannelData or an indication from a five-tuple without an allocation.
    NoAllocation,
    /// ChannelData on a channel that is not bound.
    NoChannel,
    /// To or from a peer without a permission.
    NoPermission,
    /// The peer policy refuses this address and port.
    RefusedPeer,
    /// A peer of the other address family.
    WrongFamily,
    /// Over a bandwidth quota.
    Bandwidth,
    /// Answers to unauthenticated packets from this source are over the limit.
    RateLimited,
    /// Too large to be relayed.
    TooLarge,
    /// An answer queue is full.
    Overloaded,
}

impl DropReason {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Malformed,
        Self::Unexpected,
        Self::NoAllocation,
        Self::NoChannel,
        Self::NoPermission,
        Self::RefusedPeer,
        Self::WrongFamily,
        Self::Bandwidth,
        Self::RateLimited,
        Self::TooLarge,
        Self::Overloaded,
    ];

    /// The label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unexpected => "unexpected",
            Self::NoAllocation => "no_allocation",
            Self::NoChannel => "no_channel",
            Self::NoPermission => "no_permission",
            Self::RefusedPeer => "refused_peer",
            Self::WrongFamily => "wrong_family",
            Self::Bandwidth => "bandwidth",
            Self::RateLimited => "rate_limited",
            Self::TooLarge => "too_large",
            Self::Overloaded => "overloaded",
        }
    }
}
