//! `relayhouse bench` against the running server, and the script that measures servers with it: that they count what
//! happens. How fast anything is, is no test.

#[path = "../support/mod.rs"]
mod support;

mod bystanders;
mod loads;
mod relay;
mod side_by_side;
