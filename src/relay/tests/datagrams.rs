//! Receiving and sending: addresses, traffic class, sizes, order, drops.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;

use super::super::listener::Listener;
use super::super::sys;
use super::{Bench, address_of, peer};

#[test]
fn an_answer_leaves_from_the_address_the_client_asked() {
    for (wildcard, asked) in [("0.0.0.0:0", "127.0.0.2"), ("[::]:0", "::1")] {
        let mut bench = Bench::bind(wildcard);
        let server = SocketAddr::new(asked.parse().expect("an address"), bench.port);
        let client = peer(if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" });
        client.send_to(b"question", server).expect("sent");
        let (datagram, _) = bench.receive().remove(0);
        assert_eq!(datagram.ancillary.destination.expect("it was told").0, server.ip());

        bench.post(0, b"answer", address_of(&client)).source(server).put();
        assert_eq!(bench.flush(), 0);
        let mut answer = [0; 16];
        let (len, from) = client.recv_from(&mut answer).expect("an answer");
        assert_eq!((&answer[..len], from), (&b"answer"[..], server));
    }
}

#[test]
fn a_listener_on_a_wildcard_knows_where_a_datagram_went() {
    let mut bench = Bench::bind("0.0.0.0:0");
    let server = SocketAddr::from(([127, 0, 0, 3], bench.port));
    peer("127.0.0.1:0").send_to(b"x", server).expect("sent");
    let (datagram, _) = bench.receive().remove(0);
    let listener = Listener::new(bench.socket).expect("it is bound");
    assert_eq!(listener.destination(&datagram.ancillary), Some(server));
    assert_eq!(listener.source(server), Some(server));
    assert_eq!(listener.fits(server), 1);
}

#[test]
fn dscp_and_ecn_are_read_and_passed_on() {
    let mut bench = Bench::bind("127.0.0.1:0");
    let server = SocketAddr::from(([127, 0, 0, 1], bench.port));
    let client = peer("127.0.0.1:0");
    socket2::SockRef::from(&client).set_tos_v4(0xB9).expect("a TOS byte");
    client.send_to(b"marked", server).expect("sent");
    assert_eq!(bench.receive()[0].0.ancillary.traffic_class, 0xB9);

    let mut far = Bench::bind("127.0.0.1:0");
    let far_address = SocketAddr::from(([127, 0, 0, 1], far.port));
    bench.post(0, b"marked", far_address).traffic_class(0xB9).put();
    bench.post(1, b"plain", far_address).put();
    assert_eq!(bench.flush(), 0);
    let classes: Vec<u8> =
        far.receive().iter().map(|(datagram, _)| datagram.ancillary.traffic_class).collect();
    assert_eq!(classes, [0xB9, 0]);
}

#[test]
fn the_ipv6_traffic_class_is_passed_on() {
    let (mut near, mut far) = (Bench::bind("[::1]:0"), Bench::bind("[::1]:0"));
    let to = SocketAddr::new(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1u16]), far.port);
    near.post(0, b"marked", to).traffic_class(0x2E << 2).put();
    assert_eq!(near.flush(), 0);
    assert_eq!(far.receive()[0].0.ancillary.traffic_class, 0x2E << 2);
}

#[test]
fn the_largest_datagram_passes_whole() {
    let (mut near, mut far) = (Bench::bind("127.0.0.1:0"), Bench::bind("127.0.0.1:0"));
    let payload: Vec<u8> = (0..65_507u32).map(|index| (index % 251) as u8).collect();
    near.post(63, &payload, SocketAddr::from(([127, 0, 0, 1], far.port))).put();
    assert_eq!(near.flush(), 0);
    let received = far.receive().remove(0);
    assert!(!received.0.truncated);
    assert!(received.1 == payload, "every byte is what was sent");
}

#[test]
fn a_datagram_larger_than_its_buffer_is_known_to_be_cut() {
    let mut bench = Bench::with_room("127.0.0.1:0", 100);
    let server = SocketAddr::from(([127, 0, 0, 1], bench.port));
    let client = peer("127.0.0.1:0");
    client.send_to(&[1; 101], server).expect("sent");
    client.send_to(&[2; 100], server).expect("sent");
    let cut: Vec<bool> = bench.receive().iter().map(|(datagram, _)| datagram.truncated).collect();
    assert_eq!(cut, [true, false]);
}

#[test]
fn a_datagram_that_cannot_be_sent_does_not_hold_up_those_behind_it() {
    let (mut near, mut far) = (Bench::bind("127.0.0.1:0"), Bench::bind("127.0.0.1:0"));
    let to = SocketAddr::from(([127, 0, 0, 1], far.port));
    near.post(0, b"first", to).put();
    near.post(1, &vec![0; 65_508], to).put();
    near.post(2, b"to an address of the other family", "[::1]:9".parse().expect("one")).put();
    near.post(3, b"last", to).put();
    assert_eq!(near.flush(), 2);
    let payloads: Vec<Vec<u8>> = far.receive().into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(payloads, [&b"first"[..], b"last"]);
}

#[test]
fn a_closed_port_at_the_other_end_stops_nothing() {
    let (mut near, mut far) = (Bench::bind("127.0.0.1:0"), Bench::bind("127.0.0.1:0"));
    let closed = address_of(&peer("127.0.0.1:0"));
    for _ in 0..3 {
        near.post(0, b"nobody there", closed).put();
        near.post(1, b"here", SocketAddr::from(([127, 0, 0, 1], far.port))).put();
        assert_eq!(near.flush(), 0);
    }
    assert_eq!(far.receive().len(), 3);
    let back = SocketAddr::from(([127, 0, 0, 1], near.port));
    peer("127.0.0.1:0").send_to(b"back", back).expect("sent");
    assert_eq!(near.receive().len(), 1);
}

#[test]
fn datagrams_of_one_socket_keep_their_order() {
    let (mut near, mut far) = (Bench::bind("127.0.0.1:0"), Bench::bind("127.0.0.1:0"));
    let to = SocketAddr::from(([127, 0, 0, 1], far.port));
    for index in 0..64u8 {
        let post = near.post(usize::from(index), &[index], to);
        // Every third has another option set, so that the batch is sent in many runs.
        if index % 3 == 0 { post.dont_fragment().put() } else { post.put() }
    }
    assert_eq!(near.flush(), 0);
    let order: Vec<u8> = far.receive().iter().map(|(_, payload)| payload[0]).collect();
    assert_eq!(order, (0..64).collect::<Vec<u8>>());
}

#[test]
fn what_the_kernel_drops_is_counted() {
    let mut bench = Bench::bind("127.0.0.1:0");
    let server = SocketAddr::from(([127, 0, 0, 1], bench.port));
    let client = peer("127.0.0.1:0");
    let mut dropped = 0;
    for _ in 0..100_000 {
        client.send_to(b"x", server).expect("sent");
        dropped = sys::kernel_drops(bench.socket.as_fd()).expect("the counter");
        if dropped >= 10 {
            break;
        }
    }
    assert!(dropped >= 10, "the buffer is bounded");
    while bench.inbox.receive(bench.socket.as_fd(), &mut bench.buffers, 0, 64).is_ok() {}
    client.send_to(b"after", server).expect("sent");
    assert_eq!(bench.receive()[0].0.ancillary.drops, Some(dropped));

    let total = std::sync::atomic::AtomicU64::new(5);
    bench.socket.note_drops(dropped - 3, &total);
    bench.socket.note_last_drops(&total);
    assert_eq!(total.into_inner(), 5 + u64::from(dropped));
}
