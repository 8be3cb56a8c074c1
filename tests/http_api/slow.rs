//! Clients that take their time: each is given up, and its place is free again.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use relayhouse::api::{HttpPatience, HttpSettings};

use crate::server::Server;

const SOON: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

fn impatient() -> Server {
    let patience = HttpPatience { head: SHORT, write: SHORT };
    Server::with(HttpSettings { patience, ..HttpSettings::default() })
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

/// Writes these bytes one at a time until they are all gone or the server is.
fn trickle(stream: &mut TcpStream, bytes: impl Iterator<Item = u8>, pause: Duration) {
    for byte in bytes {
        if stream.write_all(&[byte]).is_err() {
            return;
        }
        std::thread::sleep(pause);
    }
}

fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "not closed"),
    }
    said
}

#[test]
fn a_head_in_single_bytes_is_not_waited_for() {
    let server = impatient();
    let mut stream = connect(&server);
    let head = b"GET /healthz HTTP/1.1\r\nHost: h\r\n".iter().copied();
    let endless = head.chain(b"X: y\r\n".iter().copied().cycle()).take(10_000);
    let mut writer = stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || trickle(&mut writer, endless, SHORT / 10));
    let said = until_closed(&mut stream);
    assert!(!said.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&said));
    writer.join().unwrap();
}

#[test]
fn a_body_in_single_bytes_is_answered_with_a_timeout() {
    let server = Server::open();
    let mut stream = connect(&server);
    let head = "POST /api/v1/rooms HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
                Content-Length: 9999\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let spaces = std::iter::repeat_n(b' ', 60);
    let writer =
        std::thread::spawn(move || trickle(&mut writer, spaces, Duration::from_millis(500)));
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 408");
    drop(stream);
    drop(server);
    writer.join().unwrap();
}

#[test]
fn an_idle_connection_is_closed() {
    let server = impatient();
    let mut stream = connect(&server);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    assert!(until_closed(&mut stream).starts_with(b"HTTP/1.1 200"));
}

#[test]
fn whoever_asks_for_much_and_reads_nothing_is_given_up() {
    let server = impatient();
    let mut stream = connect(&server);
    let ask = b"GET /assets/ui/call-view.js HTTP/1.1\r\nHost: h\r\n\r\n";
    stream.set_write_timeout(Some(SHORT)).unwrap();
    // More than both sides' buffers hold.
    for _ in 0..20_000 {
        if stream.write_all(ask).is_err() {
            break;
        }
    }
    let until = Instant::now() + SOON;
    while server.api.snapshot().connections > 0 {
        assert!(Instant::now() < until, "its place is still taken");
        std::thread::sleep(Duration::from_millis(20));
    }
}
