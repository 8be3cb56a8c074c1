//! The threads and sockets that drive [`turn::Relay`](crate::turn::Relay): one shard per core.
//!
//! Each shard is one thread with its own `SO_REUSEPORT` listeners, relay sockets, tables, timers
//! and buffers. Nothing on the path of a relayed packet locks, allocates or logs; what shards share
//! with the rest of the process are counters (read), settings (swapped as a whole) and a bounded
//! channel of events.
//!
//! It knows no protocol: what a packet means and where it goes is the machine's verdict.

pub mod addresses;

mod allocations;
mod batch;
mod buffers;
mod clock;
mod content;
mod control;
mod error;
mod handle;
mod listener;
mod probe;
mod questions;
mod shard;
mod slots;
mod socket;
mod sockets;
mod start;
mod stats;
mod stream;
mod supervise;
mod sys;
mod tcp;
#[cfg(test)]
mod tests;
mod token;
mod workers;

pub use allocations::{AllocationDoor, MAX_LISTED, Unanswered};
pub use error::StartError;
pub use handle::{BufferReport, RelayHandle};
pub use shard::Trains;
pub use start::{RelayConfig, start};
pub use stream::{Refused, Stream, StreamDoor, StreamLimits};
/// Trains over plain sockets, for the load generator.
pub use sys::{burst, raise_descriptor_limit};
