//! `/api/v1/signal`: the handshake's own refusals, and a whole way from invite to `ready`.

use relayhouse::api::HttpSettings;
use serde_json::json;

use crate::http::{get, post};
use crate::server::Server;
use crate::socket::Socket;

fn handshake(server: &Server, origin: &str) -> u16 {
    let answer = get("/api/v1/signal")
        .header("Origin", origin)
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    // The answer is looked at, not the stream behind it.
    answer.upgrade().head(server.address).status
}

#[test]
fn only_pages_that_may_call_get_a_websocket() {
    let server = Server::with(HttpSettings {
        allowed_origins: vec!["https://app.example".into()],
        ..HttpSettings::default()
    });
    assert_eq!(handshake(&server, "https://app.example"), 101);
    assert_eq!(handshake(&server, &format!("http://{}", server.address)), 101);
    assert_eq!(handshake(&server, "https://evil.example"), 403);
    assert_eq!(handshake(&server, "null"), 403);
}

#[test]
fn a_plain_request_is_told_to_upgrade() {
    let answer = get("/api/v1/signal").send(Server::start().address);
    assert_eq!(answer.error(), (426, "upgrade_required".into()));
}

#[test]
fn host_and_guest_meet_with_tickets_of_this_api() {
    let server = Server::start();
    let room = server.room();
    let (_host, ready) = Socket::hello(&server, room["ticket"].as_str().unwrap());
    assert_eq!((&ready["type"], &ready["role"]), (&json!("ready"), &json!("host")), "{ready}");
    assert_eq!(ready["iceServers"][0], json!({ "urls": ["stun:192.0.2.1:3478"] }));
    assert!(ready["iceServers"][1]["credential"].is_string());
    assert_eq!(ready["ttl"], 900);

    let path = format!("/api/v1/invites/{}/redeem", server.invite(&room));
    let entered = post(&path).send(server.address).json();
    let (_guest, ready) = Socket::hello(&server, entered["ticket"].as_str().unwrap());
    assert_eq!((&ready["type"], &ready["role"]), (&json!("ready"), &json!("guest")), "{ready}");

    let look = get(&format!("/api/v1/rooms/{}", room["room"]["id"].as_str().unwrap()));
    let look = look.bearer(room["ticket"].as_str().unwrap()).send(server.address);
    assert_eq!(look.json()["room"]["participants"], 2);
    let numbers = server.api.snapshot();
    assert_eq!((numbers.websockets, numbers.rooms), (2, 1));
}

#[test]
fn a_creator_ticket_is_no_way_into_a_room() {
    let server = Server::start();
    let (_socket, message) = Socket::hello(&server, &server.creator());
    assert_ne!(message["type"], "ready", "{message}");
}
