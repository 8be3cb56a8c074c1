//! `meetings`: log in, make a room, poll who publishes in it.

use std::num::NonZeroU32;

use relayhouse::api::{HttpSettings, RateLimits};
use relayhouse::store::UserRole;
use serde_json::{Value, json};

use crate::house::{Socket, add_user, eventually, open_to_strangers, settings};
use crate::http::{Answer, post};
use crate::server::Server;

/// A server with the document's own user.
fn house() -> Server {
    let server = open_to_strangers();
    add_user(&server, "testuser", "test123", UserRole::User);
    server
}

fn log_in(server: &Server, username: &str, password: &str) -> Answer {
    let body = json!({ "username": username, "password": password });
    post("/login").json(&body).send(server.address)
}

fn token(server: &Server) -> String {
    let answer = log_in(server, "testuser", "test123");
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()["token"].as_str().unwrap().to_owned()
}

fn to(server: &Server, path: &str, token: &str, body: &Value) -> Answer {
    post(path).header("authorization", token).json(body).send(server.address)
}

fn create(server: &Server, token: &str) -> Answer {
    to(server, "/create", token, &json!({}))
}

fn list(server: &Server, token: &str, room: &Value) -> Answer {
    to(server, "/list_participants", token, &json!({ "room_id": room }))
}

#[track_caller]
fn refused(answer: &Answer, status: u16, action: &str) {
    assert_eq!((answer.status, answer.json()), (status, json!({ "action": action })));
}

#[test]
fn the_documented_sequence_ends_with_who_publishes() {
    let server = house();
    let answer = log_in(&server, "testuser", "test123");
    assert_eq!(answer.status, 200);
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(answer.json(), json!({ "action": "succesful", "token": token }));
    assert_eq!(token.len(), 64);
    assert!(token.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));

    let created = create(&server, &token);
    let room = created.json()["room_id"].clone();
    assert_eq!(
        (created.status, created.json()),
        (200, json!({ "action": "success", "room_id": room }))
    );
    assert!(room.as_u64().is_some_and(|room| (100_000..=i32::MAX as u64).contains(&room)));

    let listed = list(&server, &token, &room);
    let nobody = json!({ "action": "success", "room_id": room, "publishers": [] });
    assert_eq!((listed.status, listed.json()), (200, nobody));
}

#[test]
fn native_clients_that_publish_are_listed_by_number() {
    let server = house();
    let token = token(&server);
    let created = create(&server, &token);
    let room = created.json()["room_id"].clone();
    add_user(&server, "guest", "test1234", UserRole::User);
    let other = log_in(&server, "guest", "test1234").json()["token"].as_str().unwrap().to_owned();
    let invited = list(&server, &other, &room);

    let ticket = created.header("Relayhouse-Ticket").unwrap();
    let (mut host, ready) = Socket::native(server.address, ticket);
    assert_eq!((&ready["type"], &ready["role"]), (&json!("ready"), &json!("host")), "{ready}");
    let ticket = invited.header("Relayhouse-Ticket").unwrap();
    let (mut guest, ready) = Socket::native(server.address, ticket);
    assert_eq!((&ready["type"], &ready["role"]), (&json!("ready"), &json!("guest")), "{ready}");
    host.next();

    let publishers = || list(&server, &token, &room).json()["publishers"].clone();
    assert_eq!(publishers(), json!([]));
    guest.say(&json!({ "type": "media", "publishing": true }));
    eventually("the guest publishes", || publishers() == json!([2]));
    host.say(&json!({ "type": "media", "publishing": true }));
    eventually("both publish", || publishers() == json!([1, 2]));
    host.say(&json!({ "type": "media", "publishing": false }));
    eventually("the host stopped", || publishers() == json!([2]));
    guest.say(&json!({ "type": "leave" }));
    eventually("the guest left", || publishers() == json!([]));
}

#[test]
fn whoever_was_kicked_does_not_come_back_with_the_next_ticket() {
    let server = house();
    let token = token(&server);
    let created = create(&server, &token);
    let room = created.json()["room_id"].clone();
    add_user(&server, "guest", "test1234", UserRole::User);
    let other = log_in(&server, "guest", "test1234").json()["token"].as_str().unwrap().to_owned();
    let ticket = || list(&server, &other, &room).header("Relayhouse-Ticket").unwrap().to_owned();

    let (mut host, _) =
        Socket::native(server.address, created.header("Relayhouse-Ticket").unwrap());
    let (_guest, ready) = Socket::native(server.address, &ticket());
    assert_eq!(host.next()["type"], "joined");
    host.say(&json!({ "type": "kick", "peer": ready["peer"] }));
    assert_eq!(host.next()["type"], "left");
    let (_guest, again) = Socket::native(server.address, &ticket());
    assert_eq!((&again["type"], &again["code"]), (&json!("error"), &json!("kicked")), "{again}");
}

