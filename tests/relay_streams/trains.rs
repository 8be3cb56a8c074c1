//! Trains of datagrams (`UDP_GRO`, `UDP_SEGMENT`) and streams: what a peer sends together reaches a
//! client, and what a client writes together reaches a peer, byte for byte and in order.

use std::io::Read;
use std::net::{SocketAddr, UdpSocket};

use relayhouse::relay::{Trains, burst};
use relayhouse::stun::{Class, channel_data};
use socket2::SockRef;

use super::client::{CHANNEL, Client, Wire, call, channel, datagram, peer};
use super::eventually;
use super::house::House;

/// With trains both ways, and one by one.
const WAYS: [Trains; 2] =
    [Trains { receive: true, send: true }, Trains { receive: false, send: false }];

/// A relay that carries what it is given in one of the [`WAYS`].
fn house(trains: Trains) -> House {
    House::with(|config| {
        config.workers = 1;
        config.trains = trains;
    })
}

/// A payload whose every byte says which it is and where.
fn payload(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|at| (number * 31 + at * 7) as u8).collect()
}

/// Sends `payloads`, equal but for the last, as one train.
fn send(peer: &UdpSocket, payloads: &[Vec<u8>], to: SocketAddr) {
    burst::send_train(peer, &payloads.concat(), payloads[0].len(), Some(to)).expect("sent");
}

/// A client whose relay can write but little at once.
fn narrow(house: &House, tls: bool) -> Client {
    let (near, far) = house.pair();
    SockRef::from(&near).set_recv_buffer_size(4 << 10).expect("an option");
    SockRef::from(&far).set_send_buffer_size(4 << 10).expect("an option");
    if tls {
        return house.tls_over((near, far), rustls::ALL_VERSIONS);
    }
    house.relay.streams().hand_over(House::stream(far, &[])).expect("it is taken");
    Client::new(Wire::Plain(near))
}

#[test]
fn a_train_of_a_peer_reaches_the_client_byte_for_byte_and_in_order() {
    for trains in WAYS {
        let house = house(trains);
        for client in [house.tcp(), house.tls()] {
            let (mut client, peer, relayed) = call(client);
            // Of each number of bytes of padding, and with a shorter end.
            for len in [1200, 1201, 1202, 1203, 1, 4] {
                let mut payloads: Vec<_> = (0..50).map(|number| payload(number, len)).collect();
                payloads.push(payload(50, len.div_ceil(3)));
                send(&peer, &payloads, relayed);
                for (number, payload) in payloads.iter().enumerate() {
                    let got = client.receive_channel();
                    assert!(got == *payload, "{number} of {len} bytes, {trains:?}");
                }
            }
        }
    }
}

#[test]
fn a_train_of_a_peer_without_a_channel_comes_as_indications() {
    for trains in WAYS {
        let house = house(trains);
        for mut client in [house.tcp(), house.tls()] {
            let relayed = client.allocate().expect("an allocation");
            let peer = peer("127.0.0.1:0");
            let from = peer.local_addr().expect("bound");
            assert_eq!(client.permit(from), Class::Success);
            let payloads: Vec<_> = (0..40).map(|number| payload(number, 999)).collect();
            send(&peer, &payloads, relayed);
            for payload in payloads {
                assert!(client.receive_indication() == (from, payload), "{trains:?}");
            }
        }
    }
}

#[test]
fn answers_and_trains_of_a_turn_do_not_mix() {
    let house = house(Trains::default());
    for client in [house.tcp(), house.tls()] {
        let (mut client, peer, relayed) = call(client);
        for round in 0..20 {
            let payloads: Vec<_> = (0..10).map(|number| payload(round + number, 701)).collect();
            send(&peer, &payloads, relayed);
            client.send(&super::client::binding());
            let mut arrived = Vec::new();
            for _ in 0..=payloads.len() {
                let message = client.receive();
                match channel_data::parse(&message) {
                    Some((CHANNEL, len)) => arrived.push(message[4..4 + len].to_vec()),
                    _ => assert_eq!(message[..2], [1, 1], "the answer to a Binding request"),
                }
            }
            assert!(arrived == payloads);
        }
    }
}

