//! `POST /invite`: a one-time invite of 64 random bytes, for the host to pass on.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::token::TokenRole;
use super::tokens::INVITE;
use super::{Fault, FaultBody, Proof};
use crate::api::body::JsonBody;
use crate::api::caller::Caller;
use crate::api::errors::{ApiError, Code};
use crate::api::{
    Api, Client, DEFAULT_INVITE_TTL, IsHttps, MAX_INVITE_TTL, NO_STORE, origin::base_url,
};
use crate::creds::api_key;
use crate::store::{EventKind, InviteRecord, invite_id};

/// An invite that is asked for.
#[derive(Deserialize, ToSchema)]
#[schema(as = TunnelNewInvite)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The room; that of the token which is shown, unless said.
    #[serde(rename = "roomID")]
    room: Option<String>,
    /// Seconds until it expires; 900 unless said.
    #[schema(minimum = 1, maximum = 604_800)]
    ttl: Option<u64>,
}

/// An invite.
#[derive(Serialize, ToSchema)]
#[schema(as = TunnelInvite)]
struct Made {
    /// 128 hexadecimal digits; good once, at `/token`.
    invite: String,
    #[serde(rename = "roomID")]
    room: String,
    /// Unix seconds.
    expires_at: u64,
    /// Opens the call page with it.
    url: String,
}

/// Makes a one-time invite.
#[utoipa::path(
    post,
    path = "/invite",
    operation_id = "tunnel_invite",
    tag = "dialect: tunnel",
    request_body = Wanted,
    responses(
        (status = 201, body = Made),
        (status = "4XX", body = FaultBody),
        (status = "5XX", body = FaultBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn invite(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    IsHttps(is_https): IsHttps,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Fault> {
    let JsonBody(wanted): JsonBody<Wanted> = JsonBody::from_request(request, &()).await?;
    let proof = api.tunnel_proof(&headers, client, Duration::ZERO)?;
    let room = match (&proof, &wanted.room) {
        (Proof::Token(claims), None) => claims.room.clone(),
        (_, Some(room)) => room.clone(),
        (Proof::Native(_), None) => return Err(bad("roomID is needed.").into()),
    };
    let ttl = wanted.ttl.unwrap_or(DEFAULT_INVITE_TTL);
    if !(1..=MAX_INVITE_TTL).contains(&ttl) {
        return Err(bad("ttl must be 1 to 604800 seconds.").into());
    }
    let room = api.stored_room(&room)?;
    match &proof {
        Proof::Token(claims) if claims.room == room.id && claims.role == TokenRole::Host => {}
        // A stranger is nobody's host.
        Proof::Token(_) | Proof::Native(Caller::Anybody) => return Err(Code::Forbidden.into()),
        Proof::Native(caller) => caller.may_run(&room)?,
    }
    api.limiters().changes.check(client)?;
    let base = base_url(&headers, &api.settings().public_url, is_https)
        .ok_or_else(|| ApiError::with(Code::BadRequest, "The Host header is no host."))?;
    let created = api.now().unix.0;
    let expires = (created + ttl).min(room.expires.unwrap_or(u64::MAX));
    let invite = fresh();
    let (redeemed, revoked) = (None, None);
    let record = InviteRecord { room: room.id.clone(), created, expires, redeemed, revoked };
    let hash = api_key::hash(&invite);
    api.store().invites().create(hash, record).await?;
    let by = match &proof {
        Proof::Token(claims) => format!("peer:{}", claims.sub),
        Proof::Native(caller) => caller.by(),
    };
    let event = api.event(EventKind::InviteMade).room(&room.id).by(&by);
    api.note(event.with("invite", invite_id(&hash)).with("expiresAt", expires));
    let url = format!("{base}/#invite={invite}");
    let made = Made { invite, room: room.id, expires_at: expires, url };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, NO_STORE)], Json(made)).into_response())
}

/// What `crypto.randomBytes(64).toString('hex')` gives.
fn fresh() -> String {
    let mut random = [0; INVITE / 2];
    // The system's generator fails only where nothing else works either.
    getrandom::fill(&mut random).expect("the system has random numbers");
    random.iter().fold(String::with_capacity(INVITE), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bad(message: &'static str) -> ApiError {
    ApiError::with(Code::BadField, message)
}
