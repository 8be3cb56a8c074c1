//! What the server has acknowledged survives `kill -9`: done to it many times, under load.

mod support;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use support::http;
use support::server::{Server, Start, run_to_end};

/// How often the server is killed in the long test.
const KILLS: u32 = 12;

/// A server with closed minting, as an operator runs it.
fn closed(folder: &Path) -> Server {
    Start::default().closed().data_dir(folder).set("http.trusted_proxies", "127.0.0.1").start()
}

/// A key made on the command line for this data folder.
fn add_key(folder: &Path) -> String {
    add_named_key(folder, "test")
}

fn add_named_key(folder: &Path, name: &str) -> String {
    let folder = folder.to_str().expect("UTF-8");
    let args = ["keys", "add", "--scope", "mint,rooms", "--name", name, "--data-dir", folder];
    let (code, stdout, stderr) = run_to_end(&args, Duration::from_secs(20));
    assert_eq!(code, Some(0), "{stdout}\n{stderr}");
    let key = stdout.trim().to_owned();
    assert!(key.starts_with("rk_") && !key.contains(char::is_whitespace), "not a key: {stdout}");
    key
}

fn add_room(server: &Server, key: &str) -> String {
    http::post(&server.url("/api/v1/rooms"), Some(key), &json!({})).expect(201).text("/room/id")
}

fn add_invite(server: &Server, key: &str, room: &str) -> String {
    let url = server.url(&format!("/api/v1/rooms/{room}/invites"));
    http::post(&url, Some(key), &json!({})).expect(201).text("/invite")
}

fn redeem(server: &Server, invite: &str) -> http::Answer {
    let url = server.url(&format!("/api/v1/invites/{invite}/redeem"));
    patient(|| http::try_post_as_anybody(&url, None, &json!({})))
        .unwrap_or_else(|error| panic!("POST {url}: {error}\n{}", server.text()))
}

/// Asks again while the answer is a rate limit: not what is tested here.
fn patient(
    mut ask: impl FnMut() -> Result<http::Answer, ureq::Error>,
) -> Result<http::Answer, ureq::Error> {
    for _ in 0..400 {
        let answer = ask()?;
        if answer.status != 429 {
            return Ok(answer);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    ask()
}

#[test]
fn a_redeemed_invite_stays_redeemed() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = add_key(folder.path());
    let mut server = closed(folder.path());
    let room = add_room(&server, &key);
    let invite = add_invite(&server, &key, &room);
    redeem(&server, &invite).expect(200);
    server.kill();
    let server = closed(folder.path());
    let again = redeem(&server, &invite).expect(410);
    assert_eq!(again.error_code(), "invite_used");
}

#[test]
fn an_invite_made_before_a_kill_can_be_redeemed_once_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = add_key(folder.path());
    let mut server = closed(folder.path());
    let room = add_room(&server, &key);
    let invite = add_invite(&server, &key, &room);
    server.kill();
    let server = closed(folder.path());
    assert_eq!(redeem(&server, &invite).expect(200).text("/room/id"), room);
    redeem(&server, &invite).expect(410);
}

#[test]
fn a_room_and_its_host_ticket_outlive_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = add_key(folder.path());
    let mut server = closed(folder.path());
    let made = json!({"name": "tea", "capacity": 3});
    let made = http::post(&server.url("/api/v1/rooms"), Some(&key), &made).expect(201);
    let (room, ticket) = (made.text("/room/id"), made.text("/ticket"));
    server.kill();
    let server = closed(folder.path());
    let url = server.url(&format!("/api/v1/rooms/{room}"));
    let found = http::get(&url, Some(&ticket)).expect(200);
    assert_eq!(found.text("/room/name"), "tea");
    assert_eq!(found.json["room"]["capacity"], 3);
}

#[test]
fn a_lock_a_name_a_revoked_invite_and_a_closed_room_outlive_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = add_key(folder.path());
    let mut server = closed(folder.path());
    let [kept, closed_room] = [add_room(&server, &key), add_room(&server, &key)];
    let url = |server: &Server, path: &str| server.url(&format!("/api/v1/rooms/{path}"));
    let made = http::post(&url(&server, &format!("{kept}/invites")), Some(&key), &json!({}));
    let made = made.expect(201);
    let (invite, id) = (made.text("/invite"), made.text("/id"));
    let change = json!({"locked": true, "name": "tea"});
    // One right after another, and the kill right after the last.
    http::patch(&url(&server, &kept), Some(&key), &change).expect(200);
    http::delete(&url(&server, &format!("{kept}/invites/{id}")), Some(&key)).expect(204);
    http::delete(&url(&server, &closed_room), Some(&key)).expect(204);
    server.kill();
    let server = closed(folder.path());
    let found = http::get(&url(&server, &kept), Some(&key)).expect(200);
    assert_eq!(found.text("/room/name"), "tea");
    assert_eq!(found.json["room"]["locked"], true);
    assert_eq!(redeem(&server, &invite).expect(410).error_code(), "invite_revoked");
    http::get(&url(&server, &closed_room), Some(&key)).expect(404);
}

#[test]
fn an_api_key_outlives_a_kill_and_a_revoked_one_stays_revoked() {
    let folder = tempfile::tempdir().expect("a folder");
    let (kept, revoked) = (add_key(folder.path()), add_named_key(folder.path(), "doomed"));
    let mut server = closed(folder.path());
    let ice =
        |server: &Server, key: Option<&str>| http::get(&server.url("/api/v1/ice"), key).status;
    assert_eq!(ice(&server, None), 401);
    assert_eq!((ice(&server, Some(&kept)), ice(&server, Some(&revoked))), (200, 200));
    revoke_doomed(folder.path(), &server);
    assert_ne!(ice(&server, Some(&revoked)), 200);
    server.kill();
    let server = closed(folder.path());
    assert_eq!((ice(&server, Some(&kept)), ice(&server, Some(&revoked))), (200, 401));
}

