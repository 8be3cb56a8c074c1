//! Rooms listed, changed and closed; the owner's way in.

use relayhouse::api::{HttpSettings, MAX_OWN_ROOMS};
use relayhouse::creds::ticket::Role;
use relayhouse::store::{RoomRecord, UserRole};
use serde_json::{Value, json};

use crate::http::{delete, get, patch, post, request};
use crate::server::{PASSWORD, Server, now};
use crate::socket::Socket;

fn path_of(room: &Value) -> String {
    format!("/api/v1/rooms/{}", room["room"]["id"].as_str().unwrap())
}

fn ticket_of(room: &Value) -> &str {
    room["ticket"].as_str().unwrap()
}

#[test]
fn rooms_are_listed_page_by_page() {
    let server = Server::start();
    let key = server.key("rooms");
    let mut made: Vec<String> = (0..3)
        .map(|_| server.room_of(&key, &json!({}))["room"]["id"].as_str().unwrap().to_owned())
        .collect();
    made.sort();
    let page = |query: &str| {
        let answer = get(&format!("/api/v1/rooms{query}")).bearer(&key).send(server.address);
        assert_eq!((answer.status, answer.header("Cache-Control")), (200, Some("no-store")));
        let json = answer.json();
        let ids: Vec<String> = json["rooms"]
            .as_array()
            .unwrap()
            .iter()
            .map(|room| room["id"].as_str().unwrap().to_owned())
            .collect();
        (ids, json["next"].as_str().map(str::to_owned))
    };
    assert_eq!(page(""), (made.clone(), None));
    let (first, next) = page("?limit=2");
    assert_eq!((first.as_slice(), next.as_deref()), (&made[..2], Some(made[1].as_str())));
    assert_eq!(page(&format!("?limit=2&after={}", made[1])), (made[2..].to_vec(), None));
    // A page that ends with the last room says so.
    assert_eq!(page("?limit=3"), (made.clone(), None));
}

#[test]
fn a_listed_room_says_whose_it_is_and_how_many_are_there() {
    let server = Server::start();
    let key = server.key("rooms");
    let room = server.room_of(&key, &json!({ "name": "Tea" }));
    let (_host, _) = Socket::hello(&server, ticket_of(&room));
    let listed = get("/api/v1/rooms").bearer(&key).send(server.address).json();
    let mut expected = room["room"].clone();
    expected["participants"] = json!(1);
    expected["waiting"] = json!(0);
    assert_eq!(expected["owner"], "key-rooms");
    assert_eq!(listed, json!({ "rooms": [expected] }));
}

#[test]
fn tickets_list_nothing_and_queries_are_read_strictly() {
    let server = Server::start();
    let room = server.room();
    for token in [ticket_of(&room), &server.creator(), &server.key("mint")] {
        let answer = get("/api/v1/rooms").bearer(token).send(server.address);
        assert_eq!(answer.error(), (403, "forbidden".into()));
    }
    assert_eq!(get("/api/v1/rooms").send(server.address).error().0, 401);
    let key = server.key("rooms");
    for query in
        ["limit=0", "limit=201", "limit=x", "page=2", &format!("after={}", "x".repeat(999))]
    {
        let answer = get(&format!("/api/v1/rooms?{query}")).bearer(&key).send(server.address);
        assert_eq!(answer.error(), (400, "bad_field".into()), "{query}");
    }
}

#[test]
fn a_host_locks_and_renames_and_everybody_is_told() {
    let server = Server::start();
    let room = server.room();
    let (mut host, _) = Socket::hello(&server, ticket_of(&room));
    let (mut guest, _) = Socket::hello(&server, &server.guest(&room));
    let change = json!({ "locked": true, "name": "Tea" });
    let answer = patch(&path_of(&room)).bearer(ticket_of(&room)).json(&change);
    let answer = answer.send(server.address);
    assert_eq!(answer.status, 200);
    let changed = &answer.json()["room"];
    assert_eq!((&changed["locked"], &changed["name"]), (&json!(true), &json!("Tea")));
    for socket in [&mut host, &mut guest] {
        assert_eq!(socket.next_of("room")["room"]["name"], "Tea");
        assert_eq!(socket.next_of("room")["room"]["locked"], true);
    }
    // Nobody comes in.
    let (_, refused) = Socket::hello(&server, &server.guest(&room));
    assert_eq!(refused["code"], "room_locked");
    let unlock = patch(&path_of(&room)).bearer(ticket_of(&room)).json(&json!({ "locked": false }));
    assert_eq!(unlock.send(server.address).json()["room"]["name"], "Tea");
    assert_eq!(guest.next_of("room")["room"]["locked"], false);
}

