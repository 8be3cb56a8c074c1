//! What operators need beyond the letter: to see who relays what, to end one, and to hear about the
//! refusals they wait for.

use std::time::Duration;

use relayhouse::stun::Method;
use relayhouse::turn::{AllocationId, EndReason, Event, Listing};

use crate::machine::*;

const FIRST: AllocationId = AllocationId(0);

fn list(world: &mut World, after: AllocationId, most: usize) -> Listing {
    world.relay.list(world.now, after, None, most)
}

fn clients(world: &mut World, count: u16) -> Vec<Client> {
    let open = |port| {
        let mut client = Client::at(&format!("203.0.113.7:{port}"));
        client.allocate(world);
        client
    };
    (4000..4000 + count).map(open).collect()
}

#[test]
fn a_listing_says_who_relays_what_for_how_long_and_until_when() {
    let mut world = World::new();
    let username = format!("{}:carol", START + 600);
    let secret = relayhouse::creds::Secret::from(SECRET.to_owned());
    let until = relayhouse::time::UnixTime(START + 600);
    let minted = relayhouse::creds::rest::mint(&secret, "carol", until, ':').expect("minted");
    let mut client = Client::at("203.0.113.7:4000").named(&username, &minted.credential);
    let relayed = client.allocate(&mut world);
    client.permit(&mut world, "192.0.2.1:9");
    client.bind(&mut world, 0x4000, "192.0.2.2:9");
    client.send_channel(&mut world, 0x4000, b"12345");
    world.peer_sends(port_of(relayed), addr("192.0.2.2:9"), b"123");
    world.pass_secs(10);

    let page = list(&mut world, FIRST, 10);
    assert_eq!((page.allocations.len(), page.more_after), (1, None));
    let view = &page.allocations[0];
    assert_eq!((&*view.user, &*view.username), ("carol", &*username));
    assert_eq!((view.flow, &view.relayed), (client.flow, &vec![relayed]));
    assert_eq!((view.age, view.expires_in), (Duration::from_secs(10), Duration::from_secs(590)));
    assert_eq!((view.permissions, view.channels), (2, 1));
    assert_eq!((view.bytes_up, view.bytes_down), (5, 3));
    assert_eq!((view.packets_up, view.packets_down), (1, 1));
}

#[test]
fn permissions_and_channels_that_have_run_out_are_not_counted() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    client.bind(&mut world, 0x4000, "192.0.2.2:9");
    // Past the permission, before anything is swept.
    world.now = world.now.after(Duration::from_secs(301));
    let view = &list(&mut world, FIRST, 1).allocations[0];
    assert_eq!((view.permissions, view.channels), (0, 1));
}

#[test]
fn pages_follow_one_another_without_gap_or_repetition() {
    let mut world = World::new();
    let mut clients = clients(&mut world, 25);
    let whole = list(&mut world, FIRST, 100);
    assert_eq!((whole.allocations.len(), whole.more_after), (25, None));

    let first = list(&mut world, FIRST, 10);
    // The one where the page ended, and one behind it, go meanwhile.
    clients[9].refresh(&mut world, 0);
    clients[12].refresh(&mut world, 0);
    let second = list(&mut world, first.more_after.expect("more"), 10);
    let third = list(&mut world, second.more_after.expect("more"), 10);
    assert_eq!(third.more_after, None);
    let pages = [first, second, third].map(|page| page.allocations);
    let read: Vec<_> = pages.iter().flatten().map(|view| view.flow).collect();
    let gone = clients[12].flow;
    let expected = clients.iter().map(|client| client.flow).filter(|flow| *flow != gone);
    assert_eq!(read, expected.collect::<Vec<_>>());
}

#[test]
fn a_user_can_be_asked_for_alone() {
    let mut world = World::new();
    clients(&mut world, 5);
    let mut bob = Client::at("203.0.113.8:1").named("bob", "builder");
    bob.allocate(&mut world);
    let page = world.relay.list(world.now, FIRST, Some("bob"), 100);
    assert_eq!(page.allocations.len(), 1);
    assert_eq!(page.allocations[0].flow, bob.flow);
    let part = world.relay.list(world.now, FIRST, Some("bob"), 3);
    assert!(part.allocations.is_empty() && part.more_after.is_some(), "a bounded part of them");
    for (beginning, expected) in [("bo*", 1), ("ob*", 0), ("*", 6), ("bo", 0)] {
        let page = world.relay.list(world.now, FIRST, Some(beginning), 100);
        assert_eq!(page.allocations.len(), expected, "{beginning}");
    }
}

