//! The words on the WebSocket of `tunnel`: strict, one JSON object a message.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::IntoParams;

use super::token::Claims;
use super::{Fault, FaultBody, fault};
use crate::api::dialects::socket::{self, Dialect, Heard, Parted, read};
use crate::api::errors::{ApiError, Code};
use crate::api::signal::close_code;
use crate::api::{Api, Client};
use crate::signal::{
    Admission, Body, ErrorCode, HubLimits, Leave, LeaveReason, Moderation, PeerId, PeerInfo, Ready,
    RoomId, ServerMessage, SignalKind,
};
use crate::store::RevokeError;
use crate::time::UnixTime;

/// Fewer bytes than this are no session description: version, origin, name and time alone take more.
pub(super) const MIN_SDP: usize = 32;

/// What opens the WebSocket.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Opening {
    /// From `/token`; good once.
    token: String,
    /// The token's own room, for clients that say it.
    #[serde(rename = "roomID")]
    room: Option<String>,
    /// What the client comes for: `join`.
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// The WebSocket: a token in the query, then one JSON object a message. It joins the token's room by
/// itself.
#[utoipa::path(
    get,
    path = "/ws",
    operation_id = "tunnel_websocket",
    tag = "dialect: tunnel",
    params(Opening),
    responses(
        (status = 101, description = "The WebSocket"),
        (status = "4XX", body = FaultBody),
        (status = "5XX", body = FaultBody),
    ),
)]
pub(super) async fn connect(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    request: Request,
) -> Result<Response, Fault> {
    let opening: Result<Query<Opening>, _> = Query::try_from_uri(request.uri());
    let Ok(Query(opening)) = opening else {
        let why = "The query is token, and at most roomID and type besides.";
        return Err(match request.uri().query().is_some_and(|query| query.contains("token=")) {
            true => ApiError::with(Code::BadField, why).into(),
            false => ApiError::with(Code::Unauthorized, "A token is needed: /ws?token=….").into(),
        });
    };
    if opening.kind.is_some_and(|kind| kind != "join") {
        return Err(ApiError::with(Code::BadField, "type must be join.").into());
    }
    let claims = api.tunnel_token(&opening.token, client, Duration::ZERO)?;
    if opening.room.is_some_and(|room| room != claims.room) {
        return Err(Code::Forbidden.into());
    }
    if api.store().revoked().contains(&claims.jti)? {
        return Err(ApiError::with(Code::InvalidToken, USED).into());
    }
    let talk = Talk { api: Arc::clone(&api), claims, locked: false };
    Ok(socket::serve(&api, request, talk))
}

const USED: &str = "This token has been used; ask /token for another one.";

struct Talk {
    api: Arc<Api>,
    claims: Claims,
    /// What was last said about the room.
    locked: bool,
}

/// Client to server. Unknown types and fields are errors.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum Said {
    Join {},
    Leave {},
    Offer {
        sdp: String,
        to: Option<String>,
    },
    Answer {
        sdp: String,
        to: Option<String>,
    },
    Ice {
        candidate: Value,
        to: Option<String>,
    },
    Approve {
        #[serde(rename = "userID")]
        user: String,
    },
    Deny {
        #[serde(rename = "userID")]
        user: String,
    },
    Kick {
        #[serde(rename = "userID")]
        user: String,
    },
    Lock {},
    Unlock {},
}

/// Server to client.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Told<'a> {
    Joined {
        #[serde(rename = "roomID")]
        room: &'a str,
        #[serde(rename = "userID")]
        user: &'a str,
        role: &'static str,
        locked: bool,
        participants: Vec<User<'a>>,
    },
    Waiting {
        #[serde(rename = "roomID", skip_serializing_if = "Option::is_none")]
        room: Option<&'a str>,
        #[serde(rename = "userID")]
        user: &'a str,
        name: Option<&'a str>,
    },
    Join(User<'a>),
    Leave {
        #[serde(rename = "userID")]
        user: &'a str,
        reason: &'static str,
    },
    Offer {
        from: &'a str,
        sdp: &'a str,
    },
    Answer {
        from: &'a str,
        sdp: &'a str,
    },
    Ice {
        from: &'a str,
        candidate: &'a RawValue,
    },
    Moderation {
        action: &'static str,
        #[serde(rename = "roomID")]
        room: &'a str,
    },
    Error {
        code: &'static str,
        message: &'a str,
    },
}

#[derive(Serialize)]
struct User<'a> {
    #[serde(rename = "userID")]
    user: &'a str,
    name: Option<&'a str>,
    role: &'static str,
}

impl Dialect for Talk {
    /// It is in its room from the beginning, and the connection ends with it.
    const OUTSIDE: Option<Duration> = Some(Duration::from_secs(30));

    fn refused(status: StatusCode, message: &str) -> Value {
        fault(status, "websocket", message)
    }

    async fn begin(&mut self) -> Option<Heard> {
        let Claims { jti, exp, iat, room, sub, role, name, .. } = &self.claims;
        // A token passes for some seconds after its end; it must not be forgotten before.
        let until = exp.saturating_add(60);
        let error = match self.api.store().revoked().spend(jti, until).await {
            Ok(true) => {
                return Some(Heard::Enter(Box::new(Admission {
                    room: RoomId::from(room.as_str()),
                    peer: PeerId::from(sub.as_str()),
                    role: (*role).into(),
                    name: name.as_deref().map(Into::into),
                    issued: Some(UnixTime(*iat)),
                })));
            }
            Ok(false) => (LeaveReason::Unauthorized, self.error(ErrorCode::Unauthorized, USED)),
            Err(RevokeError::Full | RevokeError::Store(_)) => {
                (LeaveReason::Busy, self.error(ErrorCode::Busy, "try again later"))
            }
        };
        let (reason, text) = error;
        Some(Heard::Close(vec![text], close_code(reason), reason.as_str().into()))
    }

