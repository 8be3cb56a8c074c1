//! `/auth/…`: logging in with JSON or with a form, who that is, and TURN credentials for them.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::fault::{Fault, FaultBody};
use crate::api::body::bounded;
use crate::api::caller::bearer;
use crate::api::errors::{ApiError, Code};
use crate::api::{Api, Client, NO_STORE};
use crate::store::{EventKind, SessionKind};

/// Who logs in.
#[derive(Deserialize, ToSchema)]
#[schema(as = RoomsLogin)]
struct Login {
    username: String,
    password: String,
}

/// The same as a form of OAuth 2 (RFC 6749 section 4.3.2); other fields are not looked at.
#[derive(Deserialize, ToSchema)]
#[schema(as = RoomsForm)]
struct Form {
    username: Option<String>,
    password: Option<String>,
    /// `password`, if anything.
    #[schema(pattern = "^password$")]
    grant_type: Option<String>,
}

/// What a user holds.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomsToken)]
struct Token {
    access_token: String,
    /// `bearer`
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
}

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomsUser)]
struct User {
    username: String,
    email: String,
    is_active: bool,
}

/// A sentence.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomsMessage)]
pub(super) struct Message {
    message: &'static str,
}

/// Credentials for the relay.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomsTurn)]
struct Turn {
    /// `<timestamp>:<username>`
    username: String,
    credential: String,
    urls: Vec<String>,
    /// Seconds.
    ttl: u64,
}

/// Logs in.
#[utoipa::path(
    post,
    path = "/auth/login",
    operation_id = "rooms_login",
    tag = "dialect: rooms",
    request_body = Login,
    responses(
        (status = 200, body = Token),
        (status = "4XX", body = FaultBody),
        (status = "5XX", body = FaultBody),
    ),
)]
pub(super) async fn login(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    request: Request,
) -> Result<Response, Fault> {
    let (_, body) = bounded(request).await?;
    let body: Value = serde_json::from_slice(&body)
        .map_err(|error| Fault::Invalid(vec![Fault::no_json(&error)]))?;
    let (mut wrong, mut texts) = (Vec::new(), Vec::new());
    for field in ["username", "password"] {
        match body.get(field) {
            Some(Value::String(text)) => texts.push(text.clone()),
            Some(_) => wrong.push(Fault::no_text(field)),
            None => wrong.push(Fault::missing(field)),
        }
    }
    let [username, password] = texts.try_into().map_err(|_| Fault::Invalid(wrong))?;
    log_in(&api, client, Login { username, password }).await
}

/// Logs in with the form of OAuth 2.
#[utoipa::path(
    post,
    path = "/auth/token",
    operation_id = "rooms_token",
    tag = "dialect: rooms",
    request_body(content = Form, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = Token),
        (status = "4XX", body = FaultBody),
        (status = "5XX", body = FaultBody),
    ),
)]
pub(super) async fn token(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    request: Request,
) -> Result<Response, Fault> {
    let (parts, body) = bounded(request).await?;
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    let form = match kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        true => serde_urlencoded::from_bytes(&body).ok(),
        false => None,
    };
    // A body that is no form has no fields.
    let form = form.unwrap_or(Form { username: None, password: None, grant_type: None });
    let mut wrong = Vec::new();
    if form.grant_type.is_some_and(|kind| kind != "password") {
        wrong.push(serde_json::json!({
            "type": "string_pattern_mismatch", "loc": ["body", "grant_type"],
            "msg": "String should match pattern '^password$'", "input": null,
        }));
    }
    wrong.extend(form.username.is_none().then(|| Fault::missing("username")));
    wrong.extend(form.password.is_none().then(|| Fault::missing("password")));
    match (form.username, form.password) {
        (Some(username), Some(password)) if wrong.is_empty() => {
            log_in(&api, client, Login { username, password }).await
        }
        _ => Err(Fault::Invalid(wrong)),
    }
}

