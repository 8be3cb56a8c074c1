//! The ring of REST secrets: the one that mints, those that are still accepted, and when each was last
//! used. All secrets are one record, so that a change of them happens wholly or not at all.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::records::{Record, decode, encode};
use super::{Change, Store, StoreError, Trees};
use crate::creds::{Secret, SecretId, exposed};

/// Secrets stored at most, those that have ended included.
pub const MAX_SECRETS: usize = 16;

/// How long a secret is remembered after its end, so that whoever comes too late is told so instead of
/// being told that nothing matches.
pub const SECRET_MEMORY: Duration = Duration::from_secs(24 * 3600);

/// How long the uses of a secret are remembered that is neither here nor configured.
pub const USE_MEMORY: Duration = Duration::from_secs(90 * 86_400);

const RING: &str = "ring";
/// Where the only secret was before there was a ring.
const BEFORE: &str = "secret/rest";

/// A REST secret as stored. Times are unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRecord {
    /// The secret.
    #[serde(with = "exposed")]
    pub secret: Secret,
    /// Where it comes from.
    pub origin: SecretOrigin,
    /// When it came.
    pub created: u64,
    /// Its last second.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<u64>,
}

/// Where a stored secret comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretOrigin {
    /// Made here.
    Generated,
    /// Brought by the operator.
    Added,
}

impl SecretRecord {
    /// Whether credentials made with it are refused.
    pub fn is_over(&self, now: u64) -> bool {
        self.until.is_some_and(|until| until < now)
    }

    /// Whether it ended [`SECRET_MEMORY`] ago.
    pub fn is_forgotten(&self, now: u64) -> bool {
        self.until.is_some_and(|until| until.saturating_add(SECRET_MEMORY.as_secs()) < now)
    }
}

/// What a secret was used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretUse {
    /// When an allocation was last opened with a credential of it, unix seconds.
    pub last: u64,
    /// How many were.
    pub count: u64,
}

/// The first one mints.
#[derive(Serialize, Deserialize)]
struct Ring {
    secrets: Vec<SecretRecord>,
}

impl Record for Ring {
    const KIND: &'static str = "secrets";
    const VERSION: u32 = 1;
}

impl Record for SecretUse {
    const KIND: &'static str = "use of a secret";
    const VERSION: u32 = 1;
}

/// Why the ring stays as it is.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SecretError {
    /// [`MAX_SECRETS`] are stored.
    #[error("there are {MAX_SECRETS} secrets, which is the limit; remove one first")]
    Full,
    /// The secret itself is there.
    #[error("this secret is there already: {0}")]
    Exists(SecretId),
    /// No secret has this id.
    #[error("there is no secret {0}; `relayhouse secret list` has all")]
    NotThere(SecretId),
    /// Without it nothing could be minted.
    #[error(
        "the secret {0} mints; `relayhouse secret rotate` puts another in its place first, with \
         `--overlap 0s` at once"
    )]
    Mints(SecretId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The REST secrets of a store.
#[derive(Clone, Copy)]
pub struct Secrets<'a>(&'a Store);

