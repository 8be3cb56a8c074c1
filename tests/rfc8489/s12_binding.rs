//! Section 12: basic server behaviour, which is the Binding method (6.3.1.1) for everybody.

use relayhouse::net::Transport;
use relayhouse::stun::{AttributeType, Method, Nonce, Realm, Username, XorMappedAddress};

use crate::machine::*;

/// 6.3.1.1: the answer to a Binding request carries the source address of the request, over any transport.
#[test]
fn the_source_is_told_over_every_transport() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let mut world = World::new();
        let mut client = Client::at("203.0.113.7:4000");
        client.flow.transport = transport;
        let request = client.bare(Method::BINDING, |_| {});
        let answer = client.exchange(&mut world, &request);
        assert_eq!(answer.get::<XorMappedAddress>().expect("mapped").0, addr("203.0.113.7:4000"));
    }
}

/// 14.2: the address is XORed, so that no NAT that rewrites addresses in payloads finds it.
#[test]
fn the_address_does_not_stand_there_plainly() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let request = client.bare(Method::BINDING, |_| {});
    let answer = client.exchange(&mut world, &request);
    assert!(!answer.bytes.windows(4).any(|bytes| bytes == [203, 0, 113, 7]));
    assert!(!answer.message().has(AttributeType::MAPPED_ADDRESS));
}

/// 12: Binding needs no authentication: credentials are neither asked for nor looked at.
#[test]
fn credentials_are_not_asked_for() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let request = client.bare(Method::BINDING, |w| {
        w.put(&Username("nobody")).put(&Realm("elsewhere")).put(&Nonce(b"none"));
        w.integrity_sha1(b"no key of ours");
    });
    let answer = client.exchange(&mut world, &request);
    assert_eq!(answer.code(), 0);
    assert!(!answer.message().has_integrity() && !answer.message().has(AttributeType::NONCE));
}

/// 12: nobody is told more than was asked: the answer is hardly larger than the request.
#[test]
fn the_answer_is_short() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let request = client.bare(Method::BINDING, |_| {});
    let answer = client.exchange(&mut world, &request);
    assert_eq!(answer.bytes.len(), request.len() + 12);
}
