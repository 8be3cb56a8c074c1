//! What is kept of the relay's events, for whom, and for how long.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::*;
use crate::net::{ClientAddr, Flow, Transport};
use crate::turn::{AllocationId, EndReason, Summary, TOLD_WHILE_WATCHED};

const HERE: &str = "198.51.100.9";

fn at(seconds: u64) -> UnixTime {
    UnixTime(1_800_000_000 + seconds)
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn flow(client: &str) -> Flow {
    let local = SocketAddr::from(([192, 0, 2, 1], 3478));
    let remote = ClientAddr(SocketAddr::new(ip(client), 4000));
    Flow { transport: Transport::Tcp, local, remote }
}

fn refused(client: &str, username: &str, suppressed: u64) -> Event {
    Event::Refused {
        flow: flow(client),
        method: "allocate",
        code: 401,
        why: "expired 40 s ago".to_owned(),
        username: Some(username.into()),
        suppressed,
    }
}

fn closed(username: &str) -> Event {
    Event::AllocationClosed(Box::new(Summary {
        id: AllocationId(7),
        flow: flow(HERE),
        username: username.into(),
        relayed: vec![SocketAddr::from(([192, 0, 2, 1], 50_000))],
        age: Duration::from_secs(1),
        bytes_up: 0,
        bytes_down: 0,
        packets_up: 0,
        packets_down: 0,
        peers: 0,
        reason: EndReason::Ended,
    }))
}

fn json(account: &Account) -> serde_json::Value {
    serde_json::to_value(&account.seen).expect("it is JSON")
}

#[test]
fn a_test_is_told_what_became_of_its_credential_and_of_no_other() {
    let witness = Witness::default();
    assert!(witness.begin(at(0), "abc", "9:check-abc", at(300)));
    witness.saw(at(1), &refused(HERE, "9:check-abc", 0));
    witness.saw(at(2), &refused(HERE, "9:somebody", 0));
    witness.saw(at(3), &closed("9:check-abc"));
    let account = witness.of_check(at(4), "abc").expect("it is there");
    assert_eq!(account.missing, 0);
    let refused = serde_json::json!({
        "at": at(1).0, "kind": "refused", "transport": "tcp", "client": "198.51.100.9:4000",
        "method": "allocate", "code": 401, "why": "expired 40 s ago",
    });
    let closed = serde_json::json!({
        "at": at(3).0, "kind": "closed", "transport": "tcp", "client": "198.51.100.9:4000",
        "why": "ended", "relayed": ["192.0.2.1:50000"],
    });
    assert_eq!(json(&account), serde_json::json!([refused, closed]));
    assert!(witness.of_check(at(4), "other").is_none());
    assert!(witness.of_check(at(899), "abc").is_some(), "some minutes beyond its credential");
    assert!(witness.of_check(at(901), "abc").is_none());
}

#[test]
fn a_username_is_told_of_to_its_own_address_alone() {
    let witness = Witness::default();
    witness.saw(at(0), &refused(HERE, "alice", 0));
    witness.saw(at(0), &refused("2001:db8::1", "alice", 0));
    let seen = |client: &str| witness.of_username(at(1), "alice", ip(client)).seen.len();
    assert_eq!(seen(HERE), 1);
    assert_eq!(seen("198.51.100.10"), 0);
    assert_eq!(seen("2001:db8::ffff"), 1, "a /64 is one client");
    assert_eq!(witness.of_username(at(601), "alice", ip(HERE)).seen, [], "ten minutes later");
}

#[test]
fn strangers_cannot_crowd_a_test_out() {
    let witness = Witness::default();
    assert!(witness.begin(at(0), "abc", "9:check-abc", at(300)));
    witness.saw(at(1), &refused(HERE, "9:check-abc", 0));
    for stranger in 0..5000 {
        witness.saw(at(2), &refused("203.0.113.1", &stranger.to_string(), 90));
    }
    let account = witness.of_check(at(3), "abc").expect("it is there");
    assert_eq!((account.seen.len(), account.missing), (1, 0));
    assert_eq!(witness.of_username(at(3), "0", ip("203.0.113.1")).seen, [], "it made room");
    assert_eq!(witness.of_username(at(3), "4999", ip("203.0.113.1")).seen.len(), 1);
    assert!(witness.memory().stories.len() <= 513);
}

#[test]
fn tests_have_a_bound_and_end() {
    let witness = Witness::default();
    let begin = |now, check: usize| {
        let check = check.to_string();
        witness.begin(at(now), &check, &check, at(now + 300))
    };
    assert!((0..MAX_CHECKS).all(|check| begin(0, check)));
    assert!(!begin(0, MAX_CHECKS));
    assert!(begin(901, MAX_CHECKS), "the others are over");
}

#[test]
fn what_may_be_missing_is_said() {
    let witness = Witness::default();
    witness.saw(at(0), &refused(HERE, "somebody", 17));
    let missing = |now| witness.of_username(at(now), "alice", ip(HERE)).missing;
    assert_eq!(missing(60), 17, "nobody waited for alice's");
    // She is watched now: later floods do not hide her refusals.
    witness.saw(at(180), &refused(HERE, "somebody", 5));
    assert_eq!(missing(179), 17);
    assert_eq!(missing(185), 17);
    for _ in 0..TOLD_WHILE_WATCHED {
        witness.saw(at(190), &refused(HERE, "alice", 0));
    }
    assert_eq!(missing(190), 22, "more than that are not told");
    witness.saw(at(191), &closed("alice"));
    assert_eq!(missing(191), 23, "and one made room");
    assert_eq!(missing(2000), 0, "that was long ago");
}

#[test]
fn the_last_refusals_are_kept_the_newest_first() {
    let witness = Witness::default();
    for n in 0..600 {
        witness.saw(at(n), &refused(HERE, &format!("user{n}\n"), 0));
    }
    let refusals = serde_json::to_value(witness.refusals(1000)).expect("it is JSON");
    assert_eq!(refusals.as_array().map(Vec::len), Some(MAX_REFUSALS));
    assert_eq!(
        refusals[0],
        serde_json::json!({
            "at": at(599).0, "method": "allocate", "code": 401, "why": "expired 40 s ago",
            "client": "198.51.100.9:4000", "transport": "tcp", "username": "user599\\n",
        })
    );
    assert_eq!(witness.refusals(3).len(), 3);
}
