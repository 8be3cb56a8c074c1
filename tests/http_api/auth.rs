//! Users: logging in, what they may do, and how guessing is stopped.

use std::num::NonZeroU32;

use relayhouse::api::{HttpSettings, RateLimits};
use relayhouse::creds::password::PasswordHash;
use relayhouse::store::{UserChange, UserRole};
use serde_json::{Value, json};

use crate::http::{Answer, get, post};
use crate::server::{PASSWORD, Server, login};

const REFUSED: fn() -> (u16, String) = || (401, "invalid_login".into());

#[test]
fn a_login_is_answered_with_tokens_and_who_it_is() {
    let server = Server::start();
    server.user("alice", UserRole::Admin);
    let answer = login("Alice", PASSWORD).send(server.address);
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let json = answer.json();
    assert_eq!(json["user"], json!({"name": "alice", "role": "admin"}));
    let soon = crate::server::now() + 15 * 60;
    let (expires, session) = (json["expiresAt"].as_u64(), json["refreshExpiresAt"].as_u64());
    assert!(expires.is_some_and(|at| at.abs_diff(soon) < 60), "{json}");
    assert!(session > expires, "{json}");
    let access = json["accessToken"].as_str().unwrap();
    let me = get("/api/v1/auth/me").bearer(access).send(server.address).json();
    assert_eq!(me["user"], json["user"]);
    assert_eq!(me["session"], json!({"expiresAt": json["refreshExpiresAt"], "sliding": true}));
}

#[test]
fn a_user_makes_rooms_and_gets_ice_servers_in_their_own_name() {
    let server = Server::start();
    server.user("alice", UserRole::User);
    let token = server.login("alice")["accessToken"].as_str().unwrap().to_owned();
    let room = post("/api/v1/rooms").bearer(&token).send(server.address);
    assert_eq!(room.status, 201, "{}", room.json());
    let ice = get("/api/v1/ice").bearer(&token).send(server.address).json();
    let username = ice["iceServers"][1]["username"].as_str().unwrap();
    assert!(username.ends_with(":alice"), "{username}");
}

#[test]
fn a_wrong_password_an_unknown_and_an_inactive_user_are_told_the_same_after_the_same_work() {
    let server = Server::start();
    server.user("alice", UserRole::User);
    server.user("gone", UserRole::User);
    server.api.store().users().set_active("gone", false).wait().unwrap();
    let refusals =
        [("alice", "wrong horse"), ("nobody", PASSWORD), ("gone", PASSWORD), ("a b", "x")];
    let answers: Vec<Answer> = refusals
        .iter()
        .map(|(name, password)| {
            let before = server.api.snapshot().password_hashes;
            let answer = login(name, password).send(server.address);
            assert_eq!(server.api.snapshot().password_hashes, before + 1, "{name}");
            answer
        })
        .collect();
    for answer in &answers {
        assert_eq!(answer.error(), REFUSED());
        assert_eq!(answer.body, answers[0].body);
        assert_eq!(answer.header("WWW-Authenticate"), Some("Bearer realm=\"relayhouse\""));
    }
}

/// While somebody's imported hash waits for its first login, every failure does the work of both kinds.
#[test]
fn imported_hashes_do_not_tell_who_exists() {
    let server = Server::start();
    server.user("alice", UserRole::User);
    import_bcrypt(&server, "bert");
    for name in ["alice", "bert", "nobody"] {
        let before = server.api.snapshot().password_hashes;
        assert_eq!(login(name, "wrong horse").send(server.address).error(), REFUSED());
        assert_eq!(server.api.snapshot().password_hashes, before + 2, "{name}");
    }
}

fn import_bcrypt(server: &Server, name: &str) {
    let text = "$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie";
    let password = Some(PasswordHash::try_from(text.to_owned()).unwrap());
    let people = vec![(name.to_owned(), UserChange { password, ..UserChange::default() })];
    server.api.store().users().import(people, false, 1).wait().unwrap();
}

#[test]
fn a_password_from_another_system_is_hashed_anew_at_the_first_login() {
    let server = Server::start();
    import_bcrypt(&server, "bert");
    for _ in 0..2 {
        let answer = login("bert", "correctbatteryhorsestapler").send(server.address);
        assert_eq!(answer.status, 200, "{}", answer.json());
        let token = answer.json()["accessToken"].as_str().unwrap().to_owned();
        assert_eq!(get("/api/v1/auth/me").bearer(&token).send(server.address).status, 200);
        let stored = server.api.store().users().find("bert").unwrap().unwrap();
        assert!(!stored.password.needs_rehash());
    }
}

