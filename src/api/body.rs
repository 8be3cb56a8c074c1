//! JSON bodies, read strictly: bounded in size and time, unknown fields refused by the types.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::errors::{ApiError, Code};

/// The largest body a call takes, in bytes.
pub const MAX_BODY: usize = 16 * 1024;
/// How long a client may take to send it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A JSON body of type `T`. No body at all counts as `{}`, so that calls whose every field is
/// optional can be made without one.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, bytes) = bounded(request).await?;
        if bytes.is_empty() && !parts.headers.contains_key(header::CONTENT_TYPE) {
            return parse(b"{}").map(Self);
        }
        if !is_json(&parts.headers) {
            return Err(Code::UnsupportedMediaType.into());
        }
        parse(&bytes).map(Self)
    }
}

/// A JSON body of type `T` whatever it was declared as, for dialects whose clients declare nothing.
/// No body counts as `{}`.
pub(super) struct LooseJson<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for LooseJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (_, bytes) = bounded(request).await?;
        parse(if bytes.is_empty() { b"{}" } else { &bytes }).map(Self)
    }
}

/// The whole body of a request, when it is small and comes in time.
pub(super) async fn bounded(request: Request) -> Result<(Parts, Vec<u8>), ApiError> {
    let (parts, body) = request.into_parts();
    if declared_length(&parts.headers).is_some_and(|length| length > MAX_BODY as u64) {
        return Err(Code::BodyTooLarge.into());
    }
    let read = tokio::time::timeout(PATIENCE, read(body)).await;
    let bytes = read.map_err(|_| ApiError::new(Code::Timeout))??;
    Ok((parts, bytes))
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn read(body: Body) -> Result<Vec<u8>, ApiError> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| ApiError::with(Code::BadRequest, "The body broke off."))?;
        if bytes.len() + chunk.len() > MAX_BODY {
            return Err(Code::BodyTooLarge.into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// `application/json` with any parameters, as long as the charset is UTF-8 if there is one.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(text) = value.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// The place (line and column) is part of serde_json's own sentence.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let parsed = serde_json::from_slice(bytes).map_err(|error| {
        ApiError::with(Code::BadJson, format!("The body is not right: {error}."))
    })?;
    // A list with a value for each field would pass for an object.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(ApiError::with(Code::BadJson, "The body is not right: it is no object."));
    }
    Ok(parsed)
}
