//! Quotas: 486 for a user's, 508 for the server's; bandwidth by token bucket.

use relayhouse::creds::{Secret, rest};
use relayhouse::stun::EvenPort;
use relayhouse::time::UnixTime;
use relayhouse::turn::{DropReason, Event, QuotaLimits, Settings};

use crate::machine::*;

fn with_quota(set: impl Fn(&mut QuotaLimits)) -> World {
    World::with(|settings: &mut Settings| set(&mut settings.quota))
}

fn code_of_next(world: &mut World, client: &mut Client) -> u16 {
    client.allocate_with(world, |_| {}).code()
}

#[test]
fn a_users_quota_is_486_and_is_given_back() {
    let mut world = with_quota(|quota| quota.per_user = 2);
    let mut clients: Vec<_> = (0..3).map(|n| Client::at(&format!("203.0.113.{n}:4000"))).collect();
    let codes: Vec<_> = clients.iter_mut().map(|c| code_of_next(&mut world, c)).collect();
    assert_eq!(codes, [0, 0, 486]);
    let mut bob = Client::at("203.0.113.0:4001").named("bob", "builder");
    assert_eq!(code_of_next(&mut world, &mut bob), 0, "another user's quota is another");
    clients[0].refresh(&mut world, 0);
    assert_eq!(code_of_next(&mut world, &mut clients[2]), 0);
}

#[test]
fn one_user_with_many_credentials_has_one_quota_and_a_credential_has_its_own() {
    let mint = |expires, subject: &str| {
        let secret = Secret::from(SECRET.to_owned());
        rest::mint(&secret, subject, UnixTime(expires), ':').expect("mints")
    };
    let mut world = with_quota(|quota| quota.per_user = 1);
    let codes: Vec<_> = (1..3)
        .map(|n| {
            let minted = mint(START + n, "carol");
            let mut client = Client::at(&format!("203.0.113.{n}:4000"))
                .named(&minted.username, &minted.credential);
            code_of_next(&mut world, &mut client)
        })
        .collect();
    assert_eq!(codes, [0, 486]);

    let mut world = with_quota(|quota| quota.per_credential = 1);
    let codes: Vec<_> = [1, 1, 2]
        .into_iter()
        .enumerate()
        .map(|(n, expiry)| {
            let minted = mint(START + expiry, "carol");
            let mut client = Client::at(&format!("203.0.113.{n}:4000"))
                .named(&minted.username, &minted.credential);
            code_of_next(&mut world, &mut client)
        })
        .collect();
    assert_eq!(codes, [0, 486, 0]);
}

#[test]
fn an_address_quota_counts_an_ipv6_site_as_one() {
    let mut world = with_quota(|quota| quota.per_address = 1);
    let codes: Vec<_> = [
        "203.0.113.7:1",
        "203.0.113.7:2",
        "203.0.113.8:1",
        "[2001:db8:9::1]:1",
        "[2001:db8:9::ffff]:1",
        "[2001:db8:9:1::1]:1",
    ]
    .into_iter()
    .map(|at| code_of_next(&mut world, &mut Client::at(at)))
    .collect();
    assert_eq!(codes, [0, 486, 0, 0, 486, 0]);
}

/// A reserved port is no allocation and counts in no quota: what one user may reserve is bounded, or
/// whoever may have one allocation could make and delete them until every port is reserved.
#[test]
fn one_user_cannot_reserve_every_port() {
    let mut world = with_quota(|quota| quota.per_user = 1);
    let mut client = Client::at("203.0.113.7:4000");
    let codes: Vec<_> = (0..100)
        .map(|_| {
            let answer = client.allocate_with(&mut world, |w| {
                w.put(&EvenPort { reserve_next: true });
            });
            client.refresh(&mut world, 0);
            answer.code()
        })
        .collect();
    assert_eq!((codes[31], codes[32]), (0, 508));
    assert_eq!(world.shared.ports_taken(), 32);
    let mut bob = Client::at("203.0.113.8:4000").named("bob", "builder");
    let answer = bob.allocate_with(&mut world, |w| {
        w.put(&EvenPort { reserve_next: true });
    });
    assert_eq!(answer.code(), 0, "another user's are another's");
    bob.refresh(&mut world, 0);
    world.pass_secs(31);
    world.assert_clean();
}

