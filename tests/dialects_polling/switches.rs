//! Dialects that are switched off are not there; those that are closed want a proof, in their own words.

use relayhouse::api::{Dialect, DialectSettings, Dialects, HttpSettings};
use serde_json::json;

use crate::house::call;
use crate::http::{Answer, Request, get, post, request};
use crate::server::Server;

fn without(dialect: Dialect) -> Server {
    let serve: Dialects = Dialect::ALL.into_iter().filter(|one| *one != dialect).collect();
    let open = Dialects::all();
    let dialects = DialectSettings { serve, open, ..DialectSettings::default() };
    Server::with(HttpSettings { dialects, ..HttpSettings::default() })
}

fn upgrade() -> Request {
    get("/")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .upgrade()
}

/// Every call of `pairing`, with a body that is good.
fn pairing(server: &Server) -> Vec<Answer> {
    let offer = json!({ "joinid": "1", "exp": "2099-01-01T00:00:00Z", "client1": "a" });
    let both = json!({ "joinid": "1", "client1": "a", "client2": "b" });
    vec![
        call(server, "POST", "/api/rooms", None, &offer),
        call(server, "POST", "/api/rooms/accept", None, &both),
        call(server, "POST", "/api/rooms/check", None, &both),
        call(server, "DELETE", "/api/rooms", None, &json!({ "roomid": "r" })),
        call(server, "POST", "/api/user/purge", None, &json!({ "deviceId": "a" })),
        get("/api/rooms?roomid=r").send(server.address),
        get("/rooms").send(server.address),
    ]
}

#[test]
fn pairing_switched_off_is_not_there() {
    let server = without(Dialect::Pairing);
    assert!(pairing(&server).iter().all(|answer| answer.status == 404));
    assert_eq!(upgrade().head(server.address).status, 404);
}

#[test]
fn meetings_switched_off_is_not_there() {
    let server = without(Dialect::Meetings);
    for path in ["/login", "/create", "/list_participants"] {
        let answer = post(path).header("authorization", "x").json(&json!({})).send(server.address);
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[test]
fn client_meta_switched_off_is_not_there() {
    assert_eq!(get("/client/meta").send(without(Dialect::ClientMeta).address).status, 404);
}

#[test]
fn turn_rest_switched_off_is_not_there_and_the_page_is() {
    let server = without(Dialect::TurnRest);
    assert_eq!(get("/?service=turn").send(server.address).status, 404);
    assert_eq!(post("/?service=turn").send(server.address).status, 404);
    assert_eq!(get("/").send(server.address).status, 200);
}

#[test]
fn pairing_asks_strangers_for_a_proof_in_its_own_words() {
    let server = Server::start();
    for answer in pairing(&server) {
        assert_eq!((answer.status, answer.json()), (401, json!({ "error": "unauthorized" })));
        assert!(answer.header("WWW-Authenticate").is_some());
    }
    assert_eq!(upgrade().head(server.address).status, 401);
    let wrong = request("GET", "/rooms").bearer("rk_wrong").send(server.address);
    assert_eq!((wrong.status, wrong.json()), (401, json!({ "error": "invalid_token" })));
}

#[test]
fn with_open_minting_strangers_are_served_everywhere() {
    let server = Server::open();
    assert!(pairing(&server).iter().all(|answer| answer.status != 401));
    assert_eq!(upgrade().head(server.address).status, 101);
    assert_eq!(get("/?service=turn").send(server.address).status, 200);
    let meta = get("/client/meta").send(server.address).json();
    assert!(meta["iceServers"][1]["credential"].is_string());
}

#[test]
fn an_application_uses_a_closed_dialect_with_its_key() {
    let server = Server::start();
    let offer = json!({ "joinid": "1", "exp": "2099-01-01T00:00:00Z", "client1": "a" });
    let key = server.key("rooms");
    assert_eq!(call(&server, "POST", "/api/rooms", Some(&key), &offer).status, 201);
    let mint = server.key("mint");
    assert_eq!(call(&server, "POST", "/api/rooms", Some(&mint), &offer).status, 403);
}

#[test]
fn another_method_is_refused_in_the_dialects_own_words() {
    let server = Server::open();
    let answer = get("/api/rooms/accept").send(server.address);
    assert_eq!((answer.status, answer.json()), (405, json!({ "error": "method_not_allowed" })));
    assert_eq!(answer.header("Allow"), Some("POST"));
    let answer = request("PUT", "/api/rooms").send(server.address);
    assert_eq!((answer.status, answer.json()), (405, json!({ "error": "method_not_allowed" })));
    let answer = get("/login").send(server.address);
    assert_eq!((answer.status, answer.json()), (405, json!({ "action": "bad request" })));
}

#[test]
fn without_roomid_the_list_is_another_dialects_while_that_is_served() {
    let listed = get("/api/rooms").send(Server::open().address);
    assert_eq!((listed.status, listed.json()), (200, json!([])));
    let server = without(Dialect::Rooms);
    let refused = get("/api/rooms").send(server.address);
    assert_eq!((refused.status, refused.json()), (400, json!({ "error": "missing_field" })));
}
