//! `/ws/{room_id}`: the document's own client, what it may get wrong, and who may not come in.

use relayhouse::api::{DialectSettings, HttpSettings};
use relayhouse::signal::Moderation;
use relayhouse::store::UserRole;
use serde_json::{Value, json};

use crate::http::{get, post};
use crate::rooms::{add, alice, token};
use crate::server::Server;
use crate::socket::{Socket, sdp};

/// Connects and authenticates, up to `users_in_room`; gives back the client's id and the others.
#[track_caller]
fn enter(server: &Server, room: &str, token: &str, id: Option<&str>) -> (Socket, String, Value) {
    let mut socket = Socket::open(server.address, &format!("/ws/{room}"));
    assert_eq!(socket.next(), json!({"type": "auth_required"}));
    let mut auth = json!({"type": "auth_token", "token": token});
    if let Some(id) = id {
        auth["clientId"] = id.into();
    }
    socket.send(&auth);
    let success = socket.next();
    assert_eq!(success["type"], "auth_success", "{success}");
    let users = socket.next();
    assert_eq!(users["type"], "users_in_room", "{users}");
    let id = success["client_id"].as_str().unwrap().to_owned();
    (socket, id, users["users"].clone())
}

/// The last words and the close of a connection that tries this.
fn refused(server: &Server, room: &str, first: &str) -> (Option<Value>, (u16, String)) {
    let mut socket = Socket::open(server.address, &format!("/ws/{room}"));
    socket.next();
    socket.send_text(first);
    let (said, close) = socket.rest();
    (said.last().cloned(), close)
}

fn said(message: &str) -> Option<Value> {
    Some(json!({"type": "error", "message": message}))
}

