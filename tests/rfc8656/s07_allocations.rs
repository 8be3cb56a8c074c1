//! Section 7: Allocations.

use relayhouse::stun::{
    AdditionalAddressFamily, AttributeType, DontFragment, EvenPort, Lifetime, Method,
    RequestedAddressFamily, RequestedTransport, ReservationToken, XorMappedAddress,
    XorRelayedAddress,
};
use relayhouse::turn::{Event, OpenFailure};

use crate::machine::*;

/// 7.2 step 1: the server requires authentication; a request without it is answered with 401.
#[test]
fn an_allocate_without_credentials_is_challenged_and_stores_nothing() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(&mut world);
    assert!(!client.nonce.is_empty());
    world.assert_clean();
}

/// 7.2: a success carries XOR-RELAYED-ADDRESS, XOR-MAPPED-ADDRESS and LIFETIME, with integrity.
#[test]
fn an_allocation_is_answered_with_its_addresses_and_lifetime_once_its_socket_is_open() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(&mut world);
    world.hold = true;
    let request = client.request(Method::ALLOCATE, |w| {
        w.put(&RequestedTransport(17));
    });
    assert!(world.client_sends(client.flow, &request).is_empty(), "the socket is not open yet");
    let sent = world.release();
    assert_eq!(sent.len(), 1);
    let answer = &sent[0];
    assert_eq!(answer.code(), 0);
    assert!(answer.message().verify_sha1(&client.key()));
    assert_eq!(answer.get::<XorMappedAddress>().expect("mapped").0, addr("203.0.113.7:4000"));
    assert_eq!(answer.get::<Lifetime>().expect("lifetime").0, 600);
    let relayed = answer.get::<XorRelayedAddress>().expect("relayed").0;
    assert_eq!(relayed.ip(), ip("198.51.100.1"));
    assert!((50_000..=50_999).contains(&relayed.port()));
    assert!(matches!(world.events[0], Event::AllocationOpened { .. }));
}

/// 7.2 step 2: a five-tuple that is in use is answered with 437.
#[test]
fn a_second_allocate_on_a_five_tuple_is_a_mismatch() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    assert_eq!(client.allocate_with(&mut world, |_| {}).code(), 437);
    let mut other = client.clone().named("bob", "builder");
    assert_eq!(other.allocate_with(&mut world, |_| {}).code(), 437);
    assert_eq!(world.relay.allocations(), 1);
}

/// 7.2 step 2: a retransmission (same transaction) gets the same answer.
#[test]
fn a_retransmitted_allocate_gets_the_same_answer() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(&mut world);
    let request = client.request(Method::ALLOCATE, |w| {
        w.put(&RequestedTransport(17));
    });
    let first = client.exchange(&mut world, &request);
    let again = client.exchange(&mut world, &request);
    assert_eq!(first, again);
    assert_eq!(world.relay.allocations(), 1);
}

/// 7.2 step 3: REQUESTED-TRANSPORT is required (400) and must be one that is served (442). TCP has
/// tests of its own, in `tests/rfc6062`.
#[test]
fn the_requested_transport_must_be_there_and_be_served() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(&mut world);
    assert_eq!(client.ask(&mut world, Method::ALLOCATE, |_| {}).code(), 400);
    let sctp = client.ask(&mut world, Method::ALLOCATE, |w| {
        w.put(&RequestedTransport(132));
    });
    assert_eq!(sctp.code(), 442);
    world.assert_clean();
}

/// 7.2 step 4: DONT-FRAGMENT in an Allocate is accepted by a server that supports it.
#[test]
fn dont_fragment_is_accepted() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let answer = client.allocate_with(&mut world, |w| {
        w.put(&DontFragment);
    });
    assert_eq!(answer.code(), 0);
}

/// 7.2 steps 5 to 8: a token beside EVEN-PORT or a family, or two families' attributes, are 400.
#[test]
fn attributes_that_contradict_each_other_are_a_bad_request() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let token = ReservationToken([1; 8]);
    let even = |reserve_next| EvenPort { reserve_next };
    let answers = [
        client.allocate_with(&mut world, |w| {
            w.put(&token).put(&even(false));
        }),
        client.allocate_with(&mut world, |w| {
            w.put(&token).put(&RequestedAddressFamily(1));
        }),
        client.allocate_with(&mut world, |w| {
            w.put(&token).put(&AdditionalAddressFamily(2));
        }),
        client.allocate_with(&mut world, |w| {
            w.put(&RequestedAddressFamily(1)).put(&AdditionalAddressFamily(2));
        }),
        client.allocate_with(&mut world, |w| {
            w.put(&AdditionalAddressFamily(1));
        }),
        client.allocate_with(&mut world, |w| {
            w.put(&AdditionalAddressFamily(2)).put(&even(true));
        }),
    ];
    assert_eq!(answers.map(|answer| answer.code()), [400; 6]);
    world.assert_clean();
}

