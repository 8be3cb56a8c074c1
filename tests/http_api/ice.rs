//! `GET /api/v1/ice` with its queries: for how long, for whom, for how much; and how often.

use std::num::NonZeroU32;

use relayhouse::api::{HttpSettings, RateLimits};
use relayhouse::creds::Secret;
use relayhouse::creds::password::{PasswordHash, SALT};
use relayhouse::creds::rest::mint;
use relayhouse::creds::ticket::Role;
use relayhouse::store::{UserRecord, UserRole};
use relayhouse::time::UnixTime;
use serde_json::json;

use crate::http::{Answer, get, post};
use crate::server::{Server, now};

fn ice(server: &Server, token: &str, query: &str) -> Answer {
    get(&format!("/api/v1/ice?{query}")).bearer(token).send(server.address)
}

/// Of a good answer.
#[track_caller]
fn username(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()["iceServers"][1]["username"].as_str().unwrap().to_owned()
}

/// What stands behind the expiry.
#[track_caller]
fn subject(answer: &Answer) -> String {
    username(answer).split_once(':').unwrap().1.to_owned()
}

#[test]
fn a_caller_may_ask_for_less_time() {
    let server = Server::start();
    let answer = ice(&server, &server.key("mint"), "ttl=60");
    let json = answer.json();
    assert_eq!(json["ttl"], 60);
    let expires = json["expiresAt"].as_u64().unwrap();
    assert!(expires.abs_diff(now() + 60) < 20);
    assert_eq!(username(&answer), format!("{expires}:key-mint"));
}

#[test]
fn more_time_than_the_configured_is_refused() {
    let server = Server::start();
    let key = server.key("mint");
    for ttl in ["0", "86401"] {
        let answer = ice(&server, &key, &format!("ttl={ttl}"));
        assert_eq!(answer.error(), (400, "bad_field".into()), "{ttl}");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(message, "ttl must be 1 to 86400 seconds.");
    }
    assert_eq!(ice(&server, &key, "ttl=86400").json()["ttl"], 86400);
}

#[test]
fn a_guest_who_asks_for_more_gets_what_guests_get() {
    let server = Server::start();
    let guest = server.ticket_to_a_room(Role::Guest, now() + 7200);
    assert_eq!(ice(&server, &guest, "ttl=3600").json()["ttl"], 900);
    assert_eq!(ice(&server, &guest, "ttl=60").json()["ttl"], 60);
}

#[test]
fn an_application_says_whose_credential_it_is() {
    let server = Server::start();
    let answer = ice(&server, &server.key("mint"), "subject=%40alice%3Aexample.org");
    assert_eq!(subject(&answer), "@alice:example.org");
    let json = answer.json();
    let expires = UnixTime(json["expiresAt"].as_u64().unwrap());
    let minted = mint(&Secret::from("north"), "@alice:example.org", expires, ':').unwrap();
    assert_eq!(json["iceServers"][1]["credential"], json!(minted.credential));
}

#[test]
fn nobody_else_does() {
    let server = Server::open();
    let ticket = server.ticket_to_a_room(Role::Host, now() + 7200);
    let refused = (403, "forbidden".to_owned());
    assert_eq!(ice(&server, &ticket, "subject=alice").error(), refused);
    assert_eq!(get("/api/v1/ice?subject=alice").send(server.address).error(), refused);
}

#[test]
fn a_subject_that_makes_no_username_is_refused() {
    let server = Server::start();
    let key = server.key("mint");
    let long = "x".repeat(257);
    for subject in ["", "a%0Ab", "a%7Fb", "a%3Ballocations%3D9", "a%3Bsessions%3D9", &long] {
        let answer = ice(&server, &key, &format!("subject={subject}"));
        assert_eq!(answer.error(), (400, "bad_field".into()), "{subject}");
    }
    let longest = "x".repeat(256);
    let answer = ice(&server, &key, &format!("subject={longest}&allocations=1000"));
    assert_eq!(subject(&answer), format!("{longest};allocations=1000"));
}

