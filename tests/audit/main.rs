//! What the running program remembers of calls, and whom it tells: the audit trail and hooks, from
//! outside.

#[path = "../support/mod.rs"]
mod support;

mod hooks;
mod house;
mod receiver;
mod trail;
