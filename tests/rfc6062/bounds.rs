//! Policy, quotas and bounds of TCP relays.

use std::time::Duration;

use relayhouse::turn::{DropReason, Event};

use crate::machine::*;
use crate::{PEER, allocated};

/// 5.2: what local policy forbids is 403, in every spelling.
#[test]
fn a_refused_peer_is_403() {
    let (mut world, mut client, _) = allocated();
    for peer in ["10.1.2.3:80", "127.0.0.1:6379", "0.0.0.0:80", "255.255.255.255:1", "192.0.2.9:0"]
    {
        assert_eq!(client.connect(&mut world, peer).code(), 403, "{peer}");
    }
    assert!(world.connections.is_empty());
}

/// This host is a peer on live relay ports alone, and a port is live for TCP or for UDP.
#[test]
fn on_this_host_only_live_tcp_relays_are_peers() {
    let (mut world, mut client, port) = allocated();
    let itself = format!("198.51.100.1:{}", port.port);
    let datagrams = Client::at("203.0.113.8:4000").allocate(&mut world).to_string();
    for peer in ["198.51.100.1:22", "198.51.100.1:3478", &itself, &datagrams] {
        assert_eq!(client.connect(&mut world, peer).code(), 403, "{peer}");
    }
    let there = Client::over_tcp("203.0.113.9:4000").allocate_tcp(&mut world).to_string();
    client.connected(&mut world, &there);
}

/// A TCP relay is no peer for datagrams.
#[test]
fn a_live_tcp_port_is_no_udp_peer() {
    let (mut world, _, port) = allocated();
    let mut client = Client::at("203.0.113.8:4000");
    client.allocate(&mut world);
    let peer = format!("198.51.100.1:{}", port.port);
    assert_eq!(client.permit(&mut world, &peer).code(), 0);
    assert_eq!(client.send(&mut world, &peer, b"hello"), []);
    assert_eq!(world.drops, [DropReason::RefusedPeer]);
}

/// Connections of one allocation are bounded, whoever begins them and whatever their state.
#[test]
fn connections_per_allocation_are_bounded() {
    let mut world = World::with(|settings| settings.limits.connections_per_allocation = 3);
    let mut client = Client::over_tcp("203.0.113.7:4000");
    let port = port_of(client.allocate_tcp(&mut world));
    client.permit(&mut world, PEER);
    let first = client.connected(&mut world, "192.0.2.9:1");
    let mut data = client.second_connection("203.0.113.7:4001");
    assert_eq!(data.bind_connection(&mut world, first).code(), 0);
    client.connected(&mut world, "192.0.2.9:2");
    assert!(world.peer_connects(port, "192.0.2.9:3").0.is_some());
    assert_eq!(client.connect(&mut world, "192.0.2.9:4").code(), 508);
    assert_eq!(world.peer_connects(port, "192.0.2.9:5"), (None, vec![]));
    world.connection_ends(first);
    client.connected(&mut world, "192.0.2.9:4");
}

/// A TCP allocation counts like any other.
#[test]
fn quotas_count_tcp_allocations() {
    let mut world = World::with(|settings| settings.quota.per_user = 1);
    Client::over_tcp("203.0.113.7:4000").allocate_tcp(&mut world);
    let mut second = Client::over_tcp("203.0.113.7:4001");
    assert_eq!(second.allocate_tcp_with(&mut world, |_| {}).code(), 486);
}

/// A stream over a bandwidth quota is not cut but held back, for as long as the rate wants.
#[test]
fn a_stream_over_the_bandwidth_is_held_back() {
    for set in [
        |quota: &mut relayhouse::turn::QuotaLimits| quota.bandwidth_per_allocation = 1000,
        |quota| quota.bandwidth_per_user = 1000,
        |quota| quota.bandwidth = 1000,
    ] as [fn(&mut relayhouse::turn::QuotaLimits); 3]
    {
        let mut world = World::with(|settings| set(&mut settings.quota));
        let mut client = Client::over_tcp("203.0.113.7:4000");
        client.allocate_tcp(&mut world);
        let id = client.connected(&mut world, PEER);
        assert_eq!(world.relay.count_spliced(world.now, id, 500, 0), Duration::ZERO);
        let rest = world.relay.count_spliced(world.now, id, 500, 0);
        assert_eq!(rest, Duration::from_millis(500));
        world.relay.count_spliced(world.now, id, 0, 0);
        world.drive();
        let over =
            world.events.iter().filter(|event| matches!(event, Event::BandwidthExceeded { .. }));
        assert_eq!(over.count(), 1, "told once");
        world.pass(rest);
        assert_eq!(world.relay.count_spliced(world.now, id, 0, 0), Duration::ZERO);
    }
}
