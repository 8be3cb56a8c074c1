//! `POST /api/v1/rooms` and `GET /api/v1/rooms/{room}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::errors::{ApiError, Code, ErrorBody};
use super::ids::InPath;
use super::{Api, Client, NO_STORE, ids, tickets};
use crate::creds::ticket::Role;
use crate::signal::RoomId;
use crate::store::RoomRecord;

/// The longest name of a room or a person, in bytes.
pub const MAX_NAME: usize = 128;
/// The largest room that can be asked for.
pub const MAX_CAPACITY: u32 = 128;
/// How many a room takes when nobody says.
pub const DEFAULT_CAPACITY: u32 = 8;
/// How far ahead a room may end, in seconds: a year.
pub const MAX_EXPIRES_IN: u64 = 366 * 86400;

/// A room that is asked for.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewRoom)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// For people.
    #[schema(max_length = 128)]
    name: Option<String>,
    /// 8 unless said.
    #[schema(minimum = 1, maximum = 128)]
    capacity: Option<u32>,
    /// Whether guests wait for a host.
    lobby: Option<bool>,
    /// When it ends: unix seconds, within a year.
    expires: Option<u64>,
}

/// A room in answers. Times are unix seconds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Room)]
pub(super) struct RoomJson {
    id: String,
    name: Option<String>,
    capacity: u32,
    lobby: bool,
    locked: bool,
    created: u64,
    expires: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    participants: Option<usize>,
}

impl From<RoomRecord> for RoomJson {
    fn from(room: RoomRecord) -> Self {
        Self {
            id: room.id,
            name: room.name,
            capacity: room.capacity,
            lobby: room.lobby,
            locked: room.locked,
            created: room.created,
            expires: room.expires,
            participants: None,
        }
    }
}

/// A room, and the way into it.
#[derive(Serialize, ToSchema)]
pub(super) struct Entered {
    pub(super) room: RoomJson,
    /// Opens signalling; says who its holder is there.
    pub(super) ticket: String,
}

impl Entered {
    pub(super) fn answer(self, status: StatusCode) -> Response {
        (status, [(header::CACHE_CONTROL, NO_STORE)], Json(self)).into_response()
    }
}

/// Makes a room; the ticket makes its holder the host.
#[utoipa::path(
    post,
    path = "/api/v1/rooms",
    tag = "rooms",
    request_body = Option<Wanted>,
    responses(
        (status = 201, body = Entered),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn create(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    body: JsonBody<Wanted>,
) -> Result<Response, ApiError> {
    api.caller(&headers, client)?.may_create_rooms()?;
    api.limiters().rooms.check(client)?;
    let now = api.now();
    let room = body.0.into_room(now.unix.0)?;
    api.store().rooms().create(room.clone()).await?;
    if !api.open_room(&room).await {
        // What cannot be entered must not be promised again after a restart.
        api.store().rooms().delete(&room.id).await?;
        return Err(ApiError::new(Code::TooManyRooms).retry_after(60));
    }
    tracing::info!(room = %room.id, capacity = room.capacity, "room made");
    let ticket = api.tickets().sign(&tickets::for_room(now.unix, &room, Role::Host, None));
    Ok(Entered { room: room.into(), ticket }.answer(StatusCode::CREATED))
}

impl Wanted {
    fn into_room(self, now: u64) -> Result<RoomRecord, ApiError> {
        let capacity = self.capacity.unwrap_or(DEFAULT_CAPACITY);
        if !(1..=MAX_CAPACITY).contains(&capacity) {
            return Err(bad(format!("capacity must be between 1 and {MAX_CAPACITY}.")));
        }
        let furthest = now.saturating_add(MAX_EXPIRES_IN);
        if self.expires.is_some_and(|expires| expires <= now || expires > furthest) {
            return Err(bad("expires must be a time ahead, in unix seconds, within a year."));
        }
        Ok(RoomRecord {
            id: ids::fresh(),
            name: self.name.map(|name| checked_name(&name)).transpose()?.flatten(),
            capacity,
            lobby: self.lobby.unwrap_or(false),
            locked: false,
            created: now,
            expires: self.expires,
        })
    }
}

/// A name without spaces around it; `None` when nothing is left.
pub(super) fn checked_name(name: &str) -> Result<Option<String>, ApiError> {
    let name = name.trim();
    if name.len() > MAX_NAME {
        return Err(bad(format!("name must have at most {MAX_NAME} bytes.")));
    }
    if name.chars().any(char::is_control) {
        return Err(bad("name must have no control characters."));
    }
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

pub(super) fn bad(message: impl Into<std::borrow::Cow<'static, str>>) -> ApiError {
    ApiError::with(Code::BadField, message)
}

/// A room as it is now.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomSeen)]
struct Seen {
    room: RoomJson,
}

/// A room as it is now.
#[utoipa::path(
    get,
    path = "/api/v1/rooms/{room}",
    tag = "rooms",
    params(("room" = String, Path, description = "The room's id")),
    responses(
        (status = 200, body = Seen),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn look(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    InPath(id): InPath,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    api.caller(&headers, client)?.may_see(&id)?;
    let room = api.stored_room(&id)?;
    // Closed a moment ago and not forgotten yet.
    let live = api.hub().room(&RoomId::from(id.as_str())).await.ok_or(Code::NoSuchRoom)?;
    let mut json = RoomJson::from(room);
    json.locked = live.locked;
    json.participants = Some(live.participants);
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(Seen { room: json })).into_response())
}

impl Api {
    /// The room `id`, if it is stored and not over.
    pub(super) fn stored_room(&self, id: &str) -> Result<RoomRecord, ApiError> {
        if id.len() > ids::MAX_ID {
            return Err(Code::NoSuchRoom.into());
        }
        self.store()
            .rooms()
            .find(id)?
            .filter(|room| !room.is_over(self.now().unix.0))
            .ok_or_else(|| Code::NoSuchRoom.into())
    }
}
