//! Holes other servers had: each stays closed here.

use std::time::Duration;

use relayhouse::stun::{
    AttributeType, Class, EvenPort, Method, RequestedTransport, XorPeerAddress,
};
use relayhouse::turn::{DropReason, EndReason, Event};

use crate::machine::*;

/// Four advisories, 2020 to 2026: a refused peer reached through another spelling of its address.
#[test]
fn no_spelling_of_loopback_is_a_peer() {
    let mut world = World::new();
    let mut client = Client::at("[2001:db8:9::7]:4000");
    client.allocate_with(&mut world, |w| {
        w.put(&relayhouse::stun::RequestedAddressFamily(2));
    });
    for peer in [
        "[::]:9",
        "[::1]:9",
        "[::ffff:127.0.0.1]:9",
        "[::127.0.0.1]:9",
        "[64:ff9b::7f00:1]:9",
        "[2002:7f00:1::1]:9",
        "[2001:0:4136:e378:8000:63bf:80ff:fffe]:9",
    ] {
        assert_eq!(client.permit(&mut world, peer).code(), 403, "{peer}");
        assert_eq!(client.bind(&mut world, 0x4000, peer).code(), 403, "{peer}");
    }
}

/// Advisory of 2026: attributes behind MESSAGE-INTEGRITY were honoured.
#[test]
fn what_stands_behind_the_integrity_does_not_count() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    let mut request = client.request(Method::CREATE_PERMISSION, |w| {
        w.put(&XorPeerAddress(addr("192.0.2.9:9")));
    });
    let id = relayhouse::stun::TransactionId(request[8..20].try_into().expect("an id"));
    let smuggled = write(Class::Request, Method::CREATE_PERMISSION, id, |w| {
        w.put(&XorPeerAddress(addr("192.0.2.66:9")));
    });
    request.extend_from_slice(&smuggled[20..]);
    let len = (request.len() - 20) as u16;
    request[2..4].copy_from_slice(&len.to_be_bytes());
    assert_eq!(client.exchange(&mut world, &request).code(), 0);
    assert_eq!(client.send(&mut world, "192.0.2.9:9", b"x").len(), 1);
    assert!(client.send(&mut world, "192.0.2.66:9", b"x").is_empty());
}

/// The server's own relay ports are peers only while they are live, and no other port of the host.
#[test]
fn no_other_port_of_this_host_is_reached_through_it() {
    let mut world = World::new();
    let mut alice = Client::at("203.0.113.7:4000");
    let mut bob = Client::at("203.0.113.8:4000").named("bob", "builder");
    alice.allocate(&mut world);
    let at_bob = bob.allocate(&mut world);
    assert_eq!(alice.permit(&mut world, &at_bob.to_string()).code(), 0);
    assert!(alice.send(&mut world, "198.51.100.1:22", b"x").is_empty());
    assert!(alice.send(&mut world, "198.51.100.1:3478", b"x").is_empty());
    assert_eq!(alice.send(&mut world, &at_bob.to_string(), b"x").len(), 1);
    alice.bind(&mut world, 0x4000, &at_bob.to_string());
    assert_eq!(alice.send_channel(&mut world, 0x4000, b"x").len(), 1);
    bob.refresh(&mut world, 0);
    assert!(alice.send_channel(&mut world, 0x4000, b"x").is_empty());
    assert!(alice.send(&mut world, &at_bob.to_string(), b"x").is_empty());
    assert_eq!(world.drops, [DropReason::RefusedPeer; 4]);
}

/// A wide range in `peers.allow` is meant for other hosts: it does not open this one, whose ports
/// but live relay ports stay closed until the host itself is named.
#[test]
fn allowing_a_wide_range_does_not_open_this_host() {
    let nets = |list: &[&str]| list.iter().map(|net| net.parse().expect("a range")).collect();
    let mut world = World::with(|settings| {
        settings.allow = nets(&["0.0.0.0/0", "10.0.0.0/24", "198.51.100.0/24"]);
        settings.own_addresses.push(ip("10.0.0.5"));
        settings.service_ports.push(addr("192.0.2.77:443"));
    });
    let mut alice = Client::at("203.0.113.7:4000");
    let mut bob = Client::at("203.0.113.8:4000").named("bob", "builder");
    alice.allocate(&mut world);
    let at_bob = bob.allocate(&mut world);
    assert_eq!(alice.permit(&mut world, "10.0.0.6:22").code(), 0, "another host is open");
    for own in ["10.0.0.5:22", "127.0.0.1:22", "192.0.2.77:22"] {
        assert_eq!(alice.permit(&mut world, own).code(), 403, "{own}");
        assert_eq!(alice.bind(&mut world, 0x4000, own).code(), 403, "{own}");
    }
    assert_eq!(alice.permit(&mut world, &at_bob.to_string()).code(), 0);
    assert_eq!(alice.send(&mut world, &at_bob.to_string(), b"x").len(), 1);
    assert!(alice.send(&mut world, "198.51.100.1:22", b"x").is_empty());

    let mut named = World::with(|settings| settings.allow = nets(&["198.51.100.1/32"]));
    alice.nonce.clear();
    alice.allocate(&mut named);
    alice.permit(&mut named, "198.51.100.1:22");
    assert_eq!(alice.send(&mut named, "198.51.100.1:22", b"x").len(), 1);
    assert!(alice.send(&mut named, "198.51.100.1:3478", b"x").is_empty(), "but not ourselves");
}

/// Others stored 18 kB for every spoofed packet: here nothing is stored for what proved nothing.
#[test]
fn unproved_packets_leave_nothing_behind() {
    let mut world = World::new();
    for n in 0..2000u32 {
        let host = format!("203.0.{}.{}:4000", n / 250, 1 + n % 250);
        let mut client = Client::at(&host);
        let request = client.bare(Method::ALLOCATE, |w| {
            w.put(&RequestedTransport(17));
        });
        assert_eq!(client.exchange(&mut world, &request).code(), 401);
    }
    world.assert_clean();
    assert!(world.events.is_empty());
}

