//! `GET /api/v1/admin/allocations` and `DELETE /api/v1/admin/allocations/{id}`: who relays what right
//! now, and the end of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::errors::{ApiError, Code, ErrorBody};
use crate::api::ids::InPath;
use crate::api::query::{InQuery, bad};
use crate::api::{Api, Client, NO_STORE};
use crate::store::EventKind;
use crate::turn::{AllocationId, AllocationView, Listing};

/// The most allocations in one answer.
pub const MAX_PAGE: usize = 1000;

/// How many there are in an answer when nobody says.
const DEFAULT_PAGE: usize = 100;

/// Which allocations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Those opened later than this one: `next` of the page before.
    #[param(pattern = "^[0-9]{1,19}$")]
    after: Option<String>,
    /// How many at most; 100 unless said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Of this user or username alone; with a star at its end, of all that begin so: `ali*`.
    user: Option<String>,
}

/// Some of the open allocations, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Allocations)]
pub struct AllocationsJson {
    allocations: Vec<AllocationJson>,
    /// All that are open on this server, of whomever.
    total: u64,
    /// Ask for the next page with this in `after`; not there on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An open allocation. Bytes and packets are payload; up is from the client to its peers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Allocation)]
#[serde(rename_all = "camelCase")]
struct AllocationJson {
    id: String,
    /// Whom quotas count: the username without its timestamp.
    user: String,
    /// As the client gave it.
    username: String,
    /// The client's address and port.
    client: String,
    /// `udp`, `tcp` or `tls`: how the client comes.
    transport: &'static str,
    /// The addresses that its peers send to.
    relayed: Vec<String>,
    /// Seconds since it was opened.
    age: u64,
    /// Seconds until it ends if it is not refreshed.
    expires_in: u64,
    permissions: usize,
    channels: usize,
    bytes_up: u64,
    bytes_down: u64,
    packets_up: u64,
    packets_down: u64,
    /// Bytes a second, over the last few seconds.
    rate_up: u64,
    /// Bytes a second, over the last few seconds.
    rate_down: u64,
}

impl AllocationsJson {
    /// As the API answers it; `total` allocations are open.
    pub fn new(listing: &Listing, total: u64) -> Self {
        Self {
            allocations: listing.allocations.iter().map(AllocationJson::from).collect(),
            total,
            next: listing.more_after.map(|after| after.0.to_string()),
        }
    }
}

impl From<&AllocationView> for AllocationJson {
    fn from(view: &AllocationView) -> Self {
        Self {
            id: view.id.0.to_string(),
            user: view.user.to_string(),
            username: view.username.to_string(),
            client: view.flow.remote.to_string(),
            transport: view.flow.transport.name(),
            relayed: view.relayed.iter().map(ToString::to_string).collect(),
            age: view.age.as_secs(),
            expires_in: view.expires_in.as_secs(),
            permissions: view.permissions,
            channels: view.channels,
            bytes_up: view.bytes_up,
            bytes_down: view.bytes_down,
            packets_up: view.packets_up,
            packets_down: view.packets_down,
            rate_up: view.rate_up,
            rate_down: view.rate_down,
        }
    }
}

/// Who relays what, right now.
#[utoipa::path(
    get,
    path = "/api/v1/admin/allocations",
    tag = "admin",
    params(Wanted),
    responses(
        (status = 200, body = AllocationsJson),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    wanted: Result<InQuery<Wanted>, ApiError>,
) -> Result<Response, ApiError> {
    api.caller(&headers, client)?.may_admin()?;
    let InQuery(Wanted { after, limit, user }) = wanted?;
    let limit = limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(bad(format!("limit must be between 1 and {MAX_PAGE}.")));
    }
    let after = match after {
        None => AllocationId(0),
        Some(text) => named(&text).ok_or_else(|| bad("after must be `next` of a page."))?,
    };
    let ask = move |relay: &dyn crate::api::RelayDoor| {
        let listing = relay.list(after, user.as_deref(), limit)?;
        Ok(AllocationsJson::new(&listing, relay.stats().machines.allocations))
    };
    let listing = api.ask_relay(ask).await?;
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(listing)).into_response())
}

/// Ends an allocation. Its client learns of it by its next request to the relay.
#[utoipa::path(
    delete,
    path = "/api/v1/admin/allocations/{id}",
    tag = "admin",
    params(("id" = String, Path, description = "The allocation's id")),
    responses(
        (status = 204, description = "It has ended"),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn end(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    InPath(id): InPath,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let caller = api.caller(&headers, client)?;
    caller.may_admin()?;
    let id = named(&id).ok_or(Code::NoSuchAllocation)?;
    if !api.ask_relay(move |relay| relay.end(id)).await? {
        return Err(Code::NoSuchAllocation.into());
    }
    let event = api.event(EventKind::Moderation).by(&caller.by()).with("action", "end");
    api.note(event.with("allocation", id.0.to_string()));
    tracing::info!(allocation = id.0, by = caller.by(), "an operator ended an allocation");
    Ok(StatusCode::NO_CONTENT)
}

/// Digits alone: `u64::from_str` would take a plus sign.
fn named(id: &str) -> Option<AllocationId> {
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| id.parse().ok()).flatten().map(AllocationId)
}
