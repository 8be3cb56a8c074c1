//! Operators look through the door of a running relay, over all of its shards.

use std::collections::HashSet;
use std::net::UdpSocket;
use std::time::Duration;

use relayhouse::relay::Unanswered;
use relayhouse::stun::Class;
use relayhouse::turn::{AllocationId, EndReason, Event};

use super::client::Client;
use super::{eventually, relay};

const FIRST: AllocationId = AllocationId(0);

#[test]
fn the_allocations_of_all_shards_are_listed_in_one_order() {
    let (relay, server) = relay();
    let door = relay.allocations();
    assert_eq!(door.list(FIRST, None, 10).expect("an answer").allocations, []);
    let mut clients: Vec<_> = (0..40).map(|_| Client::new(server)).collect();
    let relayed: HashSet<_> =
        clients.iter_mut().map(|client| client.allocate().expect("an allocation")).collect();

    let mut found = HashSet::new();
    let (mut after, mut last) = (Some(FIRST), FIRST);
    while let Some(from) = after {
        let page = door.list(from, None, 7).expect("an answer");
        assert!(page.allocations.len() <= 7);
        for view in page.allocations {
            assert!(view.id > last, "the oldest first, none twice");
            last = view.id;
            found.extend(view.relayed);
        }
        after = page.more_after;
    }
    assert_eq!(found, relayed);
    assert_eq!(door.list(FIRST, Some("nobody"), 10).expect("an answer").allocations, []);
    assert_eq!(door.list(FIRST, Some("alice"), 99).expect("an answer").allocations.len(), 40);
}

#[test]
fn an_allocation_is_ended_on_whichever_shard_it_is() {
    let (mut relay, server) = relay();
    let events = relay.events().expect("the first to ask gets them");
    let door = relay.allocations();
    let mut clients: Vec<_> = (0..8).map(|_| Client::new(server)).collect();
    let relayed: Vec<_> =
        clients.iter_mut().map(|client| client.allocate().expect("an allocation")).collect();
    for view in door.list(FIRST, None, 100).expect("an answer").allocations {
        assert_eq!(door.end(view.id), Ok(true));
        assert_eq!(door.end(view.id), Ok(false), "once");
    }
    assert_eq!(relay.counters().allocations, 0);
    for port in relayed {
        eventually("its port is free", || UdpSocket::bind(port).is_ok());
    }
    let ended = |event: &Event| match event {
        Event::AllocationClosed(summary) => summary.reason == EndReason::Ended,
        _ => false,
    };
    let mut told = 0;
    eventually("all are told", || {
        told += events.try_iter().filter(ended).count();
        told == 8
    });
    assert_eq!(clients[0].refresh(600), Class::Error, "its client is told");
}

#[test]
fn a_relay_that_has_stopped_says_so() {
    let (relay, _) = relay();
    let door = relay.allocations();
    relay.shutdown(Duration::from_secs(5));
    assert_eq!(door.list(FIRST, None, 10), Err(Unanswered::Stopping));
    assert_eq!(door.end(FIRST), Err(Unanswered::Stopping));
    assert_eq!(door.watch("alice", Duration::from_secs(1)), Err(Unanswered::Stopping));
}

#[test]
fn many_who_ask_at_once_all_get_an_answer() {
    let (relay, server) = relay();
    let mut clients: Vec<_> = (0..20).map(|_| Client::new(server)).collect();
    for client in &mut clients {
        client.allocate().expect("an allocation");
    }
    let ask = || {
        let door = relay.allocations();
        (0..50).all(|_| door.list(FIRST, None, 100).is_ok_and(|page| page.allocations.len() == 20))
    };
    std::thread::scope(|scope| {
        let askers: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        assert!(askers.into_iter().all(|asker| asker.join().expect("no panic")));
    });
}