/// 7.2 step 5: an unknown RESERVATION-TOKEN is 508.
#[test]
fn an_unknown_token_is_insufficient_capacity() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let answer = client.allocate_with(&mut world, |w| {
        w.put(&ReservationToken([9; 8]));
    });
    assert_eq!(answer.code(), 508);
    world.assert_clean();
}

/// 7.2: EVEN-PORT gives an even port; with R the next higher is kept for the token, once.
#[test]
fn an_even_port_reserves_its_neighbour_for_whoever_brings_the_token() {
    let mut world = World::new();
    let mut rtp = Client::at("203.0.113.7:4000");
    let answer = rtp.allocate_with(&mut world, |w| {
        w.put(&EvenPort { reserve_next: true });
    });
    let even = answer.get::<XorRelayedAddress>().expect("relayed").0;
    assert_eq!(even.port() % 2, 0);
    let token = answer.get::<ReservationToken>().expect("a token");
    let mut rtcp = Client::at("203.0.113.7:4001");
    let answer = rtcp.allocate_with(&mut world, |w| {
        w.put(&token);
    });
    let odd = answer.get::<XorRelayedAddress>().expect("relayed").0;
    assert_eq!(odd.port(), even.port() + 1);
    let mut late = Client::at("203.0.113.7:4002");
    let again = late.allocate_with(&mut world, |w| {
        w.put(&token);
    });
    assert_eq!(again.code(), 508);
    rtp.refresh(&mut world, 0);
    rtcp.refresh(&mut world, 0);
    world.assert_clean();
}

/// 7.2: a reserved port is kept for 30 seconds, then it is free again.
#[test]
fn a_reservation_nobody_redeems_is_freed() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate_with(&mut world, |w| {
        w.put(&EvenPort { reserve_next: true });
    });
    assert_eq!(world.shared.ports_taken(), 2);
    world.pass_secs(31);
    assert_eq!(world.shared.ports_taken(), 1);
    client.refresh(&mut world, 0);
    world.assert_clean();
}

/// 7.2: EVEN-PORT without R claims one port (another server leaked one each time).
#[test]
fn an_even_port_without_reservation_leaks_nothing() {
    let mut world = World::with(|settings| settings.ports = 50_000..=50_009);
    for port in 0..1000 {
        let mut client = Client::at(&format!("203.0.113.7:{}", 4000 + port));
        let answer = client.allocate_with(&mut world, |w| {
            w.put(&EvenPort { reserve_next: false });
        });
        assert_eq!(answer.code(), 0);
        client.refresh(&mut world, 0);
    }
    world.assert_clean();
}

/// 7.2: LIFETIME is never below the default of 600 s and never over the server's maximum.
#[test]
fn the_lifetime_is_clamped() {
    let mut world = World::new();
    for (port, (asked, granted)) in
        [(1, 600), (599, 600), (1800, 1800), (u32::MAX, 3600)].into_iter().enumerate()
    {
        let mut client = Client::at(&format!("203.0.113.7:{}", 4000 + port));
        let answer = client.allocate_with(&mut world, |w| {
            w.put(&Lifetime(asked));
        });
        assert_eq!(answer.get::<Lifetime>().expect("lifetime").0, granted);
    }
}

/// 7.2: REQUESTED-ADDRESS-FAMILY chooses; a family that the server lacks, or nobody has, is 440.
#[test]
fn the_family_is_the_one_asked_for_or_440() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let answer = client.allocate_with(&mut world, |w| {
        w.put(&RequestedAddressFamily(2));
    });
    assert!(answer.get::<XorRelayedAddress>().expect("relayed").0.is_ipv6());
    let mut client = Client::at("203.0.113.7:4001");
    let nobody = client.allocate_with(&mut world, |w| {
        w.put(&RequestedAddressFamily(3));
    });
    assert_eq!(nobody.code(), 440);
    let mut world = World::with(|settings| settings.relay_addresses.truncate(1));
    let mut client = Client::at("203.0.113.7:4002");
    let lacking = client.allocate_with(&mut world, |w| {
        w.put(&RequestedAddressFamily(2));
    });
    assert_eq!(lacking.code(), 440);
    world.assert_clean();
}

/// 7.2: ADDITIONAL-ADDRESS-FAMILY gives both families in one allocation.
#[test]
fn an_additional_family_gives_two_relayed_addresses() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let answer = client.allocate_with(&mut world, |w| {
        w.put(&AdditionalAddressFamily(2));
    });
    let message = answer.message();
    let relayed: Vec<_> =
        message.all::<XorRelayedAddress>().map(|one| one.expect("well-formed").0).collect();
    assert!(relayed.len() == 2 && relayed[0].is_ipv4() && relayed[1].is_ipv6());
    assert_eq!(client.refresh(&mut world, 0).code(), 0);
    world.assert_clean();
}

