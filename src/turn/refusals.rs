//! Refusals, counted and told: how many of them in words a second, and how many were not.

use super::event::Event;
use super::reject::Reject;
use super::relay::Relay;
use crate::net::Flow;
use crate::stun::{Message, Method, Username};
use crate::time::Now;

/// Refusals reported as events per second; the rest is only counted.
const PER_SECOND: u32 = 10;

/// Refusals that were told in words, and those that were not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Refusals {
    /// The second that `told` counts.
    second: u64,
    told: u32,
    /// Since the last one that was told.
    suppressed: u64,
}

impl Refusals {
    fn admit(&mut self, now: Now) -> Option<u64> {
        let second = now.mono.as_secs();
        if self.second != second {
            (self.second, self.told) = (second, 0);
        }
        if self.told == PER_SECOND {
            self.suppressed += 1;
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

impl Relay {
    /// Whether one more refusal may be told in words this second, and how many could not be since
    /// the last one that was.
    pub(super) fn may_explain(&mut self, now: Now) -> Option<u64> {
        self.refusals.admit(now)
    }

    pub(super) fn count_refusal(&self, message: &Message<'_>, code: u16) {
        if message.method() == Method::ALLOCATE {
            self.counters.allocation_refused(code);
        }
    }

    /// Tells the operator, in words, a bounded number of times a second.
    pub(super) fn explain(&mut self, now: Now, flow: Flow, message: &Message<'_>, reject: &Reject) {
        let Some(suppressed) = self.may_explain(now) else { return };
        let username = message.get::<Username<'_>>().ok().flatten();
        self.report(Event::Refused {
            flow,
            method: message.method().name(),
            code: reject.code(),
            why: reject.to_string(),
            username: username.map(|Username(name)| name.into()),
            suppressed,
        });
    }
}
