//! The rooms that are in use, and how much there is.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::fault::{Fault, FaultBody};
use crate::api::caller::Caller;
use crate::api::dialects::Dialect;
use crate::api::errors::{ApiError, Code};
use crate::api::{Api, Client, NO_STORE};
use crate::signal::{RoomId, RoomView};

/// A room in use.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomsRoom)]
pub(in crate::api::dialects) struct Room {
    room_id: String,
    connected_users: usize,
    is_active: bool,
}

/// How much there is.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomsHealth)]
pub(super) struct Health {
    /// `healthy`
    status: &'static str,
    active_connections: usize,
    rooms: usize,
}

/// Every room in use that the caller may see.
pub(in crate::api::dialects) async fn list(
    api: &Api,
    client: std::net::IpAddr,
    headers: &HeaderMap,
) -> Response {
    let listed = async {
        let caller = api.caller_of(Dialect::Rooms, headers, client)?;
        let mut rooms = Vec::new();
        for view in api.hub().rooms().await {
            if view.participants > 0 && is_shown(api, &caller, &view)? {
                rooms.push(room(&view));
            }
        }
        Ok::<_, ApiError>(rooms)
    };
    match listed.await {
        Ok(rooms) => ([(header::CACHE_CONTROL, NO_STORE)], Json(rooms)).into_response(),
        Err(error) => Fault::from(error).into_response(),
    }
}

/// One room in use.
#[utoipa::path(
    post,
    path = "/api/rooms/{room_id}/info",
    operation_id = "rooms_info",
    tag = "dialect: rooms",
    params(("room_id" = String, Path, description = "The room's name")),
    responses((status = 200, body = Room), (status = "4XX", body = FaultBody)),
    security(("proof" = []), ()),
)]
pub(super) async fn info(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let caller = api.caller_of(Dialect::Rooms, &headers, client)?;
    let view = api.hub().room(&RoomId::from(id.as_str())).await;
    let view = view.filter(|view| view.participants > 0).ok_or(Code::NoSuchRoom)?;
    if !is_shown(&api, &caller, &view)? {
        return Err(Code::NoSuchRoom.into());
    }
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(room(&view))).into_response())
}

/// As the call with POST.
#[utoipa::path(
    get,
    path = "/api/rooms/{room_id}/info",
    operation_id = "rooms_look",
    tag = "dialect: rooms",
    params(("room_id" = String, Path, description = "The room's name")),
    responses((status = 200, body = Room), (status = "4XX", body = FaultBody)),
    security(("proof" = []), ()),
)]
pub(super) async fn look(
    state: State<Arc<Api>>,
    client: Client,
    path: Path<String>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    info(state, client, path, headers).await
}

/// How much there is.
#[utoipa::path(
    get,
    path = "/health",
    operation_id = "rooms_health",
    tag = "dialect: rooms",
    responses((status = 200, body = Health), (status = "4XX", body = FaultBody)),
)]
pub(super) async fn health(State(api): State<Arc<Api>>) -> Json<Health> {
    let stats = api.hub().stats().await;
    let (active_connections, rooms) = (stats.connections, stats.rooms);
    Json(Health { status: "healthy", active_connections, rooms })
}

/// Rooms that were only ever joined are everybody's; one that somebody made is seen by whom it is
/// theirs to be seen by.
fn is_shown(api: &Api, caller: &Caller, view: &RoomView) -> Result<bool, ApiError> {
    match api.store().rooms().find(view.id.as_str())? {
        Some(room) => Ok(!matches!(caller, Caller::Anybody) && caller.may_see(&room).is_ok()),
        None => Ok(match caller {
            Caller::Anybody | Caller::User { .. } => true,
            _ => caller.may_create_rooms().is_ok() || caller.may_admin().is_ok(),
        }),
    }
}

fn room(view: &RoomView) -> Room {
    let room_id = view.id.as_str().to_owned();
    Room { room_id, connected_users: view.participants, is_active: true }
}
