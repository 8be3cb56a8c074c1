//! The words that `benches/signalling` says to Relayhouse are still Relayhouse's, and it still understands the answers.
//! What a message costs is measured by `benches/side_by_side`.

// The generator's loop uses what this does not.
#[allow(dead_code)]
#[path = "../benches/signalling/src/connect.rs"]
mod connect;
#[path = "../benches/signalling/src/frame.rs"]
#[allow(dead_code)]
mod frame;
#[path = "../benches/signalling/src/http.rs"]
#[allow(dead_code)]
mod http;
#[path = "../benches/signalling/src/options.rs"]
#[allow(dead_code)]
mod options;
#[path = "../benches/signalling/src/protocol/mod.rs"]
#[allow(dead_code)]
mod protocol;
#[path = "../benches/signalling/src/stamp.rs"]
#[allow(dead_code)]
mod stamp;

use clap::Parser;
use protocol::{Kind, Protocol, Seat, Told};
use relayhouse::api::signal::{IceServers, Incoming, encode, parse};
use relayhouse::signal::{
    Body, ConnId, HubLimits, LeaveReason, Outgoing, ServerMessage, SignalKind,
};
use relayhouse::time::UnixTime;
use stamp::Stamp;

const STAMP: Stamp = Stamp { from: 1, to: Some(2), at: 3 };

fn words() -> Box<dyn Protocol> {
    let options = ["", "--server=127.0.0.1:1", "--protocol=relayhouse", "--server-pid=1"];
    let options = options::Options::parse_from(options);
    options.protocol.words(&options)
}

fn seat(name: &str) -> Seat {
    Seat { room: 0, path: String::new(), first: Vec::new(), name: name.into() }
}

fn told(message: ServerMessage) -> String {
    let outgoing = Outgoing { conn: ConnId(1), seq: Some(1), message };
    encode(&outgoing, &HubLimits::default(), || IceServers {
        servers: serde_json::json!([]),
        ttl: std::time::Duration::ZERO,
        expires: UnixTime(0),
    })
}

#[test]
fn what_is_said_is_understood_and_its_stamp_comes_through() {
    let (ann, bob) = (seat("ann"), seat("bob"));
    let said = [
        (Some(&bob), Kind::Offer, SignalKind::Offer),
        (Some(&bob), Kind::Candidate, SignalKind::Candidate),
        (None, Kind::Candidate, SignalKind::Message),
    ];
    for (to, kind, expected) in said {
        let text = words().say(&ann, to, kind, &(STAMP.text() + r"\r\na=x"));
        let Ok(Incoming::Message(message)) = parse(&text, &HubLimits::default()) else {
            panic!("{text}")
        };
        let Body::Signal { kind, to: receiver, payload } = message.body else { panic!("{text}") };
        assert_eq!((kind, receiver.is_some()), (expected, to.is_some()), "{text}");
        let passed_on = told(ServerMessage::Signal { kind, from: "ann".into(), payload });
        assert_eq!(Stamp::find(passed_on.as_bytes()), Some(STAMP), "{passed_on}");
    }
}

#[test]
fn a_refusal_is_told_from_what_is_none() {
    let leave = told(ServerMessage::Leave(LeaveReason::Flood.leave()));
    assert!(matches!(words().told(leave.as_bytes()), Told::Refused), "{leave}");
    let pong = told(ServerMessage::Pong { reference: None });
    assert!(matches!(words().told(pong.as_bytes()), Told::Nothing), "{pong}");
    let ready = br#"{"type":"ready","peer":"ann","room":{"id":"r"}}"#;
    assert!(matches!(words().told(ready), Told::In(Some(name)) if name == "ann"));
}
