//! The WebSocket of `tunnel`: the document's sequence, its lobby, its moderation, and what it refuses.

use serde_json::{Value, json};

use crate::http::{get, post};
use crate::server::Server;
use crate::socket::{Socket, sdp};
use crate::tunnel::{open, text, token};

fn enter(server: &Server, token: &Value) -> Socket {
    Socket::open(server.address, &format!("/ws?token={}", text(token, "token")))
}

/// A host and a guest in one room, each having been told of the other.
fn pair(server: &Server) -> ((Socket, Value), (Socket, Value)) {
    let host = token(server, "role=host&name=Ann");
    let guest = token(server, &format!("role=guest&name=Bob&roomID={}", text(&host, "roomID")));
    let mut a = enter(server, &host);
    assert_eq!(a.next()["type"], "joined");
    let mut b = enter(server, &guest);
    assert_eq!(b.next()["type"], "joined");
    assert_eq!(a.next()["type"], "join");
    ((a, host), (b, guest))
}

/// The status of a handshake that is refused.
fn handshake(server: &Server, path: &str, origin: &str) -> (u16, Value) {
    let answer = get(path)
        .header("Origin", origin)
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Connection", "Upgrade");
    let answer = answer.send(server.address);
    (answer.status, answer.json())
}

#[test]
fn the_documents_sequence_from_token_to_candidates() {
    let server = open();
    let host = token(&server, "role=host");
    let guest = token(&server, &format!("role=guest&roomID={}", text(&host, "roomID")));
    for _ in [&host, &guest] {
        assert_eq!(get("/turn").send(server.address).status, 200);
    }
    let mut a = enter(&server, &host);
    let joined = a.next();
    assert_eq!((&joined["roomID"], &joined["userID"]), (&host["roomID"], &host["userID"]));
    assert_eq!((&joined["role"], &joined["participants"]), (&json!("host"), &json!([])));
    let mut b = enter(&server, &guest);
    let joined = b.next();
    assert_eq!(joined["participants"][0]["userID"], host["userID"]);
    let join = a.next();
    assert_eq!((&join["type"], &join["userID"]), (&json!("join"), &guest["userID"]));

    a.send(&json!({"type": "offer", "sdp": sdp("offer")}));
    let offer = b.next();
    assert_eq!((&offer["type"], &offer["sdp"]), (&json!("offer"), &json!(sdp("offer"))));
    assert_eq!(offer["from"], host["userID"]);
    b.send(&json!({"type": "answer", "sdp": sdp("answer"), "to": offer["from"]}));
    let answer = a.next();
    assert_eq!((&answer["type"], &answer["sdp"]), (&json!("answer"), &json!(sdp("answer"))));
    let candidate = json!({"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "0"});
    a.send(&json!({"type": "ice", "candidate": candidate}));
    let ice = b.next();
    assert_eq!((&ice["type"], &ice["candidate"]), (&json!("ice"), &candidate));
    b.send(&json!({"type": "ice", "candidate": null}));
    assert_eq!(a.next()["candidate"], Value::Null);
    b.send(&json!({"type": "leave"}));
    assert_eq!(b.rest().1, (1000, "left".into()));
    let leave = a.next();
    assert_eq!((&leave["type"], &leave["userID"]), (&json!("leave"), &guest["userID"]));
    assert_eq!(leave["reason"], "left");
}

#[test]
fn a_join_that_is_said_besides_changes_nothing() {
    let server = open();
    let host = token(&server, "role=host");
    let path =
        format!("/ws?token={}&type=join&roomID={}", text(&host, "token"), text(&host, "roomID"));
    let mut a = Socket::open(server.address, &path);
    assert_eq!(a.next()["type"], "joined");
    a.send(&json!({"type": "join"}));
    a.send(&json!({"type": "dance"}));
    assert_eq!(a.next()["type"], "error", "nothing was said to the join");
}

#[test]
fn a_token_opens_one_connection() {
    let server = open();
    let host = token(&server, "role=host");
    let mut first = enter(&server, &host);
    assert_eq!(first.next()["type"], "joined");
    let path = format!("/ws?token={}", text(&host, "token"));
    let (status, json) = handshake(&server, &path, &format!("http://{}", server.address));
    assert_eq!((status, &json["code"]), (401, &json!("invalid_token")));
    let renewed = get("/token").bearer(text(&host, "token")).send(server.address).json();
    let mut second = enter(&server, &renewed);
    assert_eq!(second.next()["userID"], host["userID"]);
    assert_eq!(first.rest().1.1, "replaced");
}

#[test]
fn a_connection_without_a_good_token_is_refused_before_it_is_one() {
    let server = open();
    let own = format!("http://{}", server.address);
    let host = token(&server, "role=host");
    let good = text(&host, "token");
    let (head, tail) = good.split_at(good.len() - 4);
    let forged = format!("{head}{}", if tail == "AAAA" { "BBBB" } else { "AAAA" });
    let native = server.creator();
    for (query, status, code) in [
        (String::new(), 401, "unauthorized"),
        ("?roomID=x".into(), 401, "unauthorized"),
        ("?token=nonsense".into(), 401, "invalid_token"),
        (format!("?token={forged}"), 401, "invalid_token"),
        (format!("?token={native}"), 401, "invalid_token"),
        (format!("?token={good}&roomID=elsewhere"), 403, "forbidden"),
        (format!("?token={good}&type=leave"), 400, "bad_field"),
        (format!("?token={good}&color=red"), 400, "bad_field"),
    ] {
        let (got, json) = handshake(&server, &format!("/ws{query}"), &own);
        assert_eq!((got, json["code"].as_str()), (status, Some(code)), "{query}");
    }
}

#[test]
fn pages_of_other_origins_get_no_connection() {
    let server = open();
    let host = token(&server, "role=host");
    let path = format!("/ws?token={}", text(&host, "token"));
    let (status, json) = handshake(&server, &path, "https://evil.example");
    assert_eq!((status, &json["statusCode"]), (403, &json!(403)));
    let plain = get(&path).send(server.address);
    assert_eq!((plain.status, plain.header("upgrade")), (426, Some("websocket")));
    assert_eq!(enter(&server, &host).next()["type"], "joined", "neither has used the token up");
}

#[test]
fn a_guest_waits_until_the_host_approves() {
    let server = open();
    let host = token(&server, "role=host&lobby=true");
    let guest = token(&server, &format!("role=guest&name=Bob&roomID={}", text(&host, "roomID")));
    let mut a = enter(&server, &host);
    a.next();
    let mut b = enter(&server, &guest);
    let waiting = b.next();
    assert_eq!((&waiting["type"], &waiting["roomID"]), (&json!("waiting"), &host["roomID"]));
    let asks = a.next();
    assert_eq!((&asks["type"], &asks["userID"]), (&json!("waiting"), &guest["userID"]));
    assert_eq!(asks["name"], "Bob");
    b.send(&json!({"type": "offer", "sdp": sdp("too early")}));
    assert_eq!(b.next()["code"], "not_admitted");
    a.send(&json!({"type": "approve", "userID": guest["userID"]}));
    assert_eq!(b.next()["type"], "joined");
    assert_eq!(a.next()["type"], "join");
}

#[test]
fn a_guest_who_is_denied_goes() {
    let server = open();
    let host = token(&server, "role=host&lobby=true");
    let guest = token(&server, &format!("role=guest&roomID={}", text(&host, "roomID")));
    let mut a = enter(&server, &host);
    a.next();
    let mut b = enter(&server, &guest);
    b.next();
    a.next();
    a.send(&json!({"type": "deny", "userID": guest["userID"]}));
    let (said, close) = b.rest();
    assert_eq!(close, (1008, "denied".into()));
    assert_eq!(said, [json!({"type": "moderation", "action": "deny", "roomID": host["roomID"]})]);
    let leave = a.next();
    assert_eq!((&leave["userID"], &leave["reason"]), (&guest["userID"], &json!("denied")));
}

#[test]
fn a_host_kicks_for_good() {
    let server = open();
    let ((mut a, host), (mut b, guest)) = pair(&server);
    a.send(&json!({"type": "kick", "userID": guest["userID"]}));
    let (said, close) = b.rest();
    assert_eq!(close, (1008, "kicked".into()));
    assert_eq!(said, [json!({"type": "moderation", "action": "kick", "roomID": host["roomID"]})]);
    assert_eq!(a.next()["reason"], "kicked");
    // The store follows the room a moment later.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    loop {
        let renewed = get("/token").bearer(text(&guest, "token")).send(server.address);
        if renewed.status == 403 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "a kicked guest got another token");
    }
}