#[test]
fn rates_are_those_of_the_last_seconds() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    client.bind(&mut world, 0x4000, "192.0.2.2:9");
    world.pass_secs(60);
    for _ in 0..20 {
        client.send_channel(&mut world, 0x4000, &[0; 1000]);
        world.pass_secs(1);
    }
    let view = &list(&mut world, FIRST, 1).allocations[0];
    assert!((900..=1100).contains(&view.rate_up), "{view:?}");
    assert_eq!(view.rate_down, 0);
    world.pass_secs(20);
    assert_eq!(list(&mut world, FIRST, 1).allocations[0].rate_up, 0, "it is quiet now");
}

#[test]
fn an_allocation_that_is_ended_leaves_nothing_and_its_client_is_told_by_437() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    let id = list(&mut world, FIRST, 1).allocations[0].id;
    assert!(!world.relay.end_allocation(world.now, AllocationId(id.0 + 1)));
    assert!(world.relay.end_allocation(world.now, id));
    world.drive();
    world.assert_clean();
    let Some(Event::AllocationClosed(summary)) = world.events.last() else { panic!("it is told") };
    assert_eq!((summary.id, summary.reason), (id, EndReason::Ended));
    assert!(world.relay.counters().snapshot().allocations_ended.contains(&(EndReason::Ended, 1)));
    assert!(!world.relay.end_allocation(world.now, id), "once");
    assert_eq!(client.refresh(&mut world, 600).code(), 437);
    client.allocate(&mut world);
}

#[test]
fn what_is_still_being_opened_is_neither_listed_nor_ended() {
    let mut world = World::new();
    world.hold = true;
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(&mut world);
    let request = client.request(Method::ALLOCATE, |w| {
        w.put(&relayhouse::stun::RequestedTransport(17));
    });
    assert!(world.client_sends(client.flow, &request).is_empty());
    assert!(list(&mut world, FIRST, 10).allocations.is_empty());
    assert!(!world.relay.end_allocation(world.now, AllocationId(1)));
    assert_eq!(world.release().len(), 1, "it is opened all the same");
    assert_eq!(list(&mut world, FIRST, 10).allocations.len(), 1);
}

/// What was told of this username.
fn told(world: &World, name: &str) -> usize {
    let is_of = |event: &&Event| match event {
        Event::Refused { username, .. } => username.as_deref() == Some(name),
        _ => false,
    };
    world.events.iter().filter(is_of).count()
}

/// A request with a wrong password.
fn guess(world: &mut World, port: u16, name: &str) {
    let mut client = Client::at(&format!("203.0.113.9:{port}")).named(name, "wrong");
    client.greet(world);
    client.allocate_with(world, |_| {});
}

#[test]
fn refusals_that_somebody_waits_for_are_told_in_the_middle_of_a_flood() {
    let mut world = World::new();
    world.relay.watch(world.now, "bob", Duration::from_secs(60));
    (1000..1100).for_each(|port| guess(&mut world, port, "alice"));
    let alice = told(&world, "alice");
    assert!(alice < 100, "a flood is not told in full");
    (2000..2005).for_each(|port| guess(&mut world, port, "bob"));
    assert_eq!((told(&world, "bob"), told(&world, "alice")), (5, alice));

    world.pass_secs(60);
    (1000..1100).for_each(|port| guess(&mut world, port, "alice"));
    guess(&mut world, 3000, "bob");
    assert_eq!(told(&world, "bob"), 5, "nobody waits any more");
}

#[test]
fn who_is_watched_cannot_flood_either() {
    let mut world = World::new();
    world.relay.watch(world.now, "bob", Duration::from_secs(60));
    (1000..1200).for_each(|port| guess(&mut world, port, "bob"));
    assert!(told(&world, "bob") < 50, "{}", told(&world, "bob"));
}
