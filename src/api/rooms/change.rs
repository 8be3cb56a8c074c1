//! `PATCH /api/v1/rooms/{room}`: lock, unlock, rename. Written down first, then told to those in it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::super::body::JsonBody;
use super::super::errors::{ApiError, Code, ErrorBody};
use super::super::ids::InPath;
use super::super::{Api, Client};
use super::shapes::{RoomJson, Seen, checked_name};
use crate::signal::{Moderation, RoomId};

/// What is to be another; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(as = RoomChange)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Change {
    /// A locked room lets nobody in, but back whoever was in it a moment ago.
    locked: Option<bool>,
    /// For people; `null` takes the name away.
    #[schema(max_length = 128, value_type = Option<String>)]
    #[serde(default, deserialize_with = "given")]
    name: Option<Option<String>>,
}

/// Tells `null` from a field that is left out.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Change {
    fn decisions(self) -> Result<Vec<Moderation>, ApiError> {
        let mut decisions = Vec::with_capacity(2);
        if let Some(name) = self.name {
            let name = name.map(|name| checked_name(&name)).transpose()?.flatten();
            decisions.push(Moderation::Rename(name.map(Into::into)));
        }
        if let Some(locked) = self.locked {
            decisions.push(if locked { Moderation::Lock } else { Moderation::Unlock });
        }
        Ok(decisions)
    }
}

/// Locks, unlocks or renames a room. Everybody in it is told.
#[utoipa::path(
    patch,
    path = "/api/v1/rooms/{room}",
    tag = "rooms",
    params(("room" = String, Path, description = "The room's id")),
    request_body = Option<Change>,
    responses(
        (status = 200, body = Seen),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(in crate::api) async fn change(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    InPath(id): InPath,
    headers: HeaderMap,
    body: JsonBody<Change>,
) -> Result<Response, ApiError> {
    let caller = api.caller(&headers, client)?;
    api.room_run_by(&caller, &id)?;
    api.limiters().changes.check(client)?;
    let room = RoomId::from(id.as_str());
    for decision in body.0.decisions()? {
        api.keep(&id, &decision).await?;
        api.decide(&room, &caller, decision).await?;
    }
    let live = api.hub().room(&room).await.ok_or(Code::NoSuchRoom)?;
    Ok(Seen { room: RoomJson::owned(api.stored_room(&id)?).live(&live) }.answer())
}
