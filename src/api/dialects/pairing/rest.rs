//! `/api/rooms`, `/api/user/purge` and `/rooms`: join codes, and what becomes of them.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::super::body::LooseJson;
use super::super::super::caller::Caller;
use super::super::super::errors::ApiError;
use super::super::super::{Api, Client, NO_STORE, ids};
use super::super::with_its_405;
use super::{Refusal, RefusalBody, is_id, is_seen, proven, sees, sees_pair, shown_by};
use crate::store::{PairRecord, PendingRecord};
use crate::time::UnixTime;

/// The longest join code, in bytes.
const MAX_CODE: usize = 64;
/// The longest name of a device, in bytes.
const MAX_DEVICE: usize = 128;
/// The longest text of a date, in bytes.
const MAX_DATE: usize = 64;
/// A join code is good for so long at most, whatever was asked for: a code that is short enough to be
/// typed must not wait for ever to be guessed. Seconds.
const MAX_PENDING: u64 = 30 * 86_400;

/// The calls of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    let calls =
        [routes!(create, delete), routes!(accept), routes!(check), routes!(purge), routes!(list)];
    calls.into_iter().fold(OpenApiRouter::new(), |router, call| {
        router.routes(with_its_405(call, |error| Refusal::from(error).into_response()))
    })
}

/// A body, or why there is none.
type Given<T> = Result<LooseJson<T>, ApiError>;

/// A join code on offer.
#[derive(Deserialize, ToSchema)]
#[schema(as = PairingOffer)]
struct Offer {
    /// The code to tell the other device.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required, min_length = 1, max_length = 64)]
    joinid: Option<String>,
    /// Until when: ISO 8601, in UTC.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required, format = DateTime)]
    exp: Option<String>,
    /// The name of this device.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required, min_length = 1, max_length = 128)]
    client1: Option<String>,
}

/// Yes.
#[derive(Serialize, ToSchema)]
#[schema(as = PairingDone)]
struct Done {
    ok: bool,
}

/// Offers a join code (`pairing`).
#[utoipa::path(
    post,
    path = "/api/rooms",
    operation_id = "pairing_create",
    tag = "dialect: pairing",
    request_body = Offer,
    responses(
        (status = 201, body = Done),
        (status = "4XX", body = RefusalBody),
        (status = "5XX", body = RefusalBody),
    ),
    security(("proof" = [])),
)]
async fn create(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    body: Given<Offer>,
) -> Result<Response, Refusal> {
    let caller = proven(&api, &headers, client)?;
    caller.may_create_rooms()?;
    api.limiters().rooms.check(client)?;
    let offer = body?.0;
    let code = required(offer.joinid, MAX_CODE)?;
    let exp = required(offer.exp, MAX_DATE)?;
    let client1 = required(offer.client1, MAX_DEVICE)?;
    let exp = UnixTime::parse(&exp).ok_or(Refusal::InvalidField)?;
    let now = api.now().unix.0;
    let expires = exp.0.min(now.saturating_add(MAX_PENDING));
    let pending = PendingRecord { client1, owner: shown_by(&caller), expires, pair: None };
    api.store().pairings().offer(&code, pending, now).await?;
    Ok((StatusCode::CREATED, Json(Done { ok: true })).into_response())
}

/// Somebody who was told a join code.
#[derive(Deserialize, ToSchema)]
#[schema(as = PairingAcceptance)]
struct Acceptance {
    /// The code.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required, min_length = 1, max_length = 64)]
    joinid: Option<String>,
    /// The name of this device.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required, min_length = 1, max_length = 128)]
    client2: Option<String>,
}

/// The room of a pair.
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(as = PairingRoom)]
struct Room {
    /// Its id.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required, min_length = 1)]
    roomid: Option<String>,
}

/// Accepts a join code, once; makes the room (`pairing`).
#[utoipa::path(
    post,
    path = "/api/rooms/accept",
    operation_id = "pairing_accept",
    tag = "dialect: pairing",
    request_body = Acceptance,
    responses(
        (status = 200, body = Room),
        (status = "4XX", body = RefusalBody),
        (status = "5XX", body = RefusalBody),
    ),
    security(("proof" = [])),
)]
async fn accept(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    body: Given<Acceptance>,
) -> Result<Response, Refusal> {
    let caller = proven(&api, &headers, client)?;
    caller.may_create_rooms()?;
    // Right guesses count too, or a wrong one would tell that the limit is reached and no more.
    api.limiters().join_codes.check(client)?;
    let Acceptance { joinid, client2 } = body?.0;
    let (code, client2) = (required(joinid, MAX_CODE)?, required(client2, MAX_DEVICE)?);
    let now = api.now().unix.0;
    let pairings = api.store().pairings();
    let pending = pairings.pending(&code, now)?.ok_or(Refusal::NotFoundOrExpired)?;
    if pending.pair.is_some() {
        return Err(Refusal::Conflict);
    }
    // The room first: what is acknowledged can be entered.
    let id = ids::fresh();
    api.open_room_of_pair(&id, pending.owner).await?;
    let pair = PairRecord {
        id: id.clone(),
        client1: pending.client1,
        client2,
        owners: [None, shown_by(&caller)],
        created: now,
        used: now,
    };
    if let Err(error) = pairings.accept(&code, pair, now).await {
        api.close_room_of_pair(&id).await?;
        return Err(error.into());
    }
    tracing::info!(room = %id, "devices paired");
    Ok(room(id))
}

