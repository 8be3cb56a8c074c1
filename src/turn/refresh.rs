//! Refresh (RFC 8656 sections 8.1 to 8.3): a longer life, or none.

use std::time::Duration;

use super::allocate::seconds;
use super::event::EndReason;
use super::reject::Reject;
use super::relay::Relay;
use super::request::{Outcome, Requester};
use super::response::Response;
use crate::net::Family;
use crate::stun::{Lifetime, Message, RequestedAddressFamily};
use crate::time::Now;

impl Relay {
    pub(super) fn refresh(
        &mut self,
        now: Now,
        message: &Message<'_>,
        requester: Requester,
    ) -> Result<Outcome, Reject> {
        let Requester::Owner(slot, key) = requester else { return Err(NO_ALLOCATION) };
        let asked = message.get::<Lifetime>().map_err(Reject::malformed)?.map(|asked| asked.0);
        let family = self.refreshed_family(slot, message)?;
        let lifetime = match asked {
            Some(0) => Duration::ZERO,
            asked => self.lifetime(asked),
        };
        let expires = now.mono + lifetime;
        let allocation = self.table.get_mut(slot).ok_or(NO_ALLOCATION)?;
        let fits = |relayed: &super::allocation::Relayed| {
            family.is_none_or(|family| Family::of(relayed.public.ip()) == family)
        };
        allocation
            .relays
            .iter_mut()
            .filter(|relayed| fits(relayed))
            .for_each(|relayed| relayed.expires = expires);
        let others = allocation.relays.iter().any(|relayed| !fits(relayed));
        match (lifetime.is_zero(), others) {
            (true, false) => self.end(now, slot, EndReason::Deleted),
            (true, true) => {
                let retired = allocation.retire(fits);
                retired.into_iter().for_each(|relayed| self.close(relayed));
                self.schedule(now, slot);
            }
            (false, _) => self.schedule(now, slot),
        }
        Ok(Outcome::Answer(Response::refreshed(message, &key, seconds(lifetime))))
    }

    /// RFC 8656 section 8.2: one family of two may be refreshed alone; one that the allocation does
    /// not have is 443.
    fn refreshed_family(
        &self,
        slot: usize,
        message: &Message<'_>,
    ) -> Result<Option<Family>, Reject> {
        let asked = message.get::<RequestedAddressFamily>().map_err(Reject::malformed)?;
        let Some(RequestedAddressFamily(code)) = asked else { return Ok(None) };
        let family = Family::from_code(code);
        let had = family.filter(|family| {
            self.table.get(slot).is_some_and(|allocation| allocation.relays.of(*family).is_some())
        });
        had.map(Some)
            .ok_or(Reject::Rule(443, "the allocation has no relayed address of the family"))
    }
}

/// RFC 8656 section 5: a request that needs an allocation, where there is none.
pub(super) const NO_ALLOCATION: Reject = Reject::Rule(437, "this five-tuple has no allocation");