impl<'a> Secrets<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self(store)
    }

    /// Every secret, the one that mints first; that is `first` where there is none yet.
    pub fn list_or_insert(self, first: SecretRecord) -> Change<Vec<SecretRecord>, StoreError> {
        self.0.write(move |trees| {
            let mut ring = read(trees)?;
            if ring.is_empty() {
                let before = trees.secrets.get(BEFORE)?;
                let secret = before.map(|bytes| URL_SAFE_NO_PAD.encode(bytes).into());
                ring.push(SecretRecord { secret: secret.unwrap_or(first.secret), ..first });
                trees.secrets.insert(RING, encode(&Ring { secrets: ring.clone() })?)?;
            }
            trees.secrets.remove(BEFORE)?;
            Ok(ring)
        })
    }

    /// Every secret, the one that mints first, then from the newest to the oldest.
    ///
    /// # Errors
    /// The engine's, or an unreadable record.
    pub fn list(self) -> Result<Vec<SecretRecord>, StoreError> {
        read(&self.0.trees)
    }

    /// From now on (when `fresh` was made) `fresh` mints; the one that did is accepted for `overlap`
    /// more, and with none of it no more. Others keep the end they have.
    pub fn rotate(self, fresh: SecretRecord, overlap: Duration) -> Change<(), SecretError> {
        self.change(move |ring| {
            let now = fresh.created;
            make_room(ring, &fresh.secret, now)?;
            if let Some(before) = ring.first_mut() {
                // Of a secret that leaked not even this second is left.
                let last = now.saturating_add(overlap.as_secs());
                before.until = Some(if overlap.is_zero() { last.saturating_sub(1) } else { last });
            }
            ring.insert(0, fresh);
            Ok(())
        })
    }

    /// From now on credentials of this secret are accepted too.
    pub fn accept(self, added: SecretRecord) -> Change<(), SecretError> {
        self.change(move |ring| {
            make_room(ring, &added.secret, added.created)?;
            ring.insert(ring.len().min(1), added);
            Ok(())
        })
    }

    /// Credentials of this secret are refused from now on.
    pub fn remove(self, id: SecretId) -> Change<(), SecretError> {
        self.change(move |ring| {
            match ring.iter().position(|record| record.secret.id() == id) {
                None => return Err(SecretError::NotThere(id)),
                Some(0) => return Err(SecretError::Mints(id)),
                Some(place) => ring.remove(place),
            };
            Ok(())
        })
    }

    /// Forgets the secrets that ended [`SECRET_MEMORY`] ago; says which.
    pub fn sweep(self, now: u64) -> Change<Vec<SecretId>, SecretError> {
        self.change(move |ring| {
            let gone = ring.iter().filter(|record| record.is_forgotten(now));
            let gone: Vec<_> = gone.map(|record| record.secret.id()).collect();
            ring.retain(|record| !record.is_forgotten(now));
            Ok(gone)
        })
    }

    /// Remembers what secrets were used for, and forgets the uses of secrets that nobody has used for
    /// [`USE_MEMORY`].
    pub fn note(self, uses: Vec<(SecretId, SecretUse)>, now: u64) -> Change<(), StoreError> {
        self.0.write(move |trees| {
            for (id, what) in uses {
                trees.secret_uses.insert(id.to_string(), encode(&what)?)?;
            }
            for entry in trees.secret_uses.iter() {
                let (id, bytes) = entry?;
                let forgotten = |what: SecretUse| what.last + USE_MEMORY.as_secs() < now;
                if decode(&bytes).is_ok_and(forgotten) {
                    trees.secret_uses.remove(id)?;
                }
            }
            Ok(())
        })
    }

    /// What every secret was used for, configured ones included.
    ///
    /// # Errors
    /// The engine's, or an unreadable record.
    pub fn uses(self) -> Result<BTreeMap<SecretId, SecretUse>, StoreError> {
        let mut uses = BTreeMap::new();
        for entry in self.0.trees.secret_uses.iter() {
            let (id, bytes) = entry?;
            let id = std::str::from_utf8(&id).ok().and_then(|id| id.parse().ok());
            if let Some(id) = id {
                uses.insert(id, decode(&bytes)?);
            }
        }
        Ok(uses)
    }

    fn change<T: Send + 'static>(
        self,
        change: impl FnOnce(&mut Vec<SecretRecord>) -> Result<T, SecretError> + Send + 'static,
    ) -> Change<T, SecretError> {
        self.0.write(move |trees| {
            let before = read(trees)?;
            let mut ring = before.clone();
            let answer = change(&mut ring)?;
            if ring != before {
                let bytes = encode(&Ring { secrets: ring })?;
                trees.secrets.insert(RING, bytes).map_err(StoreError::from)?;
            }
            Ok(answer)
        })
    }
}

fn read(trees: &Trees) -> Result<Vec<SecretRecord>, StoreError> {
    let bytes = trees.secrets.get(RING)?;
    bytes.map_or(Ok(Vec::new()), |bytes| Ok(decode::<Ring>(&bytes)?.secrets))
}

/// Secrets that have ended make way, and one that comes back is as new.
fn make_room(ring: &mut Vec<SecretRecord>, comes: &Secret, now: u64) -> Result<(), SecretError> {
    let id = comes.id();
    ring.retain(|record| record.secret.id() != id || !record.is_over(now));
    if ring.iter().any(|record| record.secret.id() == id) {
        return Err(SecretError::Exists(id));
    }
    if ring.len() >= MAX_SECRETS {
        ring.retain(|record| !record.is_over(now));
    }
    match ring.len() < MAX_SECRETS {
        true => Ok(()),
        false => Err(SecretError::Full),
    }
}
