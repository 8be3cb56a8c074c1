//! What browsers need beyond the RFC's letter; each was paid for by somebody.

use std::sync::Arc;

use relayhouse::creds::{CredentialSettings, Credentials, Secret, rest};
use relayhouse::stun::{
    Data, Lifetime, Method, Nonce, Realm, XorMappedAddress, XorPeerAddress, XorRelayedAddress,
};
use relayhouse::time::UnixTime;

use crate::machine::*;

/// Chromium gives up on a 438 to an Allocate: a nonce from a 401 is good on the next packet, on
/// any shard, after any reload.
#[test]
fn a_fresh_nonce_is_good_on_every_shard_and_after_a_reload() {
    let settings = settings();
    let shared = Arc::new(relayhouse::turn::Shared::new(&settings, [1; 32]));
    let mut one = World::shard(settings.clone(), shared.clone(), [2; 32]);
    let mut two = World::shard(settings.clone(), shared, [3; 32]);
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(&mut one);
    two.relay.configure(Arc::new(settings), Arc::new(credentials()));
    client.allocate(&mut two);
}

/// Firefox ends the allocation on any CreatePermission error but 403: a refused peer is 403 in
/// every spelling of the refusal.
#[test]
fn a_refused_peer_is_403_and_only_403() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    for peer in ["10.0.0.1:9", "127.0.0.1:9", "0.0.0.0:9", "224.0.0.1:9", "255.255.255.255:9"] {
        assert_eq!(client.permit(&mut world, peer).code(), 403, "{peer}");
        assert_eq!(client.bind(&mut world, 0x4000, peer).code(), 403, "{peer}");
    }
    assert_eq!(world.relay.allocations(), 1);
}

/// Chromium ignores a success without valid integrity: every success to an authenticated request
/// has it, and nothing in it is comprehension-required and unknown.
#[test]
fn every_success_is_signed_and_understandable() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let answers = [
        client.allocate_with(&mut world, |_| {}),
        client.refresh(&mut world, 600),
        client.permit(&mut world, "192.0.2.9:9"),
        client.bind(&mut world, 0x4000, "192.0.2.9:9"),
        client.refresh(&mut world, 0),
    ];
    for answer in &answers {
        assert_eq!(answer.code(), 0);
        assert!(answer.message().verify_sha1(&client.key()));
        assert_eq!(answer.message().unknown_required().count(), 0);
    }
    assert!(answers[0].get::<XorRelayedAddress>().is_some());
    assert!(answers[0].get::<XorMappedAddress>().is_some());
    assert!(answers[0].get::<Lifetime>().is_some());
}

/// Refresh and permissions work after the credential has expired, and after its secret is gone.
#[test]
fn an_allocation_outlives_its_credential_and_its_secret() {
    let mut world = World::new();
    let secret = Secret::from(SECRET.to_owned());
    let minted = rest::mint(&secret, "carol", UnixTime(START + 10), ':').expect("mints");
    let mut client = Client::at("203.0.113.7:4000").named(&minted.username, &minted.credential);
    client.allocate(&mut world);
    world.pass_secs(20);
    assert_eq!(client.refresh(&mut world, 600).code(), 0);
    assert_eq!(client.permit(&mut world, "192.0.2.9:9").code(), 0);
    let mut fresh = Client::at("203.0.113.7:4001").named(&minted.username, &minted.credential);
    assert_eq!(fresh.allocate_with(&mut world, |_| {}).code(), 401, "but nothing new");

    let rotated = relayhouse::creds::CredentialSettings {
        realm: REALM.into(),
        secrets: vec!["new".into()],
        users: Vec::new(),
        separator: ':',
        sha256: true,
        strict_expiry: false,
        nonce_lifetime: std::time::Duration::from_secs(3600),
        nonce_key: [7; 32],
    };
    let rotated = relayhouse::creds::Credentials::new(rotated).expect("good settings");
    world.relay.configure(Arc::new(settings()), Arc::new(rotated));
    assert_eq!(client.refresh(&mut world, 600).code(), 0);
    assert_eq!(client.bind(&mut world, 0x4000, "192.0.2.9:9").code(), 0);
}

