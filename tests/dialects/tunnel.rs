//! `tunnel` over HTTP: tokens, invites, TURN, the operators' calls; and every refusal of them.

use relayhouse::api::{Dialect, DialectSettings, HttpSettings};
use relayhouse::store::JournalSettings;
use serde_json::{Value, json};

use crate::http::{Answer, get, post, request};
use crate::server::{Server, now};

/// A server that serves strangers, as the document does.
pub fn open() -> Server {
    let dialects =
        DialectSettings { open: [Dialect::Tunnel].into_iter().collect(), ..Default::default() };
    Server::with(HttpSettings { dialects, ..HttpSettings::default() })
}

/// What `/token` gives for this query.
#[track_caller]
pub fn token(server: &Server, query: &str) -> Value {
    let answer = get(&format!("/token?{query}")).send(server.address);
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}

/// Status and code of an error in Fastify's shape.
#[track_caller]
fn fault(answer: &Answer) -> (u16, String) {
    let json = answer.json();
    assert_eq!(json["statusCode"], answer.status, "{json}");
    assert!(json["error"].is_string() && json["message"].is_string(), "{json}");
    (answer.status, text(&json, "code").to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn payload(token: &str) -> Value {
    use base64::Engine;
    let part = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_host_and_a_guest_get_tokens_for_one_room() {
    let server = open();
    let host = token(&server, "role=host");
    assert_eq!((text(&host, "role"), host["ttl"].as_u64()), ("host", Some(900)));
    let guest = token(&server, &format!("role=guest&roomID={}", text(&host, "roomID")));
    assert_eq!(text(&guest, "role"), "guest");
    assert_eq!(text(&guest, "roomID"), text(&host, "roomID"));
    assert_ne!(text(&guest, "userID"), text(&host, "userID"));
}

#[test]
fn post_gives_what_get_gives() {
    let server = open();
    let answer = post("/token").json(&json!({"role": "host", "name": "Ann"})).send(server.address);
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let claims = payload(text(&answer.json(), "token"));
    assert_eq!((&claims["role"], &claims["name"]), (&json!("host"), &json!("Ann")));
}

#[test]
fn a_token_says_for_whom_from_whom_and_until_when() {
    let server = open();
    let host = token(&server, "role=host");
    let claims = payload(text(&host, "token"));
    assert_eq!(
        (&claims["aud"], &claims["iss"]),
        (&json!("tunnel-worker"), &json!("tunnel-backend"))
    );
    assert_eq!((&claims["roomID"], &claims["sub"]), (&host["roomID"], &host["userID"]));
    assert_eq!(claims["exp"], host["expires_at"]);
    let ttl = host["expires_at"].as_u64().unwrap() - now();
    assert!((890..=900).contains(&ttl), "{ttl}");
}

#[test]
fn audience_and_issuer_are_the_operators_choice() {
    let dialects = DialectSettings {
        open: [Dialect::Tunnel].into_iter().collect(),
        tunnel_audience: "worker.example".into(),
        tunnel_issuer: "backend.example".into(),
        ..Default::default()
    };
    let server = Server::with(HttpSettings { dialects, ..HttpSettings::default() });
    let claims = payload(text(&token(&server, "role=host"), "token"));
    assert_eq!(claims["aud"], "worker.example");
    assert_eq!(claims["iss"], "backend.example");
}

#[test]
fn a_worker_elsewhere_can_check_a_token_with_the_public_key() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
    let server = open();
    let token = token(&server, "role=host");
    let (signed, signature) = text(&token, "token").rsplit_once('.').unwrap();
    let keys = get("/.well-known/jwks.json").send(server.address).json();
    let key = &keys["keys"][0];
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"))
    );
    let public = BASE64URL.decode(text(key, "x")).unwrap();
    ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, public)
        .verify(signed.as_bytes(), &BASE64URL.decode(signature).unwrap())
        .expect("the worker's library says yes");
    let header = BASE64URL.decode(signed.split('.').next().unwrap()).unwrap();
    assert_eq!(header, br#"{"alg":"EdDSA","typ":"JWT"}"#);
}

#[test]
fn a_token_is_renewed_for_the_same_user() {
    let server = open();
    let first = token(&server, "role=host&name=Ann");
    let answer = get("/token").bearer(text(&first, "token")).send(server.address);
    let second = answer.json();
    assert_eq!((&second["userID"], &second["roomID"]), (&first["userID"], &first["roomID"]));
    assert_eq!(second["role"], "host");
    assert_ne!(second["token"], first["token"]);
    assert_eq!(payload(text(&second, "token"))["name"], "Ann");
}

#[test]
fn a_guest_does_not_become_a_host_nor_go_elsewhere() {
    let server = open();
    let host = token(&server, "role=host");
    let guest = token(&server, &format!("role=guest&roomID={}", text(&host, "roomID")));
    let other = token(&server, "role=host");
    let ask = |query: &str| get(query).bearer(text(&guest, "token")).send(server.address);
    assert_eq!(fault(&ask("/token?role=host")), refused(403, "forbidden"));
    let elsewhere = format!("/token?roomID={}", text(&other, "roomID"));
    assert_eq!(fault(&ask(&elsewhere)), refused(403, "forbidden"));
    let take = get(&format!("/token?role=host&roomID={}", text(&host, "roomID")));
    assert_eq!(fault(&take.send(server.address)), refused(403, "forbidden"));
}

#[test]
fn what_a_token_is_asked_with_is_checked_strictly() {
    let server = open();
    for query in ["", "role=admin", "role=guest", "role=host&roomID=a%20b", "role=host&color=red"] {
        let answer = get(&format!("/token?{query}")).send(server.address);
        assert_eq!(fault(&answer), refused(400, "bad_field"), "{query}");
    }
    let missing = get("/token?role=guest&roomID=nowhere").send(server.address);
    assert_eq!(fault(&missing), refused(404, "no_such_room"));
    let unknown = post("/token").json(&json!({"role": "host", "color": "red"}));
    assert_eq!(fault(&unknown.send(server.address)), refused(400, "bad_json"));
    let form = post("/token").header("Content-Type", "text/plain").body(b"role=host");
    assert_eq!(fault(&form.send(server.address)), refused(415, "unsupported_media_type"));
    let large = post("/token").json(&json!({"name": "x".repeat(20_000)}));
    assert_eq!(fault(&large.send(server.address)), refused(413, "body_too_large"));
    let long = format!("role=host&name={}", "x".repeat(129));
    let answer = get(&format!("/token?{long}")).send(server.address);
    assert_eq!(fault(&answer), refused(400, "bad_field"));
}

#[test]
fn other_methods_are_refused_in_the_same_shape() {
    let server = open();
    let answer = request("DELETE", "/token").send(server.address);
    assert_eq!(fault(&answer), refused(405, "method_not_allowed"));
    assert!(answer.header("allow").is_some_and(|allow| allow.contains("POST")));
}

#[test]
fn an_invite_lets_one_guest_in_once() {
    let server = Server::start();
    let host = get("/token?role=host").bearer(&server.key("rooms")).send(server.address).json();
    let made = post("/invite").bearer(text(&host, "token")).send(server.address);
    assert_eq!(made.status, 201);
    let made = made.json();
    let invite = text(&made, "invite");
    assert!(invite.len() == 128 && invite.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(text(&made, "url").ends_with(&format!("/#invite={invite}")));
    assert_eq!(made["expires_at"].as_u64().unwrap() / 10, (now() + 900) / 10);
    let ask = format!("/token?role=guest&invite={invite}");
    let guest = get(&ask).send(server.address);
    assert_eq!((guest.status, &guest.json()["roomID"]), (200, &host["roomID"]));
    assert_eq!(fault(&get(&ask).send(server.address)), refused(410, "invite_used"));
}

#[test]
fn a_wrong_invite_is_refused() {
    let server = open();
    let ask = |query: String| fault(&get(&query).send(server.address));
    let unknown = format!("/token?invite={}", "0".repeat(128));
    assert_eq!(ask(unknown), refused(404, "no_such_invite"));
    assert_eq!(ask("/token?invite=0".into()), refused(400, "bad_field"));
    let host = token(&server, "role=host");
    let short = post("/invite").bearer(text(&host, "token")).json(&json!({"ttl": 1}));
    let invite = short.send(server.address).json();
    let as_host = format!("/token?role=host&invite={}", text(&invite, "invite"));
    assert_eq!(ask(as_host), refused(400, "bad_field"));
    let elsewhere = format!("/token?roomID=elsewhere&invite={}", text(&invite, "invite"));
    assert_eq!(ask(elsewhere), refused(404, "no_such_invite"));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let late = format!("/token?invite={}", text(&invite, "invite"));
    assert_eq!(ask(late), refused(410, "invite_expired"));
}

#[test]
fn only_a_host_invites() {
    let server = open();
    let host = token(&server, "role=host");
    let room = text(&host, "roomID");
    let guest = token(&server, &format!("role=guest&roomID={room}"));
    let ask = |token: &str, body: Value| {
        fault(&post("/invite").bearer(token).json(&body).send(server.address))
    };
    assert_eq!(ask(text(&guest, "token"), json!({})), refused(403, "forbidden"));
    let other = token(&server, "role=host");
    assert_eq!(ask(text(&other, "token"), json!({"roomID": room})), refused(403, "forbidden"));
    assert_eq!(ask(text(&host, "token"), json!({"ttl": 0})), refused(400, "bad_field"));
    assert_eq!(ask(&server.key("rooms"), json!({})), refused(400, "bad_field"));
    assert_eq!(
        fault(&post("/invite").json(&json!({"roomID": room})).send(server.address)),
        refused(403, "forbidden"),
        "a stranger"
    );
}

#[test]
fn turn_gives_one_entry_of_ice_servers_for_one_session() {
    let server = open();
    let host = token(&server, "role=host");
    for path in ["/turn", "/api/turn"] {
        for answer in [
            get(path).send(server.address),
            get(path).bearer(text(&host, "token")).send(server.address),
        ] {
            assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
            let turn = answer.json();
            let mut fields: Vec<_> = turn.as_object().unwrap().keys().collect();
            fields.sort();
            assert_eq!(fields, ["credential", "urls", "username"]);
            let urls: Vec<_> = turn["urls"].as_array().unwrap().iter().collect();
            assert_eq!(urls[0], "stun:192.0.2.1:3478");
            assert!(urls.contains(&&json!("turn:192.0.2.1:3478?transport=udp")), "{urls:?}");
            let expiry: u64 = text(&turn, "username").split(':').next().unwrap().parse().unwrap();
            assert!((890..=900).contains(&(expiry - now())), "{turn}");
            let credential = relayhouse_credential(text(&turn, "username"));
            assert_eq!(text(&turn, "credential"), credential);
        }
    }
    let turn = get("/turn").bearer(text(&host, "token")).send(server.address).json();
    assert!(text(&turn, "username").contains(text(&host, "userID")), "{turn}");
}

/// `base64(HMAC-SHA1("north", username))`, as the document's own code makes it.
fn relayhouse_credential(username: &str) -> String {
    use base64::Engine;
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"north");
    base64::engine::general_purpose::STANDARD.encode(ring::hmac::sign(&key, username.as_bytes()))
}

#[test]
fn closed_it_serves_nobody_without_a_proof() {
    let server = Server::start();
    for path in ["/token?role=host", "/token?role=guest&roomID=x", "/turn", "/api/turn"] {
        let answer = get(path).send(server.address);
        assert_eq!(fault(&answer), refused(401, "unauthorized"), "{path}");
        assert!(answer.header("www-authenticate").is_some());
    }
    let post_token = post("/token").json(&json!({"role": "host"})).send(server.address);
    assert_eq!(fault(&post_token), refused(401, "unauthorized"));
    let invite = post("/invite").json(&json!({"roomID": "x"})).send(server.address);
    assert_eq!(fault(&invite), refused(401, "unauthorized"));
    let bad = get("/turn").bearer("nonsense").send(server.address);
    assert_eq!(fault(&bad), refused(401, "invalid_token"));
}

#[test]
fn closed_a_key_makes_rooms_and_a_ticket_sees_its_own() {
    let server = Server::start();
    let key = server.key("rooms");
    let made = get("/token?role=host").bearer(&key).send(server.address);
    assert_eq!(made.status, 200);
    let native = server.room();
    let (room, ticket) = (text(&native["room"], "id"), text(&native, "ticket"));
    let own = get(&format!("/token?role=guest&roomID={room}")).bearer(ticket);
    assert_eq!(own.send(server.address).status, 200);
    let host = get(&format!("/token?role=host&roomID={room}")).bearer(ticket);
    assert_eq!(host.send(server.address).json()["role"], "host");
    let other = format!("/token?role=guest&roomID={}", text(&made.json(), "roomID"));
    let other = get(&other).bearer(ticket).send(server.address);
    assert_eq!(fault(&other), refused(403, "forbidden"));
    let turn = get("/turn").bearer(&key).send(server.address);
    assert_eq!(fault(&turn), refused(403, "forbidden"), "a key without the scope mint");
    assert_eq!(get("/turn").bearer(&server.key("mint")).send(server.address).status, 200);
}

#[test]
fn operators_list_lock_and_close_rooms() {
    let server = open();
    let host = token(&server, "role=host");
    let room = text(&host, "roomID");
    let admin = server.key("admin");
    let list = get("/admin/rooms").bearer(&admin).send(server.address).json();
    assert_eq!(list["rooms"][0]["roomID"], room);
    assert_eq!(list["rooms"][0]["locked"], false);
    assert!(list["rooms"][0]["created_at"].as_u64().is_some_and(|at| at >= now() - 5));
    let act = |what: &str| post(&format!("/admin/rooms/{room}/{what}")).bearer(&admin);
    assert_eq!(act("lock").send(server.address).json(), json!({"roomID": room, "locked": true}));
    assert_eq!(act("unlock").send(server.address).json()["locked"], false);
    let nobody = act("kick").json(&json!({"userID": "nobody"})).send(server.address);
    assert_eq!(fault(&nobody), refused(404, "no_such_peer"));
    let close = || request("DELETE", &format!("/admin/rooms/{room}")).bearer(&admin);
    assert_eq!(close().send(server.address).status, 204);
    assert_eq!(fault(&close().send(server.address)), refused(404, "no_such_room"));
    assert_eq!(fault(&act("lock").send(server.address)), refused(404, "no_such_room"));
}

#[test]
fn operators_read_what_happened() {
    let server = open();
    server.api.store().events().configure(JournalSettings {
        keep: std::time::Duration::from_secs(3600),
        max_events: 1000,
        max_queue: 0,
        hooks: Vec::new(),
    });
    let host = token(&server, "role=host");
    let room = text(&host, "roomID");
    let path = format!("/ws?token={}", text(&host, "token"));
    let mut socket = crate::socket::Socket::open(server.address, &path);
    socket.next();
    socket.send(&json!({"type": "dance"}));
    socket.next();
    let admin = server.key("admin");
    let lock = post(&format!("/admin/rooms/{room}/lock")).bearer(&admin);
    assert_eq!(lock.send(server.address).status, 200);
    let ask = |query: &str| get(&format!("/admin/events?{query}")).bearer(&admin);
    let wanted = format!("roomID={room}");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    // Events come out of the room a moment after what they are about.
    let events = loop {
        let events = ask(&wanted).send(server.address).json()["events"].clone();
        if events.as_array().unwrap().len() == 3 {
            break events;
        }
        assert!(std::time::Instant::now() < deadline, "{events}");
    };
    let kinds: Vec<_> = events.as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["join", "error", "moderation"]);
    assert_eq!((&events[0]["userID"], &events[0]["roomID"]), (&host["userID"], &host["roomID"]));
    assert!(events[0]["created_at"].as_u64().is_some_and(|at| at >= now() - 60));
    assert_eq!(events[2]["payload"]["by"], "key:admin");
    let joins = ask(&format!("{wanted}&type=join")).send(server.address).json();
    assert_eq!(joins["events"].as_array().unwrap().len(), 1);
    let after = format!("{wanted}&after={}", events[1]["eventID"]);
    assert_eq!(ask(&after).send(server.address).json()["events"][0]["type"], "moderation");
    for query in ["type=dance", "limit=0", "color=red"] {
        assert_eq!(fault(&ask(query).send(server.address)), refused(400, "bad_field"), "{query}");
    }
    let stranger = get("/admin/events").send(server.address);
    assert_eq!(fault(&stranger), refused(401, "unauthorized"));
}

#[test]
fn strangers_and_hosts_are_no_operators() {
    let server = open();
    let host = token(&server, "role=host");
    let plain = get("/admin/rooms").send(server.address);
    assert_eq!(fault(&plain), refused(401, "unauthorized"));
    let with_token = get("/admin/rooms").bearer(text(&host, "token")).send(server.address);
    assert_eq!(fault(&with_token), refused(401, "invalid_token"));
    let key = get("/admin/rooms").bearer(&server.key("rooms")).send(server.address);
    assert_eq!(fault(&key), refused(403, "forbidden"));
    let room = format!("/admin/rooms/{}", text(&host, "roomID"));
    assert_eq!(fault(&request("DELETE", &room).send(server.address)), refused(401, "unauthorized"));
}
