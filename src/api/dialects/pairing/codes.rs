//! Join codes: offered, accepted, and asked about until they are.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::super::{Api, Client, NO_STORE, ids};
use super::fields::{Done, Given, MAX_DEVICE, Room, required, text};
use super::{Refusal, RefusalBody, proven, seen_by, shown_by};
use crate::store::{PairRecord, PendingRecord};
use crate::time::UnixTime;

/// The longest join code, in bytes.
const MAX_CODE: usize = 64;
/// The longest text of a date, in bytes.
const MAX_DATE: usize = 64;
/// A join code is good for so long at most, whatever was asked for: a code that is short enough to be
/// typed must not wait for ever to be guessed. Seconds.
const MAX_PENDING: u64 = 30 * 86_400;

/// A join code on offer.
#[derive(Deserialize, ToSchema)]
#[schema(as = PairingOffer)]
pub(super) struct Offer {
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
pub(super) async fn create(
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
pub(super) struct Acceptance {
    /// The code.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required, min_length = 1, max_length = 64)]
    joinid: Option<String>,
    /// The name of this device.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required, min_length = 1, max_length = 128)]
    client2: Option<String>,
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
pub(super) async fn accept(
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
    api.open_room_of_pair(&id, pending.owner, now).await?;
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
pub(super) struct Question {
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
pub(super) async fn check(
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
    let whose = seen_by(&caller);
    let pending = pairings
        .pending(&code, now)?
        .filter(|it| it.client1 == client1 && whose.includes(it.owner.as_ref()))
        .ok_or(Refusal::NotFoundOrExpired)?;
    if pending.pair.is_none() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(room(pairings.collect(&code, now).await?))
}
