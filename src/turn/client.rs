//! Packets from clients: told apart by their first byte (RFC 7983), ChannelData first, because it
//! is what there is most of. Data for a peer leaves in the buffer it came in.

use std::net::SocketAddr;
use std::ops::Range;

use super::command::RelayKind;
use super::counters::add;
use super::event::Event;
use super::relay::Relay;
use super::request::Outcome;
use super::response::Response;
use super::verdict::{DropReason, Route, Verdict};
use crate::net::{Flow, PeerAddr};
use crate::packet::Packet;
use crate::stun::{
    AttributeType, Class, Kind, Message, Method, XorPeerAddress, channel_data, kind,
};
use crate::time::Now;

/// Whose payload it is, where it lies in its packet, and where it goes.
#[derive(Debug)]
struct Plan {
    slot: usize,
    start: usize,
    len: usize,
    route: Route,
}

impl Relay {
    /// A packet from a client.
    pub fn handle_client(&mut self, now: Now, flow: Flow, packet: &mut Packet<'_>) -> Verdict {
        match packet.bytes().first().map(|first| kind(*first)) {
            Some(Kind::ChannelData) => self.channel_data(now, &flow, packet),
            Some(Kind::Stun) => self.stun(now, flow, packet),
            Some(Kind::Other) | None => self.drop_packet(DropReason::Malformed),
        }
    }

    /// RFC 8656 section 12.4: receiving ChannelData from a client. One look-up of the five-tuple,
    /// one of the channel, and the allocation is not looked up again to count.
    fn channel_data(&mut self, now: Now, flow: &Flow, packet: &mut Packet<'_>) -> Verdict {
        let Some((number, len)) = channel_data::parse(packet.bytes()) else {
            return self.drop_packet(DropReason::Malformed);
        };
        let Some(slot) = self.table.slot_of(flow) else {
            return self.drop_packet(DropReason::NoAllocation);
        };
        let Some(allocation) = self.table.get_mut(slot) else {
            return self.drop_packet(DropReason::NoAllocation);
        };
        let channel = allocation.channels.get(number).filter(|channel| now.mono < channel.expires);
        let Some(channel) = channel else { return self.drop_packet(DropReason::NoChannel) };
        if now.mono >= channel.permitted_until {
            return self.drop_packet(DropReason::NoPermission);
        }
        let (port, ports) = (channel.peer.port(), &self.shared.ports);
        if !self.policy.passes(channel.guard, port, RelayKind::Udp, ports) {
            return self.drop_packet(DropReason::RefusedPeer);
        }
        let to = PeerAddr(channel.peer);
        let route = Route::Peer { from: channel.from, to, dont_fragment: false };
        let (quota, total) = (&self.settings.quota, &self.shared.bandwidth);
        if !allocation.sends(now.mono, len, quota, total) {
            return self.over_bandwidth(slot);
        }
        self.forward_up(channel_data::HEADER, len, route, packet)
    }

    fn stun(&mut self, now: Now, flow: Flow, packet: &mut Packet<'_>) -> Verdict {
        let Ok(message) = Message::parse(packet.bytes()) else {
            return self.drop_packet(DropReason::Malformed);
        };
        match (message.class(), message.method()) {
            (Class::Request, _) => {
                let outcome = self.request(now, flow, &message);
                self.carry_out(flow, outcome, packet)
            }
            (Class::Indication, Method::SEND) => match self.send_indication(now, &flow, &message) {
                Ok(plan) => self.relay_up(now, plan, packet),
                Err(reason) => self.drop_packet(reason),
            },
            // RFC 8489 section 6.3.2: a Binding indication keeps a NAT's mapping and asks nothing.
            (Class::Indication, Method::BINDING) => Verdict::Taken,
            _ => self.drop_packet(DropReason::Unexpected),
        }
    }

    fn carry_out(&mut self, flow: Flow, outcome: Outcome, packet: &mut Packet<'_>) -> Verdict {
        match outcome {
            Outcome::Answer(response) => self.answer(flow, &response, packet),
            Outcome::AnswerAs(flow, response) => self.answer(flow, &response, packet),
            Outcome::Elsewhere(shard) => Verdict::Elsewhere(shard),
            Outcome::Later => Verdict::Taken,
            Outcome::Silence(reason) => self.drop_packet(reason),
        }
    }

