//! One-time invites to a room: made, listed while they are open, taken back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::body::JsonBody;
use super::super::errors::{ApiError, Code, ErrorBody};
use super::super::ids::InPath;
use super::super::origin::base_url;
use super::super::{Api, Client, IsHttps, NO_STORE, ids};
use super::shapes::bad;
use crate::creds::api_key;
use crate::store::{EventKind, InviteRecord, invite_id};

/// How long an invite is good when nobody says, in seconds.
pub const DEFAULT_TTL: u64 = 15 * 60;
/// How long it may be good, in seconds: a week.
pub const MAX_TTL: u64 = 7 * 86400;

/// An invite that is asked for.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewInvite)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Wanted {
    /// Seconds until it expires; 900 unless said.
    #[schema(minimum = 1, maximum = 604_800)]
    ttl: Option<u64>,
}

/// An invite.
#[derive(Serialize, ToSchema)]
#[schema(as = Invite)]
#[serde(rename_all = "camelCase")]
struct Made {
    /// The secret that lets one guest in.
    invite: String,
    /// What it is listed and taken back by; no secret.
    id: String,
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
pub(in crate::api) async fn create(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    IsHttps(is_https): IsHttps,
    InPath(id): InPath,
    headers: HeaderMap,
    body: JsonBody<Wanted>,
) -> Result<Response, ApiError> {
    let caller = api.caller(&headers, client)?;
    let room = api.room_run_by(&caller, &id)?;
    api.limiters().changes.check(client)?;
    let ttl = body.0.ttl.unwrap_or(DEFAULT_TTL);
    if !(1..=MAX_TTL).contains(&ttl) {
        return Err(bad(format!("ttl must be between 1 and {MAX_TTL} seconds.")));
    }
    let base = base_url(&headers, &api.settings().public_url, is_https)
        .ok_or_else(|| ApiError::with(Code::BadRequest, "The Host header is no host."))?;
    let created = api.now().unix.0;
    // An invite to a room that is over is worth nothing.
    let expires = (created + ttl).min(room.expires.unwrap_or(u64::MAX));
    let invite = ids::fresh();
    let event = api.event(EventKind::InviteMade).room(&room.id).by(&caller.by());
    let record = InviteRecord { room: room.id, created, expires, redeemed: None, revoked: None };
    let hash = api_key::hash(&invite);
    api.store().invites().create(hash, record).await?;
    api.note(event.with("invite", invite_id(&hash)).with("expiresAt", expires));
    // In the fragment, which browsers keep to themselves.
    let url = format!("{base}/#invite={invite}");
    let made = Made { invite, id: invite_id(&hash), url, expires_at: expires };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, NO_STORE)], Json(made)).into_response())
}

/// An invite nobody has used yet.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenInvite)]
#[serde(rename_all = "camelCase")]
struct Open {
    /// What it is taken back by; no secret.
    id: String,
    expires_at: u64,
    created: u64,
}

/// The open invites of a room.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenInvites)]
struct OpenInvites {
    /// Oldest first.
    invites: Vec<Open>,
}

/// The invites that are still open; at most 256.
#[utoipa::path(
    get,
    path = "/api/v1/rooms/{room}/invites",
    tag = "rooms",
    params(("room" = String, Path, description = "The room's id")),
    responses(
        (status = 200, body = OpenInvites),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(in crate::api) async fn list(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    InPath(id): InPath,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let room = api.room_run_by(&api.caller(&headers, client)?, &id)?;
    let open = api.store().invites().open(&room.id, api.now().unix.0)?;
    let shape = |(id, invite): (_, InviteRecord)| Open {
        id,
        expires_at: invite.expires,
        created: invite.created,
    };
    let listed = OpenInvites { invites: open.into_iter().map(shape).collect() };
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(listed)).into_response())
}

/// Takes an open invite back: whoever redeems it later is told `invite_revoked`. A ticket it was
/// already redeemed for is not touched; kick its holder.
#[utoipa::path(
    delete,
    path = "/api/v1/rooms/{room}/invites/{id}",
    tag = "rooms",
    params(
        ("room" = String, Path, description = "The room's id"),
        ("id" = String, Path, description = "The invite's id, which is not the invite"),
    ),
    responses(
        (status = 204, description = "It is worthless now, or was taken back before"),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(in crate::api) async fn revoke(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    InPath((room, invite)): InPath<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let caller = api.caller(&headers, client)?;
    let room = api.room_run_by(&caller, &room)?;
    api.limiters().changes.check(client)?;
    if invite.len() > ids::MAX_ID {
        return Err(Code::NoSuchInvite.into());
    }
    api.store().invites().revoke(&room.id, &invite, api.now().unix.0).await?;
    let event = api.event(EventKind::InviteRevoked).room(&room.id).by(&caller.by());
    api.note(event.with("invite", invite));
    Ok(StatusCode::NO_CONTENT)
}