/// 401 and Binding as an amplifier: one source is answered so many times a second and no more, and
/// an answer is never much larger than what a client sends.
#[test]
fn answers_to_unproved_sources_are_bounded_per_second() {
    let mut world = World::with(|settings| settings.unauthenticated_rate = 50);
    let mut client = Client::at("203.0.113.7:4000");
    let mut answers = 0;
    for n in 0..500 {
        let method = if n % 2 == 0 { Method::BINDING } else { Method::ALLOCATE };
        let request = client.bare(method, |_| {});
        let sent = world.client_sends(client.flow, &request);
        assert!(sent.iter().all(|one| one.bytes.len() <= 120), "a short answer");
        answers += sent.len();
    }
    assert_eq!(answers, 50);
    assert!(world.drops.iter().all(|reason| *reason == DropReason::RateLimited));
    world.pass_secs(1);
    client.greet(&mut world);
    client.allocate(&mut world);
}

/// Failed and finished allocations gave neither ports nor quota back: here they do, a million times
/// over (a fraction of that in this build, every way an allocation can end).
#[test]
fn ports_and_quota_come_back_however_an_allocation_ends() {
    let mut world = World::with(|settings| {
        settings.ports = 50_000..=50_019;
        settings.quota.per_user = 4;
        settings.quota.allocations = 4;
    });
    for round in 0..20_000u32 {
        let mut client = Client::at(&format!("203.0.113.{}:{}", round % 250, 1000 + round));
        world.refuse_first = usize::from(round % 7 == 0);
        let answer = client.allocate_with(&mut world, |w| {
            if round % 3 == 0 {
                w.put(&EvenPort { reserve_next: round % 2 == 0 });
            }
        });
        assert_eq!(answer.code(), 0, "round {round}");
        match round % 3 {
            0 => assert_eq!(client.refresh(&mut world, 0).code(), 0),
            1 => world.relay.handle_closed(world.now, client.flow),
            _ => world.relay.end_all(world.now, EndReason::Ended),
        }
        world.drive();
        if round % 5 == 0 {
            world.pass(Duration::from_secs(31));
        }
    }
    world.pass_secs(31);
    world.assert_clean();
}

/// What was not told is not forgotten: the next refusal that is says how many there were.
#[test]
fn a_refusal_says_how_many_before_it_were_not_told() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000").named("eve", "x");
    client.greet(&mut world);
    for _ in 0..25 {
        client.allocate_with(&mut world, |_| {});
    }
    world.pass_secs(1);
    for _ in 0..2 {
        client.allocate_with(&mut world, |_| {});
    }
    let told = world.events.iter().map(|event| match event {
        Event::Refused { suppressed, .. } => *suppressed,
        other => panic!("{other:?}"),
    });
    assert_eq!(told.collect::<Vec<_>>(), [[0; 10].as_slice(), &[15, 0]].concat());
}

/// Log lines were forged through USERNAME: events are bounded in number, and a username goes along
/// as a value of its own.
#[test]
fn refusals_are_explained_a_bounded_number_of_times() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000").named("eve\nroot logged in", "x");
    client.greet(&mut world);
    for _ in 0..100 {
        client.allocate_with(&mut world, |_| {});
    }
    assert_eq!(world.events.len(), 10);
    let Event::Refused { why, username, code, .. } = &world.events[0] else {
        panic!("a refusal");
    };
    assert_eq!(*code, 401);
    assert!(!why.contains('\n'), "{why}");
    assert_eq!(username.as_deref(), Some("eve\nroot logged in"));
    assert_eq!(world.relay.counters().snapshot().authentication_failures, 100);
}

/// An answer never carries bytes of another packet: what is not written is zero.
#[test]
fn answers_carry_no_stale_bytes() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let request = client.bare(Method::ALLOCATE, |_| {});
    let answer = client.exchange(&mut world, &request);
    assert!(!answer.bytes.windows(2).any(|pair| pair == [0xAA, 0xAA]));
    assert!(answer.message().has(AttributeType::ERROR_CODE));
}

/// However many allocations end at once, each end is reported.
#[test]
fn every_end_is_reported_even_of_thousands_at_once() {
    let mut world = World::with(|settings| settings.ports = 50_000..=59_999);
    for n in 0..3000u32 {
        Client::at(&format!("203.0.{}.{}:4000", n / 250, 1 + n % 250)).allocate(&mut world);
    }
    world.events.clear();
    world.relay.end_all(world.now, EndReason::Shutdown);
    world.drive();
    let ends = world.events.iter().filter(|event| matches!(event, Event::AllocationClosed(_)));
    assert_eq!(ends.count(), 3000);
    world.assert_clean();
}

/// A client on a stream never asks again: many of them behind one address are all challenged,
/// while guesses at credentials stay bounded.
#[test]
fn strangers_on_streams_are_answered_however_many_share_an_address() {
    let mut world = World::with(|settings| settings.unauthenticated_rate = 10);
    let mut guesses = 0;
    for port in 0..200 {
        let mut client =
            Client::at(&format!("203.0.113.7:{}", 4000 + port)).named("alice", "wrong");
        client.flow.transport = relayhouse::net::Transport::Tcp;
        client.greet(&mut world);
        let request = client.request(Method::ALLOCATE, |w| {
            w.put(&RequestedTransport(17));
        });
        guesses += world.client_sends(client.flow, &request).len();
    }
    assert_eq!(guesses, 10);
    world.assert_clean();
}
