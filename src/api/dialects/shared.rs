//! Paths that more than one dialect claims: the request's own shape decides whose it is.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::errors::{ApiError, Code, ErrorBody};
use super::super::{Api, Client, pages};
use super::{Dialect, pairing, rooms, serves, turn_rest};

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(root, ask)).routes(routes!(api_rooms))
}

/// The call page; with `?service=turn`, credentials (`turn-rest`); as a WebSocket, join codes' rooms
/// (`pairing`).
#[utoipa::path(
    get,
    path = "/",
    tag = "dialect: turn-rest",
    params(turn_rest::Asked),
    responses(
        (status = 200, description = "The page, or credentials", content(
            (turn_rest::Credentials = "application/json"),
            (String = "text/html"),
        )),
        (status = 101, description = "The WebSocket"),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security((), ("proof" = [])),
)]
async fn root(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    request: Request,
) -> Result<Response, ApiError> {
    match wish(&request)? {
        Wish::Socket => Ok(pairing::connect(&api, client, request)),
        Wish::Credentials => turn_rest::answer(&api, client, request).await,
        Wish::Page => {
            let headers = request.into_parts().0.headers;
            pages::index(headers).await
        }
    }
}

/// What a `GET /` is meant for.
enum Wish {
    Socket,
    Credentials,
    Page,
}

fn wish(request: &Request) -> Result<Wish, ApiError> {
    let wish = if request.headers().contains_key(header::UPGRADE) {
        (Wish::Socket, Dialect::Pairing)
    } else if turn_rest::is_asked(request.uri()) {
        (Wish::Credentials, Dialect::TurnRest)
    } else {
        return Ok(Wish::Page);
    };
    if serves(request, wish.1) { Ok(wish.0) } else { Err(Code::NotFound.into()) }
}

/// Credentials (`turn-rest`): the parameters in the query, or as a form in the body.
#[utoipa::path(
    post,
    path = "/",
    tag = "dialect: turn-rest",
    params(turn_rest::Asked),
    responses(
        (status = 200, body = turn_rest::Credentials),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security((), ("proof" = [])),
)]
async fn ask(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    request: Request,
) -> Result<Response, ApiError> {
    match serves(&request, Dialect::TurnRest) {
        true => turn_rest::answer(&api, client, request).await,
        false => Err(Code::NotFound.into()),
    }
}

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The room of a pair (`pairing`).
    roomid: Option<String>,
}

/// What is found.
#[derive(ToSchema)]
#[schema(as = RoomsOfADialect)]
#[serde(untagged)]
#[expect(dead_code, reason = "each dialect makes its own; this is for the description")]
enum Found {
    /// `rooms`: those in use.
    Rooms(Vec<rooms::Room>),
    /// `pairing`: the two devices.
    Pair(pairing::Pair),
}

/// How either says that there is nothing.
#[derive(ToSchema)]
#[schema(as = RoomsOfADialectError)]
#[serde(untagged)]
#[expect(dead_code, reason = "as above")]
enum Missed {
    Rooms(rooms::FaultBody),
    Pairing(pairing::RefusalBody),
}

/// With `roomid`, the room of a pair (`pairing`); without, the rooms in use (`rooms`).
#[utoipa::path(
    get,
    path = "/api/rooms",
    operation_id = "shared_api_rooms",
    tag = "dialect: rooms",
    params(Wanted),
    responses(
        (status = 200, body = Found),
        (status = "4XX", body = Missed),
        (status = "5XX", body = Missed),
    ),
    security(("proof" = []), ()),
)]
async fn api_rooms(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    query: Result<Query<Wanted>, QueryRejection>,
    request: Request,
) -> Response {
    let (pairing, rooms) = (Dialect::Pairing, Dialect::Rooms);
    match query {
        Ok(Query(Wanted { roomid: None })) if serves(&request, rooms) => {
            rooms::list(&api, client, request.headers()).await
        }
        Ok(Query(Wanted { roomid })) if serves(&request, pairing) => {
            pairing::look(&api, client, request.headers(), &roomid.unwrap_or_default())
        }
        Err(_) if serves(&request, pairing) => pairing::Refusal::InvalidField.into_response(),
        _ => ApiError::new(Code::NotFound).into_response(),
    }
}
