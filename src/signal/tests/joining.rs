//! Hello, ready, joined; polite bits; locked and full rooms; the same ticket twice.

use super::*;

#[test]
fn hello_is_answered_with_ready_and_the_others_are_told() {
    let mut world = World::new();
    world.connect(1, hello("r", "ann", Role::Host));
    assert_eq!(world.heard(1), ["ready []"]);
    world.connect(2, hello("r", "bob", Role::Guest));
    assert_eq!(world.heard(2), ["ready [ann]"]);
    assert_eq!(world.heard(1), ["joined bob"]);
}

#[test]
fn the_hellos_id_comes_back_with_ready() {
    let mut world = World::new();
    let id = Some(RefId("\"h\"".into()));
    world.connect(1, Hello { id: id.clone(), ..hello("r", "ann", Role::Guest) });
    assert!(matches!(&world.take(1)[0], ServerMessage::Ready(ready) if ready.reference == id));
}

#[test]
fn of_each_pair_the_later_joiner_is_polite() {
    let mut world = World::new();
    world.connect(1, hello("r", "ann", Role::Guest));
    world.take(1);
    world.connect(2, hello("r", "bob", Role::Guest));
    let ServerMessage::Ready(ready) = &world.take(2)[0] else { panic!("not ready") };
    assert!(ready.peers[0].polite, "bob came later, so he is polite towards ann");
    let ServerMessage::Joined(info) = &world.take(1)[0] else { panic!("not joined") };
    assert!(!info.polite, "ann came first, so she is not");
}

#[test]
fn a_room_that_is_not_open_is_refused() {
    let mut world = World::new();
    world.connect(1, hello("nowhere", "ann", Role::Guest));
    assert_eq!(world.heard(1), ["error no_such_room", "leave no_such_room stop"]);
    assert_eq!(world.hub.stats().connections, 0);
}

#[test]
fn a_locked_room_admits_nobody() {
    let mut world = World::new();
    world.open(RoomSpec { locked: true, ..spec("shut") });
    for (conn, role) in [(1, Role::Guest), (2, Role::Host)] {
        world.connect(conn, hello("shut", "ann", role));
        assert_eq!(world.heard(conn), ["error room_locked", "leave room_locked stop"]);
    }
}

#[test]
fn a_full_room_refuses_and_an_absent_peer_keeps_its_place() {
    let mut world = World::new();
    world.open(RoomSpec { capacity: 2, ..spec("two") });
    world.connect(1, hello("two", "ann", Role::Guest));
    world.connect(2, hello("two", "bob", Role::Guest));
    world.drop_connection(2);
    world.connect(3, hello("two", "eve", Role::Guest));
    assert_eq!(world.heard(3), ["error room_full", "leave room_full stop"]);
    assert_eq!(world.hub.room(&"two".into()).expect("open").participants, 2);
}

#[test]
fn a_capacity_beyond_the_limit_is_brought_down_to_it() {
    let mut world = World::with(HubLimits { peers_per_room: 3, ..HubLimits::default() });
    world.open(RoomSpec { capacity: 1000, ..spec("big") });
    world.open(RoomSpec { capacity: 0, ..spec("none") });
    assert_eq!(world.hub.room(&"big".into()).expect("open").capacity, 3);
    assert_eq!(world.hub.room(&"none".into()).expect("open").capacity, 1);
}

#[test]
fn a_newer_connection_with_the_same_ticket_takes_over_as_the_same_peer() {
    let mut world = World::new();
    world.join(1, "ann");
    world.join(2, "bob");
    world.take(1);
    world.connect(3, hello("r", "bob", Role::Guest));
    assert_eq!(world.heard(2), ["leave replaced stop"]);
    assert_eq!(world.heard(3), ["ready [ann]"]);
    assert_eq!(world.heard(1), ["left bob replaced", "joined bob"]);
    world.say(1, message(Some("bob"), "1"));
    assert_eq!((world.heard(2), world.heard(3)), (vec![], vec!["message ann 1".into()]));
    world.drop_connection(2);
    world.say(1, message(Some("bob"), "2"));
    assert_eq!(world.heard(3), ["message ann 2"], "the old connection's end changes nothing");
}

#[test]
fn a_takeover_needs_no_free_place_and_no_open_door() {
    let mut world = World::new();
    world.open(RoomSpec { capacity: 1, ..spec("one") });
    world.connect(1, hello("one", "ann", Role::Host));
    world.say(1, Body::Moderate(Moderation::Lock));
    world.connect(2, hello("one", "ann", Role::Host));
    assert_eq!(world.heard(2), ["ready []"]);
}

#[test]
fn opening_twice_changes_nothing() {
    let mut world = World::new();
    world.join(1, "ann");
    assert!(world.hub.open(world.now, RoomSpec { capacity: 1, ..spec("r") }));
    let room = world.hub.room(&"r".into()).expect("open");
    assert_eq!((room.capacity, room.participants), (8, 1));
}
