//! What a request that passed the check leaves behind.

use std::sync::Arc;

use super::{Allowance, Features, Key, Protection, SecretId};
use crate::time::UnixTime;

/// Proof that somebody holds a credential: only the check makes one. An allocation keeps it, so
/// that it survives the end of its credential, a reload and a rotation of the secrets.
#[derive(Clone, Debug)]
pub struct Verified {
    pub(super) username: Arc<str>,
    pub(super) user: Arc<str>,
    pub(super) realm: Arc<str>,
    pub(super) key: Key,
    pub(super) origin: Origin,
    /// What the nonce announced: a challenge to this user goes on offering it.
    pub(super) announced: Features,
}

/// Where a credential comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A static user.
    Static,
    /// A shared secret: which; until when, and how much.
    Rest { secret: SecretId, expires: UnixTime, allowance: Option<Allowance> },
}

impl Verified {
    /// The USERNAME as the client gave it, or the configured name of whose USERHASH it gave.
    pub fn username(&self) -> &Arc<str> {
        &self.username
    }

    /// Whom quotas count: the REST username without its timestamp and its
    /// [allowance](Self::allowance), or the whole username where there is nothing else. Never empty.
    pub fn user(&self) -> &Arc<str> {
        &self.user
    }

    /// The realm the key was made for: what a challenge on this user's allocation must repeat,
    /// even when the settings have a new one since.
    pub fn realm(&self) -> &Arc<str> {
        &self.realm
    }

    /// The key that answers to this client are signed with.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What answers to this client carry.
    pub fn protection(&self) -> Protection {
        self.key.protection()
    }

    /// Until when the credential opens allocations; `None` for static users.
    pub fn expires(&self) -> Option<UnixTime> {
        match self.origin {
            Origin::Static => None,
            Origin::Rest { expires, .. } => Some(expires),
        }
    }

    /// Which of the secrets signed it; `None` for static users.
    pub fn secret(&self) -> Option<SecretId> {
        match self.origin {
            Origin::Static => None,
            Origin::Rest { secret, .. } => Some(secret),
        }
    }

    /// How much the credential may open in its whole life, if it says so itself.
    pub fn allowance(&self) -> Option<Allowance> {
        match self.origin {
            Origin::Static => None,
            Origin::Rest { allowance, .. } => allowance,
        }
    }

    /// A static user of realm "tests" with the password "password".
    #[cfg(test)]
    pub(crate) fn for_tests(username: &str) -> Self {
        use super::scheme::Scheme;
        let name: Arc<str> = username.into();
        Self {
            username: Arc::clone(&name),
            user: name,
            realm: "tests".into(),
            key: Key::derive(Scheme::RFC_5389, username, "tests", b"password"),
            origin: Origin::Static,
            announced: Features::default(),
        }
    }

    /// A credential minted with the secret "north": until when, and for how much.
    #[cfg(test)]
    pub(crate) fn minted_for_tests(
        username: &str,
        expires: UnixTime,
        allowance: Option<Allowance>,
    ) -> Self {
        let secret = super::Secret::from("north").id();
        let origin = Origin::Rest { secret, expires, allowance };
        Self { origin, ..Self::for_tests(username) }
    }
}
