//! The dialect `tunnel`: `/token` for a host or a guest, `/turn`, one-time invites, and a WebSocket
//! that a token opens. Its document describes a system and specifies little of it; what is spoken
//! here, and where that was left open, stands in `docs/dialects.md`.
//!
//! | file | thought |
//! |---|---|
//! | `token` | the token: what it says, who signed it |
//! | `tokens`, `invite`, `turn` | the calls of its clients |
//! | `admin`, `events` | the calls of its operators |
//! | `talk` | the words on the WebSocket |

mod admin;
mod events;
mod invite;
mod talk;
mod token;
mod tokens;
mod turn;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Dialect, with_its_405};
use crate::api::Api;
use crate::api::caller::{Caller, bearer};
use crate::api::errors::{ApiError, Code};
use token::{Claims, TokenKey};

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    let calls = [
        routes!(tokens::get, tokens::post),
        routes!(tokens::key_set),
        routes!(invite::invite),
        routes!(turn::turn),
        routes!(turn::api_turn),
        routes!(talk::connect),
        routes!(admin::rooms),
        routes!(admin::close),
        routes!(admin::lock),
        routes!(admin::unlock),
        routes!(admin::kick),
        routes!(events::events),
    ];
    calls.into_iter().fold(OpenApiRouter::new(), |router, call| {
        router.routes(with_its_405(call, |error| Fault(error).into_response()))
    })
}

/// What is wrong, as a Fastify server says it.
#[derive(Debug)]
struct Fault(ApiError);

impl<E: Into<ApiError>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let body = fault(error.code().status(), error.code().as_str(), error.message());
        error.reshaped(&body)
    }
}

/// What every refused call answers.
#[derive(ToSchema, Serialize)]
#[schema(as = TunnelFault)]
#[serde(rename_all = "camelCase")]
struct FaultBody {
    /// The status.
    status_code: u16,
    /// Stable: what programs decide by.
    code: String,
    /// The status in words.
    error: String,
    /// For people.
    message: String,
}

fn fault(status: StatusCode, code: &str, message: &str) -> Value {
    let error = status.canonical_reason().unwrap_or_default();
    json!({"statusCode": status.as_u16(), "code": code, "error": error, "message": message})
}

/// What a request shows.
enum Proof {
    /// A token of this dialect.
    Token(Claims),
    /// What every call takes; or nothing, where strangers are served.
    Native(Caller),
}

impl Api {
    /// Checks what the request shows; a token may be over for as long as `grace`.
    fn tunnel_proof(
        &self,
        headers: &HeaderMap,
        client: IpAddr,
        grace: Duration,
    ) -> Result<Proof, ApiError> {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match shown.and_then(bearer).filter(|token| token::is_one(token)) {
            Some(token) => {
                let claims = self.tunnel_token(token, client, grace)?;
                if self.is_shut_out(&claims.room, &claims.sub, claims.iat)? {
                    return Err(Code::Forbidden.into());
                }
                Ok(Proof::Token(claims))
            }
            None => self.caller_of(Dialect::Tunnel, headers, client).map(Proof::Native),
        }
    }

    /// What a token of this dialect says.
    fn tunnel_token(
        &self,
        token: &str,
        client: IpAddr,
        grace: Duration,
    ) -> Result<Claims, ApiError> {
        let (settings, now) = (self.settings(), self.now().unix);
        let read = self.tunnel_key().verify(&settings.dialects, now, grace, token);
        read.or_else(|why| {
            self.limiters().failures.check(client)?;
            tracing::info!(%client, %why, "refused a tunnel token");
            Err(ApiError::with(Code::InvalidToken, format!("Not accepted: {why}.")))
        })
    }

    fn tunnel_key(&self) -> TokenKey {
        TokenKey::of(self.tickets())
    }
}
