//! The embedded pages: `/`, `/admin`, `/test` and `/assets/…`, out of the binary (out of `web/` in debug builds).
//!
//! `/sdk.js`, its types and its parts below `/assets/session/` may be read by pages of every origin: they hold
//! nothing secret, and whom a page of another origin may *call* is `http.allowed_origins`' business.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::errors::{ApiError, Code};
use super::headers::PAGE;
use super::ids::InPath;

#[derive(RustEmbed)]
#[folder = "web/"]
struct Web;

pub(super) async fn index(headers: HeaderMap) -> Result<Response, ApiError> {
    serve("index.html", &headers)
}

pub(super) async fn admin(headers: HeaderMap) -> Result<Response, ApiError> {
    serve("admin.html", &headers)
}

pub(super) async fn test(headers: HeaderMap) -> Result<Response, ApiError> {
    serve("test.html", &headers)
}

pub(super) async fn sdk(headers: HeaderMap) -> Result<Response, ApiError> {
    serve("sdk.js", &headers)
}

pub(super) async fn sdk_types(headers: HeaderMap) -> Result<Response, ApiError> {
    serve("sdk.d.ts", &headers)
}

pub(super) async fn asset(InPath(path): InPath, headers: HeaderMap) -> Result<Response, ApiError> {
    // The path is decoded already. Debug builds read from the disk: nothing but plain names then.
    if !path.split('/').all(is_plain) {
        return Err(Code::NotFound.into());
    }
    serve(&format!("assets/{path}"), &headers)
}

fn is_plain(segment: &str) -> bool {
    !segment.is_empty()
        && !segment.starts_with('.')
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn serve(path: &str, asked: &HeaderMap) -> Result<Response, ApiError> {
    let file = Web::get(path).ok_or(Code::NotFound)?;
    let tag = etag(&file)?;
    let mut response = if is_fresh(asked, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = content_type(path, &file)?;
        ([(header::CONTENT_TYPE, kind)], file.data.into_owned()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    // Kept, but asked about each time: a new binary brings new pages at once.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    for (name, value) in PAGE {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_sdk(path) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    Ok(response)
}

fn is_sdk(path: &str) -> bool {
    path.starts_with("sdk.") || path.starts_with("assets/session/")
}

fn etag(file: &EmbeddedFile) -> Result<HeaderValue, ApiError> {
    let mut tag = String::from("\"");
    for byte in &file.metadata.sha256_hash()[..16] {
        tag += &format!("{byte:02x}");
    }
    tag.push('"');
    HeaderValue::from_str(&tag).map_err(|_| Code::Internal.into())
}

fn content_type(path: &str, file: &EmbeddedFile) -> Result<HeaderValue, ApiError> {
    if path.ends_with(".d.ts") {
        // By its ending alone it would be taken for a film (MPEG-2).
        return Ok(HeaderValue::from_static("application/typescript; charset=utf-8"));
    }
    let kind = file.metadata.mimetype();
    let text = kind.starts_with("text/") || kind.ends_with("javascript");
    let kind = if text { format!("{kind}; charset=utf-8") } else { kind.to_owned() };
    HeaderValue::from_str(&kind).map_err(|_| Code::Internal.into())
}

/// `If-None-Match` (RFC 9110 section 13.1.2): a list, compared weakly.
fn is_fresh(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == "*" || one.as_bytes() == tag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_plain_names_reach_the_disk() {
        for name in ["..", ".", "", ".hidden", "a\\b", "a\0b", "a%2fb", "a b"] {
            assert!(!is_plain(name), "{name:?}");
        }
        assert!(is_plain("app-1.min.js"));
    }
}
