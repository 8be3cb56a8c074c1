//! The WebSocket on `/`: a room for two, `join_room` to `left_room`.
//!
//! In a room that holds more (whoever shows a ticket for one may come in), the first other there is the
//! partner, and the rest is not heard.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::super::Api;
use super::super::super::caller::Caller;
use super::super::super::ids::fresh;
use super::super::socket::{self, Heard, Parted, read, serve};
use super::{Refusal, is_id, proven, sees_pair};
use crate::creds::ticket::Role as TicketRole;
use crate::signal::{
    Admission, Body, ErrorCode, HubLimits, Leave, LeaveReason, LeftReason, PeerId, Role, RoomId,
    ServerMessage, SignalKind,
};
use crate::time::UnixTime;

/// Turns a request for `/` into a WebSocket. The proof stands in the header, or, since pages cannot set
/// headers of a WebSocket, in the query as `token`.
pub(in crate::api::dialects) fn connect(
    api: &Arc<Api>,
    client: IpAddr,
    request: Request,
) -> Response {
    let headers = with_token(request.headers(), request.uri());
    match proven(api, &headers, client) {
        Ok(_) => {
            let api = Arc::clone(api);
            let speaker =
                Speaker { api: Arc::clone(&api), headers, client, room: None, partner: None };
            serve(&api, request, speaker)
        }
        Err(error) => Refusal::from(error).into_response(),
    }
}

fn with_token(headers: &HeaderMap, uri: &Uri) -> HeaderMap {
    let mut headers = headers.clone();
    let pairs = uri.query().unwrap_or_default().split('&');
    let token = pairs.filter_map(|pair| pair.strip_prefix("token=")).next();
    // A token has no characters that a query would have to escape.
    let value = token.and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok());
    if let Some(value) = value.filter(|_| !headers.contains_key(header::AUTHORIZATION)) {
        headers.insert(header::AUTHORIZATION, value);
    }
    headers
}

/// One client.
struct Speaker {
    api: Arc<Api>,
    /// With its proof, which is looked at again for each room: a connection outlives a session.
    headers: HeaderMap,
    client: IpAddr,
    /// The room it is in, or on its way into.
    room: Option<String>,
    /// The other one there.
    partner: Option<PeerId>,
}

/// Anything a client says; fields of other types are not looked at.
#[derive(Deserialize)]
struct Said {
    r#type: String,
    #[serde(default, rename = "roomId")]
    room_id: Option<String>,
    #[serde(default)]
    sdp: Option<String>,
    /// None: there are no more.
    #[serde(default)]
    candidate: Option<Value>,
}

impl socket::Dialect for Speaker {
    const OUTSIDE: Option<std::time::Duration> = None;

    fn refused(_: StatusCode, message: &str) -> Value {
        json!({ "error": message })
    }

    fn greeting(&mut self) -> Option<String> {
        Some(json!({ "type": "connected" }).to_string())
    }

    async fn hear(&mut self, text: &str, _: &HubLimits) -> Heard {
        let said: Said = match read(text) {
            Ok(said) => said,
            Err(bad) => return bad,
        };
        match said.r#type.as_str() {
            "join_room" => self.join(said.room_id).await,
            "leave_room" if self.room.is_none() => Heard::Answer(left(None)),
            "leave_room" => Heard::Say(Body::Leave),
            "webrtc_offer" => self.pass_on(SignalKind::Offer, said.sdp),
            "webrtc_answer" => self.pass_on(SignalKind::Answer, said.sdp),
            "ice_candidate" => {
                let candidate = said.candidate.unwrap_or_default();
                self.pass_on(SignalKind::Candidate, Some(candidate.to_string()))
            }
            "ping" => Heard::Say(Body::Ping),
            _ => Heard::Bad(ErrorCode::UnknownType, "Unknown message type".into()),
        }
    }

    fn tell(&mut self, message: &ServerMessage) -> Vec<String> {
        match message {
            ServerMessage::Ready(ready) => {
                self.partner = ready.peers.first().map(|info| info.peer.clone());
                let mut told = vec![self.about_room("room_joined")];
                told.extend(self.partner.is_some().then(|| self.about_room("room_ready")));
                told
            }
            ServerMessage::Joined(info) if self.partner.is_none() => {
                self.partner = Some(info.peer.clone());
                vec![self.about_room("room_ready")]
            }
            ServerMessage::Left { peer, reason, .. } if self.partner.as_ref() == Some(peer) => {
                self.partner = None;
                vec![self.about_room(went(*reason))]
            }
            ServerMessage::Signal { kind, from, payload }
                if self.partner.as_ref() == Some(from) =>
            {
                signal(*kind, payload).into_iter().collect()
            }
            ServerMessage::Error { code: ErrorCode::RoomFull, .. } => {
                vec![self.about_room("room_full")]
            }
            // Said to a partner who was just leaving.
            ServerMessage::Error { code: ErrorCode::NoSuchPeer, .. } => Vec::new(),
            ServerMessage::Error { code, message, .. } => vec![self.error(*code, message)],
            ServerMessage::Pong { .. } => vec![json!({ "type": "pong" }).to_string()],
            _ => Vec::new(),
        }
    }

    fn error(&mut self, code: ErrorCode, text: &str) -> String {
        json!({ "type": "error", "message": text, "code": code.as_str() }).to_string()
    }

    fn parted(&mut self, leave: &Leave) -> Parted {
        let room = self.room.take();
        self.partner = None;
        Parted::Stay(match leave.reason {
            LeaveReason::Left => vec![left(room.as_deref())],
            // It was never in, and knows why.
            LeaveReason::RoomFull | LeaveReason::RoomLocked | LeaveReason::NoSuchRoom => Vec::new(),
            LeaveReason::RoomClosed => {
                let error = self.error(ErrorCode::NoSuchRoom, "the room was closed");
                vec![error, left(room.as_deref())]
            }
            LeaveReason::Kicked | LeaveReason::Denied => {
                let error = self.error(ErrorCode::Kicked, "a host removed you from this room");
                vec![error, left(room.as_deref())]
            }
            _ => vec![left(room.as_deref())],
        })
    }
}

