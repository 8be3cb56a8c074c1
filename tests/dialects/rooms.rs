//! `rooms` over HTTP: logging in, who that is, TURN credentials, the lists; and every refusal of them.

use relayhouse::api::{Dialect, DialectSettings, HttpSettings};
use relayhouse::creds::password::{PasswordHash, SALT};
use relayhouse::store::{UserRecord, UserRole};
use serde_json::{Value, json};

use crate::http::{Answer, Request, get, post, request};
use crate::server::{Server, now};
use crate::socket::Socket;

pub const PASSWORD: &str = "securePassword123";

/// A user whose password is [`PASSWORD`].
pub fn add(server: &Server, name: &str, role: UserRole) {
    let user = UserRecord {
        name: name.into(),
        role,
        email: (name == "bob").then(|| "bob@company.com".into()),
        active: true,
        created: now(),
        password: PasswordHash::new(PASSWORD, [7; SALT]).unwrap(),
    };
    server.api.store().users().add(user).wait().unwrap();
}

fn login(name: &str, password: &str) -> Request {
    post("/auth/login").json(&json!({"username": name, "password": password}))
}

/// The access token of a user.
#[track_caller]
pub fn token(server: &Server, name: &str) -> String {
    let answer = login(name, PASSWORD).send(server.address);
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// A server with the user `alice`, and her token.
pub fn alice() -> (Server, String) {
    let server = Server::start();
    add(&server, "alice", UserRole::User);
    let token = token(&server, "alice");
    (server, token)
}

/// Status and `detail` of an error in FastAPI's shape.
#[track_caller]
fn detail(answer: &Answer) -> (u16, Value) {
    let json = answer.json();
    assert_eq!(json.as_object().map(serde_json::Map::len), Some(1), "{json}");
    (answer.status, json["detail"].clone())
}

/// What is wrong with a body: the type and the place of each complaint.
#[track_caller]
fn complaints(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, 422, "{}", answer.json());
    let list = answer.json()["detail"].clone();
    let read = |one: &Value| {
        assert!(one["msg"].is_string(), "{one}");
        (one["type"].as_str().unwrap().into(), one["loc"].to_string())
    };
    list.as_array().expect("a list").iter().map(read).collect()
}

