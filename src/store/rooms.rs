//! Stored rooms: what survives a restart. Who is in a room does not.

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::invites::remove_invites_of;
use super::records::{Record, decode, encode};
use super::{Change, Store, StoreError};

/// Rooms stored at most; more are refused with [`RoomError::Full`].
pub const MAX_ROOMS: usize = 10_000;

/// A room as stored. Times are unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRecord {
    /// Unguessable, url-safe.
    pub id: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// How many may be in it at once.
    pub capacity: u32,
    /// Guests wait until a host lets them in.
    pub lobby: bool,
    /// Admits nobody.
    pub locked: bool,
    /// Peers that were removed and may not come back, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub kicked: Vec<String>,
    /// Whose it is: a user's name, or `key:` and the id of an API key. `None`: its hosts' alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<String>,
    /// When it was made.
    pub created: u64,
    /// When it ends, whoever is in it. `None`: when it is empty or silent for long.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<u64>,
}

impl Record for RoomRecord {
    const KIND: &'static str = "room";
    const VERSION: u32 = 1;
}

impl RoomRecord {
    /// Whether it has ended by `now`.
    pub fn is_over(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// Why a room was not stored.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RoomError {
    /// There is one with this id.
    #[error("there is a room with this id already")]
    Exists,
    /// [`MAX_ROOMS`] are stored.
    #[error("there are {MAX_ROOMS} rooms, which is the limit")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The rooms of a store.
#[derive(Clone, Copy)]
pub struct Rooms<'a>(&'a Store);

impl<'a> Rooms<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self(store)
    }

    /// Stores a new room.
    pub fn create(self, room: RoomRecord) -> Change<(), RoomError> {
        self.0.write(move |trees| {
            if trees.rooms.len() >= MAX_ROOMS {
                return Err(RoomError::Full);
            }
            let bytes = encode(&room)?;
            trees
                .rooms
                .compare_and_swap(&room.id, None::<&[u8]>, Some(bytes))
                .map_err(StoreError::from)?
                .map_err(|_| RoomError::Exists)
        })
    }

    /// Changes a stored room in one step, whatever else changes it meanwhile, and gives it back as it
    /// is then; `None` when there is none with this id.
    pub fn change(
        self,
        id: &str,
        how: impl FnOnce(&mut RoomRecord) + Send + 'static,
    ) -> Change<Option<RoomRecord>, StoreError> {
        let id = id.to_owned();
        self.0.write(move |trees| {
            let Some(bytes) = trees.rooms.get(&id)? else { return Ok(None) };
            let mut room: RoomRecord = decode(&bytes)?;
            how(&mut room);
            // Its name is its place.
            room.id.clone_from(&id);
            let changed = encode(&room)?;
            if bytes != changed {
                trees.rooms.insert(&id, changed)?;
            }
            Ok(Some(room))
        })
    }

    /// Removes a room and its invites; `false` when there was none.
    pub fn delete(self, id: &str) -> Change<bool, StoreError> {
        let id = id.to_owned();
        self.0.write(move |trees| {
            // Invites first: a crash between the two leaves a room without invites, never an invite
            // to a room that is gone.
            remove_invites_of(trees, &id)?;
            Ok(trees.rooms.remove(&id)?.is_some())
        })
    }

    /// The room `id`.
    ///
    /// # Errors
    /// The engine's, or an unreadable record.
    pub fn find(self, id: &str) -> Result<Option<RoomRecord>, StoreError> {
        self.0.trees.rooms.get(id)?.map(|bytes| decode(&bytes)).transpose()
    }

    /// Up to `limit` rooms that are `wanted`, ordered by id, the first of them after `after`. A record
    /// that cannot be read is left out.
    ///
    /// # Errors
    /// The engine's.
    pub fn page(
        self,
        after: &str,
        limit: usize,
        wanted: impl Fn(&RoomRecord) -> bool,
    ) -> Result<Vec<RoomRecord>, StoreError> {
        let rest = (Bound::Excluded(after), Bound::Unbounded);
        let mut found = Vec::new();
        for entry in self.0.trees.rooms.range::<&str, _>(rest) {
            if found.len() >= limit {
                break;
            }
            let (_, bytes) = entry?;
            found.extend(decode::<RoomRecord>(&bytes).ok().filter(|room| wanted(room)));
        }
        Ok(found)
    }

    /// Every room that has not ended by `now`. A record that cannot be read is logged and left out,
    /// so that one bad room does not keep the others from opening.
    ///
    /// # Errors
    /// The engine's.
    pub fn unexpired(self, now: u64) -> Result<Vec<RoomRecord>, StoreError> {
        let mut found = Vec::new();
        for entry in self.0.trees.rooms.iter() {
            let (_, bytes) = entry?;
            match decode::<RoomRecord>(&bytes) {
                Ok(room) if !room.is_over(now) => found.push(room),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "left out a stored room"),
            }
        }
        Ok(found)
    }

    /// How many are stored.
    pub fn count(self) -> usize {
        self.0.trees.rooms.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_of_an_earlier_program_is_read() {
        let old = br#"{"v":1,"id":"r","capacity":8,"lobby":false,"locked":true,"created":7}"#;
        let room: RoomRecord = decode(old).unwrap();
        assert!(room.locked && room.kicked.is_empty() && room.owner.is_none());
        let text = String::from_utf8(encode(&room).unwrap()).unwrap();
        assert!(!text.contains("kicked") && !text.contains("owner"), "{text}");
    }
}
