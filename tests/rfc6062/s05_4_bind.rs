//! Section 5.4: receiving a ConnectionBind request.

use std::sync::Arc;

use relayhouse::stun::{Class, ConnectionId as ConnectionIdAttribute, Method, Nonce};
use relayhouse::turn::{ConnectionId, Shared};

use crate::machine::*;
use crate::{PEER, allocated};

const DATA: &str = "203.0.113.7:4001";

/// 5.4: both connections become one; the answer is protected with the owner's key.
#[test]
fn a_connect_is_bound_to_the_clients_second_connection() {
    let (mut world, mut client, _) = allocated();
    let id = client.connected(&mut world, PEER);
    let mut data = client.second_connection(DATA);
    let answer = data.bind_connection(&mut world, id);
    assert_eq!(answer.message().class(), Class::Success);
    assert!(answer.message().verify_sha1(&client.key()));
    assert_eq!(world.connections[&id], Tie::Spliced(data.flow));
    world.pass_secs(120);
    assert_eq!(world.connections.len(), 1, "as long as the allocation");
}

/// 5.4: an announced connection is bound in the same way.
#[test]
fn an_attempt_is_bound_too() {
    let (mut world, mut client, port) = allocated();
    client.permit(&mut world, PEER);
    let (id, _) = world.peer_connects(port, PEER);
    let mut data = client.second_connection(DATA);
    assert_eq!(data.bind_connection(&mut world, id.expect("kept")).code(), 0);
    assert_eq!(world.connections[&id.expect("kept")], Tie::Spliced(data.flow));
}

/// 5.4: over UDP it is 400.
#[test]
fn a_bind_over_udp_is_400() {
    let (mut world, mut client, _) = allocated();
    let id = client.connected(&mut world, PEER);
    let mut data = client.second_connection(DATA);
    data.flow.transport = relayhouse::net::Transport::Udp;
    assert_eq!(data.bind_connection(&mut world, id).code(), 400);
    assert!(matches!(world.connections[&id], Tie::Open { .. }));
}

/// 5.4: CONNECTION-ID missing, unknown, still connecting or bound already is 400.
#[test]
fn a_bind_to_nothing_that_waits_is_400() {
    let (mut world, mut client, _) = allocated();
    let id = client.connected(&mut world, PEER);
    let mut data = client.second_connection(DATA);
    assert_eq!(data.ask(&mut world, Method::CONNECTION_BIND, |_| {}).code(), 400);
    assert_eq!(data.bind_connection(&mut world, ConnectionId(id.0 ^ 1)).code(), 400);
    assert_eq!(data.bind_connection(&mut world, id).code(), 0);
    let mut other = client.second_connection("203.0.113.7:4002");
    assert_eq!(other.bind_connection(&mut world, id).code(), 400);
    world.hold = true;
    client.connect_in_vain(&mut world, "192.0.2.9:9001");
    let pending = *world.connections.keys().find(|other| **other != id).expect("connecting");
    assert_eq!(other.bind_connection(&mut world, pending).code(), 400);
}

/// A control connection is not also a data connection.
#[test]
fn a_bind_on_a_connection_with_an_allocation_is_400() {
    let (mut world, mut client, _) = allocated();
    let id = client.connected(&mut world, PEER);
    assert_eq!(client.bind_connection(&mut world, id).code(), 400);
    assert_eq!(world.relay.allocations(), 1);
}

/// 5.4 and RFC 8489 9.2: whoever binds has to prove who it is, and is challenged first.
#[test]
fn a_bind_without_credentials_is_challenged() {
    let (mut world, mut client, _) = allocated();
    let id = client.connected(&mut world, PEER);
    let mut data = client.second_connection(DATA);
    let bare = data.bare(Method::CONNECTION_BIND, |w| {
        w.put(&ConnectionIdAttribute(id.0));
    });
    let answer = data.exchange(&mut world, &bare);
    assert_eq!(answer.code(), 401);
    data.nonce = answer.get::<Nonce<'_>>().expect("a nonce").0.to_vec();
    assert_eq!(data.bind_connection(&mut world, id).code(), 0);
}

/// 5.4: the connection is its owner's alone.
#[test]
fn another_user_cannot_bind_it() {
    let (mut world, mut client, _) = allocated();
    let id = client.connected(&mut world, PEER);
    let mut thief = Client::over_tcp("203.0.113.66:4000").named("bob", "builder");
    thief.greet(&mut world);
    assert_eq!(thief.bind_connection(&mut world, id).code(), 441);
    let mut liar = client.second_connection("203.0.113.66:4000").named("alice", "guessed");
    liar.greet(&mut world);
    assert_eq!(liar.bind_connection(&mut world, id).code(), 401);
    assert!(matches!(world.connections[&id], Tie::Open { .. }));
}

/// The kernel gives the second connection to any shard: the one that has the other half is named.
#[test]
fn a_bind_for_another_shards_connection_goes_there_unchanged() {
    let shared = Arc::new(Shared::new(&settings(), [1; 32]));
    let mut one = World::numbered(settings(), shared.clone(), [2; 32], 0);
    let mut two = World::numbered(settings(), shared, [3; 32], 1);
    let mut client = Client::over_tcp("203.0.113.7:4000");
    client.allocate_tcp(&mut two);
    let id = client.connected(&mut two, PEER);
    assert_eq!(id.shard(), 1);
    let mut data = client.second_connection(DATA);
    let request = data.request(Method::CONNECTION_BIND, |w| {
        w.put(&ConnectionIdAttribute(id.0));
    });
    assert_eq!(one.client_sends(data.flow, &request), []);
    assert_eq!(one.elsewhere, [1]);
    assert_eq!(data.exchange(&mut two, &request).code(), 0);
    assert_eq!(two.connections[&id], Tie::Spliced(data.flow));
}

/// Only what claims to be signed is worth moving, and only to a shard that exists.
#[test]
fn a_bind_is_not_moved_without_reason() {
    let (mut world, mut client, _) = allocated();
    let strange = ConnectionId(0x0500_0001);
    let mut data = client.second_connection(DATA);
    assert_eq!(data.bind_connection(&mut world, strange).code(), 400);
    let bare = client.bare(Method::CONNECTION_BIND, |w| {
        w.put(&ConnectionIdAttribute(strange.0));
    });
    assert_eq!(data.exchange(&mut world, &bare).code(), 401);
    assert!(world.elsewhere.is_empty());
}