#[test]
fn the_documents_client_from_auth_to_candidates() {
    let (server, alice) = alice();
    add(&server, "bob", UserRole::User);
    let bob = token(&server, "bob");
    let (mut a, a_id, others) = enter(&server, "room_name", &alice, Some("client-a"));
    assert_eq!((a_id.as_str(), others), ("client-a", json!([])));
    let (mut b, b_id, others) = enter(&server, "room_name", &bob, None);
    assert_eq!(others, json!([{"client_id": "client-a", "username": "alice"}]));
    assert_eq!((b_id.len(), b_id.matches('-').count()), (36, 4), "a UUID");
    let joined = json!({"type": "user_joined", "username": "bob", "client_id": b_id});
    assert_eq!(a.next(), joined);

    let offer = json!({"type": "offer", "sdp": sdp("offer")});
    b.send(&json!({"type": "offer", "offer": offer, "to": "client-a"}));
    let told = json!({"type": "offer", "offer": offer, "from": b_id, "username": "bob"});
    assert_eq!(a.next(), told);
    let answer = json!({"type": "answer", "sdp": sdp("answer")});
    a.send(&json!({"type": "answer", "answer": answer, "to": b_id}));
    let told = json!({"type": "answer", "answer": answer, "from": "client-a", "username": "alice"});
    assert_eq!(b.next(), told);
    let candidate = json!({"candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0});
    a.send(&json!({"type": "ice_candidate", "candidate": candidate, "to": b_id}));
    let told = b.next();
    assert_eq!((&told["type"], &told["candidate"]), (&json!("ice_candidate"), &candidate));
    assert_eq!((&told["from"], &told["username"]), (&json!("client-a"), &json!("alice")));

    b.close();
    let left = json!({"type": "user_left", "username": "bob", "client_id": b_id});
    assert_eq!(a.next(), left);
}

#[test]
fn without_a_target_everybody_else_is_told_and_nobody_hears_themselves() {
    let (server, alice) = alice();
    let (mut a, ..) = enter(&server, "r", &alice, None);
    let (mut b, ..) = enter(&server, "r", &alice, None);
    let (mut c, ..) = enter(&server, "r", &alice, None);
    for joined in [a.next(), a.next(), b.next()] {
        assert_eq!(joined["type"], "user_joined");
    }
    a.send(&json!({"type": "offer", "offer": {"type": "offer", "sdp": sdp("all")}}));
    assert_eq!(
        (b.next()["type"].clone(), c.next()["type"].clone()),
        (json!("offer"), json!("offer"))
    );
    a.send(&json!({"type": "ping"}));
    assert_eq!(a.next(), json!({"type": "pong"}), "no echo before it");
}

#[test]
fn fields_that_are_not_known_are_tolerated() {
    let (server, alice) = alice();
    let (mut a, ..) = enter(&server, "r", &alice, None);
    let (mut b, ..) = enter(&server, "r", &alice, None);
    a.next();
    let offer = json!({"type": "offer", "sdp": sdp("x"), "extra": 1});
    b.send(&json!({"type": "offer", "offer": offer, "room_id": "r", "timestamp": 1.5, "to": null}));
    assert_eq!(a.next()["offer"]["sdp"], sdp("x"));
    b.send(&json!({"type": "offer", "offer": sdp("bare")}));
    assert_eq!(a.next()["offer"], json!({"type": "offer", "sdp": sdp("bare")}));
}

#[test]
fn what_comes_before_a_good_token_ends_the_connection() {
    let (server, alice) = alice();
    let invalid = (said("Invalid token"), (1008, "Invalid token".to_owned()));
    for first in [
        json!({"type": "auth_token"}),
        json!({"type": "auth_token", "token": 7}),
        json!({"type": "auth_token", "token": "nonsense"}),
        json!({"type": "auth_token", "token": server.creator()}),
    ] {
        assert_eq!(refused(&server, "r", &first.to_string()), invalid, "{first}");
    }
    let required = (said("Authentication required"), (1008, "Authentication required".to_owned()));
    assert_eq!(refused(&server, "r", r#"{"type":"offer"}"#), required);
    assert_eq!(post("/auth/logout").bearer(&alice).send(server.address).status, 200);
    let logged_out = json!({"type": "auth_token", "token": alice}).to_string();
    assert_eq!(refused(&server, "r", &logged_out), invalid);
}

#[test]
fn a_message_that_makes_no_sense_is_an_error_and_the_connection_lives_on() {
    let (server, alice) = alice();
    let (mut a, ..) = enter(&server, "r", &alice, None);
    for (message, error) in [
        (json!({"type": "dance"}), "Unknown message type: dance"),
        (json!({"kind": "offer"}), "Unknown message type: "),
        (json!({"type": "offer"}), "a description is an object with an sdp"),
        (json!({"type": "answer", "answer": 7}), "a description is an object with an sdp"),
        (json!({"type": "ice_candidate", "candidate": 7}), "a candidate is an object"),
        (json!({"type": "auth_token", "token": alice}), "Already authenticated"),
        (
            json!({"type": "offer", "offer": {"sdp": sdp("x")}, "to": "nobody"}),
            "Target client not found",
        ),
    ] {
        a.send(&message);
        assert_eq!(a.next(), json!({"type": "error", "message": error}), "{message}");
    }
    let large = "x".repeat(64 * 1024 + 1);
    a.send(&json!({"type": "offer", "offer": {"type": "offer", "sdp": large}}));
    assert_eq!(a.next()["message"], "the SDP is too long");
    a.send(&json!({"type": "ping"}));
    assert_eq!(a.next()["type"], "pong");
}

#[test]
fn nonsense_that_does_not_stop_ends_the_connection() {
    let (server, alice) = alice();
    let mut stranger = Socket::open(server.address, "/ws/r");
    for _ in 0..12 {
        stranger.try_send_text("nonsense");
    }
    let (said, close) = stranger.rest();
    assert_eq!(close, (1008, "Rate limit exceeded".into()));
    assert_eq!(said.last().unwrap()["message"], "Rate limit exceeded");
    let (mut member, ..) = enter(&server, "r", &alice, None);
    for _ in 0..12 {
        member.try_send_text("nonsense");
    }
    let (said, close) = member.rest();
    assert_eq!(close.0, 1008);
    assert_eq!(said.last().unwrap()["message"], "Rate limit exceeded");
}

#[test]
fn a_room_holds_so_many_connections() {
    let dialects = DialectSettings { rooms_capacity: 2, ..Default::default() };
    let server = Server::with(HttpSettings { dialects, ..HttpSettings::default() });
    add(&server, "alice", UserRole::User);
    let alice = token(&server, "alice");
    let _a = enter(&server, "r", &alice, None);
    let _b = enter(&server, "r", &alice, None);
    let auth = json!({"type": "auth_token", "token": alice}).to_string();
    let full = (said("Room is full"), (1008, "Room is full".to_owned()));
    assert_eq!(refused(&server, "r", &auth), full);
    enter(&server, "another", &alice, None);
}

#[test]
fn ten_connections_are_the_default() {
    assert_eq!(DialectSettings::default().rooms_capacity, 10);
}

#[test]
fn nobody_takes_the_client_id_of_another_user() {
    let (server, alice) = alice();
    add(&server, "mallory", UserRole::User);
    let mallory = token(&server, "mallory");
    let (mut a, ..) = enter(&server, "r", &alice, Some("client-a"));
    let (_m, id, _) = enter(&server, "r", &mallory, Some("client-a"));
    assert_ne!(id, "client-a");
    assert_eq!(a.next()["client_id"], json!(id), "a joined, not a replaced");
}

#[test]
fn a_user_who_comes_again_with_the_same_id_takes_their_own_place() {
    let (server, alice) = alice();
    add(&server, "bob", UserRole::User);
    let (mut b, ..) = enter(&server, "r", &token(&server, "bob"), None);
    let (mut old, ..) = enter(&server, "r", &alice, Some("client-a"));
    b.next();
    let (_new, id, others) = enter(&server, "r", &alice, Some("client-a"));
    assert_eq!((id.as_str(), others.as_array().unwrap().len()), ("client-a", 1));
    assert_eq!(old.rest().1.1, "replaced");
    assert_eq!(
        (b.next()["type"].clone(), b.next()["type"].clone()),
        (json!("user_left"), json!("user_joined"))
    );
}

#[test]
fn ids_that_are_no_ids_are_replaced_by_good_ones() {
    let (server, alice) = alice();
    for id in ["", "a\u{7}b", &"x".repeat(129)] {
        assert_eq!(enter(&server, "r", &alice, Some(id)).1.len(), 36, "{id:?}");
    }
    let long = get(&format!("/ws/{}", "x".repeat(129))).send(server.address);
    assert_eq!(long.status, 400);
    assert!(long.json()["detail"].is_string());
}

#[test]
fn a_room_that_somebody_made_is_not_walked_into() {
    let (server, alice) = alice();
    let native = server.room();
    let auth = json!({"type": "auth_token", "token": alice}).to_string();
    let forbidden = (said("You may not join this room"), (1008, "Forbidden".to_owned()));
    assert_eq!(refused(&server, native["room"]["id"].as_str().unwrap(), &auth), forbidden);
    add(&server, "root", UserRole::Admin);
    enter(&server, native["room"]["id"].as_str().unwrap(), &token(&server, "root"), None);
}

#[test]
fn a_user_enters_their_own_room_as_its_host() {
    let (server, alice) = alice();
    let room = post("/api/v1/rooms").bearer(&alice).json(&json!({})).send(server.address).json();
    let (_a, ..) = enter(&server, room["room"]["id"].as_str().unwrap(), &alice, Some("client-a"));
    let path = format!("/api/v1/rooms/{}/participants", room["room"]["id"].as_str().unwrap());
    let people = get(&path).bearer(&alice).send(server.address).json();
    assert_eq!(people["participants"][0]["role"], "host", "{people}");
}

#[test]
fn who_was_kicked_does_not_come_back_under_another_id() {
    let (server, alice) = alice();
    let (mut a, ..) = enter(&server, "r", &alice, Some("client-a"));
    let (_witness, ..) = {
        add(&server, "bob", UserRole::User);
        enter(&server, "r", &token(&server, "bob"), None)
    };
    server.moderate("r", Moderation::Kick("client-a".into()));
    assert_eq!(a.rest().1, (1008, "kicked".into()));
    let auth = json!({"type": "auth_token", "token": alice, "clientId": "client-b"}).to_string();
    assert_eq!(refused(&server, "r", &auth).0, said("You may not join this room"));
}

#[test]
fn pages_of_other_origins_get_no_connection() {
    let server = Server::start();
    let answer = get("/ws/r")
        .header("Origin", "https://evil.example")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Connection", "Upgrade")
        .send(server.address);
    assert_eq!(answer.status, 403);
    assert!(answer.json()["detail"].is_string());
    let plain = get("/ws/r").send(server.address);
    assert_eq!((plain.status, plain.json()["detail"].is_string()), (426, true));
}

#[test]
fn the_end_of_the_server_is_told_to_those_inside_and_outside() {
    let (server, alice) = alice();
    let (mut inside, ..) = enter(&server, "r", &alice, None);
    let mut outside = Socket::open(server.address, "/ws/r");
    outside.next();
    let waits = std::thread::spawn(move || (inside.rest().1, outside.rest().1));
    server.send_all_away();
    let shutdown = (1012, "shutdown".to_owned());
    assert_eq!(waits.join().unwrap(), (shutdown.clone(), shutdown));
}

#[test]
fn a_client_that_reads_nothing_is_gone_and_the_others_are_told() {
    let (server, alice) = alice();
    add(&server, "bob", UserRole::User);
    let (_deaf, id, _) = enter(&server, "r", &token(&server, "bob"), None);
    let (mut a, ..) = enter(&server, "r", &alice, None);
    let offer = json!({"type": "offer", "offer": {"type": "offer", "sdp": "x".repeat(60_000)}});
    // More than the room keeps for a reader, and than the kernel's buffers hold besides.
    for _ in 0..300 {
        a.send(&offer);
    }
    let left = json!({"type": "user_left", "username": "bob", "client_id": id});
    assert_eq!(a.next(), left);
}
