//! Sections 9 and 10: Permissions and CreatePermission.

use relayhouse::stun::{Method, XorPeerAddress};
use relayhouse::turn::DropReason;

use crate::machine::*;

const PEER: &str = "192.0.2.9:9999";

fn allocated() -> (World, Client, std::net::SocketAddr) {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let relayed = client.allocate(&mut world);
    (world, client, relayed)
}

/// 9: data passes between client and peer only with a permission for the peer's address; the port
/// does not matter.
#[test]
fn data_passes_only_with_a_permission_for_the_address() {
    let (mut world, mut client, relayed) = allocated();
    assert!(client.send(&mut world, PEER, b"early").is_empty());
    assert!(world.peer_sends(port_of(relayed), addr(PEER), b"early").is_empty());
    assert_eq!(world.drops, [DropReason::NoPermission; 2]);
    assert_eq!(client.permit(&mut world, "192.0.2.9:1").code(), 0);
    assert_eq!(client.send(&mut world, PEER, b"hello"), [to_peer(relayed, PEER, b"hello")]);
    assert_eq!(world.peer_sends(port_of(relayed), addr(PEER), b"hello").len(), 1);
    assert!(world.peer_sends(port_of(relayed), addr("192.0.2.10:9999"), b"no").is_empty());
}

/// 9: a permission lasts 300 seconds and is refreshed only by CreatePermission and ChannelBind.
#[test]
fn a_permission_lasts_five_minutes_whatever_data_passes() {
    let (mut world, mut client, relayed) = allocated();
    client.permit(&mut world, PEER);
    world.pass_secs(299);
    assert_eq!(client.send(&mut world, PEER, b"x").len(), 1);
    world.pass_secs(1);
    assert!(client.send(&mut world, PEER, b"x").is_empty());
    assert!(world.peer_sends(port_of(relayed), addr(PEER), b"x").is_empty());
    client.permit(&mut world, PEER);
    assert_eq!(client.send(&mut world, PEER, b"x").len(), 1);
}

/// 10.2: at least one XOR-PEER-ADDRESS, else 400.
#[test]
fn a_request_without_a_peer_is_a_bad_request() {
    let (mut world, mut client, _) = allocated();
    assert_eq!(client.ask(&mut world, Method::CREATE_PERMISSION, |_| {}).code(), 400);
}

/// 10.2: a peer of another family than the relayed address is 443.
#[test]
fn a_peer_of_the_other_family_is_443() {
    let (mut world, mut client, _) = allocated();
    assert_eq!(client.permit(&mut world, "[2001:db8:5::1]:9").code(), 443);
}

/// 10.2: a peer the policy refuses is 403, and then none of the request's peers is permitted.
#[test]
fn one_refused_peer_refuses_the_whole_request() {
    let (mut world, mut client, _) = allocated();
    let answer = client.ask(&mut world, Method::CREATE_PERMISSION, |w| {
        w.put(&XorPeerAddress(addr(PEER))).put(&XorPeerAddress(addr("10.1.2.3:9")));
    });
    assert_eq!(answer.code(), 403);
    assert!(answer.message().verify_sha1(&client.key()));
    assert!(client.send(&mut world, PEER, b"x").is_empty());
}

/// 10.2: one request may name several peers.
#[test]
fn one_request_permits_several_peers() {
    let (mut world, mut client, _) = allocated();
    let answer = client.ask(&mut world, Method::CREATE_PERMISSION, |w| {
        w.put(&XorPeerAddress(addr(PEER))).put(&XorPeerAddress(addr("192.0.2.10:9")));
    });
    assert_eq!(answer.code(), 0);
    assert_eq!(client.send(&mut world, PEER, b"x").len(), 1);
    assert_eq!(client.send(&mut world, "192.0.2.10:77", b"x").len(), 1);
}

/// 10.2: a server that cannot hold another permission says 508; what has run out makes room.
#[test]
fn the_number_of_permissions_is_bounded() {
    let mut world = World::with(|settings| settings.limits.permissions_per_allocation = 3);
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    for host in 1..=3 {
        assert_eq!(client.permit(&mut world, &format!("192.0.2.{host}:9")).code(), 0);
    }
    assert_eq!(client.permit(&mut world, "192.0.2.4:9").code(), 508);
    assert_eq!(client.permit(&mut world, "192.0.2.3:9").code(), 0, "a refresh needs no room");
    world.pass_secs(299);
    client.permit(&mut world, "192.0.2.3:9");
    world.pass_secs(2);
    assert_eq!(client.permit(&mut world, "192.0.2.4:9").code(), 0);
}

fn permit_hosts(
    world: &mut World,
    client: &mut Client,
    hosts: std::ops::RangeInclusive<u8>,
) -> u16 {
    let answer = client.ask(world, Method::CREATE_PERMISSION, |w| {
        for host in hosts {
            w.put(&XorPeerAddress(addr(&format!("192.0.2.{host}:9"))));
        }
    });
    answer.code()
}

/// 10.2: the bound holds too where some of a request's peers are known, but have run out.
#[test]
fn peers_that_have_run_out_do_not_smuggle_others_over_the_bound() {
    let mut world = World::with(|settings| settings.limits.permissions_per_allocation = 3);
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    world.pass_secs(10);
    assert_eq!(permit_hosts(&mut world, &mut client, 1..=3), 0);
    world.pass_secs(301);
    assert_eq!(permit_hosts(&mut world, &mut client, 1..=6), 508);
    assert_eq!(permit_hosts(&mut world, &mut client, 4..=6), 0);
}

/// 10.2: one peer named many times, by whatever ports, is one permission.
#[test]
fn a_peer_named_many_times_needs_one_permission() {
    let mut world = World::with(|settings| settings.limits.permissions_per_allocation = 2);
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    let answer = client.ask(&mut world, Method::CREATE_PERMISSION, |w| {
        for port in 1..=100 {
            w.put(&XorPeerAddress(addr(&format!("192.0.2.1:{port}"))));
        }
    });
    assert_eq!(answer.code(), 0);
    assert_eq!(permit_hosts(&mut world, &mut client, 2..=2), 0);
    assert_eq!(permit_hosts(&mut world, &mut client, 3..=3), 508);
}

/// What is established keeps what it was given: a bound lowered by a reload refuses new peers, and
/// lets those there are be refreshed.
#[test]
fn a_lowered_bound_does_not_end_permissions() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    assert_eq!(permit_hosts(&mut world, &mut client, 1..=3), 0);
    let mut lowered = settings();
    lowered.limits.permissions_per_allocation = 2;
    world.relay.configure(lowered.into(), credentials().into());
    assert_eq!(permit_hosts(&mut world, &mut client, 1..=3), 0);
    assert_eq!(permit_hosts(&mut world, &mut client, 4..=4), 508);
}
