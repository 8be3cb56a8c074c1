//! Two devices that found each other with a short join code: what the `pairing` dialect keeps.
//!
//! A *pending* waits under its code until somebody accepts it or its time is over. Accepting it makes
//! a *pair*, which lasts until it is deleted or nobody has asked for it for [`PAIR_MEMORY`].

mod index;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};

use super::records::{Record, encode};
use super::{Change, Store, StoreError};
pub(super) use index::{Counts, sweep_pairs, sweep_pendings};
use index::{Kind, index_key, of_device, pair_of, pending_of, remove_pair, remove_pending};

/// Pendings stored at most; at the bound those that are over go first, then [`PairingError::Full`].
pub const MAX_PENDINGS: usize = 10_000;
/// Pairs stored at most; more are refused with [`PairingError::Full`].
pub const MAX_PAIRS: usize = 10_000;
/// How long a pair that nobody asks for is remembered.
pub const PAIR_MEMORY: Duration = Duration::from_secs(90 * 86_400);
/// A pair in use is written again no more often than this.
const USED_EVERY: u64 = 86_400;

/// A join code on offer. Times are unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRecord {
    /// Who offers it.
    pub client1: String,
    /// Whose proof it was offered with; none where strangers are served.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<String>,
    /// From when on it is worthless.
    pub expires: u64,
    /// The pair that was made of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pair: Option<String>,
}

impl Record for PendingRecord {
    const KIND: &'static str = "pending pairing";
    const VERSION: u32 = 1;
}

/// Two devices and the room they meet in. Times are unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairRecord {
    /// The room's id.
    pub id: String,
    /// Who offered the code.
    pub client1: String,
    /// Who accepted it.
    pub client2: String,
    /// Whose proofs they showed, in the same order.
    pub owners: [Option<String>; 2],
    /// When the code was accepted.
    pub created: u64,
    /// When somebody last asked for the pair, to a day.
    pub used: u64,
}

impl Record for PairRecord {
    const KIND: &'static str = "pairing";
    const VERSION: u32 = 1;
}

impl PairRecord {
    fn is_over(&self, now: u64) -> bool {
        self.used.saturating_add(PAIR_MEMORY.as_secs()) <= now
    }
}

/// Why nothing was paired.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PairingError {
    /// No such code, or its time is over.
    #[error("there is no such join code")]
    NotFound,
    /// Somebody else has the code, or it was accepted before.
    #[error("the join code is taken")]
    Conflict,
    /// [`MAX_PENDINGS`] or [`MAX_PAIRS`] are stored.
    #[error("there are as many pairings as this server keeps")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sled::Error> for PairingError {
    fn from(error: sled::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Whose pairings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's.
    All,
    /// Those that were made with this proof; with none where it is none.
    Of(Option<String>),
}

impl Whose {
    /// Whether what was made with this proof is among them.
    pub fn includes(&self, owner: Option<&String>) -> bool {
        match self {
            Self::All => true,
            Self::Of(proof) => proof.as_ref() == owner,
        }
    }
}

/// What a purge removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Ids of the pairs.
    pub pairs: Vec<String>,
    /// How many pendings.
    pub pendings: usize,
}

/// The pairings of a store.
#[derive(Clone, Copy)]
pub struct Pairings<'a>(&'a Store);

