//! Who is in a room and what is decided about them over HTTP; invites taken back.

use std::time::{Duration, Instant};

use relayhouse::api::HttpSettings;
use serde_json::{Value, json};

use crate::http::{Answer, delete, get, post};
use crate::server::Server;
use crate::socket::Socket;

fn path_of(room: &Value) -> String {
    format!("/api/v1/rooms/{}", room["room"]["id"].as_str().unwrap())
}

fn decide(server: &Server, room: &Value, peer: &Value, what: &str) -> Answer {
    let peer = peer.as_str().unwrap();
    let path = format!("{}/participants/{peer}/{what}", path_of(room));
    post(&path).bearer(room["ticket"].as_str().unwrap()).send(server.address)
}

fn people(server: &Server, room: &Value) -> Value {
    let path = format!("{}/participants", path_of(room));
    get(&path).bearer(room["ticket"].as_str().unwrap()).send(server.address).json()
}

/// A room with a lobby for two, its host in it.
fn lobby(server: &Server) -> (Value, Socket) {
    let wanted = json!({ "lobby": true, "capacity": 2 });
    let room = server.room_of(&server.creator(), &wanted);
    let (host, _) = Socket::hello(server, room["ticket"].as_str().unwrap());
    (room, host)
}

#[test]
fn presence_names_who_is_in_who_is_away_and_who_waits() {
    let server = Server::start();
    let (room, host) = lobby(&server);
    let (_guest, waiting) = Socket::hello(&server, &server.guest(&room));
    assert_eq!(waiting["type"], "waiting");
    let there = people(&server, &room);
    let me = &there["participants"][0];
    let rest = json!({ "name": null, "role": "host", "publishing": false, "connected": true });
    for (field, value) in rest.as_object().unwrap() {
        assert_eq!(&me[field], value, "{field}");
    }
    assert_eq!(there["waiting"], json!([{ "peer": waiting["peer"], "name": null }]));
    assert_eq!(there["participants"].as_array().unwrap().len(), 1);

    drop(host);
    let until = Instant::now() + Duration::from_secs(10);
    while people(&server, &room)["participants"][0]["connected"] != json!(false) {
        assert!(Instant::now() < until, "its absence is not seen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_guest_is_admitted_over_http() {
    let server = Server::start();
    let (room, mut host) = lobby(&server);
    let (mut guest, waiting) = Socket::hello(&server, &server.guest(&room));
    assert_eq!(host.next_of("knock")["peer"], waiting["peer"]);
    let answer = decide(&server, &room, &waiting["peer"], "admit");
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(guest.next()["type"], "ready");
    assert_eq!(host.next_of("joined")["peer"], waiting["peer"]);
    let again = decide(&server, &room, &waiting["peer"], "admit");
    assert_eq!(again.error(), (404, "no_such_peer".into()));
}

#[test]
fn a_guest_is_denied_over_http() {
    let server = Server::start();
    let (room, _host) = lobby(&server);
    let (mut guest, waiting) = Socket::hello(&server, &server.guest(&room));
    assert_eq!(decide(&server, &room, &waiting["peer"], "deny").status, 204);
    let leave = guest.next_of("leave");
    assert_eq!((&leave["reason"], &leave["action"]), (&json!("denied"), &json!("stop")));
}

#[test]
fn nobody_is_admitted_into_a_full_or_locked_room() {
    let server = Server::start();
    let (room, _host) = lobby(&server);
    let tickets = [server.guest(&room), server.guest(&room)];
    let [(_one, first), (_two, second)] = tickets.map(|ticket| Socket::hello(&server, &ticket));
    let lock = |locked: bool| {
        let change = json!({ "locked": locked });
        let ticket = room["ticket"].as_str().unwrap();
        crate::http::patch(&path_of(&room)).bearer(ticket).json(&change).send(server.address)
    };
    assert_eq!(lock(true).status, 200);
    let refused = decide(&server, &room, &first["peer"], "admit");
    assert_eq!(refused.error(), (409, "room_locked".into()));
    assert_eq!(lock(false).status, 200);
    assert_eq!(decide(&server, &room, &first["peer"], "admit").status, 204);
    let refused = decide(&server, &room, &second["peer"], "admit");
    assert_eq!(refused.error(), (409, "room_full".into()));
}

#[test]
fn whoever_was_kicked_stays_out_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::on(dir.path(), HttpSettings::default());
    let room = server.room();
    let (mut host, _) = Socket::hello(&server, room["ticket"].as_str().unwrap());
    let tickets = [server.guest(&room), server.guest(&room)];
    let [(mut one, first), (_two, second)] = [&tickets[0], &tickets[1]].map(|ticket| {
        let (socket, ready) = Socket::hello(&server, ticket);
        (socket, ready["peer"].clone())
    });
    assert_eq!(decide(&server, &room, &first, "kick").status, 204);
    let leave = one.next_of("leave");
    assert_eq!((&leave["reason"], &leave["action"]), (&json!("kicked"), &json!("stop")));
    // Over the WebSocket it is the same decision.
    host.say(&json!({ "type": "kick", "peer": second, "id": 1 }));
    host.say(&json!({ "type": "ping" }));
    host.next_of("pong");
    let stored = || server.api.store().rooms().find(room["room"]["id"].as_str().unwrap());
    let until = Instant::now() + Duration::from_secs(10);
    while stored().unwrap().unwrap().kicked.len() < 2 {
        assert!(Instant::now() < until, "the second is not written down");
        std::thread::sleep(Duration::from_millis(10));
    }
    drop((host, one));
    drop(server);
    let server = Server::on(dir.path(), HttpSettings::default());
    for ticket in &tickets {
        let (_, refused) = Socket::hello(&server, ticket);
        assert_eq!(refused["code"], "kicked", "{refused}");
    }
    // The person may be invited again.
    let (_, ready) = Socket::hello(&server, &server.guest(&room));
    assert_eq!(ready["type"], "ready");
}

#[test]
fn nobody_of_that_name_is_not_found() {
    let server = Server::start();
    let room = server.room();
    for what in ["kick", "admit", "deny"] {
        let answer = decide(&server, &room, &json!("nobody"), what);
        assert_eq!(answer.error(), (404, "no_such_peer".into()), "{what}");
    }
}

fn invites(server: &Server, room: &Value) -> Vec<Value> {
    let path = format!("{}/invites", path_of(room));
    let listed = get(&path).bearer(room["ticket"].as_str().unwrap()).send(server.address);
    assert_eq!((listed.status, listed.header("Cache-Control")), (200, Some("no-store")));
    listed.json()["invites"].as_array().unwrap().clone()
}

fn revoke(server: &Server, room: &Value, id: &str) -> Answer {
    let path = format!("{}/invites/{id}", path_of(room));
    delete(&path).bearer(room["ticket"].as_str().unwrap()).send(server.address)
}

fn make_invite(server: &Server, room: &Value) -> (String, String) {
    let path = format!("{}/invites", path_of(room));
    let made = post(&path).bearer(room["ticket"].as_str().unwrap()).send(server.address).json();
    (made["invite"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
}

fn redeem(server: &Server, invite: &str) -> Answer {
    post(&format!("/api/v1/invites/{invite}/redeem")).send(server.address)
}

#[test]
fn open_invites_are_listed_without_their_secret() {
    let server = Server::start();
    let room = server.room();
    let [(used, _), (open, id)] = [make_invite(&server, &room), make_invite(&server, &room)];
    assert_eq!(redeem(&server, &used).status, 200);
    let listed = invites(&server, &room);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["id"], json!(id));
    assert!(listed[0]["expiresAt"].as_u64() > listed[0]["created"].as_u64());
    assert!(!json!(listed).to_string().contains(&open));
    // The id lets nobody in.
    assert_eq!(redeem(&server, &id).error(), (404, "no_such_invite".into()));
}

#[test]
fn an_invite_taken_back_is_gone_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::on(dir.path(), HttpSettings::default());
    let room = server.room();
    let (invite, id) = make_invite(&server, &room);
    assert_eq!(revoke(&server, &room, &id).status, 204);
    assert_eq!(revoke(&server, &room, &id).status, 204, "asked for again");
    assert_eq!(redeem(&server, &invite).error(), (410, "invite_revoked".into()));
    assert!(invites(&server, &room).is_empty());
    drop(server);
    let server = Server::on(dir.path(), HttpSettings::default());
    assert_eq!(redeem(&server, &invite).error(), (410, "invite_revoked".into()));
}

#[test]
fn what_is_no_open_invite_of_this_room_is_not_taken_back() {
    let server = Server::start();
    let (room, other) = (server.room(), server.room());
    let (invite, id) = make_invite(&server, &room);
    assert_eq!(revoke(&server, &other, &id).error(), (404, "no_such_invite".into()));
    assert_eq!(revoke(&server, &room, "nonsense").error(), (404, "no_such_invite".into()));
    assert_eq!(redeem(&server, &invite).status, 200);
    assert_eq!(revoke(&server, &room, &id).error(), (410, "invite_used".into()));
}
