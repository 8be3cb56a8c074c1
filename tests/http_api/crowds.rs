//! What one address may have at a time, and how often; who says which address it is.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use relayhouse::api::{HttpSettings, PerAddress, RateLimits};
use relayhouse::store::UserRole;
use serde_json::json;

use crate::http::{delete, patch, post};
use crate::server::Server;
use crate::socket::{Refused, Socket};

fn behind_a_proxy(per_address: PerAddress, rate_limits: RateLimits) -> Server {
    Server::with(HttpSettings {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        per_address,
        rate_limits,
        ..HttpSettings::default()
    })
}

#[test]
fn an_address_has_so_many_websockets_and_others_are_not_concerned() {
    let two = PerAddress { websockets: 2, ..PerAddress::default() };
    let server = behind_a_proxy(two, RateLimits::default());
    // One household under IPv6.
    for [first, second, third, other] in [
        ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"],
        ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"],
    ] {
        let one = Socket::connect_from(&server, first).unwrap();
        let _two = Socket::connect_from(&server, second).unwrap();
        let refused = Socket::connect_from(&server, third).err().expect("one too many");
        assert_eq!(
            refused,
            Refused { status: 429, code: "rate_limited".into(), retry_after: true }
        );
        let _other = Socket::connect_from(&server, other).unwrap();
        drop(one);
        let until = Instant::now() + Duration::from_secs(10);
        while Socket::connect_from(&server, third).is_err() {
            assert!(Instant::now() < until, "the place is not given back");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn an_address_that_opens_websockets_too_often_is_told_when_to_come_back() {
    let websockets = NonZeroU32::new(2).unwrap();
    let limits = RateLimits { websockets, ..RateLimits::default() };
    let server = behind_a_proxy(PerAddress::default(), limits);
    for _ in 0..2 {
        drop(Socket::connect_from(&server, "192.0.2.1").unwrap());
    }
    let refused = Socket::connect_from(&server, "192.0.2.1").err().expect("too often");
    assert_eq!(refused, Refused { status: 429, code: "rate_limited".into(), retry_after: true });
    assert!(Socket::connect_from(&server, "192.0.2.2").is_ok());
}

fn idle(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    stream
}

fn status(stream: &mut TcpStream) -> String {
    let mut line = [0; 12];
    stream.read_exact(&mut line).unwrap();
    String::from_utf8_lossy(&line[9..]).into_owned()
}

#[test]
fn an_address_has_so_many_connections() {
    let per_address = PerAddress { connections: 2, ..PerAddress::default() };
    let server = Server::with(HttpSettings { per_address, ..HttpSettings::default() });
    let mut held = [idle(&server), idle(&server)];
    assert_eq!(held.each_mut().map(status), ["200", "200"]);
    let mut refused = TcpStream::connect(server.address).unwrap();
    refused.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // A byte decides that this is HTTP.
    refused.write_all(b"G").unwrap();
    assert_eq!(status(&mut refused), "429");
    drop(held);
    let until = Instant::now() + Duration::from_secs(10);
    while status(&mut idle(&server)) != "200" {
        assert!(Instant::now() < until, "the place is not given back");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn connections_of_a_trusted_proxy_are_not_counted() {
    let one = PerAddress { connections: 1, ..PerAddress::default() };
    let server = behind_a_proxy(one, RateLimits::default());
    let mut held = [idle(&server), idle(&server), idle(&server)];
    assert_eq!(held.each_mut().map(status), ["200", "200", "200"]);
}

#[test]
fn a_client_that_names_other_addresses_is_not_believed() {
    let redeem = NonZeroU32::new(2).unwrap();
    let rate_limits = RateLimits { redeem, ..RateLimits::default() };
    let server = Server::with(HttpSettings { rate_limits, ..HttpSettings::default() });
    let guess = |address: &str| {
        let guess = post("/api/v1/invites/guess/redeem").header("X-Forwarded-For", address);
        guess.send(server.address).status
    };
    assert_eq!(["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(guess), [404, 404, 429]);
}

#[test]
fn whatever_is_written_down_or_given_out_is_bounded() {
    let rate_limits = RateLimits { changes: NonZeroU32::MIN, ..RateLimits::default() };
    let server = behind_a_proxy(PerAddress::default(), rate_limits);
    server.stop_clocks();
    server.user("alice", UserRole::User);
    let room = server.room();
    let path = format!("/api/v1/rooms/{}", room["room"]["id"].as_str().unwrap());
    let path = |rest: &str| format!("{path}{rest}");
    let refresh = server.login("alice")["refreshToken"].clone();
    let refresh = json!({ "refreshToken": refresh });
    let calls = [
        (post(&path("/invites")), 201),
        (delete(&path("/invites/none")), 404),
        (post(&path("/tickets")), 201),
        (patch(&path("")).json(&json!({ "locked": true })), 200),
        (post(&path("/participants/none/kick")), 404),
        (post("/api/v1/auth/refresh").json(&refresh), 200),
    ];
    for (n, (call, usual)) in calls.into_iter().enumerate() {
        let call = call.bearer(room["ticket"].as_str().unwrap());
        let call = call.header("X-Forwarded-For", &format!("192.0.2.{n}"));
        assert_eq!(call.clone().send(server.address).status, usual, "{n}");
        let refused = call.send(server.address);
        assert_eq!(refused.error(), (429, "rate_limited".into()), "{n}");
        assert!(refused.header("Retry-After").is_some(), "{n}");
    }
}
