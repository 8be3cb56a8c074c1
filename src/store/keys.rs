//! API keys: stored by hash, shown once when made.

use serde::{Deserialize, Serialize};

use super::records::{Record, decode, encode};
use super::{Change, Store, StoreError};
use crate::creds::api_key::Scopes;

/// API keys stored at most.
pub const MAX_KEYS: usize = 256;

/// SHA-256 of the key. Keys carry 256 random bits, so no slow hash is needed.
pub type KeyHash = [u8; 32];

/// An API key as stored. Times are unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// What it is listed and revoked by; no secret.
    pub id: String,
    /// What the operator called it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created: u64,
}

impl Record for KeyRecord {
    const KIND: &'static str = "key";
    const VERSION: u32 = 1;
}

/// Why a key was not stored.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// [`MAX_KEYS`] are stored.
    #[error("there are {MAX_KEYS} API keys, which is the limit; revoke one first")]
    Full,
    /// The id or the key itself is there already.
    #[error("there is such a key already")]
    Exists,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The API keys of a store.
#[derive(Clone, Copy)]
pub struct Keys<'a>(&'a Store);

impl<'a> Keys<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self(store)
    }

    /// Stores a key by its hash.
    pub fn add(self, hash: KeyHash, key: KeyRecord) -> Change<(), KeyError> {
        self.0.write(move |trees| {
            if trees.keys.len() >= MAX_KEYS {
                return Err(KeyError::Full);
            }
            if all(&trees.keys)?.iter().any(|(_, stored)| stored.id == key.id) {
                return Err(KeyError::Exists);
            }
            let bytes = encode(&key)?;
            trees
                .keys
                .compare_and_swap(hash, None::<&[u8]>, Some(bytes))
                .map_err(StoreError::from)?
                .map_err(|_| KeyError::Exists)
        })
    }

    /// Every key, oldest first.
    ///
    /// # Errors
    /// The engine's, or an unreadable record.
    pub fn list(self) -> Result<Vec<KeyRecord>, StoreError> {
        let mut keys: Vec<_> = all(&self.0.trees.keys)?.into_iter().map(|(_, key)| key).collect();
        keys.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        Ok(keys)
    }

    /// Removes the key with this id; `false` when there is none. It is refused from then on.
    pub fn revoke(self, id: &str) -> Change<bool, StoreError> {
        let id = id.to_owned();
        self.0.write(move |trees| {
            let found = all(&trees.keys)?.into_iter().find(|(_, key)| key.id == id);
            let Some((hash, _)) = found else { return Ok(false) };
            Ok(trees.keys.remove(hash)?.is_some())
        })
    }

    /// The key with this hash.
    ///
    /// # Errors
    /// The engine's, or an unreadable record.
    pub fn find(self, hash: &KeyHash) -> Result<Option<KeyRecord>, StoreError> {
        self.0.trees.keys.get(hash)?.map(|bytes| decode(&bytes)).transpose()
    }
}

fn all(keys: &sled::Tree) -> Result<Vec<(sled::IVec, KeyRecord)>, StoreError> {
    keys.iter()
        .map(|entry| {
            let (hash, bytes) = entry?;
            Ok((hash, decode(&bytes)?))
        })
        .collect()
}
