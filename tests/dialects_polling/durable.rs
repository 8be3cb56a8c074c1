//! What was acknowledged to a pairing client is there after `kill -9`: the program itself, killed.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::http;
use crate::support::server::{Server, Start};

fn start(folder: &Path) -> Server {
    Start::default().data_dir(folder).start()
}

fn post(server: &Server, path: &str, body: &Value) -> http::Answer {
    http::post(&server.url(path), None, body)
}

fn offer(server: &Server, code: &str) {
    let body = json!({ "joinid": code, "exp": "2099-01-01T00:00:00Z", "client1": "phone" });
    post(server, "/api/rooms", &body).expect(201);
}

#[test]
fn a_code_that_was_offered_can_be_accepted_after_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = start(folder.path());
    offer(&server, "1");
    server.kill();
    let server = start(folder.path());
    let acceptance = json!({ "joinid": "1", "client2": "laptop" });
    post(&server, "/api/rooms/accept", &acceptance).expect(200);
}

#[test]
fn a_pair_outlives_a_kill_and_its_code_stays_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = start(folder.path());
    offer(&server, "1");
    let acceptance = json!({ "joinid": "1", "client2": "laptop" });
    let room = post(&server, "/api/rooms/accept", &acceptance).expect(200).text("/roomid");
    server.kill();

    let mut server = start(folder.path());
    post(&server, "/api/rooms/accept", &acceptance).expect(409);
    let question = json!({ "joinid": "1", "client1": "phone" });
    assert_eq!(post(&server, "/api/rooms/check", &question).expect(200).text("/roomid"), room);
    server.kill();

    let server = start(folder.path());
    post(&server, "/api/rooms/check", &question).expect(404);
    let found = http::get(&server.url(&format!("/api/rooms?roomid={room}")), None).expect(200);
    assert_eq!(found.json, json!({ "roomid": room, "client1": "phone", "client2": "laptop" }));
}

#[test]
fn what_was_deleted_stays_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = start(folder.path());
    offer(&server, "1");
    let acceptance = json!({ "joinid": "1", "client2": "laptop" });
    let room = post(&server, "/api/rooms/accept", &acceptance).expect(200).text("/roomid");
    let purged = post(&server, "/api/user/purge", &json!({ "deviceId": "phone" })).expect(200);
    assert_eq!(purged.json, json!({ "ok": true, "roomsDeleted": 1, "pendingsDeleted": 1 }));
    server.kill();
    let server = start(folder.path());
    http::get(&server.url(&format!("/api/rooms?roomid={room}")), None).expect(404);
}
