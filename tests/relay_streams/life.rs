//! How connections begin and end.

use std::io::Write;
use std::net::Shutdown;
use std::time::Duration;

use relayhouse::relay::{Refused, StreamLimits};
use relayhouse::stun::{Class, ConnectionId, Method, TransactionId, Writer};
use relayhouse::turn::{EndReason, Event};

use super::client::{Client, Wire, binding, call, datagram};
use super::eventually;
use super::house::House;

#[test]
fn closing_gives_back_port_and_quota() {
    let mut house = House::with(|config| config.settings.quota.per_user = 1);
    let events = house.relay.events().expect("not taken yet");
    for secure in [false, true] {
        let mut client = if secure { house.tls() } else { house.tcp() };
        let relayed = client.allocate().expect("the quota allows one");
        assert_eq!(house.tcp().allocate(), Err(486), "and no second");
        drop(client);
        eventually("the allocation is gone", || house.relay.counters().allocations == 0);
        let ended = |event: &Event| matches!(event, Event::AllocationClosed(summary) if summary.reason == EndReason::Disconnected);
        assert!(events.iter().take(16).any(|event| ended(&event)), "and reported");
        eventually("its port is free", || std::net::UdpSocket::bind(relayed).is_ok());
    }
    eventually("and so are the connections", || house.open() == 0);
}

#[test]
fn a_reset_ends_the_allocation_too() {
    let house = House::new();
    let (client, _peer, _) = call(house.tcp());
    let socket = socket2::SockRef::from(client.wire.socket());
    socket.set_linger(Some(Duration::ZERO)).expect("an option");
    drop(client);
    eventually("the allocation is gone", || house.relay.counters().allocations == 0);
    eventually("so is the connection", || house.open() == 0);
}

#[test]
fn a_connection_that_broke_does_not_move_to_another_shard() {
    let house = House::new();
    let (mut near, far) = house.pair();
    // The answer to the first cannot be written any more; the second names the other shard. That it
    // is signed is claimed and not proven.
    let mut buffer = [0; 128];
    let id = TransactionId([3; 12]);
    let mut bind = Writer::new(&mut buffer, Class::Request, Method::CONNECTION_BIND, id);
    bind.put(&ConnectionId(1 << 24)).integrity_sha1(b"nobody's");
    let len = bind.finish().expect("it fits");
    near.write_all(&[&binding(), &buffer[..len]].concat()).expect("written");
    let stream = House::stream(far, &[]);
    socket2::SockRef::from(&near).set_linger(Some(Duration::ZERO)).expect("an option");
    drop(near);
    house.relay.streams().hand_over(stream).expect("it is taken");
    assert_eq!(house.relay.streams_accepted(), 1);
    eventually("it is gone", || house.open() == 0);
}

#[test]
fn a_half_closed_connection_is_answered_and_ends() {
    let house = House::new();
    let mut client = house.tcp();
    client.send(&binding());
    client.wire.socket().shutdown(Shutdown::Write).expect("shut");
    assert_eq!(client.answer().class, Class::Success);
    assert!(client.is_closed());
    eventually("it is gone", || house.open() == 0);
}

#[test]
fn an_allocation_deleted_by_its_client_leaves_the_connection_open() {
    let house = House::new();
    let (mut client, _peer, _) = call(house.tls());
    assert_eq!(client.refresh(0), Class::Success);
    eventually("the allocation is gone", || house.relay.counters().allocations == 0);
    assert!(client.allocate().is_ok());
}

#[test]
fn no_more_connections_than_the_bound() {
    let house = House::with(|config| config.streams.connections = 2);
    let first = house.tcp();
    let _second = house.tls();
    let (_near, far) = house.pair();
    let refused = house.relay.streams().hand_over(House::stream(far, &[]));
    assert_eq!(refused, Err(Refused::Full));
    assert_eq!(house.open(), 2);
    drop(first);
    eventually("one is gone", || house.open() == 1);
    assert_eq!(house.tcp().binding().class, Class::Success);
    assert_eq!(house.relay.streams_accepted(), 3);
}

