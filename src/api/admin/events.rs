//! The audit trail: `GET /api/v1/admin/events`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::api::errors::{ApiError, Code, ErrorBody};
use crate::api::query::InQuery;
use crate::api::{Api, Client, NO_STORE};
use crate::store::{EventKind, EventRecord, Found, MAX_FOUND, Search, StoreError};

/// Events of one answer when nobody says how many.
const USUAL: usize = 100;

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Only events of this room.
    room: Option<String>,
    /// Only events of this type, such as `joined`.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<String>,
    /// Only events from this unix second on.
    #[param(format = "uint64")]
    since: Option<u64>,
    /// Only what comes after the event of this id, in the order asked for: what `next` said.
    #[param(format = "uint64")]
    after: Option<u64>,
    /// How many; 100 unless said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// `oldest` first, which is usual, or `newest` first.
    #[param(inline)]
    order: Option<Order>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    Oldest,
    Newest,
}

/// One thing that happened. Further fields depend on its type.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
struct EventJson {
    /// Grows from event to event.
    id: u64,
    /// Unix seconds.
    at: u64,
    /// `joined`, `left`, `error`, `moderation` …
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    /// Who decided it: `peer:…`, `user:…`, `key:…`, `ticket:…`, `api` or `operator`.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(flatten)]
    detail: Map<String, Value>,
}

/// Events, in the order asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = Events)]
struct Page {
    events: Vec<EventJson>,
    /// There may be more: ask again with this as `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// Looks through the audit trail.
#[utoipa::path(
    get,
    path = "/api/v1/admin/events",
    tag = "admin",
    params(Wanted),
    responses(
        (status = 200, body = Page),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn events(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    query: Result<InQuery<Wanted>, ApiError>,
) -> Result<Response, ApiError> {
    api.caller(&headers, client)?.may_admin()?;
    let search = query?.0.search()?;
    // What happened before the call is in the answer. A disk that is busy does not keep anybody from
    // reading what is there.
    let _ = api.store().events().settle().await;
    let store = api.store().clone();
    let found = tokio::task::spawn_blocking(move || store.events().find(&search)).await;
    let found = found.map_err(|_| StoreError::Failed("a search ended early".into()))??;
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(Page::from(found))).into_response())
}

impl Wanted {
    fn search(self) -> Result<Search, ApiError> {
        let bad = |message: String| ApiError::with(Code::BadField, message);
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MAX_FOUND).contains(&limit) {
            return Err(bad(format!("limit must be between 1 and {MAX_FOUND}.")));
        }
        let kind = match &self.kind {
            None => None,
            Some(word) => Some(EventKind::from_word(word).ok_or_else(|| {
                let known: Vec<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
                bad(format!("type must be one of {}.", known.join(", ")))
            })?),
        };
        let newest = self.order == Some(Order::Newest);
        let Self { room, since, after, .. } = self;
        Ok(Search { room, kind, since, after, limit, newest })
    }
}

impl From<Found> for Page {
    fn from(found: Found) -> Self {
        Self { events: found.events.into_iter().map(Into::into).collect(), next: found.next }
    }
}

impl From<EventRecord> for EventJson {
    fn from(event: EventRecord) -> Self {
        let EventRecord { id, at, kind, room, peer, by, detail } = event;
        Self { id, at, kind, room, peer, by, detail }
    }
}
