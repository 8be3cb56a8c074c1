//! A server that drains: RFC 8489 section 10 (ALTERNATE-SERVER) and what operators need beyond it.

use relayhouse::stun::{AlternateServer, Class, Method, RequestedTransport};
use relayhouse::turn::{Event, Settings};

use crate::machine::*;

fn draining(alternate: &[&str]) -> impl FnOnce(&mut Settings) {
    let alternate = alternate.iter().map(|text| addr(text)).collect();
    move |settings| {
        settings.draining = true;
        settings.alternate = alternate;
    }
}

fn answer(world: &mut World, client: &mut Client) -> Sent {
    client.allocate_with(world, |_| {})
}

/// 10: a new client is sent to the alternate server, by an answer that only this server can give.
#[test]
fn a_new_client_is_sent_to_the_alternate_server() {
    let mut world = World::with(draining(&["192.0.2.50:3478"]));
    let mut client = Client::at("203.0.113.7:4000");
    let answer = answer(&mut world, &mut client);
    assert_eq!(answer.code(), 300);
    assert_eq!(answer.get::<AlternateServer>().expect("named").0, addr("192.0.2.50:3478"));
    assert!(answer.message().verify_sha1(&client.key()));
    world.assert_clean();
}

/// 10: the alternate is of the client's address family; and never its own host.
#[test]
fn the_alternate_is_one_that_the_client_can_reach() {
    let all = ["127.0.0.1:3478", "[::1]:3478", "192.0.2.50:3478", "[2001:db8:5::1]:3478"];
    for (client, expected) in [
        ("203.0.113.7:4000", "192.0.2.50:3478"),
        ("[2001:db8:9::7]:4000", "[2001:db8:5::1]:3478"),
        ("[::ffff:203.0.113.7]:4000", "192.0.2.50:3478"),
    ] {
        let mut world = World::with(draining(&all));
        let answer = answer(&mut world, &mut Client::at(client));
        assert_eq!(answer.get::<AlternateServer>().map(|server| server.0), Some(addr(expected)));
    }
}

/// Without an alternate for it, or with none but this very server, a new client is told that there is no room, and the operator why.
#[test]
fn without_an_alternate_it_is_508() {
    let itself = "198.51.100.1:3478";
    for alternates in [&[][..], &["[2001:db8:5::1]:3478"], &["127.0.0.1:3478"], &[itself]] {
        let mut world = World::with(draining(alternates));
        let answer = answer(&mut world, &mut Client::at("203.0.113.7:4000"));
        assert_eq!(answer.code(), 508);
        assert!(!answer.message().has(relayhouse::stun::AttributeType::ALTERNATE_SERVER));
        let Some(Event::Refused { why, .. }) = world.events.last() else { panic!("a refusal") };
        assert!(why.contains("drains"), "{why}");
    }
}

/// A stranger is challenged as ever: where the other servers are is for clients to know.
#[test]
fn a_stranger_is_challenged_first() {
    let mut world = World::with(draining(&["192.0.2.50:3478"]));
    let mut client = Client::at("203.0.113.7:4000");
    let request = client.bare(Method::ALLOCATE, |w| {
        w.put(&RequestedTransport(17));
    });
    assert_eq!(client.exchange(&mut world, &request).code(), 401);
}

/// Whoever is here already is served to the end; then the server is idle.
#[test]
fn what_is_open_goes_on_until_the_last_is_gone() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let allocate = client.clone();
    let relayed = client.allocate(&mut world);
    assert!(!world.relay.is_idle());
    let mut settings = settings();
    draining(&["192.0.2.50:3478"])(&mut settings);
    world.relay.configure(settings.into(), credentials().into());
    assert_eq!(client.refresh(&mut world, 1200).code(), 0);
    assert_eq!(client.permit(&mut world, "192.0.2.9:9").code(), 0);
    assert_eq!(client.bind(&mut world, 0x4000, "192.0.2.9:9").code(), 0);
    let sent = client.send_channel(&mut world, 0x4000, b"hello");
    assert_eq!(sent, [to_peer(relayed, "192.0.2.9:9", b"hello")]);
    let mut second = allocate.second_connection("203.0.113.7:4001");
    assert_eq!(answer(&mut world, &mut second).code(), 300);
    assert!(!world.relay.is_idle());
    client.refresh(&mut world, 0);
    assert!(world.relay.is_idle());
}

/// Nobody is idle while an answer waits to be sent.
#[test]
fn a_server_with_an_answer_to_send_is_not_idle() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(&mut world);
    world.hold = true;
    let request = client.request(Method::ALLOCATE, |w| {
        w.put(&RequestedTransport(17));
    });
    assert!(world.client_sends(client.flow, &request).is_empty());
    assert!(!world.relay.is_idle());
    world.relay.end_all(world.now, relayhouse::turn::EndReason::Shutdown);
    world.drive();
    assert!(world.relay.is_idle());
}

/// Without draining, an alternate server is nobody's business.
#[test]
fn an_alternate_alone_changes_nothing() {
    let mut world = World::with(|settings| settings.alternate = vec![addr("192.0.2.50:3478")]);
    let answer = answer(&mut world, &mut Client::at("203.0.113.7:4000"));
    assert_eq!(answer.message().class(), Class::Success);
}
