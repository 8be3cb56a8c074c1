//! A room in answers, and the names people give.

use std::borrow::Cow;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::NO_STORE;
use super::super::errors::{ApiError, Code};
use crate::signal::RoomView;
use crate::store::RoomRecord;

/// The longest name of a room or a person, in bytes.
pub const MAX_NAME: usize = 128;

/// A room in answers. Times are unix seconds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Room)]
pub(in crate::api) struct RoomJson {
    id: String,
    name: Option<String>,
    capacity: u32,
    lobby: bool,
    locked: bool,
    created: u64,
    expires: Option<u64>,
    /// A user's name, or `key-` and the id of an API key. Told to those who may moderate.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// How many are in it, those included whose connection broke a moment ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    participants: Option<usize>,
    /// How many wait in its lobby.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<usize>,
}

impl From<RoomRecord> for RoomJson {
    fn from(room: RoomRecord) -> Self {
        Self {
            id: room.id,
            name: room.name,
            capacity: room.capacity,
            lobby: room.lobby,
            locked: room.locked,
            created: room.created,
            expires: room.expires,
            owner: None,
            participants: None,
            waiting: None,
        }
    }
}

impl RoomJson {
    /// The room with its owner, for those who may know.
    pub(super) fn owned(mut room: RoomRecord) -> Self {
        let owner = room.owner.take();
        Self { owner, ..room.into() }
    }

    /// Adds what only the open room knows.
    pub(super) fn live(mut self, view: &RoomView) -> Self {
        self.locked = view.locked;
        self.participants = Some(view.participants);
        self.waiting = Some(view.waiting);
        self
    }
}

/// A room, and the way into it.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct Entered {
    pub(in crate::api) room: RoomJson,
    /// Opens signalling; says who its holder is there.
    pub(in crate::api) ticket: String,
}

impl Entered {
    pub(in crate::api) fn answer(self, status: StatusCode) -> Response {
        (status, [(header::CACHE_CONTROL, NO_STORE)], Json(self)).into_response()
    }
}

/// A room as it is now.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomSeen)]
pub(super) struct Seen {
    pub(super) room: RoomJson,
}

impl Seen {
    pub(super) fn answer(self) -> Response {
        ([(header::CACHE_CONTROL, NO_STORE)], Json(self)).into_response()
    }
}

/// A name without spaces around it; `None` when nothing is left.
pub(in crate::api) fn checked_name(name: &str) -> Result<Option<String>, ApiError> {
    let name = name.trim();
    if name.len() > MAX_NAME {
        return Err(bad(format!("name must have at most {MAX_NAME} bytes.")));
    }
    if name.chars().any(char::is_control) {
        return Err(bad("name must have no control characters."));
    }
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

/// A field with a value that is not taken; the sentence names it first.
pub(in crate::api) fn bad(message: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError::with(Code::BadField, message)
}
