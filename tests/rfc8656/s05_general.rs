//! Section 5: General behaviour, with the parts of RFC 8489 it builds on.

use relayhouse::stun::{
    AttributeType, Class, Method, Nonce, Realm, RequestedTransport, TransactionId,
    UnknownAttributes, Username, XorMappedAddress,
};
use relayhouse::turn::DropReason;

use crate::machine::*;

/// RFC 8489 7: a Binding request is answered unauthenticated, with the address it came from.
#[test]
fn a_binding_request_is_answered_with_its_source() {
    let mut world = World::new();
    for remote in ["203.0.113.7:4000", "[2001:db8:9::7]:4000"] {
        let mut client = Client::at(remote);
        let request = client.bare(Method::BINDING, |_| {});
        let answer = client.exchange(&mut world, &request);
        assert_eq!(answer.get::<XorMappedAddress>().expect("mapped").0, addr(remote));
        assert!(!answer.message().has_fingerprint(), "nobody asked for one");
    }
}

/// RFC 8489 7: FINGERPRINT is never required, and echoed where it was sent.
#[test]
fn fingerprint_is_echoed() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let request = client.bare(Method::BINDING, |w| {
        w.fingerprint();
    });
    assert!(client.exchange(&mut world, &request).message().has_fingerprint());
}

/// RFC 8489 6.3.1: a comprehension-required attribute that is not known is answered with 420,
/// which names it.
#[test]
fn an_unknown_required_attribute_is_420_and_named() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let strange = AttributeType(0x7777);
    let request = client.bare(Method::BINDING, |w| {
        w.put_as(strange, &Username("x"));
    });
    let answer = client.exchange(&mut world, &request);
    assert_eq!(answer.code(), 420);
    let unknown = answer.get::<UnknownAttributes<'_>>().expect("a list");
    assert_eq!(unknown.iter().collect::<Vec<_>>(), [strange]);

    client.greet(&mut world);
    let answer = client.allocate_with(&mut world, |w| {
        w.put_as(strange, &Username("x"));
    });
    assert_eq!(answer.code(), 420);
    assert!(answer.message().verify_sha1(&client.key()));
    world.assert_clean();
}

/// RFC 8489 6.3.1: a comprehension-optional attribute that is not known changes nothing.
#[test]
fn an_unknown_optional_attribute_is_ignored() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let answer = client.allocate_with(&mut world, |w| {
        w.put_as(AttributeType(0xC777), &Username("x"));
    });
    assert_eq!(answer.code(), 0);
}

/// RFC 8489 6.3: responses, and methods nobody implements, are discarded in silence.
#[test]
fn what_a_server_has_no_use_for_is_discarded() {
    let mut world = World::new();
    let flow = Client::at("203.0.113.7:4000").flow;
    let id = TransactionId([1; 12]);
    for (class, method) in [
        (Class::Success, Method::BINDING),
        (Class::Error, Method::ALLOCATE),
        (Class::Request, Method(0x0FF)),
        (Class::Indication, Method::ALLOCATE),
        (Class::Indication, Method::DATA),
    ] {
        let bytes = write(class, method, id, |_| {});
        assert!(world.client_sends(flow, &bytes).is_empty(), "{class:?} {method:?}");
    }
    assert_eq!(world.drops, [DropReason::Unexpected; 5]);
}

/// RFC 8489 6.3.2: a Binding indication keeps a mapping alive and is not answered.
#[test]
fn a_binding_indication_is_taken_in_silence() {
    let mut world = World::new();
    let flow = Client::at("203.0.113.7:4000").flow;
    let bytes = write(Class::Indication, Method::BINDING, TransactionId([1; 12]), |_| {});
    assert!(world.client_sends(flow, &bytes).is_empty());
    assert!(world.drops.is_empty());
}

/// RFC 8489 6.3: bytes that are no message are dropped, counted, and never answered.
#[test]
fn nonsense_is_dropped_and_counted() {
    let mut world = World::new();
    let flow = Client::at("203.0.113.7:4000").flow;
    let samples: [&[u8]; 5] = [b"", b"\x00", b"GET / HTTP/1.1", &[0; 20], &[0x16, 3, 1]];
    for bytes in samples {
        assert!(world.client_sends(flow, bytes).is_empty());
    }
    assert_eq!(world.drops, [DropReason::Malformed; 5]);
    let drops = world.relay.counters().snapshot().drops;
    assert!(drops.contains(&(DropReason::Malformed, 5)));
}

