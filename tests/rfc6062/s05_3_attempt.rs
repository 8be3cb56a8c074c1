//! Section 5.3: receiving a TCP connection on a relayed transport address.

use relayhouse::stun::{Class, Method, XorPeerAddress};
use relayhouse::turn::{DropReason, Route};

use crate::machine::*;
use crate::{PEER, allocated};

/// 5.3: a peer without a permission is hung up on, and nobody is told.
#[test]
fn a_peer_without_a_permission_is_closed() {
    let (mut world, _, port) = allocated();
    assert_eq!(world.peer_connects(port, PEER), (None, vec![]));
    let drops = world.relay.counters().snapshot().drops;
    assert!(drops.contains(&(DropReason::NoPermission, 1)));
}

/// 5.3: a permission that has run out is none.
#[test]
fn a_peer_whose_permission_has_expired_is_closed() {
    let (mut world, mut client, port) = allocated();
    client.permit(&mut world, PEER);
    world.pass_secs(301);
    assert_eq!(world.peer_connects(port, PEER).0, None);
}

/// 5.3: the client is told who has connected, and by which CONNECTION-ID to bind it.
#[test]
fn a_permitted_peer_is_announced() {
    let (mut world, mut client, port) = allocated();
    client.permit(&mut world, "192.0.2.9:1");
    let (kept, sent) = world.peer_connects(port, PEER);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].route, Route::Client(client.flow));
    let message = sent[0].message();
    let header = (message.class(), message.method());
    assert_eq!(header, (Class::Indication, Method::CONNECTION_ATTEMPT));
    assert_eq!(sent[0].get::<XorPeerAddress>().expect("the peer").0, addr(PEER));
    assert_eq!(Some(named(&sent[0])), kept);
}

/// 5.3: a connection that nobody binds is closed after 30 s.
#[test]
fn an_attempt_that_is_not_bound_is_closed_after_half_a_minute() {
    let (mut world, mut client, port) = allocated();
    client.permit(&mut world, PEER);
    world.peer_connects(port, PEER);
    world.pass_secs(29);
    assert_eq!(world.connections.len(), 1);
    world.pass_secs(2);
    assert!(world.connections.is_empty());
}

/// The same peer from the same port again: what was before is dead.
#[test]
fn a_peer_that_comes_again_replaces_itself() {
    let (mut world, mut client, port) = allocated();
    client.permit(&mut world, PEER);
    let (first, _) = world.peer_connects(port, PEER);
    let (second, _) = world.peer_connects(port, PEER);
    assert_ne!(first, second);
    assert_eq!(world.connections.keys().copied().collect::<Vec<_>>(), [second.expect("kept")]);
}

/// A peer behind its own relay here is announced by the name it was told, not by our inner one.
#[test]
fn a_relayed_peer_is_announced_by_its_public_name() {
    let mut world = World::with(|settings| {
        settings.relay_addresses[0].local = ip("10.0.0.5");
        settings.own_addresses.push(ip("10.0.0.5"));
    });
    let mut one = Client::over_tcp("203.0.113.7:4000");
    let mut two = Client::over_tcp("203.0.113.8:4000");
    let (here, there) = (one.allocate_tcp(&mut world), two.allocate_tcp(&mut world));
    assert_eq!(one.permit(&mut world, &there.to_string()).code(), 0);
    let inner = format!("10.0.0.5:{}", there.port());
    let (kept, sent) = world.peer_connects(port_of(here), &inner);
    assert!(kept.is_some());
    assert_eq!(sent[0].get::<XorPeerAddress>().expect("the peer").0, there);
    let (kept, _) = world.peer_connects(port_of(here), "10.0.0.5:22");
    assert_eq!(kept, None, "no relay lives on that port");
}
