//! The dialect `pairing`: two devices find each other with a short join code over REST, then talk in
//! a room for two over a WebSocket on `/`.
//!
//! Pairings outlive a restart and their rooms: a room that was closed because nobody was in it is
//! opened again when one of the two comes back. Whoever showed a proof of their own (a user, a
//! ticket) sees and ends only what was made with it.

mod codes;
mod fields;
mod pairs;
mod refusal;
mod socket;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::caller::Caller;
use super::super::errors::{ApiError, Code};
use super::super::{Api, ids};
use super::{Dialect, with_its_405};
use crate::signal::{CloseReason, RoomId};
use crate::store::{PairRecord, RoomError, RoomRecord, Whose};

pub(super) use pairs::{Pair, look};
pub(super) use refusal::{Refusal, RefusalBody};
pub(super) use socket::connect;

/// Both devices.
const CAPACITY: u32 = 2;

/// The calls of this dialect that it shares with nobody.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    let calls = [
        routes!(codes::create, pairs::delete),
        routes!(codes::accept),
        routes!(codes::check),
        routes!(pairs::purge),
        routes!(pairs::list),
    ];
    calls.into_iter().fold(OpenApiRouter::new(), |router, call| {
        router.routes(with_its_405(call, |error| Refusal::from(error).into_response()))
    })
}

/// Checks who calls: strangers only where they are served, and no key that has nothing to do with rooms.
fn proven(api: &Api, headers: &HeaderMap, client: IpAddr) -> Result<Caller, ApiError> {
    let caller = api.caller_of(Dialect::Pairing, headers, client)?;
    if matches!(caller, Caller::Key { .. }) {
        caller.may_create_rooms()?;
    }
    Ok(caller)
}

/// Whose proof a caller shows, for what is made with it.
fn shown_by(caller: &Caller) -> Option<String> {
    match caller {
        Caller::Ticket(claims) => Some(format!("ticket-{}", claims.sub)),
        _ => caller.owner(),
    }
}

/// Which pairings a caller may see: those made with the same proof, and a stranger those made with
/// none. An application speaks for all its people.
fn seen_by(caller: &Caller) -> Whose {
    match caller {
        Caller::Key { .. } => Whose::All,
        Caller::User { .. } if caller.may_admin().is_ok() => Whose::All,
        Caller::User { .. } | Caller::Ticket(_) | Caller::Anybody => Whose::Of(shown_by(caller)),
    }
}

/// Whether a caller may see the room of `pair`: one of the two, or the holder of a ticket for it.
fn sees_pair(caller: &Caller, pair: &PairRecord) -> bool {
    let (whose, [first, second]) = (seen_by(caller), &pair.owners);
    let has_ticket =
        matches!(caller, Caller::Ticket(claims) if claims.room.as_ref() == Some(&pair.id));
    has_ticket || whose.includes(first.as_ref()) || whose.includes(second.as_ref())
}

impl Api {
    /// Stores and opens the room of a pair, unless it is there already; whose it is, natively, and since
    /// when there is the pair.
    async fn open_room_of_pair(
        &self,
        id: &str,
        owner: Option<String>,
        created: u64,
    ) -> Result<(), ApiError> {
        let room = match self.store().rooms().find(id)? {
            Some(room) => room,
            None => self.store_room_of_pair(id, owner, created).await?,
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
        created: u64,
    ) -> Result<RoomRecord, ApiError> {
        let room = RoomRecord {
            id: id.to_owned(),
            name: None,
            capacity: CAPACITY,
            lobby: false,
            locked: false,
            kicked: Vec::new(),
            owner,
            created,
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
