//! `pairing`: the WebSocket on `/`, every documented message in both directions.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::house::{Socket, call, eventually, open_to_strangers};
use crate::http::get;
use crate::server::Server;

/// Two devices pair; the id of their room.
pub fn pair(server: &Server, code: &str) -> String {
    let exp = "2099-01-01T00:00:00Z";
    let offer = json!({ "joinid": code, "exp": exp, "client1": "phone" });
    assert_eq!(call(server, "POST", "/api/rooms", None, &offer).status, 201);
    let acceptance = json!({ "joinid": code, "client2": "laptop" });
    let accepted = call(server, "POST", "/api/rooms/accept", None, &acceptance);
    assert_eq!(accepted.status, 200, "{}", accepted.json());
    accepted.json()["roomid"].as_str().unwrap().to_owned()
}

pub fn connected(server: &Server) -> Socket {
    let mut socket = Socket::open(server.address, "/");
    socket.expect("connected");
    socket
}

pub fn join(socket: &mut Socket, room: &str) {
    socket.say(&json!({ "type": "join_room", "roomId": room }));
}

/// Both devices in their room, told that they are.
fn both(server: &Server) -> (Socket, Socket, String) {
    let room = pair(server, "482913");
    let (mut phone, mut laptop) = (connected(server), connected(server));
    join(&mut phone, &room);
    phone.expect("room_joined");
    join(&mut laptop, &room);
    laptop.expect("room_joined");
    laptop.expect("room_ready");
    phone.expect("room_ready");
    (phone, laptop, room)
}

fn offer() -> Value {
    json!({ "type": "webrtc_offer", "sdp": "v=0\r\noffer" })
}

#[test]
fn two_devices_join_and_are_told_when_both_are_there() {
    let server = open_to_strangers();
    let room = pair(&server, "1");
    let (mut phone, mut laptop) = (connected(&server), connected(&server));
    join(&mut phone, &room);
    assert_eq!(phone.next(), json!({ "type": "room_joined", "roomId": room }));
    phone.expect_nothing();
    join(&mut laptop, &room);
    assert_eq!(laptop.next(), json!({ "type": "room_joined", "roomId": room }));
    assert_eq!(laptop.next(), json!({ "type": "room_ready", "roomId": room }));
    assert_eq!(phone.next(), json!({ "type": "room_ready", "roomId": room }));
}

#[test]
fn offer_answer_and_candidates_arrive_as_they_were_sent_and_are_not_echoed() {
    let server = open_to_strangers();
    let (mut phone, mut laptop, _) = both(&server);
    phone.say(&offer());
    assert_eq!(laptop.next(), offer());
    let answer = json!({ "type": "webrtc_answer", "sdp": "v=0\r\nanswer" });
    laptop.say(&answer);
    assert_eq!(phone.next(), answer);
    let line = "candidate:1 1 udp 2130706431 192.0.2.1 9 typ host";
    let candidate = json!({ "candidate": line, "sdpMLineIndex": 0, "sdpMid": "0" });
    let candidate = json!({ "type": "ice_candidate", "candidate": candidate });
    phone.say(&candidate);
    assert_eq!(laptop.next(), candidate);
    phone.expect_nothing();
    laptop.expect_nothing();
}

#[test]
fn the_end_of_candidates_is_passed_on() {
    let server = open_to_strangers();
    let (mut phone, mut laptop, _) = both(&server);
    phone.say(&json!({ "type": "ice_candidate", "candidate": null }));
    assert_eq!(laptop.next(), json!({ "type": "ice_candidate", "candidate": null }));
}

#[test]
fn who_leaves_is_told_so_and_the_other_that_its_peer_left() {
    let server = open_to_strangers();
    let (mut phone, mut laptop, room) = both(&server);
    phone.say(&json!({ "type": "leave_room" }));
    assert_eq!(phone.next(), json!({ "type": "left_room", "roomId": room }));
    assert_eq!(laptop.next(), json!({ "type": "peer_left", "roomId": room }));
    // The same connection comes back into the same room.
    join(&mut phone, &room);
    phone.expect("room_joined");
    phone.expect("room_ready");
    laptop.expect("room_ready");
}

#[test]
fn a_closed_socket_is_a_peer_that_disconnected() {
    let server = open_to_strangers();
    let (phone, mut laptop, room) = both(&server);
    drop(phone);
    assert_eq!(laptop.next(), json!({ "type": "peer_disconnected", "roomId": room }));
    // There is no resume here: its place is free at once.
    let mut again = connected(&server);
    join(&mut again, &room);
    again.expect("room_joined");
    again.expect("room_ready");
    laptop.expect("room_ready");
}

#[test]
fn a_third_one_finds_the_room_full_and_may_try_again() {
    let server = open_to_strangers();
    let (phone, mut laptop, room) = both(&server);
    let mut third = connected(&server);
    join(&mut third, &room);
    assert_eq!(third.next(), json!({ "type": "room_full", "roomId": room }));
    third.expect_nothing();
    laptop.expect_nothing();
    drop(phone);
    laptop.expect("peer_disconnected");
    join(&mut third, &room);
    third.expect("room_joined");
    third.expect("room_ready");
}

