//! RFC 6062, section by section: the requirement is each test's first line.

#[path = "../machine/mod.rs"]
mod machine;

mod bounds;
mod s05_1_allocate;
mod s05_2_connect;
mod s05_3_attempt;
mod s05_4_bind;
mod s05_5_ending;

use machine::{Client, World, port_of};
use relayhouse::net::RelayPort;

/// Where a peer is.
const PEER: &str = "192.0.2.9:9000";

/// A client with a TCP allocation, and its port.
fn allocated() -> (World, Client, RelayPort) {
    let mut world = World::new();
    let mut client = Client::over_tcp("203.0.113.7:4000");
    let relayed = client.allocate_tcp(&mut world);
    (world, client, port_of(relayed))
}
