//! Relayhouse: a STUN/TURN relay, credential minting and WebSocket signalling in one binary.
//!
//! The core (`time`, `net`, `packet`, `stun`, `creds`, `turn`, `signal`) is sans-IO: bytes and time
//! come in as arguments, decisions go out as values. The feature `server` adds everything that
//! touches the world. `ARCHITECTURE.md` has the map and the invariants.

#![deny(unsafe_code)]
#![warn(missing_docs, unreachable_pub)]

pub mod creds;
pub mod net;
pub mod packet;
pub mod signal;
pub mod stun;
pub mod time;
pub mod turn;

#[cfg(feature = "server")]
pub mod api;
#[cfg(feature = "server")]
pub mod app;
#[cfg(feature = "server")]
pub mod front;
#[cfg(feature = "server")]
pub mod hooks;
#[cfg(feature = "server")]
pub mod relay;
#[cfg(feature = "server")]
pub mod store;
