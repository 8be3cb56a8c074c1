//! What ICMP says about datagrams that were sent, and what it must not disturb.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::super::sys::{self, IcmpError};
use super::{Bench, address_of, peer, raw};

/// A bench that keeps ICMP errors, as relay sockets do.
fn bench(address: &str) -> Bench {
    let bench = Bench::bind(address);
    bench.socket.report_icmp().expect("every Linux can");
    bench
}

/// A port that nobody has.
fn closed(address: &str) -> SocketAddr {
    address_of(&peer(address))
}

/// Sends the ICMP message that a router would about a datagram from `near` to 127.0.0.9:4000.
/// `None` where this process may not.
fn complain(near: &Bench, kind: u8, code: u8, mtu: u16) -> Option<SocketAddr> {
    let complaint = Complaint::new(near.port, kind, code, mtu)?;
    complaint.send();
    Some(SocketAddr::from(([127, 0, 0, 9], 4000)))
}

/// What a router says about a datagram from `port` to 127.0.0.9:4000.
struct Complaint {
    icmp: socket2::Socket,
    message: Vec<u8>,
}

impl Complaint {
    fn new(port: u16, kind: u8, code: u8, mtu: u16) -> Option<Self> {
        let icmp = raw(socket2::Protocol::ICMPV4, "errors of routers")?;
        let mut message = vec![kind, code, 0, 0, 0, 0];
        message.extend(mtu.to_be_bytes());
        // The datagram's IP header as far as it counts, and its UDP header.
        message.extend([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 9]);
        message.extend(port.to_be_bytes());
        message.extend([4000u16.to_be_bytes(), 20u16.to_be_bytes(), [0, 0]].concat());
        let words = message.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
        let sum = words.sum::<u32>();
        let checksum = !((sum & 0xFFFF) + (sum >> 16)) as u16;
        message[2..4].copy_from_slice(&checksum.to_be_bytes());
        Some(Self { icmp, message })
    }

    fn send(&self) {
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        self.icmp.send_to(&self.message, &here.into()).expect("sent");
    }
}

/// All that is in the queue.
fn reported(bench: &Bench) -> Vec<IcmpError> {
    let mut most = 100;
    std::iter::from_fn(|| bench.socket.next_icmp(&mut most)).collect()
}

#[test]
fn a_closed_port_is_reported_with_the_peers_address() {
    for (here, unreachable, code) in [("127.0.0.1:0", 3, 3), ("[::1]:0", 1, 4)] {
        let mut near = bench(here);
        let closed = closed(here);
        near.post(0, b"nobody there", closed).put();
        assert_eq!(near.flush(), 0);
        let expected = IcmpError { peer: closed, kind: unreachable, code, mtu: 0 };
        assert_eq!(reported(&near), [expected]);
        let empty = sys::next_error(near.socket.as_fd()).expect_err("all is read");
        assert_eq!(empty.kind(), std::io::ErrorKind::WouldBlock);
    }
}

#[test]
fn no_datagram_is_lost_to_what_icmp_says_about_another() {
    let (mut near, mut far) = (bench("127.0.0.1:0"), Bench::bind("127.0.0.1:0"));
    let (closed, open) = (closed("127.0.0.1:0"), SocketAddr::from(([127, 0, 0, 1], far.port)));
    for index in 0..32u8 {
        near.post(usize::from(2 * index), b"nobody there", closed).put();
        near.post(usize::from(2 * index + 1), &[index], open).put();
    }
    assert_eq!(near.flush(), 0, "each failed try is made up for");
    let order: Vec<u8> = far.receive().iter().map(|(_, payload)| payload[0]).collect();
    assert_eq!(order, (0..32).collect::<Vec<u8>>());
    assert_eq!(reported(&near).len(), 32);
}

#[test]
fn a_single_datagram_is_sent_although_an_error_is_pending() {
    let (mut near, mut far) = (bench("127.0.0.1:0"), Bench::bind("127.0.0.1:0"));
    let (closed, open) = (closed("127.0.0.1:0"), SocketAddr::from(([127, 0, 0, 1], far.port)));
    near.post(0, b"nobody there", closed).put();
    assert_eq!(near.flush(), 0);
    near.post(0, b"here", open).put();
    assert_eq!(near.flush(), 0);
    assert_eq!(far.receive().len(), 1);
}