#[test]
fn a_ping_is_answered_in_a_room_and_outside() {
    let server = open_to_strangers();
    let mut outside = connected(&server);
    outside.say(&json!({ "type": "ping" }));
    assert_eq!(outside.next(), json!({ "type": "pong" }));
    let (mut phone, _laptop, _) = both(&server);
    phone.say(&json!({ "type": "ping" }));
    assert_eq!(phone.next(), json!({ "type": "pong" }));
}

#[test]
fn a_room_that_no_pair_has_is_an_error_and_the_connection_stays() {
    let server = open_to_strangers();
    let mut socket = connected(&server);
    join(&mut socket, "nothing");
    let error = socket.expect("error");
    assert_eq!(error["message"], "there is no such room");
    socket.say(&json!({ "type": "join_room" }));
    assert_eq!(socket.expect("error")["message"], "roomId is missing");
    socket.expect_nothing();
}

#[test]
fn what_cannot_be_understood_is_an_error_and_the_connection_stays() {
    let server = open_to_strangers();
    let (mut phone, mut laptop, _) = both(&server);
    phone.say(&json!({ "type": "dance" }));
    assert_eq!(phone.expect("error")["message"], "Unknown message type");
    phone.say_raw(Message::text("{"));
    phone.expect("error");
    phone.say_raw(Message::binary(vec![1, 2, 3]));
    phone.expect("error");
    phone.say(&json!({ "type": "webrtc_offer" }));
    assert_eq!(phone.expect("error")["message"], "sdp is missing");
    phone.say(&json!({ "type": "webrtc_offer", "sdp": "x".repeat(70_000) }));
    phone.expect("error");
    phone.expect_nothing();
    laptop.expect_nothing();
}

#[test]
fn outside_of_a_room_there_is_nobody_to_call_and_nothing_to_leave() {
    let server = open_to_strangers();
    let mut socket = connected(&server);
    socket.say(&offer());
    assert_eq!(socket.expect("error")["message"], "you are in no room");
    socket.say(&json!({ "type": "leave_room" }));
    assert_eq!(socket.next(), json!({ "type": "left_room", "roomId": null }));
}

#[test]
fn what_is_said_to_an_empty_room_is_lost_without_a_word() {
    let server = open_to_strangers();
    let room = pair(&server, "1");
    let mut phone = connected(&server);
    join(&mut phone, &room);
    phone.expect("room_joined");
    phone.say(&offer());
    phone.expect_nothing();
}

#[test]
fn to_join_once_more_changes_nothing() {
    let server = open_to_strangers();
    let (mut phone, mut laptop, room) = both(&server);
    join(&mut phone, &room);
    phone.expect("room_joined");
    laptop.expect_nothing();
    phone.say(&offer());
    laptop.expect("webrtc_offer");
}

#[test]
fn to_join_another_room_leaves_the_first() {
    let server = open_to_strangers();
    let (mut phone, mut laptop, _) = both(&server);
    let other = pair(&server, "2");
    join(&mut phone, &other);
    assert_eq!(phone.next(), json!({ "type": "room_joined", "roomId": other }));
    laptop.expect("peer_left");
}

#[test]
fn a_flood_ends_the_connection() {
    let server = open_to_strangers();
    let (mut phone, mut laptop, _) = both(&server);
    for _ in 0..20 {
        phone.say(&json!({ "type": "dance" }));
    }
    assert!(phone.ends());
    laptop.expect("peer_disconnected");
}

#[test]
fn a_pairing_that_is_deleted_sends_both_away() {
    let server = open_to_strangers();
    let (mut phone, mut laptop, room) = both(&server);
    let deleted = call(&server, "DELETE", "/api/rooms", None, &json!({ "roomid": room }));
    assert_eq!(deleted.status, 200);
    for socket in [&mut phone, &mut laptop] {
        assert_eq!(socket.expect("error")["message"], "the room was closed");
        socket.expect("left_room");
        join(socket, &room);
        socket.expect("error");
    }
}

#[test]
fn a_room_that_was_deserted_for_long_is_opened_again() {
    let server = open_to_strangers();
    let room = pair(&server, "1");
    server.close(&room);
    eventually("the room is forgotten", || {
        server.api.store().rooms().find(&room).unwrap().is_none()
    });
    let mut phone = connected(&server);
    join(&mut phone, &room);
    phone.expect("room_joined");
}

#[test]
fn the_debug_list_counts_who_is_in_rooms_and_gives_strangers_no_way_in() {
    let server = open_to_strangers();
    let (_phone, _laptop, room) = both(&server);
    let empty = pair(&server, "2");
    let list = get("/rooms").send(server.address);
    let shown = format!("{}…", &room[..6]);
    assert_eq!(list.json(), json!({ "rooms": [{ "roomId": shown, "clients": 2 }] }));
    let list = get("/rooms").bearer(&server.key("rooms")).send(server.address);
    assert_eq!(list.json(), json!({ "rooms": [{ "roomId": room, "clients": 2 }] }));
    assert!(!list.json().to_string().contains(&empty));
}

#[test]
fn a_plain_get_shows_that_the_server_is_well() {
    let answer = get("/").send(open_to_strangers().address);
    assert_eq!(answer.status, 200);
    assert!(!answer.body.is_empty());
}

#[test]
fn pages_of_other_origins_open_no_socket() {
    let server = open_to_strangers();
    let answer = get("/")
        .header("Origin", "https://evil.example")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    let answer = answer.upgrade().head(server.address);
    assert_eq!(answer.status, 403);
}
