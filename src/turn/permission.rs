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
        let limit = self.settings.limits.permissions_per_allocation;
        // However long the list, no more is judged than could ever be permitted.
        let most = limit.max(allocation.permissions.len());
        let mut permitted: Vec<(IpAddr, Guard)> = Vec::new();
        for peer in message.all::<XorPeerAddress>() {
            let XorPeerAddress(peer) = peer.map_err(Reject::malformed)?;
            let ip = self.policy.inward(peer.ip());
            if permitted.iter().any(|(named, _)| *named == ip) {
                continue;
            }
            if permitted.len() >= most {
                return Err(FULL);
            }
            permitted.push((ip, self.permissible(allocation, peer)?));
        }
        if permitted.is_empty() {
            return Err(Reject::Rule(400, "XOR-PEER-ADDRESS is missing"));
        }
        let allocation = self.table.get_mut(slot).ok_or(NO_ALLOCATION)?;
        make_room(allocation, now, permitted.iter().map(|(ip, _)| *ip), limit)?;
        for (ip, guard) in permitted {
            allocation.permit(now.mono, ip, guard);
        }
        Ok(Outcome::Answer(Response::done(message, &key)))
    }

    /// What is left to be checked of `peer`, if it may have a permission at all.
    fn permissible(&self, allocation: &Allocation, peer: SocketAddr) -> Result<Guard, Reject> {
        // RFC 8656 section 10.2: a peer of a family without a relayed address is 443.
        if allocation.relays.of(Family::of(peer.ip())).is_none() {
            return Err(WRONG_FAMILY);
        }
        let judged = self.policy.judge(self.policy.inward(peer.ip()));
        judged.map_err(|refusal| Reject::Peer(peer.ip(), refusal))
    }
}

/// Makes room for permissions for `wanted`, no address twice: old ones are swept away where they
/// must be. What is permitted already is refreshed even where a reload lowered the limit.
pub(super) fn make_room(
    allocation: &mut Allocation,
    now: Now,
    wanted: impl Iterator<Item = IpAddr> + Clone,
    limit: usize,
) -> Result<(), Reject> {
    let fits = |allocation: &Allocation| {
        let known = |ip: &IpAddr| allocation.permissions.contains_key(ip);
        let fresh = wanted.clone().filter(|ip| !known(ip)).count();
        fresh == 0 || allocation.permissions.len() + fresh <= limit
    };
    if !fits(allocation) {
        allocation.sweep(now.mono);
    }
    if fits(allocation) { Ok(()) } else { Err(FULL) }
}

const FULL: Reject = Reject::Rule(508, "`limits.permissions_per_allocation` is reached");

/// RFC 8656 sections 10.2 and 12.2.
pub(super) const WRONG_FAMILY: Reject =
    Reject::Rule(443, "the peer's address family is not that of the allocation");
