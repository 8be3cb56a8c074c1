//! Paths that more than one dialect claims: the request's own shape decides whose it is.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use super::super::Api;

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
}
