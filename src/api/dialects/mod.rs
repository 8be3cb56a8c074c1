//! The same rooms, users and credentials, as clients of other systems know them. Each dialect is a
//! thin file over the one core; what it must answer is what its own document says.
//!
//! | file | thought |
//! |---|---|
//! | `choice`, `settings` | which dialects there are, and which are served |
//! | `socket` | the WebSocket session of every dialect that has one |
//! | `shared` | paths that belong to more than one |

mod choice;
mod settings;
mod shared;
mod socket;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;

use super::Api;
use super::errors::{ApiError, Code};

pub use choice::{Dialect, Dialects};
pub use settings::DialectSettings;

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    shared::routes()
}

/// These calls, while `dialect` is served; else there is nothing there.
fn switched(dialect: Dialect, calls: OpenApiRouter<Arc<Api>>) -> OpenApiRouter<Arc<Api>> {
    calls.route_layer(from_fn_with_state(dialect, gate))
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
    /// Whether strangers may use this dialect.
    fn is_open(&self, dialect: Dialect) -> bool {
        let settings = self.settings();
        settings.dialects.is_open(dialect, settings.open_minting)
    }
}
