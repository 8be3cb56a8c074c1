//! Clients of several dialects and native ones in one room.

use relayhouse::creds::ticket::Role;
use relayhouse::store::UserRole;
use serde_json::{Value, json};

use crate::http::{get, post};
use crate::rooms::{add, alice, token};
use crate::server::{Server, now};
use crate::socket::{Socket, sdp};

/// A native client with this ticket, and its `ready`.
fn native(server: &Server, ticket: &str) -> (Socket, Value) {
    let mut socket = Socket::open(server.address, "/api/v1/signal");
    socket.send(&json!({"type": "hello", "token": ticket}));
    loop {
        let message = socket.next();
        if message["type"] != "welcome" {
            assert_eq!(message["type"], "ready", "{message}");
            return (socket, message);
        }
    }
}

fn of_rooms(server: &Server, room: &str, token: &str) -> (Socket, String) {
    let mut socket = Socket::open(server.address, &format!("/ws/{room}"));
    socket.next();
    socket.send(&json!({"type": "auth_token", "token": token}));
    let success = socket.next();
    assert_eq!(success["type"], "auth_success", "{success}");
    assert_eq!(socket.next()["type"], "users_in_room");
    (socket, success["client_id"].as_str().unwrap().to_owned())
}

#[test]
fn a_client_of_rooms_and_a_native_one_exchange_an_offer() {
    let (server, alice) = alice();
    let made = post("/api/v1/rooms").bearer(&alice).json(&json!({})).send(server.address).json();
    let room = made["room"]["id"].as_str().unwrap();
    let (mut rooms, rooms_id) = of_rooms(&server, room, &alice);
    let (mut native, ready) = native(&server, made["ticket"].as_str().unwrap());
    assert_eq!(ready["peers"][0]["name"], "alice");
    let native_id = ready["peer"].as_str().unwrap();
    assert_eq!(rooms.next()["client_id"], native_id);

    let offer = json!({"type": "offer", "sdp": sdp("offer")});
    rooms.send(&json!({"type": "offer", "offer": offer, "to": native_id}));
    let told = native.next();
    assert_eq!((&told["type"], &told["sdp"]), (&json!("offer"), &json!(sdp("offer"))));
    native.send(&json!({"type": "answer", "to": rooms_id, "sdp": sdp("answer")}));
    let told = rooms.next();
    assert_eq!(told["answer"], json!({"type": "answer", "sdp": sdp("answer")}));
    assert_eq!(told["from"], native_id);
    let candidate = json!({"candidate": "candidate:1", "sdpMid": "0"});
    native.send(&json!({"type": "candidate", "to": rooms_id, "candidate": candidate}));
    assert_eq!(rooms.next()["candidate"], candidate);
    native.send(&json!({"type": "message", "data": "not one of its words"}));
    native.send(&json!({"type": "leave"}));
    assert_eq!(rooms.next()["type"], "user_left");
}

#[test]
fn a_native_client_with_a_ticket_meets_clients_in_a_room_that_was_only_joined() {
    let (server, alice) = alice();
    let (mut rooms, _) = of_rooms(&server, "lobby", &alice);
    let ticket = server.ticket(Role::Guest, Some("lobby"), now() + 60);
    let mut socket = Socket::open(server.address, "/api/v1/signal");
    socket.send(&json!({"type": "hello", "token": ticket}));
    let answer = loop {
        let message = socket.next();
        if message["type"] != "welcome" {
            break message;
        }
    };
    assert_eq!(answer["type"], "ready", "{answer}");
    assert_eq!(rooms.next()["type"], "user_joined");
}

#[test]
fn tunnel_rooms_and_native_meet_in_one_room() {
    let server = Server::start();
    add(&server, "ann", UserRole::User);
    let ann = token(&server, "ann");
    let host = get("/token?role=host&name=Ann").bearer(&ann).send(server.address).json();
    let room = host["roomID"].as_str().unwrap();
    let mut tunnel =
        Socket::open(server.address, &format!("/ws?token={}", host["token"].as_str().unwrap()));
    assert_eq!(tunnel.next()["type"], "joined");
    let (mut rooms, rooms_id) = of_rooms(&server, room, &ann);
    let join = tunnel.next();
    assert_eq!((&join["userID"], &join["name"]), (&json!(rooms_id), &json!("ann")));
    let made = post("/invite").bearer(host["token"].as_str().unwrap()).send(server.address).json();
    let redeem = format!("/api/v1/invites/{}/redeem", made["invite"].as_str().unwrap());
    let entered = post(&redeem).json(&json!({"name": "Cy"})).send(server.address);
    assert_eq!(entered.status, 200, "{}", entered.json());
    let (mut native, _) = native(&server, entered.json()["ticket"].as_str().unwrap());
    assert_eq!(tunnel.next()["name"], "Cy");
    assert_eq!(rooms.next()["username"], "Cy");

    tunnel.send(&json!({"type": "offer", "sdp": sdp("to all")}));
    assert_eq!(rooms.next()["offer"]["sdp"], sdp("to all"));
    assert_eq!(native.next()["sdp"], sdp("to all"));
    rooms.send(&json!({"type": "ice_candidate", "candidate": {"candidate": "c"}}));
    assert_eq!(tunnel.next()["candidate"], json!({"candidate": "c"}));
    assert_eq!(native.next()["candidate"], json!({"candidate": "c"}));
}
