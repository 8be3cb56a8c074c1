//! `pairing` beside the native API: both kinds of clients meet in one room.

use relayhouse::signal::Moderation;
use serde_json::json;

use crate::house::{Socket, call, open_to_strangers};
use crate::http::get;
use crate::pairing_socket::{connected, join, pair};
use crate::server::Server;

/// A ticket for the room of a pair, as an application gets it natively.
fn ticket(server: &Server, room: &str) -> String {
    let path = format!("/api/v1/rooms/{room}/invites");
    let invite = call(server, "POST", &path, Some(&server.key("rooms")), &json!({}));
    assert_eq!(invite.status, 201, "{}", invite.json());
    let path = format!("/api/v1/invites/{}/redeem", invite.json()["invite"].as_str().unwrap());
    let entered = call(server, "POST", &path, None, &json!({ "name": "Native" }));
    entered.json()["ticket"].as_str().unwrap().to_owned()
}

#[test]
fn a_pairing_client_and_a_native_client_make_a_call_in_one_room() {
    let server = open_to_strangers();
    let room = pair(&server, "1");
    let mut phone = connected(&server);
    join(&mut phone, &room);
    phone.expect("room_joined");
    let (mut native, ready) = Socket::native(server.address, &ticket(&server, &room));
    assert_eq!(ready["type"], "ready", "{ready}");
    let peer = ready["peers"][0]["peer"].clone();
    phone.expect("room_ready");

    phone.say(&json!({ "type": "webrtc_offer", "sdp": "v=0 offer" }));
    let offer = native.next();
    assert_eq!((&offer["type"], &offer["sdp"]), (&json!("offer"), &json!("v=0 offer")));
    assert_eq!(offer["from"], peer);
    native.say(&json!({ "type": "answer", "to": peer, "sdp": "v=0 answer" }));
    assert_eq!(phone.next(), json!({ "type": "webrtc_answer", "sdp": "v=0 answer" }));

    let candidate = json!({ "candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0 });
    native.say(&json!({ "type": "candidate", "to": peer, "candidate": candidate }));
    assert_eq!(phone.next(), json!({ "type": "ice_candidate", "candidate": candidate }));
    phone.say(&json!({ "type": "ice_candidate", "candidate": candidate }));
    let trickled = native.next();
    assert_eq!((&trickled["type"], &trickled["candidate"]), (&json!("candidate"), &candidate));

    // What this dialect has no word for does not reach it.
    native.say(&json!({ "type": "message", "data": { "hello": 1 } }));
    phone.expect_nothing();
    native.say(&json!({ "type": "leave" }));
    phone.expect("peer_left");
}

#[test]
fn a_native_client_fills_the_room_too() {
    let server = open_to_strangers();
    let room = pair(&server, "1");
    let ticket = ticket(&server, &room);
    let (_native, _) = Socket::native(server.address, &ticket);
    let (mut phone, mut third) = (connected(&server), connected(&server));
    join(&mut phone, &room);
    phone.expect("room_joined");
    phone.expect("room_ready");
    join(&mut third, &room);
    third.expect("room_full");
}

#[test]
fn the_holder_of_a_ticket_comes_into_its_room_with_a_pairing_client() {
    let server = Server::start();
    let made = server.room();
    let room = made["room"]["id"].as_str().unwrap();
    let ticket = made["ticket"].as_str().unwrap();
    let mut host = Socket::open(server.address, &format!("/?token={ticket}"));
    host.expect("connected");
    join(&mut host, room);
    host.expect("room_joined");
    let path = format!("/api/v1/invites/{}/redeem", server.invite(&made));
    let entered = call(&server, "POST", &path, None, &json!({}));
    let (mut native, ready) =
        Socket::native(server.address, entered.json()["ticket"].as_str().unwrap());
    host.expect("room_ready");
    let peer = ready["peers"][0]["peer"].clone();
    native.say(&json!({ "type": "offer", "to": peer, "sdp": "v=0" }));
    host.expect("webrtc_offer");
}

#[test]
fn whoever_ends_the_room_natively_ends_the_pairing() {
    let server = open_to_strangers();
    let room = pair(&server, "1");
    let mut phone = connected(&server);
    join(&mut phone, &room);
    phone.expect("room_joined");
    server.end(&room);
    assert_eq!(phone.expect("error")["message"], "the room was closed");
    phone.expect("left_room");
    crate::house::eventually("the pair is forgotten", || {
        server.api.store().pairings().find(&room).unwrap().is_none()
    });
}

#[test]
fn whoever_is_kicked_natively_is_told_so_and_the_other_that_its_peer_left() {
    let server = open_to_strangers();
    let room = pair(&server, "1");
    let (mut phone, mut laptop) = (connected(&server), connected(&server));
    join(&mut phone, &room);
    phone.expect("room_joined");
    join(&mut laptop, &room);
    laptop.expect("room_joined");
    laptop.expect("room_ready");
    phone.expect("room_ready");
    let key = server.key("rooms");
    let path = format!("/api/v1/rooms/{room}/participants");
    let there = get(&path).bearer(&key).send(server.address).json();
    let peer = there["participants"][0]["peer"].as_str().unwrap().to_owned();
    let kicked = call(&server, "POST", &format!("{path}/{peer}/kick"), Some(&key), &json!({}));
    assert_eq!(kicked.status, 204);
    assert_eq!(phone.expect("error")["message"], "a host removed you from this room");
    assert_eq!(phone.next(), json!({ "type": "left_room", "roomId": room }));
    laptop.expect("peer_left");
}

#[test]
fn a_room_that_is_locked_natively_admits_nobody() {
    let server = open_to_strangers();
    let room = pair(&server, "1");
    server.moderate(&room, Moderation::Lock);
    let mut phone = connected(&server);
    join(&mut phone, &room);
    let error = phone.expect("error");
    assert_eq!(error["code"], "room_locked");
    phone.expect_nothing();
    server.moderate(&room, Moderation::Unlock);
    join(&mut phone, &room);
    phone.expect("room_joined");
}