fn complaint(kind: &str, field: &str) -> (String, String) {
    (kind.to_owned(), format!(r#"["body","{field}"]"#))
}

#[test]
fn a_user_logs_in_with_json() {
    let server = Server::start();
    add(&server, "alice", UserRole::User);
    let answer = login("alice", PASSWORD).send(server.address);
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let json = answer.json();
    assert_eq!(json["token_type"], "bearer");
    assert_eq!(json["access_token"].as_str().unwrap().split('.').count(), 3);
    let extra = json!({"username": "alice", "password": PASSWORD, "remember": true});
    assert_eq!(post("/auth/login").json(&extra).send(server.address).status, 200);
}

#[test]
fn a_user_logs_in_with_the_form_of_oauth() {
    let server = Server::start();
    add(&server, "alice", UserRole::User);
    for body in [
        format!("username=alice&password={PASSWORD}"),
        format!("grant_type=password&username=alice&password={PASSWORD}&scope=&client_id=x"),
    ] {
        let answer = form(&body).send(server.address);
        assert_eq!(
            (answer.status, &answer.json()["token_type"]),
            (200, &json!("bearer")),
            "{body}"
        );
    }
}

fn form(body: &str) -> Request {
    let kind = "application/x-www-form-urlencoded";
    post("/auth/token").header("Content-Type", kind).body(body.as_bytes())
}

#[test]
fn a_wrong_password_and_nobody_are_refused_alike() {
    let server = Server::start();
    add(&server, "alice", UserRole::User);
    let wrong = (401, json!("Incorrect username or password"));
    for answer in [
        login("alice", "wrong password").send(server.address),
        login("nobody", PASSWORD).send(server.address),
        form("username=alice&password=wrong+password").send(server.address),
    ] {
        assert_eq!(detail(&answer), wrong);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
}

#[test]
fn a_login_that_is_not_one_is_said_where() {
    let server = Server::start();
    let ask = |body: Value| complaints(&post("/auth/login").json(&body).send(server.address));
    let (username, password) = (complaint("missing", "username"), complaint("missing", "password"));
    assert_eq!(ask(json!({})), [username.clone(), password.clone()]);
    assert_eq!(ask(json!([])), [username.clone(), password.clone()]);
    let typed = ask(json!({"username": 7, "password": "x"}));
    assert_eq!(typed, [complaint("string_type", "username")]);
    let broken = post("/auth/login").header("Content-Type", "application/json").body(b"{");
    assert_eq!(complaints(&broken.send(server.address))[0].0, "json_invalid");
    let json_as_form = post("/auth/token").json(&json!({"username": "a", "password": "b"}));
    assert_eq!(complaints(&json_as_form.send(server.address)), [username, password.clone()]);
    assert_eq!(complaints(&form("username=alice").send(server.address)), [password]);
    let grant = form("grant_type=code&username=a&password=b").send(server.address);
    assert_eq!(complaints(&grant), [complaint("string_pattern_mismatch", "grant_type")]);
    let answer = post("/auth/login").json(&json!({"username": "x".repeat(20_000)}));
    assert_eq!(detail(&answer.send(server.address)).0, 413);
}

#[test]
fn who_guesses_too_often_waits() {
    let server = Server::start();
    let statuses: Vec<_> =
        (0..12).map(|_| login("nobody", "guess").send(server.address).status).collect();
    assert_eq!((statuses[0], statuses[11]), (401, 429), "{statuses:?}");
    let answer = login("nobody", "guess").send(server.address);
    assert!(answer.header("retry-after").is_some());
    assert!(detail(&answer).1.is_string());
}

#[test]
fn me_says_who_that_is() {
    let (server, alice) = alice();
    add(&server, "bob", UserRole::User);
    let me = |token: &str| get("/auth/me").bearer(token).send(server.address).json();
    let json = json!({"username": "alice", "email": "alice@example.com", "is_active": true});
    assert_eq!(me(&alice), json);
    assert_eq!(me(&token(&server, "bob"))["email"], "bob@company.com");
}

#[test]
fn a_token_is_refreshed() {
    let (server, first) = alice();
    let answer = post("/auth/refresh").bearer(&first).send(server.address);
    assert_eq!((answer.status, &answer.json()["token_type"]), (200, &json!("bearer")));
    let second = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!(get("/auth/me").bearer(&second).send(server.address).status, 200);
}

#[test]
fn after_the_logout_the_token_is_worthless() {
    let (server, token) = alice();
    let refreshed = post("/auth/refresh").bearer(&token).send(server.address).json();
    let out = || post("/auth/logout").bearer(&token).send(server.address);
    assert_eq!(out().json(), json!({"message": "Successfully logged out"}));
    for token in [token.as_str(), refreshed["access_token"].as_str().unwrap()] {
        let me = get("/auth/me").bearer(token).send(server.address);
        assert_eq!(detail(&me), (401, json!("Could not validate credentials")));
    }
    // As the document's server, which only asks the client to forget.
    assert_eq!(out().status, 200);
    assert_eq!(post("/auth/logout").send(server.address).status, 200);
}

#[test]
fn turn_credentials_are_the_users_for_a_day() {
    let (server, token) = alice();
    let answer = get("/auth/turn-credentials").bearer(&token).send(server.address);
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let turn = answer.json();
    let mut fields: Vec<_> = turn.as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["credential", "ttl", "urls", "username"]);
    assert_eq!(turn["ttl"], 86400);
    let username = turn["username"].as_str().unwrap();
    let (expiry, name) = username.split_once(':').unwrap();
    assert_eq!(name, "alice");
    assert!((86_390..=86_400).contains(&(expiry.parse::<u64>().unwrap() - now())));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"north");
    let credential = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD
            .encode(ring::hmac::sign(&key, username.as_bytes()))
    };
    assert_eq!(turn["credential"], credential);
    let urls = turn["urls"].as_array().unwrap();
    assert!(urls.iter().all(|url| url.as_str().unwrap().starts_with("turn")), "{urls:?}");
    assert!(!urls.is_empty());
}