#[test]
fn null_takes_a_name_away_and_what_is_left_out_stays() {
    let server = Server::start();
    let key = server.key("rooms");
    let room = server.room_of(&key, &json!({ "name": "Tea" }));
    let change = |change: Value| {
        let answer = patch(&path_of(&room)).bearer(&key).json(&change).send(server.address);
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()["room"]["name"].clone()
    };
    assert_eq!(change(json!({})), json!("Tea"));
    assert_eq!(change(json!({ "locked": false })), json!("Tea"));
    assert_eq!(change(json!({ "name": null })), Value::Null);
    for wrong in [json!({ "name": "x".repeat(129) }), json!({ "name": "a\u{7}" })] {
        let answer = patch(&path_of(&room)).bearer(&key).json(&wrong).send(server.address);
        assert_eq!(answer.error(), (400, "bad_field".into()));
    }
    let unknown = patch(&path_of(&room)).bearer(&key).json(&json!({ "capacity": 3 }));
    assert_eq!(unknown.send(server.address).error(), (400, "bad_json".into()));
}

#[test]
fn a_lock_and_a_name_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::on(dir.path(), HttpSettings::default());
    let room = server.room();
    let change = json!({ "locked": true, "name": "Tea" });
    let answer = patch(&path_of(&room)).bearer(ticket_of(&room)).json(&change);
    assert_eq!(answer.send(server.address).status, 200);
    drop(server);
    let server = Server::on(dir.path(), HttpSettings::default());
    let look = get(&path_of(&room)).bearer(ticket_of(&room)).send(server.address).json();
    assert_eq!((&look["room"]["locked"], &look["room"]["name"]), (&json!(true), &json!("Tea")));
    let (_, refused) = Socket::hello(&server, ticket_of(&room));
    assert_eq!(refused["code"], "room_locked");
}

#[test]
fn a_closed_room_sends_everybody_away_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::on(dir.path(), HttpSettings::default());
    let room = server.room();
    let invite = server.invite(&room);
    let (mut host, _) = Socket::hello(&server, ticket_of(&room));
    let close = delete(&path_of(&room)).bearer(ticket_of(&room)).send(server.address);
    assert_eq!((close.status, close.body.len()), (204, 0));
    let leave = host.next_of("leave");
    assert_eq!((&leave["reason"], &leave["action"]), (&json!("room_closed"), &json!("stop")));
    let redeem = post(&format!("/api/v1/invites/{invite}/redeem")).send(server.address);
    assert_eq!(redeem.error(), (404, "no_such_invite".into()));
    drop(server);
    let server = Server::on(dir.path(), HttpSettings::default());
    let (_, refused) = Socket::hello(&server, ticket_of(&room));
    assert_eq!(refused["code"], "no_such_room");
    let again = delete(&path_of(&room)).bearer(ticket_of(&room)).send(server.address);
    assert_eq!(again.error(), (404, "no_such_room".into()));
}

#[test]
fn a_room_with_an_owner_is_not_for_its_hosts_to_close_or_to_hand_out() {
    let server = Server::start();
    let key = server.key("rooms");
    let room = server.room_of(&key, &json!({}));
    for request in [delete(&path_of(&room)), post(&format!("{}/tickets", path_of(&room)))] {
        let answer = request.bearer(ticket_of(&room)).send(server.address);
        assert_eq!(answer.error(), (403, "forbidden".into()));
    }
    assert_eq!(delete(&path_of(&room)).bearer(&key).send(server.address).status, 204);
}

