//! Section 5.1: receiving a TCP Allocate request.

use relayhouse::net::Transport;
use relayhouse::stun::{
    AdditionalAddressFamily, ChannelNumber, DontFragment, EvenPort, Method, RequestedAddressFamily,
    RequestedTransport, ReservationToken, Writer, XorPeerAddress, XorRelayedAddress,
};
use relayhouse::turn::{DropReason, EndReason, Event};

use crate::machine::*;
use crate::{PEER, allocated};

/// 5.1: the relayed transport address is one for TCP, and the server listens on it.
#[test]
fn a_tcp_allocation_listens() {
    let (mut world, mut client, port) = allocated();
    assert!(world.listening.contains(&port));
    client.refresh(&mut world, 0);
    world.assert_clean();
}

/// 5.1: an allocation over TLS may relay TCP too.
#[test]
fn tls_clients_may_relay_tcp() {
    let mut world = World::new();
    let mut client = Client::over_tcp("203.0.113.7:4000");
    client.flow.transport = Transport::Tls;
    client.allocate_tcp(&mut world);
}

/// 5.1: a request that did not come over TCP or TLS is 400.
#[test]
fn a_udp_client_cannot_relay_tcp() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    assert_eq!(client.allocate_tcp_with(&mut world, |_| {}).code(), 400);
    world.assert_clean();
}

/// 5.1: DONT-FRAGMENT, EVEN-PORT and RESERVATION-TOKEN have no meaning here, and are 400; so is a
/// second address family.
#[test]
fn attributes_for_datagrams_are_refused() {
    let fills: [fn(&mut Writer<'_>); 4] = [
        |w| {
            w.put(&DontFragment);
        },
        |w| {
            w.put(&EvenPort { reserve_next: false });
        },
        |w| {
            w.put(&ReservationToken([1; 8]));
        },
        |w| {
            w.put(&AdditionalAddressFamily(2));
        },
    ];
    for fill in fills {
        let mut world = World::new();
        let mut client = Client::over_tcp("203.0.113.7:4000");
        assert_eq!(client.allocate_tcp_with(&mut world, fill).code(), 400);
        world.assert_clean();
    }
}

/// 5.1 and RFC 6156: the one family may be either.
#[test]
fn an_ipv6_relay_is_to_be_had() {
    let mut world = World::new();
    let mut client = Client::over_tcp("203.0.113.7:4000");
    let answer = client.allocate_tcp_with(&mut world, |w| {
        w.put(&RequestedAddressFamily(2));
    });
    let relayed = answer.get::<XorRelayedAddress>().expect("a relayed address").0;
    assert!(relayed.is_ipv6() && world.listening.contains(&port_of(relayed)));
}

/// RFC 8656 7.2: what is neither UDP nor TCP is 442.
#[test]
fn another_transport_is_442() {
    let mut world = World::new();
    let mut client = Client::over_tcp("203.0.113.7:4000");
    client.greet(&mut world);
    let answer = client.ask(&mut world, Method::ALLOCATE, |w| {
        w.put(&RequestedTransport(33));
    });
    assert_eq!(answer.code(), 442);
}

/// A TCP client that asks for UDP gets UDP: that is what most ask for.
#[test]
fn a_tcp_client_may_relay_udp() {
    let mut world = World::new();
    let mut client = Client::over_tcp("203.0.113.7:4000");
    let relayed = client.allocate(&mut world);
    assert!(!world.listening.contains(&port_of(relayed)));
    assert_eq!(client.bind(&mut world, 0x4000, PEER).code(), 0);
    let sent = world.peer_sends(port_of(relayed), addr(PEER), b"abcde");
    assert_eq!(sent[0].bytes, [&channel_data(0x4000, b"abcde")[..], &[0; 3]].concat());
}

/// 3: over a TCP allocation there are neither channels nor indications with data.
#[test]
fn there_are_no_datagrams() {
    let (mut world, mut client, port) = allocated();
    assert_eq!(client.permit(&mut world, PEER).code(), 0);
    let answer = client.ask(&mut world, Method::CHANNEL_BIND, |w| {
        w.put(&ChannelNumber(0x4000)).put(&XorPeerAddress(addr(PEER)));
    });
    assert_eq!(answer.code(), 403);
    assert_eq!(client.send(&mut world, PEER, b"hello"), []);
    assert_eq!(world.peer_sends(port, addr(PEER), b"hello"), []);
    assert_eq!(world.drops, [DropReason::Unexpected; 2]);
}

/// RFC 8656 5: the allocation lives no longer than the client's connection.
#[test]
fn the_allocation_ends_with_its_connection() {
    let (mut world, client, _) = allocated();
    world.relay.handle_closed(world.now, client.flow);
    world.drive();
    world.assert_clean();
    let Some(Event::AllocationClosed(summary)) = world.events.last() else { panic!("a summary") };
    assert_eq!(summary.reason, EndReason::Disconnected);
}
