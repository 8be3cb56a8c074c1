//! ICMP errors that relayed datagrams provoked (RFC 8656 sections 11.5 and 11.6).

use super::relay::Relay;
use super::verdict::{DropReason, Verdict};
use crate::net::{PeerAddr, RelayPort};
use crate::time::Now;

impl Relay {
    /// An ICMP (or ICMPv6) error about a datagram that left relay socket `port` for `peer`. `data` is
    /// the path MTU where the error tells of one, else 0. What the client should know waits for
    /// [`Self::poll_transmit`].
    pub fn handle_icmp(
        &mut self,
        _now: Now,
        _port: RelayPort,
        _peer: PeerAddr,
        _kind: u8,
        _code: u8,
        _data: u32,
    ) -> Verdict {
        self.drop_packet(DropReason::Unexpected)
    }
}
