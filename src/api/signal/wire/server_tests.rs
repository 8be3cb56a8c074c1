//! What the server writes, as clients read it.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::signal::{ConnId, LeaveReason, PeerId, ResumeToken, Role};
use crate::time::UnixTime;

fn ice() -> IceServers {
    let servers = json!([{"urls": ["stun:h:3478"]}]);
    IceServers { servers, ttl: Duration::from_secs(60), expires: UnixTime(160) }
}

fn json_of(seq: Option<u64>, message: ServerMessage) -> Value {
    let outgoing = Outgoing { conn: ConnId(1), seq, message };
    serde_json::from_str(&encode(&outgoing, &HubLimits::default(), ice)).expect("JSON")
}

fn ann() -> PeerInfo {
    PeerInfo {
        peer: "ann".into(),
        name: Some("Ann".into()),
        role: Role::Host,
        polite: true,
        publishing: false,
        connected: true,
        number: 1,
    }
}

fn view() -> RoomView {
    RoomView {
        id: "r".into(),
        name: None,
        capacity: 8,
        lobby: false,
        locked: false,
        created: UnixTime(100),
        expires: None,
        participants: 1,
        waiting: 0,
    }
}

#[test]
fn welcome_tells_the_version_what_there_is_and_how_long_it_waits() {
    let text = welcome(&HubLimits::default(), Duration::from_secs(5));
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&told["type"], &told["protocol"]), (&json!("welcome"), &json!(1)));
    assert_eq!((&told["hello"], &told["limits"]["message"]), (&json!(5), &json!(128 * 1024)));
    let features = told["features"].as_array().expect("a list");
    assert!(["resume", "lobby", "polite"].iter().all(|word| features.contains(&json!(word))));
}

#[test]
fn ready_has_everything_a_client_begins_with() {
    let resume = ResumeToken::decode(&"A".repeat(43)).expect("32 bytes");
    let ready = Ready {
        reference: Some(RefId("7".into())),
        peer: "bob".into(),
        role: Role::Guest,
        room: view(),
        peers: vec![ann()],
        resume,
        resumed: false,
    };
    let expected = json!({
        "type": "ready", "ref": 7, "peer": "bob", "role": "guest", "resumed": false,
        "room": {"id": "r", "name": null, "capacity": 8, "lobby": false, "locked": false,
                 "created": 100, "expires": null},
        "peers": [{"peer": "ann", "name": "Ann", "role": "host", "polite": true,
                   "publishing": false}],
        "iceServers": [{"urls": ["stun:h:3478"]}], "ttl": 60, "expiresAt": 160,
        "resume": "A".repeat(43),
        "limits": {"message": 131_072, "sdp": 65_536, "candidate": 4096, "data": 16_384,
                   "depth": 32, "rate": 50, "burst": 500, "resume": 30},
    });
    assert_eq!(json_of(None, ServerMessage::Ready(Box::new(ready))), expected);
}

#[test]
fn what_peers_send_arrives_as_they_wrote_it() {
    let signal = |kind, payload: &str| {
        let from = PeerId::from("a\"b");
        json_of(Some(3), ServerMessage::Signal { kind, from, payload: payload.into() })
    };
    let cases = [
        (signal(SignalKind::Offer, "v=0\r\n"), json!({"type": "offer", "sdp": "v=0\r\n"})),
        (signal(SignalKind::Answer, ""), json!({"type": "answer", "sdp": ""})),
        (signal(SignalKind::Candidate, "null"), json!({"type": "candidate", "candidate": null})),
        (signal(SignalKind::Message, "[1]"), json!({"type": "message", "data": [1]})),
    ];
    for (got, mut expected) in cases {
        expected["from"] = json!("a\"b");
        expected["seq"] = json!(3);
        assert_eq!(got, expected);
    }
}

#[test]
fn the_small_messages_have_their_fields() {
    let reference = Some(RefId("\"x\"".into()));
    let peer = PeerId::from("ann");
    let reason = crate::signal::LeftReason::Dropped;
    let flood = LeaveReason::Flood.leave_for(Duration::from_secs(10));
    let error = ServerMessage::Error {
        reference: reference.clone(),
        code: ErrorCode::NoSuchPeer,
        message: "m".into(),
    };
    let cases = [
        (
            ServerMessage::Joined(ann()),
            json!({"type": "joined", "peer": "ann", "name": "Ann", "role": "host", "polite": true,
                   "publishing": false}),
        ),
        (
            ServerMessage::Left { peer: peer.clone(), reason, was: Some(ann()) },
            json!({"type": "left", "peer": "ann", "reason": "dropped"}),
        ),
        (
            ServerMessage::Leave(flood),
            json!({"type": "leave", "reason": "flood", "action": "reconnect", "retryAfter": 10}),
        ),
        (error, json!({"type": "error", "ref": "x", "code": "no_such_peer", "message": "m"})),
        (ServerMessage::Pong { reference }, json!({"type": "pong", "ref": "x"})),
        (ServerMessage::Pong { reference: None }, json!({"type": "pong"})),
        (
            ServerMessage::Media { peer: peer.clone(), publishing: true },
            json!({"type": "media", "peer": "ann", "publishing": true}),
        ),
        (
            ServerMessage::Knock { peer, name: None },
            json!({"type": "knock", "peer": "ann", "name": null}),
        ),
    ];
    for (message, expected) in cases {
        assert_eq!(json_of(None, message), expected);
    }
    let fresh: Value = serde_json::from_str(&fresh_ice_servers(&ice())).expect("JSON");
    let expected = json!({"type": "iceServers", "iceServers": [{"urls": ["stun:h:3478"]}],
                          "ttl": 60, "expiresAt": 160});
    assert_eq!(fresh, expected);
}
