//! The query of a request, read strictly: a parameter that a call does not know is a mistake.

use std::borrow::Cow;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::errors::{ApiError, Code};

/// The query as a `T`, which should refuse unknown fields.
pub(super) struct InQuery<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for InQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = Query::try_from_uri(&parts.uri).map_err(|error| {
            ApiError::with(Code::BadField, format!("The query is not right: {error}."))
        })?;
        Ok(Self(query.0))
    }
}

/// The answer to a parameter whose value this call does not take.
pub(super) fn bad(message: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError::with(Code::BadField, message)
}
