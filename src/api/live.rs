//! Rooms while people are in them. The store says which rooms there are; the hub, who is inside.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::Api;
use crate::signal::{RoomId, RoomSpec};
use crate::store::{RoomRecord, StoreError};
use crate::time::UnixTime;

/// An answer that is on its way.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the hub knows of a room beyond what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveRoom {
    /// Peers in it.
    pub participants: usize,
    /// Whether it admits nobody.
    pub locked: bool,
}

/// The door to the hub: all that plain HTTP needs of it.
pub trait LiveRooms: Send + Sync + 'static {
    /// Opens a room; once more is no harm. `false` when the hub holds no more.
    fn open(&self, spec: RoomSpec) -> Pending<'_, bool>;
    /// What is going on in a room; `None` when it is not open.
    fn look<'a>(&'a self, room: &'a str) -> Pending<'a, Option<LiveRoom>>;
}

impl Api {
    /// Opens every stored room that is not over, as after a restart; gives back how many. Call it
    /// once, before requests are served.
    ///
    /// # Errors
    /// The store's.
    pub async fn reopen_rooms(&self) -> Result<usize, StoreError> {
        let mut opened = 0;
        for room in self.store().rooms().unexpired(self.now().unix.0)? {
            if self.open_room(&room).await {
                opened += 1;
            } else {
                tracing::warn!(room = %room.id, "a stored room was not opened: there are too many");
            }
        }
        Ok(opened)
    }

    /// The hub closed a room: it is forgotten, and its invites with it.
    ///
    /// # Errors
    /// The store's.
    pub async fn room_closed(&self, room: &str) -> Result<(), StoreError> {
        self.store().rooms().delete(room).await.map(drop)
    }

    pub(super) async fn open_room(&self, room: &RoomRecord) -> bool {
        self.live().open(spec(room, self.settings().room_idle)).await
    }
}

/// A room that ends at a given time stays until then; any other goes when it is deserted.
fn spec(room: &RoomRecord, idle: Duration) -> RoomSpec {
    RoomSpec {
        id: RoomId::from(room.id.as_str()),
        name: room.name.as_deref().map(Arc::from),
        capacity: room.capacity as usize,
        lobby: room.lobby,
        locked: room.locked,
        created: UnixTime(room.created),
        expires: room.expires.map(UnixTime),
        idle: if room.expires.is_some() { Duration::ZERO } else { idle },
    }
}