#[test]
fn an_owner_comes_in_again_by_a_ticket() {
    let server = Server::start();
    let key = server.key("rooms");
    let room = server.room_of(&key, &json!({}));
    let path = format!("{}/tickets", path_of(&room));
    for (wanted, role, name) in [
        (json!({}), "host", Value::Null),
        (json!({ "role": "host" }), "host", Value::Null),
        (json!({ "role": "guest", "name": "Ann" }), "guest", json!("Ann")),
    ] {
        let answer = post(&path).bearer(&key).json(&wanted).send(server.address);
        assert_eq!((answer.status, answer.header("Cache-Control")), (201, Some("no-store")));
        let json = answer.json();
        let (_socket, ready) = Socket::hello(&server, ticket_of(&json));
        assert_eq!((&ready["type"], &ready["role"]), (&json!("ready"), &json!(role)));
        let people = get(&format!("{}/participants", path_of(&room))).bearer(&key);
        let people = people.send(server.address).json();
        assert_eq!(people["participants"].as_array().unwrap().last().unwrap()["name"], name);
    }
    let wrong = post(&path).bearer(&key).json(&json!({ "role": "creator" })).send(server.address);
    assert_eq!(wrong.error(), (400, "bad_json".into()));
}

#[test]
fn a_room_nobody_owns_is_its_hosts() {
    let server = Server::start();
    let room = server.room();
    let path = format!("{}/tickets", path_of(&room));
    let second = post(&path).bearer(ticket_of(&room)).send(server.address).json();
    let (_one, ready) = Socket::hello(&server, ticket_of(&room));
    let (_two, other) = Socket::hello(&server, ticket_of(&second));
    assert_eq!((&ready["role"], &other["role"]), (&json!("host"), &json!("host")));
    assert_ne!(ready["peer"], other["peer"]);
}

#[test]
fn guests_and_hosts_of_other_rooms_change_nothing() {
    let server = Server::start();
    let (room, other) = (server.room(), server.room());
    let guest = server.guest(&room);
    let path = path_of(&room);
    let far = now() + 600;
    for token in [&guest, ticket_of(&other), &server.ticket(Role::Creator, None, far)] {
        for (method, path) in [
            ("PATCH", path.clone()),
            ("DELETE", path.clone()),
            ("POST", format!("{path}/tickets")),
            ("POST", format!("{path}/invites")),
            ("GET", format!("{path}/invites")),
            ("DELETE", format!("{path}/invites/x")),
            ("GET", format!("{path}/participants")),
            ("POST", format!("{path}/participants/x/kick")),
            ("POST", format!("{path}/participants/x/admit")),
            ("POST", format!("{path}/participants/x/deny")),
        ] {
            let answer = request(method, &path).bearer(token).send(server.address);
            assert_eq!(answer.error(), (403, "forbidden".into()), "{method} {path}");
            let nobody = request(method, &path).send(server.address);
            assert_eq!(nobody.error(), (401, "unauthorized".into()), "{method} {path}");
        }
    }
    let look = get(&path).bearer(&guest).send(server.address).json();
    assert_eq!((&look["room"]["locked"], &look["room"]["owner"]), (&json!(false), &Value::Null));
}

/// An access token of somebody fresh.
fn user(server: &Server, name: &str, role: UserRole) -> String {
    server.user(name, role);
    server.login(name)["accessToken"].as_str().unwrap().to_owned()
}

#[test]
fn a_user_sees_and_runs_their_own_rooms_alone() {
    let server = Server::start();
    let [ann, bob] = ["ann", "bob"].map(|name| user(&server, name, UserRole::User));
    let room = server.room_of(&ann, &json!({ "name": "Tea" }));
    let other = server.room_of(&bob, &json!({}));
    assert_eq!(room["room"]["owner"], "ann");
    let listed = get("/api/v1/rooms").bearer(&ann).send(server.address).json();
    let ids: Vec<&Value> = listed["rooms"].as_array().unwrap().iter().map(|r| &r["id"]).collect();
    assert_eq!(ids, [&room["room"]["id"]]);

    let path = path_of(&room);
    assert_eq!(get(&path).bearer(&ann).send(server.address).json()["room"]["owner"], "ann");
    let lock = patch(&path).bearer(&ann).json(&json!({ "locked": true })).send(server.address);
    assert_eq!(lock.json()["room"]["locked"], true);
    assert_eq!(post(&format!("{path}/tickets")).bearer(&ann).send(server.address).status, 201);
    assert_eq!(post(&format!("{path}/invites")).bearer(&ann).send(server.address).status, 201);

    let foreign = path_of(&other);
    for (method, path) in [
        ("GET", foreign.clone()),
        ("PATCH", foreign.clone()),
        ("DELETE", foreign.clone()),
        ("POST", format!("{foreign}/tickets")),
        ("POST", format!("{foreign}/invites")),
        ("GET", format!("{foreign}/participants")),
        ("POST", format!("{foreign}/participants/x/kick")),
    ] {
        let answer = request(method, &path).bearer(&ann).send(server.address);
        assert_eq!(answer.error(), (403, "forbidden".into()), "{method} {path}");
    }
    assert_eq!(delete(&path).bearer(&ann).send(server.address).status, 204);
}

