//! One-time invites. Only hashes of them are stored; a redeem happens once, also across a crash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};

use super::records::{Record, decode, encode};
use super::{Change, Store, StoreError, Trees};

/// Invites stored for one room at most. At the bound those that are used or over go first; when all
/// are open, [`InviteError::Full`].
pub const MAX_INVITES_PER_ROOM: usize = 256;

/// Bytes of an invite's hash that make its id.
const ID_BYTES: usize = 12;

/// SHA-256 of the invite as it was given out.
pub type InviteHash = [u8; 32];

/// An invite as stored. Times are unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteRecord {
    /// The room it leads to.
    pub room: String,
    /// When it was made.
    pub created: u64,
    /// From when on it is worthless.
    pub expires: u64,
    /// When it was redeemed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub redeemed: Option<u64>,
    /// When it was taken back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revoked: Option<u64>,
}

impl Record for InviteRecord {
    const KIND: &'static str = "invite";
    const VERSION: u32 = 1;
}

impl InviteRecord {
    fn is_open(&self, now: u64) -> bool {
        self.check(now).is_ok()
    }

    fn check(&self, now: u64) -> Result<(), InviteError> {
        if self.redeemed.is_some() {
            return Err(InviteError::AlreadyRedeemed);
        }
        if self.revoked.is_some() {
            return Err(InviteError::Revoked);
        }
        if now >= self.expires {
            return Err(InviteError::Expired);
        }
        Ok(())
    }
}

/// Why an invite was not made or not redeemed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum InviteError {
    /// Never made, or forgotten long after it ended.
    #[error("there is no such invite")]
    NotFound,
    /// Its time is over.
    #[error("the invite has expired")]
    Expired,
    /// Somebody has used it.
    #[error("the invite has been used")]
    AlreadyRedeemed,
    /// It was taken back.
    #[error("the invite was taken back")]
    Revoked,
    /// The room it should lead to does not exist.
    #[error("there is no such room")]
    NoRoom,
    /// [`MAX_INVITES_PER_ROOM`] open ones.
    #[error("the room has {MAX_INVITES_PER_ROOM} open invites, which is the limit")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sled::Error> for InviteError {
    fn from(error: sled::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The invites of a store.
#[derive(Clone, Copy)]
pub struct Invites<'a>(&'a Store);

impl<'a> Invites<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self(store)
    }

    /// Stores a new invite to an existing room.
    pub fn create(self, hash: InviteHash, invite: InviteRecord) -> Change<(), InviteError> {
        self.0.write(move |trees| {
            if !trees.rooms.contains_key(&invite.room)? {
                return Err(InviteError::NoRoom);
            }
            make_space(trees, &invite.room, invite.created)?;
            let bytes = encode(&invite)?;
            let index = index_key(&invite.room, &hash);
            (&trees.invites, &trees.invites_by_room)
                .transaction(|(invites, by_room)| {
                    invites.insert(&hash, bytes.as_slice())?;
                    by_room.insert(index.as_slice(), &[])?;
                    Ok::<_, ConflictableTransactionError<()>>(())
                })
                .map_err(transaction_error)
        })
    }

    /// Uses the invite at `now` and gives it back. Of any number of attempts one gets `Ok`, and
    /// that is on the disk before it is given.
    pub fn redeem(self, hash: InviteHash, now: u64) -> Change<InviteRecord, InviteError> {
        self.0.write(move |trees| {
            let Some(before) = trees.invites.get(hash)? else { return Err(InviteError::NotFound) };
            let mut invite: InviteRecord = decode(&before)?;
            invite.check(now)?;
            if !trees.rooms.contains_key(&invite.room)? {
                return Err(InviteError::NoRoom);
            }
            invite.redeemed = Some(now);
            let after = encode(&invite)?;
            trees
                .invites
                .compare_and_swap(hash, Some(before), Some(after))?
                .map_err(|_| InviteError::AlreadyRedeemed)?;
            Ok(invite)
        })
    }

    /// Takes an open invite to `room` back at `now`; one that was taken back before stays so. `id` is
    /// what [`invite_id`] gives for its hash.
    pub fn revoke(self, room: &str, id: &str, now: u64) -> Change<(), InviteError> {
        let (room, id) = (room.to_owned(), id.to_owned());
        self.0.write(move |trees| {
            let hashes = hashes_of(trees, &room)?;
            let hash = hashes.iter().find(|hash| invite_id(hash) == id);
            let Some(hash) = hash else { return Err(InviteError::NotFound) };
            let Some(bytes) = trees.invites.get(hash)? else { return Err(InviteError::NotFound) };
            let mut invite: InviteRecord = decode(&bytes)?;
            match invite.check(now) {
                Ok(()) => invite.revoked = Some(now),
                Err(InviteError::Revoked) => return Ok(()),
                Err(error) => return Err(error),
            }
            trees.invites.insert(hash, encode(&invite)?)?;
            Ok(())
        })
    }

    /// The invites to `room` that are open at `now`, with their ids, oldest first.
    ///
    /// # Errors
    /// The engine's. A record that cannot be read is left out.
    pub fn open(self, room: &str, now: u64) -> Result<Vec<(String, InviteRecord)>, StoreError> {
        let trees = &self.0.trees;
        let mut found = Vec::new();
        for hash in hashes_of(trees, room)? {
            let Some(bytes) = trees.invites.get(&hash)? else { continue };
            let invite = decode::<InviteRecord>(&bytes).ok().filter(|invite| invite.is_open(now));
            found.extend(invite.map(|invite| (invite_id(&hash), invite)));
        }
        found.sort_by(|(a, one), (b, other)| (one.created, a).cmp(&(other.created, b)));
        Ok(found)
    }

    /// The invite with this hash, used or not.
    ///
    /// # Errors
    /// The engine's, or an unreadable record.
    pub fn find(self, hash: &InviteHash) -> Result<Option<InviteRecord>, StoreError> {
        self.0.trees.invites.get(hash)?.map(|bytes| decode(&bytes)).transpose()
    }

    /// How many are stored, used ones among them.
    pub fn count(self) -> usize {
        self.0.trees.invites.len()
    }
}

