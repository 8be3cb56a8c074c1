//! The dialect `pairing`: two devices find each other with a short join code over REST, then talk in
//! a room for two over a WebSocket on `/`.
//!
//! Pairings outlive a restart and their rooms: a room that was closed because nobody was in it is
//! opened again when one of the two comes back. Whoever showed a proof of their own (a user, a
//! ticket) sees and ends only what was made with it.

mod refusal;
mod rest;
mod socket;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;
use utoipa_axum::router::OpenApiRouter;

use super::super::caller::Caller;
use super::super::errors::{ApiError, Code};
use super::super::{Api, ids};
use super::Dialect;
use crate::signal::{CloseReason, RoomId};
use crate::store::{PairRecord, RoomError, RoomRecord};

pub(super) use refusal::{Refusal, RefusalBody};
pub(super) use rest::{Pair, look};
pub(super) use socket::connect;

/// Both devices.
const CAPACITY: u32 = 2;

/// The calls of this dialect that it shares with nobody.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    rest::routes()
}

/// Checks who calls: strangers only where they are served.
fn proven(api: &Api, headers: &HeaderMap, client: IpAddr) -> Result<Caller, ApiError> {
    api.caller_of(Dialect::Pairing, headers, client)
}

/// Whose proof a caller shows, for what is made with it.
fn shown_by(caller: &Caller) -> Option<String> {
    match caller {
        Caller::Ticket(claims) => Some(format!("ticket-{}", claims.sub)),
        _ => caller.owner(),
    }
}

/// Which pairings a caller may see: those made with this proof; none is all of them. An application
/// speaks for all its people.
fn sees(caller: &Caller) -> Option<String> {
    match caller {
        Caller::Anybody | Caller::Key { .. } => None,
        Caller::User { .. } if caller.may_admin().is_ok() => None,
        Caller::User { .. } | Caller::Ticket(_) => shown_by(caller),
    }
}

/// Whether somebody who sees this much sees what was made with the proof of `owner`.
fn is_seen(sees: Option<&String>, owner: Option<&String>) -> bool {
    sees.is_none() || sees == owner
}

/// Whether a caller may see the room of `pair`: one of the two, or the holder of a ticket for it.
fn sees_pair(caller: &Caller, pair: &PairRecord) -> bool {
    let sees = sees(caller);
    let [first, second] = &pair.owners;
    let has_ticket =
        matches!(caller, Caller::Ticket(claims) if claims.room.as_ref() == Some(&pair.id));
    has_ticket || is_seen(sees.as_ref(), first.as_ref()) || is_seen(sees.as_ref(), second.as_ref())
}

impl Api {
    /// Stores and opens the room of a pair, unless it is there already; whose it is, natively.
    async fn open_room_of_pair(&self, id: &str, owner: Option<String>) -> Result<(), ApiError> {
        let room = match self.store().rooms().find(id)? {
            Some(room) => room,
            None => self.store_room_of_pair(id, owner).await?,
        };
        if self.open_room(&room).await {
            return Ok(());
        }
        self.store().rooms().delete(id).await?;
        Err(ApiError::new(Code::TooManyRooms).retry_after(60))
    }

    async fn store_room_of_pair(
        &self,
        id: &str,
        owner: Option<String>,
    ) -> Result<RoomRecord, ApiError> {
        let room = RoomRecord {
            id: id.to_owned(),
            name: None,
            capacity: CAPACITY,
            lobby: false,
            locked: false,
            kicked: Vec::new(),
            owner,
            created: self.now().unix.0,
            expires: None,
        };
        match self.store().rooms().create(room.clone()).await {
            // The other device was quicker.
            Ok(()) | Err(RoomError::Exists) => Ok(room),
            Err(error) => Err(error.into()),
        }
    }

    /// Remembers that a pair is in use; if that cannot be written, it is forgotten a day earlier.
    async fn pairings_used(&self, pair: &PairRecord) {
        if let Err(error) = self.store().pairings().used(pair, self.now().unix.0).await {
            tracing::warn!(%error, "the use of a pairing could not be stored");
        }
    }

    /// Sends away whoever is in the room of a pair that is no more.
    async fn close_room_of_pair(&self, id: &str) -> Result<(), ApiError> {
        self.hub().close_room(&RoomId::from(id), CloseReason::Asked).await;
        // The hub says so too, a little later.
        Ok(self.store().rooms().delete(id).await.map(drop)?)
    }
}

/// Whether this may be a room's id at all.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= ids::MAX_ID
}
