//! What clients do at the beginning of TLS.

use std::io::Write;
use std::time::Duration;

use rustls::ProtocolVersion;

use crate::client::{BOTH, NEW, OLD, Tls, binding, binding_answer, binding_request, health, tcp};
use crate::support::server::Server;

#[test]
fn both_versions_are_spoken() {
    let server = Server::dev();
    for (versions, expected) in [(&OLD, ProtocolVersion::TLSv1_2), (&NEW, ProtocolVersion::TLSv1_3)]
    {
        let mut session = Tls { versions, ..Tls::default() }.connect(server.tls());
        assert_eq!(session.stream.conn.protocol_version(), Some(expected));
        assert!(binding(&mut session.stream).is_some(), "{expected:?}");
        let mut session = Tls { versions, ..Tls::default() }.connect(server.http_address());
        assert_eq!(health(&mut session.stream), Some(200), "{expected:?}");
    }
}

#[test]
fn no_server_name_is_needed() {
    let server = Server::dev();
    let mut session = Tls { sni: false, ..Tls::default() }.connect(server.tls());
    assert!(binding(&mut session.stream).is_some());
}

#[test]
fn a_client_hello_in_single_bytes_is_understood() {
    let server = Server::dev();
    for versions in [&OLD[..], &BOTH[..]] {
        let tls = Tls { chunk: 1, sni: false, versions, ..Tls::default() };
        let mut session = tls.connect(server.tls());
        assert!(binding(&mut session.stream).is_some());
    }
}

#[test]
fn alpn_is_answered_and_not_required() {
    let server = Server::dev();
    let cases: [(&'static [&'static str], Option<&str>); 4] = [
        (&[], None),
        (&["stun.turn"], Some("stun.turn")),
        (&["h2", "http/1.1"], Some("http/1.1")),
        (&["stun.nat-discovery"], Some("stun.nat-discovery")),
    ];
    for (alpn, expected) in cases {
        let mut session = Tls { alpn, ..Tls::default() }.connect(server.tls());
        let chosen = session.stream.conn.alpn_protocol().map(String::from_utf8_lossy);
        assert_eq!(chosen.as_deref(), expected);
        assert!(binding(&mut session.stream).is_some(), "{alpn:?}");
    }
}

#[test]
fn a_message_that_comes_with_the_end_of_the_handshake_is_not_lost() {
    let server = Server::dev();
    for _ in 0..5 {
        // Two requests in one record, right behind the client's Finished.
        let mut session = Tls::default().connect(server.tls());
        let requests = [binding_request(), binding_request()];
        let both = [&requests[0].raw[..], &requests[1].raw[..]].concat();
        session.stream.write_all(&both).expect("sent");
        for request in &requests {
            assert!(binding_answer(&mut session.stream, request).is_some());
        }
    }
}

#[test]
fn a_message_split_over_records_is_put_together() {
    let server = Server::dev();
    let mut session = Tls::default().connect(server.tls());
    let request = binding_request();
    for byte in &request.raw {
        session.stream.write_all(&[*byte]).expect("sent");
        session.stream.flush().expect("sent");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(binding_answer(&mut session.stream, &request).is_some());
}

#[test]
fn what_is_no_client_hello_ends_the_connection_alone() {
    let server = Server::dev();
    let mut stream = tcp(server.tls());
    stream.write_all(b"\x16\x03\x01\x00\x05hello").expect("sent");
    let mut answer = Vec::new();
    let _ = std::io::Read::read_to_end(&mut stream, &mut answer);
    assert!(answer.is_empty() || answer[0] == 21, "an alert or nothing: {answer:?}");
    assert!(binding(&mut Tls::default().connect(server.tls()).stream).is_some());
}
