//! Packets through an allocation, both ways.

use std::io::Read;
use std::net::{SocketAddr, UdpSocket};

use relayhouse::relay::start;
use relayhouse::stun::Class;
use relayhouse::turn::{DropReason, RelayAddress};

use super::client::{Client, socket};
use super::{RELAY_V4, config, eventually, relay, settings};

const CHANNEL: u16 = 0x4001;

/// A client with an allocation and a channel to a fresh peer.
fn call(server: SocketAddr) -> (Client, UdpSocket, SocketAddr) {
    let mut client = Client::new(server);
    let relayed = client.allocate().expect("an allocation");
    let peer = socket("127.0.0.1:0");
    assert_eq!(client.bind(CHANNEL, peer.local_addr().expect("bound")), Class::Success);
    (client, peer, relayed)
}

/// Sends from one end and says what came out at the other, and from where.
fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 65_536];
    let (len, from) = socket.recv_from(&mut buffer).expect("something arrives");
    buffer.truncate(len);
    (buffer, from)
}

#[test]
fn channel_data_is_relayed_both_ways() {
    let (_relay, server) = relay();
    let (client, peer, relayed) = call(server);
    assert_eq!(relayed.ip(), RELAY_V4);
    client.send_channel(CHANNEL, b"to the peer");
    assert_eq!(receive(&peer), (b"to the peer".to_vec(), relayed));
    peer.send_to(b"to the client", relayed).expect("sent");
    assert_eq!(client.receive_channel(CHANNEL), b"to the client");
}

#[test]
fn indications_are_relayed_both_ways() {
    let (_relay, server) = relay();
    let mut client = Client::new(server);
    let relayed = client.allocate().expect("an allocation");
    let peer = socket("127.0.0.1:0");
    let peer_address = peer.local_addr().expect("bound");
    assert_eq!(client.permit(peer_address), Class::Success);
    client.send_indication(peer_address, b"to the peer");
    assert_eq!(receive(&peer), (b"to the peer".to_vec(), relayed));
    peer.send_to(b"back", relayed).expect("sent");
    assert_eq!(client.receive_indication(), (peer_address, b"back".to_vec()));
}

#[test]
fn every_size_passes_unchanged() {
    let (_relay, server) = relay();
    let (client, peer, relayed) = call(server);
    for len in [0, 1, 3, 4, 160, 1100, 1472, 1500, 9000, 65_000, 65_503] {
        let payload: Vec<u8> = (0..len).map(|index: u32| (index % 251) as u8).collect();
        client.send_channel(CHANNEL, &payload);
        assert!(receive(&peer).0 == payload, "{len} bytes up");
        peer.send_to(&payload, relayed).expect("sent");
        assert!(client.receive_channel(CHANNEL) == payload, "{len} bytes down");
    }
}

#[test]
fn bursts_pass_whole_and_in_order() {
    let (relay, server) = relay();
    let (client, peer, relayed) = call(server);
    // A plain socket of the system's default size holds little more.
    for index in 0..200u32 {
        client.send_channel(CHANNEL, &index.to_be_bytes());
        peer.send_to(&index.to_be_bytes(), relayed).expect("sent");
    }
    for index in 0..200u32 {
        assert_eq!(receive(&peer).0, index.to_be_bytes());
        assert_eq!(client.receive_channel(CHANNEL), index.to_be_bytes());
    }
    assert_eq!((relay.kernel_drops(), relay.send_drops(), relay.receive_drops()), (0, 0, 0));
}

#[test]
fn many_flows_do_not_mix() {
    let (_relay, server) = relay();
    let calls: Vec<_> = (0..50).map(|_| call(server)).collect();
    for round in 0..4u8 {
        for (index, (client, peer, relayed)) in calls.iter().enumerate() {
            client.send_channel(CHANNEL, &[index as u8, round]);
            peer.send_to(&[index as u8, round, 1], *relayed).expect("sent");
        }
    }
    for round in 0..4u8 {
        for (index, (client, peer, relayed)) in calls.iter().enumerate() {
            assert_eq!(receive(peer), (vec![index as u8, round], *relayed));
            assert_eq!(client.receive_channel(CHANNEL), [index as u8, round, 1]);
        }
    }
}

