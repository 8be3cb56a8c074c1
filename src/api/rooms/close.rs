//! `DELETE /api/v1/rooms/{room}`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use super::super::errors::{ApiError, ErrorBody};
use super::super::ids::InPath;
use super::super::{Api, Client};
use crate::signal::{CloseReason, RoomId};
use crate::store::EventKind;

/// Closes a room for good: everybody in it is told `leave{reason: "room_closed"}`, its tickets and
/// invites are worth nothing any more.
#[utoipa::path(
    delete,
    path = "/api/v1/rooms/{room}",
    tag = "rooms",
    params(("room" = String, Path, description = "The room's id")),
    responses(
        (status = 204, description = "It is closed"),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(in crate::api) async fn close(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    InPath(id): InPath,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let caller = api.caller(&headers, client)?;
    let room = api.room_owned_by(&caller, &id)?;
    let event = api.event(EventKind::Moderation).room(&room.id).by(&caller.by());
    api.note(event.with("action", "close"));
    // First where it would come back from after a restart.
    api.store().rooms().delete(&room.id).await?;
    api.hub().close_room(&RoomId::from(id.as_str()), CloseReason::Asked).await;
    tracing::info!(room = %room.id, by = ?caller.as_actor(), "room closed");
    Ok(StatusCode::NO_CONTENT)
}
