//! CreatePermission (RFC 8656 sections 10.1 to 10.3): all of the peers named, or none.

use std::net::{IpAddr, SocketAddr};

use super::allocation::Allocation;
use super::policy::Guard;
use super::refresh::NO_ALLOCATION;
use super::reject::Reject;
use super::relay::Relay;
use super::request::{Outcome, Requester};
use super::response::Response;
use crate::net::Family;
use crate::stun::{Message, XorPeerAddress};
use crate::time::Now;

impl Relay {
    pub(super) fn create_permission(
        &mut self,
        now: Now,
        message: &Message<'_>,
        requester: Requester,
    ) -> Result<Outcome, Reject> {
        let Requester::Owner(slot, key) = requester else { return Err(NO_ALLOCATION) };
        let allocation = self.table.get(slot).ok_or(NO_ALLOCATION)?;
        let mut permitted = Vec::new();
        for peer in message.all::<XorPeerAddress>() {
            let XorPeerAddress(peer) = peer.map_err(Reject::malformed)?;
            permitted.push(self.permissible(allocation, peer)?);
        }
        if permitted.is_empty() {
            return Err(Reject::Rule(400, "XOR-PEER-ADDRESS is missing"));
        }
        let limit = self.settings.limits.permissions_per_allocation;
        let allocation = self.table.get_mut(slot).ok_or(NO_ALLOCATION)?;
        make_room(allocation, now, permitted.iter().map(|(ip, _)| *ip), limit)?;
        for (ip, guard) in permitted {
            allocation.permit(now.mono, ip, guard);
        }
        Ok(Outcome::Answer(Response::done(message, &key)))
    }

    /// Whether `peer` may have a permission: the address turned inward, and its guard.
    fn permissible(
        &self,
        allocation: &Allocation,
        peer: SocketAddr,
    ) -> Result<(IpAddr, Guard), Reject> {
        // RFC 8656 section 10.2: a peer of a family without a relayed address is 443.
        if allocation.relays.of(Family::of(peer.ip())).is_none() {
            return Err(WRONG_FAMILY);
        }
        let ip = self.policy.inward(peer.ip());
        let guard = self.policy.judge(ip).map_err(|refusal| Reject::Peer(peer.ip(), refusal))?;
        Ok((ip, guard))
    }
}

/// Whether the permissions for `wanted` fit, old ones swept away first where they must be.
pub(super) fn make_room(
    allocation: &mut Allocation,
    now: Now,
    wanted: impl Iterator<Item = IpAddr>,
    limit: usize,
) -> Result<(), Reject> {
    let mut fresh: Vec<IpAddr> = wanted.collect();
    fresh.sort_unstable();
    fresh.dedup();
    fresh.retain(|ip| !allocation.permissions.contains_key(ip));
    if allocation.permissions.len() + fresh.len() > limit {
        allocation.sweep(now.mono);
        // What was known and has just been swept counts as new again; the bound holds either way.
        if allocation.permissions.len() + fresh.len() > limit {
            let why = "`limits.permissions_per_allocation` is reached";
            return Err(Reject::Rule(508, why));
        }
    }
    Ok(())
}

/// RFC 8656 sections 10.2 and 12.2.
pub(super) const WRONG_FAMILY: Reject =
    Reject::Rule(443, "the peer's address family is not that of the allocation");
