//! Paths that more than one dialect claims: the request's own shape decides whose it is.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::errors::{ApiError, Code};
use super::super::{Api, Client};
use super::{Dialect, rooms, serves};

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(api_rooms))
}

/// The rooms in use, as `rooms` lists them.
#[utoipa::path(
    get,
    path = "/api/rooms",
    operation_id = "shared_api_rooms",
    tag = "dialect: rooms",
    responses((status = 200, body = Vec<rooms::Room>), (status = "4XX", body = rooms::FaultBody)),
    security(("proof" = []), ()),
)]
async fn api_rooms(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    request: Request,
) -> Response {
    if serves(&request, Dialect::Rooms) {
        return rooms::list(&api, client, request.headers()).await;
    }
    ApiError::new(Code::NotFound).into_response()
}
