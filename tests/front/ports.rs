//! Which protocol is served on which port.

use std::io::Write;
use std::net::SocketAddr;

use crate::client::{Tls, assert_closed, binding, health, http, tcp};
use crate::files::Files;
use crate::support::credentials::Credential;
use crate::support::http::try_get;
use crate::support::server::{Server, Start};
use crate::support::{free_tcp_address, turn_client};

/// A server whose lists name this one address, with a certificate.
fn sharing(lists: &[&str]) -> (Server, SocketAddr, Files) {
    let (address, files) = (free_tcp_address(), Files::new("turn.example.org"));
    let mut start = files.given_to(Start::default().closed()).http(&[]);
    for list in ["listen.tcp", "listen.tls", "http.listen"] {
        let value = if lists.contains(&list) { address.to_string() } else { "[]".to_owned() };
        start = start.set(list, &value);
    }
    (start.start(), address, files)
}

/// What is served at `address`: STUN, HTTP, STUN over TLS, HTTPS.
fn served(address: SocketAddr) -> [bool; 4] {
    let tls = |start: fn(&mut Session) -> bool| match Tls::default().over(tcp(address)) {
        Ok(mut session) => start(&mut session),
        Err(_) => false,
    };
    [
        binding(&mut tcp(address)).is_some(),
        health(&mut tcp(address)) == Some(200),
        tls(|session| binding(&mut session.stream).is_some()),
        tls(|session| health(&mut session.stream) == Some(200)),
    ]
}

type Session = crate::client::Session<std::net::TcpStream>;

#[test]
fn each_kind_of_port_serves_its_own_and_tls_on_top() {
    let (_server, address, _files) = sharing(&["listen.tcp"]);
    assert_eq!(served(address), [true, false, true, false], "listen.tcp");
    let (_server, address, _files) = sharing(&["listen.tls"]);
    assert_eq!(served(address), [false, false, true, false], "listen.tls");
    let (_server, address, _files) = sharing(&["http.listen"]);
    assert_eq!(served(address), [false, true, false, true], "http.listen");
}

#[test]
fn https_and_turns_share_a_port() {
    let (_server, address, _files) = sharing(&["listen.tls", "http.listen"]);
    assert_eq!(served(address), [false, true, true, true]);
}

#[test]
fn plain_turn_and_plain_http_share_a_port() {
    let (_server, address, _files) = sharing(&["listen.tcp", "http.listen"]);
    assert_eq!(served(address), [true; 4]);
}

#[test]
fn all_three_share_a_port() {
    let (_server, address, _files) = sharing(&["listen.tcp", "listen.tls", "http.listen"]);
    assert_eq!(served(address), [true; 4]);
}

#[test]
fn a_wildcard_serves_more_on_the_address_that_another_list_names() {
    let port = free_tcp_address().port();
    let start = Start::default().closed().http(&[]).set("listen.tcp", &format!("0.0.0.0:{port}"));
    let _server = start.set("http.listen", &format!("127.0.0.1:{port}")).start();
    let at = |last: u8| SocketAddr::from(([127, 0, 0, last], port));
    assert_eq!(served(at(1)), [true, true, false, false]);
    assert_eq!(served(at(2)), [true, false, false, false]);
}

#[test]
fn without_a_certificate_there_is_no_tls() {
    let start = Start::default().closed();
    let server = start.start();
    assert_eq!(served(server.tcp()), [true, false, false, false]);
    assert_eq!(served(server.http_address()), [false, true, false, false]);
}

#[test]
fn dev_serves_everything_and_says_where() {
    let server = Start::default().with_ipv6().start();
    assert_eq!(served(server.tcp()), [true, false, true, false]);
    assert_eq!(served(server.tls()), [false, false, true, false]);
    assert_eq!(served(server.http_address()), [false, true, false, true]);
    let ready = server.log().into_iter().find(|line| line["fields"]["message"] == "ready");
    let ready = ready.expect("a ready line");
    let addresses = |field: &str| ready["fields"][field].as_str().expect("a text").to_owned();
    for field in ["udp", "tcp", "tls"] {
        assert_eq!(addresses(field).split(',').count(), 2, "{field}: {}", addresses(field));
        assert!(addresses(field).contains("[::1]:"), "{field}: {}", addresses(field));
    }
}

