//! Around every call: who asks and from which page, and the headers every answer carries.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::errors::{ApiError, Code};
use super::forwarded::{client_address, is_trusted};
use super::origin::origin_allowed;
use super::server::{Over, Peer};
use super::{Api, HttpSettings};

/// The address a request came from, behind trusted proxies too.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub IpAddr);

/// Whether the client reached us, or a trusted proxy in front of us, over TLS.
#[derive(Clone, Copy, Debug)]
pub struct IsHttps(pub bool);

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let unknown = Self(Ipv4Addr::UNSPECIFIED.into());
        Ok(parts.extensions.get().copied().unwrap_or(unknown))
    }
}

impl<S: Sync> FromRequestParts<S> for IsHttps {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(false)))
    }
}

/// Wraps every route.
pub(super) async fn around(
    State(api): State<Arc<Api>>,
    mut request: Request,
    next: Next,
) -> Response {
    let settings = api.settings.load_full();
    identify(&settings, &mut request);
    let page = request.headers().get(header::ORIGIN).cloned();
    let allowed =
        origin_allowed(request.headers(), &settings.allowed_origins, &settings.public_url);
    let framing = framing_of(&request);
    let mut response = if framing == Framing::Twice {
        ApiError::with(Code::BadRequest, "A body has one length.").into_response()
    } else if is_preflight(&request) {
        if allowed { preflight() } else { refused() }
    } else if !allowed && !request.method().is_safe() {
        // A page elsewhere cannot read our answer anyway; it shall not change anything either.
        refused()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    if let Some(page) = page.filter(|_| allowed) {
        share_with(headers, page);
    }
    if framing != Framing::Plain {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    harden(headers);
    api.numbers().count_response(response.status());
    response
}

/// How a request says where its body ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// By a length, or it has none.
    Plain,
    /// In chunks.
    Chunked,
    /// In both ways, which is how a request is smuggled past a proxy.
    Twice,
}

/// RFC 9112 section 6.1: a request with both is refused. One of the two may have been taken out on the
/// way here, so whatever came in chunks is the last request of its connection; browsers send none.
fn framing_of(request: &Request) -> Framing {
    let has = |name| request.headers().contains_key(name);
    match (has(header::TRANSFER_ENCODING), has(header::CONTENT_LENGTH)) {
        (false, _) => Framing::Plain,
        (true, false) => Framing::Chunked,
        (true, true) => Framing::Twice,
    }
}

fn identify(settings: &HttpSettings, request: &mut Request) {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_canonical());
    let peer = peer.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    let headers = request.headers();
    let lists = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes);
    let client = client_address(peer, lists, &settings.trusted_proxies);
    let proto = headers.get_all("x-forwarded-proto").iter().next_back();
    let proxied_https = is_trusted(peer, &settings.trusted_proxies)
        && proto.is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
    let is_https = proxied_https || request.extensions().get() == Some(&Over::Tls);
    request.extensions_mut().insert(Client(client));
    request.extensions_mut().insert(IsHttps(is_https));
    request.extensions_mut().insert(settings.dialects.serve);
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> Response {
    let fixed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PATCH, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, fixed).into_response()
}

fn refused() -> Response {
    ApiError::new(Code::OriginNotAllowed).into_response()
}

fn share_with(headers: &mut HeaderMap, page: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, page);
    let exposed = HeaderValue::from_static("Link, Relayhouse-Ticket, Retry-After");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}

/// What every answer carries. Invites stand in the fragment of a link; no address leaves all the same.
/// Pages elsewhere that may call ask with CORS, which the resource policy does not concern.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What an answer carries that says nothing else about it: it is no page, and of this moment.
const UNLESS_SAID: [(HeaderName, &str); 2] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::CACHE_CONTROL, "no-store"),
];

/// What pages carry on top: scripts and styles of our own alone, camera and microphone for us alone,
/// nobody's frame. `ws:` and `wss:` because older browsers' `'self'` does not cover them.
pub(super) const PAGE: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; connect-src 'self' ws: wss:; media-src 'self' blob: mediastream:; \
         img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=()",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

fn harden(headers: &mut HeaderMap) {
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in UNLESS_SAID {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
