//! Relay sockets between wish and answer: an Allocate is answered only when its socket is open.

use std::sync::Arc;
use std::time::Duration;

use super::allocation::{Phase, Relayed};
use super::command::{OpenFailure, OpenId};
use super::counters::add;
use super::event::Event;
use super::ports::Parity;
use super::relay::Relay;
use super::response::Response;
use crate::net::Family;
use crate::stun::Method;
use crate::time::Now;

impl Relay {
    /// A socket is open; with the last one the client is told.
    pub(super) fn relay_opened(&mut self, now: Now, id: OpenId) {
        let Some(slot) = self.openings.remove(&id) else { return };
        let Some(allocation) = self.table.get_mut(slot) else { return };
        let Some(relayed) = allocation.relays.iter_mut().find(|r| r.opening == Some(id)) else {
            return;
        };
        relayed.opening = None;
        relayed.claim.set_live(allocation.kind);
        let port = relayed.claim.port();
        self.table.link(port, slot);
        self.finish_opening(now, slot);
    }

    /// A socket could not be opened: another port may do; if not, the client is told 508, or, for
    /// the second family alone, gets what there is (RFC 8656 section 7.2).
    pub(super) fn relay_failed(&mut self, now: Now, id: OpenId, failure: OpenFailure) {
        let Some(slot) = self.openings.remove(&id) else { return };
        let Some(allocation) = self.table.get_mut(slot) else { return };
        let Some(failed) = allocation.relays.take(|relayed| relayed.opening == Some(id)) else {
            return;
        };
        let Phase::Opening { tries } = allocation.phase else { return };
        allocation.phase = Phase::Opening { tries: tries.saturating_sub(1) };
        let family = Family::of(failed.public.ip());
        // The failed claim is held until the next is drawn, so that the next is another port.
        let again = failure == OpenFailure::InUse && tries > 1;
        if !again || self.open_another(now, slot, &failed).is_none() {
            drop(failed);
            self.give_up(now, slot, family, failure);
        }
    }

    /// Draws another port in the place of `failed`, with the same promises.
    fn open_another(&mut self, now: Now, slot: usize, failed: &Relayed) -> Option<()> {
        let family = Family::of(failed.public.ip());
        let (claim, token) = match failed.claim.parity() {
            Parity::EvenPair => {
                self.withdraw_reservation(now, slot);
                let user = Arc::clone(self.table.get(slot)?.owner.user());
                self.draw_pair(now, family, &user).ok()?
            }
            parity => (self.draw_port(family, parity)?, None),
        };
        let relayed = self.relayed(claim, failed.expires);
        let allocation = self.table.get_mut(slot)?;
        allocation.granted.token = token;
        allocation.relays.push(relayed);
        self.ask_for_sockets(slot);
        Some(())
    }

    /// The neighbour of a port that could not be opened is nobody's any more.
    fn withdraw_reservation(&mut self, now: Now, slot: usize) {
        if let Some(token) = self.table.get(slot).and_then(|allocation| allocation.granted.token) {
            self.shared.reservations.redeem(now.mono, &token);
        }
    }

    fn give_up(&mut self, now: Now, slot: usize, family: Family, failure: OpenFailure) {
        let Some(allocation) = self.table.get_mut(slot) else { return };
        let others = allocation.relays.iter().next().is_some();
        if family == Family::V6 && others {
            allocation.granted.address_error = Some(508);
            return self.finish_opening(now, slot);
        }
        self.withdraw_reservation(now, slot);
        let Some(allocation) = self.take_down(slot) else { return };
        self.counters.allocation_refused(508);
        let username = Arc::clone(allocation.owner.username());
        if let Some(suppressed) = self.may_explain(now, Some(&username)) {
            self.report(Event::Refused {
                flow: allocation.flow,
                method: Method::ALLOCATE.name(),
                code: 508,
                why: why(failure).to_owned(),
                username: Some((&*username).into()),
                suppressed,
            });
        }
        self.answer_later(allocation.flow, Response::exhausted(&allocation));
        self.close_all(allocation);
    }

    /// Tells the client, once every socket is open.
    fn finish_opening(&mut self, now: Now, slot: usize) {
        let Some(allocation) = self.table.get_mut(slot) else { return };
        if allocation.relays.iter().any(|relayed| relayed.opening.is_some()) {
            return;
        }
        allocation.phase = Phase::Open;
        if let Some(opening) = allocation.opening.take() {
            opening.keep();
        }
        let (flow, response) = (allocation.flow, Response::allocated(allocation));
        let event = Event::AllocationOpened {
            id: allocation.id,
            flow,
            username: Arc::clone(allocation.owner.username()),
            secret: allocation.owner.secret(),
            relayed: allocation.relays.addresses(),
            lifetime: Duration::from_secs(allocation.granted.lifetime.into()),
        };
        add(&self.counters.allocations, 1);
        add(&self.counters.allocations_total, 1);
        self.schedule(now, slot);
        self.answer_later(flow, response);
        self.record(event);
    }
}

fn why(failure: OpenFailure) -> &'static str {
    match failure {
        OpenFailure::InUse => "another program has the ports of `relay.ports` that were tried",
        OpenFailure::Exhausted => {
            "no relay socket could be opened: out of descriptors or memory, or the address is gone"
        }
    }
}
