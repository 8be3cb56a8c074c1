//! `turn-rest`: draft-uberti-behave-turn-rest-00 section 2, and how it refuses.

use relayhouse::api::Dialect;
use relayhouse::creds::Secret;
use relayhouse::creds::rest::mint;
use relayhouse::store::UserRole;
use relayhouse::time::UnixTime;
use serde_json::json;

use crate::house::{add_user, log_in, settings};
use crate::http::{Answer, get, post};
use crate::server::{Server, now};

fn ask(server: &Server, query: &str) -> Answer {
    get(&format!("/?{query}")).send(server.address)
}

/// The subject of an answer that is as section 2.2 has it.
#[track_caller]
fn subject(answer: &Answer) -> Option<String> {
    let json = answer.json();
    assert_eq!(answer.status, 200, "{json}");
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let username = json["username"].as_str().unwrap();
    let (expires, subject) = match username.split_once(':') {
        Some((expires, subject)) => (expires, Some(subject.to_owned())),
        None => (username, None),
    };
    let expires: u64 = expires.parse().unwrap();
    assert!(expires.abs_diff(now() + 86_400) < 20);
    let name = subject.as_deref().unwrap_or_default();
    let minted = mint(&Secret::from("north"), name, UnixTime(expires), ':').unwrap();
    let uris = ["turn:192.0.2.1:3478?transport=udp", "turn:192.0.2.1:3478?transport=tcp"];
    let expected = json!({
        "username": username,
        "password": minted.credential,
        "ttl": 86_400,
        "uris": uris,
    });
    assert_eq!(json, expected);
    subject
}

#[test]
fn a_get_with_a_key_gives_credentials_for_the_user_it_names() {
    let server = Server::start();
    let key = server.key("mint");
    let answer = ask(&server, &format!("service=turn&username=mbzrxpgjys&key={key}"));
    assert_eq!(subject(&answer).as_deref(), Some("mbzrxpgjys"));
}

#[test]
fn a_post_does_the_same_with_a_query_or_a_form() {
    let server = Server::start();
    let key = server.key("mint");
    let path = format!("/?service=turn&username=fred&key={key}");
    assert_eq!(subject(&post(&path).send(server.address)).as_deref(), Some("fred"));
    let form = format!("service=turn&username=fred%40example.org&key={key}");
    let answer = post("/")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form.as_bytes())
        .send(server.address);
    assert_eq!(subject(&answer).as_deref(), Some("fred@example.org"));
    let answer = post("/?service=turn")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("api={key}").as_bytes())
        .send(server.address);
    assert_eq!(subject(&answer), None);
}

#[test]
fn a_key_may_be_called_api_or_stand_in_the_header() {
    let server = Server::start();
    let key = server.key("mint");
    let answer = ask(&server, &format!("service=turn&username=fred&api={key}"));
    assert_eq!(subject(&answer).as_deref(), Some("fred"));
    let answer = get("/?service=turn&username=fred").bearer(&key).send(server.address);
    assert_eq!(subject(&answer).as_deref(), Some("fred"));
}

#[test]
fn without_a_username_the_expiry_stands_alone() {
    let server = Server::start();
    let key = server.key("mint");
    assert_eq!(subject(&ask(&server, &format!("service=turn&key={key}"))), None);
}

#[test]
fn a_user_gets_their_own_whatever_they_say() {
    let server = Server::start();
    add_user(&server, "alice", "correct horse", UserRole::User);
    let token = log_in(&server, "alice", "correct horse");
    let answer = get("/?service=turn&username=bob").bearer(&token).send(server.address);
    assert_eq!(subject(&answer).as_deref(), Some("alice"));
}

#[test]
fn without_a_proof_it_is_unauthorized_unless_strangers_are_served() {
    let server = Server::start();
    let answer = ask(&server, "service=turn&username=fred");
    assert_eq!(answer.error(), (401, "unauthorized".into()));
    let server = Server::with(settings(&[Dialect::TurnRest]));
    assert_eq!(subject(&ask(&server, "service=turn&username=fred")).as_deref(), Some("fred"));
}

#[test]
fn a_key_that_is_wrong_or_for_something_else_is_forbidden() {
    let server = Server::with(settings(&[Dialect::TurnRest]));
    let ticket = server.room()["ticket"].as_str().unwrap().to_owned();
    for key in ["rk_wrong", "%00", "", "a b", &server.key("rooms"), &ticket] {
        let answer = ask(&server, &format!("service=turn&key={key}").replace(' ', "%20"));
        assert_eq!(answer.error(), (403, "forbidden".into()), "{key}");
    }
}

#[test]
fn guessing_keys_is_told_to_wait() {
    let server = Server::start();
    let refused: Vec<_> =
        (0..40).map(|n| ask(&server, &format!("service=turn&key=rk_{n}"))).collect();
    let last = refused.last().unwrap();
    assert_eq!(last.error(), (429, "rate_limited".into()));
    assert!(last.header("Retry-After").is_some());
}

#[test]
fn what_is_not_as_the_draft_has_it_is_a_bad_request() {
    let server = Server::start();
    let key = server.key("mint");
    let long = "x".repeat(300);
    for query in [
        format!("service=stun&key={key}"),
        format!("service=&key={key}"),
        format!("service=turn&service=turn&key={key}"),
        format!("service=turn&username={long}&key={key}"),
        format!("service=turn&username=a%0Ab&key={key}"),
    ] {
        assert_eq!(ask(&server, &query).status, 400, "{query}");
    }
    let answer = post(&format!("/?key={key}")).send(server.address);
    assert_eq!(answer.error(), (400, "bad_request".into()));
}

#[test]
fn the_page_is_still_there_beside_it() {
    let server = Server::start();
    for path in ["/", "/?invite=1"] {
        let answer = get(path).send(server.address);
        assert_eq!(answer.status, 200);
        assert!(answer.header("Content-Type").unwrap().starts_with("text/html"), "{path}");
    }
}
