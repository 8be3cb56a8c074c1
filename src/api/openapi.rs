//! The OpenAPI 3.1 description: what is not said by the calls themselves. Served at `/api/openapi.json`.

use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::errors::ErrorBody;

/// The name under which calls refer to the Bearer proof: an API key, a ticket or an access token.
const PROOF: &str = "proof";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Relayhouse",
        description = "Rooms, credentials and signalling around a STUN/TURN relay.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "people", description = "Users and their sessions"),
        (name = "rooms", description = "Rooms, invites and who is in them"),
        (name = "credentials", description = "ICE servers"),
        (name = "admin", description = "What operators see and decide"),
        (name = "health", description = "For probes and scrapers"),
        (name = "pages", description = "What browsers load"),
        (name = "signalling", description = "The WebSocket that sets calls up"),
        (name = "dialect: client-meta", description = "A client that asks for its settings"),
        (name = "dialect: meetings", description = "Polling clients with numbered rooms"),
        (name = "dialect: pairing", description = "Two devices and a join code"),
        (name = "dialect: rooms", description = "Clients of a FastAPI signalling server"),
        (name = "dialect: tunnel", description = "Tokens, invites and a worker's WebSocket"),
        (name = "dialect: turn-rest", description = "The TURN REST draft"),
    ),
    paths(admin, asset, description, sdk, sdk_types, signal, test),
    components(schemas(ErrorBody)),
    modifiers(&Proof),
)]
struct Frame;

// What is served without being a call of its own kind: described here, served in `routes.rs`.

/// The operator's page.
#[utoipa::path(
    get,
    path = "/admin",
    tag = "pages",
    responses((status = 200, body = String, content_type = "text/html")),
)]
#[expect(dead_code, reason = "for the description alone")]
fn admin() {}

/// The page that tests a connection.
#[utoipa::path(
    get,
    path = "/test",
    tag = "pages",
    responses((status = 200, body = String, content_type = "text/html")),
)]
#[expect(dead_code, reason = "for the description alone")]
fn test() {}

/// A part of the pages and of the client SDK.
#[utoipa::path(
    get,
    path = "/assets/{path}",
    tag = "pages",
    params(("path" = String, Path, description = "Its name, slashes included")),
    responses(
        (status = 200, description = "It", content_type = "*/*"),
        (status = "4XX", body = ErrorBody),
    ),
)]
#[expect(dead_code, reason = "for the description alone")]
fn asset() {}

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", tag = "pages", responses((status = 200, body = Value)))]
#[expect(dead_code, reason = "for the description alone")]
fn description() {}

/// The client SDK, an ES module: `docs/sdk.md`.
#[utoipa::path(
    get,
    path = "/sdk.js",
    tag = "pages",
    responses((status = 200, body = String, content_type = "text/javascript")),
)]
#[expect(dead_code, reason = "for the description alone")]
fn sdk() {}

/// Its types.
#[utoipa::path(
    get,
    path = "/sdk.d.ts",
    tag = "pages",
    responses((status = 200, body = String, content_type = "application/typescript")),
)]
#[expect(dead_code, reason = "for the description alone")]
fn sdk_types() {}

/// The WebSocket of native signalling. Its messages are in `docs/signalling.md`: the first one of a client
/// carries its ticket.
#[utoipa::path(
    get,
    path = "/api/v1/signal",
    tag = "signalling",
    responses(
        (status = 101, description = "The WebSocket"),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
)]
#[expect(dead_code, reason = "for the description alone")]
fn signal() {}

struct Proof;

impl Modify for Proof {
    fn modify(&self, description: &mut Description) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "An API key (`rk_…`), a ticket for a room, or a user's access token.",
        ));
        let components = description.components.get_or_insert_default();
        components.add_security_scheme(PROOF, SecurityScheme::Http(scheme.build()));
    }
}

/// The description without its paths.
pub(super) fn frame() -> Description {
    Frame::openapi()
}
