//! Requests: who asks (RFC 8489 section 9.2.4), whether all of it is understood (section 6.3.1),
//! and then each method by its own file.

use std::sync::Arc;

use super::allocation::Phase;
use super::counters::add;
use super::reject::Reject;
use super::relay::Relay;
use super::response::{Challenge, Response, Unknown};
use super::verdict::DropReason;
use crate::creds::{Denied, Key, Reason, Verified};
use crate::net::Flow;
use crate::stun::{AttributeType, Message, Method};
use crate::time::Now;

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// An answer, now.
    Answer(Response),
    /// An answer, now, from another address of ours or to another port of the client's.
    AnswerAs(Flow, Response),
    /// An answer when a socket is open.
    Later,
    /// None here: this other shard has it.
    Elsewhere(u8),
    /// None at all.
    Silence(DropReason),
}

/// Who asks.
#[derive(Debug)]
pub(super) enum Requester {
    /// Somebody with good credentials and no allocation on this five-tuple.
    Stranger(Verified),
    /// The owner of the allocation in this slot.
    Owner(usize, Key),
    /// Somebody with good credentials, but another's allocation is on this five-tuple.
    Other(Key),
}

impl Requester {
    pub(super) fn key(&self) -> &Key {
        match self {
            Self::Stranger(verified) => verified.key(),
            Self::Owner(_, key) | Self::Other(key) => key,
        }
    }
}

/// The methods that take credentials.
const KNOWN: [Method; 6] = [
    Method::ALLOCATE,
    Method::REFRESH,
    Method::CREATE_PERMISSION,
    Method::CHANNEL_BIND,
    Method::CONNECT,
    Method::CONNECTION_BIND,
];

/// The comprehension-required attributes a request may carry; any other is answered with 420.
const UNDERSTOOD: [AttributeType; 17] = [
    AttributeType::USERNAME,
    AttributeType::USERHASH,
    AttributeType::PASSWORD_ALGORITHM,
    AttributeType::MESSAGE_INTEGRITY,
    AttributeType::MESSAGE_INTEGRITY_SHA256,
    AttributeType::REALM,
    AttributeType::NONCE,
    AttributeType::CHANNEL_NUMBER,
    AttributeType::LIFETIME,
    AttributeType::XOR_PEER_ADDRESS,
    AttributeType::DATA,
    AttributeType::EVEN_PORT,
    AttributeType::REQUESTED_TRANSPORT,
    AttributeType::DONT_FRAGMENT,
    AttributeType::RESERVATION_TOKEN,
    AttributeType::REQUESTED_ADDRESS_FAMILY,
    AttributeType::CONNECTION_ID,
];

impl Relay {
    pub(super) fn request(&mut self, now: Now, flow: Flow, message: &Message<'_>) -> Outcome {
        let method = message.method();
        if method == Method::BINDING {
            return self.binding(now, flow, message);
        }
        // RFC 8489 section 6.3: a method that is not supported is discarded in silence.
        if !KNOWN.contains(&method) {
            return Outcome::Silence(DropReason::Unexpected);
        }
        if self.is_opening(&flow) {
            return Outcome::Later;
        }
        if method == Method::CONNECTION_BIND
            && let Some(shard) = self.elsewhere(&flow, message)
        {
            return match self.may_guess(now, &flow) {
                true => Outcome::Elsewhere(shard),
                false => Outcome::Silence(DropReason::RateLimited),
            };
        }
        let requester = match self.identify(now, &flow, message) {
            Ok(requester) => requester,
            Err(denied) => return self.deny(now, flow, message, denied),
        };
        let unknown = unknown(message, &[]);
        if !unknown.is_empty() {
            return Outcome::Answer(Response::unknown(message, Some(requester.key()), unknown));
        }
        let key = requester.key().clone();
        let handled = match method {
            Method::ALLOCATE => self.allocate(now, flow, message, requester),
            Method::REFRESH => self.refresh(now, message, requester),
            Method::CREATE_PERMISSION => self.create_permission(now, message, requester),
            Method::CONNECT => self.connect(now, message, requester),
            Method::CONNECTION_BIND => self.connection_bind(flow, message, requester),
            _ => self.channel_bind(now, message, requester),
        };
        handled.unwrap_or_else(|reject| self.refuse(now, flow, message, &key, &reject))
    }

    fn is_opening(&self, flow: &Flow) -> bool {
        let allocation = self.table.slot_of(flow).and_then(|slot| self.table.get(slot));
        allocation.is_some_and(|allocation| matches!(allocation.phase, Phase::Opening { .. }))
    }