#[test]
fn two_allocations_of_this_server_reach_each_other() {
    let (_relay, server) = relay();
    let (mut near, mut far) = (Client::new(server), Client::new(server));
    let near_relayed = near.allocate().expect("an allocation");
    let far_relayed = far.allocate().expect("an allocation");
    assert_eq!(near.bind(CHANNEL, far_relayed), Class::Success);
    assert_eq!(far.bind(CHANNEL, near_relayed), Class::Success);
    near.send_channel(CHANNEL, b"through both");
    assert_eq!(far.receive_channel(CHANNEL), b"through both");
}

#[test]
fn an_ipv6_client_reaches_an_ipv6_peer() {
    let ipv6 = "::1".parse().expect("an address");
    let mut config = config(&["[::1]:0"], 2);
    config.settings.relay_addresses = vec![RelayAddress { local: ipv6, public: ipv6 }];
    let relay = start(config).expect("the relay starts");
    let mut client = Client::new(relay.listening()[0]);
    let relayed = client.allocate().expect("an allocation");
    let peer = socket("[::1]:0");
    assert_eq!(client.bind(CHANNEL, peer.local_addr().expect("bound")), Class::Success);
    client.send_channel(CHANNEL, b"to the peer");
    assert_eq!(receive(&peer), (b"to the peer".to_vec(), relayed));
    peer.send_to(b"to the client", relayed).expect("sent");
    assert_eq!(client.receive_channel(CHANNEL), b"to the client");
}

#[test]
fn dscp_and_ecn_survive_the_relay() {
    // An address of its own for both ends, so that the tap sees nothing of other tests.
    let here = "127.0.12.1:0";
    let Some(mut tap) = wire_tap("127.0.12.1:0") else { return };
    let (_relay, server) = relay();
    let mut client = Client::at(here, server);
    let relayed = client.allocate().expect("an allocation");
    let peer = socket(here);
    assert_eq!(client.bind(CHANNEL, peer.local_addr().expect("bound")), Class::Success);

    socket2::SockRef::from(&client.socket).set_tos_v4(0xB9).expect("a TOS byte");
    client.send_channel(CHANNEL, b"marked going up");
    assert_eq!(tos_of(&mut tap, b"marked going up"), 0xB9);
    socket2::SockRef::from(&peer).set_tos_v4(0x88).expect("a TOS byte");
    peer.send_to(b"marked going down", relayed).expect("sent");
    assert_eq!(tos_of(&mut tap, b"marked going down"), 0x88);
}

/// A socket that sees whole IP packets to `address`; needs a right that not every machine gives.
fn wire_tap(address: &str) -> Option<socket2::Socket> {
    let address: SocketAddr = address.parse().expect("an address");
    let udp = Some(socket2::Protocol::UDP);
    match socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::RAW, udp) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            assert!(std::env::var_os("CI").is_none(), "raw sockets need CAP_NET_RAW here");
            eprintln!("NOT TESTED: DSCP on the wire, for raw sockets need CAP_NET_RAW");
            None
        }
        tap => {
            let tap = tap.expect("a raw socket");
            tap.bind(&address.into()).expect("a loopback address");
            tap.set_read_timeout(Some(std::time::Duration::from_secs(5))).expect("a timeout");
            Some(tap)
        }
    }
}

/// The TOS byte of the next packet on the wire that ends with `payload`.
fn tos_of(tap: &mut socket2::Socket, payload: &[u8]) -> u8 {
    loop {
        let mut packet = [0; 512];
        let len = tap.read(&mut packet).expect("a packet on the wire");
        if packet[..len].ends_with(payload) {
            return packet[1];
        }
    }
}

#[test]
fn the_servers_own_port_is_no_peer() {
    // The port was 0 in the settings: what was really bound is what is refused.
    let (relay, server) = relay();
    assert_eq!(settings().service_ports, []);
    let mut client = Client::new(server);
    client.allocate().expect("an allocation");
    assert_eq!(client.permit(server), Class::Success, "a permission names no port");
    client.send_indication(server, b"a loop");
    let refused =
        |(reason, count): &(DropReason, u64)| *reason == DropReason::RefusedPeer && *count == 1;
    eventually("it is dropped and counted", || relay.counters().drops.iter().any(refused));
    assert_eq!(relay.counters().packets_up, 0);
}
