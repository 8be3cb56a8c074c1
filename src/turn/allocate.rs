//! Allocate (RFC 8656 sections 7.1 to 7.3).
//!
//! The sockets are opened by the driver: the answer waits until they are (`opening.rs`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use super::allocation::{Allocation, Granted, Phase, Relayed, Relays, Usage};
use super::channels::Channels;
use super::command::{Command, OpenId};
use super::openings::Opening;
use super::pace::Pace;
use super::ports::{Parity, PortClaim};
use super::quota::Grant;
use super::reject::Reject;
use super::relay::Relay;
use super::request::{Outcome, Requester};
use super::reservations::{RESERVATION, Token};
use super::response::Response;
use super::wish::Wish;
use crate::creds::Verified;
use crate::net::{Family, Flow};
use crate::stun::Message;
use crate::time::Now;

/// What an allocation gets when it does not ask, and the least it gets when it does
/// (RFC 8656 sections 3.2 and 7.2).
pub(super) const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

/// Sockets tried before the client is told 508: another program may sit in our range.
const OPEN_TRIES: u8 = 8;

/// The ports it gets.
#[derive(Debug)]
struct Drawn {
    first: PortClaim,
    second: Option<PortClaim>,
    token: Option<Token>,
    address_error: Option<u16>,
}

impl Relay {
    pub(super) fn allocate(
        &mut self,
        now: Now,
        flow: Flow,
        message: &Message<'_>,
        requester: Requester,
    ) -> Result<Outcome, Reject> {
        // Step 2: one allocation a five-tuple; the same request again gets the same answer.
        let owner = match requester {
            Requester::Stranger(verified) => verified,
            Requester::Owner(slot, _) => return self.allocate_again(slot, message),
            Requester::Other(_) => return Err(IN_USE),
        };
        let wish = Wish::read(message, flow.transport)?;
        if self.settings.draining {
            return Err(self.redirect(&flow));
        }
        // Step 10, before any port is drawn, so that a user at the limit costs nothing.
        let quota = &self.settings.quota;
        let grant = Grant::take(&self.shared.quotas, quota, &owner, flow.remote.0.ip())
            .map_err(Reject::Quota)?;
        let opening = Opening::take(&self.shared.openings, quota, now, &owner);
        let opening = opening.map_err(Reject::Spent)?;
        let drawn = self.draw(now, &wish, owner.user())?;
        self.open(now, flow, message, owner, (grant, opening), &wish, drawn);
        Ok(Outcome::Later)
    }

    fn allocate_again(&mut self, slot: usize, message: &Message<'_>) -> Result<Outcome, Reject> {
        let allocation = self.table.get(slot).ok_or(IN_USE)?;
        match allocation.transaction == message.transaction_id() {
            true => Ok(Outcome::Answer(Response::allocated(allocation))),
            false => Err(IN_USE),
        }
    }

    /// Steps 5 to 9: the port(s), by token, by parity or any.
    fn draw(&mut self, now: Now, wish: &Wish, user: &Arc<str>) -> Result<Drawn, Reject> {
        if let Some(token) = wish.token {
            let kept = self.shared.reservations.redeem(now.mono, &token);
            let first = kept.ok_or(Reject::Rule(508, "RESERVATION-TOKEN is unknown or too old"))?;
            return Ok(Drawn { first, second: None, token: None, address_error: None });
        }
        let family = match wish.family {
            Some(family) => family,
            None if wish.additional || self.relays_on(Family::V4) => Family::V4,
            None => Family::V6,
        };
        if !self.relays_on(family) {
            return Err(Reject::Rule(440, "`relay.addresses` has none of the family asked for"));
        }
        let reserve = wish.even.is_some_and(|even| even.reserve_next);
        if reserve {
            let (first, token) = self.draw_pair(now, family, user)?;
            return Ok(Drawn { first, second: None, token, address_error: None });
        }
        let parity = if wish.even.is_some() { Parity::Even } else { Parity::Any };
        let first = self.draw_port(family, parity).ok_or(NO_PORT)?;
        let (second, address_error) = match wish.additional {
            false => (None, None),
            true if !self.relays_on(Family::V6) => (None, Some(440)),
            true => match self.draw_port(Family::V6, Parity::Any) {
                Some(claim) => (Some(claim), None),
                None => (None, Some(508)),
            },
        };
        Ok(Drawn { first, second, token: None, address_error })
    }

