//! People: their names, what they may do, the hash of their password.
//!
//! A change that takes something away (a password, a role, the account) ends the person's sessions in
//! the same step.

use serde::{Deserialize, Serialize};

use super::records::{Record, decode, encode};
use super::sessions::end_sessions_of;
use super::{Change, Store, StoreError, Trees};
pub use crate::creds::access::UserRole;
use crate::creds::password::PasswordHash;

/// Users stored at most; more are refused with [`UserError::Full`].
pub const MAX_USERS: usize = 10_000;
/// The longest email address, in bytes (RFC 5321 section 4.5.3.1.3).
pub const MAX_EMAIL: usize = 254;

/// A person as stored. `Debug` leaves the password's hash out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// As [`user_name`](crate::creds::user_name::user_name) writes it.
    pub name: String,
    /// What they may do.
    pub role: UserRole,
    /// Where they can be written to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email: Option<String>,
    /// Whether they may log in.
    pub active: bool,
    /// When they were added, unix seconds.
    pub created: u64,
    /// What their password is checked against.
    pub password: PasswordHash,
}

impl Record for UserRecord {
    const KIND: &'static str = "user";
    const VERSION: u32 = 1;
}

/// What is to be changed of a person; nothing where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Another password.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub password: Option<PasswordHash>,
    /// Another role.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<UserRole>,
    /// Another email address; an empty one is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email: Option<String>,
    /// Whether they may log in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub active: Option<bool>,
}

impl UserChange {
    fn applied_to(self, user: UserRecord) -> UserRecord {
        UserRecord {
            password: self.password.unwrap_or(user.password),
            role: self.role.unwrap_or(user.role),
            email: match self.email {
                Some(email) => Some(email).filter(|email| !email.is_empty()),
                None => user.email,
            },
            active: self.active.unwrap_or(user.active),
            ..user
        }
    }
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// People who are new.
    pub added: usize,
    /// People who were there.
    pub updated: usize,
}

/// Why a person was not added or changed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum UserError {
    /// The name is taken.
    #[error("there is a user {0:?} already")]
    Exists(String),
    /// Nobody has this name.
    #[error("there is no user {0:?}")]
    NotFound(String),
    /// Somebody new needs a password.
    #[error("the new user {0:?} has no password")]
    NoPassword(String),
    /// [`MAX_USERS`] are stored.
    #[error("there can be {MAX_USERS} users, and so many are there")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sled::Error> for UserError {
    fn from(error: sled::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The people of a store.
#[derive(Clone, Copy)]
pub struct Users<'a>(&'a Store);

