//! Clients that take their time: each is given ten seconds, and they are in nobody's way.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Tls, assert_closed, binding, health, tcp};
use crate::support::server::{BINARY, Server, Start};

/// Reads until the end and says how long that took.
fn until_closed(mut stream: TcpStream) -> Duration {
    let began = Instant::now();
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    began.elapsed()
}

#[test]
fn whoever_says_nothing_is_closed_after_ten_seconds() {
    let server = Server::dev();
    let silent = |address: SocketAddr, first: &'static [u8]| {
        thread::spawn(move || {
            let mut stream = tcp(address);
            stream.write_all(first).expect("sent");
            until_closed(stream)
        })
    };
    let waiting = [
        silent(server.tcp(), b""),
        silent(server.http_address(), b""),
        silent(server.tls(), b""),
        // Half a ClientHello.
        silent(server.tls(), b"\x16\x03\x01\x02\x00\x01"),
        // Half a STUN message, which is the relay's to wait for.
        silent(server.tcp(), b"\x00\x01\x00\x00"),
    ];
    for (index, waited) in waiting.into_iter().enumerate() {
        let waited = waited.join().expect("no panic");
        let patience = Duration::from_secs(8)..Duration::from_secs(20);
        assert!(patience.contains(&waited), "{index}: closed after {waited:?}");
    }
}

#[test]
fn a_session_without_a_first_byte_is_closed_after_ten_seconds() {
    let server = Server::dev();
    let began = Instant::now();
    let mut session = Tls::default().connect(server.tls());
    session.stream.sock.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    assert_closed(&mut session.stream);
    let patience = Duration::from_secs(8)..Duration::from_secs(20);
    assert!(patience.contains(&began.elapsed()), "closed after {:?}", began.elapsed());
}

#[test]
fn a_proxy_that_does_not_end_its_header_is_closed_after_ten_seconds() {
    let server = Start::default().set("listen.proxy_from", "127.0.0.0/8").start();
    let mut stream = tcp(server.tcp());
    stream.write_all(b"PROXY TCP4 192.0.2.7 ").expect("sent");
    let waited = until_closed(stream);
    let patience = Duration::from_secs(8)..Duration::from_secs(20);
    assert!(patience.contains(&waited), "closed after {waited:?}");
}

#[test]
fn a_crowd_of_slow_clients_from_one_address_keeps_nobody_else_out() {
    let server = Server::dev();
    let slow: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = tcp(server.tls());
            stream.write_all(b"\x16\x03\x01\x02\x00").expect("sent");
            stream
        })
        .collect();
    // The same address has had its share.
    let mut over = slow.last().expect("one").try_clone().expect("cloned");
    assert_closed(&mut over);
    // Another one has not: the whole of 127/8 is ours to come from.
    let other = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let other = other.expect("a socket");
    other.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).expect("bound");
    other.connect(&server.tcp().into()).expect("connected");
    let mut other = TcpStream::from(other);
    other.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    assert!(binding(&mut other).is_some());
    drop(slow);
    // And when they are gone, everybody is welcome.
    let deadline = Instant::now() + Duration::from_secs(10);
    while health(&mut tcp(server.http_address())) != Some(200) {
        assert!(Instant::now() < deadline, "still kept out");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_server_out_of_file_descriptors_recovers_when_some_are_free_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("few-files");
    let text = format!("#!/bin/sh\nulimit -n 70\nexec {BINARY:?} \"$@\"\n");
    std::fs::write(&script, text).expect("written");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("chmod");
    let mut server = Start::default().binary(&script).start();
    let slow: Vec<TcpStream> = (0..100).map(|_| tcp(server.tls())).collect();
    let limit = Duration::from_secs(10);
    server.wait_for_line(limit, "no more files", |line| line.contains("can be accepted"));
    let lines = server.text().matches("can be accepted").count();
    assert!(lines < 20, "{lines} lines about it");
    assert!(server.is_running());
    drop(slow);
    let deadline = Instant::now() + Duration::from_secs(10);
    while health(&mut tcp(server.http_address())) != Some(200) {
        assert!(Instant::now() < deadline, "it does not recover");
        thread::sleep(Duration::from_millis(100));
    }
    assert!(binding(&mut tcp(server.tcp())).is_some());
}

#[test]
fn connections_beyond_the_bound_of_the_relay_are_closed_and_it_is_said_once() {
    let server = Start::default().set("limits.stream_connections", "3").start();
    let mut open: Vec<TcpStream> = (0..3).map(|_| tcp(server.tcp())).collect();
    for stream in &mut open {
        assert!(binding(stream).is_some());
    }
    for _ in 0..5 {
        assert_eq!(binding(&mut tcp(server.tcp())), None);
    }
    assert!(binding(&mut open[0]).is_some(), "those that are open go on");
    assert_eq!(health(&mut tcp(server.http_address())), Some(200), "and HTTP has its own bound");
    assert_eq!(server.text().matches("limits.stream_connections").count(), 1, "{}", server.text());
}
