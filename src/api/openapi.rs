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
        (name = "dialect: client-meta", description = "A client that asks for its settings"),
        (name = "dialect: meetings", description = "Polling clients with numbered rooms"),
        (name = "dialect: pairing", description = "Two devices and a join code"),
        (name = "dialect: rooms", description = "Clients of a FastAPI signalling server"),
        (name = "dialect: tunnel", description = "Tokens, invites and a worker's WebSocket"),
        (name = "dialect: turn-rest", description = "The TURN REST draft"),
    ),
    components(schemas(ErrorBody)),
    modifiers(&Proof),
)]
struct Frame;

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
