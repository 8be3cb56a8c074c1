//! `POST /api/v1/rooms`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::body::JsonBody;
use super::super::errors::{ApiError, Code, ErrorBody};
use super::super::{Api, Client, ids, tickets};
use super::shapes::{Entered, RoomJson, bad, checked_name};
use crate::creds::ticket::Role;
use crate::store::{EventKind, RoomRecord};

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
pub(in crate::api) struct Wanted {
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
pub(in crate::api) async fn create(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    body: JsonBody<Wanted>,
) -> Result<Response, ApiError> {
    let caller = api.caller(&headers, client)?;
    caller.may_create_rooms()?;
    api.limiters().rooms.check(client)?;
    api.may_have_another_room(&caller)?;
    let now = api.now();
    let room = RoomRecord { owner: caller.owner(), ..body.0.into_room(now.unix.0)? };
    api.store().rooms().create(room.clone()).await?;
    if !api.open_room(&room).await {
        // What cannot be entered must not be promised again after a restart.
        api.store().rooms().delete(&room.id).await?;
        return Err(ApiError::new(Code::TooManyRooms).retry_after(60));
    }
    tracing::info!(room = %room.id, capacity = room.capacity, "room made");
    api.note(api.event(EventKind::RoomMade).room(&room.id).by(&caller.by()));
    let ticket = api.tickets().sign(&tickets::for_room(now.unix, &room, Role::Host, None));
    Ok(Entered { room: RoomJson::owned(room), ticket }.answer(StatusCode::CREATED))
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
            kicked: Vec::new(),
            owner: None,
            created: now,
            expires: self.expires,
        })
    }
}
