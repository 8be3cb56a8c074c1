//! The dialect `turn-rest`: `GET` or `POST` `/?service=turn&username=…&key=…`, as
//! draft-uberti-behave-turn-rest-00 section 2 has it.
//!
//! The draft leaves open how a call is refused: as native calls are. Its `key` is an API key with the
//! scope `mint`; a proof in the `Authorization` header does as well.

use std::net::IpAddr;

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::super::body::bounded;
use super::super::caller::Caller;
use super::super::errors::{ApiError, Code};
use super::super::ice::{check_subject, own_subject};
use super::super::{Api, IceConfig, NO_STORE};
use super::Dialect;

/// What is asked for.
#[derive(Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// `turn`, and nothing else.
    service: Option<String>,
    /// Whom the credentials are for, in 256 bytes at most; keys alone may say so.
    username: Option<String>,
    /// An API key with the scope `mint`.
    key: Option<String>,
    /// Another name of `key`.
    api: Option<String>,
}

/// Section 2.2.
#[derive(Serialize, ToSchema)]
#[schema(as = TurnCredentials)]
pub(super) struct Credentials {
    /// `<expiry>:<username>`, or the expiry alone.
    username: String,
    password: String,
    /// Seconds from now.
    ttl: u64,
    /// `turn:` and `turns:` URIs.
    uris: Vec<String>,
}

/// Whether a request for `/` is this dialect's: it names a service.
pub(super) fn is_asked(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    query.split('&').any(|pair| pair == "service" || pair.starts_with("service="))
}

/// Answers a request for `/`.
pub(super) async fn answer(
    api: &Api,
    client: IpAddr,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = bounded(request).await?;
    let mut asked = Asked::default();
    asked.read(parts.uri.query().unwrap_or_default().as_bytes())?;
    if parts.method == Method::POST && is_form(&parts.headers) {
        asked.read(&body)?;
    }
    if asked.service.as_deref() != Some("turn") {
        return Err(ApiError::with(Code::BadRequest, "The only service there is, is turn."));
    }
    let key = asked.key.or(asked.api);
    let caller = caller(api, &parts.headers, client, key.as_deref())?;
    caller.may_mint()?;
    let (subject, ttl) = (subject(&caller, asked.username)?, api.minter().ttl);
    credentials(api.mint(&caller, client, &subject, ttl, None)?)
}

impl Asked {
    fn read(&mut self, form: &[u8]) -> Result<(), ApiError> {
        let malformed = |_| ApiError::with(Code::BadRequest, "The parameters are not UTF-8.");
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(form).map_err(malformed)?;
        for (name, value) in pairs {
            let place = match name.as_str() {
                "service" => &mut self.service,
                "username" => &mut self.username,
                "key" => &mut self.key,
                "api" => &mut self.api,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(ApiError::with(Code::BadRequest, "A parameter stands there twice."));
            }
        }
        Ok(())
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// Who asks. A key that is not accepted is 403: the call is understood, and no other header would do.
fn caller(
    api: &Api,
    headers: &HeaderMap,
    client: IpAddr,
    key: Option<&str>,
) -> Result<Caller, ApiError> {
    let Some(key) = key else { return api.caller_of(Dialect::TurnRest, headers, client) };
    let value = format!("Bearer {key}");
    let mut shown = HeaderMap::new();
    let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("none"));
    shown.insert(header::AUTHORIZATION, value);
    match api.caller(&shown, client) {
        Ok(caller @ Caller::Key { .. }) => Ok(caller),
        Err(error) if error.code() != Code::InvalidToken => Err(error),
        _ => Err(ApiError::with(Code::Forbidden, "The key is not accepted.")),
    }
}

/// Whom the credentials are for: an application says so, anybody else is who they are.
fn subject(caller: &Caller, username: Option<String>) -> Result<String, ApiError> {
    match (caller, username) {
        (Caller::Ticket(_) | Caller::User { .. }, _) => Ok(own_subject(caller)),
        // Section 2.2: the expiry alone.
        (_, None) => Ok(String::new()),
        (_, Some(username)) if username.is_empty() => Ok(username),
        (_, Some(username)) => check_subject(&username).map(|()| username),
    }
}

fn credentials(config: IceConfig) -> Result<Response, ApiError> {
    let ttl = config.ttl;
    let turn = config.ice_servers.into_iter().find(|server| server.username.is_some());
    let turn = turn.and_then(|turn| Some((turn.username?, turn.credential?, turn.urls)));
    let (username, password, uris) =
        turn.ok_or_else(|| ApiError::with(Code::Unavailable, "No relay is listening."))?;
    let credentials = Credentials { username, password, ttl, uris };
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(credentials)).into_response())
}
