//! TURN (RFC 8656) as a machine: allocations, permissions, channels, ports, policy, quotas.
//!
//! One [`Relay`] is one shard: it owns its allocations alone and shares only what [`Shared`] holds.
//! It opens no socket, reads no clock, draws no random number and logs nothing: bytes and time come
//! in, verdicts, commands, answers and events come out.

mod allocate;
mod allocation;
mod bandwidth;
mod binding;
mod channel;
mod channels;
mod client;
mod command;
mod counters;
mod discovery;
mod drain;
mod event;
mod icmp;
mod life;
mod limiter;
mod listing;
mod notice;
mod opening;
mod openings;
mod pace;
mod peer;
mod permission;
mod policy;
mod ports;
mod quota;
mod random;
mod refresh;
mod refusals;
mod reject;
mod relay;
mod request;
mod reservations;
mod response;
mod settings;
mod shared;
mod table;
mod tcp;
pub(crate) mod timers;
mod verdict;
mod watched;
mod wish;

#[cfg(test)]
pub(crate) mod tests;

pub use command::{Answer, Command, ConnectionId, OpenFailure, OpenId, RelayKind};
pub use counters::{Counters, Snapshot};
pub use event::{AllocationId, EndReason, Event, Summary};
pub use listing::{AllocationView, Listing};
pub use relay::Relay;
pub use settings::{ChannelNumbers, Limits, NatDiscovery, QuotaLimits, RelayAddress, Settings};
pub use shared::Shared;
pub use verdict::{DropReason, Route, Verdict};
pub use watched::TOLD_WHILE_WATCHED;
