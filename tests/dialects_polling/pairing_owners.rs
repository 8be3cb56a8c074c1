//! `pairing` where strangers are not served: each sees and ends what was made with their own proof.

use relayhouse::api::Dialect;
use relayhouse::store::UserRole;
use serde_json::{Value, json};

use crate::house::{Socket, add_user, call, log_in, settings};
use crate::http::{Answer, get};
use crate::pairing_socket::join;
use crate::server::Server;

struct House {
    server: Server,
    alice: String,
    bob: String,
    eve: String,
    admin: String,
}

fn house() -> House {
    let server = Server::with(settings(&[]));
    let person = |name: &str, role| {
        add_user(&server, name, "correct horse", role);
        log_in(&server, name, "correct horse")
    };
    let [alice, bob, eve] = ["alice", "bob", "eve"].map(|name| person(name, UserRole::User));
    let admin = person("root", UserRole::Admin);
    House { server, alice, bob, eve, admin }
}

fn to(house: &House, proof: &str, path: &str, body: &Value) -> Answer {
    call(&house.server, "POST", path, Some(proof), body)
}

/// Alice and Bob pair.
fn paired(house: &House) -> String {
    let offer = json!({ "joinid": "1", "exp": "2099-01-01T00:00:00Z", "client1": "a" });
    assert_eq!(to(house, &house.alice, "/api/rooms", &offer).status, 201);
    let acceptance = json!({ "joinid": "1", "client2": "b" });
    let accepted = to(house, &house.bob, "/api/rooms/accept", &acceptance);
    assert_eq!(accepted.status, 200, "{}", accepted.json());
    accepted.json()["roomid"].as_str().unwrap().to_owned()
}

#[test]
fn only_the_two_and_operators_see_a_room() {
    let house = house();
    let room = paired(&house);
    let look = |proof: &str| {
        get(&format!("/api/rooms?roomid={room}")).bearer(proof).send(house.server.address).status
    };
    assert_eq!([look(&house.alice), look(&house.bob), look(&house.admin)], [200; 3]);
    assert_eq!(look(&house.server.key("rooms")), 200);
    assert_eq!(look(&house.eve), 404);
}

#[test]
fn a_code_is_checked_by_whoever_offered_it() {
    let house = house();
    paired(&house);
    let question = json!({ "joinid": "1", "client1": "a" });
    assert_eq!(to(&house, &house.eve, "/api/rooms/check", &question).status, 404);
    assert_eq!(to(&house, &house.bob, "/api/rooms/check", &question).status, 404);
    assert_eq!(to(&house, &house.alice, "/api/rooms/check", &question).status, 200);
}

#[test]
fn nobody_ends_what_is_not_theirs() {
    let house = house();
    let room = paired(&house);
    let body = json!({ "roomid": room });
    let delete = |proof| call(&house.server, "DELETE", "/api/rooms", Some(proof), &body).status;
    assert_eq!(delete(&house.eve), 200);
    assert!(house.server.api.store().pairings().find(&room).unwrap().is_some());
    let purge = |proof, device: &str| {
        let answer = to(&house, proof, "/api/user/purge", &json!({ "deviceId": device })).json();
        (answer["roomsDeleted"].clone(), answer["pendingsDeleted"].clone())
    };
    assert_eq!(purge(&house.eve, "a"), (json!(0), json!(0)));
    // Bob is in the pair, but not as this device.
    assert_eq!(purge(&house.bob, "a"), (json!(0), json!(0)));
    assert_eq!(purge(&house.bob, "b"), (json!(1), json!(0)));
    assert_eq!(purge(&house.alice, "a"), (json!(0), json!(1)));
}

