//! The dialect `meetings`: `/login`, `/create` and `/list_participants`, for clients that poll.
//!
//! A session is a token of 64 hex digits that stands alone in the `authorization` header and lives five
//! minutes from its last use. Rooms have numbers for names, and so have those who publish in them.
//! Where the document's clients go on to Janus, ours go on to signalling: the ticket for it is in the
//! header `relayhouse-ticket` of the answer, since the body is the document's.
//!
//! The document knows one refusal, a bad request for a login that is none. For a token that is not good
//! it is 401 here, for a room that is not there 404, each as `{"action":"…"}` with what went wrong.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::body::LooseJson;
use super::super::errors::{ApiError, Code};
use super::super::rooms::DEFAULT_CAPACITY;
use super::super::{Api, Client, NO_STORE, tickets};
use super::with_its_405;

use crate::creds::api_key;
use crate::creds::ticket::{Claims, Role};
use crate::signal::RoomId;
use crate::store::{RoomError, RoomRecord, SessionKind, UserRecord};

/// Where the ticket for signalling stands.
const TICKET: HeaderName = HeaderName::from_static("relayhouse-ticket");
/// Hex digits of a session's token.
const TOKEN: usize = 64;
/// Rooms have nine digits: a number that every language holds, and too many to try.
const NUMBERS: std::ops::Range<u32> = 100_000_000..1_000_000_000;
/// How often a number that is taken is drawn again.
const DRAWS: usize = 8;

/// The calls of this dialect.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    let calls = [routes!(login), routes!(create), routes!(list_participants)];
    calls.into_iter().fold(OpenApiRouter::new(), |router, call| {
        router.routes(with_its_405(call, |error| Refusal::from(error).into_response()))
    })
}

/// A body, or why there is none.
type Given<T> = Result<LooseJson<T>, ApiError>;

/// What every refused call answers.
#[derive(Serialize, ToSchema)]
#[schema(as = MeetingsError)]
struct RefusalBody {
    /// What went wrong.
    #[schema(example = "bad request")]
    action: &'static str,
}

/// Why a call is refused.
#[derive(Debug)]
struct Refusal(&'static str, ApiError);

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let action = match error.code() {
            Code::Unauthorized | Code::InvalidToken | Code::SessionOver => "unauthorized",
            Code::NoSuchRoom => "no such room",
            Code::RateLimited => "too many requests",
            _ if error.code().status().is_server_error() => "server error",
            _ => "bad request",
        };
        Self(action, error)
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        ApiError::new(code).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.1.reshaped(&json!(RefusalBody { action: self.0 }))
    }
}

/// Who wants to log in.
#[derive(Deserialize, ToSchema)]
#[schema(as = MeetingsLogin)]
struct Login {
    #[schema(max_length = 64)]
    username: String,
    #[schema(max_length = 1024, format = Password)]
    password: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
#[schema(as = MeetingsSession)]
struct LoggedIn {
    /// `succesful`: the document's own spelling.
    action: &'static str,
    /// For the `authorization` header, as it is.
    #[schema(min_length = 64, max_length = 64)]
    token: String,
}

/// Logs somebody in (`meetings`).
#[utoipa::path(
    post,
    path = "/login",
    operation_id = "meetings_login",
    tag = "dialect: meetings",
    request_body = Login,
    responses(
        (status = 200, body = LoggedIn),
        (status = "4XX", body = RefusalBody),
        (status = "5XX", body = RefusalBody),
    ),
)]
async fn login(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    body: Given<Login>,
) -> Result<Response, Refusal> {
    let Login { username, password } = body?.0;
    let user = match api.check_password(client, &username, &password).await {
        Err(error) if error.code() == Code::InvalidLogin => return Err(Code::BadRequest.into()),
        checked => checked?,
    };
    let started = api.start_session(&user, SessionKind::Meetings).await?;
    let body = LoggedIn { action: "succesful", token: started.token };
    Ok(([(header::CACHE_CONTROL, NO_STORE)], Json(body)).into_response())
}

/// A room.
#[derive(Serialize, ToSchema)]
#[schema(as = MeetingsRoom)]
struct Created {
    /// `success`.
    action: &'static str,
    /// Its number.
    room_id: u32,
}

/// Makes a room; the ticket of its host is in the header `relayhouse-ticket` (`meetings`).
#[utoipa::path(
    post,
    path = "/create",
    operation_id = "meetings_create",
    tag = "dialect: meetings",
    params(("authorization" = Option<String>, Header, description = "The token, without a scheme")),
    responses(
        (status = 200, body = Created, headers(("relayhouse-ticket" = String))),
        (status = "4XX", body = RefusalBody),
        (status = "5XX", body = RefusalBody),
    ),
)]
async fn create(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    body: Given<Value>,
) -> Result<Response, Refusal> {
    let user = api.in_session(&headers, client)?;
    body?;
    api.limiters().rooms.check(client)?;
    api.user_may_have_another_room(&user.name, user.role)?;
    let (number, room) = api.store_numbered_room(&user).await?;
    if !api.open_room(&room).await {
        api.store().rooms().delete(&room.id).await.map_err(ApiError::from)?;
        return Err(ApiError::new(Code::TooManyRooms).retry_after(60).into());
    }
    tracing::info!(room = %room.id, capacity = room.capacity, "room made");
    let body = Created { action: "success", room_id: number };
    Ok(api.with_ticket(&room, Role::Host, user, body)?)
}

