//! `GET /api/v1/rooms`: page by page, in the order of their ids.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::errors::{ApiError, ErrorBody};
use super::super::query::InQuery;
use super::super::{Api, Client, NO_STORE, ids};
use super::rights::Listed;
use super::shapes::{RoomJson, bad};
use crate::signal::RoomId;
use crate::store::RoomRecord;

/// Rooms in one answer at most.
pub const MAX_PAGE: usize = 200;
/// Rooms in one answer when nobody says.
const PAGE: usize = 50;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Page {
    /// The `next` of the page before; without it the first page.
    after: Option<String>,
    /// 50 unless said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// One page of rooms.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomsPage)]
struct Rooms {
    rooms: Vec<RoomJson>,
    /// The `after` of the next page; missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The rooms a caller may see: a user's own, or all of them for keys and admins.
#[utoipa::path(
    get,
    path = "/api/v1/rooms",
    tag = "rooms",
    params(Page),
    responses(
        (status = 200, body = Rooms),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(in crate::api) async fn list(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    InQuery(page): InQuery<Page>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let listed = api.caller(&headers, client)?.rooms_listed()?;
    let limit = page.limit.unwrap_or(PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(bad(format!("limit must be between 1 and {MAX_PAGE}.")));
    }
    let after = page.after.unwrap_or_default();
    if after.len() > ids::MAX_ID {
        return Err(bad("after must be the `next` of another page."));
    }
    let now = api.now().unix.0;
    let wanted = |room: &RoomRecord| {
        let is_listed = match &listed {
            Listed::All => true,
            Listed::OwnedBy(name) => room.owner.as_ref() == Some(name),
        };
        is_listed && !room.is_over(now)
    };
    // One more than asked for tells whether there is another page.
    let mut found = api.store().rooms().page(&after, limit + 1, wanted)?;
    let is_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| is_more).map(|room| room.id.clone());
    let ids = found.iter().map(|room| RoomId::from(room.id.as_str())).collect();
    let live = api.hub().look(ids).await;
    // One that is not open was closed a moment ago.
    let open = found.into_iter().zip(live).filter_map(|(room, live)| Some((room, live?)));
    let rooms = open.map(|(room, live)| RoomJson::owned(room).live(&live)).collect();
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(Rooms { rooms, next })).into_response())
}