    async fn hear(&mut self, text: &str, limits: &HubLimits) -> Heard {
        let said: Said = match read(text) {
            Ok(said) => said,
            Err(bad) => return bad,
        };
        match said {
            // It is in already.
            Said::Join {} => Heard::Nothing,
            Said::Leave {} => Heard::Say(Body::Leave),
            Said::Offer { sdp, to } => description(SignalKind::Offer, sdp, to, limits),
            Said::Answer { sdp, to } => description(SignalKind::Answer, sdp, to, limits),
            Said::Ice { candidate, to } => candidate_of(&candidate, to),
            Said::Approve { user } => decision(Moderation::Admit(PeerId(user.into()))),
            Said::Deny { user } => decision(Moderation::Deny(PeerId(user.into()))),
            Said::Kick { user } => decision(Moderation::Kick(PeerId(user.into()))),
            Said::Lock {} => decision(Moderation::Lock),
            Said::Unlock {} => decision(Moderation::Unlock),
        }
    }

    fn tell(&mut self, message: &ServerMessage) -> Vec<String> {
        let room = self.claims.room.as_str();
        let told = match message {
            ServerMessage::Ready(ready) => {
                self.locked = ready.room.locked;
                joined(ready)
            }
            ServerMessage::Waiting { peer, .. } => {
                Told::Waiting { room: Some(room), user: peer.as_str(), name: None }
            }
            ServerMessage::Knock { peer, name } => {
                Told::Waiting { room: None, user: peer.as_str(), name: name.as_deref() }
            }
            ServerMessage::Joined(info) => Told::Join(user(info)),
            ServerMessage::Left { peer, reason, .. } => {
                Told::Leave { user: peer.as_str(), reason: reason.as_str() }
            }
            ServerMessage::Signal { kind, from, payload } => {
                return signal(*kind, from.as_str(), payload);
            }
            // A room that was only renamed is not news here.
            ServerMessage::Room(view) if view.locked != self.locked => {
                self.locked = view.locked;
                let action = if view.locked { "lock" } else { "unlock" };
                Told::Moderation { action, room }
            }
            ServerMessage::Error { code, message, .. } => {
                Told::Error { code: code.as_str(), message }
            }
            ServerMessage::Room(_)
            | ServerMessage::Media { .. }
            | ServerMessage::Pong { .. }
            | ServerMessage::Leave(_) => return Vec::new(),
        };
        vec![json(&told)]
    }

    fn error(&mut self, code: ErrorCode, text: &str) -> String {
        json(&Told::Error { code: code.as_str(), message: text })
    }

    fn parted(&mut self, leave: &Leave) -> Parted {
        let room = self.claims.room.as_str();
        let last = match leave.reason {
            LeaveReason::Kicked => json(&Told::Moderation { action: "kick", room }),
            LeaveReason::Denied => json(&Told::Moderation { action: "deny", room }),
            reason => json(&Told::Leave { user: &self.claims.sub, reason: reason.as_str() }),
        };
        Parted::Close(vec![last], close_code(leave.reason), leave.reason.as_str().into())
    }
}

fn description(kind: SignalKind, sdp: String, to: Option<String>, limits: &HubLimits) -> Heard {
    let bounds = MIN_SDP..=limits.sdp;
    if !bounds.contains(&sdp.len()) {
        let why = format!("sdp has {MIN_SDP} to {} bytes", limits.sdp);
        return Heard::Bad(ErrorCode::TooLarge, why);
    }
    Heard::Say(Body::Signal { kind, to: to.map(|to| PeerId(to.into())), payload: sdp.into() })
}

fn candidate_of(candidate: &Value, to: Option<String>) -> Heard {
    if !candidate.is_object() && !candidate.is_null() {
        let why = "candidate is an object, or null after the last one".into();
        return Heard::Bad(ErrorCode::BadMessage, why);
    }
    let to = to.map(|to| PeerId(to.into()));
    let payload = candidate.to_string().into();
    Heard::Say(Body::Signal { kind: SignalKind::Candidate, to, payload })
}

fn decision(what: Moderation) -> Heard {
    Heard::Say(Body::Moderate(what))
}

fn joined(ready: &Ready) -> Told<'_> {
    Told::Joined {
        room: ready.room.id.as_str(),
        user: ready.peer.as_str(),
        role: ready.role.as_str(),
        locked: ready.room.locked,
        participants: ready.peers.iter().map(user).collect(),
    }
}

fn user(info: &PeerInfo) -> User<'_> {
    User { user: info.peer.as_str(), name: info.name.as_deref(), role: info.role.as_str() }
}

/// Messages of an application are none of this dialect's words.
fn signal(kind: SignalKind, from: &str, payload: &str) -> Vec<String> {
    match kind {
        SignalKind::Offer => vec![json(&Told::Offer { from, sdp: payload })],
        SignalKind::Answer => vec![json(&Told::Answer { from, sdp: payload })],
        SignalKind::Candidate => match serde_json::from_str::<&RawValue>(payload) {
            Ok(candidate) => vec![json(&Told::Ice { from, candidate })],
            Err(_) => Vec::new(),
        },
        SignalKind::Message => Vec::new(),
    }
}

fn json(told: &Told<'_>) -> String {
    serde_json::to_string(told).expect("texts, numbers and JSON are always JSON")
}
