//! Requests that are not right, each with its own answer in the one error shape.

use relayhouse::api::{Code, MAX_BODY};
use serde_json::json;

use crate::http::{get, post, request};
use crate::server::Server;

#[test]
fn codes_are_stable_words_each_once() {
    let mut words: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert!(words.iter().all(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Code::ALL.len());
}

#[test]
fn an_unknown_path_is_not_found_in_the_error_shape() {
    let server = Server::start();
    for path in ["/nothing", "/api/v1/nothing", "/api/v2/ice", "/assets/nothing.js"] {
        assert_eq!(get(path).send(server.address).error(), (404, "not_found".into()), "{path}");
    }
}

#[test]
fn another_method_is_told_which_ones_there_are() {
    let server = Server::start();
    for (method, path, allow) in [
        ("DELETE", "/api/v1/ice", "GET,HEAD"),
        ("PUT", "/api/v1/rooms", "GET,HEAD,POST"),
        ("PUT", "/api/v1/rooms/r", "GET,HEAD,PATCH,DELETE"),
        ("POST", "/assets/app.js", "GET,HEAD"),
        ("PUT", "/", "GET,HEAD,POST"),
    ] {
        let answer = request(method, path).send(server.address);
        assert_eq!(answer.error(), (405, "method_not_allowed".into()), "{method} {path}");
        assert_eq!(answer.header("Allow"), Some(allow));
    }
}

#[test]
fn a_body_of_another_type_is_refused() {
    let server = Server::open();
    for kind in ["text/plain", "application/json; charset=latin1", "application/jsonx"] {
        let answer = post("/api/v1/rooms").header("Content-Type", kind).body(b"{}");
        let answer = answer.send(server.address);
        assert_eq!(answer.error(), (415, "unsupported_media_type".into()), "{kind}");
    }
    let untyped = post("/api/v1/rooms").body(b"{}").send(server.address);
    assert_eq!(untyped.error(), (415, "unsupported_media_type".into()));
    let typed = post("/api/v1/rooms").header("Content-Type", "Application/JSON; charset=\"UTF-8\"");
    assert_eq!(typed.body(b"{}").send(server.address).status, 201);
}

#[test]
fn a_body_too_large_is_refused_announced_or_not() {
    let server = Server::open();
    let large = vec![b' '; MAX_BODY + 1];
    let json = || post("/api/v1/rooms").header("Content-Type", "application/json");
    assert_eq!(json().body(&large).send(server.address).error(), (413, "body_too_large".into()));

    let mut chunked = format!("{:x}\r\n", large.len()).into_bytes();
    chunked.extend_from_slice(&large);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    let answer = json().header("Transfer-Encoding", "chunked");
    assert_eq!(answer.raw_body(&chunked).send(server.address).error().0, 413);
    let fits = vec![b' '; MAX_BODY - 2];
    let fitting = [fits.as_slice(), b"{}"].concat();
    assert_eq!(json().body(&fitting).send(server.address).status, 201);
}

#[test]
fn broken_json_is_answered_with_its_place() {
    let server = Server::open();
    let answer = post("/api/v1/rooms")
        .header("Content-Type", "application/json")
        .body(b"{\n  \"name\": oops\n}")
        .send(server.address);
    assert_eq!(answer.error(), (400, "bad_json".into()));
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("line 2 column"), "{message}");
}

#[test]
fn unknown_fields_and_wrong_types_are_refused_by_name() {
    let server = Server::open();
    for (path, body, word) in [
        ("/api/v1/rooms", json!({ "capcity": 3 }), "capcity"),
        ("/api/v1/rooms", json!({ "capacity": "3" }), "u32"),
        ("/api/v1/rooms", json!([]), "3"),
        ("/api/v1/rooms", json!([null, null, null, null]), "object"),
        ("/api/v1/rooms/r/invites", json!({ "tll": 3 }), "tll"),
        ("/api/v1/invites/i/redeem", json!({ "nick": "a" }), "nick"),
    ] {
        let answer = post(path).json(&body).send(server.address);
        assert_eq!(answer.error(), (400, "bad_json".into()), "{body}");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("line 1") || word == "object", "{message}");
        assert!(word == "3" || message.contains(word), "{message}");
    }
}

#[test]
fn a_deep_body_is_refused() {
    let server = Server::open();
    let deep = format!("{{\"name\":{}", "[".repeat(10_000));
    let answer = post("/api/v1/rooms").header("Content-Type", "application/json");
    assert_eq!(answer.body(deep.as_bytes()).send(server.address).error().0, 400);
}

#[test]
fn an_unknown_query_of_ice_is_refused() {
    let server = Server::open();
    for query in ["tll=9", "ttl=9&x=", "ttl=", "ttl=-1", "ttl=1&ttl=2", "allocations=one"] {
        let answer = get(&format!("/api/v1/ice?{query}")).send(server.address);
        assert_eq!(answer.error(), (400, "bad_request".into()), "{query}");
    }
}

#[test]
fn an_unknown_room_is_not_found() {
    let server = Server::start();
    let key = server.key("rooms");
    for path in ["/api/v1/rooms/none", &format!("/api/v1/rooms/{}", "x".repeat(300))] {
        let answer = get(path).bearer(&key).send(server.address);
        assert_eq!(answer.error(), (404, "no_such_room".into()));
    }
    let answer = post("/api/v1/rooms/none/invites").bearer(&key).send(server.address);
    assert_eq!(answer.error(), (404, "no_such_room".into()));
}

#[test]
fn a_path_that_is_no_text_is_refused_in_the_error_shape() {
    let server = Server::start();
    let answer = get("/api/v1/rooms/%ff").bearer(&server.key("rooms")).send(server.address);
    assert_eq!(answer.error(), (400, "bad_request".into()));
}
