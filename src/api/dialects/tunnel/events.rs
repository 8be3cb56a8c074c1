//! `GET /admin/events`: who joined and left, what went wrong and what was decided, out of the audit
//! trail.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::admin::admin;
use super::{Fault, FaultBody};
use crate::api::errors::{ApiError, Code};
use crate::api::{Api, Client, NO_STORE};
use crate::store::{EventKind, EventRecord, MAX_FOUND, Search, StoreError};

/// Events of one answer when nobody says how many.
const USUAL: usize = 100;

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Only events of this room.
    #[serde(rename = "roomID")]
    room: Option<String>,
    /// Only events of this type.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<Kind>,
    /// Only events from this unix second on.
    #[param(format = "uint64")]
    since: Option<u64>,
    /// Only what comes after this `eventID`: what `next` said.
    #[param(format = "uint64")]
    after: Option<u64>,
    /// How many are looked at; 100 unless said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TunnelEventKind)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Join,
    Leave,
    Error,
    Moderation,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Join, Self::Leave, Self::Error, Self::Moderation];

    const fn in_the_trail(self) -> EventKind {
        match self {
            Self::Join => EventKind::Joined,
            Self::Leave => EventKind::Left,
            Self::Error => EventKind::Error,
            Self::Moderation => EventKind::Moderation,
        }
    }
}

/// One thing that happened.
#[derive(Serialize, ToSchema)]
#[schema(as = TunnelEvent)]
struct Event {
    #[serde(rename = "eventID")]
    id: u64,
    #[serde(rename = "roomID")]
    room: Option<String>,
    #[serde(rename = "userID")]
    user: Option<String>,
    #[serde(rename = "type")]
    kind: Kind,
    /// What else there is to say; depends on the type.
    payload: Map<String, Value>,
    /// Unix seconds.
    created_at: u64,
}

/// Events, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = TunnelEvents)]
struct Events {
    events: Vec<Event>,
    /// There may be more: ask again with this as `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// Looks through what happened.
#[utoipa::path(
    get,
    path = "/admin/events",
    operation_id = "tunnel_admin_events",
    tag = "dialect: tunnel",
    params(Wanted),
    responses(
        (status = 200, body = Events),
        (status = "4XX", body = FaultBody),
        (status = "5XX", body = FaultBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn events(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Fault> {
    admin(&api, &headers, client)?;
    let Query(wanted): Query<Wanted> = Query::try_from_uri(request.uri()).map_err(|error| {
        ApiError::with(Code::BadField, format!("The query is not right: {error}."))
    })?;
    let limit = wanted.limit.unwrap_or(USUAL);
    if !(1..=MAX_FOUND).contains(&limit) {
        return Err(ApiError::with(Code::BadField, "limit must be 1 to 1000.").into());
    }
    let kind = wanted.kind.map(Kind::in_the_trail);
    let Wanted { room, since, after, .. } = wanted;
    let search = Search { room, kind, since, after, limit, newest: false };
    // What happened before the call is in the answer, unless the disk is busy.
    let _ = api.store().events().settle().await;
    let store = api.store().clone();
    let found = tokio::task::spawn_blocking(move || store.events().find(&search)).await;
    let found = found.map_err(|_| StoreError::Failed("a search ended early".into()))??;
    let events = found.events.into_iter().filter_map(event).collect();
    let events = Events { events, next: found.next };
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(events)).into_response())
}

/// As this dialect's clients know it, if they do.
fn event(record: EventRecord) -> Option<Event> {
    let EventRecord { id, at, kind, room, peer, by, detail } = record;
    let kind = Kind::ALL.into_iter().find(|known| known.in_the_trail().as_str() == kind)?;
    let mut payload = detail;
    payload.extend(by.map(|by| ("by".to_owned(), by.into())));
    Some(Event { id, room, user: peer, kind, payload, created_at: at })
}
