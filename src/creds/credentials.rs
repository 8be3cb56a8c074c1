//! All credentials of one configuration: made once, shared by every shard, swapped as a whole.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::nonce::Nonces;
use super::{CredentialSettings, NonceText, Secret, SettingsError, prepare};
use crate::time::Now;

/// Who may ask, and the check of it: long-term credentials of static users and of any number of
/// REST shared secrets together. Immutable; a reload makes new ones. Holds no state of a client.
pub struct Credentials {
    pub(super) realm: Arc<str>,
    pub(super) separator: char,
    pub(super) strict_expiry: bool,
    pub(super) secrets: Vec<Secret>,
    /// By the name's canonical form.
    pub(super) users: BTreeMap<Box<str>, StaticUser>,
    /// Somebody no name leads to: checked in the place of unknown users, for the time it takes.
    pub(super) nobody: StaticUser,
    pub(super) nonces: Nonces,
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
        let mut users = BTreeMap::new();
        for (name, password) in &settings.users {
            let user = StaticUser::new(name, password);
            if users.insert(prepare::canonical(name).into(), user).is_some() {
                return Err(SettingsError::DuplicateName(name.clone()));
            }
        }
        Ok(Self {
            realm: prepare::canonical(&settings.realm).into(),
            separator: settings.separator,
            strict_expiry: settings.strict_expiry,
            secrets: settings.secrets,
            users,
            nobody: StaticUser::new("nobody", &Secret::from("nobody's password")),
            nonces: Nonces::new(settings.nonce_key, settings.nonce_lifetime),
        })
    }

    /// The value of REALM in a challenge.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// A nonce for `client`, good from now on for the configured lifetime: on every holder of the
    /// same nonce key, from every port of this IP address.
    pub fn nonce(&self, now: Now, client: IpAddr) -> NonceText {
        self.nonces.make(now.mono, client)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("realm", &self.realm)
            .field("separator", &self.separator)
            .field("strict_expiry", &self.strict_expiry)
            .field("secrets", &self.secrets.len())
            .field("users", &self.users.len())
            .finish_non_exhaustive()
    }
}
