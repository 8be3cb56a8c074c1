//! Section 5.2: receiving a Connect request.

use relayhouse::net::PeerAddr;
use relayhouse::stun::{Class, Method, XorPeerAddress};

use crate::machine::*;
use crate::{PEER, allocated};

/// 5.2: the connection leaves from the relayed address, and the answer carries CONNECTION-ID.
#[test]
fn a_connect_leaves_from_the_relayed_address() {
    let (mut world, mut client, port) = allocated();
    let id = client.connected(&mut world, PEER);
    let tie = world.connections[&id];
    assert_eq!(tie, Tie::Open { from: port, to: PeerAddr(addr(PEER)) });
}

/// RFC 8489 9.2: the answer to an authenticated request is protected, though it had to wait.
#[test]
fn the_answer_is_protected_and_repeats_the_request() {
    for peers in [Peers::Accept, Peers::Refuse] {
        let (mut world, mut client, _) = allocated();
        world.peers = peers;
        let id = client.id();
        let request = client.request_with_id(Method::CONNECT, id, |w| {
            w.put(&XorPeerAddress(addr(PEER)));
        });
        let answer = client.exchange(&mut world, &request);
        let message = answer.message();
        assert_eq!((message.method(), message.transaction_id()), (Method::CONNECT, id));
        assert!(message.verify_sha1(&client.key()));
    }
}

/// 5.2: without an allocation it is 437.
#[test]
fn a_connect_without_an_allocation_is_437() {
    let mut world = World::new();
    let mut client = Client::over_tcp("203.0.113.7:4000");
    client.greet(&mut world);
    assert_eq!(client.connect(&mut world, PEER).code(), 437);
}

/// An allocation that relays UDP has no connections.
#[test]
fn a_connect_on_a_udp_allocation_is_403() {
    let mut world = World::new();
    let mut client = Client::over_tcp("203.0.113.7:4000");
    client.allocate(&mut world);
    assert_eq!(client.connect(&mut world, PEER).code(), 403);
}

/// 5.2: while another Connect to the same peer is being processed, 446.
#[test]
fn a_second_connect_while_the_first_is_processed_is_446() {
    let (mut world, mut client, _) = allocated();
    world.peers = Peers::SayNothing;
    client.connect_in_vain(&mut world, PEER);
    assert_eq!(client.connect(&mut world, PEER).code(), 446);
}

/// 5.2: while a connection to the same peer is pending or active, 446; another port is another peer.
#[test]
fn a_second_connection_to_a_peer_is_446() {
    let (mut world, mut client, _) = allocated();
    let id = client.connected(&mut world, PEER);
    assert_eq!(client.connect(&mut world, PEER).code(), 446);
    let mut data = client.second_connection("203.0.113.7:4001");
    assert_eq!(data.bind_connection(&mut world, id).code(), 0);
    assert_eq!(client.connect(&mut world, PEER).code(), 446);
    client.connected(&mut world, "192.0.2.9:9001");
}

/// 5.2: when the connection before has ended, there may be another.
#[test]
fn a_peer_can_be_connected_to_again() {
    let (mut world, mut client, _) = allocated();
    let first = client.connected(&mut world, PEER);
    world.connection_ends(first);
    let second = client.connected(&mut world, PEER);
    assert_ne!(first, second);
}

/// 5.2: no XOR-PEER-ADDRESS is 400.
#[test]
fn a_connect_to_nobody_is_400() {
    let (mut world, mut client, _) = allocated();
    assert_eq!(client.ask(&mut world, Method::CONNECT, |_| {}).code(), 400);
}

/// RFC 6156: a peer of the other family is 443.
#[test]
fn a_peer_of_the_other_family_is_443() {
    let (mut world, mut client, _) = allocated();
    assert_eq!(client.connect(&mut world, "[2001:db8:9::1]:80").code(), 443);
}

/// 5.2: a peer that cannot be reached is 447.
#[test]
fn a_peer_that_refuses_is_447() {
    let (mut world, mut client, _) = allocated();
    world.peers = Peers::Refuse;
    assert_eq!(client.connect(&mut world, PEER).code(), 447);
    world.peers = Peers::Accept;
    client.connected(&mut world, PEER);
}

/// 5.2: a peer that does not answer is 447, but not before 30 s.
#[test]
fn a_peer_that_says_nothing_is_447_after_half_a_minute() {
    let (mut world, mut client, _) = allocated();
    world.peers = Peers::SayNothing;
    client.connect_in_vain(&mut world, PEER);
    assert_eq!(world.pass_secs(29), []);
    let sent = world.pass_secs(2);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].code(), 447);
    assert!(world.connections.is_empty(), "given up");
}

/// 5.2: a connection that nobody binds is closed after 30 s.
#[test]
fn a_connection_that_is_not_bound_is_closed_after_half_a_minute() {
    let (mut world, mut client, _) = allocated();
    client.connected(&mut world, PEER);
    world.pass_secs(29);
    assert_eq!(world.connections.len(), 1);
    assert_eq!(world.pass_secs(2), []);
    assert!(world.connections.is_empty());
    client.connected(&mut world, PEER);
}

/// The peer hangs up before it is bound.
#[test]
fn a_connection_that_ends_while_it_waits_is_forgotten() {
    let (mut world, mut client, _) = allocated();
    let id = client.connected(&mut world, PEER);
    assert_eq!(world.connection_ends(id), []);
    assert!(world.connections.is_empty());
    let mut data = client.second_connection("203.0.113.7:4001");
    assert_eq!(data.bind_connection(&mut world, id).code(), 400);
}

/// A Connect asks for no permission, and gives none.
#[test]
fn a_connect_is_no_permission() {
    let (mut world, mut client, port) = allocated();
    client.connected(&mut world, PEER);
    assert_eq!(world.peer_connects(port, "192.0.2.9:9001").0, None);
}

/// RFC 8656 7.2: an expired credential goes on serving what it opened.
#[test]
fn a_connect_works_after_the_credential_has_expired() {
    let mut world = World::new();
    let minted = minted(60);
    let mut client =
        Client::over_tcp("203.0.113.7:4000").named(&minted.username, &minted.credential);
    client.allocate_tcp(&mut world);
    world.pass_secs(120);
    let id = client.connected(&mut world, PEER);
    let mut data = client.second_connection("203.0.113.7:4001");
    let answer = data.bind_connection(&mut world, id);
    assert_eq!(answer.message().class(), Class::Success);
}

fn minted(seconds: u64) -> relayhouse::creds::rest::Minted {
    use relayhouse::{creds, time::UnixTime};
    let secret = creds::Secret::from(SECRET.to_owned());
    creds::rest::mint(&secret, "carol", UnixTime(START + seconds), ':').expect("mints")
}
