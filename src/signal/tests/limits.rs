//! Bounds: sizes, queues, floods.

use super::*;

fn two(limits: HubLimits) -> World {
    let mut world = World::with(limits);
    world.join(1, "ann");
    world.join(2, "bob");
    world.inbox.clear();
    world
}

#[test]
fn a_payload_over_its_limit_is_refused_and_one_at_it_passes() {
    let limits = HubLimits { sdp: 8, candidate: 4, data: 2, ..HubLimits::default() };
    let mut world = two(limits);
    let kinds = [
        (SignalKind::Offer, 8),
        (SignalKind::Answer, 8),
        (SignalKind::Candidate, 4),
        (SignalKind::Message, 2),
    ];
    for (kind, limit) in kinds {
        for (length, got) in [(limit, 1), (limit + 1, 0)] {
            let payload = "x".repeat(length).into();
            world.say(1, Body::Signal { kind, to: Some("bob".into()), payload });
            assert_eq!(world.take(2).len(), got, "{kind:?} of {length}");
        }
        assert_eq!(world.heard(1), ["error too_large"]);
    }
}

#[test]
fn a_reader_that_confirms_nothing_is_slow_and_may_resume() {
    let mut world = World::with(HubLimits { queue_messages: 3, ..HubLimits::default() });
    world.join(1, "ann");
    let token = world.join(2, "bob");
    for payload in ["1", "2", "3", "4"] {
        world.say(1, message(Some("bob"), payload));
    }
    let expected = ["message ann 1", "message ann 2", "message ann 3", "leave slow resume"];
    assert_eq!(world.heard(2), expected);
    world.resume(3, "bob", &token, Some(3));
    assert_eq!(world.heard(3), ["resumed [ann]", "message ann 4"]);
}

#[test]
fn bytes_count_as_well_as_messages() {
    let mut world = two(HubLimits { queue_bytes: 2000, ..HubLimits::default() });
    for _ in 0..3 {
        world.say(1, message(Some("bob"), &"x".repeat(1000)));
    }
    assert_eq!(world.heard(2).last().map(String::as_str), Some("leave slow resume"));
}

#[test]
fn a_reader_that_confirms_is_never_slow() {
    let limits =
        HubLimits { queue_messages: 3, queue_bytes: 1000, rate: 1000, ..HubLimits::default() };
    let mut world = two(limits);
    for number in 1..=100 {
        world.wait(Duration::from_millis(10));
        world.say(1, message(Some("bob"), "1"));
        world.hub.acknowledge(ConnId(2), number);
    }
    assert_eq!(world.take(2).len(), 100);
}

#[test]
fn an_absent_peer_that_misses_too_much_is_given_up() {
    let mut world = two(HubLimits { queue_messages: 2, ..HubLimits::default() });
    world.drop_connection(2);
    for payload in ["1", "2", "3", "4"] {
        world.say(1, message(Some("bob"), payload));
    }
    assert_eq!(world.heard(1), [""; 0]);
    world.say(1, message(Some("bob"), "5"));
    assert_eq!(world.heard(1), ["left bob slow"]);
    assert_eq!(world.hub.stats().away, 0);
}

#[test]
fn a_number_that_was_never_given_confirms_nothing() {
    let mut world = World::new();
    world.join(1, "ann");
    let token = world.join(2, "bob");
    world.say(1, message(Some("bob"), "1"));
    world.hub.acknowledge(ConnId(2), u64::MAX);
    world.take(2);
    world.resume(3, "bob", &token, None);
    assert_eq!(world.heard(3), ["resumed [ann]", "message ann 1"]);
}

#[test]
fn a_flood_of_messages_ends_the_connection() {
    let mut world = two(HubLimits { rate: 1, burst: 3, ..HubLimits::default() });
    for _ in 0..4 {
        world.say(1, Body::Ping);
    }
    let expected = ["pong", "pong", "pong", "error flood", "leave flood reconnect"];
    assert_eq!(world.heard(1), expected);
    assert_eq!(world.heard(2), ["left ann flood"]);
}

#[test]
fn a_bad_message_is_survived_but_not_a_flood_of_them() {
    let mut world = two(HubLimits { bad_burst: 2, ..HubLimits::default() });
    let complain = |world: &mut World| {
        world.hub.complain(world.now, ConnId(1), None, ErrorCode::BadMessage, "no");
        world.drain();
        world.heard(1)
    };
    assert_eq!(complain(&mut world), ["error bad_message"]);
    assert_eq!(complain(&mut world), ["error bad_message"]);
    world.wait(Duration::from_secs(5));
    assert_eq!(complain(&mut world), ["error bad_message"], "one was forgiven");
    let expected = ["error bad_message", "error flood", "leave flood reconnect"];
    assert_eq!(complain(&mut world), expected);
}

#[test]
fn the_oldest_kicked_peer_is_forgotten_first() {
    let mut world = World::with(HubLimits { kicked_per_room: 1, ..HubLimits::default() });
    for (conn, peer) in [(1, "ann"), (2, "bob")] {
        world.join(conn, peer);
        let kick = Moderation::Kick(peer.into());
        world.hub.moderate(world.now, &"r".into(), Actor::Api, kick).expect("there");
    }
    world.inbox.clear();
    world.join(3, "ann");
    world.connect(4, hello("r", "bob", Role::Guest));
    assert_eq!(world.heard(4)[0], "error kicked");
}
