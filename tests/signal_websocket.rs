//! Native signalling over real sockets: what a client of the WebSocket sees.

mod signal_support;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use relayhouse::api::signal::Patience;
use relayhouse::creds::ticket::Role;
use relayhouse::signal::{Event, HubLimits};
use serde_json::json;
use signal_support::{SOON, Server, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

#[tokio::test]
async fn two_peers_meet_and_talk() {
    let server = Server::start().await;
    let (mut ann, ready) = server.join("ann").await;
    assert_eq!(ready["peer"], "ann");
    assert_eq!(ready["room"]["id"], "r");
    assert_eq!(ready["iceServers"][0]["username"], "0:ann");
    assert_eq!(ready["limits"]["message"], 128 * 1024);
    let (mut bob, ready) = server.join("bob").await;
    assert_eq!(ready["peers"][0]["peer"], "ann");
    assert_eq!(ready["peers"][0]["polite"], true);

    let joined = ann.next().await;
    assert_eq!((&joined["type"], &joined["polite"]), (&json!("joined"), &json!(false)));
    assert_eq!(joined["name"], "BOB");
    ann.send(json!({"type": "offer", "to": "bob", "sdp": "v=0\r\n"})).await;
    let offer = bob.next().await;
    assert_eq!((&offer["from"], &offer["sdp"]), (&json!("ann"), &json!("v=0\r\n")));
    let candidate = json!({"candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0});
    bob.send(json!({"type": "candidate", "to": "ann", "candidate": candidate})).await;
    assert_eq!(ann.next().await["candidate"], candidate);
    bob.send(json!({"type": "leave"})).await;
    let leave = bob.next().await;
    assert_eq!((&leave["reason"], &leave["action"]), (&json!("left"), &json!("stop")));
    assert_eq!(bob.next_or_end().await, None);
    assert_eq!(ann.next().await["reason"], "left");
}

#[tokio::test]
async fn the_first_word_is_the_servers_welcome() {
    let server = Server::start().await;
    let stream = TcpStream::connect(server.address).await.expect("listening");
    let url = format!("ws://{}/api/v1/signal", server.address);
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.expect("upgraded");
    let first =
        timeout(SOON, socket.next()).await.expect("in time").expect("open").expect("a frame");
    let welcome: serde_json::Value =
        serde_json::from_str(first.to_text().expect("text")).expect("JSON");
    assert_eq!((&welcome["type"], &welcome["protocol"]), (&json!("welcome"), &json!(1)));
    assert_eq!((&welcome["hello"], &welcome["limits"]["sdp"]), (&json!(5), &json!(64 * 1024)));
}

#[tokio::test]
async fn nothing_is_echoed_and_ids_come_back_as_refs() {
    let server = Server::start().await;
    let (mut ann, _) = server.join("ann").await;
    ann.send(json!({"type": "message", "data": 1})).await;
    ann.send(json!({"type": "message", "to": "nobody", "data": 1, "id": 12})).await;
    let got = ann.so_far().await;
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!((&got[0]["code"], &got[0]["ref"]), (&json!("no_such_peer"), &json!(12)));
}

#[tokio::test]
async fn a_bad_message_is_an_error_and_the_connection_lives_on() {
    let server = Server::start().await;
    let (mut ann, _) = server.join("ann").await;
    let deep = format!(r#"{{"type":"message","data":{}{}}}"#, "[".repeat(40), "]".repeat(40));
    let large = format!(r#"{{"type":"message","data":"{}"}}"#, "x".repeat(130 * 1024));
    let data = format!(r#"{{"type":"message","data":"{}"}}"#, "x".repeat(17 * 1024));
    let cases = [
        ("{nonsense", "bad_message"),
        (r#"{"type":"ping","extra":1}"#, "bad_message"),
        (r#"{"type":"dance"}"#, "unknown_type"),
        (r#"{"type":"hello","token":"x"}"#, "already_joined"),
        (r#"{"type":"lock"}"#, "forbidden"),
        (&deep, "too_deep"),
        (&large, "too_large"),
        (&data, "too_large"),
    ];
    for (text, code) in cases {
        ann.send_text(text).await;
        let error = ann.next().await;
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!(code)), "{error}");
    }
    ann.socket.send(Message::binary(vec![1, 2])).await.expect("connected");
    assert_eq!(ann.next().await["code"], "binary");
    assert_eq!(ann.so_far().await, [json!(null); 0]);
}

#[tokio::test]
async fn a_flood_of_bad_messages_ends_the_connection() {
    let server = Server::start().await;
    let (mut ann, _) = server.join("ann").await;
    let bad_burst = HubLimits::default().bad_burst;
    for _ in 0..=bad_burst {
        ann.send_text("bad").await;
    }
    for _ in 0..=bad_burst {
        assert_eq!(ann.next().await["code"], "bad_message");
    }
    assert_eq!(ann.next().await["code"], "flood");
    let leave = ann.next().await;
    assert_eq!((&leave["reason"], &leave["retryAfter"]), (&json!("flood"), &json!(10)));
    assert_eq!(ann.next_or_end().await, None);
}

#[tokio::test]
async fn a_message_far_too_large_ends_the_connection_with_a_reason() {
    let server = Server::start().await;
    let (mut ann, _) = server.join("ann").await;
    ann.send_text(&"x".repeat(300 * 1024)).await;
    let leave = ann.next().await;
    assert_eq!((&leave["type"], &leave["reason"]), (&json!("leave"), &json!("too_large")));
}

#[tokio::test]
async fn a_wrong_token_is_refused() {
    let server = Server::start().await;
    let other_key = server.guest("ann").replace('.', "x.");
    for token in ["", "nonsense", &other_key, &server.ticket(None, "ann", Role::Creator)] {
        let mut client = server.connect().await;
        client.send(json!({"type": "hello", "id": "h", "token": token})).await;
        let error = client.next().await;
        assert_eq!((&error["code"], &error["ref"]), (&json!("unauthorized"), &json!("h")));
        let leave = client.next().await;
        assert_eq!((&leave["reason"], &leave["action"]), (&json!("unauthorized"), &json!("stop")));
        assert_eq!(client.next_or_end().await, None);
    }
}

#[tokio::test]
async fn the_first_message_is_hello() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    client.send(json!({"type": "ping", "id": 1})).await;
    let error = client.next().await;
    assert_eq!((&error["code"], &error["ref"]), (&json!("hello_expected"), &json!(1)));
    let hello = json!({"type": "hello", "token": server.guest("ann"), "more": 1});
    client.send(hello).await;
    assert_eq!(client.next().await["code"], "bad_message");
    client.send(json!({"type": "hello", "token": server.guest("ann")})).await;
    assert_eq!(client.next().await["type"], "ready", "a bad beginning is survived");
}

#[tokio::test]
async fn a_client_that_says_no_hello_is_sent_away() {
    let patience = Patience { hello: Duration::from_millis(50), ..Patience::default() };
    let server = Server::with(Settings { patience, ..Settings::default() }).await;
    let mut client = server.connect().await;
    assert_eq!(client.next().await["code"], "hello_expected");
    assert_eq!(client.next().await["reason"], "no_hello");
    assert_eq!(client.next_or_end().await, None);
}

#[tokio::test]
async fn a_dropped_connection_resumes_with_what_it_missed() {
    let server = Server::start().await;
    let (mut ann, _) = server.join("ann").await;
    let (mut bob, ready) = server.join("bob").await;
    ann.send(json!({"type": "message", "to": "bob", "data": 0})).await;
    bob.next().await;
    bob.so_far().await;
    drop(bob);
    for data in 1..=3 {
        ann.send(json!({"type": "message", "to": "bob", "data": data})).await;
    }
    ann.so_far().await;
    let (mut bob, ready) = server.resume("bob", &ready).await;
    assert_eq!(ready["resumed"], true);
    assert_eq!(ready["peers"][0]["peer"], "ann");
    let missed = bob.so_far().await;
    let data: Vec<_> = missed.iter().map(|message| message["data"].as_u64()).collect();
    assert_eq!(data, [Some(1), Some(2), Some(3)]);
    assert_eq!(ann.so_far().await, [json!(null); 0], "nobody noticed");
}

#[tokio::test]
async fn many_messages_are_confirmed_with_few_questions_and_not_replayed() {
    const MANY: u64 = 160;
    let server = Server::start().await;
    let (mut ann, _) = server.join("ann").await;
    let (mut bob, ready) = server.join("bob").await;
    for data in 0..MANY {
        ann.send(json!({"type": "message", "to": "bob", "data": data})).await;
    }
    let (mut questions, mut asked_up_to) = (0, 0);
    while asked_up_to < MANY {
        let frame = timeout(SOON, bob.socket.next()).await.expect("something comes soon");
        if let Some(Ok(Message::Ping(seq))) = frame {
            asked_up_to = u64::from_be_bytes(seq.as_ref().try_into().expect("a number"));
            questions += 1;
        }
    }
    assert!(questions < MANY / 2, "{questions} questions");
    bob.so_far().await;
    drop(bob);
    let (mut bob, ready) = server.resume("bob", &ready).await;
    assert_eq!(ready["resumed"], true);
    assert_eq!(bob.so_far().await, [json!(null); 0]);
}

#[tokio::test]
async fn a_closed_connection_may_resume_too_and_its_close_is_answered() {
    let server = Server::start().await;
    let (mut ann, ready) = server.join("ann").await;
    let frame = CloseFrame { code: CloseCode::Away, reason: "".into() };
    ann.socket.close(Some(frame)).await.expect("connected");
    let answer = timeout(SOON, ann.socket.next()).await.expect("in time");
    assert!(matches!(answer, Some(Ok(Message::Close(Some(_))))), "{answer:?}");
    let (_ann, ready) = server.resume("ann", &ready).await;
    assert_eq!(ready["resumed"], true);
}

#[tokio::test]
async fn a_client_that_says_what_it_saw_is_replayed_the_rest() {
    let server = Server::start().await;
    let (mut ann, _) = server.join("ann").await;
    let (mut bob, ready) = server.join("bob").await;
    for data in [1, 2] {
        ann.send(json!({"type": "message", "to": "bob", "data": data})).await;
    }
    // One message is read, and its ping not answered any more: a tail is lost with the connection.
    let seen = bob.next().await["seq"].clone();
    drop(bob);
    let mut bob = server.connect().await;
    let (token, resume) = (server.guest("bob"), &ready["resume"]);
    bob.send(json!({"type": "hello", "token": token, "resume": resume, "seen": seen})).await;
    assert_eq!(bob.next().await["resumed"], true);
    assert_eq!(bob.next().await["data"], 2);
}

#[tokio::test]
async fn the_same_ticket_twice_moves_the_peer_to_the_newer_connection() {
    let server = Server::start().await;
    let (mut old, _) = server.join("ann").await;
    let (mut new, _) = server.join("ann").await;
    let leave = old.next().await;
    assert_eq!((&leave["reason"], &leave["action"]), (&json!("replaced"), &json!("stop")));
    assert_eq!(old.next_or_end().await, None);
    assert_eq!(new.so_far().await, [json!(null); 0]);
    assert_eq!(server.hub.stats().await.peers, 1);
}

#[tokio::test]
async fn a_reader_that_does_not_keep_up_is_told_and_the_others_go_on() {
    let limits = HubLimits { queue_messages: 20, burst: 10_000, ..HubLimits::default() };
    let server = Server::with(Settings { limits, ..Settings::default() }).await;
    let (mut ann, _) = server.join("ann").await;
    let (mut slow, _) = server.join("slow").await;
    for data in 0..30 {
        ann.send(json!({"type": "message", "to": "slow", "data": data})).await;
    }
    assert_eq!(ann.so_far().await.len(), 1, "no more than that slow joined");
    let mut last = slow.next().await;
    while last["type"] == "message" {
        last = slow.next().await;
    }
    assert_eq!((&last["reason"], &last["action"]), (&json!("slow"), &json!("resume")));
}

#[tokio::test]
async fn a_client_that_takes_no_bytes_at_all_is_given_up() {
    let limits = HubLimits {
        burst: 100_000,
        queue_bytes: 64 << 20,
        queue_messages: 5000,
        ..HubLimits::default()
    };
    let patience = Patience { write: Duration::from_millis(200), ..Patience::default() };
    let mut server = Server::with(Settings { limits, patience, ..Settings::default() }).await;
    let (mut ann, _) = server.join("ann").await;
    let (stuck, _) = server.join("stuck").await;
    let data = "x".repeat(16_000);
    let message = json!({"type": "message", "to": "stuck", "data": data}).to_string();
    for _ in 0..1500 {
        ann.send_text(&message).await;
    }
    let away = async {
        while server.hub.stats().await.away == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, away).await.expect("the stuck connection is dropped");
    assert_eq!(ann.so_far().await.len(), 1);
    drop(stuck);
    server.events.close();
}

#[tokio::test]
async fn a_silent_client_is_asked_and_then_dropped() {
    let patience = Patience {
        silence: Duration::from_millis(50),
        death: Duration::from_millis(400),
        ..Patience::default()
    };
    let server = Server::with(Settings { patience, ..Settings::default() }).await;
    let (_frozen, _) = server.join("frozen").await;
    let (mut alive, _) = server.join("alive").await;
    let _ = timeout(Duration::from_millis(1500), alive.next_or_end()).await;
    let stats = server.hub.stats().await;
    assert_eq!((stats.connections, stats.away), (1, 1), "one answered its pings, one did not");
}

#[tokio::test]
async fn a_message_in_single_bytes_is_not_waited_for() {
    let patience = Patience {
        silence: Duration::from_millis(50),
        death: Duration::from_millis(400),
        ..Patience::default()
    };
    let server = Server::with(Settings { patience, ..Settings::default() }).await;
    let (mut slow, _) = server.join("slow").await;
    let stream = slow.socket.get_mut();
    // The head of a masked text frame of 200 bytes, and then its bytes, without an end.
    stream.write_all(&[0x81, 0xFE, 0, 200, 1, 2, 3, 4]).await.expect("connected");
    let given_up = async {
        while server.hub.stats().await.away == 0 {
            let _ = stream.write_all(b"x").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, given_up).await.expect("bytes that make no message are no sign of life");
}

#[tokio::test]
async fn a_hello_in_single_bytes_is_not_waited_for() {
    let patience = Patience { hello: Duration::from_millis(200), ..Patience::default() };
    let server = Server::with(Settings { patience, ..Settings::default() }).await;
    let mut slow = server.connect().await;
    let stream = slow.socket.get_mut();
    stream.write_all(&[0x81, 0xFE, 0, 200, 1, 2, 3, 4]).await.expect("connected");
    for _ in 0..10 {
        let _ = stream.write_all(b"x").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(slow.next().await["code"], "hello_expected");
    assert_eq!(slow.next().await["reason"], "no_hello");
}

#[tokio::test]
async fn a_flood_of_good_messages_ends_the_connection_too() {
    let limits = HubLimits { rate: 1, burst: 5, ..HubLimits::default() };
    let server = Server::with(Settings { limits, ..Settings::default() }).await;
    let (mut ann, _) = server.join("ann").await;
    for _ in 0..10 {
        ann.send(json!({"type": "ping"})).await;
    }
    let mut last = ann.next().await;
    while last["type"] == "pong" {
        last = ann.next().await;
    }
    assert_eq!(last["code"], "flood");
    let leave = ann.next().await;
    assert_eq!((&leave["reason"], &leave["action"]), (&json!("flood"), &json!("reconnect")));
}

#[tokio::test]
async fn fresh_ice_servers_come_before_the_old_ones_end() {
    let ice_ttl = Duration::from_secs(1);
    let patience = Patience { ice: Duration::from_millis(50), ..Patience::default() };
    let server = Server::with(Settings { ice_ttl, patience, ..Settings::default() }).await;
    let (mut ann, ready) = server.join("ann").await;
    assert_eq!(ready["ttl"], 1);
    let fresh = ann.next().await;
    assert_eq!(fresh["type"], "iceServers");
    assert_eq!(fresh["iceServers"][0]["username"], "1:ann");
}

#[tokio::test]
async fn a_shutdown_tells_everybody_and_waits_for_them() {
    let server = Server::start().await;
    let (mut ann, _) = server.join("ann").await;
    let (_, leave) = tokio::join!(server.endpoint.shutdown(Duration::from_secs(2), SOON), async {
        let leave = ann.next().await;
        assert_eq!(ann.next_or_end().await, None);
        leave
    });
    let expected =
        json!({"type": "leave", "reason": "shutdown", "action": "reconnect", "retryAfter": 2});
    assert_eq!(leave, expected);
    assert_eq!(server.endpoint.open_connections(), 0);
    assert_eq!(raw_status(&server, "").await, 503);
}

/// The status of a handshake with these extra header lines.
async fn raw_status(server: &Server, extra: &str) -> u16 {
    let whole = format!(
        "GET /api/v1/signal HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extra}\r\n"
    );
    raw(server, &whole).await
}

async fn raw(server: &Server, request: &str) -> u16 {
    let mut stream = TcpStream::connect(server.address).await.expect("listening");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = [0; 12];
    timeout(SOON, stream.read_exact(&mut answer)).await.expect("in time").expect("an answer");
    String::from_utf8_lossy(&answer)[9..].parse().expect("a status")
}

#[tokio::test]
async fn only_a_websocket_of_a_welcome_page_gets_through() {
    let server = Server::with(Settings { connections: 2, ..Settings::default() }).await;
    assert_eq!(raw_status(&server, "Origin: http://evil.example\r\n").await, 403);
    let plain = "GET /api/v1/signal HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(raw(&server, plain).await, 426);
    let old = "GET /api/v1/signal HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n\
               Upgrade: websocket\r\nSec-WebSocket-Version: 8\r\n\r\n";
    assert_eq!(raw(&server, old).await, 426);
    let no_key = "GET /api/v1/signal HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n\
                  Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n";
    assert_eq!(raw(&server, no_key).await, 400);
    assert_eq!(raw_status(&server, "Origin: http://good.example\r\n").await, 101);
}

#[tokio::test]
async fn connections_over_the_bound_are_refused() {
    let server = Server::with(Settings { connections: 1, ..Settings::default() }).await;
    let (_ann, _) = server.join("ann").await;
    assert_eq!(raw_status(&server, "").await, 503);
}

#[tokio::test]
async fn events_tell_who_came_and_went() {
    let mut server = Server::start().await;
    let (mut ann, _) = server.join("ann").await;
    ann.send(json!({"type": "leave"})).await;
    ann.next().await;
    let mut words = Vec::new();
    while words.len() < 3 {
        let event = timeout(SOON, server.events.recv()).await.expect("in time").expect("open");
        words.push(match event {
            Event::RoomOpened { .. } => "opened",
            Event::Joined { .. } => "joined",
            Event::Left { .. } => "left",
            _ => "other",
        });
    }
    assert_eq!(words, ["opened", "joined", "left"]);
}
