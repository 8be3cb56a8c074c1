//! Requests whose end can be read in two ways, and heads that are too large.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::server::Server;

/// Everything the server says to these bytes until it closes the connection.
fn said(server: &Server, bytes: &str) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // It may have closed before it has everything.
    let _ = stream.write_all(bytes.as_bytes());
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("not closed: {error}"),
    }
    String::from_utf8(said).unwrap()
}

/// A request with these header lines and body, and another one that a proxy would not see.
fn smuggled(lines: &str, body: &str) -> String {
    format!(
        "POST /api/v1/rooms HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n{lines}\r\n\
         {body}GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
    )
}

#[track_caller]
fn assert_one_answer(said: &str, status: &str) {
    assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
    assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{said}");
}

#[test]
fn two_lengths_are_refused() {
    let server = Server::open();
    for lines in [
        "Content-Length: 2\r\nContent-Length: 44\r\n",
        "Content-Length: 2, 44\r\n",
        "Content-Length: +2\r\n",
        "Content-Length: 0x2\r\n",
        "Content-Length: -2\r\n",
    ] {
        assert_one_answer(&said(&server, &smuggled(lines, "{}")), "400");
    }
    assert_eq!(server.api.store().rooms().count(), 0);
}

#[test]
fn a_length_before_chunks_is_refused() {
    let server = Server::open();
    let lines = "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n";
    assert_one_answer(&said(&server, &smuggled(lines, "0\r\n\r\n")), "400");
    assert_eq!(server.api.store().rooms().count(), 0);
}

#[test]
fn nothing_behind_a_body_in_chunks_is_a_request() {
    let server = Server::open();
    for lines in
        ["Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n"]
    {
        assert_one_answer(&said(&server, &smuggled(lines, "2\r\n{}\r\n0\r\n\r\n")), "201");
    }
}

#[test]
fn other_encodings_and_ambiguous_lines_are_refused() {
    let server = Server::open();
    for lines in [
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: chunked\r\n folded\r\n",
        "X: a\0b\r\n",
    ] {
        assert_one_answer(&said(&server, &smuggled(lines, "0\r\n\r\n")), "400");
    }
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let server = Server::start();
    let long = "x".repeat(40 * 1024);
    let lines: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    for head in [
        format!("GET /healthz HTTP/1.1\r\nHost: h\r\nX: {long}\r\n\r\n"),
        format!("GET /healthz HTTP/1.1\r\nHost: h\r\n{lines}\r\n"),
        format!("GET /{long} HTTP/1.1\r\nHost: h\r\n\r\n"),
    ] {
        assert_one_answer(&said(&server, &head), "431");
    }
}
