//! `GET` and `POST /token`: a token for a room that is made, or for one that is there.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::token::{Claims, RENEWAL, TTL, TokenRole};
use super::{Fault, FaultBody, Proof};
use crate::api::body::JsonBody;
use crate::api::caller::Caller;
use crate::api::errors::{ApiError, Code};
use crate::api::rooms::{DEFAULT_CAPACITY, checked_name};
use crate::api::{Api, Client, NO_STORE, ids};
use crate::creds::api_key;
use crate::signal::RoomId;
use crate::store::{EventKind, RoomError, RoomRecord, invite_id};

/// The longest id of a room that a client may choose, in characters.
const MAX_ROOM_ID: usize = 64;
/// Whose rooms are that strangers made, where they are served: no user is called so.
const STRANGER: &str = "open";
/// Characters of an invite: 64 random bytes in hexadecimal.
pub(super) const INVITE: usize = ids::MAX_INVITE;

/// A token that is asked for.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[schema(as = TunnelWanted)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// A host's for a room of one's own, or a guest's. A token that is renewed keeps its role.
    role: Option<TokenRole>,
    /// The room. Without it a host gets a new one; a guest needs it, or an invite.
    #[serde(rename = "roomID")]
    #[param(max_length = 64, pattern = "^[A-Za-z0-9_-]+$")]
    #[schema(max_length = 64, pattern = "^[A-Za-z0-9_-]+$")]
    room: Option<String>,
    /// What others see.
    #[param(max_length = 128)]
    #[schema(max_length = 128)]
    name: Option<String>,
    /// For a new room: whether guests wait for the host's approval.
    lobby: Option<bool>,
    /// A one-time invite, for a guest.
    #[param(pattern = "^[0-9a-f]{128}$")]
    #[schema(pattern = "^[0-9a-f]{128}$")]
    invite: Option<String>,
}

/// A token, and what it says.
#[derive(Serialize, ToSchema)]
#[schema(as = TunnelToken)]
pub(super) struct Given {
    /// Opens the WebSocket once, within the next 15 minutes; renewed by this same call.
    token: String,
    #[serde(rename = "roomID")]
    room: String,
    #[serde(rename = "userID")]
    user: String,
    role: TokenRole,
    /// Unix seconds.
    expires_at: u64,
    /// Seconds.
    ttl: u64,
}

/// A token for a host or a guest.
#[utoipa::path(
    get,
    path = "/token",
    operation_id = "tunnel_get_token",
    tag = "dialect: tunnel",
    params(Wanted),
    responses(
        (status = 200, body = Given),
        (status = "4XX", body = FaultBody),
        (status = "5XX", body = FaultBody),
    ),
    security(("proof" = []), ()),
)]
pub(super) async fn get(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Fault> {
    let Query(wanted) = Query::try_from_uri(request.uri()).map_err(|error| {
        ApiError::with(Code::BadField, format!("The query is not right: {error}."))
    })?;
    token(&api, client, &headers, wanted).await
}

/// A token for a host or a guest.
#[utoipa::path(
    post,
    path = "/token",
    operation_id = "tunnel_post_token",
    tag = "dialect: tunnel",
    request_body = Wanted,
    responses(
        (status = 200, body = Given),
        (status = "4XX", body = FaultBody),
        (status = "5XX", body = FaultBody),
    ),
    security(("proof" = []), ()),
)]
pub(super) async fn post(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Fault> {
    let JsonBody(wanted) = JsonBody::from_request(request, &()).await?;
    token(&api, client, &headers, wanted).await
}

/// The public key that tokens are checked with.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    operation_id = "tunnel_key_set",
    tag = "dialect: tunnel",
    responses((status = 200, body = Value), (status = 404, body = FaultBody)),
)]
pub(super) async fn key_set(State(api): State<Arc<Api>>) -> Json<Value> {
    Json(api.tunnel_key().key_set())
}

async fn token(
    api: &Api,
    client: IpAddr,
    headers: &HeaderMap,
    wanted: Wanted,
) -> Result<Response, Fault> {
    let name = wanted.name.as_deref().map(checked_name).transpose()?.flatten();
    if wanted.room.as_deref().is_some_and(|room| !is_room_id(room)) {
        return Err(bad("roomID must be 1 to 64 letters, digits, - and _.").into());
    }
    let claims = if let Some(invite) = &wanted.invite {
        api.limiters().redeem.check(client)?;
        let room = redeemed(api, client, &wanted, invite).await?;
        fresh(api, &room, TokenRole::Guest, name)
    } else {
        let proof = api.tunnel_proof(headers, client, RENEWAL)?;
        api.limiters().changes.check(client)?;
        match proof {
            Proof::Token(claims) => renewed(api, &wanted, claims, name)?,
            Proof::Native(caller) => {
                let role = wanted.role.ok_or_else(|| bad("role must be host or guest."))?;
                let room = match role {
                    TokenRole::Host => hosted(api, client, &wanted, &caller).await?,
                    TokenRole::Guest => visited(api, &wanted, &caller)?,
                };
                fresh(api, &room, role, name)
            }
        }
    };
    let given = Given {
        token: api.tunnel_key().sign(&claims),
        room: claims.room,
        user: claims.sub,
        role: claims.role,
        expires_at: claims.exp,
        ttl: claims.exp.saturating_sub(claims.iat),
    };
    Ok((StatusCode::OK, [(header::CACHE_CONTROL, NO_STORE)], Json(given)).into_response())
}

