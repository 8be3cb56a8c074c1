//! The TCP side of the running binary: plain TCP, TLS, HTTP and the PROXY protocol, on ports of
//! their own and on shared ones.

#[path = "../support/mod.rs"]
mod support;

mod certificates;
mod client;
mod files;
mod handshakes;
mod ports;
mod proxies;
mod shutdown;
mod slow;
mod turn;
