//! `pairing`: join codes over REST, from offer to purge, and each documented error.

use relayhouse::signal::RoomId;
use serde_json::{Value, json};

use crate::house::{Socket, call, eventually, iso_in, open_to_strangers};
use crate::http::{Answer, get, post, request};
use crate::server::Server;

fn to(server: &Server, path: &str, body: &Value) -> Answer {
    call(server, "POST", path, None, body)
}

fn offer(server: &Server, code: &str, client1: &str) -> Answer {
    let body = json!({ "joinid": code, "exp": "2099-01-01T00:00:00Z", "client1": client1 });
    to(server, "/api/rooms", &body)
}

fn accept(server: &Server, code: &str, client2: &str) -> Answer {
    to(server, "/api/rooms/accept", &json!({ "joinid": code, "client2": client2 }))
}

fn check(server: &Server, code: &str, client1: &str) -> Answer {
    to(server, "/api/rooms/check", &json!({ "joinid": code, "client1": client1 }))
}

fn look(server: &Server, room: &str) -> Answer {
    get(&format!("/api/rooms?roomid={room}")).send(server.address)
}

fn paired(server: &Server, code: &str, client1: &str, client2: &str) -> String {
    assert_eq!(offer(server, code, client1).status, 201);
    let accepted = accept(server, code, client2);
    assert_eq!(accepted.status, 200, "{}", accepted.json());
    accepted.json()["roomid"].as_str().unwrap().to_owned()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.json()), (status, json!({ "error": error })));
}

#[test]
fn the_documented_sequence_pairs_two_devices() {
    let server = open_to_strangers();
    let offered = offer(&server, "482913", "phone");
    assert_eq!((offered.status, offered.json()), (201, json!({ "ok": true })));
    let pending = check(&server, "482913", "phone");
    assert_eq!((pending.status, pending.body.as_slice()), (204, &b""[..]));

    let accepted = accept(&server, "482913", "laptop");
    assert_eq!(accepted.status, 200);
    let room = accepted.json()["roomid"].as_str().unwrap().to_owned();
    assert_eq!(accepted.json(), json!({ "roomid": room }));

    let checked = check(&server, "482913", "phone");
    assert_eq!((checked.status, checked.json()), (200, json!({ "roomid": room })));
    let found = look(&server, &room);
    let pair = json!({ "roomid": room, "client1": "phone", "client2": "laptop" });
    assert_eq!((found.status, found.json()), (200, pair));

    let deleted = call(&server, "DELETE", "/api/rooms", None, &json!({ "roomid": room }));
    assert_eq!(deleted.status, 200);
    refused(&look(&server, &room), 404, "not_found");
}

#[test]
fn an_accepted_code_is_forgotten_with_the_check_that_learns_of_it() {
    let server = open_to_strangers();
    paired(&server, "1", "a", "b");
    assert_eq!(check(&server, "1", "a").status, 200);
    refused(&check(&server, "1", "a"), 404, "not_found_or_expired");
    // And may be offered again.
    assert_eq!(offer(&server, "1", "c").status, 201);
}

#[test]
fn every_field_that_is_missing_is_a_missing_field() {
    let server = open_to_strangers();
    let whole = [
        ("POST", "/api/rooms", json!({ "joinid": "1", "exp": iso_in(60), "client1": "a" })),
        ("POST", "/api/rooms/accept", json!({ "joinid": "1", "client2": "b" })),
        ("POST", "/api/rooms/check", json!({ "joinid": "1", "client1": "a" })),
        ("DELETE", "/api/rooms", json!({ "roomid": "r" })),
        ("POST", "/api/user/purge", json!({ "deviceId": "a" })),
    ];
    for (method, path, body) in whole {
        for field in body.as_object().unwrap().keys() {
            for nothing in [json!(""), json!(null), json!(7), json!({})] {
                let mut body = body.clone();
                body[field] = nothing;
                refused(&call(&server, method, path, None, &body), 400, "missing_field");
            }
            let mut body = body.clone();
            body.as_object_mut().unwrap().remove(field);
            refused(&call(&server, method, path, None, &body), 400, "missing_field");
        }
        refused(&request(method, path).send(server.address), 400, "missing_field");
    }
}

#[test]
fn a_code_that_nobody_offered_is_not_found() {
    let server = open_to_strangers();
    refused(&accept(&server, "999999", "b"), 404, "not_found_or_expired");
    refused(&check(&server, "999999", "a"), 404, "not_found_or_expired");
}

#[test]
fn a_code_is_accepted_once() {
    let server = open_to_strangers();
    paired(&server, "1", "a", "b");
    refused(&accept(&server, "1", "c"), 409, "conflict");
    refused(&accept(&server, "1", "b"), 409, "conflict");
}

