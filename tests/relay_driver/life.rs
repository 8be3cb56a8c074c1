//! Allocations and the relay itself come and go.

use std::net::UdpSocket;
use std::time::Duration;

use relayhouse::relay::start;
use relayhouse::stun::Class;
use relayhouse::turn::{EndReason, Event, RelayAddress};

use super::client::{Client, socket};
use super::{config, credentials, eventually, relay, settings};

#[test]
fn a_deleted_allocation_closes_its_port_and_is_reported() {
    let (mut relay, server) = relay();
    let events = relay.events().expect("the first to ask gets them");
    assert!(relay.events().is_none(), "there is one reader");
    let mut client = Client::new(server);
    let relayed = client.allocate().expect("an allocation");
    UdpSocket::bind(relayed).expect_err("the port is taken");
    assert_eq!(relay.counters().allocations, 1);

    assert_eq!(client.refresh(0), Class::Success);
    eventually("the port is closed", || UdpSocket::bind(relayed).is_ok());
    let patience = Duration::from_secs(5);
    let opened = events.recv_timeout(patience).expect("an event");
    assert!(matches!(opened, Event::AllocationOpened { .. }), "{opened:?}");
    let closed = events.recv_timeout(patience).expect("an event");
    let Event::AllocationClosed(summary) = closed else { panic!("{closed:?}") };
    assert_eq!((summary.reason, summary.relayed), (EndReason::Deleted, vec![relayed]));
    assert_eq!(relay.counters().allocations, 0);
}

#[test]
fn ports_somebody_else_has_are_passed_over() {
    // An address of its own, so that no other test is in the way.
    let ip = "127.0.0.6".parse().expect("an address");
    let mut config = config(&["127.0.0.1:0"], 1);
    config.settings.relay_addresses = vec![RelayAddress { local: ip, public: ip }];
    config.settings.ports = 30_000..=30_003;
    let mut taken = vec![socket("127.0.0.6:30000"), socket("127.0.0.6:30001")];
    let relay = start(config).expect("the relay starts");
    let mut client = Client::new(relay.listening()[0]);
    let relayed = client.allocate().expect("another port");
    assert!([30_002, 30_003].contains(&relayed.port()), "{relayed}");

    assert_eq!(client.refresh(0), Class::Success);
    for port in ["127.0.0.6:30002", "127.0.0.6:30003"] {
        eventually("the port is free", || UdpSocket::bind(port).is_ok());
        taken.push(socket(port));
    }
    assert_eq!(Client::new(relay.listening()[0]).allocate(), Err(508), "none is left");
}

#[test]
fn shutting_down_ends_and_reports_every_allocation() {
    let (mut relay, server) = relay();
    let events = relay.events().expect("the first to ask gets them");
    let clients: Vec<_> = (0..20)
        .map(|_| {
            let mut client = Client::new(server);
            let relayed = client.allocate().expect("an allocation");
            (client, relayed)
        })
        .collect();
    relay.shutdown(Duration::from_secs(5));
    let ended = |event: &Event| match event {
        Event::AllocationClosed(summary) => summary.reason == EndReason::Shutdown,
        _ => false,
    };
    assert_eq!(events.iter().filter(ended).count(), clients.len());
    for (_, relayed) in &clients {
        UdpSocket::bind(relayed).expect("its port is free");
    }
    UdpSocket::bind(server).expect("the listener's port is free");
}

#[test]
fn shutting_down_waits_for_a_reader_that_is_behind() {
    let mut config = config(&["127.0.0.1:0"], 1);
    config.event_capacity = 1;
    let mut relay = start(config).expect("the relay starts");
    let events = relay.events().expect("the first to ask gets them");
    let server = relay.listening()[0];
    for _ in 0..10 {
        Client::new(server).allocate().expect("an allocation");
        events.recv_timeout(Duration::from_secs(5)).expect("it was opened");
    }
    let reader = std::thread::spawn(move || events.iter().count());
    relay.shutdown(Duration::from_secs(5));
    assert_eq!(reader.join().expect("it read to the end"), 10);
}

#[test]
fn events_nobody_fetches_are_counted_and_stop_nothing() {
    let mut config = config(&["127.0.0.1:0"], 1);
    config.event_capacity = 2;
    let relay = start(config).expect("the relay starts");
    for _ in 0..5 {
        Client::new(relay.listening()[0]).allocate().expect("an allocation");
    }
    eventually("three were lost", || relay.events_lost() == 3);
}

#[test]
fn a_reload_changes_who_may_enter_and_leaves_calls_alone() {
    let (relay, server) = relay();
    let mut before = Client::new(server);
    let relayed = before.allocate().expect("an allocation");
    let peer = socket("127.0.0.1:0");

    let mut changed = settings();
    changed.relay_addresses.clear();
    relay.reconfigure(changed, credentials(&[("bob", "builder")]));
    eventually("bob may enter", || Client::new(server).named("bob", "builder").allocate().is_ok());
    eventually("alice no longer", || Client::new(server).allocate() == Err(401));

    assert_eq!(before.bind(0x4001, peer.local_addr().expect("bound")), Class::Success);
    before.send_channel(0x4001, b"still here");
    let mut received = [0; 16];
    let (len, from) = peer.recv_from(&mut received).expect("it is relayed");
    assert_eq!((&received[..len], from), (&b"still here"[..], relayed));
}
