//! Sections 11.5 and 11.6: ICMP errors about relayed datagrams reach the client.

use relayhouse::net::{PeerAddr, RelayPort};
use relayhouse::stun::{AttributeType, Class, Icmp, Method, XorPeerAddress};
use relayhouse::turn::{DropReason, Route, Verdict};

use crate::machine::*;

const PEER: &str = "192.0.2.9:9";

fn permitted(client: &str, peer: &str) -> (World, Client, RelayPort) {
    let mut world = World::new();
    let mut client = Client::at(client);
    let answer = client.allocate_with(&mut world, |w| {
        w.put(&relayhouse::stun::RequestedAddressFamily(if peer.starts_with('[') { 2 } else { 1 }));
    });
    let relayed = answer.get::<relayhouse::stun::XorRelayedAddress>().expect("an address").0;
    assert_eq!(client.permit(&mut world, peer).code(), 0);
    (world, client, port_of(relayed))
}

fn icmp(world: &mut World, port: RelayPort, peer: &str, told: (u8, u8, u32)) -> Vec<Sent> {
    let (kind, code, data) = told;
    let peer = PeerAddr(addr(peer));
    match world.relay.handle_icmp(world.now, port, peer, Icmp { kind, code, data }) {
        Verdict::Taken => world.drive(),
        Verdict::Drop(reason) => {
            world.drops.push(reason);
            Vec::new()
        }
        other => panic!("an ICMP error is nothing to forward: {other:?}"),
    }
}

/// 11.5: a Data indication with XOR-PEER-ADDRESS and ICMP, and without DATA.
#[test]
fn the_client_is_told_which_peer_and_what() {
    let (mut world, client, port) = permitted("203.0.113.7:4000", PEER);
    let sent = icmp(&mut world, port, PEER, (3, 3, 0));
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].route, Route::Client(client.flow));
    let message = sent[0].message();
    assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
    assert!(!message.has(AttributeType::DATA));
    assert_eq!(sent[0].get::<XorPeerAddress>().expect("the peer").0, addr(PEER));
    assert_eq!(sent[0].get::<Icmp>(), Some(Icmp { kind: 3, code: 3, data: 0 }));
}

/// 11.5: over IPv4 types 3 and 11 are told, over IPv6 types 1, 2 and 3, and no others.
#[test]
fn errors_are_told_and_nothing_else() {
    for (client, peer, told) in [
        ("203.0.113.7:4000", PEER, &[3, 11][..]),
        ("[2001:db8:9::7]:4000", "[2001:db8:5::1]:9", &[1, 2, 3]),
    ] {
        let (mut world, _, port) = permitted(client, peer);
        let heard = (0..=255).filter(|kind| {
            let sent = icmp(&mut world, port, peer, (*kind, 0, 0));
            sent.iter().any(|sent| sent.get::<Icmp>().is_some_and(|icmp| icmp.kind == *kind))
        });
        assert_eq!(heard.collect::<Vec<_>>(), told);
        assert!(world.drops.iter().all(|reason| *reason == DropReason::Unexpected));
    }
}

/// 18.13: the MTU goes along in "fragmentation needed" and "packet too big", else there is zero.
#[test]
fn only_an_mtu_goes_along() {
    for (client, peer, told, data) in [
        ("203.0.113.7:4000", PEER, (3, 4), 1400),
        ("203.0.113.7:4000", PEER, (3, 1), 0),
        ("[2001:db8:9::7]:4000", "[2001:db8:5::1]:9", (2, 0), 1400),
        ("[2001:db8:9::7]:4000", "[2001:db8:5::1]:9", (1, 4), 0),
    ] {
        let (mut world, _, port) = permitted(client, peer);
        let sent = icmp(&mut world, port, peer, (told.0, told.1, 1400));
        assert_eq!(sent[0].get::<Icmp>().expect("ICMP").data, data, "{told:?}");
    }
}

/// 11.5: of a peer without a permission, or of nobody's port, nothing is said.
#[test]
fn nothing_is_said_of_others() {
    let (mut world, _, port) = permitted("203.0.113.7:4000", PEER);
    assert_eq!(icmp(&mut world, port, "192.0.2.10:9", (3, 3, 0)), []);
    let nobodys = RelayPort { port: port.port ^ 1, ..port };
    assert_eq!(icmp(&mut world, nobodys, PEER, (3, 3, 0)), []);
    world.pass_secs(301);
    assert_eq!(icmp(&mut world, port, PEER, (3, 3, 0)), []);
    assert_eq!(
        world.drops,
        [DropReason::NoPermission, DropReason::NoAllocation, DropReason::NoPermission]
    );
}

/// 11.6 is the client's; ours is never to queue without bound what others provoke.
#[test]
fn a_flood_of_errors_is_bounded() {
    let (mut world, _, port) = permitted("203.0.113.7:4000", PEER);
    for _ in 0..10_000 {
        let icmp = Icmp { kind: 3, code: 3, data: 0 };
        let _ = world.relay.handle_icmp(world.now, port, PeerAddr(addr(PEER)), icmp);
    }
    assert!(world.drive().len() <= 1024);
    let drops = world.relay.counters().snapshot().drops;
    assert!(drops.iter().any(|(reason, n)| *reason == DropReason::Overloaded && *n > 0));
}