impl<'a> Pairings<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self(store)
    }

    /// Offers `code` from `now` on. The one who offers it may do so again, with another end, until it
    /// is accepted; for anybody else it is taken while it lasts.
    pub fn offer(self, code: &str, pending: PendingRecord, now: u64) -> Change<(), PairingError> {
        let code = code.to_owned();
        self.0.write(move |trees| {
            let is_new = match pending_of(trees, &code)? {
                Some(before) if before.expires <= now => {
                    remove_pending(trees, &code, &before)?;
                    true
                }
                Some(before) if before.pair.is_some() || !same_offer(&before, &pending) => {
                    return Err(PairingError::Conflict);
                }
                Some(_) => false,
                None => true,
            };
            let counts = &trees.pairing_counts;
            if is_new && counts.pendings() >= MAX_PENDINGS && sweep_pendings(trees, now)? == 0 {
                return Err(PairingError::Full);
            }
            let bytes = encode(&pending)?;
            let index = index_key(&pending.client1, Kind::Pending, &code);
            (&trees.pendings, &trees.pairings_by_device)
                .transaction(|(pendings, by_device)| {
                    pendings.insert(code.as_bytes(), bytes.as_slice())?;
                    by_device.insert(index.as_slice(), &[])?;
                    Ok::<_, ConflictableTransactionError<()>>(())
                })
                .map_err(transaction_error)?;
            counts.add_pendings(usize::from(is_new));
            Ok(())
        })
    }

    /// Accepts `code` at `now`: of any number of attempts one gets `Ok`. `pair` says who accepts, and
    /// which room it shall be; who offered the code is filled in.
    pub fn accept(
        self,
        code: &str,
        pair: PairRecord,
        now: u64,
    ) -> Change<PairRecord, PairingError> {
        let code = code.to_owned();
        self.0.write(move |trees| {
            let before = pending_of(trees, &code)?.filter(|before| now < before.expires);
            let before = before.ok_or(PairingError::NotFound)?;
            if before.pair.is_some() || trees.pairs.contains_key(&pair.id)? {
                return Err(PairingError::Conflict);
            }
            if trees.pairing_counts.pairs() >= MAX_PAIRS {
                return Err(PairingError::Full);
            }
            let [_, second] = pair.owners;
            let owners = [before.owner.clone(), second];
            let pair = PairRecord { client1: before.client1.clone(), owners, ..pair };
            let after = encode(&PendingRecord { pair: Some(pair.id.clone()), ..before })?;
            let bytes = encode(&pair)?;
            let [first, second] = [&pair.client1, &pair.client2]
                .map(|device| index_key(device, Kind::Pair, &pair.id));
            (&trees.pendings, &trees.pairs, &trees.pairings_by_device)
                .transaction(|(pendings, pairs, by_device)| {
                    pendings.insert(code.as_bytes(), after.as_slice())?;
                    pairs.insert(pair.id.as_bytes(), bytes.as_slice())?;
                    by_device.insert(first.as_slice(), &[])?;
                    by_device.insert(second.as_slice(), &[])?;
                    Ok::<_, ConflictableTransactionError<()>>(())
                })
                .map_err(transaction_error)?;
            trees.pairing_counts.add_pair();
            Ok(pair)
        })
    }

    /// The pending of `code`, if it is not over at `now`.
    ///
    /// # Errors
    /// The engine's, or an unreadable record.
    pub fn pending(self, code: &str, now: u64) -> Result<Option<PendingRecord>, StoreError> {
        Ok(pending_of(&self.0.trees, code)?.filter(|pending| now < pending.expires))
    }

    /// Removes the pending of `code` once it is accepted, and gives its pair back; once.
    pub fn collect(self, code: &str, now: u64) -> Change<String, PairingError> {
        let code = code.to_owned();
        self.0.write(move |trees| {
            let pending = pending_of(trees, &code)?.filter(|pending| now < pending.expires);
            let pending = pending.ok_or(PairingError::NotFound)?;
            let pair = pending.pair.clone().ok_or(PairingError::NotFound)?;
            remove_pending(trees, &code, &pending)?;
            Ok(pair)
        })
    }

    /// The pair whose room is `id`.
    ///
    /// # Errors
    /// The engine's, or an unreadable record.
    pub fn find(self, id: &str) -> Result<Option<PairRecord>, StoreError> {
        pair_of(&self.0.trees, id)
    }

    /// Remembers that somebody asked for the pair; writes only when that is news of the day.
    pub fn used(self, pair: &PairRecord, now: u64) -> Change<(), StoreError> {
        if now < pair.used.saturating_add(USED_EVERY) {
            return Change::done(());
        }
        let id = pair.id.clone();
        self.0.write(move |trees| {
            let Some(pair) = pair_of(trees, &id)? else { return Ok(()) };
            trees.pairs.insert(&id, encode(&PairRecord { used: now, ..pair })?)?;
            Ok(())
        })
    }

    /// Removes a pair; `false` when there was none.
    pub fn delete(self, id: &str) -> Change<bool, StoreError> {
        let id = id.to_owned();
        self.0.write(move |trees| match pair_of(trees, &id)? {
            Some(pair) => remove_pair(trees, &pair).map(|()| true),
            None => Ok(false),
        })
    }

    /// Removes the pairings of `device` that are `whose`.
    pub fn purge(self, device: &str, whose: Whose) -> Change<Purged, StoreError> {
        let device = device.to_owned();
        self.0.write(move |trees| {
            let mut purged = Purged::default();
            for (kind, id) in of_device(trees, &device)? {
                match kind {
                    Kind::Pending => {
                        let Some(pending) = pending_of(trees, &id)? else { continue };
                        if whose.includes(pending.owner.as_ref()) {
                            remove_pending(trees, &id, &pending)?;
                            purged.pendings += 1;
                        }
                    }
                    Kind::Pair => {
                        let Some(pair) = pair_of(trees, &id)? else { continue };
                        if did(&pair, &device, &whose) {
                            remove_pair(trees, &pair)?;
                            purged.pairs.push(id);
                        }
                    }
                }
            }
            Ok(purged)
        })
    }
}

/// The same device with the same proof.
fn same_offer(a: &PendingRecord, b: &PendingRecord) -> bool {
    (&a.client1, &a.owner) == (&b.client1, &b.owner)
}

/// Whether `device` is in the pair with a proof of these.
fn did(pair: &PairRecord, device: &str, whose: &Whose) -> bool {
    let [first, second] = &pair.owners;
    (pair.client1 == device && whose.includes(first.as_ref()))
        || (pair.client2 == device && whose.includes(second.as_ref()))
}

fn transaction_error(error: TransactionError<()>) -> PairingError {
    PairingError::Store(match error {
        TransactionError::Storage(error) => error.into(),
        TransactionError::Abort(()) => StoreError::Failed("a transaction was aborted".into()),
    })
}