#[test]
fn without_a_relay_there_are_no_turn_credentials() {
    let (server, token) = alice();
    server.reconfigure(HttpSettings::default(), Vec::new());
    let answer = get("/auth/turn-credentials").bearer(&token).send(server.address);
    assert_eq!(detail(&answer), (503, json!("TURN server not configured")));
}

#[test]
fn whoever_is_not_logged_in_is_told_so() {
    let server = Server::start();
    let native = server.room();
    for (method, path) in [
        ("GET", "/auth/me"),
        ("POST", "/auth/refresh"),
        ("GET", "/auth/turn-credentials"),
        ("GET", "/api/rooms"),
        ("POST", "/api/rooms/r/info"),
        ("GET", "/api/rooms/r/info"),
    ] {
        let missing = request(method, path).send(server.address);
        assert_eq!(detail(&missing), (401, json!("Not authenticated")), "{path}");
        assert_eq!(missing.header("www-authenticate"), Some("Bearer"), "{path}");
        let invalid = request(method, path).bearer("nonsense").send(server.address);
        assert_eq!(detail(&invalid), (401, json!("Could not validate credentials")), "{path}");
    }
    let ticket = native["ticket"].as_str().unwrap();
    let answer = get("/auth/turn-credentials").bearer(ticket).send(server.address);
    assert_eq!(detail(&answer), (401, json!("Could not validate credentials")), "a ticket");
}

#[test]
fn other_methods_are_refused_in_the_same_shape() {
    let server = Server::start();
    for (method, path) in [("GET", "/auth/login"), ("DELETE", "/health"), ("POST", "/ws/r")] {
        let answer = request(method, path).send(server.address);
        assert_eq!(detail(&answer), (405, json!("Method Not Allowed")), "{method} {path}");
    }
}

#[test]
fn rooms_are_listed_while_somebody_is_in_them() {
    let (server, token) = alice();
    let list = || get("/api/rooms").bearer(&token).send(server.address).json();
    assert_eq!(list(), json!([]));
    let mut socket = Socket::open(server.address, "/ws/room_name");
    socket.next();
    socket.send(&json!({"type": "auth_token", "token": token}));
    assert_eq!(socket.next()["type"], "auth_success");
    assert_eq!(socket.next()["type"], "users_in_room");
    let room = json!({"room_id": "room_name", "connected_users": 1, "is_active": true});
    assert_eq!(list(), json!([room]));
    for method in ["POST", "GET"] {
        let info = request(method, "/api/rooms/room_name/info").bearer(&token);
        assert_eq!(info.send(server.address).json(), room);
    }
    let missing = post("/api/rooms/nowhere/info").bearer(&token).send(server.address);
    assert_eq!(detail(&missing), (404, json!("Room not found")));
    let health = get("/health").send(server.address).json();
    assert_eq!(health, json!({"status": "healthy", "active_connections": 1, "rooms": 1}));
    socket.close();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while list() != json!([]) {
        assert!(std::time::Instant::now() < deadline, "the room is still listed");
    }
}

#[test]
fn rooms_that_others_made_are_not_listed() {
    let (server, token) = alice();
    let native = server.room();
    let id = native["room"]["id"].as_str().unwrap();
    let info = post(&format!("/api/rooms/{id}/info")).bearer(&token).send(server.address);
    assert_eq!(detail(&info), (404, json!("Room not found")));
}

#[test]
fn where_strangers_are_served_they_see_the_list() {
    let dialects =
        DialectSettings { open: [Dialect::Rooms].into_iter().collect(), ..Default::default() };
    let server = Server::with(HttpSettings { dialects, ..HttpSettings::default() });
    assert_eq!(get("/api/rooms").send(server.address).json(), json!([]));
    let info = post("/api/rooms/r/info").send(server.address);
    assert_eq!(detail(&info), (404, json!("Room not found")));
    assert_eq!(get("/auth/me").send(server.address).status, 401);
}
