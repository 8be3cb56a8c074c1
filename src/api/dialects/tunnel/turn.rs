//! `GET /turn`, and the same at `/api/turn`: one entry of `iceServers`, good for 15 minutes and one
//! session.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Fault, FaultBody, Proof};
use crate::api::caller::Caller;
use crate::api::errors::{ApiError, Code};
use crate::api::{Api, Client, NO_STORE};
use crate::creds::Allowance;

/// An entry of `iceServers`.
#[derive(Serialize, ToSchema)]
#[schema(as = TunnelTurn)]
struct Given {
    /// `stun:`, `turn:` and `turns:` URIs.
    urls: Vec<String>,
    /// `<expiry>:<user>`.
    username: String,
    /// The password.
    credential: String,
}

/// ICE servers with a credential for one session.
#[utoipa::path(
    get,
    path = "/turn",
    operation_id = "tunnel_turn",
    tag = "dialect: tunnel",
    responses(
        (status = 200, body = Given),
        (status = "4XX", body = FaultBody),
        (status = "5XX", body = FaultBody),
    ),
    security(("proof" = []), ()),
)]
pub(super) async fn turn(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    give(&api, client, &headers)
}

/// As `/turn`.
#[utoipa::path(
    get,
    path = "/api/turn",
    operation_id = "tunnel_api_turn",
    tag = "dialect: tunnel",
    responses(
        (status = 200, body = Given),
        (status = "4XX", body = FaultBody),
        (status = "5XX", body = FaultBody),
    ),
    security(("proof" = []), ()),
)]
pub(super) async fn api_turn(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    give(&api, client, &headers)
}

fn give(api: &Api, client: IpAddr, headers: &HeaderMap) -> Result<Response, Fault> {
    let (caller, subject) = match api.tunnel_proof(headers, client, Duration::ZERO)? {
        Proof::Token(claims) => {
            api.stored_room(&claims.room)?;
            (Caller::Anybody, claims.sub)
        }
        Proof::Native(Caller::Ticket(claims)) => {
            let subject = claims.sub.clone();
            (Caller::Ticket(claims), subject)
        }
        Proof::Native(caller) => {
            let subject = caller.owner().unwrap_or_else(|| "open".to_owned());
            (caller, subject)
        }
    };
    caller.may_mint()?;
    api.may_mint_now(&caller, client)?;
    let (minter, now) = (api.minter(), api.now().unix);
    let config = minter
        .limited(now, &subject, minter.guest_ttl, Some(Allowance::Sessions(1)))
        .map_err(|error| {
            tracing::error!(%error, "no credential could be made");
            ApiError::from(Code::Internal)
        })?;
    let mut given = Given { urls: Vec::new(), username: String::new(), credential: String::new() };
    for server in config.ice_servers {
        given.urls.extend(server.urls);
        given.username = server.username.unwrap_or(given.username);
        given.credential = server.credential.unwrap_or(given.credential);
    }
    if given.username.is_empty() {
        return Err(ApiError::with(Code::Unavailable, "No TURN server listens here.").into());
    }
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(given)).into_response())
}