    fn answer(&mut self, flow: Flow, response: &Response, packet: &mut Packet<'_>) -> Verdict {
        match response.write(&self.credentials, packet) {
            Some(()) => Verdict::Forward(Route::Client(flow)),
            None => self.drop_packet(DropReason::Overloaded),
        }
    }

    /// RFC 8656 section 11.2: receiving a Send indication. Whatever is wrong, it is discarded.
    fn send_indication(
        &self,
        now: Now,
        flow: &Flow,
        message: &Message<'_>,
    ) -> Result<Plan, DropReason> {
        let slot = self.table.slot_of(flow).ok_or(DropReason::NoAllocation)?;
        let allocation = self.table.get(slot).ok_or(DropReason::NoAllocation)?;
        // Over TCP connections there are no datagrams to send (RFC 6062 section 3).
        if allocation.kind == RelayKind::Tcp {
            return Err(DropReason::Unexpected);
        }
        let Asked { peer, data, dont_fragment } = asked(message).ok_or(DropReason::Malformed)?;
        let to = SocketAddr::new(self.policy.inward(peer.ip()), peer.port());
        let permission = allocation.permissions.get(&to.ip());
        let permission = permission.filter(|permission| now.mono < permission.expires);
        let guard = permission.ok_or(DropReason::NoPermission)?.guard;
        if !self.policy.passes(guard, to.port(), RelayKind::Udp, &self.shared.ports) {
            return Err(DropReason::RefusedPeer);
        }
        let from = allocation.relays.port_for(to.ip()).ok_or(DropReason::WrongFamily)?;
        let route = Route::Peer { from, to: PeerAddr(to), dont_fragment };
        Ok(Plan { slot, start: data.start, len: data.len(), route })
    }

    /// Relays what is planned, or drops it over a bandwidth quota.
    fn relay_up(&mut self, now: Now, plan: Plan, packet: &mut Packet<'_>) -> Verdict {
        let Plan { slot, start, len, route } = plan;
        let Some(allocation) = self.table.get_mut(slot) else {
            return self.drop_packet(DropReason::NoAllocation);
        };
        let (quota, total) = (&self.settings.quota, &self.shared.bandwidth);
        if !allocation.sends(now.mono, len, quota, total) {
            return self.over_bandwidth(slot);
        }
        self.forward_up(start, len, route, packet)
    }

    /// Leaves the payload alone in the window and counts it.
    fn forward_up(
        &self,
        start: usize,
        len: usize,
        route: Route,
        packet: &mut Packet<'_>,
    ) -> Verdict {
        add(&self.counters.bytes_up, len as u64);
        add(&self.counters.packets_up, 1);
        let stripped = packet.strip_front(start);
        debug_assert!(stripped.is_some(), "what stands before the payload was parsed");
        packet.truncate(len);
        Verdict::Forward(route)
    }

    /// Drops a packet over a quota; the first of an allocation is reported.
    pub(super) fn over_bandwidth(&mut self, slot: usize) -> Verdict {
        self.report_over_bandwidth(slot);
        self.drop_packet(DropReason::Bandwidth)
    }

    /// Tells, once for an allocation, that a bandwidth quota holds it back.
    pub(super) fn report_over_bandwidth(&mut self, slot: usize) {
        let allocation = self.table.get_mut(slot);
        if let Some(allocation) = allocation.filter(|one| !one.usage.over_reported) {
            allocation.usage.over_reported = true;
            let username = std::sync::Arc::clone(allocation.owner.username());
            let id = allocation.id;
            self.report(Event::BandwidthExceeded { id, username });
        }
    }
}

/// What a Send indication says.
struct Asked {
    peer: SocketAddr,
    data: Range<usize>,
    dont_fragment: bool,
}

/// Reads a Send indication in one walk over its attributes: `None` when one that is needed is missing or
/// malformed, or one is there that must be understood and is not. Of repeated ones the first counts.
fn asked(message: &Message<'_>) -> Option<Asked> {
    let (mut peer, mut data, mut dont_fragment) = (None, None, false);
    for (kind, range) in message.ranges() {
        match kind {
            AttributeType::XOR_PEER_ADDRESS if peer.is_none() => peer = Some(range),
            AttributeType::DATA if data.is_none() => data = Some(range),
            AttributeType::DONT_FRAGMENT => dont_fragment = true,
            kind if kind.is_comprehension_required() && !kind.is_known() => return None,
            _ => {}
        }
    }
    let XorPeerAddress(peer) = message.value(peer?).ok()?;
    Some(Asked { peer, data: data?, dont_fragment })
}
