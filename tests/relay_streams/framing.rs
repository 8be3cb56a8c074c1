//! How messages are cut out of a stream.

use std::time::Duration;

use relayhouse::stun::{Class, Data, Message, Method};

use super::client::{Client, Wire, binding, call, channel, datagram};
use super::eventually;
use super::house::House;

/// Long enough that what was written before is read before what is written next.
fn breathe() {
    std::thread::sleep(Duration::from_millis(1));
}

#[test]
fn frames_may_be_split_anywhere() {
    let house = House::new();
    for client in [house.tcp(), house.tls()] {
        let (mut client, peer, _) = call(client);
        let mut bytes = channel(b"one");
        bytes.extend(binding());
        bytes.extend(channel(b"three"));
        for cut in 0..=bytes.len() {
            client.send(&bytes[..cut]);
            breathe();
            client.send(&bytes[cut..]);
            assert_eq!(datagram(&peer).0, b"one", "cut at {cut}");
            assert_eq!(client.answer().class, Class::Success, "cut at {cut}");
            assert_eq!(datagram(&peer).0, b"three", "cut at {cut}");
        }
    }
}

#[test]
fn frames_may_come_byte_by_byte() {
    let house = House::new();
    let (mut client, peer, _) = call(house.tcp());
    for byte in channel(b"slowly").iter().chain(&binding()) {
        client.send(&[*byte]);
        breathe();
    }
    assert_eq!(datagram(&peer).0, b"slowly");
    assert_eq!(client.answer().class, Class::Success);
}

#[test]
fn a_large_frame_may_come_in_many_pieces() {
    let house = House::new();
    for client in [house.tcp(), house.tls()] {
        let (mut client, peer, _) = call(client);
        let payload: Vec<u8> = (0..60_001u32).map(|index| (index % 253) as u8).collect();
        for piece in channel(&payload).chunks(7001) {
            client.send(piece);
            breathe();
        }
        assert!(datagram(&peer).0 == payload);
    }
}

#[test]
fn many_frames_may_come_at_once() {
    let house = House::new();
    let (mut client, peer, _) = call(house.tcp());
    let mut bytes = Vec::new();
    for index in 0..60u8 {
        bytes.extend(binding());
        bytes.extend(channel(&[index]));
    }
    client.send(&bytes);
    for index in 0..60u8 {
        assert_eq!(client.answer().class, Class::Success);
        assert_eq!(datagram(&peer).0, [index]);
    }
}

#[test]
fn the_smallest_frames_by_the_thousand_pass_and_are_counted() {
    const FRAMES: u64 = 40_000;
    let house = House::new();
    let (mut client, _peer, _) = call(house.tcp());
    client.send(&channel(&[]).repeat(FRAMES as usize));
    eventually("all are relayed", || house.relay.counters().packets_up == FRAMES);
    assert_eq!(client.binding().class, Class::Success);
}

#[test]
fn bytes_that_were_read_before_the_hand_over_count() {
    let house = House::new();
    let mut early = binding();
    early.extend(binding());
    for cut in 0..=early.len() {
        let (near, far) = house.pair();
        house.relay.streams().hand_over(House::stream(far, &early[..cut])).expect("it is taken");
        let mut client = Client::new(Wire::Plain(near));
        client.send(&early[cut..]);
        assert_eq!(client.answer().class, Class::Success, "cut at {cut}");
        assert_eq!(client.answer().class, Class::Success, "cut at {cut}");
    }
}

#[test]
fn a_request_larger_than_any_answer_is_answered() {
    let house = House::new();
    let mut client = house.tcp();
    let padding = vec![7; 7000];
    let request = client.request(Method::BINDING, |writer| {
        // Of the comprehension-optional range, which may be anything.
        writer.put_as(relayhouse::stun::AttributeType(0xC057), &Data(&padding));
    });
    client.send(&[request.clone(), binding()].concat());
    assert_eq!(client.answer().class, Class::Success);
    assert_eq!(client.answer().class, Class::Success);
    assert!(Message::parse(&request).is_ok());
}

#[test]
fn nonsense_ends_the_connection_after_what_was_good() {
    let house = House::new();
    for mut client in [house.tcp(), house.tls()] {
        client.send(&[&binding()[..], b"GET / HTTP/1.1\r\n\r\n"].concat());
        assert_eq!(client.answer().class, Class::Success);
        assert!(client.is_closed());
    }
    assert_eq!(house.relay.broken_closes(), 2);
    eventually("both are gone", || house.open() == 0);
}

#[test]
fn a_stranger_cannot_announce_a_huge_message() {
    let house = House::new();
    for begin in [[0x00, 0x01, 0xFF, 0xFC], [0x40, 0x01, 0xFF, 0xFF]] {
        let mut client = house.tcp();
        client.send(&begin);
        assert!(client.is_closed());
    }
    assert_eq!(house.relay.broken_closes(), 2);
}

#[test]
fn bytes_that_are_no_tls_end_the_session() {
    use std::io::Write;
    let house = House::new();
    let mut client = house.tls();
    assert_eq!(client.binding().class, Class::Success);
    client.wire.socket().write_all(b"no record of any kind").expect("written");
    assert!(client.is_closed());
    eventually("it is counted", || house.relay.broken_closes() == 1);
}

/// There are clients that take whatever one read of their session gives them for one message.
#[test]
fn every_message_has_a_tls_record_of_its_own() {
    use std::io::Read;
    const RECORDS: usize = 8;
    let house = House::new();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut client = house.tls_of(&[version]);
        assert_eq!(client.binding().class, Class::Success);
        client.send(&binding().repeat(RECORDS));
        let mut socket = client.wire.socket();
        for _ in 0..RECORDS {
            let mut header = [0; 5];
            socket.read_exact(&mut header).expect("a record");
            assert_eq!(header[..2], [23, 3], "application data");
            let mut record = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
            socket.read_exact(&mut record).expect("all of it");
        }
        socket.set_nonblocking(true).expect("an option");
        assert!(socket.read(&mut [0; 1]).is_err(), "and nothing else");
    }
}
