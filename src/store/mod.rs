//! Embedded state: the generated secrets, rooms, one-time invites, API keys, people and their sessions,
//! the audit trail and what waits for hooks, behind typed doors.
//!
//! Nothing outside this module names the engine (sled), so another one can stand beside it later.
//! Records are versioned JSON. A change is acknowledged only after it was flushed to the disk:
//! every change answers with a [`Change`], which is awaited or waited for. Times and random numbers
//! come in as arguments; only the writer thread and the engine touch the world.

mod change;
mod events;
mod hooks;
mod invites;
mod journal;
mod keys;
mod ledger;
mod open;
mod pairings;
mod places;
mod records;
mod removal;
mod revoked;
mod ring;
mod rooms;
mod search;
mod secrets;
mod sessions;
mod stored;
mod sweep;
mod users;
mod writer;

use std::sync::Arc;

pub use change::Change;
pub use events::{
    EventKind, EventNumbers, EventRecord, Events, Found, JournalSettings, MAX_EVENT, MAX_FOUND,
    MAX_SEARCHED, MAX_TEXT, NewEvent, Search,
};
pub use hooks::{HookId, HookQueues, Queued, second_of};
pub use invites::{
    InviteError, InviteHash, InviteRecord, Invites, MAX_INVITES_PER_ROOM, invite_id,
};
pub use journal::{MAX_UNWRITTEN, TakenBy};
pub use keys::{KeyError, KeyHash, KeyRecord, Keys, MAX_KEYS};
pub use open::OpenError;
pub use pairings::{
    MAX_PAIRS, MAX_PENDINGS, PAIR_MEMORY, PairRecord, PairingError, Pairings, PendingRecord,
    Purged, Whose,
};
pub use revoked::{MAX_REVOKED, RevokeError, Revoked};
pub use ring::{
    MAX_SECRETS, SECRET_MEMORY, SecretError, SecretOrigin, SecretRecord, SecretUse, Secrets,
    USE_MEMORY,
};
pub use rooms::{MAX_ROOMS, RoomError, RoomRecord, Rooms};
pub use sessions::{
    MAX_SESSIONS_PER_USER, SessionError, SessionId, SessionKind, SessionRecord, Sessions, TokenHash,
};
pub use sweep::{INVITE_MEMORY, Swept};
pub use users::{
    Imported, MAX_EMAIL, MAX_USERS, UserChange, UserError, UserRecord, UserRole, Users,
};
pub use writer::GATHER;

use journal::Journal;
use writer::Writer;

/// Why the state could not be read or changed: an operator's sentence, no secrets in it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// The disk or the engine said no. The change may or may not be there after a restart; it was
    /// not acknowledged.
    #[error("the state could not be written or read: {0}")]
    Failed(String),
    /// A record this version cannot read.
    #[error("a stored {kind} record cannot be read: {why}")]
    Unreadable {
        /// What the record holds: "room", "invite" …
        kind: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// More changes wait for the disk than the writer's queue holds.
    #[error("too many changes are waiting for the disk")]
    Busy,
    /// The store is closing.
    #[error("the store is closed")]
    Closed,
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The trees of one database. Cheap to clone; what jobs of the writer run against.
#[derive(Clone)]
struct Trees {
    db: sled::Db,
    secrets: sled::Tree,
    /// What REST secrets were used for, by id.
    secret_uses: sled::Tree,
    rooms: sled::Tree,
    /// Invites by hash.
    invites: sled::Tree,
    /// `room id \0 hash` of every stored invite: how the invites of a room are found.
    invites_by_room: sled::Tree,
    /// API keys by hash.
    keys: sled::Tree,
    /// Join codes on offer.
    pendings: sled::Tree,
    /// Devices that accepted one another, by the room they meet in.
    pairs: sled::Tree,
    /// Device, then pending or pair: how those of a device are found.
    pairings_by_device: sled::Tree,
    /// How many of both there are: to count a tree is to walk it.
    pairing_counts: Arc<pairings::Counts>,
    /// Revoked tokens by `jti`.
    revoked: sled::Tree,
    /// People by name.
    users: sled::Tree,
    /// Names of those whose password is hashed in a way that is not ours.
    users_to_rehash: sled::Tree,
    /// Sessions by id.
    sessions: sled::Tree,
    /// `user \0 session id` of every stored session.
    sessions_by_user: sled::Tree,
    /// The audit trail and the queues of hooks.
    journal: Arc<Journal>,
}

impl Trees {
    fn of(db: sled::Db) -> Result<Self, StoreError> {
        let (pendings, pairs) = (db.open_tree("pairing_pendings")?, db.open_tree("pairings")?);
        Ok(Self {
            secrets: db.open_tree("secrets")?,
            secret_uses: db.open_tree("secret_uses")?,
            rooms: db.open_tree("rooms")?,
            invites: db.open_tree("invites")?,
            invites_by_room: db.open_tree("invites_by_room")?,
            keys: db.open_tree("keys")?,
            pairing_counts: Arc::new(pairings::Counts::of(&pendings, &pairs)),
            pendings,
            pairs,
            pairings_by_device: db.open_tree("pairings_by_device")?,
            revoked: db.open_tree("revoked")?,
            users: db.open_tree("users")?,
            users_to_rehash: db.open_tree("users_to_rehash")?,
            sessions: db.open_tree("sessions")?,
            sessions_by_user: db.open_tree("sessions_by_user")?,
            journal: Arc::new(Journal::open(db.open_tree("journal")?)?),
            db,
        })
    }
}

/// The state of one instance: open once per data folder, shared by cloning.
#[derive(Clone)]
pub struct Store {
    trees: Trees,
    writer: Arc<Writer>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// The rooms.
    pub fn rooms(&self) -> Rooms<'_> {
        Rooms::of(self)
    }

    /// The one-time invites.
    pub fn invites(&self) -> Invites<'_> {
        Invites::of(self)
    }

    /// The REST secrets.
    pub fn secrets(&self) -> Secrets<'_> {
        Secrets::of(self)
    }

    /// The API keys.
    pub fn keys(&self) -> Keys<'_> {
        Keys::of(self)
    }

    /// Devices paired by join codes.
    pub fn pairings(&self) -> Pairings<'_> {
        Pairings::of(self)
    }

    /// People.
    pub fn users(&self) -> Users<'_> {
        Users::of(self)
    }

    /// Their sessions.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions::of(self)
    }

    /// Tokens that are refused before they expire.
    pub fn revoked(&self) -> Revoked<'_> {
        Revoked::of(self)
    }

    /// The audit trail.
    pub fn events(&self) -> Events<'_> {
        Events::of(self)
    }

    /// What waits for hooks.
    pub fn hooks(&self) -> HookQueues<'_> {
        HookQueues::of(self)
    }

    /// Writes and flushes a marker: an error says why the state cannot be written just now.
    pub fn probe_writable(&self) -> Change<(), StoreError> {
        self.write(|trees| {
            let count = trees
                .secrets
                .get("probe")?
                .map_or(0, |bytes| bytes.as_ref().try_into().map_or(0, u64::from_be_bytes));
            trees.secrets.insert("probe", &count.wrapping_add(1).to_be_bytes())?;
            Ok(())
        })
    }

    /// Hands `job` to the writer: it runs there, is flushed, then answered.
    fn write<T, E>(&self, job: impl FnOnce(&Trees) -> Result<T, E> + Send + 'static) -> Change<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writer.submit(job)
    }

    fn journal(&self) -> &Journal {
        &self.trees.journal
    }

    /// Something was noted.
    fn wake_writer(&self) {
        self.writer.wake();
    }
}
