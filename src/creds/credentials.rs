//! All credentials of one configuration: made once, shared by every shard, swapped as a whole.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::nonce::Nonces;
use super::{
    CredentialSettings, Features, NonceText, Secret, SecretId, SettingsError, SharedSecret,
    Verified, prepare, userhash,
};
use crate::time::{Now, UnixTime};

/// Who may ask, and the check of it: long-term credentials of static users and of any number of
/// REST shared secrets together. Immutable; a reload makes new ones. Holds no state of a client.
pub struct Credentials {
    pub(super) realm: Arc<str>,
    pub(super) separator: char,
    pub(super) strict_expiry: bool,
    pub(super) secrets: Vec<Accepted>,
    /// By the name's canonical form.
    pub(super) users: BTreeMap<Box<str>, StaticUser>,
    /// The canonical forms of their names, by USERHASH: one for each form a client may hash.
    pub(super) hashes: BTreeMap<[u8; 32], Box<str>>,
    /// What a challenge offers.
    features: Features,
    /// Somebody no name leads to: checked in the place of unknown users, for the time it takes.
    pub(super) nobody: StaticUser,
    pub(super) nonces: Nonces,
    /// No longer username is prepared, in bytes: it could not become one of `users`.
    longest_spelling: usize,
}

/// What a 401 or 438 tells a client, so that it can try again (RFC 8489 section 9.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// REALM.
    pub realm: &'a str,
    /// NONCE.
    pub nonce: NonceText,
    /// Whether the answer must carry [`PASSWORD_ALGORITHMS`](super::PASSWORD_ALGORITHMS), which the
    /// nonce announces.
    pub algorithms: bool,
}

/// A REST secret.
pub(super) struct Accepted {
    pub(super) id: SecretId,
    pub(super) secret: Secret,
    /// Its last second, if it has one.
    pub(super) until: Option<UnixTime>,
}

impl Accepted {
    /// How long ago it ended; `None` while it is good.
    pub(super) fn ended(&self, now: UnixTime) -> Option<Duration> {
        let ago = now.0.checked_sub(self.until?.0).filter(|ago| *ago > 0)?;
        Some(Duration::from_secs(ago))
    }
}

impl From<SharedSecret> for Accepted {
    fn from(SharedSecret { secret, until }: SharedSecret) -> Self {
        Self { id: secret.id(), secret, until }
    }
}

/// A user from the configuration.
pub(super) struct StaticUser {
    /// As the operator wrote it.
    pub(super) name: Arc<str>,
    /// The password in every form a client may hash.
    pub(super) passwords: Vec<Secret>,
}

impl StaticUser {
    fn new(name: &str, password: &Secret) -> Self {
        let forms = prepare::forms(password.expose());
        let passwords = forms.map(|form| form.into_owned().into()).collect();
        Self { name: name.into(), passwords }
    }
}

impl Credentials {
    /// Checks the settings and prepares users for comparison. The realm is told in its OpaqueString
    /// form (RFC 8265 section 4.2), so that preparing clients hash the same bytes as the others.
    ///
    /// # Errors
    /// A sentence about the first setting that cannot be used; it holds no secret.
    pub fn new(settings: CredentialSettings) -> Result<Self, SettingsError> {
        settings.validate()?;
        let realm = prepare::canonical(&settings.realm);
        let mut users = BTreeMap::new();
        let mut hashes = BTreeMap::new();
        for (name, password) in &settings.users {
            let user = StaticUser::new(name, password);
            let canonical: Box<str> = prepare::canonical(name).into();
            for form in prepare::forms(name) {
                hashes.insert(userhash(&form, &realm), canonical.clone());
            }
            if users.insert(canonical, user).is_some() {
                return Err(SettingsError::DuplicateName(name.clone()));
            }
        }
        Ok(Self {
            longest_spelling: longest_spelling(users.keys()),
            realm: realm.into(),
            features: features(&settings),
            separator: settings.separator,
            strict_expiry: settings.strict_expiry,
            secrets: settings.secrets.into_iter().map(Accepted::from).collect(),
            users,
            hashes,
            nobody: StaticUser::new("nobody", &Secret::from("nobody's password")),
            nonces: Nonces::new(settings.nonce_key, settings.nonce_lifetime),
        })
    }

