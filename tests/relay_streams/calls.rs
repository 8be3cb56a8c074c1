//! Calls over TCP and TLS, both ways.

use relayhouse::stun::{Class, Method};

use super::client::{CHANNEL, Client, call, channel, datagram, peer};
use super::house::{House, RELAY_V4};

/// A client of every kind there is.
fn everyone(house: &House) -> [Client; 4] {
    let (tls12, tls13) = (&rustls::version::TLS12, &rustls::version::TLS13);
    [house.tcp(), house.tls(), house.tls_of(&[tls12]), house.tls_of(&[tls13])]
}

#[test]
fn channel_data_is_relayed_both_ways() {
    let house = House::new();
    for client in everyone(&house) {
        let (mut client, peer, relayed) = call(client);
        assert_eq!(relayed.ip(), RELAY_V4);
        client.send_channel(b"to the peer");
        assert_eq!(datagram(&peer), (b"to the peer".to_vec(), relayed));
        peer.send_to(b"to the client", relayed).expect("sent");
        assert_eq!(client.receive_channel(), b"to the client");
    }
}

#[test]
fn indications_are_relayed_both_ways() {
    let house = House::new();
    for mut client in everyone(&house) {
        let relayed = client.allocate().expect("an allocation");
        let peer = peer("127.0.0.1:0");
        let peer_address = peer.local_addr().expect("bound");
        assert_eq!(client.permit(peer_address), Class::Success);
        client.send_indication(peer_address, b"to the peer");
        assert_eq!(datagram(&peer), (b"to the peer".to_vec(), relayed));
        peer.send_to(b"back", relayed).expect("sent");
        assert_eq!(client.receive_indication(), (peer_address, b"back".to_vec()));
    }
}

#[test]
fn every_size_passes_unchanged_and_padded() {
    let house = House::new();
    for client in [house.tcp(), house.tls()] {
        let (mut client, peer, relayed) = call(client);
        for len in [0, 1, 2, 3, 4, 5, 160, 1100, 1473, 9000, 16_384, 65_000, 65_503] {
            let payload: Vec<u8> = (0..len).map(|index: u32| (index % 251) as u8).collect();
            client.send_channel(&payload);
            assert!(datagram(&peer).0 == payload, "{len} bytes up");
            peer.send_to(&payload, relayed).expect("sent");
            assert!(client.receive_channel() == payload, "{len} bytes down");
        }
    }
}

#[test]
fn the_mapped_address_is_the_clients_own() {
    let house = House::new();
    for mut client in everyone(&house) {
        assert_eq!(client.binding().mapped, Some(client.local()));
    }
}

#[test]
fn the_mapped_address_is_the_one_a_proxy_named() {
    let house = House::new();
    let (near, far) = house.pair();
    let mut stream = House::stream(far, &[]);
    stream.remote = super::address("203.0.113.7:4711");
    house.relay.streams().hand_over(stream).expect("it is taken");
    let mut client = Client::new(super::client::Wire::Plain(near));
    assert_eq!(client.binding().mapped, Some(super::address("203.0.113.7:4711")));
}

#[test]
fn bursts_pass_whole_and_in_order() {
    let house = House::new();
    for client in [house.tcp(), house.tls()] {
        let (mut client, peer, relayed) = call(client);
        let frames: Vec<u8> = (0..100u32).flat_map(|index| channel(&index.to_be_bytes())).collect();
        client.send(&frames);
        for index in 0..100u32 {
            assert_eq!(datagram(&peer).0, index.to_be_bytes());
            peer.send_to(&index.to_be_bytes(), relayed).expect("sent");
        }
        for index in 0..100u32 {
            assert_eq!(client.receive_channel(), index.to_be_bytes());
        }
    }
    assert_eq!(house.relay.slow_client_drops(), 0);
}

#[test]
fn clients_over_tcp_and_tls_reach_each_other() {
    let house = House::new();
    let (mut near, mut far) = (house.tcp(), house.tls());
    let near_relayed = near.allocate().expect("an allocation");
    let far_relayed = far.allocate().expect("an allocation");
    assert_eq!(near.bind(far_relayed), Class::Success);
    assert_eq!(far.bind(near_relayed), Class::Success);
    near.send_channel(b"through both");
    assert_eq!(far.receive_channel(), b"through both");
    far.send_channel(b"and back");
    assert_eq!(near.receive_channel(), b"and back");
}

#[test]
fn a_client_over_tcp_reaches_one_over_udp() {
    let house = House::new();
    let mut stream = house.tcp();
    let mut packets = Client::over_udp(house.udp());
    let stream_relayed = stream.allocate().expect("an allocation");
    let packets_relayed = packets.allocate().expect("an allocation");
    assert_eq!(stream.bind(packets_relayed), Class::Success);
    assert_eq!(packets.bind(stream_relayed), Class::Success);
    stream.send_channel(b"five!");
    assert_eq!(packets.receive_channel(), b"five!");
    packets.send_channel(b"seven!!");
    assert_eq!(stream.receive_channel(), b"seven!!");
    assert_eq!(CHANNEL, 0x4001);
}

#[test]
fn an_ipv6_client_reaches_peers_of_both_families() {
    let house = House::at("[::1]:0", |_| ());
    for (mut client, six) in [(house.tcp(), true), (house.tls(), false)] {
        let allocated = if six { client.allocate_v6() } else { client.allocate() };
        let relayed = allocated.expect("an allocation");
        let peer = peer(if six { "[::1]:0" } else { "127.0.0.1:0" });
        assert_eq!(client.bind(peer.local_addr().expect("bound")), Class::Success);
        client.send_channel(b"to the peer");
        assert_eq!(datagram(&peer), (b"to the peer".to_vec(), relayed));
        peer.send_to(b"to the client", relayed).expect("sent");
        assert_eq!(client.receive_channel(), b"to the client");
        assert!(client.local().is_ipv6());
    }
}

#[test]
fn a_call_goes_on_after_a_refresh() {
    let house = House::new();
    let (mut client, peer, _) = call(house.tls());
    assert_eq!(client.refresh(600), Class::Success);
    client.send_channel(b"still here");
    assert_eq!(datagram(&peer).0, b"still here");
    assert_eq!(client.exchange(Method::BINDING, |_| ()).class, Class::Success);
}
