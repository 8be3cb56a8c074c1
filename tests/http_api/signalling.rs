//! `/api/v1/signal`: the handshake's own refusals, and a whole way from invite to `ready`.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use relayhouse::api::{HttpSettings, RateLimits};
use relayhouse::creds::ticket::{Claims, Role, TicketKey};
use relayhouse::time::UnixTime;
use serde_json::json;

use crate::http::{get, post};
use crate::server::{Server, claims, now};
use crate::socket::Socket;

fn handshake(server: &Server, origin: &str) -> u16 {
    let answer = get("/api/v1/signal")
        .header("Origin", origin)
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    // The answer is looked at, not the stream behind it.
    answer.upgrade().head(server.address).status
}

#[test]
fn only_pages_that_may_call_get_a_websocket() {
    let server = Server::with(HttpSettings {
        allowed_origins: vec!["https://app.example".into()],
        ..HttpSettings::default()
    });
    assert_eq!(handshake(&server, "https://app.example"), 101);
    assert_eq!(handshake(&server, &format!("http://{}", server.address)), 101);
    assert_eq!(handshake(&server, "https://evil.example"), 403);
    assert_eq!(handshake(&server, "null"), 403);
}

#[test]
fn a_plain_request_is_told_to_upgrade() {
    let answer = get("/api/v1/signal").send(Server::start().address);
    assert_eq!(answer.error(), (426, "upgrade_required".into()));
}

#[test]
fn host_and_guest_meet_with_tickets_of_this_api() {
    let server = Server::start();
    let room = server.room();
    let (_host, ready) = Socket::hello(&server, room["ticket"].as_str().unwrap());
    assert_eq!((&ready["type"], &ready["role"]), (&json!("ready"), &json!("host")), "{ready}");
    assert_eq!(ready["iceServers"][0], json!({ "urls": ["stun:192.0.2.1:3478"] }));
    assert!(ready["iceServers"][1]["credential"].is_string());
    assert_eq!(ready["ttl"], 900);

    let path = format!("/api/v1/invites/{}/redeem", server.invite(&room));
    let entered = post(&path).send(server.address).json();
    let (_guest, ready) = Socket::hello(&server, entered["ticket"].as_str().unwrap());
    assert_eq!((&ready["type"], &ready["role"]), (&json!("ready"), &json!("guest")), "{ready}");

    let look = get(&format!("/api/v1/rooms/{}", room["room"]["id"].as_str().unwrap()));
    let look = look.bearer(room["ticket"].as_str().unwrap()).send(server.address);
    assert_eq!(look.json()["room"]["participants"], 2);
    let numbers = server.api.snapshot();
    assert_eq!((numbers.websockets, numbers.rooms), (2, 1));
}

#[test]
fn a_creator_ticket_is_no_way_into_a_room() {
    let server = Server::start();
    let (_socket, message) = Socket::hello(&server, &server.creator());
    assert_ne!(message["type"], "ready", "{message}");
}

#[test]
fn a_ticket_that_is_not_good_is_refused_in_the_hello() {
    let server = Server::start();
    let room = server.room();
    let id = room["room"]["id"].as_str();
    let good = claims(Role::Host, id, now() + 100);
    let signed = server.api.tickets().sign(&good);
    let forged = TicketKey::new([8; 32]).sign(&good);
    let expired = server.ticket(Role::Host, id, now() - 60);
    let other_audience = server.api.tickets().sign(&Claims { aud: "elsewhere".into(), ..good });
    // {"alg":"none"} with the same claims and no signature.
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", signed.split('.').nth(1).unwrap());
    for token in [&forged, &expired, &other_audience, &unsigned, &server.creator(), "nonsense"] {
        let (mut socket, error) = Socket::hello(&server, token);
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("unauthorized")));
        let leave = socket.next_of("leave");
        assert_eq!((&leave["reason"], &leave["action"]), (&json!("unauthorized"), &json!("stop")));
    }
    let (_socket, ready) = Socket::hello(&server, &signed);
    assert_eq!(ready["type"], "ready");
}

#[test]
fn a_ticket_shown_again_moves_its_peer_and_makes_no_second_one() {
    let server = Server::start();
    let room = server.room();
    let ticket = room["ticket"].as_str().unwrap();
    let (mut first, one) = Socket::hello(&server, ticket);
    let (_second, two) = Socket::hello(&server, ticket);
    assert_eq!(one["peer"], two["peer"]);
    assert_eq!(first.next_of("leave")["reason"], "replaced");
    let look = get(&format!("/api/v1/rooms/{}", room["room"]["id"].as_str().unwrap()));
    assert_eq!(look.bearer(ticket).send(server.address).json()["room"]["participants"], 1);
}

#[test]
fn a_ticket_that_was_revoked_is_refused() {
    let server = Server::start();
    let room = server.room();
    let ticket = room["ticket"].as_str().unwrap();
    let claims = server.api.tickets().verify(UnixTime(now()), ticket).unwrap();
    server.api.store().revoked().add(&claims.jti, claims.exp).wait().unwrap();
    let (_, error) = Socket::hello(&server, ticket);
    assert_eq!(error["code"], "unauthorized");
}

#[test]
fn whoever_guesses_tickets_is_told_to_wait() {
    let failures = NonZeroU32::new(2).unwrap();
    let rate_limits = RateLimits { failures, ..RateLimits::default() };
    let server = Server::with(HttpSettings { rate_limits, ..HttpSettings::default() });
    let guess = || Socket::hello(&server, "guess").0.next_of("leave");
    assert_eq!([guess(), guess()].map(|leave| leave["reason"].clone()), ["unauthorized"; 2]);
    let leave = guess();
    assert_eq!((&leave["reason"], &leave["action"]), (&json!("flood"), &json!("reconnect")));
    assert!(leave["retryAfter"].as_u64().is_some_and(|wait| (1..=60).contains(&wait)), "{leave}");
    // Over HTTP it counts as well.
    let answer = get("/api/v1/ice").bearer("guess").send(server.address);
    assert_eq!(answer.error(), (429, "rate_limited".into()));
}

#[test]
fn a_room_nobody_is_in_is_closed_and_forgotten() {
    let room_idle = Duration::from_millis(200);
    let server = Server::with(HttpSettings { room_idle, ..HttpSettings::default() });
    let room = server.room();
    let id = room["room"]["id"].as_str().unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while server.api.store().rooms().find(id).unwrap().is_some() {
        assert!(Instant::now() < until, "the room is not forgotten");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!server.is_open(id));
}