impl Speaker {
    async fn join(&mut self, id: Option<String>) -> Heard {
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            return Heard::Bad(ErrorCode::BadMessage, "roomId is missing".into());
        };
        if self.room.as_ref() == Some(&id) {
            return Heard::Answer(self.about_room("room_joined"));
        }
        match self.admission(&id).await {
            Ok(admission) => {
                (self.room, self.partner) = (Some(id), None);
                Heard::Enter(Box::new(admission))
            }
            Err((code, why)) => Heard::Bad(code, why.into()),
        }
    }

    /// The way into a room: as the ticket says, where one is shown for it; else into the room of a pair.
    async fn admission(&self, id: &str) -> Result<Admission, (ErrorCode, &'static str)> {
        const NO_SUCH_ROOM: (ErrorCode, &str) = (ErrorCode::NoSuchRoom, "there is no such room");
        const BUSY: (ErrorCode, &str) = (ErrorCode::Busy, "the server cannot do this just now");
        if !is_id(id) {
            return Err(NO_SUCH_ROOM);
        }
        const UNAUTHORIZED: (ErrorCode, &str) =
            (ErrorCode::Unauthorized, "what was shown is not accepted any more");
        let caller = proven(&self.api, &self.headers, self.client).map_err(|_| UNAUTHORIZED)?;
        let pair = self.api.store().pairings().find(id).map_err(|_| BUSY)?;
        if let Some(pair) = pair.filter(|pair| sees_pair(&caller, pair)) {
            let [owner, _] = pair.owners.clone();
            self.api.open_room_of_pair(id, owner, pair.created).await.map_err(|_| BUSY)?;
            self.api.pairings_used(&pair).await;
        } else if !matches!(&caller, Caller::Ticket(claims) if claims.room.as_deref() == Some(id)) {
            return Err(NO_SUCH_ROOM);
        }
        let (peer, role, name, issued) = match &caller {
            Caller::Ticket(claims) if claims.room.as_deref() == Some(id) => {
                let host = claims.role == TicketRole::Host;
                let role = if host { Role::Host } else { Role::Guest };
                (claims.sub.clone(), role, claims.name.clone(), Some(UnixTime(claims.iat)))
            }
            Caller::User { name, .. } => (fresh(), Role::Guest, Some(name.clone()), None),
            _ => (fresh(), Role::Guest, None, None),
        };
        let (peer, name) = (PeerId(peer.into()), name.map(Into::into));
        Ok(Admission { room: RoomId::from(id), peer, role, name, issued })
    }

    fn pass_on(&self, kind: SignalKind, payload: Option<String>) -> Heard {
        match payload {
            // With nobody there it reaches nobody, as the document's own server has it.
            Some(payload) => {
                let to = self.partner.clone();
                Heard::Say(Body::Signal { kind, to, payload: payload.into() })
            }
            None => Heard::Bad(ErrorCode::BadMessage, "sdp is missing".into()),
        }
    }

    fn about_room(&self, what: &str) -> String {
        json!({ "type": what, "roomId": self.room }).to_string()
    }
}

fn left(room: Option<&str>) -> String {
    json!({ "type": "left_room", "roomId": room }).to_string()
}

/// Whether the partner said goodbye, or is just not there any more.
const fn went(reason: LeftReason) -> &'static str {
    match reason {
        LeftReason::Left | LeftReason::Kicked | LeftReason::Denied => "peer_left",
        _ => "peer_disconnected",
    }
}

fn signal(kind: SignalKind, payload: &str) -> Option<String> {
    let message = match kind {
        SignalKind::Offer => json!({ "type": "webrtc_offer", "sdp": payload }),
        SignalKind::Answer => json!({ "type": "webrtc_answer", "sdp": payload }),
        SignalKind::Candidate => {
            let candidate: Value = serde_json::from_str(payload).ok()?;
            json!({ "type": "ice_candidate", "candidate": candidate })
        }
        // Nothing of the kind in this dialect.
        SignalKind::Message => return None,
    };
    Some(message.to_string())
}
