//! `GET /api/v1/ice`: ICE servers with fresh credentials, as JSON and as `Link` headers.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::errors::{ApiError, Code, ErrorBody};
use super::limits::bucket_of;
use super::minter::{IceConfig, Minter};
use super::numbers::IceRefused;
use super::{Api, Client};
use crate::creds::Allowance;
use crate::creds::ticket::Role;
use crate::time::UnixTime;

/// Allocations, or sessions, that one credential may be asked to be good for.
pub const MAX_ALLOWANCE: u32 = 1000;
/// The longest `subject`, bytes: with an expiry and an allowance it still is a username.
pub const MAX_SUBJECT: usize = 256;

/// What may be asked of `GET /api/v1/ice`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct IceQuery {
    /// How long the credential is good, in seconds: 1 to `auth.credential_ttl`. Guests get 15 minutes
    /// at most, and nobody gets more than is left of a ticket; the answer says what it is.
    #[param(minimum = 1)]
    ttl: Option<u64>,
    /// Whose credential it is, for API keys: quotas count by it. Without, the key itself.
    #[param(min_length = 1, max_length = 256)]
    subject: Option<String>,
    /// How many allocations it opens in its whole life.
    #[param(minimum = 1, maximum = 1000)]
    allocations: Option<u32>,
    /// How many sessions it is good for: what is opened within 30 seconds of a session's first
    /// allocation belongs to the session. Not together with `allocations`.
    #[param(minimum = 1, maximum = 1000)]
    sessions: Option<u32>,
}

/// ICE servers with fresh credentials; the same as `Link` headers (RFC 9725).
#[utoipa::path(
    get,
    path = "/api/v1/ice",
    tag = "credentials",
    params(IceQuery),
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
    query: Result<Query<IceQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let caller = api.caller(&headers, client)?;
    caller.may_mint()?;
    let Query(query) = query.map_err(|rejection| {
        ApiError::with(Code::BadRequest, format!("{}.", rejection.body_text()))
    })?;
    let allowance = query.allowance()?;
    let ttl = query.ttl(&api.minter())?;
    let subject = query.subject(&caller)?;
    answer(&api.mint(&caller, client, &subject, ttl, allowance)?)
}

impl IceQuery {
    fn ttl(&self, minter: &Minter) -> Result<Duration, ApiError> {
        let most = minter.ttl.as_secs();
        match self.ttl {
            None => Ok(minter.ttl),
            Some(ttl) if (1..=most).contains(&ttl) => Ok(Duration::from_secs(ttl)),
            Some(_) => Err(bad_field(format!("ttl must be 1 to {most} seconds."))),
        }
    }

    fn allowance(&self) -> Result<Option<Allowance>, ApiError> {
        let (name, number, allowance) = match (self.allocations, self.sessions) {
            (None, None) => return Ok(None),
            (Some(number), None) => ("allocations", number, Allowance::Allocations(number)),
            (None, Some(number)) => ("sessions", number, Allowance::Sessions(number)),
            (Some(_), Some(_)) => {
                return Err(bad_field("allocations and sessions exclude each other.".to_owned()));
            }
        };
        match (1..=MAX_ALLOWANCE).contains(&number) {
            true => Ok(Some(allowance)),
            false => Err(bad_field(format!("{name} must be 1 to {MAX_ALLOWANCE}."))),
        }
    }

    /// Whom the relay's quotas will count.
    fn subject(&self, caller: &Caller) -> Result<String, ApiError> {
        let Some(subject) = &self.subject else { return Ok(own_subject(caller)) };
        if !matches!(caller, Caller::Key { .. }) {
            let why = "Only an API key may say whose credential it is.";
            return Err(ApiError::with(Code::Forbidden, why));
        }
        check_subject(subject)?;
        Ok(subject.clone())
    }
}

/// Whose credentials these are when nobody says.
pub(super) fn own_subject(caller: &Caller) -> String {
    match caller {
        Caller::Ticket(claims) => claims.sub.clone(),
        _ => caller.owner().unwrap_or_else(|| "open".to_owned()),
    }
}

/// Whether somebody who may say whose credentials these are can say this.
pub(super) fn check_subject(subject: &str) -> Result<(), ApiError> {
    if subject.is_empty() || subject.len() > MAX_SUBJECT {
        return Err(bad_field(format!("subject must have 1 to {MAX_SUBJECT} bytes.")));
    }
    if subject.contains(char::is_control) {
        return Err(bad_field("subject must hold no control characters.".to_owned()));
    }
    if Allowance::split(subject).1.is_some() {
        let why = "subject must not end like an allowance; ask for one with allocations=…";
        return Err(bad_field(format!("{why}.")));
    }
    Ok(())
}

fn bad_field(why: String) -> ApiError {
    ApiError::with(Code::BadField, why)
}

/// The longest life of this caller's credentials: no longer than a ticket, and a guest's no longer
/// than [`Minter::guest_ttl`], because what a stranger was let in with should not outlive the call.
fn longest(caller: &Caller, minter: &Minter, now: UnixTime) -> Duration {
    let Caller::Ticket(claims) = caller else { return minter.ttl };
    let longest = match claims.role {
        Role::Guest => minter.guest_ttl,
        Role::Host | Role::Creator => minter.ttl,
    };
    longest.min(Duration::from_secs(claims.exp.saturating_sub(now.0).max(1)))
}

impl Api {
    /// ICE servers for a caller who may have them, good for `ttl` or as long as this caller's may be.
    pub(super) fn mint(
        &self,
        caller: &Caller,
        client: IpAddr,
        subject: &str,
        ttl: Duration,
        allowance: Option<Allowance>,
    ) -> Result<IceConfig, ApiError> {
        let (minter, now) = (self.minter(), self.now().unix);
        let ttl = ttl.min(longest(caller, &minter, now));
        self.may_mint_now(caller, client)?;
        let config = minter.limited(now, subject, ttl, allowance);
        config.map_err(|error| mint_failed(&error))
    }

    /// Counts one more credential for this caller: an API key by its id, because all its users come
    /// from one address, and anybody else by the address. A ticket is good for them while its room is
    /// there.
    pub(super) fn may_mint_now(&self, caller: &Caller, client: IpAddr) -> Result<(), ApiError> {
        self.still_has_room(caller)?;
        let limiters = self.limiters();
        let (outcome, refused) = match caller {
            Caller::Key { id, .. } => (limiters.ice_per_key.check(id), IceRefused::Key),
            _ => (limiters.ice_per_address.check(&bucket_of(client)), IceRefused::Address),
        };
        self.numbers().count_ice(outcome.is_ok(), refused);
        outcome.map_err(|wait| {
            let why = match refused {
                IceRefused::Key => "This API key asks for credentials too often.",
                IceRefused::Address => "This address asks for credentials too often.",
            };
            ApiError::with(Code::RateLimited, why).retry_after(wait)
        })
    }
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
