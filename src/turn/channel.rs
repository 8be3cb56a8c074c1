//! ChannelBind (RFC 8656 sections 12.1 to 12.3): a number for a peer, and the permission with it.

use std::net::SocketAddr;

use super::allocation::{Allocation, CHANNEL_LIFETIME, PERMISSION_LIFETIME};
use super::channels::Channel;
use super::command::RelayKind;
use super::permission::{WRONG_FAMILY, make_room};
use super::refresh::NO_ALLOCATION;
use super::reject::Reject;
use super::relay::Relay;
use super::request::{Outcome, Requester};
use super::response::Response;
use crate::stun::{ChannelNumber, Message, XorPeerAddress};
use crate::time::Now;

impl Relay {
    pub(super) fn channel_bind(
        &mut self,
        now: Now,
        message: &Message<'_>,
        requester: Requester,
    ) -> Result<Outcome, Reject> {
        let Requester::Owner(slot, key) = requester else { return Err(NO_ALLOCATION) };
        let (number, peer) = wish(message)?;
        let limits = self.settings.limits;
        let allocation = self.table.get_mut(slot).ok_or(NO_ALLOCATION)?;
        // Over TCP connections there are no channels (RFC 6062 section 3).
        if allocation.kind == RelayKind::Tcp {
            return Err(Reject::Rule(403, "ChannelBind on an allocation that relays TCP"));
        }
        let from = allocation.relays.port_for(peer.ip()).ok_or(WRONG_FAMILY)?;
        let local = SocketAddr::new(self.policy.inward(peer.ip()), peer.port());
        let judged = self.policy.judge_port(local);
        let guard = judged.map_err(|refusal| Reject::Peer(peer.ip(), refusal))?;
        // A number or a peer whose binding has run out is free again.
        let alive = |channel: &&Channel| now.mono < channel.expires;
        let bound = allocation.channels.get(number).filter(alive);
        if bound.is_some_and(|channel| channel.peer != local) {
            return Err(Reject::Rule(400, "the channel is bound to another peer"));
        }
        let other = allocation.channels.to(local).filter(alive);
        if other.is_some_and(|channel| channel.number != number) {
            return Err(Reject::Rule(400, "the peer is bound to another channel"));
        }
        if bound.is_none() {
            if !self.settings.channel_numbers.range().contains(&number) {
                return Err(OUT_OF_RANGE);
            }
            allocation.channels.retain(|channel| channel.number != number && channel.peer != local);
            make_room_for_channel(allocation, now, limits.channels_per_allocation)?;
        }
        let wanted = std::iter::once(local.ip());
        make_room(allocation, now, wanted, limits.permissions_per_allocation)?;
        allocation.channels.bind(Channel {
            number,
            peer: local,
            from,
            expires: now.mono + CHANNEL_LIFETIME,
            permitted_until: now.mono + PERMISSION_LIFETIME,
            guard,
        });
        // RFC 8656 section 12.3: binding installs or refreshes the permission.
        allocation.permit(now.mono, local.ip(), guard);
        Ok(Outcome::Answer(Response::done(message, &key)))
    }
}

/// CHANNEL-NUMBER and XOR-PEER-ADDRESS, which must both be there.
fn wish(message: &Message<'_>) -> Result<(u16, SocketAddr), Reject> {
    let number = message.get::<ChannelNumber>().map_err(Reject::malformed)?;
    let peer = message.get::<XorPeerAddress>().map_err(Reject::malformed)?;
    let (Some(ChannelNumber(number)), Some(XorPeerAddress(peer))) = (number, peer) else {
        return Err(Reject::Rule(400, "CHANNEL-NUMBER or XOR-PEER-ADDRESS is missing"));
    };
    Ok((number, peer))
}

/// Makes room for one more channel: old ones are swept away where they must be.
fn make_room_for_channel(
    allocation: &mut Allocation,
    now: Now,
    limit: usize,
) -> Result<(), Reject> {
    if allocation.channels.len() >= limit {
        allocation.sweep(now.mono);
    }
    match allocation.channels.len() < limit {
        true => Ok(()),
        false => Err(Reject::Rule(508, "`limits.channels_per_allocation` is reached")),
    }
}

const OUT_OF_RANGE: Reject = Reject::Rule(400, "CHANNEL-NUMBER is outside `relay.channel_numbers`");
