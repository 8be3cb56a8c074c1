//! `GET /api/v1/rooms/{room}`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::super::errors::{ApiError, Code, ErrorBody};
use super::super::ids::InPath;
use super::super::{Api, Client};
use super::shapes::{RoomJson, Seen};
use crate::signal::RoomId;

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
pub(in crate::api) async fn look(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    InPath(id): InPath,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let caller = api.caller(&headers, client)?;
    let room = api.room_seen_by(&caller, &id)?;
    // Closed a moment ago and not forgotten yet.
    let live = api.hub().room(&RoomId::from(id.as_str())).await.ok_or(Code::NoSuchRoom)?;
    let json = match caller.may_run(&room) {
        Ok(()) => RoomJson::owned(room),
        Err(_) => room.into(),
    };
    Ok(Seen { room: json.live(&live) }.answer())
}
