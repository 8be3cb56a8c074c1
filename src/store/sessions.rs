//! Sessions of people who have logged in. Tokens are stored as hashes alone.

use serde::{Deserialize, Serialize};
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};

use super::records::{Record, decode, encode};
use super::users::{UserRecord, find as find_user};
use super::{Change, Store, StoreError, Trees};

/// Sessions of one person at a time; when one more starts, the oldest ends.
pub const MAX_SESSIONS_PER_USER: usize = 16;

/// SHA-256 of a token. Tokens carry 256 random bits, so no slow hash is needed.
pub type TokenHash = [u8; 32];

/// The name of a session; no secret, but nobody can guess it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub String);

impl SessionId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What holds a session's other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionKind {
    /// Access tokens, renewed with a refresh token that changes with every use.
    Native,
    /// One opaque token; each call prolongs it.
    Meetings,
    /// Access tokens that are renewed with one another, for clients that know nothing else.
    Rooms,
}

/// A session as stored. Times are unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Its name.
    pub id: SessionId,
    /// Whose it is.
    pub user: String,
    /// What holds its other end.
    pub kind: SessionKind,
    /// When it started.
    pub created: u64,
    /// From when on it is over.
    pub expires: u64,
    /// Whether using it prolongs it.
    pub sliding: bool,
    /// How long it lives, and by how much it is prolonged. Seconds.
    pub lifetime: u64,
    /// What all refresh tokens of this session have in common: who shows it had one of them.
    pub family: TokenHash,
    /// The one token that is good now.
    pub token: TokenHash,
}

impl Record for SessionRecord {
    const KIND: &'static str = "session";
    const VERSION: u32 = 1;
}

impl SessionRecord {
    /// Whether it has ended by `now`.
    pub fn is_over(&self, now: u64) -> bool {
        self.expires <= now
    }
}

/// Why a session was not started or went no further.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SessionError {
    /// The person is gone, may not log in any more, or has another password since it was checked.
    #[error("the user is not who logged in any more")]
    UserChanged,
    /// There is no such session, or it is over.
    #[error("the session is over")]
    Over,
    /// No token of this session.
    #[error("this is no token of the session")]
    Unknown,
    /// An old token of this user was shown again: somebody else has it. The session has ended with
    /// this.
    #[error("an old refresh token of {0:?} was shown again")]
    Reused(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sled::Error> for SessionError {
    fn from(error: sled::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The sessions of a store.
#[derive(Clone, Copy)]
pub struct Sessions<'a>(&'a Store);

impl<'a> Sessions<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self(store)
    }

    /// Stores a new session of `user`, as they were when their password was checked.
    pub fn start(self, session: SessionRecord, user: &UserRecord) -> Change<(), SessionError> {
        let checked = user.password.clone();
        self.0.write(move |trees| {
            let user = find_user(trees, &session.user)?;
            if !user.is_some_and(|user| user.active && user.password == checked) {
                return Err(SessionError::UserChanged);
            }
            make_space(trees, &session.user, session.created)?;
            let (bytes, index) = (encode(&session)?, index_key(&session.user, &session.id.0));
            (&trees.sessions, &trees.sessions_by_user)
                .transaction(|(sessions, by_user)| {
                    sessions.insert(session.id.0.as_bytes(), bytes.as_slice())?;
                    by_user.insert(index.as_slice(), &[])?;
                    Ok::<_, ConflictableTransactionError<()>>(())
                })
                .map_err(|error| SessionError::Store(transaction_error(error)))
        })
    }

    /// Replaces the good token of a session by `next`, when `shown` is it, and prolongs a sliding
    /// one. `family` says whether what was shown is a token of this session at all: if so, but not
    /// the good one, it is an old one, and the session ends.
    pub fn rotate(
        self,
        id: &SessionId,
        family: TokenHash,
        shown: TokenHash,
        next: TokenHash,
        now: u64,
    ) -> Change<SessionRecord, SessionError> {
        let id = id.clone();
        self.0.write(move |trees| {
            let session = find(trees, &id)?.filter(|session| !session.is_over(now));
            let session = session.ok_or(SessionError::Over)?;
            if session.family != family {
                return Err(SessionError::Unknown);
            }
            if session.token != shown {
                remove(trees, &session.user, &session.id.0)?;
                return Err(SessionError::Reused(session.user));
            }
            let mut after = SessionRecord { token: next, ..session };
            if after.sliding {
                after.expires = now.saturating_add(after.lifetime);
            }
            trees.sessions.insert(after.id.0.as_bytes(), encode(&after)?)?;
            Ok(after)
        })
    }

    /// Prolongs a session to `expires`; `false` when it is not there.
    pub fn prolong(self, id: &SessionId, expires: u64) -> Change<bool, StoreError> {
        let id = id.clone();
        self.0.write(move |trees| {
            let Some(session) = find(trees, &id)? else { return Ok(false) };
            let after = SessionRecord { expires: expires.max(session.expires), ..session };
            trees.sessions.insert(after.id.0.as_bytes(), encode(&after)?)?;
            Ok(true)
        })
    }

    /// Ends a session; `false` when it is not there.
    pub fn end(self, id: &SessionId) -> Change<bool, StoreError> {
        let id = id.clone();
        self.0.write(move |trees| {
            let Some(session) = find(trees, &id)? else { return Ok(false) };
            remove(trees, &session.user, &session.id.0)?;
            Ok(true)
        })
    }

    /// The session of this name, over or not.
    ///
    /// # Errors
    /// The engine's, or an unreadable record.
    pub fn find(self, id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        find(&self.0.trees, id)
    }

    /// How many are stored, those that are over among them.
    pub fn count(self) -> usize {
        self.0.trees.sessions.len()
    }
}

