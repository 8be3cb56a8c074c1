//! Packets from peers (RFC 8656 sections 11.3 and 12.5): a channel's four bytes or an indication's
//! header goes in front of the payload, where the driver left room.

use std::net::SocketAddr;

use super::bandwidth::Way;
use super::command::RelayKind;
use super::counters::add;
use super::relay::Relay;
use super::verdict::{DropReason, Route, Verdict};
use crate::net::{PeerAddr, RelayPort};
use crate::packet::Packet;
use crate::stun::{TransactionId, channel_data, wrap_data_indication};
use crate::time::Now;

impl Relay {
    /// A packet that arrived on a relay socket.
    pub fn handle_peer(
        &mut self,
        now: Now,
        port: RelayPort,
        from: PeerAddr,
        packet: &mut Packet<'_>,
    ) -> Verdict {
        let Some(slot) = self.table.slot_on(port) else {
            return self.drop_packet(DropReason::NoAllocation);
        };
        let Some(allocation) = self.table.get_mut(slot) else {
            return self.drop_packet(DropReason::NoAllocation);
        };
        let peer = from.0;
        let channel = allocation.channels.to(peer).filter(|channel| now.mono < channel.expires);
        let (number, until, guard) = match channel {
            Some(channel) => (Some(channel.number), channel.permitted_until, channel.guard),
            None => match allocation.permissions.get(&peer.ip()) {
                // Its peers connect; a datagram is a mistake of the driver's.
                Some(_) if allocation.kind == RelayKind::Tcp => {
                    return self.drop_packet(DropReason::Unexpected);
                }
                Some(permission) => (None, permission.expires, permission.guard),
                None => return self.drop_packet(DropReason::NoPermission),
            },
        };
        if now.mono >= until {
            return self.drop_packet(DropReason::NoPermission);
        }
        if !self.policy.passes(guard, peer.port(), RelayKind::Udp, &self.shared.ports) {
            return self.drop_packet(DropReason::RefusedPeer);
        }
        let len = packet.len();
        let quota = &self.settings.quota;
        if !allocation.admits(now.mono, Way::Down, len, quota, &self.shared.bandwidth) {
            return self.over_bandwidth(slot);
        }
        let flow = allocation.flow;
        let wrapped = match number {
            Some(number) => wrap_channel_data(number, flow.transport.is_stream(), packet),
            None => {
                let known = SocketAddr::new(self.policy.outward(peer.ip()), peer.port());
                wrap_data_indication(packet, known, next_id(&mut self.next_indication))
            }
        };
        if wrapped.is_none() {
            return self.drop_packet(DropReason::TooLarge);
        }
        allocation.usage.bytes_down += len as u64;
        allocation.usage.packets_down += 1;
        add(&self.counters.bytes_down, len as u64);
        add(&self.counters.packets_down, 1);
        Verdict::Forward(Route::Client(flow))
    }
}

/// Indications are never answered: their ids need to differ, not to be guessed at.
pub(super) fn next_id(last: &mut u64) -> TransactionId {
    *last = last.wrapping_add(1);
    let mut id = [0; 12];
    id[4..].copy_from_slice(&last.to_be_bytes());
    TransactionId(id)
}

/// Padding is for streams alone (RFC 8656 section 12.5).
fn wrap_channel_data(number: u16, padded: bool, packet: &mut Packet<'_>) -> Option<()> {
    let len = packet.len();
    if len > usize::from(u16::MAX) {
        return None;
    }
    packet.grow_front(channel_data::HEADER)?.copy_from_slice(&channel_data::header(number, len));
    match padded {
        true => packet.pad(len.next_multiple_of(4) - len),
        false => Some(()),
    }
}
