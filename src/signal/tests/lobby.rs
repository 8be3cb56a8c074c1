//! The lobby and what hosts decide.

use super::*;

/// A room with a lobby, host `ann` on 1 and waiting guest `bob` on 2.
fn lobby() -> World {
    let mut world = World::new();
    world.hub.close(world.now, &"r".into(), CloseReason::Asked);
    world.open(RoomSpec { lobby: true, capacity: 3, ..spec("r") });
    world.join_as(1, "ann", Role::Host);
    world.connect(2, hello("r", "bob", Role::Guest));
    assert_eq!(world.heard(2), ["waiting"]);
    assert_eq!(world.heard(1), ["knock bob"]);
    world
}

fn decide(world: &mut World, what: fn(PeerId) -> Moderation, peer: &str) {
    world.say(1, Body::Moderate(what(peer.into())));
}

#[test]
fn an_admitted_guest_joins() {
    let mut world = lobby();
    decide(&mut world, Moderation::Admit, "bob");
    assert_eq!(world.heard(2), ["ready [ann]"]);
    assert_eq!(world.heard(1), ["joined bob"]);
}

#[test]
fn a_denied_guest_is_sent_away() {
    let mut world = lobby();
    decide(&mut world, Moderation::Deny, "bob");
    assert_eq!(world.heard(2), ["leave denied stop"]);
    assert_eq!(world.heard(1), ["left bob denied"]);
    decide(&mut world, Moderation::Admit, "bob");
    assert_eq!(world.heard(1), ["error no_such_peer"]);
}

#[test]
fn a_waiting_guest_hears_nothing_and_says_nothing() {
    let mut world = lobby();
    world.join_as(3, "host2", Role::Host);
    world.take(1);
    world.say(1, message(None, "1"));
    world.say(2, message(Some("ann"), "1"));
    assert_eq!(world.heard(2), ["error not_admitted"]);
    assert_eq!(world.heard(1), [""; 0]);
    world.say(1, message(Some("bob"), "1"));
    assert_eq!(world.heard(1), ["error no_such_peer"]);
}

#[test]
fn a_host_that_comes_later_hears_who_waits() {
    let mut world = lobby();
    world.connect(3, hello("r", "host2", Role::Host));
    assert_eq!(world.heard(3), ["ready [ann]", "knock bob"]);
}

#[test]
fn a_guest_that_gives_up_is_told_to_hosts() {
    let mut world = lobby();
    world.drop_connection(2);
    assert_eq!(world.heard(1), ["left bob dropped"]);
    assert_eq!(world.hub.stats().waiting, 0);
}

#[test]
fn the_same_guest_again_waits_in_its_own_place() {
    let mut world = lobby();
    world.connect(3, hello("r", "bob", Role::Guest));
    assert_eq!(
        (world.heard(2), world.heard(3)),
        (vec!["leave replaced stop".into()], vec!["waiting".into()])
    );
    assert_eq!(world.heard(1), [""; 0]);
    decide(&mut world, Moderation::Admit, "bob");
    assert_eq!(world.heard(3), ["ready [ann]"]);
}

#[test]
fn nobody_is_admitted_into_a_full_or_locked_room() {
    let mut world = lobby();
    world.say(1, Body::Moderate(Moderation::Lock));
    world.take(1);
    decide(&mut world, Moderation::Admit, "bob");
    assert_eq!(world.heard(1), ["error room_locked"]);
    world.say(1, Body::Moderate(Moderation::Unlock));
    world.join_as(3, "host2", Role::Host);
    world.join_as(4, "host3", Role::Host);
    world.take(1);
    decide(&mut world, Moderation::Admit, "bob");
    assert_eq!(world.heard(1), ["error room_full"]);
}

#[test]
fn a_full_lobby_refuses() {
    let limits = HubLimits { waiting_per_room: 1, ..HubLimits::default() };
    let mut world = World::with(limits);
    world.open(RoomSpec { lobby: true, ..spec("l") });
    world.connect(1, hello("l", "bob", Role::Guest));
    world.connect(2, hello("l", "cy", Role::Guest));
    assert_eq!(world.heard(2), ["error room_full", "leave room_full stop"]);
}

