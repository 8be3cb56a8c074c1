//! What the operator decides about credentials, and why it may be refused.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use super::{Secret, SharedSecret, rest};

/// The longest realm a STUN message may carry, in bytes (RFC 8489 section 14.9).
pub(super) const MAX_REALM: usize = 763;

/// Everything [`Credentials`](super::Credentials) are made of.
#[derive(Clone)]
pub struct CredentialSettings {
    /// Told to clients and hashed into every key. 1 to 763 bytes.
    pub realm: String,
    /// REST shared secrets: each is tried, in this order.
    pub secrets: Vec<SharedSecret>,
    /// Static users: name and password.
    pub users: Vec<(String, Secret)>,
    /// Between the timestamp and the rest of a REST username. Not a digit.
    pub separator: char,
    /// Offer SHA-256 (RFC 8489 section 9.2). Clients that do not know it are not disturbed. What was
    /// offered before is still honoured where it is switched off.
    pub sha256: bool,
    /// Refuse also the requests of an established allocation once its credential has expired.
    pub strict_expiry: bool,
    /// How long a nonce is good. Counted in whole seconds, rounded up.
    pub nonce_lifetime: Duration,
    /// 32 random bytes, the same on every shard and after a reload.
    pub nonce_key: [u8; 32],
}

impl CredentialSettings {
    /// Nobody may enter yet; `:` separates, SHA-256 is offered, expiry counts at Allocate only,
    /// nonces last an hour.
    pub fn new(realm: impl Into<String>, nonce_key: [u8; 32]) -> Self {
        Self {
            realm: realm.into(),
            secrets: Vec::new(),
            users: Vec::new(),
            separator: ':',
            sha256: true,
            strict_expiry: false,
            nonce_lifetime: Duration::from_secs(3600),
            nonce_key,
        }
    }

    /// The first thing that is wrong with these settings, looked at one by one.
    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        if self.realm.is_empty() || self.realm.len() > MAX_REALM {
            return Err(SettingsError::RealmLength(self.realm.len()));
        }
        if self.realm.contains(char::is_control) {
            return Err(SettingsError::RealmControl);
        }
        if self.separator.is_ascii_digit() || self.separator.is_control() {
            return Err(SettingsError::Separator(self.separator));
        }
        if self.nonce_lifetime.is_zero() {
            return Err(SettingsError::NonceLifetime);
        }
        if let Some(index) =
            self.secrets.iter().position(|shared| shared.secret.expose().is_empty())
        {
            return Err(SettingsError::EmptySecret(index + 1));
        }
        self.users.iter().try_for_each(|(name, password)| user(name, password.expose()))
    }
}

fn user(name: &str, password: &str) -> Result<(), SettingsError> {
    if name.is_empty() || name.len() > rest::MAX_USERNAME {
        return Err(SettingsError::NameLength(name.to_owned(), name.len()));
    }
    if name.contains(char::is_control) {
        return Err(SettingsError::NameControl(name.to_owned()));
    }
    if password.is_empty() {
        return Err(SettingsError::EmptyPassword(name.to_owned()));
    }
    if password.contains(char::is_control) {
        return Err(SettingsError::PasswordControl(name.to_owned()));
    }
    Ok(())
}

impl fmt::Debug for CredentialSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialSettings")
            .field("realm", &self.realm)
            .field("secrets", &self.secrets)
            .field("users", &self.users)
            .field("separator", &self.separator)
            .field("sha256", &self.sha256)
            .field("strict_expiry", &self.strict_expiry)
            .field("nonce_lifetime", &self.nonce_lifetime)
            .field("nonce_key", &"[redacted]")
            .finish()
    }
}

/// Why settings are refused. No sentence holds a secret or a password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// No realm, or one no STUN message can carry.
    #[error("the realm has {0} bytes: it must have 1 to {MAX_REALM}")]
    RealmLength(usize),
    /// RFC 8489 section 14.9 wants a text.
    #[error("the realm holds a control character")]
    RealmControl,
    /// The separator could not be told from the timestamp.
    #[error("{0:?} cannot separate the timestamp from the name: use something like \":\"")]
    Separator(char),
    /// Every nonce would be stale at once.
    #[error("nonces need a lifetime: the usual one is an hour")]
    NonceLifetime,
    /// Everybody could mint. The number counts from one.
    #[error("secret #{0} is empty")]
    EmptySecret(usize),
    /// No name, or one no STUN message can carry.
    #[error("the user name {0:?} has {1} bytes: it must have 1 to 508")]
    NameLength(String, usize),
    /// RFC 8265 allows none.
    #[error("the user name {0:?} holds a control character")]
    NameControl(String),
    /// Two names that are one after preparation (RFC 8265): neither could be told from the other.
    #[error("the user name {0:?} is there twice")]
    DuplicateName(String),
    /// Everybody could enter.
    #[error("the password of user {0:?} is empty")]
    EmptyPassword(String),
    /// RFC 8265 allows none; mostly a line end that came with a file.
    #[error("the password of user {0:?} holds a control character: is there a line end in it?")]
    PasswordControl(String),
}