    /// The value of REALM in a challenge.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The form static users are found by. A stranger can make its computation long, so it is only
    /// computed where it can lead to somebody: never while all names are ASCII.
    pub(super) fn canonical<'a>(&self, username: &'a str) -> Cow<'a, str> {
        match username.len() <= self.longest_spelling {
            true => prepare::canonical(username),
            false => Cow::Borrowed(username),
        }
    }

    /// The username as a client may have hashed it, bounded as in [`Self::canonical`].
    pub(super) fn spellings<'a>(&self, username: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
        let prepared = username.len() <= self.longest_spelling;
        prepare::forms(username).take(if prepared { usize::MAX } else { 1 })
    }

    /// A nonce for `client`, good from now on for the configured lifetime: on every holder of the
    /// same nonce key, from every port of this IP address.
    pub fn nonce(&self, now: Now, client: IpAddr) -> NonceText {
        self.nonces.make(now.mono, client, self.features)
    }

    /// What a client is told that showed no credentials, or none that hold.
    pub fn challenge(&self, now: Now, client: IpAddr) -> Challenge<'_> {
        let algorithms = self.features.algorithms;
        Challenge { realm: &self.realm, nonce: self.nonce(now, client), algorithms }
    }

    /// The same on the allocation of `owner`: in the realm and with the offer that the allocation
    /// was opened with, whatever the settings say since. Its key belongs to these.
    pub fn challenge_owner<'a>(
        &self,
        now: Now,
        client: IpAddr,
        owner: &'a Verified,
    ) -> Challenge<'a> {
        let nonce = self.nonces.make(now.mono, client, owner.announced);
        Challenge { realm: &owner.realm, nonce, algorithms: owner.announced.algorithms }
    }
}

/// Anonymous usernames are announced only where every username is known beforehand: a client that
/// hashes a minted one would not get in, and only because we asked for it.
fn features(settings: &CredentialSettings) -> Features {
    let known_beforehand = settings.secrets.is_empty() && !settings.users.is_empty();
    Features { algorithms: settings.sha256, anonymity: settings.sha256 && known_beforehand }
}

/// A decomposed name has at most three times the bytes of the composed one (Unicode Standard Annex
/// #15, "Maximum expansion factors"); four, for good measure.
fn longest_spelling<'a>(names: impl Iterator<Item = &'a Box<str>>) -> usize {
    names.filter(|name| !name.is_ascii()).map(|name| 4 * name.len()).max().unwrap_or(0)
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("realm", &self.realm)
            .field("separator", &self.separator)
            .field("features", &self.features)
            .field("strict_expiry", &self.strict_expiry)
            .field("secrets", &self.secrets.len())
            .field("users", &self.users.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_user(name: &str) -> Credentials {
        let mut settings = CredentialSettings::new("tests", [1; 32]);
        settings.users = vec![(name.to_owned(), Secret::from("password"))];
        Credentials::new(settings).expect("good settings")
    }

    #[test]
    fn no_username_is_prepared_while_all_names_are_ascii() {
        let credentials = with_user("zoe");
        assert_eq!(credentials.canonical("zoe\u{308}"), "zoe\u{308}");
        assert_eq!(credentials.spellings("zoe\u{308}").count(), 1);
    }

    #[test]
    fn only_usernames_that_can_be_a_configured_one_are_prepared() {
        let credentials = with_user("zo\u{eb}");
        assert_eq!(credentials.canonical("zoe\u{308}"), "zo\u{eb}");
        assert_eq!(credentials.spellings("zoe\u{308}").count(), 2);
        let long = "e\u{308}".repeat(100);
        assert_eq!(credentials.canonical(&long), *long);
        assert_eq!(credentials.spellings(&long).count(), 1);
    }
}
