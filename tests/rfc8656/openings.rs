//! Credentials that are good for a number of allocations, or of sessions: 486 when they are used up.

use relayhouse::creds::{Allowance, Secret, rest};
use relayhouse::stun::EvenPort;
use relayhouse::time::UnixTime;
use relayhouse::turn::{Event, OpenFailure};

use crate::machine::*;

const HOUR: u64 = 3600;

/// A credential of carol's, good for an hour and for `allowance`.
fn minted(allowance: Allowance) -> rest::Minted {
    let secret = Secret::from(SECRET.to_owned());
    let subject = allowance.mark("carol");
    rest::mint(&secret, &subject, UnixTime(START + HOUR), ':').expect("mints")
}

fn holder(minted: &rest::Minted, port: u16) -> Client {
    let at = format!("203.0.113.7:{port}");
    Client::at(&at).named(&minted.username, &minted.credential)
}

fn code_of_next(world: &mut World, client: &mut Client) -> u16 {
    client.allocate_with(world, |_| {}).code()
}

fn why(world: &World) -> String {
    let refused = world.events.iter().rev().find_map(|event| match event {
        Event::Refused { code: 486 | 508, why, .. } => Some(why.clone()),
        _ => None,
    });
    refused.expect("a refusal is told")
}

#[test]
fn a_credential_for_one_allocation_is_refused_the_second_time() {
    let (mut world, minted) = (World::new(), minted(Allowance::Allocations(1)));
    let mut first = holder(&minted, 1);
    assert_eq!(code_of_next(&mut world, &mut first), 0);
    assert_eq!(first.refresh(&mut world, 600).code(), 0, "what it opened lives on");
    assert_eq!(code_of_next(&mut world, &mut holder(&minted, 2)), 486);
    let expected = "the credential is used up: it was minted for one allocation";
    assert_eq!(why(&world), expected);
}

#[test]
fn it_stays_used_up_when_its_allocation_ends() {
    let (mut world, minted) = (World::new(), minted(Allowance::Allocations(1)));
    let mut first = holder(&minted, 1);
    assert_eq!(code_of_next(&mut world, &mut first), 0);
    assert_eq!(first.refresh(&mut world, 0).code(), 0);
    assert_eq!(code_of_next(&mut world, &mut first), 486);
    assert_eq!(code_of_next(&mut world, &mut holder(&minted, 2)), 486);
    world.assert_clean();
}

#[test]
fn it_is_counted_over_all_shards() {
    let shared = std::sync::Arc::new(relayhouse::turn::Shared::new(&settings(), [1; 32]));
    let mut worlds = [2, 3].map(|n| World::shard(settings(), shared.clone(), [n; 32]));
    let minted = minted(Allowance::Allocations(1));
    assert_eq!(code_of_next(&mut worlds[0], &mut holder(&minted, 1)), 0);
    assert_eq!(code_of_next(&mut worlds[1], &mut holder(&minted, 2)), 486);
}

/// The socket could not be opened: the client got 508 and may try again.
#[test]
fn an_allocation_that_failed_does_not_count() {
    let (mut world, minted) = (World::new(), minted(Allowance::Allocations(1)));
    world.refuse = Some(OpenFailure::Exhausted);
    assert_eq!(code_of_next(&mut world, &mut holder(&minted, 1)), 508);
    world.refuse = None;
    assert_eq!(code_of_next(&mut world, &mut holder(&minted, 2)), 0);
    assert_eq!(code_of_next(&mut world, &mut holder(&minted, 3)), 486);
}

/// No pair of ports was left, which is found out after the credential was counted.
#[test]
fn an_allocation_without_a_port_does_not_count() {
    let mut world = World::with(|settings| settings.ports = 50_000..=50_000);
    let minted = minted(Allowance::Allocations(1));
    let pair = holder(&minted, 1).allocate_with(&mut world, |w| {
        w.put(&EvenPort { reserve_next: true });
    });
    assert_eq!(pair.code(), 508);
    assert_eq!(code_of_next(&mut world, &mut holder(&minted, 2)), 0);
}

