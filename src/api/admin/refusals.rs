//! `GET /api/v1/admin/refusals`: what the relay refused lately, and why.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::errors::{ApiError, ErrorBody};
use crate::api::query::{InQuery, bad};
use crate::api::witness::Refusal;
use crate::api::{Api, Client, MAX_REFUSALS, NO_STORE};

/// How many there are in an answer when nobody says.
const DEFAULT: usize = 100;

/// How many.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// How many at most; 100 unless said.
    #[param(minimum = 1, maximum = 512)]
    limit: Option<usize>,
}

/// The last refusals, the newest first.
#[derive(Serialize, ToSchema)]
struct Refusals {
    refusals: Vec<Refusal>,
}

/// What the relay refused lately. The last 512 are kept, and of a flood some each second.
#[utoipa::path(
    get,
    path = "/api/v1/admin/refusals",
    tag = "admin",
    params(Wanted),
    responses(
        (status = 200, body = Refusals),
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
    let limit = wanted?.0.limit.unwrap_or(DEFAULT);
    if !(1..=MAX_REFUSALS).contains(&limit) {
        return Err(bad(format!("limit must be between 1 and {MAX_REFUSALS}.")));
    }
    let refusals = api.witness().refusals(limit);
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(Refusals { refusals })).into_response())
}