/// Revokes the key of that name through the running server's control socket.
fn revoke_doomed(folder: &Path, server: &Server) {
    let folder = folder.to_str().expect("UTF-8");
    let limit = Duration::from_secs(20);
    let (code, list, stderr) = run_to_end(&["keys", "list", "--data-dir", folder], limit);
    assert_eq!(code, Some(0), "{list}\n{stderr}");
    assert!(!list.contains("rk_"), "a key's text is shown only once:\n{list}");
    let line = list.lines().find(|line| line.contains("doomed"));
    let id = line.and_then(|line| line.split_whitespace().next());
    let id = id.unwrap_or_else(|| panic!("the key is not in the list:\n{list}"));
    let (code, out, stderr) = run_to_end(&["keys", "revoke", id, "--data-dir", folder], limit);
    assert_eq!(code, Some(0), "{out}\n{stderr}\n{}", server.text());
}

#[test]
fn the_generated_secret_stays_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = add_key(folder.path());
    let mut first = closed(folder.path());
    let minted = http::get(&first.url("/api/v1/ice"), Some(&key)).expect(200);
    let (username, password) = turn_entry(&minted.json);
    first.kill();
    let second = closed(folder.path());
    let credential = support::credentials::Credential::of_user(&username, &password);
    let mut client = support::turn_client::TurnClient::new(second.udp(), credential);
    client.allocate().unwrap_or_else(|refused| panic!("{refused:?}\n{}", second.text()));
}

fn turn_entry(ice: &Value) -> (String, String) {
    let servers = ice["iceServers"].as_array().expect("a list");
    let entry = servers.iter().find(|entry| entry["username"].is_string());
    let entry = entry.unwrap_or_else(|| panic!("no TURN entry in {ice}"));
    let text = |name: &str| entry[name].as_str().expect("a text").to_owned();
    (text("username"), text("credential"))
}

/// What the server had acknowledged about an invite when it was killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    Made,
    /// A redeem was sent and not answered: either outcome is right, but only one.
    Asked,
    Redeemed,
}

#[test]
fn nothing_acknowledged_is_lost_in_many_kills_under_load() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = add_key(folder.path());
    let invites: Mutex<HashMap<String, Known>> = Mutex::default();
    let rooms: Mutex<Vec<String>> = Mutex::default();
    for round in 0..KILLS {
        let mut server = closed(folder.path());
        check_all(&server, &key, &rooms, &invites);
        let over = AtomicBool::new(false);
        let base = server.url("");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        if write_once(&base, &key, &rooms, &invites).is_none() {
                            break; // killed
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(60 + u64::from(round) * 13));
            server.kill();
            over.store(true, Ordering::Relaxed);
        });
    }
    let server = closed(folder.path());
    check_all(&server, &key, &rooms, &invites);
    let (rooms, invites) = (rooms.into_inner().expect("held"), invites.into_inner().expect("held"));
    let redeemed = invites.values().filter(|known| **known == Known::Redeemed).count();
    println!(
        "{KILLS} kills, {} rooms, {} invites, {redeemed} redeemed",
        rooms.len(),
        invites.len()
    );
    assert!(redeemed >= KILLS as usize, "too little was written for the test to mean anything");
}

/// One room, two invites, one of them redeemed; `None` as soon as the network fails.
fn write_once(
    base: &str,
    key: &str,
    rooms: &Mutex<Vec<String>>,
    invites: &Mutex<HashMap<String, Known>>,
) -> Option<()> {
    let post = |path: String, key: Option<&str>, status| {
        patient(|| http::try_post_as_anybody(&format!("{base}{path}"), key, &json!({})))
            .ok()
            .map(|answer| answer.expect(status))
    };
    let note = |invite: &str, known| {
        invites.lock().expect("held").insert(invite.to_owned(), known);
    };
    let room = post("/api/v1/rooms".into(), Some(key), 201)?.text("/room/id");
    rooms.lock().expect("held").push(room.clone());
    for redeemed in [false, true] {
        let invite = post(format!("/api/v1/rooms/{room}/invites"), Some(key), 201)?.text("/invite");
        note(&invite, Known::Made);
        if redeemed {
            note(&invite, Known::Asked);
            post(format!("/api/v1/invites/{invite}/redeem"), None, 200)?;
            note(&invite, Known::Redeemed);
        }
    }
    Some(())
}

fn check_all(
    server: &Server,
    key: &str,
    rooms: &Mutex<Vec<String>>,
    invites: &Mutex<HashMap<String, Known>>,
) {
    for room in rooms.lock().expect("held").iter().rev().take(10) {
        http::get(&server.url(&format!("/api/v1/rooms/{room}")), Some(key)).expect(200);
    }
    for (invite, known) in invites.lock().expect("held").iter_mut() {
        let answer = redeem(server, invite);
        let right = match known {
            Known::Made => answer.status == 200,
            Known::Asked => matches!(answer.status, 200 | 410),
            Known::Redeemed => answer.status == 410 && answer.error_code() == "invite_used",
        };
        assert!(right, "{known:?} invite, but {}: {}", answer.status, answer.body);
        *known = Known::Redeemed;
    }
}