#[test]
fn the_servers_quota_is_508_and_spans_shards() {
    let mut settings = settings();
    settings.quota.allocations = 1;
    let shared = std::sync::Arc::new(relayhouse::turn::Shared::new(&settings, [1; 32]));
    let mut one = World::shard(settings.clone(), shared.clone(), [2; 32]);
    let mut two = World::shard(settings, shared, [3; 32]);
    assert_eq!(code_of_next(&mut one, &mut Client::at("203.0.113.7:1")), 0);
    assert_eq!(code_of_next(&mut two, &mut Client::at("203.0.113.7:2")), 508);
}

#[test]
fn a_refused_allocation_says_which_quota_in_the_log() {
    let mut world = with_quota(|quota| quota.per_user = 1);
    Client::at("203.0.113.7:1").allocate(&mut world);
    code_of_next(&mut world, &mut Client::at("203.0.113.7:2"));
    let why = world.events.iter().find_map(|event| match event {
        Event::Refused { code: 486, why, .. } => Some(why.clone()),
        _ => None,
    });
    assert!(why.expect("reported").contains("allocations_per_user"));
}

#[test]
fn what_is_over_the_bandwidth_is_dropped_counted_and_reported_once() {
    for set in [
        (|quota: &mut QuotaLimits| quota.bandwidth_per_allocation = 1000) as fn(&mut QuotaLimits),
        |quota: &mut QuotaLimits| quota.bandwidth_per_user = 1000,
        |quota: &mut QuotaLimits| quota.bandwidth = 1000,
    ] {
        let mut world = with_quota(set);
        let mut client = Client::at("203.0.113.7:4000");
        let relayed = client.allocate(&mut world);
        client.bind(&mut world, 0x4000, "192.0.2.9:9");
        let passed = (0..50)
            .filter(|_| !client.send_channel(&mut world, 0x4000, &[0; 100]).is_empty())
            .count();
        assert_eq!(passed, 10);
        assert_eq!(world.drops, vec![DropReason::Bandwidth; 40]);
        let reported =
            world.events.iter().filter(|event| matches!(event, Event::BandwidthExceeded { .. }));
        assert_eq!(reported.count(), 1);
        world.pass_secs(1);
        assert_eq!(client.send_channel(&mut world, 0x4000, &[0; 100]).len(), 1);
        let down = world.peer_sends(port_of(relayed), addr("192.0.2.9:9"), &[0; 100]);
        assert_eq!(down.len(), 1);
    }
}

/// A user's bandwidth is one for all of the user's allocations, each way, on whatever shard.
#[test]
fn all_allocations_of_a_user_share_one_bandwidth() {
    let mut settings = settings();
    settings.quota.bandwidth_per_user = 1000;
    let shared = std::sync::Arc::new(relayhouse::turn::Shared::new(&settings, [1; 32]));
    let mut worlds = [2, 3].map(|n| World::shard(settings.clone(), shared.clone(), [n; 32]));
    let mut open = |world: usize, mut client: Client| {
        let relayed = client.allocate(&mut worlds[world]);
        client.bind(&mut worlds[world], 0x4000, "192.0.2.9:9");
        (world, client, port_of(relayed))
    };
    let alices = [open(0, Client::at("203.0.113.1:1")), open(1, Client::at("203.0.113.2:1"))];
    let bobs = open(0, Client::at("203.0.113.3:1").named("bob", "builder"));
    let mut up = |(world, client, _): &(usize, Client, _)| {
        !client.send_channel(&mut worlds[*world], 0x4000, &[0; 100]).is_empty()
    };
    let passed = (0..10).flat_map(|_| &alices).filter(|one| up(one)).count();
    assert_eq!(passed, 10, "of both together");
    assert!(up(&bobs), "another user's is another's");
    let mut down = |(world, _, port): &(usize, Client, _)| {
        !worlds[*world].peer_sends(*port, addr("192.0.2.9:9"), &[0; 100]).is_empty()
    };
    assert!(down(&alices[0]), "the other way is another way");
}

/// A bucket lives as long as its user has an allocation: starting anew is no way around it.
#[test]
fn a_users_bandwidth_outlives_one_of_the_allocations() {
    let mut world = with_quota(|quota| quota.bandwidth_per_user = 1000);
    let mut stays = Client::at("203.0.113.1:1");
    stays.allocate(&mut world);
    let mut goes = Client::at("203.0.113.2:1");
    let mut passed = 0;
    for _ in 0..5 {
        goes.allocate(&mut world);
        goes.bind(&mut world, 0x4000, "192.0.2.9:9");
        passed += (0..10)
            .filter(|_| !goes.send_channel(&mut world, 0x4000, &[0; 100]).is_empty())
            .count();
        goes.refresh(&mut world, 0);
    }
    assert_eq!(passed, 10);
}