#[test]
fn the_client_is_told_its_own_address() {
    let server = Start::default().with_ipv6().start();
    let mut plain = tcp(server.tcp());
    let own = plain.local_addr().expect("connected");
    assert_eq!(binding(&mut plain), Some(own));
    let mut session = Tls::default().connect(server.tls());
    let own = session.stream.sock.local_addr().expect("connected");
    assert_eq!(binding(&mut session.stream), Some(own));
}

#[test]
fn minted_urls_name_what_listens() {
    let server = Server::dev();
    let answer = try_get(&server.url("/api/v1/ice"), None).expect("an answer").expect(200);
    let urls: Vec<&str> = answer.json["iceServers"]
        .as_array()
        .expect("servers")
        .iter()
        .flat_map(|server| server["urls"].as_array().expect("urls"))
        .map(|url| url.as_str().expect("a text"))
        .collect();
    let (udp, tcp, tls) = (server.udp().port(), server.tcp().port(), server.tls().port());
    let expected = [
        format!("stun:127.0.0.1:{udp}"),
        format!("turn:127.0.0.1:{udp}?transport=udp"),
        format!("turn:127.0.0.1:{tcp}?transport=tcp"),
        format!("turns:127.0.0.1:{tls}?transport=tcp"),
    ];
    assert_eq!(urls, expected);
}

#[test]
fn minted_urls_over_tls_carry_the_name_of_the_certificate() {
    let (server, address, _files) = sharing(&["listen.tls", "http.listen"]);
    let folder = server.data_dir().to_str().expect("UTF-8").to_owned();
    let args = ["credentials", "--json", "--data-dir", &folder];
    let (code, out, err) =
        crate::support::server::run_to_end(&args, std::time::Duration::from_secs(20));
    assert_eq!(code, Some(0), "{err}");
    let expected = format!("turns:turn.example.org:{}?transport=tcp", address.port());
    assert!(out.contains(&expected), "{out}");
    assert_eq!(out.matches("transport=tcp").count(), 1, "plain TCP is not offered: {out}");
}

#[test]
fn no_service_port_is_a_peer() {
    let server = Start::default()
        .closed()
        .arg("--secret")
        .arg("north-north-north")
        .set("peers.allow", "127.0.0.0/8")
        .set("relay.addresses", "127.0.0.1")
        .start();
    let credential = Credential::fresh("north-north-north", "alice");
    let mut client = turn_client::TurnClient::new(server.udp(), credential);
    client.allocate().expect("an allocation");
    for service in [server.tcp(), server.http_address()] {
        let refused = client.bind_channel(0x4000, service).expect_err("one of our own ports");
        assert_eq!(refused.code, 403, "{service}");
    }
}

#[test]
fn what_is_no_protocol_of_ours_is_closed() {
    let server = Server::dev();
    for address in [server.tcp(), server.tls(), server.http_address()] {
        for first in [4_u8, 13, 0x80, 0xFF] {
            let mut stream = tcp(address);
            stream.write_all(&[first; 64]).expect("sent");
            assert_closed(&mut stream);
        }
    }
    let metrics = try_get(&server.url("/metrics"), None).expect("an answer").expect(200).body;
    let counted = "relayhouse_tcp_refused_total{reason=\"unknown\"} 12";
    assert!(metrics.contains(counted), "{metrics}");
}

#[test]
fn a_websocket_opens_over_tls() {
    let server = Server::dev();
    let mut session = Tls { alpn: &["http/1.1"], ..Tls::default() }.connect(server.http_address());
    let request = format!(
        "GET /api/v1/signal HTTP/1.1\r\nHost: {0}\r\nOrigin: https://{0}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.http_address()
    );
    session.stream.write_all(request.as_bytes()).expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        std::io::Read::read_exact(&mut session.stream, &mut byte).expect("an answer");
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
}

#[test]
fn an_invite_made_over_https_is_an_https_link() {
    let server = Server::dev();
    let mut session = Tls::default().connect(server.http_address());
    let body = "{}";
    let post = |path: &str, ticket: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: calls.example\r\nConnection: close\r\n{ticket}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let room = http(&mut session.stream, &post("/api/v1/rooms", "")).expect("an answer");
    let room: serde_json::Value =
        serde_json::from_str(room.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    let id = room["room"]["id"].as_str().expect("an id");
    let ticket = format!("Authorization: Bearer {}\r\n", room["ticket"].as_str().expect("one"));
    let mut session = Tls::default().connect(server.http_address());
    let path = format!("/api/v1/rooms/{id}/invites");
    let invite = http(&mut session.stream, &post(&path, &ticket)).expect("an answer");
    assert!(invite.contains("\"https://calls.example/#invite="), "{invite}");
}
