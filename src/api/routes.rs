//! Paths to calls.

use std::any::Any;
use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::errors::{ApiError, Code};
use super::signal::{Endpoint, upgrade};
use super::{Api, admin, auth, checks, dialects, headers, health, ice, openapi, pages, rooms};

/// Every route, ready to be served; `signalling` answers `/api/v1/signal`.
pub fn router(api: &Arc<Api>, signalling: &Arc<Endpoint>) -> Router {
    // The first one counts: there is one endpoint for each API.
    let _ = api.signalling.set(Arc::downgrade(signalling));
    let endpoint = signalling.clone();
    let signal = async move |request: Request| upgrade(&endpoint, request);
    let (calls, description) = calls().split_for_parts();
    let description = Arc::new(description);
    let described = async move || Json(description.as_ref().clone());
    calls
        .route("/admin", get(pages::admin))
        .route("/test", get(pages::test))
        .route("/assets/{*path}", get(pages::asset))
        .route("/sdk.js", get(pages::sdk))
        .route("/sdk.d.ts", get(pages::sdk_types))
        .route("/api/v1/signal", get(signal))
        .route("/api/openapi.json", get(described))
        .fallback(async || ApiError::new(Code::NotFound))
        .method_not_allowed_fallback(async || ApiError::new(Code::MethodNotAllowed))
        // Inside: a bug in one call is that call's 500, and is counted like any other answer.
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(api.clone(), headers::around))
        .with_state(api.clone())
}

/// Every call, each with its own description; `openapi.rs` describes the other routes.
fn calls() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(ice::ice))
        .merge(rooms::routes())
        .merge(checks::routes())
        .merge(auth::routes())
        .merge(admin::routes())
        .merge(dialects::routes())
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a call panicked; this is a bug");
    ApiError::new(Code::Internal).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_served_is_described() {
        let (_, description) = calls().split_for_parts();
        // A router does not say what it serves, so its own text has to.
        let (served, _) = include_str!("routes.rs").split_once("mod tests").expect("these tests");
        let routes: Vec<_> = served.split(".route(\"").skip(1).collect();
        assert!(routes.len() >= 5, "routes are written in another way now");
        for route in routes {
            let path = route.split('"').next().expect("the rest").replace("{*", "{");
            assert!(description.paths.paths.contains_key(&path), "{path} is not described");
        }
    }

    #[test]
    fn every_described_call_says_how_it_refuses() {
        let (_, description) = calls().split_for_parts();
        let text = serde_json::to_value(&description).expect("it is JSON");
        assert_eq!(text["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
        let paths = text["paths"].as_object().expect("paths");
        assert!(paths.contains_key("/api/v1/rooms"));
        for (path, calls) in paths.iter().filter(|(path, _)| path.starts_with("/api/v1/")) {
            for (method, call) in calls.as_object().expect("methods") {
                let refusals = &call["responses"]["4XX"];
                assert!(refusals.is_object(), "{method} {path} does not describe its refusals");
            }
        }
    }
}