#[test]
fn an_admin_sees_and_runs_every_room() {
    let server = Server::start();
    let ann = user(&server, "ann", UserRole::User);
    let room = server.room_of(&ann, &json!({}));
    for admin in [user(&server, "root", UserRole::Admin), server.key("admin")] {
        let listed = get("/api/v1/rooms").bearer(&admin).send(server.address).json();
        assert_eq!(listed["rooms"][0]["owner"], "ann");
        let lock = patch(&path_of(&room)).bearer(&admin).json(&json!({ "locked": true }));
        assert_eq!(lock.send(server.address).status, 200);
        let people = get(&format!("{}/participants", path_of(&room))).bearer(&admin);
        assert_eq!(people.send(server.address).status, 200);
    }
}

#[test]
fn a_kicked_peers_ticket_is_no_proof_any_more_nor_is_one_of_a_closed_room() {
    let server = Server::start();
    let room = server.room();
    let guest = server.guest(&room);
    let ice = |ticket: &str| get("/api/v1/ice").bearer(ticket).send(server.address);
    let (_socket, ready) = Socket::hello(&server, &guest);
    assert_eq!(ice(&guest).status, 200);
    let peer = ready["peer"].as_str().unwrap();
    let kick = post(&format!("{}/participants/{peer}/kick", path_of(&room)));
    assert_eq!(kick.bearer(ticket_of(&room)).send(server.address).status, 204);
    assert_eq!(ice(&guest).error(), (401, "invalid_token".into()));
    assert_eq!(ice(ticket_of(&room)).status, 200);
    let close = delete(&path_of(&room)).bearer(ticket_of(&room)).send(server.address);
    assert_eq!(close.status, 204);
    assert_eq!(ice(ticket_of(&room)).error(), (404, "no_such_room".into()));
}

#[test]
fn no_user_takes_every_place_alone() {
    let server = Server::start();
    server.user("alice", UserRole::User);
    server.user("bob", UserRole::User);
    server.user("root", UserRole::Admin);
    let room = |n: usize| RoomRecord {
        id: format!("r{n}"),
        name: None,
        capacity: 2,
        lobby: false,
        locked: false,
        kicked: Vec::new(),
        owner: Some("alice".into()),
        created: now(),
        expires: None,
    };
    let made: Vec<_> =
        (0..MAX_OWN_ROOMS).map(|n| server.api.store().rooms().create(room(n))).collect();
    made.into_iter().for_each(|room| room.wait().unwrap());
    let token = |name: &str| server.login(name)["accessToken"].as_str().unwrap().to_owned();
    let make = |name: &str| {
        let native = post("/api/v1/rooms").bearer(&token(name)).send(server.address).status;
        let tunnel = get("/token?role=host").bearer(&token(name)).send(server.address).status;
        let login = json!({ "username": name, "password": PASSWORD });
        let login = post("/login").json(&login).send(server.address).json();
        let meetings = post("/create").bearer(login["token"].as_str().unwrap());
        [native, tunnel, meetings.send(server.address).status]
    };
    assert_eq!(make("alice"), [409, 409, 409]);
    assert_eq!([make("bob"), make("root")], [[201, 200, 200]; 2]);
    assert_eq!(delete("/api/v1/rooms/r0").bearer(&token("alice")).send(server.address).status, 204);
    let again = post("/api/v1/rooms").bearer(&token("alice")).send(server.address);
    assert_eq!(again.status, 201);
}