/// RFC 8489 9.2.4: integrity without USERNAME, REALM or NONCE is a bad request (400).
#[test]
fn integrity_without_the_rest_is_a_bad_request() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(&mut world);
    let key = client.key();
    let id = client.id();
    let request = write(Class::Request, Method::ALLOCATE, id, |w| {
        w.put(&RequestedTransport(17)).put(&Username("alice")).integrity_sha1(&key);
    });
    assert_eq!(client.exchange(&mut world, &request).code(), 400);
}

/// RFC 8489 9.2.4: a nonce past its lifetime is 438 with a new one, which then works.
#[test]
fn a_stale_nonce_is_438_with_a_fresh_one() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(&mut world);
    world.pass_secs(3599);
    client.allocate(&mut world);
    world.pass_secs(2);
    let stale = client.refresh(&mut world, 600);
    assert_eq!(stale.code(), 438);
    client.nonce = stale.get::<Nonce<'_>>().expect("a nonce").0.to_vec();
    assert_eq!(stale.get::<Realm<'_>>().expect("a realm").0, REALM);
    assert_eq!(client.refresh(&mut world, 600).code(), 0);
}

/// RFC 8489 9.2.4: a wrong password and an unknown user are both 401, and both counted.
#[test]
fn wrong_credentials_are_401_and_counted() {
    let mut world = World::new();
    for (user, password) in [("alice", "wrong"), ("mallory", "x")] {
        let mut client = Client::at("203.0.113.7:4000").named(user, password);
        let answer = client.allocate_with(&mut world, |_| {});
        assert_eq!(answer.code(), 401);
        assert!(answer.get::<Nonce<'_>>().is_some());
    }
    let numbers = world.relay.counters().snapshot();
    assert_eq!(numbers.authentication_failures, 2);
    assert!(numbers.allocations_refused.contains(&(401, 2)));
    world.assert_clean();
}

/// RFC 8489 9.2.4: every refused Allocate is counted under its code, also the stale nonce that ends
/// some clients' attempt; but neither that nor a bad request is a failed authentication.
#[test]
fn what_failed_no_authentication_is_not_counted_as_if_it_had() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.nonce = b"nobody's".to_vec();
    assert_eq!(client.allocate_with(&mut world, |_| {}).code(), 438);
    let request = client.bare(Method::ALLOCATE, |w| {
        w.put(&Username("alice")).integrity_sha1(b"key");
    });
    assert_eq!(client.exchange(&mut world, &request).code(), 400);
    let numbers = world.relay.counters().snapshot();
    assert!(numbers.allocations_refused.contains(&(438, 1)));
    assert!(numbers.allocations_refused.contains(&(400, 1)));
    assert_eq!(numbers.authentication_failures, 0);
}

/// 5: requests on an allocation must use the credentials it was opened with: else 441.
#[test]
fn another_users_request_on_an_allocation_is_441() {
    let mut world = World::new();
    let mut alice = Client::at("203.0.113.7:4000");
    alice.allocate(&mut world);
    let mut bob = alice.clone().named("bob", "builder");
    assert_eq!(bob.refresh(&mut world, 0).code(), 441);
    assert_eq!(bob.permit(&mut world, "192.0.2.1:9").code(), 441);
    assert_eq!(world.relay.allocations(), 1);
}

/// 5: Refresh, CreatePermission and ChannelBind without an allocation are 437.
#[test]
fn requests_without_an_allocation_are_a_mismatch() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(&mut world);
    assert_eq!(client.refresh(&mut world, 600).code(), 437);
    assert_eq!(client.permit(&mut world, "192.0.2.1:9").code(), 437);
    assert_eq!(client.bind(&mut world, 0x4000, "192.0.2.1:9").code(), 437);
}

/// 5: an allocation over a stream ends with the stream.
#[test]
fn a_closed_connection_ends_its_allocation() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.flow.transport = relayhouse::net::Transport::Tcp;
    client.allocate(&mut world);
    world.relay.handle_closed(world.now, client.flow);
    world.drive();
    world.assert_clean();
}
