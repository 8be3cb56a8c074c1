//! `client-meta`: name, version and ICE servers of the calling session's user.

use relayhouse::api::{Dialect, DialectSettings, HttpSettings};
use relayhouse::creds::Secret;
use relayhouse::creds::rest::mint;
use relayhouse::creds::uri::Endpoint;
use relayhouse::net::Transport;
use relayhouse::store::UserRole;
use relayhouse::time::UnixTime;
use serde_json::{Value, json};

use crate::house::{add_user, log_in, settings, with_proof};
use crate::http::{Answer, get};
use crate::server::{Server, now};

fn meta(server: &Server, proof: Option<&str>) -> Answer {
    with_proof(get("/client/meta"), proof).send(server.address)
}

/// The expiry and the subject of the TURN credentials in an answer, after looking at its password.
fn subject(server: &Value) -> (u64, String) {
    let username = server["username"].as_str().unwrap();
    let (expires, subject) = username.split_once(':').unwrap();
    let expires = expires.parse().unwrap();
    let minted = mint(&Secret::from("north"), subject, UnixTime(expires), ':').unwrap();
    assert_eq!(server["credential"], json!(minted.credential));
    (expires, subject.to_owned())
}

#[test]
fn a_user_gets_the_documented_answer_with_credentials_of_their_own() {
    let server = Server::start();
    add_user(&server, "user123", "correct horse", UserRole::User);
    let answer = meta(&server, Some(&log_in(&server, "user123", "correct horse")));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let json = answer.json();
    let turn = &json["iceServers"][1];
    let (expires, name) = subject(turn);
    assert!(expires.abs_diff(now() + 86_400) < 20);
    assert_eq!(name, "user123");
    let urls = ["turn:192.0.2.1:3478?transport=udp", "turn:192.0.2.1:3478?transport=tcp"];
    let expected = json!({
        "name": "Relayhouse",
        "version": "1.0.0",
        "iceServers": [
            { "urls": ["stun:192.0.2.1:3478"] },
            { "urls": urls, "username": turn["username"], "credential": turn["credential"] },
        ],
    });
    assert_eq!(json, expected);
}

#[test]
fn turn_over_tls_stands_in_an_entry_of_its_own() {
    let server = Server::start();
    let over = |transport, port| Endpoint { host: "192.0.2.1".into(), port, transport };
    let endpoints = vec![over(Transport::Udp, 3478), over(Transport::Tls, 443)];
    server.reconfigure(HttpSettings::default(), endpoints);
    let json = meta(&server, Some(&server.key("mint"))).json();
    let servers = json["iceServers"].as_array().unwrap();
    assert_eq!(servers.len(), 3);
    assert_eq!(servers[2]["urls"], json!(["turns:192.0.2.1:443?transport=tcp"]));
    assert_eq!(servers[1]["username"], servers[2]["username"]);
    assert_eq!(subject(&servers[2]).1, "key-mint");
}

#[test]
fn a_stranger_learns_name_and_version_and_gets_stun_alone() {
    let server = Server::start();
    let answer = meta(&server, None);
    let stun = json!([{ "urls": ["stun:192.0.2.1:3478"] }]);
    let expected = json!({ "name": "Relayhouse", "version": "1.0.0", "iceServers": stun });
    assert_eq!((answer.status, answer.json()), (200, expected));
}

#[test]
fn a_stranger_gets_turn_where_the_operator_says_so() {
    let server = Server::with(settings(&[Dialect::ClientMeta]));
    let json = meta(&server, None).json();
    assert_eq!(subject(&json["iceServers"][1]).1, "open");
}

#[test]
fn a_wrong_proof_is_no_stranger() {
    let server = Server::with(settings(&[Dialect::ClientMeta]));
    let answer = meta(&server, Some("rk_wrong"));
    assert_eq!(answer.error(), (401, "invalid_token".into()));
    let answer = meta(&server, Some(&server.key("rooms")));
    assert_eq!(answer.error(), (403, "forbidden".into()));
}

#[test]
fn name_and_version_are_the_operators() {
    let dialects = DialectSettings {
        client_name: "PeerWave".into(),
        client_version: "2.3.4".into(),
        ..DialectSettings::default()
    };
    let server = Server::with(HttpSettings { dialects, ..HttpSettings::default() });
    let json = meta(&server, None).json();
    assert_eq!((&json["name"], &json["version"]), (&json!("PeerWave"), &json!("2.3.4")));
}