#[test]
fn a_kicked_peer_is_out_and_stays_out() {
    let mut world = lobby();
    decide(&mut world, Moderation::Admit, "bob");
    world.inbox.clear();
    decide(&mut world, Moderation::Kick, "bob");
    assert_eq!(world.heard(2), ["leave kicked stop"]);
    assert_eq!(world.heard(1), ["left bob kicked"]);
    world.connect(3, hello("r", "bob", Role::Guest));
    assert_eq!(world.heard(3), ["error kicked", "leave kicked stop"]);
}

#[test]
fn lock_and_unlock_are_told_to_everybody() {
    let mut world = World::new();
    world.join_as(1, "ann", Role::Host);
    world.join(2, "bob");
    world.take(1);
    world.say(1, Body::Moderate(Moderation::Lock));
    assert_eq!(
        (world.heard(1), world.heard(2)),
        (vec!["room \"\" locked=true".into()], vec!["room \"\" locked=true".into()])
    );
    world.connect(3, hello("r", "cy", Role::Guest));
    assert_eq!(world.heard(3), ["error room_locked", "leave room_locked stop"]);
    world.say(1, Body::Moderate(Moderation::Unlock));
    world.join(4, "cy");
}

#[test]
fn a_guest_decides_nothing() {
    let mut world = World::new();
    world.join_as(1, "ann", Role::Host);
    world.join(2, "bob");
    for what in [Moderation::Lock, Moderation::Kick("ann".into()), Moderation::Admit("x".into())] {
        world.say(2, Body::Moderate(what));
        assert_eq!(world.heard(2), ["error forbidden"]);
    }
    assert!(!world.hub.room(&"r".into()).expect("open").locked);
}

#[test]
fn the_api_may_decide_as_a_host_and_it_is_said_for_whom() {
    let mut world = lobby();
    let by = Actor::Caller("user:ann".into());
    let room = RoomId::from("r");
    let admit = Moderation::Admit("bob".into());
    assert_eq!(world.hub.moderate(world.now, &room, by.clone(), admit.clone()), Ok(()));
    assert_eq!(world.hub.moderate(world.now, &room, by.clone(), admit), Err(ErrorCode::NoSuchPeer));
    let lock = world.hub.moderate(world.now, &"nowhere".into(), by.clone(), Moderation::Lock);
    assert_eq!(lock, Err(ErrorCode::NoSuchRoom));
    world.drain();
    assert_eq!(world.heard(2), ["ready [ann]"]);
    let told = world.events.iter().find_map(|event| match event {
        Event::Moderation { by, .. } => Some(by.clone()),
        _ => None,
    });
    assert_eq!(told, Some(by));
}

#[test]
fn a_new_name_is_told_to_everybody_when_it_is_one() {
    let mut world = World::new();
    world.join_as(1, "ann", Role::Host);
    for name in ["Tea", "Tea"] {
        let rename = Moderation::Rename(Some(name.into()));
        world.hub.moderate(world.now, &"r".into(), Actor::Api, rename).expect("open");
    }
    world.drain();
    assert_eq!(world.heard(1), ["room \"Tea\" locked=false"]);
    assert_eq!(world.hub.room(&"r".into()).expect("open").name.as_deref(), Some("Tea"));
}

#[test]
fn a_room_that_is_opened_again_refuses_those_it_had_kicked() {
    let mut world = World::new();
    world.open(RoomSpec { kicked: vec!["bob".into()], ..spec("again") });
    world.connect(1, hello("again", "bob", Role::Guest));
    assert_eq!(world.heard(1), ["error kicked", "leave kicked stop"]);
    world.connect(2, hello("again", "ann", Role::Guest));
    assert_eq!(world.heard(2), ["ready []"]);
}

#[test]
fn presence_tells_who_is_in_who_is_away_and_who_waits() {
    let mut world = lobby();
    world.join_as(3, "cy", Role::Host);
    world.drop_connection(3);
    let presence = world.hub.presence(&"r".into()).expect("open");
    let peers: Vec<_> =
        presence.peers.iter().map(|peer| (peer.peer.as_str(), peer.connected)).collect();
    assert_eq!(peers, [("ann", true), ("cy", false)]);
    let waiting: Vec<_> = presence.waiting.iter().map(|guest| guest.peer.as_str()).collect();
    assert_eq!(waiting, ["bob"]);
    let view = world.hub.room(&"r".into()).expect("open");
    assert_eq!((view.participants, view.waiting), (2, 1));
}
