//! Server to client.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::IceServers;
use crate::signal::{
    ErrorCode, HubLimits, Leave, Outgoing, PeerInfo, Ready, RefId, RoomView, ServerMessage,
    SignalKind,
};

/// One message as its JSON text. `ice` is asked for a `ready` only, which carries fresh servers.
pub fn encode(outgoing: &Outgoing, limits: &HubLimits, ice: impl FnOnce() -> IceServers) -> String {
    let mut text = match &outgoing.message {
        ServerMessage::Ready(ready) => text(&ready_message(ready, limits, &ice())),
        ServerMessage::Signal { kind, from, payload } => signal(*kind, from.as_str(), payload),
        other => text(&plain(other)),
    };
    if let Some(seq) = outgoing.seq {
        text.pop();
        // Writing to a string cannot fail.
        let _ = write!(text, r#","seq":{seq}}}"#);
    }
    text
}

/// Beside its payload and its sender's name, a message that is passed on has no more bytes than this.
const AROUND: usize = 96;

/// The version of this protocol; a change that old clients would not survive makes it another.
const PROTOCOL: u32 = 1;

/// What a client may count on beyond offers, answers and candidates, each a word of its own.
const FEATURES: &[&str] =
    &["iceServers", "lobby", "media", "message", "moderation", "polite", "resume"];

/// `welcome`: said before anything else. A hello must come within `hello`.
pub(in crate::api::signal) fn welcome(limits: &HubLimits, hello: Duration) -> String {
    text(&Told::Welcome {
        protocol: PROTOCOL,
        features: FEATURES,
        hello: hello.as_secs(),
        limits: limits.into(),
    })
}

/// `iceServers`: the old ones are about to end.
pub(in crate::api::signal) fn fresh_ice_servers(ice: &IceServers) -> String {
    let (ice_servers, ttl, expires_at) = (&ice.servers, ice.ttl.as_secs(), ice.expires.0);
    text(&Told::IceServers { ice_servers, ttl, expires_at })
}

/// `error`, before there is a peer.
pub(in crate::api::signal) fn error(
    reference: Option<&RefId>,
    code: ErrorCode,
    message: &str,
) -> String {
    text(&Told::Error { reference: raw_id(reference), code: code.as_str(), message })
}

/// `leave`.
pub(in crate::api::signal) fn leave(leave: &Leave) -> String {
    text(&Told::Leave {
        reason: leave.reason.as_str(),
        action: leave.action.as_str(),
        retry_after: leave.retry_after.map(|pause| pause.as_secs()),
    })
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Told<'a> {
    Welcome {
        protocol: u32,
        features: &'static [&'static str],
        /// Seconds.
        hello: u64,
        limits: Limits,
    },
    Ready {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Box<RawValue>>,
        peer: &'a str,
        room: Room<'a>,
        role: &'static str,
        peers: Vec<Peer<'a>>,
        ice_servers: &'a Value,
        ttl: u64,
        expires_at: u64,
        resume: String,
        resumed: bool,
        limits: Limits,
    },
    Waiting {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Box<RawValue>>,
        peer: &'a str,
        room: Room<'a>,
    },
    Knock {
        peer: &'a str,
        name: Option<&'a str>,
    },
    Joined(Peer<'a>),
    Left {
        peer: &'a str,
        reason: &'static str,
    },
    Media {
        peer: &'a str,
        publishing: bool,
    },
    Room {
        room: Room<'a>,
    },
    IceServers {
        ice_servers: &'a Value,
        ttl: u64,
        expires_at: u64,
    },
    Leave {
        reason: &'static str,
        action: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
    Error {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Box<RawValue>>,
        code: &'static str,
        message: &'a str,
    },
    Pong {
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Box<RawValue>>,
    },
}

#[derive(Serialize)]
struct Peer<'a> {
    peer: &'a str,
    name: Option<&'a str>,
    role: &'static str,
    polite: bool,
    publishing: bool,
}

#[derive(Serialize)]
struct Room<'a> {
    id: &'a str,
    name: Option<&'a str>,
    capacity: usize,
    lobby: bool,
    locked: bool,
    created: u64,
    expires: Option<u64>,
}

#[derive(Serialize)]
struct Limits {
    message: usize,
    sdp: usize,
    candidate: usize,
    data: usize,
    depth: usize,
    rate: u32,
    burst: u32,
    /// Seconds in which a dropped connection may come back.
    resume: u64,
}

