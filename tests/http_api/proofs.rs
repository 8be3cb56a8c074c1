//! API keys and tickets: what is accepted, and how what is not is refused.

use std::num::NonZeroU32;

use relayhouse::api::{HttpSettings, RateLimits};
use relayhouse::creds::ticket::{Role, TicketKey};

use crate::http::{get, post};
use crate::server::{Server, claims, now};

#[test]
fn without_a_proof_the_caller_is_told_how_to_bring_one() {
    let server = Server::start();
    for request in [get("/api/v1/ice"), post("/api/v1/rooms"), get("/api/v1/rooms/r")] {
        let answer = request.send(server.address);
        assert_eq!(answer.error(), (401, "unauthorized".into()));
        assert_eq!(answer.header("WWW-Authenticate"), Some("Bearer realm=\"relayhouse\""));
    }
}

#[test]
fn forged_expired_and_broken_tickets_are_refused() {
    let server = Server::start();
    let good = claims(Role::Creator, None, now() + 100);
    let forged = TicketKey::new([8; 32]).sign(&good);
    let expired = server.ticket(Role::Creator, None, now() - 60);
    let other_audience = server.api.tickets().sign(&{
        let mut claims = good.clone();
        claims.aud = "elsewhere".into();
        claims
    });
    // {"alg":"none"} with the same claims and no signature.
    let signed = server.api.tickets().sign(&good);
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", signed.split('.').nth(1).unwrap());
    for token in [&forged, &expired, &other_audience, &unsigned, "nonsense", &"x".repeat(5000)] {
        let answer = get("/api/v1/ice").bearer(token).send(server.address);
        assert_eq!(answer.error(), (401, "invalid_token".into()), "{token}");
        let challenge = answer.header("WWW-Authenticate").unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
    assert_eq!(get("/api/v1/ice").bearer(&signed).send(server.address).status, 200);
}

#[test]
fn an_unknown_or_revoked_key_is_refused() {
    let server = Server::start();
    let key = server.key("mint");
    assert_eq!(get("/api/v1/ice").bearer(&key).send(server.address).status, 200);
    assert_eq!(server.api.store().keys().revoke("mint").wait(), Ok(true));
    for key in [key.as_str(), "rk_unknown"] {
        let answer = get("/api/v1/ice").bearer(key).send(server.address);
        assert_eq!(answer.error(), (401, "invalid_token".into()));
    }
}

#[test]
fn another_scheme_is_no_proof() {
    let server = Server::start();
    let answer = get("/api/v1/ice").header("Authorization", "Basic dTpw").send(server.address);
    assert_eq!(answer.error(), (401, "invalid_token".into()));
}

#[test]
fn a_wrong_proof_is_refused_even_while_minting_is_open() {
    let server = Server::open();
    let answer = get("/api/v1/ice").bearer("nonsense").send(server.address);
    assert_eq!(answer.error(), (401, "invalid_token".into()));
}

#[test]
fn a_key_does_what_its_scopes_say_and_nothing_else() {
    let server = Server::start();
    let (mint, rooms) = (server.key("mint"), server.key("rooms"));
    let status = |answer: crate::http::Answer| answer.status;
    assert_eq!(status(get("/api/v1/ice").bearer(&mint).send(server.address)), 200);
    assert_eq!(status(post("/api/v1/rooms").bearer(&rooms).send(server.address)), 201);
    for answer in [
        get("/api/v1/ice").bearer(&rooms).send(server.address),
        post("/api/v1/rooms").bearer(&mint).send(server.address),
        get("/api/v1/rooms/r").bearer(&mint).send(server.address),
        post("/api/v1/rooms/r/invites").bearer(&mint).send(server.address),
    ] {
        assert_eq!(answer.error(), (403, "forbidden".into()));
        let challenge = answer.header("WWW-Authenticate").unwrap();
        assert!(challenge.contains("insufficient_scope"), "{challenge}");
    }
}

#[test]
fn a_ticket_for_one_room_opens_no_other() {
    let server = Server::start();
    let (one, other) = (server.room(), server.room());
    let path = format!("/api/v1/rooms/{}", other["room"]["id"].as_str().unwrap());
    let ticket = one["ticket"].as_str().unwrap();
    for request in [get(&path), post(&format!("{path}/invites"))] {
        assert_eq!(request.bearer(ticket).send(server.address).error().0, 403);
    }
    // Nor does it make rooms.
    let answer = post("/api/v1/rooms").bearer(ticket).send(server.address);
    assert_eq!(answer.error(), (403, "forbidden".into()));
}

fn limited(limits: impl FnOnce(&mut RateLimits)) -> Server {
    let mut settings = HttpSettings {
        open_minting: true,
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..HttpSettings::default()
    };
    limits(&mut settings.rate_limits);
    Server::with(settings)
}

const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

#[test]
fn an_address_that_asks_too_often_is_told_when_to_come_back() {
    let redeem = || post("/api/v1/invites/x/redeem");
    let rooms = || post("/api/v1/rooms");
    let guess = || get("/api/v1/ice").bearer("guess");
    type Send = dyn Fn() -> crate::http::Request;
    let cases: [(Server, &Send, u16); 3] = [
        (limited(|limits| limits.redeem = TWO), &redeem, 404),
        (limited(|limits| limits.rooms = TWO), &rooms, 201),
        (limited(|limits| limits.failures = TWO), &guess, 401),
    ];
    for (server, request, usual) in cases {
        let from = |address: &str| request().header("X-Forwarded-For", address);
        assert_eq!(from("192.0.2.1").send(server.address).status, usual);
        assert_eq!(from("192.0.2.1").send(server.address).status, usual);
        let answer = from("192.0.2.1").send(server.address);
        assert_eq!(answer.error(), (429, "rate_limited".into()));
        let wait: u64 = answer.header("Retry-After").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        assert_eq!(answer.json()["error"]["retry_after"], wait);
        // What the client itself wrote into the list changes nothing; another client is another.
        assert_eq!(from("198.51.100.9, 192.0.2.1").send(server.address).status, 429);
        assert_eq!(from("192.0.2.2").send(server.address).status, usual);
    }
}