fn index_key(user: &str, id: &str) -> Vec<u8> {
    [user.as_bytes(), b"\0", id.as_bytes()].concat()
}

fn find(trees: &Trees, id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
    trees.sessions.get(id.0.as_bytes())?.map(|bytes| decode(&bytes)).transpose()
}

/// Ids of the sessions stored for `user`, at most [`MAX_SESSIONS_PER_USER`] by construction.
fn ids_of(trees: &Trees, user: &str) -> Result<Vec<String>, StoreError> {
    let prefix = index_key(user, "");
    let keys = trees.sessions_by_user.scan_prefix(&prefix).keys();
    keys.map(|key| Ok(String::from_utf8_lossy(&key?[prefix.len()..]).into_owned())).collect()
}

/// Leaves room for one more: what is over goes first, then the oldest.
fn make_space(trees: &Trees, user: &str, now: u64) -> Result<(), StoreError> {
    let ids = ids_of(trees, user)?;
    if ids.len() < MAX_SESSIONS_PER_USER {
        return Ok(());
    }
    let mut sessions = Vec::with_capacity(ids.len());
    for id in ids {
        let created = match find(trees, &SessionId(id.clone()))? {
            Some(session) if !session.is_over(now) => session.created,
            _ => 0,
        };
        sessions.push((created, id));
    }
    sessions.sort();
    let over = sessions.iter().take_while(|(created, _)| *created == 0).count();
    let surplus = (sessions.len() + 1).saturating_sub(MAX_SESSIONS_PER_USER);
    let mut gone = sessions.iter().take(over.max(surplus));
    gone.try_for_each(|(_, id)| remove(trees, user, id))
}

/// Removes one session and its place in the index, together.
fn remove(trees: &Trees, user: &str, id: &str) -> Result<(), StoreError> {
    let index = index_key(user, id);
    (&trees.sessions, &trees.sessions_by_user)
        .transaction(|(sessions, by_user)| {
            sessions.remove(id.as_bytes())?;
            by_user.remove(index.as_slice())?;
            Ok::<_, ConflictableTransactionError<()>>(())
        })
        .map_err(transaction_error)
}

pub(super) fn end_sessions_of(trees: &Trees, user: &str) -> Result<(), StoreError> {
    ids_of(trees, user)?.iter().try_for_each(|id| remove(trees, user, id))
}

pub(super) fn sweep(trees: &Trees, now: u64) -> Result<usize, StoreError> {
    let mut gone = 0;
    for entry in trees.sessions.iter() {
        let (_, bytes) = entry?;
        let Ok(session) = decode::<SessionRecord>(&bytes) else { continue };
        if session.is_over(now) {
            remove(trees, &session.user, &session.id.0)?;
            gone += 1;
        }
    }
    Ok(gone)
}

fn transaction_error(error: TransactionError<()>) -> StoreError {
    match error {
        TransactionError::Storage(error) => error.into(),
        TransactionError::Abort(()) => StoreError::Failed("a transaction was aborted".into()),
    }
}
