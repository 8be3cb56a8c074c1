//! Rooms over HTTP: made, listed, looked at, changed, closed; who may come in, and who is there.
//!
//! | file | thought |
//! |---|---|
//! | `create`, `list`, `look`, `change`, `close` | the room itself |
//! | `tickets`, `invites`, `redeem` | ways into it |
//! | `people` | who is in it, and what is decided about them |
//! | `rights` | which caller may do what |
//! | `shapes` | a room in answers |

mod change;
mod close;
mod create;
mod invites;
mod list;
mod look;
mod people;
mod redeem;
mod rights;
mod shapes;
mod tickets;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;

pub use create::{DEFAULT_CAPACITY, MAX_CAPACITY, MAX_EXPIRES_IN};
pub use invites::{DEFAULT_TTL as DEFAULT_INVITE_TTL, MAX_TTL as MAX_INVITE_TTL};
pub use list::MAX_PAGE as MAX_ROOMS_PAGE;
pub use rights::MAX_OWN_ROOMS;
pub use shapes::MAX_NAME;
pub(super) use shapes::checked_name;

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(look::look, change::change, close::close))
        .routes(routes!(tickets::create))
        .routes(routes!(invites::create, invites::list))
        .routes(routes!(invites::revoke))
        .routes(routes!(redeem::redeem))
        .routes(routes!(people::participants))
        .routes(routes!(people::kick))
        .routes(routes!(people::admit))
        .routes(routes!(people::deny))
}