#[test]
fn of_many_who_accept_at_once_one_gets_the_room() {
    let server = open_to_strangers();
    assert_eq!(offer(&server, "1", "a").status, 201);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let one = |n: usize| accept(&server, "1", &format!("b{n}")).status;
        let asked: Vec<_> = (0..8).map(|n| scope.spawn(move || one(n))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 7, "{statuses:?}");
    // Whoever was too late left no room behind.
    eventually("one room", || server.api.store().rooms().count() == 1);
}

#[test]
fn a_code_of_somebody_else_is_taken_and_ones_own_may_be_offered_again() {
    let server = open_to_strangers();
    assert_eq!(offer(&server, "1", "a").status, 201);
    refused(&offer(&server, "1", "b"), 409, "conflict");
    assert_eq!(offer(&server, "1", "a").status, 201);
    assert_eq!(accept(&server, "1", "b").status, 200);
    refused(&offer(&server, "1", "a"), 409, "conflict");
}

#[test]
fn a_code_whose_time_is_over_is_not_found_and_free_again() {
    let server = open_to_strangers();
    let past = json!({ "joinid": "1", "exp": iso_in(-5), "client1": "a" });
    assert_eq!(to(&server, "/api/rooms", &past).status, 201);
    refused(&accept(&server, "1", "b"), 404, "not_found_or_expired");
    refused(&check(&server, "1", "a"), 404, "not_found_or_expired");
    assert_eq!(offer(&server, "1", "b").status, 201);
}

#[test]
fn a_code_ends_while_it_waits_and_an_accepted_one_too() {
    let server = open_to_strangers();
    for code in ["1", "2"] {
        let short = json!({ "joinid": code, "exp": iso_in(300), "client1": "a" });
        assert_eq!(to(&server, "/api/rooms", &short).status, 201);
    }
    assert_eq!(accept(&server, "2", "b").status, 200);
    server.wait(270);
    assert_eq!(check(&server, "1", "a").status, 204);
    server.wait(31);
    refused(&check(&server, "1", "a"), 404, "not_found_or_expired");
    refused(&accept(&server, "1", "b"), 404, "not_found_or_expired");
    refused(&check(&server, "2", "a"), 404, "not_found_or_expired");
}

#[test]
fn a_code_is_good_for_a_month_at_most() {
    let server = open_to_strangers();
    assert_eq!(offer(&server, "1", "a").status, 201);
    server.wait(30 * 86_400 - 60);
    assert_eq!(check(&server, "1", "a").status, 204);
    server.wait(61);
    refused(&accept(&server, "1", "b"), 404, "not_found_or_expired");
}

#[test]
fn a_pair_that_is_asked_for_now_and_then_is_kept() {
    let server = open_to_strangers();
    let room = paired(&server, "1", "a", "b");
    for _ in 0..3 {
        server.wait(80 * 86_400);
        eventually("the deserted room is closed", || !server.is_open(&room));
        let mut socket = Socket::open(server.address, "/");
        socket.expect("connected");
        socket.say(&json!({ "type": "join_room", "roomId": room }));
        socket.expect("room_joined");
        drop(socket);
        let in_it = || server.room_view(&RoomId::from(room.as_str())).unwrap().participants;
        eventually("the socket is gone", || in_it() == 0);
        server.api.store().sweep(server.api.now().unix.0).wait().unwrap();
        assert_eq!(look(&server, &room).status, 200);
    }
}

#[test]
fn what_is_over_is_swept_out_and_pairs_stay() {
    let server = open_to_strangers();
    let past = json!({ "joinid": "1", "exp": iso_in(-5), "client1": "a" });
    assert_eq!(to(&server, "/api/rooms", &past).status, 201);
    let room = paired(&server, "2", "a", "b");
    let now = crate::server::now();
    let swept = server.api.store().sweep(now).wait().unwrap();
    // The server sweeps now and then by itself.
    assert!(swept.pendings <= 1 && swept.pairs == 0, "{swept:?}");
    let again = server.api.store().sweep(now).wait().unwrap();
    assert_eq!(again.pendings, 0);
    refused(&check(&server, "1", "a"), 404, "not_found_or_expired");
    let later = now + relayhouse::store::PAIR_MEMORY.as_secs();
    assert_eq!(server.api.store().sweep(later).wait().unwrap().pairs, 1);
    refused(&look(&server, &room), 404, "not_found");
}

#[test]
fn only_the_device_that_offered_a_code_learns_the_room() {
    let server = open_to_strangers();
    paired(&server, "1", "a", "b");
    refused(&check(&server, "1", "b"), 404, "not_found_or_expired");
    assert_eq!(check(&server, "1", "a").status, 200);
}

