//! Every error of the native API: a stable code, its status, its usual sentence. One table.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::{InviteError, RoomError, StoreError};

macro_rules! codes {
    ($($name:ident $status:literal $code:literal $message:literal;)*) => {
        /// What went wrong, as a client sees it. The code is stable; the sentence is for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $(#[doc = $message] $name,)* }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in `error.code`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status it comes with.
            pub fn status(self) -> StatusCode {
                let status: u16 = match self { $(Self::$name => $status,)* };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// The sentence in `error.message` where there is nothing more exact to say.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

codes! {
    BadRequest 400 "bad_request" "The request is not well-formed.";
    BadJson 400 "bad_json" "The body is not the JSON this call takes.";
    BadField 400 "bad_field" "A field has a value this call does not take.";
    Unauthorized 401 "unauthorized" "This call needs an API key, a ticket or an access token: Authorization: Bearer …";
    InvalidToken 401 "invalid_token" "The API key, ticket or access token is not accepted.";
    InvalidLogin 401 "invalid_login" "The name or the password is wrong.";
    SessionOver 401 "session_over" "The session is over; log in again.";
    Forbidden 403 "forbidden" "What was shown does not allow that.";
    OriginNotAllowed 403 "origin_not_allowed" "Pages of this origin may not call here; the operator can list it in http.allowed_origins.";
    NotFound 404 "not_found" "There is nothing here.";
    NoSuchAllocation 404 "no_such_allocation" "There is no such allocation, or it has ended.";
    NoSuchCheck 404 "no_such_check" "There is no such test of a connection, or it is over.";
    NoSuchRoom 404 "no_such_room" "There is no such room.";
    NoSuchInvite 404 "no_such_invite" "There is no such invite.";
    NoSuchPeer 404 "no_such_peer" "Nobody of that name is in the room, or waits in its lobby.";
    MethodNotAllowed 405 "method_not_allowed" "This path does not take this method; see the Allow header.";
    Timeout 408 "timeout" "The body did not come in time.";
    RoomFull 409 "room_full" "The room holds no more.";
    RoomLocked 409 "room_locked" "The room admits nobody; unlock it first.";
    TooManyOwnRooms 409 "too_many_own_rooms" "You have as many rooms as one person may have; close one of them.";
    TooManyInvites 409 "too_many_invites" "The room has as many open invites as it may have.";
    InviteUsed 410 "invite_used" "This invite has been used.";
    InviteRevoked 410 "invite_revoked" "This invite was taken back.";
    InviteExpired 410 "invite_expired" "This invite has expired.";
    BodyTooLarge 413 "body_too_large" "The body is larger than this call takes.";
    UnsupportedMediaType 415 "unsupported_media_type" "The body must be sent as Content-Type: application/json.";
    UpgradeRequired 426 "upgrade_required" "This path speaks WebSocket only.";
    RateLimited 429 "rate_limited" "Too many requests from this address.";
    Internal 500 "internal" "Something went wrong here; the server's log has more.";
    TooManyRooms 503 "too_many_rooms" "The server has as many rooms as it takes.";
    Unavailable 503 "unavailable" "The server cannot do this just now.";
}

/// An answer that is an error: `{"error":{"code","message","retry_after"?}}`.
#[derive(Debug)]
pub struct ApiError {
    code: Code,
    message: Cow<'static, str>,
    retry_after: Option<u64>,
}

impl ApiError {
    /// The code with its usual sentence.
    pub fn new(code: Code) -> Self {
        Self::with(code, code.message())
    }

    /// The code with a sentence of its own, which must hold no secret.
    pub fn with(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// Worth another try after so many seconds, at least one.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// What a person reads.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same answer with another body, for those who know errors in another shape.
    pub(super) fn reshaped(self, body: &serde_json::Value) -> Response {
        let (mut head, _) = self.into_response().into_parts();
        head.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(head, axum::body::Body::from(body.to_string()))
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.code
    }
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

/// What every refused native call answers.
#[derive(Serialize, ToSchema)]
pub(super) struct ErrorBody {
    error: ErrorDetail,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
struct ErrorDetail {
    /// Stable: what programs decide by.
    code: &'static str,
    /// For people; may change.
    message: Cow<'static, str>,
    /// The same request is worth another try after so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { code, message, retry_after } = self;
        let wire = ErrorBody { error: ErrorDetail { code: code.as_str(), message, retry_after } };
        let mut response = (code.status(), Json(wire)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // RFC 6750 section 3: a request without credentials is told the scheme alone.
        let challenge = match code {
            Code::Unauthorized | Code::InvalidLogin | Code::SessionOver => {
                Some("Bearer realm=\"relayhouse\"")
            }
            Code::InvalidToken => Some("Bearer realm=\"relayhouse\", error=\"invalid_token\""),
            Code::Forbidden => Some("Bearer realm=\"relayhouse\", error=\"insufficient_scope\""),
            _ => None,
        };
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the state failed a request");
        Self::new(Code::Unavailable).retry_after(5)
    }
}

impl From<RoomError> for ApiError {
    fn from(error: RoomError) -> Self {
        match error {
            RoomError::Full => Self::new(Code::TooManyRooms).retry_after(60),
            // 128 random bits met twice: worth a look, and another try.
            RoomError::Exists => Self::new(Code::Unavailable).retry_after(1),
            RoomError::Store(error) => error.into(),
        }
    }
}

impl From<InviteError> for ApiError {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::NotFound => Code::NoSuchInvite.into(),
            InviteError::Expired => Code::InviteExpired.into(),
            InviteError::AlreadyRedeemed => Code::InviteUsed.into(),
            InviteError::Revoked => Code::InviteRevoked.into(),
            InviteError::NoRoom => Code::NoSuchRoom.into(),
            InviteError::Full => Code::TooManyInvites.into(),
            InviteError::Store(error) => error.into(),
        }
    }
}