#[test]
fn a_locked_room_admits_nobody_until_it_is_unlocked() {
    let server = open();
    let ((mut a, host), (mut b, _)) = pair(&server);
    a.send(&json!({"type": "lock"}));
    let told = json!({"type": "moderation", "action": "lock", "roomID": host["roomID"]});
    assert_eq!((a.next(), b.next()), (told.clone(), told));
    let ask = || token(&server, &format!("role=guest&roomID={}", text(&host, "roomID")));
    let (said, close) = enter(&server, &ask()).rest();
    assert_eq!((said[0]["code"].as_str(), close.0), (Some("room_locked"), 1008));
    a.send(&json!({"type": "unlock"}));
    assert_eq!(
        (a.next()["action"].clone(), b.next()["action"].clone()),
        (json!("unlock"), json!("unlock"))
    );
    assert_eq!(enter(&server, &ask()).next()["type"], "joined");
}

#[test]
fn a_guest_decides_nothing() {
    let server = open();
    let ((_a, host), (mut b, _)) = pair(&server);
    for message in [
        json!({"type": "lock"}),
        json!({"type": "unlock"}),
        json!({"type": "kick", "userID": host["userID"]}),
        json!({"type": "approve", "userID": "x"}),
        json!({"type": "deny", "userID": "x"}),
    ] {
        b.send(&message);
        assert_eq!(b.next()["code"], "forbidden", "{message}");
    }
}

