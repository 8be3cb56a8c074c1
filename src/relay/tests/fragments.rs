//! The IPv4 don't-fragment bit, looked at on the wire.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use socket2::Protocol;

use super::{Bench, raw};

/// Where the don't-fragment bit is in an IPv4 header.
const FLAGS: usize = 6;
const DONT_FRAGMENT: u8 = 0x40;

/// A socket that sees whole IP packets to `address`.
fn wire_tap(address: Ipv4Addr) -> Option<socket2::Socket> {
    let tap = raw(Protocol::UDP, "the don't-fragment bit")?;
    tap.bind(&SocketAddr::from((address, 0)).into()).expect("a loopback address");
    tap.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    Some(tap)
}

#[test]
fn only_the_packet_that_asks_for_it_carries_the_dont_fragment_bit() {
    // An address of its own, so that the tap sees nothing of other tests.
    let address = Ipv4Addr::new(127, 0, 11, 1);
    let Some(mut tap) = wire_tap(address) else { return };
    let (mut near, far) = (Bench::bind("127.0.0.1:0"), Bench::bind("127.0.11.1:0"));
    let to = SocketAddr::from((address, far.port));
    near.post(0, b"plain", to).put();
    near.post(1, b"whole", to).dont_fragment().put();
    near.post(2, b"plain", to).put();
    assert_eq!(near.flush(), 0);
    let bits = [(); 3].map(|()| next_flags(&mut tap, to));
    assert_eq!(bits, [0, DONT_FRAGMENT, 0]);
}

/// The don't-fragment bit of the next packet to `to`. Before it was bound, the tap may have seen
/// what other tests sent.
fn next_flags(tap: &mut socket2::Socket, to: SocketAddr) -> u8 {
    loop {
        let mut packet = [0; 128];
        let len = tap.read(&mut packet).expect("a packet on the wire");
        let (header, udp) = packet[..len].split_at(20);
        if udp[2..4] == to.port().to_be_bytes() {
            return header[FLAGS] & DONT_FRAGMENT;
        }
    }
}
