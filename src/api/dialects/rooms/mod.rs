//! The dialect `rooms`: users with JWTs, a WebSocket for each room, and the answers of a FastAPI
//! server.
//!
//! | file | thought |
//! |---|---|
//! | `fault` | errors as FastAPI writes them |
//! | `auth` | `/auth/…` |
//! | `list` | `/api/rooms`, `/health` |
//! | `entry`, `talk` | coming in on the WebSocket; its words |
//! | `held` | which user holds which client id, and who was sent away |

mod auth;
mod entry;
mod fault;
mod held;
mod list;
mod talk;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::with_its_405;
use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::errors::{ApiError, Code};
use fault::Fault;

pub(super) use fault::FaultBody;
pub(super) use held::Held;
pub(super) use list::{Room, list};

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    let calls = [
        routes!(auth::login),
        routes!(auth::token),
        routes!(auth::me),
        routes!(auth::refresh),
        routes!(auth::logout),
        routes!(auth::turn_credentials),
        routes!(list::info, list::look),
        routes!(list::health),
        routes!(talk::connect),
    ];
    calls.into_iter().fold(OpenApiRouter::new(), |router, call| {
        router.routes(with_its_405(call, |error| Fault::from(error).into_response()))
    })
}

impl Api {
    /// The user whose access token is shown, and who this is to the rest of the API.
    fn rooms_user(&self, headers: &HeaderMap, client: IpAddr) -> Result<Caller, Fault> {
        if !headers.contains_key(header::AUTHORIZATION) {
            return Err(ApiError::new(Code::Unauthorized).into());
        }
        match self.caller(headers, client)? {
            user @ Caller::User { .. } => Ok(user),
            _ => Err(ApiError::new(Code::InvalidToken).into()),
        }
    }
}
