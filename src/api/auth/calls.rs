//! `POST /api/v1/auth/login`, `/refresh`, `/logout`, and `GET /api/v1/auth/me`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::StartedSession;
use crate::api::body::JsonBody;
use crate::api::caller::Caller;
use crate::api::errors::{ApiError, Code, ErrorBody};
use crate::api::{Api, Client, NO_STORE};
use crate::store::{EventKind, SessionKind, SessionRecord, UserRecord};

/// Who wants to log in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// Upper and lower case are the same.
    #[schema(max_length = 64)]
    username: String,
    #[schema(max_length = 1024, format = Password)]
    password: String,
}

/// What renews a session.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Refresh {
    /// The last one that was given out: each is good once.
    refresh_token: String,
}

/// A person.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
struct UserJson {
    name: String,
    /// `user` or `admin`.
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

impl From<UserRecord> for UserJson {
    fn from(user: UserRecord) -> Self {
        Self { name: user.name, role: user.role.name(), email: user.email }
    }
}

/// What somebody holds who has logged in. Times are unix seconds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LoggedIn {
    /// For `Authorization: Bearer …`.
    access_token: String,
    /// When the access token ends.
    expires_at: u64,
    /// Good once, for the next ones.
    refresh_token: String,
    /// When the session ends unless it is prolonged.
    refresh_expires_at: u64,
    user: UserJson,
}

impl LoggedIn {
    fn answer(user: UserRecord, started: StartedSession) -> Response {
        let body = Self {
            access_token: started.access,
            expires_at: started.access_expires,
            refresh_token: started.token,
            refresh_expires_at: started.session.expires,
            user: user.into(),
        };
        ([(header::CACHE_CONTROL, NO_STORE)], Json(body)).into_response()
    }
}

/// A session as its holder sees it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
struct SessionJson {
    /// When it ends unless it is prolonged.
    expires_at: u64,
    /// Whether a refresh prolongs it.
    sliding: bool,
}

impl From<SessionRecord> for SessionJson {
    fn from(session: SessionRecord) -> Self {
        Self { expires_at: session.expires, sliding: session.sliding }
    }
}

/// Who calls.
#[derive(Serialize, ToSchema)]
struct Me {
    user: UserJson,
    session: SessionJson,
}

/// Logs somebody in: an access token for some minutes, and a refresh token for the next ones.
#[utoipa::path(
    post,
    path = "/api/v1/auth/login",
    tag = "people",
    request_body = Login,
    responses(
        (status = 200, body = LoggedIn),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
)]
pub(super) async fn login(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    JsonBody(Login { username, password }): JsonBody<Login>,
) -> Result<Response, ApiError> {
    let password = zeroize::Zeroizing::new(password);
    let user = api.check_password(client, &username, &password).await?;
    let started = api.start_session(&user, SessionKind::Native).await?;
    tracing::info!(%client, user = user.name, "logged in");
    Ok(LoggedIn::answer(user, started))
}

/// The next access and refresh token of a session. An old refresh token shown again ends the session.
#[utoipa::path(
    post,
    path = "/api/v1/auth/refresh",
    tag = "people",
    request_body = Refresh,
    responses(
        (status = 200, body = LoggedIn),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
)]
pub(super) async fn refresh(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    JsonBody(Refresh { refresh_token }): JsonBody<Refresh>,
) -> Result<Response, ApiError> {
    api.limiters().changes.check(client)?;
    let (user, started) = api.refresh_session(client, &refresh_token).await?;
    Ok(LoggedIn::answer(user, started))
}

/// Ends the session of the access token that is shown, with all its tokens.
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    tag = "people",
    responses(
        (status = 204, description = "The session is over"),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn logout(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let Caller::User { name, session, .. } = api.caller(&headers, client)? else {
        return Err(not_a_user());
    };
    api.end_session(&session).await?;
    tracing::info!(%client, user = name, "logged out");
    let event = api.event(EventKind::Logout).with("client", client.to_string());
    api.note(event.with("user", name));
    Ok(StatusCode::NO_CONTENT)
}

/// Who the access token that is shown belongs to.
#[utoipa::path(
    get,
    path = "/api/v1/auth/me",
    tag = "people",
    responses(
        (status = 200, body = Me),
        (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn me(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Caller::User { name, session, .. } = api.caller(&headers, client)? else {
        return Err(not_a_user());
    };
    let user = api.store().users().find(&name)?.ok_or(Code::InvalidToken)?;
    let session = api.store().sessions().find(&session)?.ok_or(Code::InvalidToken)?;
    let me = Me { user: user.into(), session: session.into() };
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(me)).into_response())
}

fn not_a_user() -> ApiError {
    ApiError::with(Code::Forbidden, "Only people who have logged in have a session.")
}
