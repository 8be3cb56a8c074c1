//! `GET /api/v1/ice`: ICE servers with fresh credentials, as JSON and as `Link` headers.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::caller::Caller;
use super::errors::{ApiError, Code, ErrorBody};
use super::minter::{IceConfig, Minter};
use super::{Api, Client};
use crate::creds::ticket::{Claims, Role};
use crate::time::UnixTime;

/// ICE servers with fresh credentials; the same as `Link` headers (RFC 9725).
#[utoipa::path(
    get,
    path = "/api/v1/ice",
    tag = "credentials",
    responses(
        (status = 200, body = IceConfig),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn ice(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(ApiError::with(Code::BadRequest, "This call takes no query."));
    }
    let caller = api.caller(&headers, client)?;
    caller.may_mint()?;
    let minter = api.minter();
    let now = api.now().unix;
    let config = match &caller {
        Caller::Anybody => minter.ice_servers(now, "open", minter.ttl),
        Caller::Key { id, .. } => minter.ice_servers(now, &format!("key-{id}"), minter.ttl),
        Caller::Ticket(claims) => return answer(&for_ticket(&minter, now, claims)?),
    }
    .map_err(|error| mint_failed(&error))?;
    answer(&config)
}

/// ICE servers for the holder of a ticket: no longer than the ticket lives, and a guest's no longer
/// than [`Minter::guest_ttl`], because what a stranger was let in with should not outlive the call.
fn for_ticket(minter: &Minter, now: UnixTime, claims: &Claims) -> Result<IceConfig, ApiError> {
    let longest = match claims.role {
        Role::Guest => minter.guest_ttl,
        Role::Host | Role::Creator => minter.ttl,
    };
    let rest = Duration::from_secs(claims.exp.saturating_sub(now.0).max(1));
    minter.ice_servers(now, &claims.sub, longest.min(rest)).map_err(|error| mint_failed(&error))
}

fn mint_failed(error: &crate::creds::rest::MintError) -> ApiError {
    tracing::error!(%error, "no credential could be made");
    Code::Internal.into()
}

fn answer(config: &IceConfig) -> Result<Response, ApiError> {
    let mut response = Json(config).into_response();
    for link in config.links() {
        let value = HeaderValue::from_bytes(link.as_bytes()).map_err(|_| Code::Internal)?;
        response.headers_mut().append(header::LINK, value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, super::NO_STORE);
    Ok(response)
}