/// RFC 8489 section 6.3.1: a request retransmitted over UDP is one request.
#[test]
fn a_retransmission_counts_once() {
    let (mut world, minted) = (World::new(), minted(Allowance::Allocations(2)));
    let mut client = holder(&minted, 1);
    client.greet(&mut world);
    world.hold = true;
    let request = client.request(relayhouse::stun::Method::ALLOCATE, |writer| {
        writer.put(&relayhouse::stun::RequestedTransport(17));
    });
    for _ in 0..3 {
        world.client_sends(client.flow, &request);
    }
    world.hold = false;
    assert_eq!(world.release().len(), 1);
    let again = world.client_sends(client.flow, &request);
    assert_eq!(again[0].code(), 0, "the same answer");
    assert_eq!(code_of_next(&mut world, &mut holder(&minted, 2)), 0);
    assert_eq!(code_of_next(&mut world, &mut holder(&minted, 3)), 486);
}

/// A browser opens one for each URL, interface and address family, all within seconds.
#[test]
fn a_credential_for_one_session_opens_what_a_browser_opens_at_once() {
    let (mut world, minted) = (World::new(), minted(Allowance::Sessions(1)));
    for port in 1..7 {
        assert_eq!(code_of_next(&mut world, &mut holder(&minted, port)), 0);
        world.pass_secs(1);
    }
    let mut elsewhere = Client::at("[2001:db8:9::1]:1").named(&minted.username, &minted.credential);
    assert_eq!(code_of_next(&mut world, &mut elsewhere), 0, "another interface");
    world.pass_secs(30);
    assert_eq!(code_of_next(&mut world, &mut holder(&minted, 9)), 486);
    let expected = "the credential is used up: it was minted for one session, and what is opened 30 s \
                    after the first allocation of a session is another one";
    assert_eq!(why(&world), expected);
}

#[test]
fn the_quota_bounds_credentials_that_say_nothing_and_no_static_user() {
    let mut world = World::with(|settings| settings.quota.openings_per_credential = 1);
    let secret = Secret::from(SECRET.to_owned());
    let minted = rest::mint(&secret, "carol", UnixTime(START + HOUR), ':').expect("mints");
    assert_eq!(code_of_next(&mut world, &mut holder(&minted, 1)), 0);
    assert_eq!(code_of_next(&mut world, &mut holder(&minted, 2)), 486);
    let expected =
        "the credential is used up: `quota.openings_per_credential` allows 1 in its whole life";
    assert_eq!(why(&world), expected);
    for port in 3..5 {
        assert_eq!(code_of_next(&mut world, &mut Client::at(&format!("203.0.113.7:{port}"))), 0);
    }
}

/// The quota per user counts carol, whatever her credentials are good for.
#[test]
fn credentials_of_all_kinds_are_one_users() {
    let mut world = World::with(|settings| settings.quota.per_user = 2);
    let both = [Allowance::Allocations(5), Allowance::Sessions(5)].map(minted);
    assert_eq!(code_of_next(&mut world, &mut holder(&both[0], 1)), 0);
    assert_eq!(code_of_next(&mut world, &mut holder(&both[1], 2)), 0);
    assert_eq!(code_of_next(&mut world, &mut holder(&both[1], 3)), 486);
    assert!(why(&world).contains("allocations_per_user"), "{}", why(&world));
}

#[test]
fn an_opened_allocation_says_which_secret_its_credential_was_made_with() {
    let (mut world, minted) = (World::new(), minted(Allowance::Allocations(1)));
    code_of_next(&mut world, &mut holder(&minted, 1));
    code_of_next(&mut world, &mut Client::at("203.0.113.7:2"));
    let secrets: Vec<_> = world
        .events
        .iter()
        .filter_map(|event| match event {
            Event::AllocationOpened { secret, .. } => Some(*secret),
            _ => None,
        })
        .collect();
    assert_eq!(secrets, [Some(Secret::from(SECRET).id()), None]);
}