    /// An even port, and the token its upper neighbour is kept for.
    pub(super) fn draw_pair(
        &mut self,
        now: Now,
        family: Family,
        user: &Arc<str>,
    ) -> Result<(PortClaim, Option<Token>), Reject> {
        let addresses = self.relay_indices(family);
        let pair = addresses
            .into_iter()
            .find_map(|a| PortClaim::draw_pair(&self.shared.ports, a, &mut self.random));
        let (first, next) = pair.ok_or(NO_PORT)?;
        let token: Token = self.random.bytes();
        let kept = self.shared.reservations.keep(now.mono, token, next, user);
        kept.map_err(|_| Reject::Rule(508, "too many reserved ports wait for their second half"))?;
        self.reserved_until = Some(now.mono + RESERVATION);
        Ok((first, Some(token)))
    }

    pub(super) fn draw_port(&mut self, family: Family, parity: Parity) -> Option<PortClaim> {
        let addresses = self.relay_indices(family);
        addresses
            .into_iter()
            .find_map(|a| PortClaim::draw(&self.shared.ports, a, parity, &mut self.random))
    }

    fn relays_on(&self, family: Family) -> bool {
        self.settings.relay_addresses.iter().any(|a| Family::of(a.local) == family)
    }

    fn relay_indices(&self, family: Family) -> Vec<u8> {
        let addresses = self.settings.relay_addresses.iter().enumerate();
        let fitting = addresses.filter(|(_, a)| Family::of(a.local) == family);
        fitting.filter_map(|(index, _)| u8::try_from(index).ok()).collect()
    }

    /// Everything is decided: the allocation exists, and waits for its sockets.
    #[expect(clippy::too_many_arguments, reason = "each is a step's result, used once, here")]
    fn open(
        &mut self,
        now: Now,
        flow: Flow,
        message: &Message<'_>,
        owner: Verified,
        (grant, opening): (Grant, Option<Opening>),
        wish: &Wish,
        drawn: Drawn,
    ) {
        let lifetime = self.lifetime(wish.lifetime);
        let expires = now.mono + lifetime;
        let mut relays = Relays::default();
        for claim in [Some(drawn.first), drawn.second].into_iter().flatten() {
            relays.push(self.relayed(claim, expires));
        }
        // A redeemed port is the one that was promised: no other will do.
        let tries = if wish.token.is_some() { 1 } else { OPEN_TRIES };
        let slot = self.table.insert(Allocation {
            id: self.shared.new_id(),
            flow,
            owner,
            transaction: message.transaction_id(),
            granted: Granted {
                lifetime: seconds(lifetime),
                token: drawn.token,
                address_error: drawn.address_error,
                old_code_points: wish.old_code_points,
                fingerprint: message.has_fingerprint(),
            },
            kind: wish.kind,
            relays,
            phase: Phase::Opening { tries },
            opened: now.mono,
            permissions: HashMap::with_hasher(self.hasher.clone()),
            channels: Channels::new(self.hasher.clone()),
            usage: Usage::default(),
            pace: Pace::new(now.mono),
            grant,
            opening,
            connections: HashMap::with_hasher(self.hasher.clone()),
        });
        self.ask_for_sockets(slot);
    }

    /// A relayed address on `claim`, not yet open.
    pub(super) fn relayed(&mut self, claim: PortClaim, expires: crate::time::Instant) -> Relayed {
        let port = claim.port();
        let public = self.settings.relay_addresses[usize::from(port.address)].public;
        let id = OpenId(self.next_open);
        self.next_open += 1;
        let public = SocketAddr::new(public, port.port);
        Relayed { claim, public, expires, opening: Some(id) }
    }

    /// Commands for every relayed address that waits for one.
    pub(super) fn ask_for_sockets(&mut self, slot: usize) {
        let Some(allocation) = self.table.get(slot) else { return };
        let kind = allocation.kind;
        let wishes: Vec<_> = allocation
            .relays
            .iter()
            .filter_map(|relayed| Some((relayed.opening?, relayed.claim.port())))
            .filter(|(id, _)| !self.openings.contains_key(id))
            .collect();
        for (id, port) in wishes {
            self.openings.insert(id, slot);
            self.command(Command::OpenRelay { id, port, kind });
        }
    }

    /// LIFETIME as RFC 8656 section 7.2 has it: never less than the default, never over the cap.
    pub(super) fn lifetime(&self, asked: Option<u32>) -> Duration {
        let asked = asked.map_or(DEFAULT_LIFETIME, |asked| Duration::from_secs(asked.into()));
        let cap = self.settings.limits.max_lifetime.max(DEFAULT_LIFETIME);
        asked.clamp(DEFAULT_LIFETIME, cap)
    }
}

/// A lifetime as the wire has it.
pub(super) fn seconds(lifetime: Duration) -> u32 {
    u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX)
}

const IN_USE: Reject = Reject::Rule(437, "this five-tuple has an allocation already");
const NO_PORT: Reject = Reject::Rule(508, "every port of `relay.ports` is taken");
