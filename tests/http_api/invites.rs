//! Invites: made by hosts, good once, for a time, also across a restart.

use std::time::{Duration, Instant};

use relayhouse::api::HttpSettings;
use relayhouse::creds::ticket::Role;
use relayhouse::time::UnixTime;
use serde_json::json;

use crate::http::{Answer, get, post};
use crate::server::{Server, now};

fn redeem(server: &Server, invite: &str) -> Answer {
    post(&format!("/api/v1/invites/{invite}/redeem")).send(server.address)
}

fn invites_path(room: &serde_json::Value) -> String {
    format!("/api/v1/rooms/{}/invites", room["room"]["id"].as_str().unwrap())
}

#[test]
fn an_invite_is_a_link_to_this_server_good_for_a_quarter_of_an_hour() {
    let server = Server::start();
    let room = server.room();
    let ticket = room["ticket"].as_str().unwrap();
    let answer = post(&invites_path(&room)).bearer(ticket).send(server.address);
    assert_eq!((answer.status, answer.header("Cache-Control")), (201, Some("no-store")));
    let json = answer.json();
    let invite = json["invite"].as_str().unwrap();
    assert!(invite.len() >= 22);
    assert_eq!(json["url"], json!(format!("http://{}/#invite={invite}", server.address)));
    assert!(json["expiresAt"].as_u64().unwrap().abs_diff(now() + 900) < 20);
}

#[test]
fn the_link_uses_the_configured_public_url() {
    let server = Server::with(HttpSettings {
        public_url: "https://calls.example.org/".into(),
        ..HttpSettings::default()
    });
    let room = server.room();
    let answer = post(&invites_path(&room)).bearer(room["ticket"].as_str().unwrap());
    let url = answer.send(server.address).json()["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("https://calls.example.org/#invite="), "{url}");
}

#[test]
fn the_link_is_https_behind_a_trusted_proxy_that_says_so_and_only_there() {
    for (trusted, scheme) in [("127.0.0.0/8", "https://"), ("10.0.0.0/8", "http://")] {
        let server = Server::with(HttpSettings {
            trusted_proxies: vec![trusted.parse().unwrap()],
            ..HttpSettings::default()
        });
        let room = server.room();
        let answer = post(&invites_path(&room))
            .bearer(room["ticket"].as_str().unwrap())
            .header("X-Forwarded-Proto", "https")
            .send(server.address);
        assert!(answer.json()["url"].as_str().unwrap().starts_with(scheme));
    }
}

#[test]
fn a_redeemed_invite_gives_a_guest_ticket_for_its_room() {
    let server = Server::start();
    let room = server.room();
    let invite = server.invite(&room);
    let path = format!("/api/v1/invites/{invite}/redeem");
    let answer = post(&path).json(&json!({ "name": "Ann" })).send(server.address);
    assert_eq!((answer.status, answer.header("Cache-Control")), (200, Some("no-store")));
    let json = answer.json();
    assert_eq!(json["room"], room["room"]);
    let ticket = json["ticket"].as_str().unwrap();
    let claims = server.api.tickets().verify(UnixTime(now()), ticket).unwrap();
    assert_eq!((claims.role, claims.name.as_deref()), (Role::Guest, Some("Ann")));
    assert_eq!(claims.room.as_deref(), room["room"]["id"].as_str());
    let host = server.api.tickets().verify(UnixTime(now()), room["ticket"].as_str().unwrap());
    assert_ne!(claims.sub, host.unwrap().sub);
}

#[test]
fn a_used_invite_is_gone_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::on(dir.path(), HttpSettings::default());
    let invite = server.invite(&server.room());
    assert_eq!(redeem(&server, &invite).status, 200);
    assert_eq!(redeem(&server, &invite).error(), (410, "invite_used".into()));
    drop(server);
    let server = Server::on(dir.path(), HttpSettings::default());
    assert_eq!(redeem(&server, &invite).error(), (410, "invite_used".into()));
}

#[test]
fn an_expired_invite_is_gone() {
    let server = Server::start();
    let room = server.room();
    let answer = post(&invites_path(&room))
        .bearer(room["ticket"].as_str().unwrap())
        .json(&json!({ "ttl": 1 }))
        .send(server.address);
    let expires = answer.json()["expiresAt"].as_u64().unwrap();
    while now() < expires {
        std::thread::sleep(Duration::from_millis(50));
    }
    let answer = redeem(&server, answer.json()["invite"].as_str().unwrap());
    assert_eq!(answer.error(), (410, "invite_expired".into()));
}

#[test]
fn an_unknown_invite_is_not_found() {
    let server = Server::start();
    assert_eq!(redeem(&server, "never-made").error(), (404, "no_such_invite".into()));
    assert_eq!(redeem(&server, &"x".repeat(200)).error(), (404, "no_such_invite".into()));
}

#[test]
fn a_request_that_is_refused_uses_no_invite_up() {
    let server = Server::start();
    let invite = server.invite(&server.room());
    let path = format!("/api/v1/invites/{invite}/redeem");
    let bad = post(&path).json(&json!({ "name": "x".repeat(300) })).send(server.address);
    assert_eq!(bad.error(), (400, "bad_field".into()));
    assert_eq!(redeem(&server, &invite).status, 200);
}

#[test]
fn an_invite_lives_no_longer_than_its_room() {
    let server = Server::start();
    let expires = now() + 100;
    let made = post("/api/v1/rooms").bearer(&server.creator()).json(&json!({"expires": expires}));
    let room = made.send(server.address).json();
    let answer = post(&invites_path(&room)).bearer(room["ticket"].as_str().unwrap());
    assert_eq!(answer.send(server.address).json()["expiresAt"], json!(expires));
}

#[test]
fn an_invite_for_nonsense_times_is_refused() {
    let server = Server::start();
    let room = server.room();
    for ttl in [0, 8 * 86400] {
        let answer = post(&invites_path(&room))
            .bearer(room["ticket"].as_str().unwrap())
            .json(&json!({ "ttl": ttl }))
            .send(server.address);
        assert_eq!(answer.error(), (400, "bad_field".into()));
    }
}

#[test]
fn a_guest_can_look_but_not_invite() {
    let server = Server::start();
    let room = server.room();
    let entered = redeem(&server, &server.invite(&room)).json();
    let ticket = entered["ticket"].as_str().unwrap();
    let look = format!("/api/v1/rooms/{}", room["room"]["id"].as_str().unwrap());
    assert_eq!(get(&look).bearer(ticket).send(server.address).status, 200);
    let answer = post(&invites_path(&room)).bearer(ticket).send(server.address);
    assert_eq!(answer.error(), (403, "forbidden".into()));
}

#[test]
fn a_room_that_was_closed_takes_its_invites_with_it() {
    let server = Server::start();
    let room = server.room();
    let invite = server.invite(&room);
    let id = room["room"]["id"].as_str().unwrap();
    server.close(id);
    let until = Instant::now() + Duration::from_secs(10);
    while server.api.store().rooms().find(id).unwrap().is_some() {
        assert!(Instant::now() < until, "the room is not forgotten");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(redeem(&server, &invite).error(), (404, "no_such_invite".into()));
    let look = get(&format!("/api/v1/rooms/{id}")).bearer(room["ticket"].as_str().unwrap());
    assert_eq!(look.send(server.address).error(), (404, "no_such_room".into()));
}
