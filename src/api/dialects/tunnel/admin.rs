//! `/admin/…`: what its operators do with rooms. Everything needs an admin, also where strangers are
//! served.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Fault, FaultBody};
use crate::api::body::JsonBody;
use crate::api::caller::Caller;
use crate::api::errors::{ApiError, Code};
use crate::api::{Api, Client, NO_STORE};
use crate::signal::{CloseReason, ErrorCode, Moderation, PeerId, RoomId};
use crate::store::EventKind;

/// A room.
#[derive(Serialize, ToSchema)]
#[schema(as = TunnelRoom)]
struct Room {
    #[serde(rename = "roomID")]
    id: String,
    name: Option<String>,
    locked: bool,
    /// Unix seconds.
    created_at: u64,
    participants: usize,
}

/// The rooms that are open.
#[derive(Serialize, ToSchema)]
#[schema(as = TunnelRooms)]
struct Rooms {
    rooms: Vec<Room>,
}

/// Whether a room admits nobody.
#[derive(Serialize, ToSchema)]
#[schema(as = TunnelLocked)]
pub(super) struct Locked {
    #[serde(rename = "roomID")]
    room: String,
    locked: bool,
}

/// Who is to go.
#[derive(Deserialize, ToSchema)]
#[schema(as = TunnelKick)]
#[serde(deny_unknown_fields)]
struct Kick {
    #[serde(rename = "userID")]
    user: String,
}

/// Every open room.
#[utoipa::path(
    get,
    path = "/admin/rooms",
    operation_id = "tunnel_admin_rooms",
    tag = "dialect: tunnel",
    responses((status = 200, body = Rooms), (status = "4XX", body = FaultBody)),
    security(("proof" = [])),
)]
pub(super) async fn rooms(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    admin(&api, &headers, client)?;
    let rooms = api.hub().rooms().await.into_iter().map(|view| Room {
        id: view.id.as_str().to_owned(),
        name: view.name.as_deref().map(str::to_owned),
        locked: view.locked,
        created_at: view.created.0,
        participants: view.participants,
    });
    let cache = [(axum::http::header::CACHE_CONTROL, NO_STORE)];
    Ok((cache, Json(Rooms { rooms: rooms.collect() })).into_response())
}

/// Closes a room.
#[utoipa::path(
    delete,
    path = "/admin/rooms/{roomID}",
    operation_id = "tunnel_admin_close",
    tag = "dialect: tunnel",
    params(("roomID" = String, Path, description = "The room's id")),
    responses((status = 204), (status = "4XX", body = FaultBody)),
    security(("proof" = [])),
)]
pub(super) async fn close(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    Path(room): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Fault> {
    let caller = admin(&api, &headers, client)?;
    let room = RoomId::from(room.as_str());
    if api.hub().room(&room).await.is_none() {
        return Err(Code::NoSuchRoom.into());
    }
    let event = api.event(EventKind::Moderation).room(room.as_str()).by(&caller.by());
    api.note(event.with("action", "close"));
    // First where it would come back from after a restart.
    api.store().rooms().delete(room.as_str()).await?;
    api.hub().close_room(&room, CloseReason::Asked).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets nobody in from now on.
#[utoipa::path(
    post,
    path = "/admin/rooms/{roomID}/lock",
    operation_id = "tunnel_admin_lock",
    tag = "dialect: tunnel",
    params(("roomID" = String, Path, description = "The room's id")),
    responses((status = 200, body = Locked), (status = "4XX", body = FaultBody)),
    security(("proof" = [])),
)]
pub(super) async fn lock(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    Path(room): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Locked>, Fault> {
    decide(&api, client, &headers, &room, Moderation::Lock).await?;
    Ok(Json(Locked { room, locked: true }))
}

/// Lets people in again.
#[utoipa::path(
    post,
    path = "/admin/rooms/{roomID}/unlock",
    operation_id = "tunnel_admin_unlock",
    tag = "dialect: tunnel",
    params(("roomID" = String, Path, description = "The room's id")),
    responses((status = 200, body = Locked), (status = "4XX", body = FaultBody)),
    security(("proof" = [])),
)]
pub(super) async fn unlock(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    Path(room): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Locked>, Fault> {
    decide(&api, client, &headers, &room, Moderation::Unlock).await?;
    Ok(Json(Locked { room, locked: false }))
}

/// Removes somebody from a room for good.
#[utoipa::path(
    post,
    path = "/admin/rooms/{roomID}/kick",
    operation_id = "tunnel_admin_kick",
    tag = "dialect: tunnel",
    params(("roomID" = String, Path, description = "The room's id")),
    request_body = Kick,
    responses((status = 204), (status = "4XX", body = FaultBody)),
    security(("proof" = [])),
)]
pub(super) async fn kick(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    Path(room): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<StatusCode, Fault> {
    let JsonBody(Kick { user }) = JsonBody::from_request(request, &()).await?;
    decide(&api, client, &headers, &room, Moderation::Kick(PeerId(user.into()))).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn admin(api: &Api, headers: &HeaderMap, client: IpAddr) -> Result<Caller, ApiError> {
    let caller = api.caller(headers, client)?;
    caller.may_admin()?;
    Ok(caller)
}

async fn decide(
    api: &Api,
    client: IpAddr,
    headers: &HeaderMap,
    room: &str,
    what: Moderation,
) -> Result<(), ApiError> {
    let by = admin(api, headers, client)?.as_actor();
    let decided = api.hub().moderate(&RoomId::from(room), by, what.clone()).await;
    decided.map_err(|code| match code {
        ErrorCode::NoSuchPeer => Code::NoSuchPeer,
        _ => Code::NoSuchRoom,
    })?;
    // The follower of events writes it down too; here it is waited for.
    Ok(api.keep(room, &what).await?)
}
