//! Descriptions and candidates as events: by size and salted hash, never by what they say.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::*;

const SALT: [u8; 32] = [9; 32];
const SDP: &str = "v=0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n";

fn signal(kind: SignalKind, to: Option<&str>, payload: &str) -> Body {
    Body::Signal { kind, to: to.map(PeerId::from), payload: payload.into() }
}

fn two_in_a_room() -> World {
    let mut world = World::new();
    world.hub.describe(&SALT);
    world.join(1, "ann");
    world.join(2, "bob");
    world.events.clear();
    world
}

#[test]
fn what_is_passed_on_is_an_event_with_its_size_and_its_hash_under_the_salt() {
    let mut world = two_in_a_room();
    world.say(1, signal(SignalKind::Offer, Some("bob"), SDP));
    let mut mac = Hmac::<Sha256>::new_from_slice(&SALT).expect("any length");
    mac.update(SDP.as_bytes());
    let described = Event::Described {
        room: "r".into(),
        from: "ann".into(),
        to: Some("bob".into()),
        kind: SignalKind::Offer,
        size: SDP.len(),
        digest: mac.finalize().into_bytes().into(),
    };
    assert_eq!(world.events, [described]);
    assert!(!format!("{:?}", world.events).contains("192.0.2.1"));
}

#[test]
fn what_goes_to_everybody_is_described_once() {
    let mut world = two_in_a_room();
    world.join(3, "eve");
    world.events.clear();
    world.say(1, signal(SignalKind::Candidate, None, "{}"));
    let [Event::Described { to: None, size: 2, .. }] = &world.events[..] else {
        panic!("{:?}", world.events)
    };
}

#[test]
fn what_is_refused_or_of_the_application_is_not_described() {
    let mut world = two_in_a_room();
    world.say(1, signal(SignalKind::Answer, Some("nobody"), SDP));
    world.say(1, message(Some("bob"), "\"hello\""));
    let described = |event: &Event| matches!(event, Event::Described { .. });
    assert!(!world.events.iter().any(described), "{:?}", world.events);
}

#[test]
fn without_a_salt_nothing_is_described() {
    let mut world = World::new();
    world.join(1, "ann");
    world.join(2, "bob");
    world.events.clear();
    world.say(1, signal(SignalKind::Offer, Some("bob"), SDP));
    assert_eq!(world.events, []);
}

#[test]
fn whoever_is_there_when_a_room_ends_has_left() {
    let mut world = two_in_a_room();
    world.hub.close(world.now, &"r".into(), CloseReason::Asked);
    world.drain();
    let left = |peer: &str| Event::Left {
        room: "r".into(),
        peer: peer.into(),
        reason: LeftReason::RoomClosed,
    };
    let closed = Event::RoomClosed { room: "r".into(), reason: CloseReason::Asked };
    assert_eq!(world.events, [left("ann"), left("bob"), closed]);
}

#[test]
fn whoever_is_there_when_the_server_ends_has_left() {
    let mut world = two_in_a_room();
    world.hub.shutdown(world.now, Duration::from_secs(1));
    world.drain();
    let left = |event: &Event| matches!(event, Event::Left { reason: LeftReason::Shutdown, .. });
    assert_eq!(world.events.iter().filter(|event| left(event)).count(), 2);
}
