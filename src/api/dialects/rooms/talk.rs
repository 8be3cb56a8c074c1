//! The words on `/ws/{room_id}`. Unknown fields are tolerated, as the document's server does.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::fault::{Fault, FaultBody};
use super::held::Holding;
use crate::api::dialects::socket::{self, CloseCode, Dialect, Heard, Parted, read};
use crate::api::errors::{ApiError, Code};
use crate::api::signal::close_code;
use crate::api::{Api, Client};
use crate::signal::{
    Body, ErrorCode, HubLimits, Leave, LeaveReason, PeerId, PeerInfo, ServerMessage, SignalKind,
};

/// The longest name of a room and the longest client id, in bytes.
const MAX_ID: usize = 128;
/// The WebSocket of a room. It says `auth_required` and wants `auth_token`.
#[utoipa::path(
    get,
    path = "/ws/{room_id}",
    operation_id = "rooms_websocket",
    tag = "dialect: rooms",
    params(("room_id" = String, Path, description = "The room's name; it is made when it is not there")),
    responses(
        (status = 101, description = "The WebSocket"),
        (status = "4XX", body = FaultBody),
        (status = "5XX", body = FaultBody),
    ),
)]
pub(super) async fn connect(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    Path(room): Path<String>,
    request: Request,
) -> Result<Response, Fault> {
    if !is_id(&room) {
        let why = "A room's name has at most 128 bytes and no control characters.";
        return Err(ApiError::with(Code::BadField, why).into());
    }
    let talk = Talk {
        api: Arc::clone(&api),
        client,
        room,
        user: None,
        welcomed: false,
        names: BTreeMap::new(),
    };
    Ok(socket::serve(&api, request, talk))
}

pub(super) struct Talk {
    pub(super) api: Arc<Api>,
    pub(super) client: IpAddr,
    pub(super) room: String,
    /// Once the token was good.
    pub(super) user: Option<User>,
    /// Whether `auth_success` was said.
    welcomed: bool,
    /// What the others in the room are called.
    names: BTreeMap<PeerId, Arc<str>>,
}

pub(super) struct User {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) _holding: Holding,
}

/// Client to server.
#[derive(Deserialize)]
pub(super) struct Said {
    #[serde(rename = "type")]
    kind: Option<String>,
    pub(super) token: Option<Value>,
    #[serde(rename = "clientId")]
    pub(super) client_id: Option<Value>,
    to: Option<Value>,
    offer: Option<Value>,
    answer: Option<Value>,
    candidate: Option<Box<RawValue>>,
}

impl Dialect for Talk {
    /// The document's WEBSOCKET_TIMEOUT.
    const OUTSIDE: Option<Duration> = Some(Duration::from_secs(30));

    fn refused(_: StatusCode, message: &str) -> Value {
        json!({"detail": message})
    }

    fn greeting(&mut self) -> Option<String> {
        Some(json!({"type": "auth_required"}).to_string())
    }

    async fn hear(&mut self, text: &str, _: &HubLimits) -> Heard {
        let said: Said = match read(text) {
            Ok(said) => said,
            Err(bad) => return bad,
        };
        let kind = said.kind.as_deref().unwrap_or_default();
        if self.user.is_none() {
            return match kind {
                "auth_token" => self.authenticate(&said).await,
                _ => refuse(error("Authentication required"), "Authentication required"),
            };
        }
        let to = match said.to {
            Some(Value::String(to)) if !to.is_empty() => Some(PeerId(to.into())),
            _ => None,
        };
        match kind {
            "offer" => description(SignalKind::Offer, said.offer.as_ref(), to),
            "answer" => description(SignalKind::Answer, said.answer.as_ref(), to),
            "ice_candidate" => candidate(said.candidate.as_deref(), to),
            "ping" => Heard::Say(Body::Ping),
            "auth_token" => bad("Already authenticated"),
            kind => {
                let kind: String = kind.chars().take(64).collect();
                Heard::Bad(ErrorCode::UnknownType, format!("Unknown message type: {kind}"))
            }
        }
    }

