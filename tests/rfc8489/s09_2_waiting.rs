//! Section 9.2.4, the answer: also one that had to wait, or that sends away, is protected as the
//! request was.

use relayhouse::stun::{
    ConnectionId as ConnectionIdAttribute, Method, RequestedTransport, XorPeerAddress,
};

use crate::machine::*;
use crate::modern::Modern;

fn assert_sha256(answer: &Sent, code: u16, modern: &Modern) {
    assert_eq!(answer.code(), code);
    let message = answer.message();
    assert!(message.verify_sha256(&modern.key()) && !message.has_integrity());
}

/// 9.2.4: a Connect is answered when the peer has accepted, or has not.
#[test]
fn a_connect_signed_with_sha256_is_answered_with_sha256() {
    let mut world = World::new();
    let mut modern = Modern::of(&mut world, Client::over_tcp("203.0.113.7:4000"));
    let answer = modern.ask(&mut world, Method::ALLOCATE, |w| {
        w.put(&RequestedTransport(6));
    });
    assert_sha256(&answer, 0, &modern);
    let connect = |modern: &mut Modern, world: &mut World, peer: &str| {
        modern.ask(world, Method::CONNECT, |w| {
            w.put(&XorPeerAddress(addr(peer)));
        })
    };
    let connected = connect(&mut modern, &mut world, "192.0.2.9:1");
    assert_sha256(&connected, 0, &modern);
    world.peers = Peers::Refuse;
    let refused = connect(&mut modern, &mut world, "192.0.2.9:2");
    assert_sha256(&refused, 447, &modern);

    let second = modern.client.second_connection("203.0.113.7:4001");
    let mut data = Modern { client: second, anonymous: true };
    let bound = data.ask(&mut world, Method::CONNECTION_BIND, |w| {
        w.put(&ConnectionIdAttribute(named(&connected).0));
    });
    assert_sha256(&bound, 0, &modern);
}

/// 9.2.4 and 10: so is the 300 that names another server.
#[test]
fn an_alternate_server_is_named_under_sha256() {
    let mut world = World::with(|settings| {
        settings.draining = true;
        settings.alternate = vec![addr("192.0.2.50:3478")];
    });
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let answer = modern.allocate(&mut world);
    assert_sha256(&answer, 300, &modern);
}
