//! What is shown in one place is worth nothing in another: tokens and tickets of rooms that are no
//! more, of people who were sent away, and strangers before rooms that were made with a proof.

use relayhouse::signal::{CloseReason, Event, RoomId};
use relayhouse::store::UserRole;
use serde_json::{Value, json};

use crate::http::{delete, get, post};
use crate::rooms::{add, token as access};
use crate::server::Server;
use crate::socket::Socket;
use crate::tunnel::{open, text, token};

/// A host's token for a room that is called so.
#[track_caller]
fn host_of(server: &Server, proof: &str, room: &str) -> Value {
    let answer = get(&format!("/token?role=host&roomID={room}")).bearer(proof).send(server.address);
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

/// What a native client with this ticket is told first.
fn greeted(server: &Server, ticket: &str) -> Value {
    let mut socket = Socket::open(server.address, "/api/v1/signal");
    socket.send(&json!({"type": "hello", "token": ticket}));
    socket.next();
    socket.next()
}

#[test]
fn what_opened_a_room_does_not_open_a_later_one_of_the_same_name() {
    let server = Server::start();
    let [ann, bob] = ["ann", "bob"].map(|name| {
        add(&server, name, UserRole::User);
        access(&server, name)
    });
    let before = host_of(&server, &ann, "standup");
    let before = text(&before, "token");
    let path = "/api/v1/rooms/standup";
    let ticket = post(&format!("{path}/tickets")).bearer(&ann).send(server.address).json();
    let ticket = text(&ticket, "ticket");
    assert_eq!(delete(path).bearer(&ann).send(server.address).status, 204);
    // The store hears of the end once more, from the hub.
    std::thread::sleep(std::time::Duration::from_millis(200));
    server.wait(2);
    let after = host_of(&server, &bob, "standup");

    let status = |answer: crate::http::Answer| answer.status;
    assert_eq!(status(get(path).bearer(ticket).send(server.address)), 401);
    assert_eq!(greeted(&server, ticket)["code"], "no_such_room");
    assert_eq!(status(get("/token").bearer(before).send(server.address)), 403);
    assert_eq!(status(post("/invite").bearer(before).send(server.address)), 403);
    assert_eq!(status(get("/turn").bearer(before).send(server.address)), 403);
    let mut socket = Socket::open(server.address, &format!("/ws?token={before}"));
    assert_eq!(socket.next()["code"], "no_such_room");
    let mut socket = Socket::open(server.address, &format!("/ws?token={}", text(&after, "token")));
    assert_eq!(socket.next()["type"], "joined");
}

#[test]
fn the_end_of_a_room_that_is_heard_of_late_forgets_no_later_one() {
    let server = Server::start();
    let room = server.room();
    let id = text(&room["room"], "id");
    let closed = Event::RoomClosed { room: RoomId::from(id), reason: CloseReason::Idle };
    server.run(server.api.follow(&closed)).unwrap();
    assert!(server.api.store().rooms().find(id).unwrap().is_some(), "it is open");
}

#[test]
fn a_host_who_was_sent_away_invites_nobody_and_gets_no_credentials() {
    let server = Server::start();
    let host = host_of(&server, &server.key("rooms"), "standup");
    let token = text(&host, "token");
    let mut socket = Socket::open(server.address, &format!("/ws?token={token}"));
    assert_eq!(socket.next()["type"], "joined");
    let kick = json!({"userID": host["userID"]});
    let kick = post("/admin/rooms/standup/kick").bearer(&server.key("admin")).json(&kick);
    assert_eq!(kick.send(server.address).status, 204);
    assert_eq!(socket.rest().1.1, "kicked");
    assert_eq!(post("/invite").bearer(token).send(server.address).status, 403);
    assert_eq!(get("/turn").bearer(token).send(server.address).status, 403);
    assert_eq!(get("/token").bearer(token).send(server.address).status, 403);
}

#[test]
fn credentials_end_with_the_room_wherever_they_are_asked_for() {
    let server = Server::start();
    let key = server.key("rooms");
    let host = host_of(&server, &key, "standup");
    let ticket = post("/api/v1/rooms/standup/tickets").bearer(&key).send(server.address).json();
    let ticket = text(&ticket, "ticket");
    let asks = || {
        let paths = ["/turn", "/api/turn", "/client/meta", "/?service=turn", "/api/v1/ice"];
        let mut statuses: Vec<_> = paths
            .map(|path| get(path).bearer(ticket).send(server.address).status)
            .into_iter()
            .collect();
        statuses.push(get("/turn").bearer(text(&host, "token")).send(server.address).status);
        statuses
    };
    let check = || post("/api/v1/checks").bearer(ticket).send(server.address).status;
    assert_eq!((asks(), check()), (vec![200; 6], 201));
    assert_eq!(delete("/api/v1/rooms/standup").bearer(&key).send(server.address).status, 204);
    assert_eq!((asks(), check()), (vec![404; 6], 404));
}

#[test]
fn a_stranger_is_no_guest_of_a_room_that_was_made_with_a_proof() {
    let server = open();
    let native = server.room();
    let of_a_key = host_of(&server, &server.key("rooms"), "standup");
    for room in [text(&native["room"], "id"), text(&of_a_key, "roomID")] {
        let answer = get(&format!("/token?role=guest&roomID={room}")).send(server.address);
        assert_eq!(answer.status, 403, "{room}");
    }
    let of_a_stranger = token(&server, "role=host");
    token(&server, &format!("role=guest&roomID={}", text(&of_a_stranger, "roomID")));
}

#[test]
fn an_access_token_of_a_native_login_does_not_prolong_itself() {
    let server = Server::start();
    server.user("alice", UserRole::User);
    let native = server.login("alice");
    let answer = post("/auth/refresh").bearer(text(&native, "accessToken")).send(server.address);
    assert_eq!(answer.status, 401);
}
