//! Refusals, counted and told: how many of them in words a second, and how many were not.

use super::event::Event;
use super::reject::Reject;
use super::relay::Relay;
use crate::net::Flow;
use crate::stun::{Message, Method, Username};
use crate::time::Now;

/// Refusals reported as events per second; the rest is only counted, but for those of a username
/// that is watched.
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
    fn admits(&mut self, now: Now) -> bool {
        let second = now.mono.as_secs();
        if self.second != second {
            (self.second, self.told) = (second, 0);
        }
        let admitted = self.told < PER_SECOND;
        self.told += u32::from(admitted);
        admitted
    }
}

impl Relay {
    /// Whether one more refusal may be told in words this second, and how many could not be since
    /// the last one that was.
    pub(super) fn may_explain(&mut self, now: Now, username: Option<&str>) -> Option<u64> {
        let mut is_watched = || username.is_some_and(|name| self.watched.admits(now.mono, name));
        if self.refusals.admits(now) || is_watched() {
            return Some(std::mem::take(&mut self.refusals.suppressed));
        }
        self.refusals.suppressed += 1;
        None
    }

    pub(super) fn count_refusal(&self, message: &Message<'_>, code: u16) {
        match message.method() == Method::ALLOCATE {
            true => self.counters.allocation_refused(code),
            false => self.counters.request_refused(code),
        }
    }

    /// Tells the operator, in words, a bounded number of times a second.
    pub(super) fn explain(&mut self, now: Now, flow: Flow, message: &Message<'_>, reject: &Reject) {
        let username = message.get::<Username<'_>>().ok().flatten().map(|Username(name)| name);
        let Some(suppressed) = self.may_explain(now, username) else { return };
        self.report(Event::Refused {
            flow,
            method: message.method().name(),
            code: reject.code(),
            why: reject.to_string(),
            username: username.map(Into::into),
            suppressed,
        });
    }
}