#[test]
fn what_has_arrived_is_read_although_an_error_is_pending() {
    let mut near = bench("127.0.0.1:0");
    near.post(0, b"nobody there", closed("127.0.0.1:0")).put();
    assert_eq!(near.flush(), 0);
    let here = SocketAddr::from(([127, 0, 0, 1], near.port));
    peer("127.0.0.1:0").send_to(b"hello", here).expect("sent");
    let buffers = &mut near.buffers;
    let mut fill = || super::super::shard::fill(&mut near.inbox, &near.socket, buffers, 0, 8);
    assert_eq!(fill(), 1);
    assert_eq!(fill(), 0);
}

#[test]
fn one_look_takes_a_bounded_number_of_reports() {
    let mut near = bench("127.0.0.1:0");
    let closed = closed("127.0.0.1:0");
    for slot in 0..4 {
        // Each longer than the one before: they leave one by one.
        near.post(slot, &b"nobody there"[..=slot], closed).put();
    }
    assert_eq!(near.flush(), 0);
    let mut most = 3;
    let first = std::iter::from_fn(|| near.socket.next_icmp(&mut most)).count();
    assert_eq!((first, reported(&near).len()), (3, 1));
}

#[test]
fn a_router_with_a_smaller_mtu_is_reported_with_it() {
    let near = bench("127.0.0.1:0");
    let Some(peer) = complain(&near, 3, 4, 1400) else { return };
    assert_eq!(reported(&near), [IcmpError { peer, kind: 3, code: 4, mtu: 1400 }]);
}

#[test]
fn errors_that_look_like_ones_own_trouble_cost_no_datagram() {
    let (mut near, mut far) = (bench("127.0.0.1:0"), Bench::bind("127.0.0.1:0"));
    let to = SocketAddr::from(([127, 0, 0, 1], far.port));
    // Host unreachable, fragmentation needed, time exceeded: EHOSTUNREACH and EMSGSIZE.
    for (kind, code) in [(3, 1), (3, 4), (11, 0)] {
        if complain(&near, kind, code, 576).is_none() {
            return;
        }
        near.post(0, b"alone", to).put();
        assert_eq!(near.flush(), 0, "{kind} {code}");
        complain(&near, kind, code, 576);
        near.post(0, b"first", to).put();
        near.post(1, b"second", to).put();
        assert_eq!(near.flush(), 0, "{kind} {code}");
    }
    assert_eq!(far.receive().len(), 9);
}

/// Sends ten datagrams, of which a flood may leave none; says whether they came as a train.
fn leaves_as_a_train(near: &mut Bench, far: &mut Bench) -> bool {
    let to = SocketAddr::from(([127, 0, 0, 1], far.port));
    (0..10).for_each(|slot| near.post(slot, &[7; 100], to).put());
    near.flush();
    let Bench { socket, buffers, inbox, .. } = far;
    let got = inbox.receive(socket.as_fd(), buffers, 0, 10).unwrap_or(0);
    (0..got).any(|index| inbox.datagram(index).packets() > 1)
}

#[test]
fn a_peer_that_floods_us_with_icmp_ends_no_trains() {
    // Protocol unreachable, fragmentation needed, source route failed.
    for code in [2, 4, 5] {
        let (mut near, mut far) = (bench("127.0.0.1:0"), Bench::bind("127.0.0.1:0"));
        far.socket.receive_trains();
        let Some(complaint) = Complaint::new(near.port, 3, code, 0) else { return };
        let over = AtomicBool::new(false);
        assert!(leaves_as_a_train(&mut near, &mut far), "trains are on");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    complaint.send();
                }
            });
            for _ in 0..20_000 {
                leaves_as_a_train(&mut near, &mut far);
            }
            over.store(true, Relaxed);
        });
        while near.socket.next_icmp(&mut 1000).is_some() {}
        assert!(leaves_as_a_train(&mut near, &mut far), "code {code}");
    }
}
