//! Section 11: Send and Data indications.

use relayhouse::net::PeerAddr;
use relayhouse::stun::{
    AttributeType, Class, Data, DontFragment, Method, Username, XorPeerAddress,
};
use relayhouse::turn::{DropReason, Event, Route};

use crate::machine::*;

const PEER: &str = "192.0.2.9:9999";

fn permitted() -> (World, Client, std::net::SocketAddr) {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let relayed = client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, PEER).code(), 0);
    (world, client, relayed)
}

/// 11.2: the data leaves from the relayed address, byte for byte, at every length.
#[test]
fn data_of_a_send_indication_arrives_byte_for_byte() {
    let (mut world, mut client, relayed) = permitted();
    for len in [0, 1, 2, 3, 4, 5, 1199, 1200] {
        let data: Vec<u8> = (0..len).map(|n| n as u8).collect();
        assert_eq!(client.send(&mut world, PEER, &data), [to_peer(relayed, PEER, &data)]);
    }
}

/// 11.2: an indication without peer or data, or with something required it does not understand, is
/// discarded.
#[test]
fn an_incomplete_indication_is_discarded() {
    let (mut world, mut client, _) = permitted();
    let id = client.id();
    let peer = XorPeerAddress(addr(PEER));
    let indications = [
        write(Class::Indication, Method::SEND, id, |w| {
            w.put(&peer);
        }),
        write(Class::Indication, Method::SEND, id, |w| {
            w.put(&Data(b"x"));
        }),
        write(Class::Indication, Method::SEND, id, |w| {
            w.put(&peer).put(&Data(b"x")).put_as(AttributeType(0x7777), &Username("x"));
        }),
    ];
    for bytes in &indications {
        assert!(world.client_sends(client.flow, bytes).is_empty());
    }
    assert_eq!(world.drops, [DropReason::Malformed; 3]);
}

/// 11.2: an indication on a five-tuple without an allocation is discarded.
#[test]
fn an_indication_without_an_allocation_is_discarded() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    assert!(client.send(&mut world, PEER, b"x").is_empty());
    assert_eq!(world.drops, [DropReason::NoAllocation]);
}

/// 11.2 and 14.9: DONT-FRAGMENT in a Send indication sets the bit for this packet.
#[test]
fn dont_fragment_goes_along_with_the_packet() {
    let (mut world, mut client, relayed) = permitted();
    let id = client.id();
    let bytes = write(Class::Indication, Method::SEND, id, |w| {
        w.put(&XorPeerAddress(addr(PEER))).put(&DontFragment).put(&Data(b"x"));
    });
    let sent = world.client_sends(client.flow, &bytes);
    let to = PeerAddr(addr(PEER));
    let route = Route::Peer { from: port_of(relayed), to, dont_fragment: true };
    assert_eq!(sent[0].route, route);
}

/// 11.3: data from a permitted peer without a channel arrives in a Data indication with the
/// peer's address, its padding zero.
#[test]
fn data_from_a_peer_arrives_in_an_indication() {
    let (mut world, client, relayed) = permitted();
    for len in 0..9 {
        let data = vec![0x5A; len];
        let sent = world.peer_sends(port_of(relayed), addr(PEER), &data);
        assert_eq!(sent[0].route, Route::Client(client.flow));
        let message = sent[0].message();
        assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
        assert_eq!(sent[0].get::<Data<'_>>().expect("data").0, data);
        assert_eq!(sent[0].get::<XorPeerAddress>().expect("peer").0, addr(PEER));
        let padding = len.next_multiple_of(4) - len;
        assert!(sent[0].bytes.ends_with(&vec![0; padding]));
    }
}

/// 11.3: over IPv6 likewise.
#[test]
fn indications_carry_ipv6_peers() {
    let mut world = World::new();
    let mut client = Client::at("[2001:db8:9::7]:4000");
    let answer = client.allocate_with(&mut world, |w| {
        w.put(&relayhouse::stun::RequestedAddressFamily(2));
    });
    let relayed = answer.get::<relayhouse::stun::XorRelayedAddress>().expect("relayed").0;
    let peer = "[2001:db8:5::1]:9";
    client.permit(&mut world, peer);
    assert_eq!(client.send(&mut world, peer, b"six"), [to_peer(relayed, peer, b"six")]);
    let sent = world.peer_sends(port_of(relayed), addr(peer), b"back");
    assert_eq!(sent[0].get::<XorPeerAddress>().expect("peer").0, addr(peer));
}

/// 11.3: a payload that no indication can carry is dropped, and nobody is charged for it.
#[test]
fn a_payload_too_large_for_an_indication_is_not_counted_as_relayed() {
    let (mut world, mut client, relayed) = permitted();
    assert!(world.peer_sends(port_of(relayed), addr(PEER), &vec![0; 65_520]).is_empty());
    assert_eq!(world.drops, [DropReason::TooLarge]);
    client.refresh(&mut world, 0);
    let Some(Event::AllocationClosed(summary)) = world.events.last() else { panic!("a summary") };
    assert_eq!((summary.bytes_down, summary.packets_down), (0, 0));
}
