//! Readiness, restarts, and a server that ends in good order.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use relayhouse::api::{Check, HttpSettings};
use serde_json::json;

use crate::http::{get, post};
use crate::server::{Server, now};

#[test]
fn a_server_whose_store_can_be_written_is_ready() {
    let answer = get("/readyz").send(Server::start().address);
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({ "ready": true, "checks": [{ "check": "store" }, { "check": "signalling" }] })
    );
}

#[test]
fn a_server_that_lacks_something_says_what() {
    let server = Server::start();
    let relay = Check { check: "relay", why: Some("no port is open".into()) };
    server.checks.lock().unwrap().push(relay);
    let answer = get("/readyz").send(server.address);
    assert_eq!(answer.status, 503);
    let checks = json!([
        { "check": "store" },
        { "check": "signalling" },
        { "check": "relay", "why": "no port is open" },
    ]);
    assert_eq!(answer.json(), json!({ "ready": false, "checks": checks }));
    // It lives all the same.
    assert_eq!(get("/healthz").send(server.address).status, 200);
}

#[test]
fn a_server_whose_rooms_are_over_is_not_ready() {
    let server = Server::start();
    server.send_all_away();
    let answer = get("/readyz").send(server.address);
    assert_eq!(answer.status, 503);
    assert!(answer.json()["checks"][1]["why"].as_str().unwrap().contains("signalling"));
}

#[test]
fn stored_rooms_are_open_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::on(dir.path(), HttpSettings::default());
    let room = server.room();
    // In good order: the hub ends every connection first. That must not end the rooms.
    server.send_all_away();
    drop(server);
    let server = Server::on(dir.path(), HttpSettings::default());
    let id = room["room"]["id"].as_str().unwrap();
    assert!(server.is_open(id));
    // Tickets outlive the restart as well.
    let look = get(&format!("/api/v1/rooms/{id}")).bearer(room["ticket"].as_str().unwrap());
    assert_eq!(look.send(server.address).status, 200);
}

#[test]
fn a_room_that_ended_meanwhile_stays_closed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::on(dir.path(), HttpSettings::default());
    let expires = now() + 1;
    let wanted = json!({ "expires": expires });
    let made = post("/api/v1/rooms").bearer(&server.creator()).json(&wanted).send(server.address);
    let id = made.json()["room"]["id"].as_str().unwrap().to_owned();
    drop(server);
    while now() < expires {
        std::thread::sleep(Duration::from_millis(50));
    }
    let server = Server::on(dir.path(), HttpSettings::default());
    assert!(!server.is_open(&id));
    let look = get(&format!("/api/v1/rooms/{id}")).bearer(&server.key("rooms"));
    assert_eq!(look.send(server.address).error(), (404, "no_such_room".into()));
}

#[test]
fn connections_are_bounded_and_the_next_one_waits_its_turn() {
    let server = Server::with(HttpSettings { max_connections: 1, ..HttpSettings::default() });
    let ask = |stream: &mut TcpStream| {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    };
    let mut first = TcpStream::connect(server.address).unwrap();
    ask(&mut first);
    let mut byte = [0; 1];
    first.read_exact(&mut byte).unwrap();

    let mut second = TcpStream::connect(server.address).unwrap();
    ask(&mut second);
    second.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(second.read_exact(&mut byte).is_err(), "served beyond the bound");
    drop(first);
    second.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    second.read_exact(&mut byte).unwrap();
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let mut server = Server::start();
    let mut idle = TcpStream::connect(server.address).unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    idle.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut byte = [0; 1];
    idle.read_exact(&mut byte).unwrap();
    let began = Instant::now();
    server.stop();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).unwrap();
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[test]
fn many_who_redeem_at_once_get_one_ticket() {
    let server = Server::start();
    let invite = Arc::new(server.invite(&server.room()));
    let path = format!("/api/v1/invites/{invite}/redeem");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asked: Vec<_> =
            (0..8).map(|_| scope.spawn(|| post(&path).send(server.address).status)).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 410).count(), 7, "{statuses:?}");
}
