//! Paths to calls.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use super::errors::{ApiError, Code};
use super::signal::{Endpoint, upgrade};
use super::{Api, headers, health, ice, invites, pages, rooms};

/// Every route, ready to be served; `signalling` answers `/api/v1/signal`.
pub fn router(api: &Arc<Api>, signalling: &Arc<Endpoint>) -> Router {
    // The first one counts: there is one endpoint for each API.
    let _ = api.signalling.set(Arc::downgrade(signalling));
    let endpoint = signalling.clone();
    let signal = async move |request: Request| upgrade(&endpoint, request);
    Router::new()
        .route("/", get(pages::index))
        .route("/assets/{*path}", get(pages::asset))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/api/v1/ice", get(ice::ice))
        .route("/api/v1/rooms", post(rooms::create))
        .route("/api/v1/rooms/{room}", get(rooms::look))
        .route("/api/v1/rooms/{room}/invites", post(invites::create))
        .route("/api/v1/invites/{invite}/redeem", post(invites::redeem))
        .route("/api/v1/signal", get(signal))
        .fallback(async || ApiError::new(Code::NotFound))
        .method_not_allowed_fallback(async || ApiError::new(Code::MethodNotAllowed))
        // Inside: a bug in one call is that call's 500, and is counted like any other answer.
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(api.clone(), headers::around))
        .with_state(api.clone())
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a call panicked; this is a bug");
    ApiError::new(Code::Internal).into_response()
}
