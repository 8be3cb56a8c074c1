//! The same rooms, users and credentials, as clients of other systems know them. Each dialect is a
//! thin file over the one core; what it must answer is what its own document says.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use super::Api;

/// The calls of this module.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
}