#[test]
fn a_credential_says_how_much_it_opens() {
    let server = Server::start();
    let (key, host) = (server.key("mint"), server.ticket_to_a_room(Role::Host, now() + 7200));
    assert_eq!(subject(&ice(&server, &key, "allocations=1")), "key-mint;allocations=1");
    assert_eq!(subject(&ice(&server, &key, "subject=a&sessions=2")), "a;sessions=2");
    assert_eq!(subject(&ice(&server, &host, "sessions=1")), "somebody;sessions=1");
}

#[test]
fn an_allowance_has_its_bounds_and_is_one_of_two() {
    let server = Server::start();
    let key = server.key("mint");
    for query in ["allocations=0", "allocations=1001", "sessions=0", "allocations=1&sessions=1"] {
        assert_eq!(ice(&server, &key, query).error(), (400, "bad_field".into()), "{query}");
    }
}

/// Alice, logged in: her access token.
fn alice(server: &Server) -> String {
    let alice = UserRecord {
        name: "alice".into(),
        role: UserRole::User,
        email: None,
        active: true,
        created: now(),
        password: PasswordHash::new("a long password", [7; SALT]).unwrap(),
    };
    server.api.store().users().add(alice).wait().unwrap();
    let login = json!({ "username": "alice", "password": "a long password" });
    let answer = post("/api/v1/auth/login").json(&login).send(server.address);
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()["accessToken"].as_str().unwrap().to_owned()
}

#[test]
fn a_user_gets_credentials_of_their_own_name_and_no_others() {
    let server = Server::start();
    let alice = alice(&server);
    let answer = ice(&server, &alice, "");
    assert_eq!((subject(&answer).as_str(), &answer.json()["ttl"]), ("alice", &json!(86400)));
    assert_eq!(subject(&ice(&server, &alice, "sessions=1")), "alice;sessions=1");
    assert_eq!(ice(&server, &alice, "subject=bob").error(), (403, "forbidden".into()));
}

fn limited(per_address: u32, per_key: u32) -> Server {
    let rate_limits = RateLimits {
        ice_per_address: NonZeroU32::new(per_address),
        ice_per_key: NonZeroU32::new(per_key),
        ..RateLimits::default()
    };
    Server::with(HttpSettings { open_minting: true, rate_limits, ..HttpSettings::default() })
}

#[test]
fn a_key_that_asks_too_often_waits_and_another_does_not() {
    let server = limited(1, 2);
    let (one, two) = (server.key("mint"), server.key("mint,rooms"));
    let seen: Vec<_> = (0..3).map(|_| ice(&server, &one, "").status).collect();
    assert_eq!(seen, [200, 200, 429]);
    let refused = ice(&server, &one, "");
    assert_eq!(refused.error(), (429, "rate_limited".into()));
    let wait: u64 = refused.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(ice(&server, &two, "").status, 200);
    let numbers = server.api.snapshot();
    assert_eq!((numbers.minted, numbers.ice_refused), (3, [2, 0]));
}

/// All users of an application come from its address: an address bounds those without a key.
#[test]
fn an_address_that_asks_too_often_waits_unless_it_has_a_key() {
    let server = limited(2, 9);
    let seen: Vec<_> = (0..3).map(|_| get("/api/v1/ice").send(server.address).status).collect();
    assert_eq!(seen, [200, 200, 429]);
    let guest = server.ticket_to_a_room(Role::Guest, now() + 7200);
    assert_eq!(ice(&server, &guest, "").error(), (429, "rate_limited".into()));
    assert_eq!(ice(&server, &server.key("mint"), "").status, 200);
    assert_eq!(server.api.snapshot().ice_refused, [0, 2]);
}

#[test]
fn what_is_refused_anyway_costs_nothing() {
    let server = limited(1, 1);
    let key = server.key("mint");
    assert_eq!(ice(&server, &key, "ttl=0").status, 400);
    assert_eq!(ice(&server, &key, "").status, 200);
}

#[test]
fn without_limits_nobody_waits() {
    let server = limited(0, 0);
    assert!((0..200).all(|_| get("/api/v1/ice").send(server.address).status == 200));
}
