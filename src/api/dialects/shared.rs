//! Paths that more than one dialect claims: the request's own shape decides whose it is.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::errors::{ApiError, Code, ErrorBody};
use super::super::{Api, Client, pages};
use super::{Dialect, pairing, serves, turn_rest};

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(root, ask)).routes(routes!(rooms))
}

/// The call page; with `?service=turn`, credentials (`turn-rest`); as a WebSocket, join codes' rooms
/// (`pairing`).
#[utoipa::path(
    get,
    path = "/",
    tag = "dialects",
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
    tag = "dialects",
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
    /// A room that join codes made (`pairing`). Without, the rooms of the dialect `rooms`.
    roomid: Option<String>,
}

/// With `roomid`, the two devices of a room (`pairing`); without, rooms (`rooms`).
#[utoipa::path(
    get,
    path = "/api/rooms",
    tag = "dialects",
    params(Wanted),
    responses(
        (status = 200, body = pairing::Pair),
        (status = "4XX", body = pairing::RefusalBody),
        (status = "5XX", body = pairing::RefusalBody),
    ),
    security((), ("proof" = [])),
)]
async fn rooms(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
    request: Request,
) -> Response {
    let roomid = match wanted {
        Ok(Query(Wanted { roomid })) => roomid,
        Err(_) => return pairing::Refusal::InvalidField.into_response(),
    };
    if !serves(&request, Dialect::Pairing) {
        return ApiError::new(Code::NotFound).into_response();
    }
    let caller = api.caller_of(Dialect::Pairing, &headers, client);
    let looked = caller
        .map_err(pairing::Refusal::from)
        .and_then(|caller| pairing::look(&api, &caller, roomid.as_deref().unwrap_or_default()));
    looked.into_response()
}
