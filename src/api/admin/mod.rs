//! What operators see and decide: `/api/v1/admin/…`.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use super::Api;

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
}