/// The room that is asked about.
#[derive(Deserialize, ToSchema)]
#[schema(as = MeetingsQuestion)]
struct Question {
    /// Its number.
    room_id: u32,
}

/// Who publishes in a room.
#[derive(Serialize, ToSchema)]
#[schema(as = MeetingsParticipants)]
struct Participants {
    /// `success`.
    action: &'static str,
    /// Its number.
    room_id: u32,
    /// Those who send media, each by a number of their own.
    publishers: Vec<u64>,
}

/// Who publishes in a room; a ticket for it is in the header `relayhouse-ticket` (`meetings`).
#[utoipa::path(
    post,
    path = "/list_participants",
    operation_id = "meetings_list_participants",
    tag = "dialect: meetings",
    params(("authorization" = Option<String>, Header, description = "The token, without a scheme")),
    request_body = Question,
    responses(
        (status = 200, body = Participants, headers(("relayhouse-ticket" = String))),
        (status = "4XX", body = RefusalBody),
        (status = "5XX", body = RefusalBody),
    ),
)]
async fn list_participants(
    State(api): State<Arc<Api>>,
    Client(client): Client,
    headers: HeaderMap,
    body: Given<Question>,
) -> Result<Response, Refusal> {
    let user = api.in_session(&headers, client)?;
    api.limiters().polls.check(client)?;
    let number = body?.0.room_id;
    let room = match NUMBERS.contains(&number) {
        true => api.stored_room(&number.to_string()),
        false => Err(Code::NoSuchRoom.into()),
    };
    // Whoever tries numbers is told to wait, whoever knows one is not.
    let room = room.or_else(|missing| api.limiters().failures.check(client).and(Err(missing)))?;
    let peers = api.hub().peers(&RoomId::from(room.id.as_str())).await.ok_or(Code::NoSuchRoom)?;
    let publishing = peers.iter().filter(|info| info.publishing);
    let publishers = publishing.map(|info| info.number).collect();
    let role = if room.owner.as_ref() == Some(&user.name) { Role::Host } else { Role::Guest };
    let body = Participants { action: "success", room_id: number, publishers };
    Ok(api.with_ticket(&room, role, user, body)?)
}

impl Api {
    /// Whose session the token in the `authorization` header is; each use prolongs it.
    fn in_session(
        &self,
        headers: &HeaderMap,
        client: std::net::IpAddr,
    ) -> Result<UserRecord, ApiError> {
        let shown = headers.get(header::AUTHORIZATION).ok_or(Code::Unauthorized)?;
        let shown = shown.to_str().unwrap_or_default().trim();
        let token = shown.strip_prefix("Bearer ").unwrap_or(shown).trim_start();
        let hex = token.len() == TOKEN && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        let session = if hex { self.opaque_session(token) } else { Err(Code::InvalidToken.into()) };
        match session {
            Ok((user, session)) if session.kind == SessionKind::Meetings => Ok(user),
            Err(error) if error.code().status().is_server_error() => Err(error),
            _ => {
                self.limiters().failures.check(client)?;
                tracing::info!(%client, "refused a session token");
                Err(Code::InvalidToken.into())
            }
        }
    }

    /// Stores a room under a number nobody has.
    async fn store_numbered_room(&self, user: &UserRecord) -> Result<(u32, RoomRecord), ApiError> {
        for _ in 0..DRAWS {
            let number = draw();
            let room = RoomRecord {
                id: number.to_string(),
                name: None,
                capacity: DEFAULT_CAPACITY,
                lobby: false,
                locked: false,
                kicked: Vec::new(),
                owner: Some(user.name.clone()),
                created: self.now().unix.0,
                expires: None,
            };
            match self.store().rooms().create(room.clone()).await {
                Ok(()) => return Ok((number, room)),
                Err(RoomError::Exists) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(ApiError::new(Code::Unavailable).retry_after(1))
    }

    fn with_ticket(
        &self,
        room: &RoomRecord,
        role: Role,
        user: UserRecord,
        body: impl Serialize,
    ) -> Result<Response, ApiError> {
        let sub = peer_of(room, &user);
        let claims = tickets::for_room(self.now().unix, room, role, Some(user.name));
        let claims = Claims { sub, ..claims };
        let ticket = HeaderValue::from_str(&self.tickets().sign(&claims));
        let headers =
            [(header::CACHE_CONTROL, NO_STORE), (TICKET, ticket.map_err(|_| Code::Internal)?)];
        Ok((StatusCode::OK, headers, Json(body)).into_response())
    }
}

/// A person is the same peer with every ticket for a room: whoever was kicked does not come back with
/// the next poll's.
fn peer_of(room: &RoomRecord, user: &UserRecord) -> String {
    let hash = api_key::hash(&format!("{} {}", room.id, user.name));
    URL_SAFE_NO_PAD.encode(&hash[..18])
}

/// A room's number.
fn draw() -> u32 {
    let mut random = [0; 8];
    // The system's generator fails only where nothing else works either.
    getrandom::fill(&mut random).expect("the system has random numbers");
    let span = u64::from(NUMBERS.end - NUMBERS.start);
    // The remainder is below the span; of 2^64 draws the favoured ones cannot be told.
    NUMBERS.start + (u64::from_le_bytes(random) % span) as u32
}