impl<'a> Users<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self(store)
    }

    /// Stores somebody new.
    #[expect(clippy::should_implement_trait, reason = "the word for it; nothing is summed")]
    pub fn add(self, user: UserRecord) -> Change<(), UserError> {
        self.0.write(move |trees| {
            if trees.users.contains_key(&user.name)? {
                return Err(UserError::Exists(user.name));
            }
            if trees.users.len() >= MAX_USERS {
                return Err(UserError::Full);
            }
            Ok(put(trees, &user)?)
        })
    }

    /// Changes somebody. Another password or role, or the end of an account, ends their sessions.
    pub fn change(self, name: &str, change: UserChange) -> Change<UserRecord, UserError> {
        let name = name.to_owned();
        self.0.write(move |trees| {
            let before = find(trees, &name)?.ok_or(UserError::NotFound(name))?;
            let after = change.applied_to(before.clone());
            replace(trees, &before, &after)?;
            Ok(after)
        })
    }

    /// Another password; all sessions end.
    pub fn set_password(self, name: &str, hash: PasswordHash) -> Change<UserRecord, UserError> {
        self.change(name, UserChange { password: Some(hash), ..UserChange::default() })
    }

    /// Another role; if it is another one, all sessions end.
    pub fn set_role(self, name: &str, role: UserRole) -> Change<UserRecord, UserError> {
        self.change(name, UserChange { role: Some(role), ..UserChange::default() })
    }

    /// Whether they may log in; if not, all sessions end.
    pub fn set_active(self, name: &str, active: bool) -> Change<UserRecord, UserError> {
        self.change(name, UserChange { active: Some(active), ..UserChange::default() })
    }

    /// The same password under another hash: sessions live on. Changes nothing, and says `false`,
    /// when the hash is no longer `before`.
    pub fn rehash(
        self,
        name: &str,
        before: PasswordHash,
        after: PasswordHash,
    ) -> Change<bool, StoreError> {
        let name = name.to_owned();
        self.0.write(move |trees| {
            let Some(user) = find(trees, &name)?.filter(|user| user.password == before) else {
                return Ok(false);
            };
            put(trees, &UserRecord { password: after, ..user })?;
            Ok(true)
        })
    }

    /// Forgets somebody, and ends their sessions; `false` when there was nobody.
    pub fn remove(self, name: &str) -> Change<bool, StoreError> {
        let name = name.to_owned();
        self.0.write(move |trees| {
            // A crash in between leaves a person without sessions, never the other way round.
            end_sessions_of(trees, &name)?;
            trees.users_to_rehash.remove(&name)?;
            Ok(trees.users.remove(&name)?.is_some())
        })
    }

    /// Stores many: all of them, or none. Those who are there already are an error unless `update`.
    /// `created` is when the new ones were added.
    pub fn import(
        self,
        people: Vec<(String, UserChange)>,
        update: bool,
        created: u64,
    ) -> Change<Imported, UserError> {
        self.0.write(move |trees| {
            let (mut imported, mut changes) = (Imported::default(), Vec::new());
            for (name, change) in people {
                let before = find(trees, &name)?;
                match &before {
                    Some(_) if !update => return Err(UserError::Exists(name)),
                    Some(_) => imported.updated += 1,
                    None => imported.added += 1,
                }
                let user = match before.clone() {
                    Some(user) => user,
                    None => newcomer(name, &change, created)?,
                };
                changes.push((before, change.applied_to(user)));
            }
            if trees.users.len() + imported.added > MAX_USERS {
                return Err(UserError::Full);
            }
            store_all(trees, &changes)?;
            Ok(imported)
        })
    }

    /// The person of this name.
    ///
    /// # Errors
    /// The engine's, or an unreadable record.
    pub fn find(self, name: &str) -> Result<Option<UserRecord>, StoreError> {
        find(&self.0.trees, name)
    }

    /// Everybody, by name.
    ///
    /// # Errors
    /// The engine's, or an unreadable record.
    pub fn list(self) -> Result<Vec<UserRecord>, StoreError> {
        self.0.trees.users.iter().values().map(|bytes| decode(&bytes?)).collect()
    }

    /// How many are stored.
    pub fn count(self) -> usize {
        self.0.trees.users.len()
    }

    /// Somebody's hash that is not one of ours, if there is any: what a login may cost here besides
    /// our own.
    ///
    /// # Errors
    /// The engine's, or an unreadable record.
    pub fn foreign_hash(self) -> Result<Option<PasswordHash>, StoreError> {
        let Some((name, _)) = self.0.trees.users_to_rehash.first()? else { return Ok(None) };
        let user = self.0.trees.users.get(name)?.map(|bytes| decode::<UserRecord>(&bytes));
        Ok(user.transpose()?.map(|user| user.password))
    }
}

pub(super) fn find(trees: &Trees, name: &str) -> Result<Option<UserRecord>, StoreError> {
    trees.users.get(name)?.map(|bytes| decode(&bytes)).transpose()
}

fn newcomer(name: String, change: &UserChange, created: u64) -> Result<UserRecord, UserError> {
    let Some(password) = change.password.clone() else { return Err(UserError::NoPassword(name)) };
    Ok(UserRecord { name, role: UserRole::User, email: None, active: true, created, password })
}

fn replace(trees: &Trees, before: &UserRecord, after: &UserRecord) -> Result<(), StoreError> {
    if ends_sessions(before, after) {
        end_sessions_of(trees, &before.name)?;
    }
    put(trees, after)
}

fn ends_sessions(before: &UserRecord, after: &UserRecord) -> bool {
    before.password != after.password || before.role != after.role || !after.active
}

fn put(trees: &Trees, user: &UserRecord) -> Result<(), StoreError> {
    trees.users.insert(&user.name, encode(user)?)?;
    note_rehash(trees, user)
}

fn note_rehash(trees: &Trees, user: &UserRecord) -> Result<(), StoreError> {
    match user.password.needs_rehash() {
        true => trees.users_to_rehash.insert(&user.name, &[])?,
        false => trees.users_to_rehash.remove(&user.name)?,
    };
    Ok(())
}

/// One batch, which the engine writes as a whole.
fn store_all(
    trees: &Trees,
    changes: &[(Option<UserRecord>, UserRecord)],
) -> Result<(), StoreError> {
    let mut batch = sled::Batch::default();
    for (before, after) in changes {
        if before.as_ref().is_some_and(|before| ends_sessions(before, after)) {
            end_sessions_of(trees, &after.name)?;
        }
        batch.insert(after.name.as_bytes(), encode(after)?);
    }
    trees.users.apply_batch(batch)?;
    changes.iter().try_for_each(|(_, user)| note_rehash(trees, user))
}
