//! Who is in a room and who waits; what a host decides about them, over HTTP.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::caller::Caller;
use super::super::errors::{ApiError, Code, ErrorBody};
use super::super::ids::InPath;
use super::super::{Api, Client, NO_STORE};
use crate::signal::{ErrorCode, Moderation, PeerId, PeerInfo, RoomId, WaitingInfo};

/// Somebody in a room.
#[derive(Serialize, ToSchema)]
struct Participant {
    peer: String,
    name: Option<String>,
    /// `host` or `guest`.
    role: &'static str,
    /// Whether it sends media.
    publishing: bool,
    /// Without a connection it may still come back, for half a minute.
    connected: bool,
}

/// Somebody in a lobby.
#[derive(Serialize, ToSchema)]
struct Waiting {
    peer: String,
    name: Option<String>,
}

/// Who is there, each in the order they came.
#[derive(Serialize, ToSchema)]
struct Participants {
    participants: Vec<Participant>,
    waiting: Vec<Waiting>,
}

impl From<PeerInfo> for Participant {
    fn from(info: PeerInfo) -> Self {
        Self {
            peer: info.peer.to_string(),
            name: info.name.as_deref().map(str::to_owned),
            role: info.role.as_str(),
            publishing: info.publishing,
            connected: info.connected,
        }
    }
}

impl From<WaitingInfo> for Waiting {
    fn from(info: WaitingInfo) -> Self {
        Self { peer: info.peer.to_string(), name: info.name.as_deref().map(str::to_owned) }
    }
}

/// Who is in the room and who waits in its lobby.
#[utoipa::path(
    get,
    path = "/api/v1/rooms/{room}/participants",
    tag = "rooms",
    params(("room" = String, Path, description = "The room's id")),
    responses(
        (status = 200, body = Participants),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(in crate::api) async fn participants(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    InPath(id): InPath,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    api.room_run_by(&api.caller(&headers, client)?, &id)?;
    let there = api.hub().presence(&RoomId::from(id.as_str())).await.ok_or(Code::NoSuchRoom)?;
    let people = Participants {
        participants: there.peers.into_iter().map(Into::into).collect(),
        waiting: there.waiting.into_iter().map(Into::into).collect(),
    };
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(people)).into_response())
}

macro_rules! decisions {
    ($($(#[$about:meta])* $name:ident $word:literal $decision:path;)*) => {$(
        $(#[$about])*
        #[utoipa::path(
            post,
            path = concat!("/api/v1/rooms/{room}/participants/{peer}/", $word),
            tag = "rooms",
            params(
                ("room" = String, Path, description = "The room's id"),
                ("peer" = String, Path, description = "The peer's id"),
            ),
            responses(
                (status = 204, description = "Done"),
                (status = "4XX", body = ErrorBody),
                (status = "5XX", body = ErrorBody),
            ),
            security(("proof" = [])),
        )]
        pub(in crate::api) async fn $name(
            State(api): State<Arc<Api>>,
            Client(client): Client,
            InPath((room, peer)): InPath<(String, String)>,
            headers: HeaderMap,
        ) -> Result<StatusCode, ApiError> {
            let caller = api.caller(&headers, client)?;
            api.room_run_by(&caller, &room)?;
            api.limiters().changes.check(client)?;
            let decision = $decision(PeerId::from(peer.as_str()));
            let room = RoomId::from(room.as_str());
            api.decide(&room, &caller, decision.clone()).await?;
            // The follower of events writes it down too; here it is waited for.
            api.keep(room.as_str(), &decision).await?;
            Ok(StatusCode::NO_CONTENT)
        }
    )*};
}

decisions! {
    /// Removes a peer from the room; its ticket is refused from then on. With a new invite the person
    /// may come again.
    kick "kick" Moderation::Kick;
    /// Lets a guest in that waits in the lobby.
    admit "admit" Moderation::Admit;
    /// Sends a guest away that waits in the lobby.
    deny "deny" Moderation::Deny;
}

impl Api {
    /// Has the open room do what `caller`, who may, decided.
    pub(in crate::api) async fn decide(
        &self,
        room: &RoomId,
        caller: &Caller,
        what: Moderation,
    ) -> Result<(), ApiError> {
        let done = self.hub().moderate(room, caller.as_actor(), what).await;
        done.map_err(|code| match code {
            ErrorCode::NoSuchPeer => Code::NoSuchPeer.into(),
            ErrorCode::RoomFull => Code::RoomFull.into(),
            ErrorCode::RoomLocked => Code::RoomLocked.into(),
            _ => ApiError::new(Code::NoSuchRoom),
        })
    }
}
