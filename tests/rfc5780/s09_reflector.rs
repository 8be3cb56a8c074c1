//! Section 9, security considerations: the server is no reflector and no amplifier.

use relayhouse::stun::{ChangeRequest, Method, Padding, ResponsePort};
use relayhouse::turn::{DropReason, Route};

use crate::machine::*;
use crate::{CORNERS, corner_at, flow, world};

/// 9.1: whatever is asked for, the answer goes to the address that asked.
#[test]
fn answers_go_to_the_address_that_asked() {
    let mut world = world();
    let mut client = Client::at("203.0.113.7:4000");
    for bits in 0..16u16 {
        let request = client.bare(Method::BINDING, |w| {
            w.put(&ChangeRequest { ip: bits & 1 != 0, port: bits & 2 != 0 });
            if bits & 4 != 0 {
                w.put(&ResponsePort(53 + bits));
            }
            if bits & 8 != 0 {
                w.put(&Padding(&[0; 400]));
            }
        });
        for sent in world.client_sends(flow(CORNERS[0]), &request) {
            let Route::Client(route) = sent.route else { panic!("to a client") };
            assert_eq!(route.remote.0.ip(), ip("203.0.113.7"));
            assert!(CORNERS.contains(&route.local.to_string().as_str()), "from our own corners");
        }
    }
}

/// 9.1: a padded answer is no longer than its request, and no longer than an Ethernet frame carries.
#[test]
fn a_padded_answer_is_no_longer_than_its_request() {
    let mut world = world();
    for (client, local, headers) in
        [("203.0.113.7:4000", CORNERS[0], 28), ("[2001:db8:9::7]:4000", "[2001:db8::1]:3478", 48)]
    {
        let mut settings = settings();
        let six = corner_at(CORNERS[0]);
        let six = relayhouse::turn::NatDiscovery {
            local: addr("[2001:db8::1]:3478"),
            other_ip: ip("2001:db8::2"),
            ..six
        };
        settings.nat_discovery = vec![corner_at(CORNERS[0]), six];
        world.relay.configure(settings.into(), credentials().into());
        let plain = 20 + 4 * if client.starts_with('[') { 24 } else { 12 };
        let mut padded = 0;
        for asked in (0..1600).step_by(7) {
            let request = Client::at(client).bare(Method::BINDING, |w| {
                w.put(&Padding(&vec![0; asked])).fingerprint();
            });
            let sent = world.client_sends(udp(local, client), &request);
            let len = sent[0].bytes.len();
            assert!(len <= request.len().max(plain + 8), "{asked}: {len} > {}", request.len());
            assert!(len + headers <= 1500);
            padded = padded.max(len);
        }
        assert!(padded + 48 > 1490, "and as long as it may be: {padded}");
    }
}

/// 9.1: such answers are as many as any other to somebody unknown, and no more.
#[test]
fn answers_are_limited_like_any_other() {
    let mut world = World::with(|settings| {
        settings.nat_discovery = vec![corner_at(CORNERS[0])];
        settings.unauthenticated_rate = 10;
    });
    let mut client = Client::at("203.0.113.7:4000");
    let answered = (0..100u16).filter(|n| {
        let request = client.bare(Method::BINDING, |w| {
            w.put(&ChangeRequest { ip: true, port: true }).put(&ResponsePort(1000 + n));
        });
        !world.client_sends(flow(CORNERS[0]), &request).is_empty()
    });
    assert_eq!(answered.count(), 10);
    assert_eq!(world.drops, [DropReason::RateLimited; 90]);
}
