//! The PROXY protocol: from trusted proxies it is required and believed, from others neither.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use crate::client::{Tls, assert_closed, binding, health, http, tcp};
use crate::support::free_tcp_address;
use crate::support::server::{Server, Start};

const CLIENT: &str = "192.0.2.7:56324";
const LINE: &[u8] = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";
const LOCAL: &[u8] = b"PROXY UNKNOWN\r\n";

/// A header of version 2 for `client`, with a field behind the addresses.
fn binary(client: SocketAddr) -> Vec<u8> {
    let mut body = Vec::new();
    let family = match client.ip() {
        std::net::IpAddr::V4(ip) => {
            body.extend(ip.octets());
            body.extend([198, 51, 100, 1]);
            0x11
        }
        std::net::IpAddr::V6(ip) => {
            body.extend(ip.octets());
            body.extend([0; 16]);
            0x21
        }
    };
    body.extend(client.port().to_be_bytes());
    body.extend([1, 187]);
    body.extend([4, 0, 2, 0, 0]);
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21".to_vec();
    header.push(family);
    header.extend((body.len() as u16).to_be_bytes());
    header.extend(body);
    header
}

fn client() -> SocketAddr {
    CLIENT.parse().expect("an address")
}

/// A server that believes proxies on 127.0.0.1, with one address for everything and one for HTTP.
fn behind_proxies() -> (Server, SocketAddr) {
    let shared = free_tcp_address();
    let start = Start::default().set("listen.proxy_from", "127.0.0.1").http(&[]);
    let both = format!("{shared},127.0.0.1:0");
    (start.set("listen.tcp", &shared.to_string()).set("http.listen", &both).start(), shared)
}

fn proxied(server: SocketAddr, header: &[u8]) -> TcpStream {
    let mut stream = tcp(server);
    stream.write_all(header).expect("sent");
    stream
}

#[test]
fn the_client_a_trusted_proxy_names_is_the_client() {
    let (server, shared) = behind_proxies();
    let six: SocketAddr = "[2001:db8::7]:9".parse().expect("an address");
    for (header, expected) in
        [(LINE.to_vec(), client()), (binary(client()), client()), (binary(six), six)]
    {
        assert_eq!(binding(&mut proxied(shared, &header)), Some(expected));
        let mut session = Tls::default().over(proxied(server.tls(), &header)).expect("TLS");
        assert_eq!(binding(&mut session.stream), Some(expected));
    }
}

#[test]
fn a_header_in_single_bytes_is_read_and_nothing_behind_it_is_lost() {
    let (_server, shared) = behind_proxies();
    for header in [LINE.to_vec(), binary(client())] {
        let mut stream = tcp(shared);
        for byte in &header {
            stream.write_all(&[*byte]).expect("sent");
        }
        assert_eq!(binding(&mut stream), Some(client()));
        // And in one piece with what follows.
        let mut stream = tcp(shared);
        let request = crate::client::binding_request();
        stream.write_all(&[&header[..], &request.raw].concat()).expect("sent");
        assert_eq!(crate::client::binding_answer(&mut stream, &request), Some(client()));
    }
}

#[test]
fn a_proxy_may_speak_for_itself() {
    let (_server, shared) = behind_proxies();
    let mut stream = proxied(shared, LOCAL);
    let own = stream.local_addr().expect("connected");
    assert_eq!(binding(&mut stream), Some(own));
}

#[test]
fn a_trusted_proxy_without_a_header_is_closed() {
    let (server, shared) = behind_proxies();
    assert_eq!(binding(&mut tcp(shared)), None);
    assert_eq!(health(&mut tcp(shared)), None);
    assert!(Tls::default().over(tcp(server.tls())).is_err());
    let mut stream = proxied(shared, b"PROXY TCP4 nobody\r\n");
    assert_closed(&mut stream);
}

#[test]
fn nobody_else_is_believed() {
    let server = Start::default().set("listen.proxy_from", "192.0.2.0/24").start();
    assert_closed(&mut proxied(server.tcp(), LINE));
    assert_closed(&mut proxied(server.tcp(), &binary(client())));
    let mut stream = tcp(server.tcp());
    let own = stream.local_addr().expect("connected");
    assert_eq!(binding(&mut stream), Some(own), "and no header is asked for");
    // Where HTTP is served, a line is a bad request and no more.
    let answer = http(&mut tcp(server.http_address()), std::str::from_utf8(LINE).expect("text"));
    assert!(answer.is_none_or(|answer| answer.starts_with("HTTP/1.1 400")));
}

#[test]
fn http_behind_a_proxy_sees_the_client() {
    let (server, shared) = behind_proxies();
    let wrong = "GET /api/v1/ice HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer nonsense\r\n\
                 Connection: close\r\n\r\n";
    let answer = http(&mut proxied(shared, LINE), wrong).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let limit = std::time::Duration::from_secs(5);
    server.wait_for_line(limit, "the refusal", |line| line.contains("\"client\":\"192.0.2.7\""));
}

#[test]
fn a_port_of_http_alone_wants_no_header() {
    let (server, shared) = behind_proxies();
    let ready = server.log().into_iter().find(|line| line["fields"]["message"] == "ready");
    let ready = ready.expect("a ready line");
    let http = ready["fields"]["http"].as_str().expect("a text").to_owned();
    let alone = http.split(',').map(|address| address.parse::<SocketAddr>().expect("an address"));
    let alone = alone.into_iter().find(|address| *address != shared).expect("a port of its own");
    assert_eq!(health(&mut tcp(alone)), Some(200));
}
