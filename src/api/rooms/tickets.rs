//! `POST /api/v1/rooms/{room}/tickets`: the owner's own way in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::body::JsonBody;
use super::super::errors::{ApiError, ErrorBody};
use super::super::ids::InPath;
use super::super::{Api, Client, tickets};
use super::shapes::{Entered, RoomJson, checked_name};
use crate::creds::ticket::Role;

/// What its holder is in the room.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Seat {
    Host,
    Guest,
}

/// A ticket that is asked for.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewTicket)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Wanted {
    /// `host` unless said.
    role: Option<Seat>,
    /// What others see.
    #[schema(max_length = 128)]
    name: Option<String>,
}

/// Another ticket for a room: its owner comes in again, or another host or guest without an invite.
#[utoipa::path(
    post,
    path = "/api/v1/rooms/{room}/tickets",
    tag = "rooms",
    params(("room" = String, Path, description = "The room's id")),
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
    InPath(id): InPath,
    headers: HeaderMap,
    body: JsonBody<Wanted>,
) -> Result<Response, ApiError> {
    let room = api.room_owned_by(&api.caller(&headers, client)?, &id)?;
    api.limiters().changes.check(client)?;
    let name = body.0.name.map(|name| checked_name(&name)).transpose()?.flatten();
    let role = match body.0.role.unwrap_or(Seat::Host) {
        Seat::Host => Role::Host,
        Seat::Guest => Role::Guest,
    };
    let ticket = api.tickets().sign(&tickets::for_room(api.now().unix, &room, role, name));
    Ok(Entered { room: RoomJson::owned(room), ticket }.answer(StatusCode::CREATED))
}