#[test]
fn a_silent_connection_ends() {
    let house = House::with(|config| config.streams.idle = Duration::from_secs(1));
    let mut silent = house.tcp();
    let mut half_said = house.tls();
    half_said.send(&binding()[..19]);
    let mut spoke_once = house.tcp();
    assert_eq!(spoke_once.binding().class, Class::Success);
    let (mut calls, peer, _) = call(house.tcp());
    assert!(silent.is_closed() && half_said.is_closed() && spoke_once.is_closed());
    assert_eq!(house.relay.idle_closes(), 3);
    calls.send_channel(b"an allocation keeps its connection");
    assert_eq!(datagram(&peer).0, b"an allocation keeps its connection");
    assert_eq!(house.open(), 1);
}

#[test]
fn a_connection_that_speaks_now_and_then_stays() {
    let house = House::with(|config| config.streams.idle = Duration::from_secs(2));
    let mut client = house.tcp();
    for _ in 0..8 {
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(client.binding().class, Class::Success);
    }
    assert_eq!(house.relay.idle_closes(), 0);
}

#[test]
fn a_newer_connection_of_the_same_client_takes_the_olders_place() {
    let house = House::with(|config| config.workers = 1);
    let client = super::address("203.0.113.7:4711");
    let connect = || {
        let (near, far) = house.pair();
        let mut stream = House::stream(far, &[]);
        stream.remote = client;
        house.relay.streams().hand_over(stream).expect("it is taken");
        Client::new(Wire::Plain(near))
    };
    let mut older = connect();
    older.allocate().expect("an allocation");
    let mut newer = connect();
    newer.allocate().expect("an allocation of its own");
    assert!(older.is_closed());
    assert_eq!(newer.binding().mapped, Some(client));
    assert_eq!(house.relay.counters().allocations, 1);
}

#[test]
fn many_connections_live_beside_each_other() {
    let house = House::new();
    let mut calls: Vec<_> = (0..150)
        .map(|index| call(if index % 4 == 0 { house.tls() } else { house.tcp() }))
        .collect();
    assert_eq!(house.open(), 150);
    for round in 0..3u8 {
        for (index, (client, peer, relayed)) in calls.iter_mut().enumerate() {
            client.send_channel(&[index as u8, round]);
            peer.send_to(&[index as u8, round, 1], *relayed).expect("sent");
        }
        for (index, (client, peer, relayed)) in calls.iter_mut().enumerate() {
            assert_eq!(datagram(peer), (vec![index as u8, round], *relayed));
            assert_eq!(client.receive_channel(), [index as u8, round, 1]);
        }
    }
    drop(calls);
    eventually("all are gone", || house.open() == 0);
    eventually("with all they had", || house.relay.counters().allocations == 0);
}

#[test]
fn coming_and_going_leaves_nothing_behind() {
    let house = House::with(|config| {
        config.streams = StreamLimits { connections: 4, ..StreamLimits::default() };
    });
    for round in 0..200 {
        let mut client = if round % 8 == 0 { house.tls() } else { house.tcp() };
        client.allocate().expect("an allocation");
        drop(client);
        eventually("it is gone", || house.open() == 0);
    }
    assert_eq!(house.relay.counters().allocations, 0);
    assert_eq!(house.relay.streams_accepted(), 200);
}

#[test]
fn a_relay_that_stops_closes_and_refuses_connections() {
    let house = House::new();
    let door = house.relay.streams();
    let (mut client, _peer, _) = call(house.tcp());
    let (_near, far) = house.pair();
    house.relay.shutdown(Duration::ZERO);
    assert!(client.is_closed());
    assert_eq!(door.hand_over(House::stream(far, &[])), Err(Refused::Stopping));
    assert_eq!(door.open(), 0);
}