/// What an invite is listed and taken back by: the beginning of its hash, which tells nothing of the
/// invite itself. 16 characters of base64url.
pub fn invite_id(hash: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&hash[..ID_BYTES.min(hash.len())])
}

fn index_key(room: &str, hash: &[u8]) -> Vec<u8> {
    [room.as_bytes(), b"\0", hash].concat()
}

/// Hashes of the invites stored for `room`, at most [`MAX_INVITES_PER_ROOM`] by construction.
fn hashes_of(trees: &Trees, room: &str) -> Result<Vec<sled::IVec>, sled::Error> {
    let prefix = index_key(room, &[]);
    trees
        .invites_by_room
        .scan_prefix(&prefix)
        .keys()
        .map(|key| key.map(|key| key.subslice(prefix.len(), key.len() - prefix.len())))
        .collect()
}

fn make_space(trees: &Trees, room: &str, now: u64) -> Result<(), InviteError> {
    let hashes = hashes_of(trees, room)?;
    if hashes.len() < MAX_INVITES_PER_ROOM {
        return Ok(());
    }
    let mut removed = 0;
    for hash in &hashes {
        let open = match trees.invites.get(hash)? {
            Some(bytes) => decode::<InviteRecord>(&bytes).is_ok_and(|invite| invite.is_open(now)),
            None => false,
        };
        if !open {
            remove(trees, room, hash)?;
            removed += 1;
        }
    }
    if removed == 0 { Err(InviteError::Full) } else { Ok(()) }
}

/// Removes one invite and its place in the index, together.
pub(super) fn remove(trees: &Trees, room: &str, hash: &[u8]) -> Result<(), InviteError> {
    let index = index_key(room, hash);
    (&trees.invites, &trees.invites_by_room)
        .transaction(|(invites, by_room)| {
            invites.remove(hash)?;
            by_room.remove(index.as_slice())?;
            Ok::<_, ConflictableTransactionError<()>>(())
        })
        .map_err(transaction_error)
}

pub(super) fn remove_invites_of(trees: &Trees, room: &str) -> Result<(), StoreError> {
    for hash in hashes_of(trees, room)? {
        remove(trees, room, &hash).map_err(|error| match error {
            InviteError::Store(error) => error,
            other => StoreError::Failed(other.to_string()),
        })?;
    }
    Ok(())
}

fn transaction_error(error: TransactionError<()>) -> InviteError {
    InviteError::Store(match error {
        TransactionError::Storage(error) => error.into(),
        TransactionError::Abort(()) => StoreError::Failed("a transaction was aborted".into()),
    })
}