#[test]
fn a_train_that_a_socket_takes_in_small_parts_arrives_whole() {
    for trains in WAYS {
        let house = house(trains);
        for tls in [false, true] {
            let (mut client, peer, relayed) = call(narrow(&house, tls));
            for round in 0..5 {
                let payloads: Vec<_> =
                    (0..45).map(|number| payload(round + number, 1301)).collect();
                let before = house.relay.counters().packets_down;
                send(&peer, &payloads, relayed);
                // All of it waits here or there before the first byte is read.
                eventually("it is relayed", || {
                    house.relay.counters().packets_down == before + payloads.len() as u64
                });
                for payload in &payloads {
                    assert!(client.receive_channel() == *payload, "TLS: {tls}, {trains:?}");
                }
            }
            assert_eq!(house.relay.slow_client_drops(), 0);
        }
    }
}

#[test]
fn of_trains_for_a_client_that_does_not_read_whole_messages_are_dropped() {
    const TRAINS: usize = 20;
    const LEN: usize = 1001;
    for tls in [false, true] {
        let house = house(Trains::default());
        let (mut client, peer, relayed) = call(narrow(&house, tls));
        let mut sent = 0;
        for train in 0..TRAINS {
            let numbered = |number: usize| {
                let mut payload = payload(number, LEN);
                payload[..8].copy_from_slice(&(number as u64).to_be_bytes());
                payload
            };
            let payloads: Vec<_> = (0..50).map(|number| numbered(train * 50 + number)).collect();
            send(&peer, &payloads, relayed);
            sent += payloads.len() as u64;
            eventually("they are handled", || house.relay.counters().packets_down == sent);
        }
        let dropped = house.relay.slow_client_drops();
        assert!(dropped > sent / 2, "the queue has a bound");
        let mut last = None;
        for _ in 0..sent - dropped {
            let got = client.receive_channel();
            let number = u64::from_be_bytes(got[..8].try_into().expect("eight bytes"));
            assert!(got[8..] == payload(number as usize, LEN)[8..], "it is whole");
            assert!(last < Some(number), "and in order");
            last = Some(number);
        }
        assert_eq!(client.binding().class, Class::Success, "and nothing else came");
    }
}

#[test]
fn messages_written_together_reach_the_peer_byte_for_byte_and_in_order() {
    for trains in WAYS {
        let house = house(trains);
        for client in [house.tcp(), house.tls()] {
            let (mut client, peer, _) = call(client);
            // Runs of one size, with and without padding, and others between them.
            let lens = [1100, 1100, 1100, 1101, 1101, 3, 1101, 40, 40, 40, 40, 1299, 1299, 1, 1300];
            let payloads: Vec<_> =
                lens.iter().cycle().take(45).enumerate().map(|(n, len)| payload(n, *len)).collect();
            let written: Vec<_> = payloads.iter().flat_map(|payload| channel(payload)).collect();
            // All in as few records as TLS has, in records that cut messages, and byte by byte or so.
            for piece in [written.len(), 5000, 777, 7] {
                for part in written.chunks(piece) {
                    client.send(part);
                }
                for payload in &payloads {
                    assert!(datagram(&peer).0 == *payload, "in pieces of {piece}, {trains:?}");
                }
            }
        }
    }
}

#[test]
fn every_message_of_a_train_has_a_tls_record_of_its_own() {
    // With what TLS adds, more than sessions hold by default.
    const RECORDS: usize = 64;
    let house = house(Trains::default());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (client, peer, relayed) = call(house.tls_of(&[version]));
        let payloads: Vec<_> = (0..RECORDS).map(|number| payload(number, 1000)).collect();
        send(&peer, &payloads, relayed);
        let mut socket = client.wire.socket();
        let mut lens = Vec::new();
        for _ in 0..RECORDS {
            let mut header = [0; 5];
            socket.read_exact(&mut header).expect("a record");
            let len = usize::from(u16::from_be_bytes([header[3], header[4]]));
            socket.read_exact(&mut vec![0; len]).expect("all of it");
            lens.push(len);
        }
        assert!(lens[0] > 1004 && lens.iter().all(|len| *len == lens[0]), "{lens:?}");
    }
}