async fn log_in(api: &Api, client: IpAddr, login: Login) -> Result<Response, Fault> {
    let user = api.check_password(client, &login.username, &login.password).await?;
    let started = api.start_session(&user, SessionKind::Rooms).await?;
    Ok(given(api, started.access, started.access_expires))
}

fn given(api: &Api, access_token: String, expires: u64) -> Response {
    let expires_in = expires.saturating_sub(api.now().unix.0);
    let token = Token { access_token, token_type: "bearer", expires_in };
    ([(header::CACHE_CONTROL, NO_STORE)], Json(token)).into_response()
}

/// Who is logged in.
#[utoipa::path(
    get,
    path = "/auth/me",
    operation_id = "rooms_me",
    tag = "dialect: rooms",
    responses((status = 200, body = User), (status = "4XX", body = FaultBody)),
    security(("proof" = [])),
)]
pub(super) async fn me(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let caller = api.rooms_user(&headers, client)?;
    let name = caller.owner().unwrap_or_default();
    let user = api.store().users().find(&name)?.ok_or(Code::InvalidToken)?;
    // Users without an address have the one that the document gives them.
    let email = user.email.unwrap_or_else(|| format!("{}@example.com", user.name));
    let user = User { username: user.name, email, is_active: user.active };
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(user)).into_response())
}

/// Another token of the same session.
#[utoipa::path(
    post,
    path = "/auth/refresh",
    operation_id = "rooms_refresh",
    tag = "dialect: rooms",
    responses((status = 200, body = Token), (status = "4XX", body = FaultBody)),
    security(("proof" = [])),
)]
pub(super) async fn refresh(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    api.rooms_user(&headers, client)?;
    api.limiters().changes.check(client)?;
    let token = shown(&headers).ok_or(Code::Unauthorized)?;
    let (access, expires) = api.another_access(token).await?;
    Ok(given(&api, access, expires))
}

/// Ends the session, if there is one.
#[utoipa::path(
    post,
    path = "/auth/logout",
    operation_id = "rooms_logout",
    tag = "dialect: rooms",
    responses((status = 200, body = Message), (status = "5XX", body = FaultBody)),
    security(("proof" = []), ()),
)]
pub(super) async fn logout(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
) -> Result<Json<Message>, Fault> {
    if let Some((user, session)) = shown(&headers).and_then(|token| api.access(token).ok()) {
        api.end_session(&session.id).await?;
        let event = api.event(EventKind::Logout).with("client", client.to_string());
        api.note(event.with("user", user.name));
    }
    Ok(Json(Message { message: "Successfully logged out" }))
}

/// Credentials for the relay, for a user.
#[utoipa::path(
    get,
    path = "/auth/turn-credentials",
    operation_id = "rooms_turn_credentials",
    tag = "dialect: rooms",
    responses(
        (status = 200, body = Turn),
        (status = "4XX", body = FaultBody),
        (status = "5XX", body = FaultBody),
    ),
    security(("proof" = [])),
)]
pub(super) async fn turn_credentials(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let caller = api.rooms_user(&headers, client)?;
    api.may_mint_now(&caller, client)?;
    let (minter, now) = (api.minter(), api.now().unix);
    let name = caller.owner().unwrap_or_default();
    let config = minter.ice_servers(now, &name, minter.ttl).map_err(|error| {
        tracing::error!(%error, "no credential could be made");
        ApiError::new(Code::Internal)
    })?;
    let turn = config.ice_servers.into_iter().find_map(|server| {
        Some(Turn {
            username: server.username?,
            credential: server.credential?,
            urls: server.urls,
            ttl: config.ttl,
        })
    });
    match turn {
        Some(turn) => Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(turn)).into_response()),
        None => Err(Fault::Detail(StatusCode::SERVICE_UNAVAILABLE, "TURN server not configured")),
    }
}

fn shown(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok().and_then(bearer)
}
