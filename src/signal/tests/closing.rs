//! How rooms end, and the server.

use super::*;

#[test]
fn a_room_with_nobody_in_it_closes_after_its_idle_time() {
    let mut world = World::new();
    world.wait(Duration::from_secs(599));
    assert!(world.hub.room(&"r".into()).is_some());
    world.wait(Duration::from_secs(1));
    assert!(world.hub.room(&"r".into()).is_none());
    let closed = Event::RoomClosed { room: "r".into(), reason: CloseReason::Idle };
    assert_eq!(world.events.last(), Some(&closed));
}

#[test]
fn a_room_with_somebody_in_it_stays() {
    let mut world = World::new();
    world.join(1, "ann");
    world.wait(Duration::from_secs(10_000));
    assert!(world.hub.room(&"r".into()).is_some());
    world.say(1, Body::Leave);
    world.wait(Duration::from_secs(599));
    assert!(world.hub.room(&"r".into()).is_some(), "the clock starts when the last one leaves");
    world.wait(Duration::from_secs(1));
    assert!(world.hub.room(&"r".into()).is_none());
}

#[test]
fn a_room_whose_idle_time_is_zero_stays_empty_for_ever() {
    let mut world = World::new();
    world.open(RoomSpec { idle: Duration::ZERO, ..spec("ever") });
    world.wait(Duration::from_secs(1_000_000));
    assert!(world.hub.room(&"ever".into()).is_some());
}

#[test]
fn a_silent_room_closes_when_a_time_for_that_is_set() {
    let silence = Duration::from_secs(60);
    let mut world = World::with(HubLimits { silence, ..HubLimits::default() });
    world.join(1, "ann");
    world.wait(Duration::from_secs(59));
    world.say(1, Body::Ping);
    world.wait(Duration::from_secs(59));
    assert_eq!(world.heard(1), ["pong"]);
    world.wait(Duration::from_secs(1));
    assert_eq!(world.heard(1), ["leave room_closed stop"]);
    let closed = Event::RoomClosed { room: "r".into(), reason: CloseReason::Silent };
    assert_eq!(world.events.last(), Some(&closed));
    assert_eq!(world.hub.poll_timeout(), None);
}

#[test]
fn an_expired_room_sends_everybody_away() {
    let mut world = World::new();
    world.open(RoomSpec { expires: Some(UnixTime(1_000_100)), ..spec("e") });
    world.connect(1, hello("e", "ann", Role::Guest));
    world.take(1);
    world.wait(Duration::from_secs(99));
    assert_eq!(world.heard(1), [""; 0]);
    world.wait(Duration::from_secs(1));
    assert_eq!(world.heard(1), ["leave room_closed stop"]);
    assert_eq!(world.hub.stats().connections, 0);
}

#[test]
fn closing_a_room_leaves_no_timer_behind() {
    let mut world = World::new();
    world.open(RoomSpec { expires: Some(UnixTime(2_000_000)), ..spec("e") });
    world.connect(1, hello("e", "ann", Role::Guest));
    world.connect(2, hello("e", "bob", Role::Guest));
    world.drop_connection(2);
    for room in ["e", "r"] {
        world.hub.close(world.now, &room.into(), CloseReason::Asked);
    }
    assert_eq!(world.hub.poll_timeout(), None);
}

#[test]
fn too_many_rooms_are_refused() {
    let mut world = World::with(HubLimits { rooms: 2, ..HubLimits::default() });
    world.open(spec("second"));
    assert!(!world.hub.open(world.now, spec("third")));
    world.hub.close(world.now, &"r".into(), CloseReason::Asked);
    assert!(world.hub.open(world.now, spec("third")));
}

#[test]
fn a_shutdown_tells_everybody_to_come_back() {
    let mut world = World::new();
    world.join(1, "ann");
    world.hub.shutdown(world.now, Duration::from_secs(3));
    world.drain();
    let got = world.take(1);
    let ServerMessage::Leave(leave) = got[0] else { panic!("{got:?}") };
    let expected = LeaveReason::Shutdown.leave_for(Duration::from_secs(3));
    assert_eq!((leave, leave.action), (expected, Action::Reconnect));
    assert_eq!(world.hub.stats(), HubStats::default());
}
