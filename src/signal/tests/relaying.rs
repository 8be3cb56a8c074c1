//! Offers, answers, candidates, messages, media: to whom they go and to whom not.

use super::*;

fn three() -> World {
    let mut world = World::new();
    for (conn, peer) in [(1, "ann"), (2, "bob"), (3, "cy")] {
        world.join(conn, peer);
    }
    world.inbox.clear();
    world
}

#[test]
fn an_offer_goes_to_its_peer_alone() {
    let mut world = three();
    for kind in [SignalKind::Offer, SignalKind::Answer, SignalKind::Candidate] {
        world.say(1, Body::Signal { kind, to: Some("bob".into()), payload: "x".into() });
    }
    assert_eq!(world.heard(2), ["offer ann x", "answer ann x", "candidate ann x"]);
    assert_eq!((world.heard(1), world.heard(3)), (vec![], vec![]));
}

#[test]
fn a_message_without_a_receiver_goes_to_everybody_else() {
    let mut world = three();
    world.say(2, message(None, "[1]"));
    assert_eq!(world.heard(1), ["message bob [1]"]);
    assert_eq!(world.heard(3), ["message bob [1]"]);
    assert_eq!(world.heard(2), [""; 0]);
}

#[test]
fn a_peer_that_is_not_there_is_an_error_with_the_messages_id() {
    let mut world = three();
    for nobody in ["dan", "ann"] {
        world.say(1, message(Some(nobody), "1"));
        let got = world.take(1);
        let ServerMessage::Error { reference, code, .. } = &got[0] else { panic!("{got:?}") };
        assert_eq!(*code, ErrorCode::NoSuchPeer);
        assert_eq!(*reference, Some(RefId("7".into())));
    }
}

#[test]
fn a_peer_of_another_room_is_not_there() {
    let mut world = three();
    world.open(spec("other"));
    world.connect(9, hello("other", "zoe", Role::Guest));
    world.take(9);
    world.say(1, message(Some("zoe"), "1"));
    assert_eq!((world.heard(1), world.heard(9)), (vec!["error no_such_peer".into()], vec![]));
}

#[test]
fn ping_is_answered_with_pong() {
    let mut world = three();
    world.say(1, Body::Ping);
    assert_eq!(world.heard(1), ["pong"]);
}

#[test]
fn media_is_told_to_others_when_it_changes_and_to_later_joiners() {
    let mut world = three();
    world.say(1, Body::Media { publishing: true });
    world.say(1, Body::Media { publishing: true });
    assert_eq!(world.heard(2), ["media ann true"]);
    assert_eq!(world.heard(1), [""; 0]);
    world.connect(4, hello("r", "dan", Role::Guest));
    let ServerMessage::Ready(ready) = &world.take(4)[0] else { panic!("not ready") };
    let publishing: Vec<bool> = ready.peers.iter().map(|peer| peer.publishing).collect();
    assert_eq!(publishing, [true, false, false]);
}

#[test]
fn leave_is_confirmed_and_told_at_once() {
    let mut world = three();
    world.say(2, Body::Leave);
    assert_eq!(world.heard(2), ["leave left stop"]);
    assert_eq!(world.heard(1), ["left bob left"]);
    world.say(2, message(None, "1"));
    assert_eq!(world.heard(1), [""; 0], "one that left is not heard");
}

#[test]
fn peers_are_numbered_in_the_order_they_came_and_no_number_comes_twice() {
    let mut world = three();
    world.say(2, Body::Leave);
    world.join(5, "bob");
    let peers = world.hub.peers(&"r".into()).expect("open");
    let seen: Vec<(&str, u64)> = peers.iter().map(|it| (it.peer.as_str(), it.number)).collect();
    assert_eq!(seen, [("ann", 1), ("cy", 3), ("bob", 4)]);
}
