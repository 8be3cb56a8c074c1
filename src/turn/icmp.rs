//! ICMP errors that relayed datagrams provoked (RFC 8656 section 11.5): the client is told in a Data
//! indication without data.

use std::net::SocketAddr;

use super::command::RelayKind;
use super::notice::Notice;
use super::relay::Relay;
use super::verdict::{DropReason, Verdict};
use crate::net::{Family, Flow, PeerAddr, RelayPort};
use crate::stun::Icmp;
use crate::time::Now;

impl Relay {
    /// An ICMP (or ICMPv6) error about a datagram that left relay socket `port` for `peer`. Its data
    /// is the path MTU where the error tells of one, else it is not looked at. What the client should
    /// know waits for [`Self::poll_transmit`].
    pub fn handle_icmp(
        &mut self,
        now: Now,
        port: RelayPort,
        peer: PeerAddr,
        icmp: Icmp,
    ) -> Verdict {
        let Icmp { kind, code, data } = icmp;
        let family = Family::of(peer.0.ip());
        if !is_told(family, kind) {
            return self.drop_packet(DropReason::Unexpected);
        }
        let flow = match self.interested(now, port, peer) {
            Ok(flow) => flow,
            Err(reason) => return self.drop_packet(reason),
        };
        let data = if tells_mtu(family, kind, code) { data } else { 0 };
        let peer = SocketAddr::new(self.policy.outward(peer.0.ip()), peer.0.port());
        self.notify(flow, Notice::Icmp { peer, icmp: Icmp { kind, code, data } });
        Verdict::Taken
    }

    /// The client whose datagram it was: only of a peer with a permission is anything said.
    fn interested(&self, now: Now, port: RelayPort, peer: PeerAddr) -> Result<Flow, DropReason> {
        let slot = self.table.slot_on(port).ok_or(DropReason::NoAllocation)?;
        let allocation = self.table.get(slot).ok_or(DropReason::NoAllocation)?;
        if allocation.kind == RelayKind::Tcp {
            return Err(DropReason::Unexpected);
        }
        let permission = allocation.permissions.get(&peer.0.ip());
        let alive = permission.is_some_and(|permission| now.mono < permission.expires);
        if alive { Ok(allocation.flow) } else { Err(DropReason::NoPermission) }
    }
}

/// Destination unreachable and time exceeded, and over IPv6 packet too big.
fn is_told(family: Family, kind: u8) -> bool {
    match family {
        Family::V4 => matches!(kind, 3 | 11),
        Family::V6 => matches!(kind, 1..=3),
    }
}

/// Fragmentation needed, and packet too big.
fn tells_mtu(family: Family, kind: u8, code: u8) -> bool {
    match family {
        Family::V4 => (kind, code) == (3, 4),
        Family::V6 => kind == 2,
    }
}