#[test]
fn an_operator_kicks_over_http() {
    let server = open();
    let ((mut a, host), (mut b, guest)) = pair(&server);
    let path = format!("/admin/rooms/{}/kick", text(&host, "roomID"));
    let kick = post(&path).bearer(&server.key("admin")).json(&json!({"userID": guest["userID"]}));
    assert_eq!(kick.send(server.address).status, 204);
    assert_eq!(b.rest().1.1, "kicked");
    assert_eq!(a.next()["reason"], "kicked");
}

#[test]
fn messages_are_checked_strictly_and_the_connection_lives_on() {
    let server = open();
    let ((mut a, _), (mut b, guest)) = pair(&server);
    let deep =
        format!(r#"{{"type":"ice","candidate":{}1{}}}"#, r#"{"a":"#.repeat(40), "}".repeat(40));
    for (message, code) in [
        ("nonsense".to_owned(), "bad_message"),
        ("[]".into(), "bad_message"),
        (json!({"type": "dance"}).to_string(), "bad_message"),
        (json!({"type": "lock", "now": true}).to_string(), "bad_message"),
        (json!({"type": "offer"}).to_string(), "bad_message"),
        (json!({"type": "offer", "sdp": 7}).to_string(), "bad_message"),
        (json!({"type": "ice", "candidate": "text"}).to_string(), "bad_message"),
        (deep, "too_deep"),
    ] {
        a.send_text(&message);
        assert_eq!(a.next()["code"], code, "{message}");
    }
    a.send(&json!({"type": "offer", "sdp": sdp("x"), "to": "nobody"}));
    assert_eq!(a.next()["code"], "no_such_peer");
    a.send(&json!({"type": "offer", "sdp": sdp("still here"), "to": guest["userID"]}));
    assert_eq!(b.next()["type"], "offer");
}

#[test]
fn a_description_has_a_least_and_a_greatest_size() {
    let server = open();
    let ((mut a, _), (mut b, _)) = pair(&server);
    for sdp in [String::new(), "v=0".into(), "x".repeat(64 * 1024 + 1)] {
        a.send(&json!({"type": "offer", "sdp": sdp}));
        assert_eq!(a.next()["code"], "too_large", "{}", sdp.len());
    }
    let largest = sdp("").replace("s=", &format!("s={}", "x".repeat(64 * 1024 - sdp("").len())));
    a.send(&json!({"type": "offer", "sdp": largest}));
    assert_eq!(b.next()["sdp"].as_str().map(str::len), Some(64 * 1024));
}

#[test]
fn a_message_that_is_no_text_or_far_too_large_is_refused() {
    let server = open();
    let ((mut a, _), (mut b, guest)) = pair(&server);
    a.send_binary(b"{}");
    assert_eq!(a.next()["code"], "binary");
    b.try_send_text(&"x".repeat(300 * 1024));
    let left = a.next();
    assert_eq!((&left["type"], &left["userID"]), (&json!("leave"), &guest["userID"]));
}

#[test]
fn a_flood_ends_the_connection() {
    let server = open();
    let ((mut a, _), (mut b, _)) = pair(&server);
    for _ in 0..12 {
        b.try_send_text("nonsense");
    }
    let (said, close) = b.rest();
    assert_eq!(close, (1008, "flood".into()));
    assert!(said.iter().any(|error| error["code"] == "flood"), "{said:?}");
    assert_eq!(a.next()["reason"], "flood");
}

#[test]
fn who_closes_the_window_is_gone() {
    let server = open();
    let ((mut a, _), (b, guest)) = pair(&server);
    b.close();
    let leave = a.next();
    assert_eq!((&leave["type"], &leave["userID"]), (&json!("leave"), &guest["userID"]));
    assert_eq!(leave["reason"], "dropped", "at once: there is no resume");
}

#[test]
fn the_end_of_the_server_is_told() {
    let server = open();
    let ((mut a, _), _b) = pair(&server);
    let waits = std::thread::spawn(move || a.rest());
    server.send_all_away();
    let (said, close) = waits.join().unwrap();
    assert_eq!(close, (1012, "shutdown".into()));
    assert_eq!(said.last().unwrap()["reason"], "shutdown");
}