    fn tell(&mut self, message: &ServerMessage) -> Vec<String> {
        match message {
            ServerMessage::Ready(ready) => {
                self.names = ready.peers.iter().map(named).collect();
                let users: Vec<_> = ready.peers.iter().map(user).collect();
                let users = json!({"type": "users_in_room", "users": users}).to_string();
                self.welcome().into_iter().chain([users]).collect()
            }
            ServerMessage::Waiting { .. } => self.welcome().into_iter().collect(),
            ServerMessage::Joined(info) => {
                self.names.extend([named(info)]);
                vec![moved("user_joined", &info.peer, &name(info))]
            }
            ServerMessage::Left { peer, .. } => match self.names.remove(peer) {
                Some(name) => vec![moved("user_left", peer, &name)],
                None => Vec::new(),
            },
            ServerMessage::Signal { kind, from, payload } => {
                self.signal(*kind, from, payload).into_iter().collect()
            }
            ServerMessage::Error { code, message, .. } => vec![self.error(*code, message)],
            ServerMessage::Pong { .. } => vec![json!({"type": "pong"}).to_string()],
            ServerMessage::Knock { .. }
            | ServerMessage::Media { .. }
            | ServerMessage::Room(_)
            | ServerMessage::Leave(_) => Vec::new(),
        }
    }

    fn error(&mut self, code: ErrorCode, text: &str) -> String {
        error(match code {
            ErrorCode::NoSuchPeer => "Target client not found",
            ErrorCode::RoomFull => "Room is full",
            ErrorCode::Flood => "Rate limit exceeded",
            _ => text,
        })
    }

    fn parted(&mut self, leave: &Leave) -> Parted {
        if let (LeaveReason::Kicked, Some(user)) = (leave.reason, &self.user) {
            self.api.dialects().rooms.send_away(&self.room, &user.name);
        }
        let reason = match leave.reason {
            LeaveReason::RoomFull => "Room is full",
            LeaveReason::Flood => "Rate limit exceeded",
            LeaveReason::NoHello => "Authentication required",
            reason => reason.as_str(),
        };
        Parted::Close(Vec::new(), close_code(leave.reason), reason.into())
    }
}

impl Talk {
    fn welcome(&mut self) -> Option<String> {
        let user = self.user.as_ref().filter(|_| !self.welcomed)?;
        self.welcomed = true;
        let welcome = json!({"type": "auth_success", "user": user.name, "client_id": user.id});
        Some(welcome.to_string())
    }

    fn signal(&self, kind: SignalKind, from: &PeerId, payload: &str) -> Option<String> {
        let unnamed = Arc::from(from.as_str());
        let username = self.names.get(from).unwrap_or(&unnamed);
        let (kind, field, value) = match kind {
            SignalKind::Offer => ("offer", "offer", json!({"type": "offer", "sdp": payload})),
            SignalKind::Answer => ("answer", "answer", json!({"type": "answer", "sdp": payload})),
            SignalKind::Candidate => {
                ("ice_candidate", "candidate", serde_json::from_str(payload).ok()?)
            }
            // None of this dialect's words.
            SignalKind::Message => return None,
        };
        let from = from.as_str();
        Some(json!({"type": kind, field: value, "from": from, "username": username}).to_string())
    }
}

/// A session description: an object as browsers write it, or its SDP alone.
fn description(kind: SignalKind, value: Option<&Value>, to: Option<PeerId>) -> Heard {
    let sdp = match value {
        Some(Value::String(sdp)) => Some(sdp.as_str()),
        Some(description) => description.get("sdp").and_then(Value::as_str),
        None => None,
    };
    match sdp {
        Some(sdp) => Heard::Say(Body::Signal { kind, to, payload: sdp.into() }),
        None => bad("a description is an object with an sdp"),
    }
}

fn candidate(value: Option<&RawValue>, to: Option<PeerId>) -> Heard {
    let payload = match value.map(RawValue::get) {
        // The end of candidates.
        None => "null",
        Some(text) if text.starts_with('{') => text,
        Some(_) => return bad("a candidate is an object"),
    };
    Heard::Say(Body::Signal { kind: SignalKind::Candidate, to, payload: payload.into() })
}

fn user(info: &PeerInfo) -> Value {
    json!({"client_id": info.peer.as_str(), "username": name(info)})
}

fn named(info: &PeerInfo) -> (PeerId, Arc<str>) {
    (info.peer.clone(), name(info))
}

/// Clients of other dialects may have no name.
fn name(info: &PeerInfo) -> Arc<str> {
    info.name.clone().unwrap_or_else(|| info.peer.as_str().into())
}

fn moved(kind: &str, peer: &PeerId, name: &str) -> String {
    json!({"type": kind, "username": name, "client_id": peer.as_str()}).to_string()
}

pub(super) fn error(message: &str) -> String {
    json!({"type": "error", "message": message}).to_string()
}

fn bad(why: &str) -> Heard {
    Heard::Bad(ErrorCode::BadMessage, why.into())
}

pub(super) fn refuse(text: String, reason: &str) -> Heard {
    Heard::Close(vec![text], CloseCode::Policy, reason.into())
}

pub(super) fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len()) && !text.contains(char::is_control)
}
