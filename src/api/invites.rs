//! One-time invites: `POST /api/v1/rooms/{room}/invites`, `POST /api/v1/invites/{invite}/redeem`.

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
use super::origin::base_url;
use super::rooms::{Entered, bad, checked_name};
use super::{Api, Client, IsHttps, NO_STORE, ids, tickets};
use crate::creds::api_key;
use crate::creds::ticket::Role;
use crate::store::InviteRecord;

/// How long an invite is good when nobody says, in seconds.
pub const DEFAULT_TTL: u64 = 15 * 60;
/// How long it may be good, in seconds: a week.
pub const MAX_TTL: u64 = 7 * 86400;

/// An invite that is asked for.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewInvite)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Seconds until it expires; 900 unless said.
    #[schema(minimum = 1, maximum = 604_800)]
    ttl: Option<u64>,
}

/// An invite.
#[derive(Serialize, ToSchema)]
#[schema(as = Invite)]
#[serde(rename_all = "camelCase")]
struct Made {
    invite: String,
    /// Opens the call page with it.
    url: String,
    expires_at: u64,
}

/// Makes a one-time invite.
#[utoipa::path(
    post,
    path = "/api/v1/rooms/{room}/invites",
    tag = "rooms",
    params(("room" = String, Path, description = "The room's id")),
    request_body = Option<Wanted>,
    responses(
        (status = 201, body = Made),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn create(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    IsHttps(is_https): IsHttps,
    InPath(room): InPath,
    headers: HeaderMap,
    body: JsonBody<Wanted>,
) -> Result<Response, ApiError> {
    api.caller(&headers, client)?.may_invite_to(&room)?;
    let ttl = body.0.ttl.unwrap_or(DEFAULT_TTL);
    if !(1..=MAX_TTL).contains(&ttl) {
        return Err(bad(format!("ttl must be between 1 and {MAX_TTL} seconds.")));
    }
    let room = api.stored_room(&room)?;
    let base = base_url(&headers, &api.settings().public_url, is_https)
        .ok_or_else(|| ApiError::with(Code::BadRequest, "The Host header is no host."))?;
    let created = api.now().unix.0;
    // An invite to a room that is over is worth nothing.
    let expires = (created + ttl).min(room.expires.unwrap_or(u64::MAX));
    let invite = ids::fresh();
    let record = InviteRecord { room: room.id, created, expires, redeemed: None };
    api.store().invites().create(api_key::hash(&invite), record).await?;
    // In the fragment, which browsers keep to themselves.
    let url = format!("{base}/#invite={invite}");
    let made = Made { invite, url, expires_at: expires };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, NO_STORE)], Json(made)).into_response())
}

/// Who comes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Guest {
    /// What others see.
    #[schema(max_length = 128)]
    name: Option<String>,
}

/// Turns an invite into a guest's ticket, once.
#[utoipa::path(
    post,
    path = "/api/v1/invites/{invite}/redeem",
    tag = "rooms",
    params(("invite" = String, Path, description = "The invite")),
    request_body = Option<Guest>,
    responses(
        (status = 200, body = Entered),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
)]
pub(super) async fn redeem(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    InPath(invite): InPath,
    body: JsonBody<Guest>,
) -> Result<Response, ApiError> {
    api.limiters().redeem.check(client)?;
    // Everything that can be refused is refused before the invite is used up.
    let name = body.0.name.map(|name| checked_name(&name)).transpose()?.flatten();
    if invite.len() > ids::MAX_ID {
        return Err(Code::NoSuchInvite.into());
    }
    let now = api.now().unix;
    let used = api.store().invites().redeem(api_key::hash(&invite), now.0).await?;
    let room = api.stored_room(&used.room)?;
    let ticket = api.tickets().sign(&tickets::for_room(now, &room, Role::Guest, name));
    Ok(Entered { room: room.into(), ticket }.answer(StatusCode::OK))
}
