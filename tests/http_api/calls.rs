//! `GET /api/v1/ice` and the rooms: what the calls give.

use relayhouse::creds::Secret;
use relayhouse::creds::rest::mint;
use relayhouse::creds::ticket::Role;
use relayhouse::time::UnixTime;
use serde_json::{Value, json};

use crate::http::{Answer, get, post};
use crate::server::{Server, now};

/// Seconds a test may take between making and looking.
const SLACK: u64 = 20;

fn ttl_of(answer: &Answer) -> u64 {
    answer.json()["ttl"].as_u64().unwrap()
}

#[test]
fn ice_servers_are_a_valid_rtc_configuration_with_working_credentials() {
    let server = Server::start();
    let answer = get("/api/v1/ice").bearer(&server.key("mint")).send(server.address);
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!(json["iceServers"][0], json!({ "urls": ["stun:192.0.2.1:3478"] }));
    let turn = &json["iceServers"][1];
    let urls = ["turn:192.0.2.1:3478?transport=udp", "turn:192.0.2.1:3478?transport=tcp"];
    assert_eq!(turn["urls"], json!(urls));

    let expires = json["expiresAt"].as_u64().unwrap();
    let minted = mint(&Secret::from("north"), "key-mint", UnixTime(expires), ':').unwrap();
    assert_eq!(turn["username"], json!(minted.username));
    assert_eq!(turn["credential"], json!(minted.credential));
    assert_eq!(json["ttl"], 86400);
    assert!(expires.abs_diff(now() + 86400) < SLACK);
}

#[test]
fn ice_servers_are_link_headers_too_and_nobody_keeps_them() {
    let server = Server::start();
    let answer = get("/api/v1/ice").bearer(&server.key("mint")).send(server.address);
    let links = answer.all("Link");
    assert_eq!(links.len(), 3);
    assert_eq!(links[0], "<stun:192.0.2.1:3478>; rel=\"ice-server\"");
    let username = answer.json()["iceServers"][1]["username"].as_str().unwrap().to_owned();
    assert!(links[1].starts_with("<turn:192.0.2.1:3478?transport=udp>; rel=\"ice-server\""));
    assert!(links[1].contains(&format!("username=\"{username}\"")), "{}", links[1]);
    assert!(links[1].ends_with("credential-type=\"password\""));
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
}

#[test]
fn a_guests_credential_is_short_and_none_outlives_its_ticket() {
    let server = Server::start();
    let room = server.room();
    let ice = |role, exp| {
        let ticket = server.ticket(role, room["room"]["id"].as_str(), exp);
        ttl_of(&get("/api/v1/ice").bearer(&ticket).send(server.address))
    };
    assert_eq!(ice(Role::Guest, now() + 7200), 900);
    assert!(ice(Role::Guest, now() + 300).abs_diff(300) < SLACK);
    assert!(ice(Role::Host, now() + 7200).abs_diff(7200) < SLACK);
    assert_eq!(ice(Role::Host, now() + 1_000_000), 86400);
}

#[test]
fn while_minting_is_open_anybody_gets_ice_servers_and_rooms() {
    let server = Server::open();
    assert_eq!(get("/api/v1/ice").send(server.address).status, 200);
    let made = post("/api/v1/rooms").send(server.address);
    assert_eq!(made.status, 201);
    let invites = format!("/api/v1/rooms/{}/invites", made.json()["room"]["id"].as_str().unwrap());
    assert_eq!(post(&invites).send(server.address).status, 201);
}

#[test]
fn a_new_room_is_told_in_full_with_a_host_ticket() {
    let server = Server::start();
    let expires = now() + 5000;
    let wanted = json!({ "name": " Tea ", "capacity": 3, "lobby": true, "expires": expires });
    for (token, owner) in [(server.creator(), None), (server.key("rooms"), Some("key-rooms"))] {
        let answer = post("/api/v1/rooms").bearer(&token).json(&wanted).send(server.address);
        assert_eq!(answer.status, 201);
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        let json = answer.json();
        let room = json["room"].as_object().unwrap();
        let id = room["id"].as_str().unwrap();
        assert!(id.len() >= 22);
        assert!(room["created"].as_u64().unwrap().abs_diff(now()) < SLACK);
        let mut rest: Value = json!({
            "id": id, "name": "Tea", "capacity": 3, "lobby": true, "locked": false,
            "created": room["created"], "expires": expires,
        });
        if let Some(owner) = owner {
            rest["owner"] = json!(owner);
        }
        assert_eq!(json["room"], rest);

        let claims =
            server.api.tickets().verify(UnixTime(now()), json["ticket"].as_str().unwrap()).unwrap();
        assert_eq!((claims.role, claims.room.as_deref()), (Role::Host, Some(id)));
        assert_eq!(claims.exp, expires);
        assert!(server.is_open(id));
    }
}

#[test]
fn no_body_makes_a_room_with_the_defaults() {
    let server = Server::start();
    let answer = post("/api/v1/rooms").bearer(&server.creator()).send(server.address);
    let room = &answer.json()["room"];
    assert_eq!((&room["name"], &room["expires"]), (&Value::Null, &Value::Null));
    assert_eq!((&room["capacity"], &room["lobby"]), (&json!(8), &json!(false)));
}

#[test]
fn a_room_can_be_looked_at_with_its_ticket_or_a_key() {
    let server = Server::start();
    let room = server.room();
    let path = format!("/api/v1/rooms/{}", room["room"]["id"].as_str().unwrap());
    for token in [room["ticket"].as_str().unwrap(), &server.key("rooms")] {
        let answer = get(&path).bearer(token).send(server.address);
        assert_eq!(answer.status, 200);
        let mut expected = room["room"].clone();
        expected["participants"] = json!(0);
        expected["waiting"] = json!(0);
        assert_eq!(answer.json(), json!({ "room": expected }));
    }
}

#[test]
fn fields_out_of_bounds_are_refused_by_name() {
    let server = Server::start();
    let creator = server.creator();
    for (wanted, field) in [
        (json!({ "capacity": 0 }), "capacity"),
        (json!({ "capacity": 129 }), "capacity"),
        (json!({ "expires": now() - 1 }), "expires"),
        (json!({ "expires": now() + 400 * 86400 }), "expires"),
        (json!({ "name": "x".repeat(129) }), "name"),
        (json!({ "name": "a\u{7}b" }), "name"),
    ] {
        let answer = post("/api/v1/rooms").bearer(&creator).json(&wanted).send(server.address);
        assert_eq!(answer.error(), (400, "bad_field".into()), "{wanted}");
        assert!(answer.json()["error"]["message"].as_str().unwrap().starts_with(field));
    }
}
