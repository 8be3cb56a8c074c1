//! What operators see and decide: `/api/v1/admin/…`.

pub(super) mod allocations;
mod events;
mod refusals;
mod stats;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(allocations::list))
        .routes(routes!(allocations::end))
        .routes(routes!(events::events))
        .routes(routes!(refusals::list))
        .routes(routes!(stats::stats))
}