/// The room that an invite leads to; it leads there once.
async fn redeemed(
    api: &Api,
    client: IpAddr,
    wanted: &Wanted,
    invite: &str,
) -> Result<RoomRecord, ApiError> {
    if wanted.role == Some(TokenRole::Host) {
        return Err(bad("an invite is for a guest."));
    }
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if invite.len() != INVITE || !invite.bytes().all(is_hex) {
        return Err(bad("invite must be 128 hexadecimal digits."));
    }
    let hash = api_key::hash(invite);
    let leads = api.store().invites().find(&hash)?.ok_or(Code::NoSuchInvite)?;
    if wanted.room.as_ref().is_some_and(|room| *room != leads.room) {
        return Err(Code::NoSuchInvite.into());
    }
    let used = api.store().invites().redeem(hash, api.now().unix.0).await?;
    let room = api.stored_room(&used.room)?;
    let event = api.event(EventKind::InviteRedeemed).room(&room.id);
    api.note(event.with("invite", invite_id(&hash)).with("client", client.to_string()));
    Ok(room)
}

/// The next token of whoever holds one: the same user in the same room.
fn renewed(
    api: &Api,
    wanted: &Wanted,
    claims: Claims,
    name: Option<String>,
) -> Result<Claims, ApiError> {
    let same_room = wanted.room.as_ref().is_none_or(|room| *room == claims.room);
    let same_role = wanted.role.is_none_or(|role| role == claims.role);
    let room = api.stored_room(&claims.room)?;
    if !same_room || !same_role {
        return Err(Code::Forbidden.into());
    }
    let name = name.or(claims.name);
    Ok(Claims { sub: claims.sub, ..fresh(api, &room, claims.role, name) })
}

/// The room of a host: theirs, or a new one.
async fn hosted(
    api: &Api,
    client: IpAddr,
    wanted: &Wanted,
    caller: &Caller,
) -> Result<RoomRecord, ApiError> {
    if let Some(id) = &wanted.room
        && let Ok(room) = api.stored_room(id)
    {
        // Whoever comes first is the host; a stranger is never the second one.
        return match caller {
            Caller::Anybody => Err(Code::Forbidden.into()),
            _ => caller.may_run(&room).map(|()| room),
        };
    }
    caller.may_create_rooms()?;
    // A room that was only ever joined is nobody's, and stays so while it is in use.
    if let Some(id) = &wanted.room
        && api.hub().room(&RoomId::from(id.as_str())).await.is_some()
    {
        return Err(Code::Forbidden.into());
    }
    api.limiters().rooms.check(client)?;
    api.may_have_another_room(caller)?;
    let room = RoomRecord {
        id: wanted.room.clone().unwrap_or_else(ids::fresh),
        name: None,
        capacity: DEFAULT_CAPACITY,
        lobby: wanted.lobby.unwrap_or(false),
        locked: false,
        kicked: Vec::new(),
        owner: match caller {
            Caller::Anybody => Some(STRANGER.to_owned()),
            _ => caller.owner(),
        },
        created: api.now().unix.0,
        expires: None,
    };
    match api.store().rooms().create(room.clone()).await {
        Ok(()) => {}
        // Somebody else was quicker.
        Err(RoomError::Exists) => return Err(Code::Forbidden.into()),
        Err(error) => return Err(error.into()),
    }
    if !api.open_room(&room).await {
        api.store().rooms().delete(&room.id).await?;
        return Err(ApiError::new(Code::TooManyRooms).retry_after(60));
    }
    tracing::info!(room = %room.id, dialect = "tunnel", "room made");
    api.note(api.event(EventKind::RoomMade).room(&room.id).by(&caller.by()));
    Ok(room)
}

/// The room of a guest who needs no invite.
fn visited(api: &Api, wanted: &Wanted, caller: &Caller) -> Result<RoomRecord, ApiError> {
    let id = wanted.room.as_deref().ok_or_else(|| bad("a guest needs roomID or invite."))?;
    let room = api.stored_room(id)?;
    caller.may_see(&room)?;
    // What was made with a proof stays out of strangers' reach, unless everything is open to them.
    let is_strangers = room.owner.as_deref() == Some(STRANGER) || api.settings().open_minting;
    match caller {
        Caller::Anybody if !is_strangers => Err(Code::Forbidden.into()),
        _ => Ok(room),
    }
}

fn fresh(api: &Api, room: &RoomRecord, role: TokenRole, name: Option<String>) -> Claims {
    let (settings, now) = (api.settings(), api.now().unix);
    Claims {
        iss: settings.dialects.tunnel_issuer.clone(),
        aud: settings.dialects.tunnel_audience.clone(),
        sub: ids::fresh(),
        exp: now.plus(TTL).0.min(room.expires.unwrap_or(u64::MAX)),
        iat: now.0.max(room.created),
        jti: ids::fresh(),
        room: room.id.clone(),
        role,
        name,
    }
}

fn is_room_id(id: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=MAX_ROOM_ID).contains(&id.len()) && id.bytes().all(is_one)
}

fn bad(message: &'static str) -> ApiError {
    ApiError::with(Code::BadField, message)
}
