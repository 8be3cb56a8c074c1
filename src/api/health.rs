//! `/healthz`, `/readyz` and `/metrics`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use super::{Api, NO_STORE};

/// One thing that must hold before traffic should come here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// What: `store`, `relay` …
    pub check: &'static str,
    /// Why it does not hold; `None` when it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How long a probe of the store is believed: each is a write and a flush, and anybody can ask.
const PROBE_AGE: Duration = Duration::from_secs(1);
/// A disk that takes longer is not ready.
const PROBE_PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Readiness {
    others: Arc<dyn Fn() -> Vec<Check> + Send + Sync>,
    store: Mutex<Option<(Instant, Check)>>,
}

impl Readiness {
    pub(super) fn new(others: Arc<dyn Fn() -> Vec<Check> + Send + Sync>) -> Self {
        Self { others, store: Mutex::new(None) }
    }

    async fn store(&self, api: &Api) -> Check {
        // Held over the probe, so that many who ask at once share one.
        let mut last = self.store.lock().await;
        if let Some((at, check)) = &*last
            && at.elapsed() < PROBE_AGE
        {
            return check.clone();
        }
        let probe = tokio::time::timeout(PROBE_PATIENCE, api.store().probe_writable()).await;
        let why = match probe {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("a write took longer than {} s", PROBE_PATIENCE.as_secs())),
        };
        let check = Check { check: "store", why };
        *last = Some((Instant::now(), check.clone()));
        check
    }
}

/// Whether the process serves.
#[utoipa::path(get, path = "/healthz", tag = "health", responses(
    (status = 200, body = String, content_type = "text/plain"),
))]
pub(super) async fn healthz() -> Response {
    ([(header::CACHE_CONTROL, NO_STORE)], "ok\n").into_response()
}

/// Whether traffic may come, and if not, why.
#[derive(Serialize, ToSchema)]
struct Report {
    ready: bool,
    checks: Vec<Check>,
}

/// Whether traffic may come.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, body = Report),
    (status = 503, body = Report),
))]
pub(super) async fn readyz(State(api): State<Arc<Api>>) -> Response {
    let over = api.hub.is_over().then(|| "signalling has ended; start the server anew".to_owned());
    let signalling = Check { check: "signalling", why: over };
    let mut checks = vec![api.readiness.store(&api).await, signalling];
    checks.extend((api.readiness.others)());
    let ready = checks.iter().all(|check| check.why.is_none());
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, NO_STORE)], Json(Report { ready, checks })).into_response()
}

/// Numbers for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text"),
))]
pub(super) async fn metrics(State(api): State<Arc<Api>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], (api.metrics)()).into_response()
}