/// A reload that renames the realm must not end what is established: the owner's key holds the old
/// realm, so a stale nonce on an allocation is answered with that one. Who is new gets the new one.
#[test]
fn a_new_realm_does_not_end_an_allocation_at_its_next_stale_nonce() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate_with(&mut world, |w| {
        w.put(&Lifetime(3600));
    });
    world.pass_secs(3000);
    assert_eq!(client.refresh(&mut world, 3600).code(), 0);
    let mut renamed = CredentialSettings::new("renamed.test", [7; 32]);
    renamed.users = vec![("alice".into(), Secret::from("wonder"))];
    let renamed = Credentials::new(renamed).expect("good settings");
    world.relay.configure(Arc::new(settings()), Arc::new(renamed));
    world.pass_secs(700);
    let stale = client.refresh(&mut world, 3600);
    assert_eq!(stale.code(), 438);
    assert_eq!(stale.get::<Realm<'_>>().expect("a realm").0, REALM);
    client.nonce = stale.get::<Nonce<'_>>().expect("a nonce").0.to_vec();
    assert_eq!(client.refresh(&mut world, 3600).code(), 0);

    for remote in ["203.0.113.7:4000", "203.0.113.8:4000"] {
        let request = Client::at(remote).bare(Method::ALLOCATE, |_| {});
        let challenge = Client::at(remote).exchange(&mut world, &request);
        assert_eq!(challenge.get::<Realm<'_>>().expect("a realm").0, "renamed.test");
    }
}

/// Both ends relayed is the common case: a relayed address is a peer of another allocation here.
#[test]
fn two_allocations_of_this_server_reach_each_other() {
    let mut world = World::new();
    let mut alice = Client::at("203.0.113.7:4000");
    let mut bob = Client::at("203.0.113.8:4000").named("bob", "builder");
    let (at_alice, at_bob) = (alice.allocate(&mut world), bob.allocate(&mut world));
    assert_eq!(alice.permit(&mut world, &at_bob.to_string()).code(), 0);
    assert_eq!(bob.permit(&mut world, &at_alice.to_string()).code(), 0);
    let sent = alice.send(&mut world, &at_bob.to_string(), b"hello");
    assert_eq!(sent, [to_peer(at_alice, &at_bob.to_string(), b"hello")]);
    let arrived = world.peer_sends(port_of(at_bob), at_alice, b"hello");
    assert_eq!(arrived[0].get::<Data<'_>>().expect("data").0, b"hello");
    assert_eq!(arrived[0].get::<XorPeerAddress>().expect("peer").0, at_alice);
}

/// Behind a 1:1 NAT both ends know the public name; packets never leave the host, and each sees
/// the name it knows.
#[test]
fn relayed_peers_behind_a_nat_are_mapped_in_and_out() {
    let mut world = World::with(|settings| {
        settings.relay_addresses[0].local = ip("10.0.0.5");
        settings.own_addresses = vec![ip("10.0.0.5")];
    });
    let mut alice = Client::at("203.0.113.7:4000");
    let mut bob = Client::at("203.0.113.8:4000").named("bob", "builder");
    let (at_alice, at_bob) = (alice.allocate(&mut world), bob.allocate(&mut world));
    assert_eq!(at_alice.ip(), ip("198.51.100.1"));
    alice.permit(&mut world, &at_bob.to_string());
    bob.permit(&mut world, &at_alice.to_string());
    let inside = format!("10.0.0.5:{}", at_bob.port());
    let sent = alice.send(&mut world, &at_bob.to_string(), b"hello");
    assert_eq!(sent, [to_peer(at_alice, &inside, b"hello")]);
    let from = addr(&format!("10.0.0.5:{}", at_alice.port()));
    let arrived = world.peer_sends(port_of(at_bob), from, b"hello");
    assert_eq!(arrived[0].get::<XorPeerAddress>().expect("peer").0, at_alice);
    assert_eq!(bob.bind(&mut world, 0x4000, &at_alice.to_string()).code(), 0);
    let arrived = world.peer_sends(port_of(at_bob), from, b"hello");
    assert_eq!(arrived[0].bytes, channel_data(0x4000, b"hello"));
}

/// Without REQUESTED-ADDRESS-FAMILY the relay is IPv4; a host with IPv6 alone gives that.
#[test]
fn the_family_nobody_asked_for_is_ipv4_unless_there_is_none() {
    let mut world = World::new();
    assert!(Client::at("[2001:db8:9::7]:4000").allocate(&mut world).is_ipv4());
    let mut world = World::with(|settings| {
        settings.relay_addresses.remove(0);
    });
    assert!(Client::at("[2001:db8:9::7]:4000").allocate(&mut world).is_ipv6());
}

/// Firefox binds no channels: indications alone carry a call.
#[test]
fn a_call_works_without_channels() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let relayed = client.allocate(&mut world);
    client.permit(&mut world, "192.0.2.9:9");
    for n in 0..100u8 {
        assert_eq!(client.send(&mut world, "192.0.2.9:9", &[n]).len(), 1);
        assert_eq!(world.peer_sends(port_of(relayed), addr("192.0.2.9:9"), &[n]).len(), 1);
    }
    let numbers = world.relay.counters().snapshot();
    assert_eq!((numbers.packets_up, numbers.packets_down), (100, 100));
    assert_eq!((numbers.bytes_up, numbers.bytes_down), (100, 100));
}