#[test]
fn a_login_that_is_none_is_a_bad_request() {
    let server = house();
    refused(&log_in(&server, "testuser", "wrong"), 400, "bad request");
    refused(&log_in(&server, "nobody", "test123"), 400, "bad request");
    refused(
        &post("/login").json(&json!({ "username": "testuser" })).send(server.address),
        400,
        "bad request",
    );
    refused(&post("/login").body(b"{").send(server.address), 400, "bad request");
    refused(&post("/login").send(server.address), 400, "bad request");
}

#[test]
fn guessing_passwords_is_told_to_wait() {
    let server = house();
    let refusals: Vec<_> = (0..12).map(|_| log_in(&server, "testuser", "wrong")).collect();
    let last = refusals.last().unwrap();
    refused(last, 429, "too many requests");
    assert!(last.header("Retry-After").is_some());
}

#[test]
fn a_call_without_a_session_is_unauthorized() {
    let server = house();
    let token = token(&server);
    let room = create(&server, &token).json()["room_id"].clone();
    for wrong in ["", "abc", &"0".repeat(64), &format!("{token}0")] {
        refused(&create(&server, wrong), 401, "unauthorized");
        refused(&list(&server, wrong, &room), 401, "unauthorized");
    }
    refused(&post("/create").json(&json!({})).send(server.address), 401, "unauthorized");
    // Other proofs are no sessions of this dialect.
    refused(&create(&server, &server.key("rooms")), 401, "unauthorized");
    assert_eq!(create(&server, &format!("Bearer {token}")).status, 200);
}

#[test]
fn a_session_ends_with_its_user() {
    let server = house();
    let token = token(&server);
    assert_eq!(create(&server, &token).status, 200);
    server.api.store().users().remove("testuser").wait().unwrap();
    refused(&create(&server, &token), 401, "unauthorized");
}

#[test]
fn a_session_lives_five_minutes_from_its_last_use() {
    let server = house();
    let token = token(&server);
    for _ in 0..4 {
        server.wait(240);
        assert_eq!(create(&server, &token).status, 200);
    }
    // A use prolongs the session by half a minute more at most, so that not each one is written.
    server.wait(331);
    refused(&create(&server, &token), 401, "unauthorized");
}

#[test]
fn a_room_that_is_not_there_is_no_such_room() {
    let server = house();
    let token = token(&server);
    for room in [json!(123_456), json!(999_999_999), json!(0)] {
        refused(&list(&server, &token, &room), 404, "no such room");
    }
    let room = create(&server, &token).json()["room_id"].clone();
    server.end(&room.to_string());
    eventually("the room is gone", || list(&server, &token, &room).status == 404);
}

#[test]
fn a_room_without_a_number_is_a_bad_request() {
    let server = house();
    let token = token(&server);
    for body in
        [json!({}), json!({ "room_id": "x" }), json!({ "room_id": -1 }), json!({ "room_id": 1e30 })]
    {
        refused(&to(&server, "/list_participants", &token, &body), 400, "bad request");
    }
}

#[test]
fn a_room_belongs_to_whoever_made_it_natively_too() {
    let server = house();
    let room = create(&server, &token(&server)).json()["room_id"].to_string();
    let stored = server.api.store().rooms().find(&room).unwrap().unwrap();
    assert_eq!(stored.owner.as_deref(), Some("testuser"));
}

#[test]
fn strangers_are_never_served_because_the_document_serves_none() {
    let server = Server::with(settings(&[]));
    refused(&post("/create").json(&json!({})).send(server.address), 401, "unauthorized");
}

#[test]
fn guessing_the_numbers_of_rooms_is_bounded() {
    let failures = NonZeroU32::new(3).unwrap();
    let rate_limits = RateLimits { failures, ..RateLimits::default() };
    let server = Server::with(HttpSettings { rate_limits, ..settings(&[]) });
    add_user(&server, "testuser", "test123", UserRole::User);
    server.stop_clocks();
    let token = token(&server);
    let room = create(&server, &token).json()["room_id"].clone();
    let guess = |number: u32| list(&server, &token, &json!(number)).status;
    assert_eq!([1, 100_000_001, 100_000_002, 100_000_003].map(guess), [404, 404, 404, 429]);
    assert_eq!(list(&server, &token, &room).status, 200, "it is no guess");
}
