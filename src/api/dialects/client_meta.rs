//! The dialect `client-meta`: `GET /client/meta`, what a client needs to know when it starts.
//!
//! The document's example shows no proof, and its credentials are those of the session's user. So
//! whoever shows a proof gets credentials of their own; a stranger learns who serves here and, where the
//! document falls back to somebody else's STUN server, ours, which costs nothing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::errors::{ApiError, Code, ErrorBody};
use super::super::ice::own_subject;
use super::super::minter::IceServer;
use super::super::{Api, Client, NO_STORE};
use super::Dialect;

/// The calls of this dialect.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(meta))
}

/// Who serves here, and what connections can be made with.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientMeta)]
#[serde(rename_all = "camelCase")]
struct Meta {
    /// `dialects.client_name`.
    name: String,
    /// `dialects.client_version`.
    version: String,
    /// STUN; TURN over UDP and TCP; TURN over TLS. Strangers get STUN alone.
    ice_servers: Vec<IceServer>,
}

/// Name, version and ICE servers (`client-meta`).
#[utoipa::path(
    get,
    path = "/client/meta",
    operation_id = "client_meta",
    tag = "dialect: client-meta",
    responses(
        (status = 200, body = Meta),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security((), ("proof" = [])),
)]
async fn meta(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let ice_servers = match api.caller_of(Dialect::ClientMeta, &headers, client) {
        Ok(caller) => {
            caller.may_mint()?;
            let ttl = api.minter().ttl;
            let config = api.mint(&caller, client, &own_subject(&caller), ttl, None)?;
            config.ice_servers.into_iter().flat_map(by_scheme).collect()
        }
        Err(error) if error.code() == Code::Unauthorized => {
            api.minter().stun().into_iter().collect()
        }
        Err(error) => return Err(error),
    };
    let dialects = &api.settings().dialects;
    let (name, version) = (dialects.client_name.clone(), dialects.client_version.clone());
    let meta = Meta { name, version, ice_servers };
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(meta)).into_response())
}

/// An entry of its own for what goes over TLS, as the document has it.
fn by_scheme(server: IceServer) -> impl Iterator<Item = IceServer> {
    let (tls, plain): (Vec<_>, Vec<_>) =
        server.urls.iter().cloned().partition(|url| url.starts_with("turns:"));
    [plain, tls]
        .into_iter()
        .filter(|urls| !urls.is_empty())
        .map(move |urls| IceServer { urls, ..server.clone() })
}
