//! Users: `/api/v1/auth/…`, and what every other way to log in is made of.
//!
//! | file | thought |
//! |---|---|
//! | `calls` | login, refresh, logout, me |
//! | `passwords` | whether a name and a password belong together |
//! | `attempts`, `hashing` | how often somebody may be wrong; how much work that may cost |
//! | `sessions` | what somebody who has logged in holds, and what ends it |

mod attempts;
mod calls;
mod hashing;
mod passwords;
mod sessions;

use std::sync::Arc;
use std::time::Duration;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Api, RateLimits};
use attempts::Attempts;
use hashing::Hashing;
pub use sessions::{MEETINGS_LIFETIME, StartedSession};

/// How long people stay logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// Whether a session that is used is prolonged.
    pub sliding: bool,
    /// How long it lives, from its start or its last use.
    pub lifetime: Duration,
    /// How long one access token is good.
    pub access: Duration,
    /// How long after its expiry a token still passes, for clocks that differ.
    pub leeway: Duration,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            sliding: true,
            lifetime: Duration::from_secs(7 * 86_400),
            access: Duration::from_secs(15 * 60),
            leeway: crate::creds::ticket::LEEWAY,
        }
    }
}

/// What logins need beside the store.
pub(super) struct People {
    attempts: Attempts,
    hashing: Hashing,
}

impl People {
    pub(super) fn new(limits: RateLimits) -> Self {
        let attempts = Attempts::new(limits.logins, limits.logins_per_account);
        Self { attempts, hashing: Hashing::new() }
    }

    /// Password hashes computed so far.
    pub(super) fn hashes(&self) -> u64 {
        self.hashing.computed()
    }
}

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(calls::login))
        .routes(routes!(calls::refresh))
        .routes(routes!(calls::logout))
        .routes(routes!(calls::me))
}
