//! A dropped connection comes back: same peer, what it missed in order, once.

use super::*;

const WITHIN: Duration = Duration::from_secs(29);
const RESUME: Duration = Duration::from_secs(30);

/// Ann and bob, with bob's token; what they were told so far is confirmed and forgotten.
fn two() -> (World, ResumeToken) {
    let mut world = World::new();
    world.join(1, "ann");
    let token = world.join(2, "bob");
    world.hub.acknowledge(ConnId(1), 1);
    world.inbox.clear();
    (world, token)
}

#[test]
fn what_was_missed_is_replayed_in_order_and_once() {
    let (mut world, token) = two();
    world.drop_connection(2);
    for payload in ["1", "2", "3"] {
        world.say(1, message(Some("bob"), payload));
    }
    world.wait(WITHIN);
    world.resume(3, "bob", &token, None);
    let expected = ["resumed [ann]", "message ann 1", "message ann 2", "message ann 3"];
    assert_eq!(world.heard(3), expected);
    world.hub.acknowledge(ConnId(3), 3);
    world.drop_connection(3);
    world.resume(4, "bob", &token, None);
    assert_eq!(world.heard(4), ["resumed [ann]"]);
}

#[test]
fn the_others_see_nothing_of_an_absence_that_ends_in_time() {
    let (mut world, token) = two();
    world.drop_connection(2);
    world.wait(WITHIN);
    world.resume(3, "bob", &token, None);
    world.wait(RESUME * 3);
    assert_eq!(world.heard(1), [""; 0]);
    assert_eq!(world.hub.stats().peers, 2);
}

#[test]
fn an_absence_that_lasts_is_told_when_its_time_is_over() {
    let (mut world, token) = two();
    world.drop_connection(2);
    world.wait(WITHIN);
    assert_eq!(world.heard(1), [""; 0]);
    world.wait(Duration::from_secs(1));
    assert_eq!(world.heard(1), ["left bob dropped"]);
    world.resume(3, "bob", &token, None);
    assert_eq!(world.heard(3), ["ready [ann]"], "too late: a fresh join");
}

#[test]
fn what_was_sent_into_a_dead_connection_is_not_lost() {
    let (mut world, token) = two();
    world.say(1, message(Some("bob"), "1"));
    world.say(1, message(Some("bob"), "2"));
    world.hub.acknowledge(ConnId(2), 1);
    world.drop_connection(2);
    world.resume(3, "bob", &token, None);
    assert_eq!(world.heard(3), ["resumed [ann]", "message ann 2"]);
}

#[test]
fn a_client_that_says_what_it_saw_gets_exactly_the_rest() {
    let (mut world, token) = two();
    for payload in ["1", "2", "3"] {
        world.say(1, message(Some("bob"), payload));
    }
    let seen = world.take_numbered(2)[1].seq;
    world.drop_connection(2);
    world.resume(3, "bob", &token, seen);
    assert_eq!(world.heard(3), ["resumed [ann]", "message ann 3"]);
}

#[test]
fn a_client_that_saw_less_than_it_confirmed_begins_anew() {
    let (mut world, token) = two();
    world.say(1, message(Some("bob"), "1"));
    world.hub.acknowledge(ConnId(2), 1);
    world.drop_connection(2);
    world.resume(3, "bob", &token, Some(0));
    assert_eq!(world.heard(3), ["ready [ann]"]);
}

#[test]
fn a_resume_takes_over_from_a_connection_that_only_seems_alive() {
    let (mut world, token) = two();
    world.resume(3, "bob", &token, None);
    assert_eq!(world.heard(2), ["leave replaced stop"]);
    assert_eq!(world.heard(3), ["resumed [ann]"]);
    assert_eq!(world.heard(1), [""; 0]);
}

#[test]
fn a_token_of_somebody_else_is_no_token() {
    let (mut world, bobs) = two();
    world.drop_connection(1);
    world.say(2, message(Some("ann"), "\"secret\""));
    world.resume(3, "ann", &bobs, None);
    assert_eq!(world.heard(3), ["ready [bob]"], "nothing is replayed");
}

#[test]
fn the_peers_of_a_resumed_ready_are_those_before_the_replay() {
    let (mut world, token) = two();
    world.join(5, "cy");
    world.hub.acknowledge(ConnId(2), 1);
    world.say(5, Body::Media { publishing: true });
    world.hub.acknowledge(ConnId(2), 2);
    world.drop_connection(2);
    world.say(5, Body::Media { publishing: false });
    world.say(5, Body::Leave);
    world.join(6, "dan");
    world.resume(3, "bob", &token, None);
    let got = world.take(3);
    let words: Vec<String> = got.iter().map(word).collect();
    let expected = ["resumed [ann cy]", "media cy false", "left cy left", "joined dan"];
    assert_eq!(words, expected);
    let ServerMessage::Ready(ready) = &got[0] else { panic!("not ready") };
    assert!(ready.peers[1].publishing, "as bob last knew it");
}

#[test]
fn polite_bits_stay_as_they_were() {
    let mut world = World::new();
    let token = world.join(1, "ann");
    world.join(2, "bob");
    world.hub.acknowledge(ConnId(1), 1);
    world.drop_connection(1);
    world.resume(3, "ann", &token, None);
    let ServerMessage::Ready(ready) = &world.take(3)[0] else { panic!("not ready") };
    assert!(!ready.peers[0].polite);
}

#[test]
fn numbers_go_on_over_a_resume() {
    let (mut world, token) = two();
    world.say(1, message(Some("bob"), "1"));
    world.drop_connection(2);
    world.say(1, message(Some("bob"), "2"));
    world.resume(3, "bob", &token, Some(1));
    world.say(1, message(Some("bob"), "3"));
    let numbers: Vec<_> = world.take_numbered(3).iter().map(|it| it.seq).collect();
    assert_eq!(numbers, [None, Some(2), Some(3)]);
}

#[test]
fn a_peer_that_cannot_resume_is_gone_when_its_connection_breaks() {
    let mut world = World::new();
    world.join(1, "ann");
    let bob = || Hello { keeps_place: false, ..hello("r", "bob", Role::Guest) };
    world.connect(2, bob());
    world.heard(1);
    world.drop_connection(2);
    assert_eq!(world.heard(1), ["left bob dropped"]);
    world.connect(3, bob());
    world.heard(1);
    world.hub.disconnect(world.now, ConnId(3), Gone::Slow);
    world.drain();
    assert_eq!(world.heard(1), ["left bob slow"]);
    assert_eq!(world.hub.stats().peers, 1);
}

#[test]
fn a_reader_that_cannot_resume_is_gone_when_it_is_too_slow() {
    let mut world = World::new();
    world.join(1, "ann");
    world.connect(2, Hello { keeps_place: false, ..hello("r", "bob", Role::Guest) });
    let most = world.hub.limits().queue_messages;
    for _ in 0..=most {
        world.say(1, message(Some("bob"), "1"));
        world.hub.acknowledge(ConnId(1), u64::MAX);
        world.wait(Duration::from_millis(100));
    }
    assert_eq!(world.heard(2).last().map(String::as_str), Some("leave slow resume"));
    assert_eq!(world.heard(1).last().map(String::as_str), Some("left bob slow"));
    assert_eq!(world.hub.stats().peers, 1);
}
