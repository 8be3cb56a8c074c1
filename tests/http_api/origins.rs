//! Pages of other origins: who may call, and that nobody else can change or read anything.

use relayhouse::api::HttpSettings;

use crate::http::{get, post, request};
use crate::server::Server;

const LISTED: &str = "https://app.example";
const STRANGER: &str = "https://evil.example";

fn server() -> Server {
    Server::with(HttpSettings {
        open_minting: true,
        allowed_origins: vec![LISTED.into()],
        ..HttpSettings::default()
    })
}

#[test]
fn a_listed_page_may_read_the_answer() {
    let server = server();
    let answer = get("/api/v1/ice").header("Origin", LISTED).send(server.address);
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(LISTED));
    assert!(answer.header("Access-Control-Expose-Headers").unwrap().contains("Link"));
    assert!(answer.all("Vary").iter().any(|vary| vary.contains("Origin")));
    assert_eq!(answer.header("Access-Control-Allow-Credentials"), None);
}

#[test]
fn a_listed_page_may_read_errors_too() {
    let answer = get("/nothing").header("Origin", LISTED).send(server().address);
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(LISTED));
}

#[test]
fn a_strange_page_reads_nothing_and_changes_nothing() {
    let server = server();
    let read = get("/api/v1/ice").header("Origin", STRANGER).send(server.address);
    assert_eq!(read.header("Access-Control-Allow-Origin"), None);
    let write = post("/api/v1/rooms").header("Origin", STRANGER).send(server.address);
    assert_eq!(write.error(), (403, "origin_not_allowed".into()));
    assert_eq!(server.api.store().rooms().count(), 0);
    let room = server.room();
    let path = format!("/api/v1/rooms/{}", room["room"]["id"].as_str().unwrap());
    for method in ["PATCH", "DELETE"] {
        let change = request(method, &path).bearer(room["ticket"].as_str().unwrap());
        let change = change.header("Origin", STRANGER).send(server.address);
        assert_eq!(change.error(), (403, "origin_not_allowed".into()), "{method}");
    }
    assert_eq!(server.api.store().rooms().count(), 1);
}

#[test]
fn our_own_page_may_call() {
    let server = server();
    let own = format!("http://{}", server.address);
    let answer = post("/api/v1/rooms").header("Origin", &own).send(server.address);
    assert_eq!(answer.status, 201);
}

#[test]
fn a_preflight_is_answered_for_listed_pages_alone() {
    let server = server();
    let preflight = |origin| {
        request("OPTIONS", "/api/v1/rooms")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization,content-type")
            .send(server.address)
    };
    let answer = preflight(LISTED);
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(LISTED));
    let methods = answer.header("Access-Control-Allow-Methods").unwrap();
    assert!(
        ["GET", "POST", "PATCH", "DELETE"].iter().all(|one| methods.contains(one)),
        "{methods}"
    );
    let headers = answer.header("Access-Control-Allow-Headers").unwrap();
    assert!(headers.contains("authorization") && headers.contains("content-type"));

    let answer = preflight(STRANGER);
    assert_eq!(answer.error(), (403, "origin_not_allowed".into()));
    assert_eq!(answer.header("Access-Control-Allow-Origin"), None);
}