/// 7.2: where the additional family cannot be had, ADDRESS-ERROR-CODE says so in the code point
/// the client speaks.
#[test]
fn a_missing_additional_family_is_told_in_the_clients_own_code_point() {
    let only_v4 = |settings: &mut relayhouse::turn::Settings| settings.relay_addresses.truncate(1);
    for (old, expected) in
        [(false, AttributeType::ADDRESS_ERROR_CODE), (true, AttributeType::OLD_ADDRESS_ERROR_CODE)]
    {
        let mut world = World::with(only_v4);
        let mut client = Client::at("203.0.113.7:4000");
        let answer = client.allocate_with(&mut world, |w| {
            match old {
                true => w.put_as(
                    AttributeType::OLD_ADDITIONAL_ADDRESS_FAMILY,
                    &AdditionalAddressFamily(2),
                ),
                false => w.put(&AdditionalAddressFamily(2)),
            };
        });
        assert_eq!(answer.code(), 0);
        assert!(answer.message().has(expected), "old: {old}");
    }
}

/// 7.2: a socket that cannot be opened is 508, and nothing is kept of the attempt.
#[test]
fn a_socket_that_cannot_be_opened_is_508_and_leaks_no_quota() {
    for failure in [OpenFailure::InUse, OpenFailure::Exhausted] {
        let mut world = World::with(|settings| settings.quota.per_user = 1);
        let mut client = Client::at("203.0.113.7:4000");
        world.refuse = Some(failure);
        for _ in 0..3 {
            assert_eq!(client.allocate_with(&mut world, |_| {}).code(), 508);
        }
        world.assert_clean();
        world.refuse = None;
        client.allocate(&mut world);
    }
}

/// 7.2: an operator reads why no socket could be opened, a bounded number of times.
#[test]
fn a_socket_that_cannot_be_opened_is_explained() {
    for (failure, expected) in
        [(OpenFailure::InUse, "`relay.ports`"), (OpenFailure::Exhausted, "descriptors")]
    {
        let mut world = World::new();
        world.refuse = Some(failure);
        let mut client = Client::at("203.0.113.7:4000");
        for _ in 0..20 {
            client.allocate_with(&mut world, |_| {});
        }
        assert_eq!(world.events.len(), 10);
        let Event::Refused { method, code, why, username, .. } = &world.events[0] else {
            panic!("a refusal");
        };
        assert_eq!((*method, *code, username.as_deref()), ("allocate", 508, Some("alice")));
        assert!(why.contains(expected), "{why}");
    }
}

/// 7.2: a port another program sits on is no reason to refuse: the next one is tried.
#[test]
fn a_port_in_use_is_passed_over() {
    let mut world = World::new();
    world.refuse_first = 3;
    Client::at("203.0.113.7:4000").allocate(&mut world);
    assert_eq!(world.shared.ports_taken(), 1);
}

/// 7.2: a port in use is replaced by any other where the client asked for any, by an even one where
/// it asked for that.
#[test]
fn an_odd_port_takes_the_place_of_an_even_one_unless_that_was_asked_for() {
    for seed in 0..8 {
        let mut settings = settings();
        settings.ports = 50_000..=50_001;
        let shared = std::sync::Arc::new(relayhouse::turn::Shared::new(&settings, [1; 32]));
        let mut world = World::shard(settings, shared, [seed; 32]);
        world.refuse_first = 1;
        let mut client = Client::at("203.0.113.7:4000");
        assert_eq!(client.allocate_with(&mut world, |_| {}).code(), 0, "seed {seed}");
        client.refresh(&mut world, 0);
        world.refuse_first = 1;
        let even = client.allocate_with(&mut world, |w| {
            w.put(&EvenPort { reserve_next: false });
        });
        assert_eq!(even.code(), 508, "seed {seed}");
        world.assert_clean();
    }
}

/// 7.2: a full port range is 508; freeing one port makes room for one allocation.
#[test]
fn a_full_port_range_is_508() {
    let mut world = World::with(|settings| settings.ports = 50_000..=50_003);
    let mut clients: Vec<_> =
        (0..4).map(|n| Client::at(&format!("203.0.113.7:{}", 4000 + n))).collect();
    clients.iter_mut().for_each(|client| {
        client.allocate(&mut world);
    });
    let mut late = Client::at("203.0.113.7:5000");
    assert_eq!(late.allocate_with(&mut world, |_| {}).code(), 508);
    clients[2].refresh(&mut world, 0);
    late.allocate(&mut world);
}

/// 7.2: an allocation ends when its lifetime is over, with all that belongs to it.
#[test]
fn an_allocation_that_is_not_refreshed_ends_with_its_lifetime() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let relayed = client.allocate(&mut world);
    client.permit(&mut world, "192.0.2.9:9");
    world.pass_secs(599);
    assert_eq!(world.relay.allocations(), 1);
    world.pass_secs(2);
    world.assert_clean();
    assert!(world.peer_sends(port_of(relayed), addr("192.0.2.9:9"), b"late").is_empty());
    let closed = world.events.iter().any(|event| matches!(event, Event::AllocationClosed(_)));
    assert!(closed);
}
