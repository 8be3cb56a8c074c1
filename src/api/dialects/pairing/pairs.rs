//! What becomes of pairs: looked at, ended, purged, counted.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::super::caller::Caller;
use super::super::super::{Api, Client, NO_STORE};
use super::fields::{Done, Given, MAX_DEVICE, Room, required, text};
use super::{Refusal, RefusalBody, is_id, proven, seen_by, sees_pair};
use crate::store::PairRecord;

/// Two devices and their room.
#[derive(Serialize, ToSchema)]
#[schema(as = PairingPair)]
pub(in crate::api::dialects) struct Pair {
    roomid: String,
    client1: String,
    client2: String,
}

/// `GET /api/rooms?roomid=…`: the path is shared with another dialect.
pub(in crate::api::dialects) fn look(
    api: &Api,
    client: IpAddr,
    headers: &HeaderMap,
    roomid: &str,
) -> Response {
    let found = proven(api, headers, client).map_err(Refusal::from).and_then(|caller| {
        if roomid.is_empty() {
            return Err(Refusal::MissingField);
        }
        find(api, &caller, roomid)?.ok_or(Refusal::NotFound)
    });
    found.map(pair).into_response()
}

fn pair(pair: PairRecord) -> Response {
    let PairRecord { id: roomid, client1, client2, .. } = pair;
    let pair = Pair { roomid, client1, client2 };
    ([(header::CACHE_CONTROL, NO_STORE)], Json(pair)).into_response()
}

fn find(api: &Api, caller: &Caller, id: &str) -> Result<Option<PairRecord>, Refusal> {
    if !is_id(id) {
        return Ok(None);
    }
    Ok(api.store().pairings().find(id)?.filter(|pair| sees_pair(caller, pair)))
}

/// Ends a pairing; whoever is in its room is sent away. Done when there is none, too (`pairing`).
#[utoipa::path(
    delete,
    path = "/api/rooms",
    operation_id = "pairing_delete",
    tag = "dialect: pairing",
    request_body = Room,
    responses(
        (status = 200, body = Done),
        (status = "4XX", body = RefusalBody),
        (status = "5XX", body = RefusalBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn delete(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    body: Given<Room>,
) -> Result<Response, Refusal> {
    let caller = proven(&api, &headers, client)?;
    caller.may_create_rooms()?;
    api.limiters().changes.check(client)?;
    let id = required(body?.0.roomid, usize::MAX)?;
    if let Some(pair) = find(&api, &caller, &id)? {
        api.store().pairings().delete(&pair.id).await?;
        api.close_room_of_pair(&pair.id).await?;
    }
    Ok(Json(Done { ok: true }).into_response())
}

/// A device that is to be forgotten.
#[derive(Deserialize, ToSchema)]
#[schema(as = PairingDevice)]
pub(super) struct Device {
    /// Its name.
    #[serde(default, rename = "deviceId", deserialize_with = "text")]
    #[schema(value_type = String, required, min_length = 1, max_length = 128)]
    device_id: Option<String>,
}

/// What a purge removed.
#[derive(Serialize, ToSchema)]
#[schema(as = PairingPurged)]
#[serde(rename_all = "camelCase")]
pub(super) struct Purged {
    ok: bool,
    rooms_deleted: usize,
    pendings_deleted: usize,
}

/// Forgets every pairing and join code of a device (`pairing`).
#[utoipa::path(
    post,
    path = "/api/user/purge",
    operation_id = "pairing_purge",
    tag = "dialect: pairing",
    request_body = Device,
    responses(
        (status = 200, body = Purged),
        (status = "4XX", body = RefusalBody),
        (status = "5XX", body = RefusalBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn purge(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    body: Given<Device>,
) -> Result<Response, Refusal> {
    let caller = proven(&api, &headers, client)?;
    caller.may_create_rooms()?;
    api.limiters().changes.check(client)?;
    let device = required(body?.0.device_id, MAX_DEVICE)?;
    let purged = api.store().pairings().purge(&device, seen_by(&caller)).await?;
    for id in &purged.pairs {
        api.close_room_of_pair(id).await?;
    }
    let (rooms_deleted, pendings_deleted) = (purged.pairs.len(), purged.pendings);
    Ok(Json(Purged { ok: true, rooms_deleted, pendings_deleted }).into_response())
}

/// Rooms of pairs with somebody in them.
#[derive(Serialize, ToSchema)]
#[schema(as = PairingRooms)]
pub(super) struct Rooms {
    rooms: Vec<RoomCount>,
}

/// A room of a pair, and how many are in it.
#[derive(Serialize, ToSchema)]
#[schema(as = PairingRoomCount)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoomCount {
    room_id: String,
    clients: usize,
}

/// Rooms with somebody in them, for debugging. Where strangers are served they see the first characters
/// of ids: with a whole one they could come in (`pairing`).
#[utoipa::path(
    get,
    path = "/rooms",
    operation_id = "pairing_list",
    tag = "dialect: pairing",
    responses(
        (status = 200, body = Rooms),
        (status = "4XX", body = RefusalBody),
        (status = "5XX", body = RefusalBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    /// Characters of an id that strangers see.
    const SHOWN: usize = 6;
    let caller = proven(&api, &headers, client)?;
    caller.may_create_rooms()?;
    let masked = matches!(caller, Caller::Anybody) && !api.settings().open_minting;
    let mut rooms = Vec::new();
    for room in api.hub().rooms().await.into_iter().filter(|room| room.participants > 0) {
        let Some(pair) = find(&api, &caller, room.id.as_str())? else { continue };
        let room_id = if masked { format!("{}…", &pair.id[..SHOWN]) } else { pair.id };
        rooms.push(RoomCount { room_id, clients: room.participants });
    }
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(Rooms { rooms })).into_response())
}
