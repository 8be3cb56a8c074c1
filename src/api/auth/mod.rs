//! Users: `/api/v1/auth/…`.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use super::Api;

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
}
