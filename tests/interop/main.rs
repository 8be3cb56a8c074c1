//! Other people's clients against the running binary: coturn's tools and the `turn` crate.
//!
//! `judge` runs the same tools against Debian's coturn, which shows that a pass means something.

#[path = "../support/mod.rs"]
mod support;

mod judge;
mod sha256;
mod tools;
mod turn_crate;
