//! `/api/v1/checks`: what the relay saw of a credential, for whoever tests a connection.
//!
//! A browser shows a page that an Allocate failed with 401, not that the credential had expired 40 s
//! before. A test asks here for a credential of its own, uses it, and asks what became of it. For a
//! credential that was typed in, the username is enough, and only what came from the asker's own
//! address is told: over IPv4 or IPv6, whichever the test and the question came over.
//!
//! A test of relaying needs a peer that echoes: that is the page itself. Two allocations of one
//! credential may send to each other's relayed addresses, since relay ports of this server that are
//! live are peers even where the rest of this host is none.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Caller;
use super::errors::{ApiError, Code, ErrorBody};
use super::ids::{self, InPath};
use super::minter::IceServer;
use super::query::{InQuery, bad};
use super::witness::{Account, Happening, WATCH};
use super::{Api, Client, MAX_CHECKS, NO_STORE};
use crate::creds::rest::MAX_USERNAME;
use crate::time::UnixTime;

/// How long the credential of a test opens allocations.
const TTL: Duration = Duration::from_secs(300);

/// How long what it does is heard of after that. Seconds.
const AFTERWARDS: u64 = 600;

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(begin, of_username)).routes(routes!(of_check))
}

/// A test of a connection, and the credential to use in it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NewCheck {
    /// Its name, and the proof to ask about it.
    check: String,
    ice_servers: Vec<IceServer>,
    /// Seconds from now.
    ttl: u64,
    /// Unix seconds.
    expires_at: u64,
}

/// What the relay saw.
#[derive(Serialize, ToSchema)]
struct Seen {
    /// The oldest first: at most 32.
    seen: Vec<Happening>,
    /// At most so many more things may have happened that were not kept; mostly 0.
    suppressed: u64,
}

/// Begins a test of a connection: a credential that is used for nothing else.
#[utoipa::path(
    post,
    path = "/api/v1/checks",
    tag = "credentials",
    responses(
        (status = 201, body = NewCheck),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn begin(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let caller = api.caller(&headers, client)?;
    caller.may_mint()?;
    api.still_has_room(&caller)?;
    api.limiters().checks.check(client)?;
    let (now, check) = (api.now().unix, ids::fresh());
    let made = api.minter().ice_servers(now, &format!("check-{check}"), ttl(&api, now, &caller));
    let made = made.map_err(|error| {
        tracing::error!(%error, "no credential could be made");
        ApiError::new(Code::Internal)
    })?;
    let username = made.ice_servers.iter().find_map(|server| server.username.clone());
    // Where nothing relays there is nothing to be seen either.
    if let Some(username) = username {
        let until = UnixTime(made.expires_at.saturating_add(AFTERWARDS));
        if !api.witness().begin(now, &check, &username, until) {
            let full = format!("{MAX_CHECKS} tests are under way, which is all there may be.");
            return Err(ApiError::with(Code::Unavailable, full).retry_after(60));
        }
        let lasts = Duration::from_secs(until.0.saturating_sub(now.0));
        api.ask_relay(move |relay| relay.watch(&username, lasts)).await?;
    }
    let (ttl, expires_at) = (made.ttl, made.expires_at);
    let begun = NewCheck { check, ice_servers: made.ice_servers, ttl, expires_at };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, NO_STORE)], Json(begun)).into_response())
}

/// No longer than whoever asks may have any credential.
fn ttl(api: &Api, now: UnixTime, caller: &Caller) -> Duration {
    let minter = api.minter();
    let longest = TTL.min(minter.ttl).min(minter.guest_ttl);
    match caller {
        Caller::Ticket(claims) => {
            longest.min(Duration::from_secs(claims.exp.saturating_sub(now.0).max(1)))
        }
        _ => longest,
    }
}

/// What the relay saw of a test. To know its name is the proof.
#[utoipa::path(
    get,
    path = "/api/v1/checks/{check}",
    tag = "credentials",
    params(("check" = String, Path, description = "The test's name")),
    responses(
        (status = 200, body = Seen),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
)]
pub(super) async fn of_check(
    State(api): State<Arc<Api>>,
    InPath(check): InPath,
) -> Result<Response, ApiError> {
    if check.len() > ids::MAX_ID {
        return Err(Code::NoSuchCheck.into());
    }
    let account = api.witness().of_check(api.now().unix, &check);
    Ok(answer(account.ok_or(Code::NoSuchCheck)?))
}

/// Whose.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    /// The username exactly as it is used.
    #[param(min_length = 1, max_length = 508)]
    username: String,
}

/// What the relay saw of a username from the caller's own address, in the last ten minutes. From the
/// first question on, and for two minutes after the last, nothing of it is left out for a flood of
/// others' refusals: ask once before the test begins.
#[utoipa::path(
    get,
    path = "/api/v1/checks",
    tag = "credentials",
    params(Whose),
    responses(
        (status = 200, body = Seen),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
)]
pub(super) async fn of_username(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    whose: Result<InQuery<Whose>, ApiError>,
) -> Result<Response, ApiError> {
    api.limiters().lookups.check(client)?;
    let InQuery(Whose { username }) = whose?;
    if !(1..=MAX_USERNAME).contains(&username.len()) {
        return Err(bad(format!("username must have 1 to {MAX_USERNAME} bytes.")));
    }
    let account = api.witness().of_username(api.now().unix, &username, client);
    let lasts = Duration::from_secs(WATCH);
    api.ask_relay(move |relay| relay.watch(&username, lasts)).await?;
    Ok(answer(account))
}

fn answer(account: Account) -> Response {
    let seen = Seen { seen: account.seen, suppressed: account.missing };
    ([(header::CACHE_CONTROL, NO_STORE)], Json(seen)).into_response()
}
