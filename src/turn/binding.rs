//! Binding (RFC 8489 section 7): anybody is told the address they come from.

use super::counters::add;
use super::discovery::ATTRIBUTES;
use super::relay::Relay;
use super::request::{Outcome, unknown};
use super::response::Response;
use super::verdict::DropReason;
use crate::net::Flow;
use crate::stun::Message;
use crate::time::Now;

impl Relay {
    pub(super) fn binding(&mut self, now: Now, flow: Flow, message: &Message<'_>) -> Outcome {
        if !self.may_answer(now, &flow) {
            return Outcome::Silence(DropReason::RateLimited);
        }
        let corner = self.discovers(&flow).copied();
        let unknown = unknown(message, if corner.is_some() { &ATTRIBUTES } else { &[] });
        if !unknown.is_empty() {
            return Outcome::Answer(Response::unknown(message, None, unknown));
        }
        let outcome = match corner {
            None => Outcome::Answer(Response::bound(message, flow.remote.0, None)),
            Some(corner) => corner.answer(flow, message),
        };
        add(&self.counters.bindings, 1);
        outcome
    }
}