    /// RFC 8489 section 9.2.4 and RFC 8656 section 5: an allocation answers to its owner alone, who
    /// is known by the key the allocation was opened with, whatever became of the credential since.
    fn identify(
        &mut self,
        now: Now,
        flow: &Flow,
        message: &Message<'_>,
    ) -> Result<Requester, Denied> {
        let client = flow.remote.0.ip();
        let slot = self.slot_about(flow, message);
        let Some((slot, allocation)) = slot.and_then(|s| Some((s, self.table.get(s)?))) else {
            return self.credentials.check(now, message, client).map(Requester::Stranger);
        };
        match self.credentials.check_owner(now, message, client, &allocation.owner) {
            Ok(key) => Ok(Requester::Owner(slot, key)),
            // RFC 8656 section 7.2 step 2: to an Allocate by somebody else the five-tuple is in
            // use (437), which a client mends by another port; 441 it could not mend. The same name
            // with another key is somebody else too: a password or a realm may have changed.
            Err(
                Denied::WrongUser
                | Denied::Unauthorized(Reason::NotTheOwner | Reason::OtherAlgorithm),
            ) if message.method() == Method::ALLOCATE => {
                let other = self.credentials.check(now, message, client)?;
                Ok(Requester::Other(other.key().clone()))
            }
            Err(denied) => Err(denied),
        }
    }

    /// Whether a stranger may have one more answer. The address of a stream is not forged, so no
    /// answer to it hits somebody else; and its client never asks a second time, so silence would
    /// leave it hanging.
    pub(super) fn may_answer(&mut self, now: Now, flow: &Flow) -> bool {
        flow.transport.is_stream() || self.may_guess(now, flow)
    }

    /// Whether one more guess at credentials is looked at, whatever it came over.
    fn may_guess(&mut self, now: Now, flow: &Flow) -> bool {
        let rate = self.settings.unauthenticated_rate;
        self.limiter.admits(now.mono, flow.remote.0.ip(), rate)
    }

    /// The answer to credentials that did not hold.
    fn deny(&mut self, now: Now, flow: Flow, message: &Message<'_>, denied: Denied) -> Outcome {
        let guess = matches!(denied, Denied::Unauthorized(_) | Denied::WrongUser);
        let may = if guess { self.may_guess(now, &flow) } else { self.may_answer(now, &flow) };
        if !may {
            return Outcome::Silence(DropReason::RateLimited);
        }
        let code = denied.code();
        let challenge = denied.needs_challenge().then(|| self.challenge(now, &flow, message));
        // A first contact is no refusal, and a stale nonce nothing to explain.
        if !matches!(denied, Denied::Challenge) {
            self.count_refusal(message, code);
        }
        if guess {
            add(&self.counters.authentication_failures, 1);
        }
        if !matches!(denied, Denied::Challenge | Denied::StaleNonce) {
            self.explain(now, flow, message, &Reject::Denied(denied));
        }
        Outcome::Answer(Response::error(message, None, code, challenge))
    }

    /// On an allocation, in the realm and with the offer of the key that requests are signed with,
    /// which outlives a reload. An Allocate is somebody new, and told today's.
    fn challenge(&self, now: Now, flow: &Flow, message: &Message<'_>) -> Challenge {
        let slot = self.slot_about(flow, message).filter(|_| message.method() != Method::ALLOCATE);
        let owner = slot.and_then(|slot| self.table.get(slot)).map(|allocation| &allocation.owner);
        let client = flow.remote.0.ip();
        let given = match owner {
            Some(owner) => self.credentials.challenge_owner(now, client, owner),
            None => self.credentials.challenge(now, client),
        };
        let realm = owner.map(|owner| Arc::clone(owner.realm()));
        Challenge { nonce: given.nonce, algorithms: given.algorithms, realm }
    }

    /// The answer to a verified request that cannot be fulfilled.
    fn refuse(
        &mut self,
        now: Now,
        flow: Flow,
        message: &Message<'_>,
        key: &Key,
        reject: &Reject,
    ) -> Outcome {
        self.count_refusal(message, reject.code());
        self.explain(now, flow, message, reject);
        Outcome::Answer(match reject.alternate() {
            Some(server) => Response::redirect(message, key, server),
            None => Response::error(message, Some(key), reject.code(), None),
        })
    }
}

/// RFC 8489 section 6.3.1: what must be understood and is not; `also` is understood as well.
pub(super) fn unknown(message: &Message<'_>, also: &[AttributeType]) -> Unknown {
    let mut unknown = Unknown::default();
    let required = message.attributes().map(|(kind, _)| kind);
    required
        .filter(|kind| kind.is_comprehension_required())
        .filter(|kind| !UNDERSTOOD.contains(kind) && !also.contains(kind))
        .for_each(|kind| unknown.push(kind));
    unknown
}
