//! Other people's clients against the running binary: coturn's tools and the `turn` crate.
//!
//! `judge` runs the same tools against Debian's coturn, which shows that a pass means something.

#[path = "../support/mod.rs"]
mod support;

mod discovery;
mod judge;
mod sha256;
mod streams;
mod tools;
mod turn_client_proto;
mod turn_crate;
