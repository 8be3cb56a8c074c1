//! Names nobody can guess: 144 random bits (24 characters) of base64url.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;

use super::errors::{ApiError, Code};

/// Longer path parameters than this are nobody's id. Bytes.
pub(super) const MAX_ID: usize = 64;
/// Longer than this is no invite: those of the dialect `tunnel` have so many characters.
pub(super) const MAX_INVITE: usize = 128;

/// A fresh name: for rooms, invites, peers and tickets.
pub(super) fn fresh() -> String {
    let mut random = [0; 18];
    // The system's generator fails only where nothing else works either.
    getrandom::fill(&mut random).expect("the system has random numbers");
    URL_SAFE_NO_PAD.encode(random)
}

/// A fresh UUID, version 4 (RFC 9562 section 5.4), for those who expect one.
pub(super) fn uuid() -> String {
    let mut random = [0; 16];
    getrandom::fill(&mut random).expect("the system has random numbers");
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(random));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The parameters of a path: a text, or a tuple of them.
pub(super) struct InPath<T = String>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Sync + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(parameters) = Path::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::with(Code::BadRequest, "The path is not UTF-8."))?;
        Ok(Self(parameters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_looks_like_one() {
        let (a, b) = (uuid(), uuid());
        assert_ne!(a, b);
        let parts: Vec<_> = a.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert!(a[14..].starts_with('4') && "89ab".contains(&a[19..20]), "{a}");
    }

    #[test]
    fn a_fresh_name_is_long_url_safe_and_new() {
        let (a, b) = (fresh(), fresh());
        assert_ne!(a, b);
        assert_eq!(a.len(), 24);
        assert!(a.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }
}
