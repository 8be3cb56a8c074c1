//! Section 8: Refreshing an allocation.

use relayhouse::stun::{AdditionalAddressFamily, Lifetime, Method, RequestedAddressFamily};
use relayhouse::turn::DropReason;

use crate::machine::*;

/// 8.2: the lifetime is set anew, within the same bounds as in an Allocate.
#[test]
fn a_refresh_gives_a_new_lifetime() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    for (asked, granted) in [(1, 600), (1200, 1200), (999_999, 3600)] {
        let answer = client.refresh(&mut world, asked);
        assert_eq!(answer.code(), 0);
        assert_eq!(answer.get::<Lifetime>().expect("lifetime").0, granted);
        assert!(answer.message().verify_sha1(&client.key()));
    }
    world.pass_secs(3599);
    assert_eq!(world.relay.allocations(), 1);
    world.pass_secs(2);
    world.assert_clean();
}

/// 8.2: without LIFETIME the default holds.
#[test]
fn a_refresh_without_a_lifetime_gives_the_default() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    let answer = client.ask(&mut world, Method::REFRESH, |_| {});
    assert_eq!(answer.get::<Lifetime>().expect("lifetime").0, 600);
}

/// 8.2: a lifetime of 0 deletes the allocation at once; a retransmission then gets 437, which a
/// client takes as success.
#[test]
fn a_refresh_with_zero_deletes() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    let answer = client.refresh(&mut world, 0);
    assert_eq!(answer.get::<Lifetime>().expect("lifetime").0, 0);
    world.assert_clean();
    assert_eq!(client.refresh(&mut world, 0).code(), 437);
}

/// 8.2: with two families one may be deleted alone; the other lives on.
#[test]
fn one_of_two_families_can_be_deleted() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate_with(&mut world, |w| {
        w.put(&AdditionalAddressFamily(2));
    });
    assert_eq!(client.permit(&mut world, "[2001:db8:5::1]:9").code(), 0);
    let answer = client.ask(&mut world, Method::REFRESH, |w| {
        w.put(&Lifetime(0)).put(&RequestedAddressFamily(2));
    });
    assert_eq!(answer.code(), 0);
    assert_eq!(world.open.len(), 1);
    assert_eq!(client.permit(&mut world, "[2001:db8:5::1]:9").code(), 443);
    assert_eq!(client.permit(&mut world, "192.0.2.1:9").code(), 0);
    let gone = client.ask(&mut world, Method::REFRESH, |w| {
        w.put(&Lifetime(600)).put(&RequestedAddressFamily(2));
    });
    assert_eq!(gone.code(), 443);
    client.refresh(&mut world, 0);
    world.assert_clean();
}

/// 8.2: with two families one may be refreshed alone; the other ends in its time.
#[test]
fn one_of_two_families_can_outlive_the_other() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate_with(&mut world, |w| {
        w.put(&AdditionalAddressFamily(2));
    });
    client.ask(&mut world, Method::REFRESH, |w| {
        w.put(&Lifetime(1800)).put(&RequestedAddressFamily(1));
    });
    world.pass_secs(601);
    assert_eq!(world.open.len(), 1);
    assert_eq!(world.relay.allocations(), 1);
    world.pass_secs(1200);
    world.assert_clean();
}

/// 8.2: with a family's relayed address go its channels: its port may be another client's next, and
/// nothing may leave from there in that client's name.
#[test]
fn a_channel_of_an_expired_family_is_gone_with_it() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate_with(&mut world, |w| {
        w.put(&AdditionalAddressFamily(2));
    });
    let keep_ipv4 = client.ask(&mut world, Method::REFRESH, |w| {
        w.put(&Lifetime(1800)).put(&RequestedAddressFamily(1));
    });
    assert_eq!(keep_ipv4.code(), 0);
    world.pass_secs(590);
    assert_eq!(client.bind(&mut world, 0x4000, "[2001:db8:5::1]:9").code(), 0);
    assert_eq!(client.bind(&mut world, 0x4001, "192.0.2.9:9").code(), 0);
    world.pass_secs(20);
    assert_eq!(world.open.len(), 1);
    assert!(client.send_channel(&mut world, 0x4000, b"x").is_empty());
    assert_eq!(world.drops, [DropReason::NoChannel]);
    assert_eq!(client.send_channel(&mut world, 0x4001, b"x").len(), 1, "the other lives on");
}
