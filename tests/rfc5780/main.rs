//! RFC 5780, NAT behaviour discovery: the requirement is each test's first line.

#[path = "../machine/mod.rs"]
mod machine;

mod s04_tests;
mod s06_server;
mod s09_reflector;

use machine::*;
use relayhouse::net::Flow;
use relayhouse::stun::{Method, Writer};
use relayhouse::turn::{NatDiscovery, Route};

/// The four corners: two addresses, two ports.
const CORNERS: [&str; 4] =
    ["198.51.100.1:3478", "198.51.100.1:3479", "198.51.100.2:3478", "198.51.100.2:3479"];

/// A server that is asked at any corner.
fn world() -> World {
    World::with(|settings| {
        settings.nat_discovery = CORNERS.iter().map(|corner| corner_at(corner)).collect();
    })
}

fn corner_at(local: &str) -> NatDiscovery {
    let local = addr(local);
    let other =
        |this: &str, that: &str| if local.to_string().contains(this) { ip(that) } else { ip(this) };
    NatDiscovery {
        local,
        other_ip: other("198.51.100.1", "198.51.100.2"),
        other_port: if local.port() == 3478 { 3479 } else { 3478 },
    }
}

/// A Binding to this corner; where the answer comes from and goes to, and the answer.
fn ask(world: &mut World, flow: Flow, fill: impl FnOnce(&mut Writer<'_>)) -> (Flow, Sent) {
    let mut client = Client::at("203.0.113.7:4000");
    let request = client.bare(Method::BINDING, fill);
    let mut sent = world.client_sends(flow, &request);
    assert_eq!(sent.len(), 1, "one answer");
    let sent = sent.remove(0);
    let Route::Client(route) = sent.route else { panic!("to a client") };
    (route, sent)
}

/// What a client behind no NAT at all sends from.
fn flow(local: &str) -> Flow {
    udp(local, "203.0.113.7:4000")
}