impl From<&HubLimits> for Limits {
    fn from(limits: &HubLimits) -> Self {
        Self {
            message: limits.message,
            sdp: limits.sdp,
            candidate: limits.candidate,
            data: limits.data,
            depth: limits.depth,
            rate: limits.rate,
            burst: limits.burst,
            resume: limits.resume.as_secs(),
        }
    }
}

fn ready_message<'a>(ready: &'a Ready, limits: &HubLimits, ice: &'a IceServers) -> Told<'a> {
    Told::Ready {
        reference: raw_id(ready.reference.as_ref()),
        peer: ready.peer.as_str(),
        room: room(&ready.room),
        role: ready.role.as_str(),
        peers: ready.peers.iter().map(peer).collect(),
        ice_servers: &ice.servers,
        ttl: ice.ttl.as_secs(),
        expires_at: ice.expires.0,
        resume: ready.resume.encode(),
        resumed: ready.resumed,
        limits: limits.into(),
    }
}

/// What needs nothing from outside. `Ready` and `Signal` are written by their own functions.
fn plain(message: &ServerMessage) -> Told<'_> {
    match message {
        ServerMessage::Ready(_) | ServerMessage::Signal { .. } => {
            unreachable!("written by ready_message and signal")
        }
        ServerMessage::Waiting { reference, peer, room: view } => Told::Waiting {
            reference: raw_id(reference.as_ref()),
            peer: peer.as_str(),
            room: room(view),
        },
        ServerMessage::Knock { peer, name } => {
            Told::Knock { peer: peer.as_str(), name: name.as_deref() }
        }
        ServerMessage::Joined(info) => Told::Joined(peer(info)),
        ServerMessage::Left { peer, reason, .. } => {
            Told::Left { peer: peer.as_str(), reason: reason.as_str() }
        }
        ServerMessage::Media { peer, publishing } => {
            Told::Media { peer: peer.as_str(), publishing: *publishing }
        }
        ServerMessage::Room(view) => Told::Room { room: room(view) },
        ServerMessage::Leave(leave) => Told::Leave {
            reason: leave.reason.as_str(),
            action: leave.action.as_str(),
            retry_after: leave.retry_after.map(|pause| pause.as_secs()),
        },
        ServerMessage::Error { reference, code, message } => {
            Told::Error { reference: raw_id(reference.as_ref()), code: code.as_str(), message }
        }
        ServerMessage::Pong { reference } => Told::Pong { reference: raw_id(reference.as_ref()) },
    }
}

/// Written by hand, because nearly all messages are of this kind. Payloads that are JSON already are put
/// in as they are.
fn signal(kind: SignalKind, from: &str, payload: &str) -> String {
    let (kind, field, is_json) = match kind {
        SignalKind::Offer => ("offer", "sdp", false),
        SignalKind::Answer => ("answer", "sdp", false),
        SignalKind::Candidate => ("candidate", "candidate", true),
        SignalKind::Message => ("message", "data", true),
    };
    // A description has a line end, which takes two bytes more, every thirty bytes or so.
    let most = payload.len() + payload.len() / 8 + from.len() + AROUND;
    let mut text = Vec::with_capacity(most);
    for part in [r#"{"type":""#, kind, r#"","from":"#] {
        text.extend_from_slice(part.as_bytes());
    }
    quote(&mut text, from);
    for part in [r#",""#, field, r#"":"#] {
        text.extend_from_slice(part.as_bytes());
    }
    match is_json {
        true => text.extend_from_slice(payload.as_bytes()),
        false => quote(&mut text, payload),
    }
    text.push(b'}');
    String::from_utf8(text).expect("texts in JSON are text")
}

/// Appends a text as JSON has it.
fn quote(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a text is always JSON, and a vector takes it");
}

fn peer(info: &PeerInfo) -> Peer<'_> {
    Peer {
        peer: info.peer.as_str(),
        name: info.name.as_deref(),
        role: info.role.as_str(),
        polite: info.polite,
        publishing: info.publishing,
    }
}

fn room(view: &RoomView) -> Room<'_> {
    Room {
        id: view.id.as_str(),
        name: view.name.as_deref(),
        capacity: view.capacity,
        lobby: view.lobby,
        locked: view.locked,
        created: view.created.0,
        expires: view.expires.map(|at| at.0),
    }
}

fn raw_id(reference: Option<&RefId>) -> Option<Box<RawValue>> {
    RawValue::from_string(reference?.0.as_ref().into()).ok()
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts, numbers and JSON are always JSON")
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
