//! The same rooms, users and credentials, as clients of other systems know them. Each dialect is a
//! thin file over the one core; what it must answer is what its own document says.
//!
//! | file | thought |
//! |---|---|
//! | `choice`, `settings` | which dialects there are, and which are served |
//! | `socket` | the WebSocket session of every dialect that has one |
//! | `shared` | paths that belong to more than one |
//! | `client_meta`, `meetings`, `pairing`, `rooms`, `tunnel`, `turn_rest` | a dialect each |

mod choice;
mod client_meta;
mod meetings;
mod pairing;
mod rooms;
mod settings;
mod shared;
mod socket;
mod tunnel;
mod turn_rest;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::Api;
use super::caller::Caller;
use super::errors::{ApiError, Code};

pub use choice::{Dialect, Dialects};
pub use settings::DialectSettings;

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    shared::routes()
        .merge(switched(Dialect::ClientMeta, client_meta::routes()))
        .merge(switched(Dialect::Meetings, meetings::routes()))
        .merge(switched(Dialect::Pairing, pairing::routes()))
        .merge(switched(Dialect::Rooms, rooms::routes()))
        .merge(switched(Dialect::Tunnel, tunnel::routes()))
}

/// What dialects remember while the server runs.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) rooms: rooms::Held,
}

/// A call whose refusal of other methods has the dialect's shape.
fn with_its_405(
    (schemas, paths, call): UtoipaMethodRouter<Arc<Api>>,
    refusal: fn(ApiError) -> Response,
) -> UtoipaMethodRouter<Arc<Api>> {
    (schemas, paths, call.fallback(async move || refusal(Code::MethodNotAllowed.into())))
}

/// These calls, while `dialect` is served; else there is nothing there.
fn switched(dialect: Dialect, calls: OpenApiRouter<Arc<Api>>) -> OpenApiRouter<Arc<Api>> {
    calls.layer(from_fn_with_state(dialect, gate))
}

async fn gate(State(dialect): State<Dialect>, request: Request, next: Next) -> Response {
    match serves(&request, dialect) {
        true => next.run(request).await,
        false => ApiError::new(Code::NotFound).into_response(),
    }
}

/// Whether this dialect is switched on, as the settings were when the request came.
fn serves(request: &Request, dialect: Dialect) -> bool {
    request.extensions().get::<Dialects>().is_some_and(|served| served.contains(dialect))
}

impl Api {
    /// Who calls: whoever may call anything, or a stranger where the dialect serves them.
    fn caller_of(
        &self,
        dialect: Dialect,
        headers: &HeaderMap,
        client: IpAddr,
    ) -> Result<Caller, ApiError> {
        if !headers.contains_key(header::AUTHORIZATION) && self.is_open(dialect) {
            return Ok(Caller::Anybody);
        }
        self.caller(headers, client)
    }

    /// Whether strangers may use this dialect.
    fn is_open(&self, dialect: Dialect) -> bool {
        let settings = self.settings();
        settings.dialects.is_open(dialect, settings.open_minting)
    }
}