fn room(id: String) -> Response {
    ([(header::CACHE_CONTROL, NO_STORE)], Json(Room { roomid: Some(id) })).into_response()
}

/// Somebody who offered a join code.
#[derive(Deserialize, ToSchema)]
#[schema(as = PairingQuestion)]
struct Question {
    /// The code.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required, min_length = 1, max_length = 64)]
    joinid: Option<String>,
    /// The name of this device.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required, min_length = 1, max_length = 128)]
    client1: Option<String>,
}

/// Whether a join code was accepted; then it is forgotten with the answer (`pairing`).
#[utoipa::path(
    post,
    path = "/api/rooms/check",
    operation_id = "pairing_check",
    tag = "dialect: pairing",
    request_body = Question,
    responses(
        (status = 200, body = Room),
        (status = 204, description = "Not yet"),
        (status = "4XX", body = RefusalBody),
        (status = "5XX", body = RefusalBody),
    ),
    security(("proof" = [])),
)]
async fn check(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    body: Given<Question>,
) -> Result<Response, Refusal> {
    let caller = proven(&api, &headers, client)?;
    caller.may_create_rooms()?;
    api.limiters().polls.check(client)?;
    let Question { joinid, client1 } = body?.0;
    let (code, client1) = (required(joinid, MAX_CODE)?, required(client1, MAX_DEVICE)?);
    let now = api.now().unix.0;
    let pairings = api.store().pairings();
    let sees = sees(&caller);
    let pending = pairings
        .pending(&code, now)?
        .filter(|it| it.client1 == client1 && is_seen(sees.as_ref(), it.owner.as_ref()))
        .ok_or(Refusal::NotFoundOrExpired)?;
    if pending.pair.is_none() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(room(pairings.collect(&code, now).await?))
}

/// Two devices and their room.
#[derive(Serialize, ToSchema)]
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
async fn delete(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    body: Given<Room>,
) -> Result<Response, Refusal> {
    let caller = proven(&api, &headers, client)?;
    caller.may_create_rooms()?;
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
struct Device {
    /// Its name.
    #[serde(default, rename = "deviceId", deserialize_with = "text")]
    #[schema(value_type = String, required, min_length = 1, max_length = 128)]
    device_id: Option<String>,
}

/// What a purge removed.
#[derive(Serialize, ToSchema)]
#[schema(as = PairingPurged)]
#[serde(rename_all = "camelCase")]
struct Purged {
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
async fn purge(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    body: Given<Device>,
) -> Result<Response, Refusal> {
    let caller = proven(&api, &headers, client)?;
    caller.may_create_rooms()?;
    let device = required(body?.0.device_id, MAX_DEVICE)?;
    let purged = api.store().pairings().purge(&device, sees(&caller)).await?;
    for id in &purged.pairs {
        api.close_room_of_pair(id).await?;
    }
    let (rooms_deleted, pendings_deleted) = (purged.pairs.len(), purged.pendings);
    Ok(Json(Purged { ok: true, rooms_deleted, pendings_deleted }).into_response())
}

/// Rooms of pairs with somebody in them.
#[derive(Serialize, ToSchema)]
#[schema(as = PairingRooms)]
struct Rooms {
    rooms: Vec<RoomCount>,
}

/// A room of a pair, and how many are in it.
#[derive(Serialize, ToSchema)]
#[schema(as = PairingRoomCount)]
#[serde(rename_all = "camelCase")]
struct RoomCount {
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
async fn list(
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

/// A text; anything else counts as none, so that it is the field that is missing and not the JSON that
/// is wrong.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(Some(text)),
        _ => Ok(None),
    }
}

fn required(field: Option<String>, most: usize) -> Result<String, Refusal> {
    let text = field.filter(|text| !text.is_empty()).ok_or(Refusal::MissingField)?;
    if text.len() > most { Err(Refusal::InvalidField) } else { Ok(text) }
}