#[test]
fn times_are_read_as_clients_write_them_and_nothing_else_is() {
    let server = open_to_strangers();
    for (code, exp) in [
        ("1", "2099-01-01T00:00:00Z"),
        ("2", "2099-01-01T00:00:00.000Z"),
        ("3", "2099-01-01T00:00:00+00:00"),
        ("4", "2099-01-01 00:00:00"),
    ] {
        let body = json!({ "joinid": code, "exp": exp, "client1": "a" });
        assert_eq!(to(&server, "/api/rooms", &body).status, 201, "{exp}");
        assert_eq!(accept(&server, code, "b").status, 200, "{exp}");
    }
    let body = json!({ "joinid": "5", "exp": "tomorrow", "client1": "a" });
    refused(&to(&server, "/api/rooms", &body), 400, "invalid_field");
}

#[test]
fn a_room_that_is_asked_for_without_an_id_is_a_missing_field() {
    let server = open_to_strangers();
    refused(&get("/api/rooms?roomid=").send(server.address), 400, "missing_field");
    refused(&look(&server, "nothing"), 404, "not_found");
}

#[test]
fn deleting_is_done_whether_there_is_a_room_or_not() {
    let server = open_to_strangers();
    let room = paired(&server, "1", "a", "b");
    assert!(server.is_open(&room));
    for _ in 0..2 {
        let deleted = call(&server, "DELETE", "/api/rooms", None, &json!({ "roomid": room }));
        assert_eq!(deleted.status, 200);
    }
    eventually("the room is closed", || !server.is_open(&room));
    assert_eq!(server.api.store().rooms().find(&room).unwrap(), None);
}

#[test]
fn a_purge_forgets_all_of_a_device_and_counts_it() {
    let server = open_to_strangers();
    let first = paired(&server, "1", "a", "b");
    let second = paired(&server, "2", "c", "a");
    let other = paired(&server, "3", "b", "c");
    assert_eq!(check(&server, "1", "a").status, 200);
    assert_eq!(offer(&server, "4", "a").status, 201);
    assert_eq!(offer(&server, "5", "b").status, 201);

    let purged = to(&server, "/api/user/purge", &json!({ "deviceId": "a" }));
    // The pending of the first is gone with its check; that of "4" is still there.
    let counts = json!({ "ok": true, "roomsDeleted": 2, "pendingsDeleted": 1 });
    assert_eq!((purged.status, purged.json()), (200, counts));
    refused(&look(&server, &first), 404, "not_found");
    refused(&look(&server, &second), 404, "not_found");
    assert_eq!(look(&server, &other).status, 200);
    refused(&check(&server, "4", "a"), 404, "not_found_or_expired");
    assert_eq!(check(&server, "5", "b").status, 204);
    eventually("its rooms are closed", || !server.is_open(&first) && !server.is_open(&second));
    let again = to(&server, "/api/user/purge", &json!({ "deviceId": "a" }));
    assert_eq!(again.json(), json!({ "ok": true, "roomsDeleted": 0, "pendingsDeleted": 0 }));
}

#[test]
fn a_name_that_begins_like_another_one_is_another_device() {
    let server = open_to_strangers();
    assert_eq!(offer(&server, "1", "phone").status, 201);
    assert_eq!(offer(&server, "2", "phone2").status, 201);
    let purged = to(&server, "/api/user/purge", &json!({ "deviceId": "phone" }));
    assert_eq!(purged.json()["pendingsDeleted"], 1);
    assert_eq!(check(&server, "2", "phone2").status, 204);
}

#[test]
fn bodies_need_no_declaration_and_may_hold_more_than_is_known() {
    let server = open_to_strangers();
    let body = json!({ "joinid": "1", "exp": iso_in(60), "client1": "a", "model": "X" });
    let undeclared = post("/api/rooms").body(body.to_string().as_bytes()).send(server.address);
    assert_eq!(undeclared.status, 201);
    refused(&post("/api/rooms").body(b"{").send(server.address), 400, "bad_json");
    let large = post("/api/rooms").body(&vec![b' '; 20_000]).send(server.address);
    refused(&large, 413, "body_too_large");
}

#[test]
fn a_room_of_a_pair_is_one_of_the_hub() {
    let server = open_to_strangers();
    let room = paired(&server, "1", "a", "b");
    let view = server.room_view(&RoomId::from(room.as_str())).unwrap();
    assert_eq!((view.capacity, view.lobby, view.participants), (2, false, 0));
}

#[test]
fn the_id_of_a_room_cannot_be_guessed() {
    let server = open_to_strangers();
    let (a, b) = (paired(&server, "1", "a", "b"), paired(&server, "2", "a", "b"));
    assert_ne!(a, b);
    assert!(a.len() >= 22 && b.len() >= 22);
}
