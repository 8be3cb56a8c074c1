//! The PROXY header over made-up inputs: what a proxy may write is read as it was meant, whatever
//! stands behind it, and nothing else is taken for a header.

use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;
use relayhouse::front::proxy::{Header, MAX_V1, MAX_V2, parse};

#[path = "fuzz_bodies/proxy_header.rs"]
mod body;

fn line(client: SocketAddr, server: SocketAddr) -> Vec<u8> {
    let family = if client.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from, to) = (client.ip(), server.ip());
    format!("PROXY {family} {from} {to} {} {}\r\n", client.port(), server.port()).into_bytes()
}

fn binary(client: SocketAddr, server: SocketAddr, fields: &[u8]) -> Vec<u8> {
    let mut addresses = Vec::new();
    for ip in [client.ip(), server.ip()] {
        match ip {
            IpAddr::V4(ip) => addresses.extend(ip.octets()),
            IpAddr::V6(ip) => addresses.extend(ip.octets()),
        }
    }
    addresses.extend(client.port().to_be_bytes());
    addresses.extend(server.port().to_be_bytes());
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([0x21, if client.is_ipv4() { 0x11 } else { 0x21 }]);
    let length = u16::try_from(addresses.len() + fields.len()).expect("short");
    header.extend(length.to_be_bytes());
    [header, addresses, fields.to_vec()].concat()
}

/// Two addresses of one family.
fn ends() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
    let four = any::<([u8; 4], u16, [u8; 4], u16)>();
    let six = any::<([u8; 16], u16, [u8; 16], u16)>();
    prop_oneof![
        four.prop_map(|(a, p, b, q)| ((a, p).into(), (b, q).into())),
        six.prop_map(|(a, p, b, q)| ((a, p).into(), (b, q).into())),
    ]
}

fn canonical(client: SocketAddr) -> SocketAddr {
    SocketAddr::new(client.ip().to_canonical(), client.port())
}

proptest! {
    #[test]
    fn a_line_is_read_as_it_was_meant((client, server) in ends(), behind in any::<Vec<u8>>()) {
        let header = line(client, server);
        prop_assert!(header.len() <= MAX_V1);
        let whole = Header::Whole { len: header.len(), client: Some(canonical(client)) };
        prop_assert_eq!(parse(&[header, behind].concat()), whole);
    }

    #[test]
    fn a_binary_header_is_read_as_it_was_meant(
        (client, server) in ends(),
        fields in prop::collection::vec(any::<u8>(), 0..600),
        behind in any::<Vec<u8>>(),
    ) {
        let header = binary(client, server, &fields);
        let whole = Header::Whole { len: header.len(), client: Some(canonical(client)) };
        prop_assert_eq!(parse(&[header, behind].concat()), whole);
    }

    #[test]
    fn every_beginning_of_a_header_is_waited_for((client, server) in ends(), cut in 0..200_usize) {
        for header in [line(client, server), binary(client, server, &[0; 40])] {
            let end = cut.min(header.len() - 1);
            prop_assert_eq!(parse(&header[..end]), Header::Partial);
        }
    }

    #[test]
    fn a_changed_byte_never_makes_more_of_it(
        (client, server) in ends(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        is_line in any::<bool>(),
    ) {
        let mut header = if is_line { line(client, server) } else { binary(client, server, &[]) };
        let at = at.index(header.len());
        header[at] = byte;
        body::run(&header);
        if let Header::Whole { len, .. } = parse(&header) {
            prop_assert!(len <= header.len());
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        body::run(&bytes);
        for signature in [&b"PROXY "[..], b"PROXY TCP4 ", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0"] {
            body::run(&[signature, &bytes].concat());
        }
    }
}

#[test]
fn the_longest_binary_header_is_taken() {
    let ends = (([192, 0, 2, 1], 1).into(), ([192, 0, 2, 2], 2).into());
    let longest = binary(ends.0, ends.1, &vec![0; MAX_V2 - 28]);
    assert_eq!(longest.len(), MAX_V2);
    assert!(matches!(parse(&longest), Header::Whole { len: MAX_V2, .. }));
}