#[test]
fn only_the_two_come_into_their_room_and_are_called_by_name() {
    let house = house();
    let room = paired(&house);
    let address = house.server.address;
    let mut eve = Socket::open(address, &format!("/?token={}", house.eve));
    eve.expect("connected");
    join(&mut eve, &room);
    assert_eq!(eve.expect("error")["message"], "there is no such room");
    let mut alice = Socket::open(address, &format!("/?token={}", house.alice));
    alice.expect("connected");
    join(&mut alice, &room);
    alice.expect("room_joined");
    let path = format!("/api/v1/rooms/{room}/participants");
    let there = get(&path).bearer(&house.server.key("rooms")).send(address);
    assert_eq!(there.json()["participants"][0]["name"], "alice");
    let mut bob = Socket::open(address, &format!("/?token={}", house.bob));
    bob.expect("connected");
    join(&mut bob, &room);
    bob.expect("room_joined");
    bob.expect("room_ready");
}

#[test]
fn the_list_shows_each_their_own() {
    let house = house();
    let room = paired(&house);
    let mut alice = Socket::open(house.server.address, &format!("/?token={}", house.alice));
    alice.expect("connected");
    join(&mut alice, &room);
    alice.expect("room_joined");
    let list = |proof: &str| get("/rooms").bearer(proof).send(house.server.address).json();
    let seen = json!({ "rooms": [{ "roomId": room, "clients": 1 }] });
    assert_eq!([list(&house.bob), list(&house.admin)], [seen.clone(), seen]);
    assert_eq!(list(&house.eve), json!({ "rooms": [] }));
}

#[test]
fn a_guest_of_a_room_pairs_nothing() {
    let house = house();
    let made = house.server.room();
    let ticket = made["ticket"].as_str().unwrap();
    let offer = json!({ "joinid": "1", "exp": "2099-01-01T00:00:00Z", "client1": "a" });
    let refused = to(&house, ticket, "/api/rooms", &offer);
    assert_eq!((refused.status, refused.json()), (403, json!({ "error": "forbidden" })));
}

#[test]
fn where_strangers_are_served_what_was_made_with_a_proof_is_not_theirs() {
    let server = Server::with(settings(&[Dialect::Pairing]));
    add_user(&server, "alice", "correct horse", UserRole::User);
    let alice = log_in(&server, "alice", "correct horse");
    let offer = json!({ "joinid": "1", "exp": "2099-01-01T00:00:00Z", "client1": "a" });
    assert_eq!(call(&server, "POST", "/api/rooms", Some(&alice), &offer).status, 201);
    let question = json!({ "joinid": "1", "client1": "a" });
    assert_eq!(call(&server, "POST", "/api/rooms/check", None, &question).status, 404);
    let purged = call(&server, "POST", "/api/user/purge", None, &json!({ "deviceId": "a" })).json();
    assert_eq!(purged["pendingsDeleted"], 0);
    // But a stranger whom she told the code may accept it, and then has a part in the pair.
    let acceptance = json!({ "joinid": "1", "client2": "b" });
    let accepted = call(&server, "POST", "/api/rooms/accept", None, &acceptance);
    let room = accepted.json()["roomid"].as_str().unwrap().to_owned();
    assert_eq!(get(&format!("/api/rooms?roomid={room}")).send(server.address).status, 200);
}

#[test]
fn a_key_that_may_only_mint_has_no_part_in_it() {
    let house = house();
    let room = paired(&house);
    let key = house.server.key("mint");
    let look = get(&format!("/api/rooms?roomid={room}")).bearer(&key).send(house.server.address);
    assert_eq!(look.status, 403);
    let socket = get(&format!("/?token={key}")).upgrade().header("Upgrade", "websocket");
    let socket = socket.send(house.server.address);
    assert_eq!((socket.status, socket.json()), (403, json!({ "error": "forbidden" })));
}

#[test]
fn whoever_logged_out_comes_into_no_room_over_a_connection_that_still_stands() {
    let house = house();
    let room = paired(&house);
    let mut socket = Socket::open(house.server.address, &format!("/?token={}", house.alice));
    socket.expect("connected");
    assert_eq!(to(&house, &house.alice, "/api/v1/auth/logout", &json!({})).status, 204);
    socket.say(&json!({ "type": "join_room", "roomId": room }));
    assert_eq!(socket.expect("error")["code"], "unauthorized");
}
