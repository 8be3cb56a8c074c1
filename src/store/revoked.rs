//! Tokens that are refused although they have not expired: by their `jti`, until they would have.

use serde::{Deserialize, Serialize};

use super::records::{Record, decode, encode};
use super::{Change, Store, StoreError, Trees};

/// Revoked tokens remembered at most; at the bound [`RevokeError::Full`].
pub const MAX_REVOKED: usize = 100_000;

/// A revoked token as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RevokedRecord {
    /// From when on it would be refused anyway, unix seconds.
    until: u64,
}

impl Record for RevokedRecord {
    const KIND: &'static str = "revoked token";
    const VERSION: u32 = 1;
}

/// Why a token was not revoked.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RevokeError {
    /// [`MAX_REVOKED`] are remembered.
    #[error("{MAX_REVOKED} revoked tokens are remembered, which is the limit")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The revoked tokens of a store.
#[derive(Clone, Copy)]
pub struct Revoked<'a>(&'a Store);

impl<'a> Revoked<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self(store)
    }

    /// Refuses the token called `jti` from now on; it is forgotten after `until`, unix seconds.
    pub fn add(self, jti: &str, until: u64) -> Change<(), RevokeError> {
        let jti = jti.to_owned();
        self.0.write(move |trees| {
            if trees.revoked.len() >= MAX_REVOKED {
                return Err(RevokeError::Full);
            }
            let bytes = encode(&RevokedRecord { until })?;
            trees.revoked.insert(jti.as_bytes(), bytes).map_err(StoreError::from)?;
            Ok(())
        })
    }

    /// As [`add`](Self::add), for tokens that are good once: `false` when it was there. Of any number
    /// of attempts one gets `true`.
    pub fn spend(self, jti: &str, until: u64) -> Change<bool, RevokeError> {
        let jti = jti.to_owned();
        self.0.write(move |trees| {
            if trees.revoked.len() >= MAX_REVOKED {
                return Err(RevokeError::Full);
            }
            let bytes = encode(&RevokedRecord { until })?;
            let swapped = trees
                .revoked
                .compare_and_swap(jti.as_bytes(), None::<&[u8]>, Some(bytes))
                .map_err(StoreError::from)?;
            Ok(swapped.is_ok())
        })
    }

    /// Whether the token called `jti` is refused.
    ///
    /// # Errors
    /// The engine's.
    pub fn contains(self, jti: &str) -> Result<bool, StoreError> {
        Ok(self.0.trees.revoked.contains_key(jti.as_bytes())?)
    }
}

pub(super) fn sweep(trees: &Trees, now: u64) -> Result<usize, StoreError> {
    let mut gone = 0;
    for entry in trees.revoked.iter() {
        let (jti, bytes) = entry?;
        let Ok(record) = decode::<RevokedRecord>(&bytes) else { continue };
        if record.until <= now {
            trees.revoked.remove(jti)?;
            gone += 1;
        }
    }
    Ok(gone)
}
