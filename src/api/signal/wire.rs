//! The JSON of native signalling. Unknown types and unknown fields are errors; what passes from peer
//! to peer is not looked into.

mod client;
mod server;

pub(in crate::api) use client::check_bounds;
pub use client::{BadMessage, Incoming, parse};
pub use server::encode;
pub(super) use server::{error, fresh_ice_servers, leave, welcome};
