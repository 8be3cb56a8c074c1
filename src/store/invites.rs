//! One-time invites. Only hashes of them are stored; a redeem happens once, also across a crash.

use serde::{Deserialize, Serialize};
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};

use super::records::{Record, decode, encode};
use super::{Change, Store, StoreError, Trees};

/// Invites stored for one room at most. At the bound those that are used or over go first; when all
/// are open, [`InviteError::Full`].
pub const MAX_INVITES_PER_ROOM: usize = 256;

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
}

impl Record for InviteRecord {
    const KIND: &'static str = "invite";
    const VERSION: u32 = 1;
}

impl InviteRecord {
    fn is_open(&self, now: u64) -> bool {
        self.redeemed.is_none() && now < self.expires
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
            if invite.redeemed.is_some() {
                return Err(InviteError::AlreadyRedeemed);
            }
            if now >= invite.expires {
                return Err(InviteError::Expired);
            }
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
