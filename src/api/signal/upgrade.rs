//! The HTTP door: the opening handshake of RFC 6455 section 4.2, on hyper's connection.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::super::Client;
use super::socket::Socket;
use super::{Endpoint, connection};

/// Bytes read from a connection at once, which every connection keeps: nearly all messages are shorter. The library's
/// default is 128 KiB.
const READ_BUFFER: usize = 1024;

/// Turns a request into a signalling connection, or says in the answer why not: no WebSocket
/// handshake (400, 426), a page of another origin (403), an address with too many (429), no place left (503).
pub fn upgrade(endpoint: &Arc<Endpoint>, request: Request) -> Response {
    let native =
        |endpoint: Arc<Endpoint>, socket| async move { connection::run(&endpoint, socket).await };
    upgrade_to(endpoint, request, native).unwrap_or_else(Refusal::response)
}

/// Turns a request into a WebSocket that `serve` speaks on, within the endpoint's bounds.
pub(in crate::api) fn upgrade_to<S, F>(
    endpoint: &Arc<Endpoint>,
    mut request: Request,
    serve: S,
) -> Result<Response, Refusal>
where
    S: FnOnce(Arc<Endpoint>, Socket) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let accept = accept_key(request.headers())?;
    if !endpoint.surroundings.origin_allowed(request.headers()) {
        return Err(Refusal::Origin);
    }
    // Behind nothing that says who asks, everybody is one.
    let client =
        request.extensions().get::<Client>().map_or(Ipv4Addr::UNSPECIFIED.into(), |it| it.0);
    endpoint.surroundings.may_connect(client).map_err(Refusal::TooOften)?;
    let most = endpoint.surroundings.connections_per_address();
    let spot = endpoint.crowd.enter(client, most).ok_or(Refusal::Crowded)?;
    let place = Arc::clone(&endpoint.places).try_acquire_owned().map_err(|_| Refusal::Busy)?;
    let upgraded = request.extensions_mut().remove::<OnUpgrade>().ok_or(Refusal::NoUpgrade)?;

    let endpoint = Arc::clone(endpoint);
    tokio::spawn(async move {
        let Ok(stream) = upgraded.await else { return };
        // Twice the limit is read, so that a message somewhat too large is an error and not the end.
        let most = endpoint.hub.limits().message.saturating_mul(2);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .max_message_size(Some(most))
            .max_frame_size(Some(most));
        let stream = TokioIo::new(stream);
        let stream = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        let patience = endpoint.patience.clone();
        serve(endpoint, Socket::new(stream, patience, client)).await;
        drop((place, spot));
    });

    Ok(answer(
        StatusCode::SWITCHING_PROTOCOLS,
        [
            (header::CONNECTION, HeaderValue::from_static("upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_ACCEPT, accept),
        ],
        Body::empty(),
    ))
}

/// RFC 6455 section 4.2.1: what the client must have sent; the answer to its key.
fn accept_key(headers: &HeaderMap) -> Result<HeaderValue, Refusal> {
    // 3. and 4. `Upgrade: websocket` and `Connection: Upgrade`, in any case, among others.
    if !has_token(headers, &header::UPGRADE, "websocket")
        || !has_token(headers, &header::CONNECTION, "upgrade")
    {
        return Err(Refusal::NoUpgrade);
    }
    // 6. The version, 13.
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refusal::Version);
    }
    // 5. The key, 16 bytes in base64.
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
    let key = key.ok_or(Refusal::Key)?;
    HeaderValue::from_str(&derive_accept_key(key.as_bytes())).map_err(|_| Refusal::Key)
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|it| it.trim().eq_ignore_ascii_case(token))
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) enum Refusal {
    NoUpgrade,
    Version,
    Key,
    Origin,
    Busy,
    Crowded,
    TooOften(Duration),
}

impl Refusal {
    fn response(self) -> Response {
        let (_, code, message) = self.words();
        self.with_body(&serde_json::json!({"error": {"code": code, "message": message}}))
    }

    /// The status, the word for programs and the sentence for people.
    pub(in crate::api) fn words(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NoUpgrade => {
                (StatusCode::UPGRADE_REQUIRED, "upgrade_required", "this is a WebSocket")
            }
            Self::Version => (
                StatusCode::UPGRADE_REQUIRED,
                "upgrade_required",
                "only version 13 of WebSocket is spoken",
            ),
            Self::Key => {
                (StatusCode::BAD_REQUEST, "bad_request", "Sec-WebSocket-Key is not 16 bytes")
            }
            Self::Origin => {
                (StatusCode::FORBIDDEN, "origin_not_allowed", "pages of this origin may not call")
            }
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "too many connections"),
            Self::Crowded => (
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "this address has as many connections as it may have",
            ),
            Self::TooOften(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "this address opens connections too often",
            ),
        }
    }

    /// The answer, with the words put as a dialect puts them.
    pub(in crate::api) fn with_body(self, body: &serde_json::Value) -> Response {
        let extra = match self {
            Self::Busy | Self::Crowded => (header::RETRY_AFTER, HeaderValue::from_static("5")),
            Self::TooOften(wait) => (header::RETRY_AFTER, wait.as_secs().max(1).into()),
            _ => (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
        };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            extra,
        ];
        answer(self.words().0, headers, Body::from(body.to_string()))
    }
}

fn answer(status: StatusCode, headers: [(HeaderName, HeaderValue); 3], body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    response
}
