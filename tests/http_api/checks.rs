//! Tests of a connection: a credential of their own, and what the relay saw of it.

use std::num::NonZeroU32;

use relayhouse::api::{HttpSettings, RateLimits};
use relayhouse::creds::ticket::Role;
use relayhouse::net::{ClientAddr, Flow, Transport};
use relayhouse::time::UnixTime;
use relayhouse::turn::Event;
use serde_json::json;

use crate::http::{get, post};
use crate::server::{Server, now};

/// A refusal of this username, as the relay reports it.
fn refused(client: &str, username: &str) -> Event {
    let address = |text: &str| text.parse().expect("an address");
    Event::Refused {
        flow: Flow {
            transport: Transport::Udp,
            local: address("192.0.2.1:3478"),
            remote: ClientAddr(address(client)),
        },
        method: "create_permission",
        code: 403,
        why: "peer 10.0.0.1: private".to_owned(),
        username: Some(username.into()),
        suppressed: 0,
    }
}

#[test]
fn a_test_has_a_credential_of_its_own_which_is_watched() {
    let server = Server::start();
    let answer = post("/api/v1/checks").bearer(&server.key("mint")).send(server.address);
    assert_eq!((answer.status, answer.header("Cache-Control")), (201, Some("no-store")));
    let begun = answer.json();
    let check = begun["check"].as_str().expect("a name");
    assert_eq!(begun["ttl"], 300);
    let ends = begun["expiresAt"].as_u64().expect("a time");
    assert!((now() + 290..=now() + 300).contains(&ends), "{begun}");
    let turn = &begun["iceServers"][1];
    let username = turn["username"].as_str().expect("a username");
    assert_eq!(username, format!("{ends}:check-{check}"));
    assert_eq!(*server.relay.watched.lock().unwrap(), [username]);

    server.witness.saw(UnixTime(now()), &refused("198.51.100.9:4000", username));
    let seen = get(&format!("/api/v1/checks/{check}")).send(server.address);
    assert_eq!(seen.header("Cache-Control"), Some("no-store"));
    let mut seen = seen.json();
    assert!(seen["seen"][0]["at"].take().is_u64());
    assert_eq!(
        seen,
        json!({
            "seen": [{
                "at": null, "kind": "refused", "transport": "udp", "client": "198.51.100.9:4000",
                "method": "create_permission", "code": 403, "why": "peer 10.0.0.1: private",
            }],
            "suppressed": 0,
        })
    );
}

#[test]
fn only_who_may_have_credentials_may_begin_a_test() {
    let server = Server::start();
    let answer = post("/api/v1/checks").send(server.address);
    assert_eq!(answer.error(), (401, "unauthorized".into()));
    let answer = post("/api/v1/checks").bearer(&server.key("rooms")).send(server.address);
    assert_eq!(answer.error(), (403, "forbidden".into()));
}

#[test]
fn a_test_lasts_no_longer_than_the_ticket_it_was_begun_with() {
    let server = Server::start();
    let ticket = server.ticket_to_a_room(Role::Guest, now() + 30);
    let begun = post("/api/v1/checks").bearer(&ticket).send(server.address).json();
    assert!(begun["ttl"].as_u64().is_some_and(|ttl| ttl <= 30), "{begun}");
}

#[test]
fn a_test_there_is_not_is_told_so() {
    let server = Server::open();
    for check in ["unknown", &"x".repeat(100)] {
        let answer = get(&format!("/api/v1/checks/{check}")).send(server.address);
        assert_eq!(answer.error(), (404, "no_such_check".into()));
    }
}

#[test]
fn a_username_is_told_of_without_a_proof_but_only_to_its_own_address() {
    let server = Server::with(HttpSettings {
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..HttpSettings::default()
    });
    server.witness.saw(UnixTime(now()), &refused("198.51.100.9:4000", "zo\u{eb}:1"));
    let seen = |client: &str| {
        let ask = get("/api/v1/checks?username=zo%C3%AB%3A1").header("X-Forwarded-For", client);
        ask.send(server.address).json()["seen"].as_array().map(Vec::len)
    };
    assert_eq!((seen("198.51.100.9"), seen("198.51.100.8")), (Some(1), Some(0)));
    assert_eq!(*server.relay.watched.lock().unwrap(), ["zo\u{eb}:1", "zo\u{eb}:1"]);
}

#[test]
fn a_question_that_names_no_username_is_told_so() {
    let server = Server::open();
    let long = format!("?username={}", "x".repeat(509));
    for query in ["", "?username=", "?user=x", "?username=x&limit=1", &long] {
        let answer = get(&format!("/api/v1/checks{query}")).send(server.address);
        assert_eq!(answer.error(), (400, "bad_field".into()), "{query}");
    }
}

#[test]
fn an_address_that_tests_too_often_is_told_when_to_come_back() {
    const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();
    let rate_limits = RateLimits { checks: TWO, lookups: TWO, ..RateLimits::default() };
    let server =
        Server::with(HttpSettings { open_minting: true, rate_limits, ..HttpSettings::default() });
    let begin = || post("/api/v1/checks").send(server.address);
    let ask = || get("/api/v1/checks?username=x").send(server.address);
    assert_eq!([begin().status, begin().status], [201, 201]);
    assert_eq!(begin().error(), (429, "rate_limited".into()));
    assert_eq!([ask().status, ask().status], [200, 200]);
    assert_eq!(ask().error(), (429, "rate_limited".into()));
}
