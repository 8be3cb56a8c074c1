//! How this dialect refuses: `{"error":"…"}`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::super::super::errors::ApiError;
use crate::store::{PairingError, StoreError};

/// Why a call is refused.
#[derive(Debug)]
pub(in crate::api::dialects) enum Refusal {
    /// 400: a field that the call needs is not there.
    MissingField,
    /// 400: a field is there and cannot be taken.
    InvalidField,
    /// 404: no such room.
    NotFound,
    /// 404: no such join code, or no longer.
    NotFoundOrExpired,
    /// 409: the join code is taken.
    Conflict,
    /// 503: as many pairings as this server keeps.
    TooManyPairings,
    /// What every call may be refused for.
    Any(ApiError),
}

/// What every refused call answers.
#[derive(Serialize, ToSchema)]
#[schema(as = PairingError)]
pub(in crate::api::dialects) struct RefusalBody {
    /// The word for it.
    #[schema(example = "missing_field")]
    error: &'static str,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::MissingField => (StatusCode::BAD_REQUEST, "missing_field"),
            Self::InvalidField => (StatusCode::BAD_REQUEST, "invalid_field"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::NotFoundOrExpired => (StatusCode::NOT_FOUND, "not_found_or_expired"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict"),
            Self::TooManyPairings => (StatusCode::SERVICE_UNAVAILABLE, "too_many_pairings"),
            Self::Any(error) => {
                let body = json!({ "error": error.code().as_str() });
                return error.reshaped(&body);
            }
        };
        let mut response = (status, Json(RefusalBody { error })).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Any(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Any(error.into())
    }
}

impl From<PairingError> for Refusal {
    fn from(error: PairingError) -> Self {
        match error {
            PairingError::NotFound => Self::NotFoundOrExpired,
            PairingError::Conflict => Self::Conflict,
            PairingError::Full => Self::TooManyPairings,
            PairingError::Store(error) => error.into(),
        }
    }
}