#[test]
fn bodies_that_are_no_login_are_refused() {
    let server = Server::start();
    for body in [
        json!({}),
        json!({"username": "alice"}),
        json!({"username": "alice", "password": "p", "role": "admin"}),
        json!({"username": ["alice"], "password": "p"}),
        json!({"username": {"$gt": ""}, "password": {"$gt": ""}}),
    ] {
        let answer = post("/api/v1/auth/login").json(&body).send(server.address);
        assert_eq!(answer.error(), (400, "bad_json".into()), "{body}");
    }
    for (name, password) in
        [("", ""), ("alice", ""), ("alice\0", "p"), ("alice", &"x".repeat(9000))]
    {
        assert_eq!(login(name, password).send(server.address).error(), REFUSED());
    }
}

fn behind_a_proxy(per_address: u32, per_account: u32) -> Server {
    let count = |n| NonZeroU32::new(n).unwrap();
    let server = Server::with(HttpSettings {
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        rate_limits: RateLimits {
            logins: count(per_address),
            logins_per_account: count(per_account),
            ..RateLimits::default()
        },
        ..HttpSettings::default()
    });
    server.stop_clocks();
    server
}

fn from(server: &Server, client: &str, name: &str, password: &str) -> Answer {
    login(name, password).header("X-Forwarded-For", client).send(server.address)
}

#[test]
fn an_address_that_guesses_is_told_to_wait_whatever_it_guesses() {
    let server = behind_a_proxy(3, 100);
    server.user("alice", UserRole::User);
    for name in ["alice", "bob", "nobody"] {
        assert_eq!(from(&server, "192.0.2.1", name, "wrong horse").error(), REFUSED());
    }
    let answer = from(&server, "192.0.2.1", "alice", PASSWORD);
    assert_eq!(answer.error(), (429, "rate_limited".into()));
    let wait: u64 = answer.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(from(&server, "192.0.2.2", "alice", PASSWORD).status, 200);
    server.wait(61);
    assert_eq!(from(&server, "192.0.2.1", "alice", PASSWORD).status, 200);
}

#[test]
fn an_account_under_attack_still_lets_its_owner_in_from_where_they_come() {
    let server = behind_a_proxy(3, 5);
    server.user("alice", UserRole::User);
    assert_eq!(from(&server, "198.51.100.1", "alice", PASSWORD).status, 200);
    let guesses = (0..8).map(|n| from(&server, &format!("192.0.2.{n}"), "alice", "wrong horse"));
    let refused: Vec<u16> = guesses.map(|answer| answer.status).collect();
    assert_eq!(refused, [401, 401, 401, 401, 401, 429, 429, 429]);
    assert_eq!(from(&server, "198.51.100.1", "alice", PASSWORD).status, 200);
    // And nobody for good.
    server.wait(61);
    assert_eq!(from(&server, "203.0.113.1", "alice", PASSWORD).status, 200);
}

#[test]
fn right_logins_are_not_limited() {
    let server = behind_a_proxy(2, 2);
    server.user("alice", UserRole::User);
    assert!((0..6).all(|_| from(&server, "192.0.2.1", "alice", PASSWORD).status == 200));
}

#[test]
fn only_users_have_a_session() {
    let server = Server::start();
    let key = server.key("admin");
    for request in [get("/api/v1/auth/me"), post("/api/v1/auth/logout")] {
        assert_eq!(request.bearer(&key).send(server.address).error(), (403, "forbidden".into()));
    }
    assert_eq!(get("/api/v1/auth/me").send(server.address).error().0, 401);
}

#[test]
fn odd_forms_of_the_authorization_header_are_refused_or_read_as_they_are_meant() {
    let server = Server::start();
    server.user("alice", UserRole::User);
    let token = server.login("alice")["accessToken"].as_str().unwrap().to_owned();
    let me = |value: &str| {
        get("/api/v1/auth/me").header("Authorization", value).send(server.address).status
    };
    for good in [format!("Bearer {token}"), format!("bearer {token}"), format!("BEARER  {token} ")]
    {
        assert_eq!(me(&good), 200, "{good}");
    }
    for bad in [
        token.clone(),
        format!("Basic {token}"),
        format!("Bearer{token}"),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer \"{token}\""),
        format!("Bearer\t{token}"),
        format!("Bearer {token}="),
        format!("Bearer {}", token.replace('.', "..")),
        "Bearer null".into(),
        "Bearer ".into(),
        String::new(),
    ] {
        assert_eq!(me(&bad), 401, "{bad}");
    }
    let twice = get("/api/v1/auth/me").bearer(&token).bearer(&token).send(server.address);
    assert_eq!(twice.error(), (401, "invalid_token".into()));
}

#[test]
fn the_description_has_the_calls_about_people() {
    let server = Server::start();
    let description = get("/api/openapi.json").send(server.address).json();
    for path in ["login", "refresh", "logout", "me"] {
        let call = &description["paths"][format!("/api/v1/auth/{path}")];
        assert_ne!(*call, Value::Null, "{path}");
    }
}
