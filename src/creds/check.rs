//! The check of a request's long-term credentials (RFC 8489 section 9.2.4), step by step.

use std::borrow::Cow;
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::credentials::{Accepted, StaticUser};
use super::given::{Given, Name, is_signed};
use super::verified::Origin;
use super::{
    Allowance, Credentials, Denied, Excerpt, Key, Reason, Verified, prepare, rest, userhash,
};
use crate::stun::Message;
use crate::time::{Now, UnixTime};

impl Credentials {
    /// Checks an Allocate, or any request on a five-tuple without an allocation.
    ///
    /// # Errors
    /// The answer to give; see [`Denied`]. An unknown user takes as long as a wrong password.
    pub fn check(
        &self,
        now: Now,
        request: &Message<'_>,
        client: IpAddr,
    ) -> Result<Verified, Denied> {
        let given = Given::of(request)?;
        // Keys hold the realm, so another one cannot match: say what is wrong instead.
        if given.realm != &*self.realm {
            return Err(Denied::Unauthorized(Reason::WrongRealm(Excerpt::of(given.realm))));
        }
        let verified = match given.name {
            Name::Plain(username) => self.authenticate(now, request, &given, username),
            Name::Hashed(hash) => self.authenticate_hash(request, &given, &hash),
        }?;
        self.check_nonce(now, client, given.nonce)?;
        Ok(verified)
    }

    /// Checks a request on the allocation of `owner` (RFC 8656 section 5): the same username, and
    /// the key the allocation was opened with. Settings that changed since do not matter, and a
    /// credential that expired only with [`strict_expiry`](super::CredentialSettings). Gives the key
    /// that protects the answer as this request wants it.
    ///
    /// # Errors
    /// The answer to give; see [`Denied`]. What needs a challenge gets
    /// [`Self::challenge_owner`]'s: the owner's key belongs to the owner's realm.
    pub fn check_owner(
        &self,
        now: Now,
        request: &Message<'_>,
        client: IpAddr,
        owner: &Verified,
    ) -> Result<Key, Denied> {
        let given = Given::of(request)?;
        // The realm is not compared: it is part of the key, and ours may have a new name since.
        if !self.is_same_user(&given.name, owner) {
            return Err(Denied::WrongUser);
        }
        if self.strict_expiry
            && let Some(expires) = owner.expires()
        {
            check_expiry(now, expires)?;
        }
        if given.scheme.algorithm != owner.key().algorithm() {
            return Err(Denied::Unauthorized(Reason::OtherAlgorithm));
        }
        if !is_signed(request, owner.key()) {
            return Err(Denied::Unauthorized(Reason::NotTheOwner));
        }
        self.check_nonce(now, client, given.nonce)?;
        Ok(owner.key().clone().protecting(given.scheme.protection))
    }

    /// Step 4: the USERNAME is valid, or 401. Step 5: the integrity matches, or 401.
    fn authenticate(
        &self,
        now: Now,
        request: &Message<'_>,
        given: &Given<'_>,
        username: &str,
    ) -> Result<Verified, Denied> {
        if let Some(user) = self.users.get(&*self.canonical(username)) {
            let key = self.key_of(user, self.spellings(username), request, given);
            let key = key.ok_or(Denied::Unauthorized(Reason::WrongPassword))?;
            return Ok(self.verified(username, &user.name, key, Origin::Static, given));
        }
        let Some((expires, subject)) = self.rest_username(username) else {
            black_box(self.key_of(&self.nobody, self.spellings(username), request, given));
            return Err(Denied::Unauthorized(Reason::NoSuchUser(Excerpt::of(username))));
        };
        check_expiry(now, expires)?;
        let Some((secret, key)) = self.key_of_secret(username, request, given) else {
            let good = self.secrets.iter().filter(|secret| secret.ended(now.unix).is_none());
            return Err(Denied::Unauthorized(Reason::NoSecretMatches(good.count())));
        };
        // Differs: nothing in the draft ends a secret. One that ended is known for a while, for this.
        if let Some(ago) = secret.ended(now.unix) {
            return Err(Denied::Unauthorized(Reason::SecretEnded(secret.id, ago)));
        }
        let (user, allowance) = subject.map_or(("", None), Allowance::split);
        let user = if user.is_empty() { username } else { user };
        let origin = Origin::Rest { secret: secret.id, expires, allowance };
        Ok(self.verified(username, user, key, origin, given))
    }

    /// Steps 4 and 5 for a USERHASH (RFC 8489 section 14.4). Only names that stand in a table can be
    /// found by their hash; a REST username stands nowhere before it comes, so its hash is nobody's.
    fn authenticate_hash(
        &self,
        request: &Message<'_>,
        given: &Given<'_>,
        hash: &[u8; 32],
    ) -> Result<Verified, Denied> {
        let user = self.hashes.get(hash).and_then(|name| self.users.get(name));
        let candidate = user.unwrap_or(&self.nobody);
        let key = self.key_of(candidate, prepare::forms(&candidate.name), request, given);
        let user = user.ok_or(Denied::Unauthorized(Reason::UnknownHash))?;
        let key = key.ok_or(Denied::Unauthorized(Reason::WrongPassword))?;
        Ok(self.verified(&user.name, &user.name, key, Origin::Static, given))
    }

    /// The same bytes; for static users, whose names can be spelled in more than one way, the same
    /// name (RFC 8265 section 3.4). REST credentials are made for exact bytes. A hash is of the
    /// owner's name, in any spelling, in the realm it was told.
    fn is_same_user(&self, name: &Name<'_>, owner: &Verified) -> bool {
        match name {
            Name::Plain(username) => {
                **username == *owner.username
                    || owner.origin == Origin::Static
                        && self.canonical(username) == self.canonical(&owner.username)
            }
            Name::Hashed(hash) => self
                .spellings(&owner.username)
                .any(|spelling| userhash(&spelling, &owner.realm) == *hash),
        }
    }

    /// Step 6: the nonce is valid, or 438.
    fn check_nonce(&self, now: Now, client: IpAddr, nonce: &[u8]) -> Result<(), Denied> {
        match self.nonces.is_valid(now.mono, client, nonce) {
            true => Ok(()),
            false => Err(Denied::StaleNonce),
        }
    }

    fn rest_username<'a>(&self, username: &'a str) -> Option<(UnixTime, Option<&'a str>)> {
        let parsed = rest::parse_username(username, self.separator);
        parsed.filter(|_| !self.secrets.is_empty())
    }

    /// The key of `user` that signed the request, whichever way its client prepares names and
    /// passwords. One try for ASCII.
    fn key_of<'a>(
        &self,
        user: &StaticUser,
        mut spellings: impl Iterator<Item = Cow<'a, str>>,
        request: &Message<'_>,
        given: &Given<'_>,
    ) -> Option<Key> {
        spellings.find_map(|name| {
            let keys = user.passwords.iter().map(|password| {
                Key::derive(given.scheme, &name, &self.realm, password.expose().as_bytes())
            });
            keys.into_iter().find(|key| is_signed(request, key))
        })
    }

    /// The first secret that made the credential which signed the request, and its key.
    fn key_of_secret(
        &self,
        username: &str,
        request: &Message<'_>,
        given: &Given<'_>,
    ) -> Option<(&Accepted, Key)> {
        let keys = self.secrets.iter().map(|accepted| {
            let password = rest::password(&accepted.secret, username);
            (accepted, Key::derive(given.scheme, username, &self.realm, &password[..]))
        });
        keys.into_iter().find(|(_, key)| is_signed(request, key))
    }

    fn verified(
        &self,
        username: &str,
        user: &str,
        key: Key,
        origin: Origin,
        given: &Given<'_>,
    ) -> Verified {
        let username: Arc<str> = username.into();
        let user = if *user == *username { Arc::clone(&username) } else { user.into() };
        let realm = Arc::clone(&self.realm);
        Verified { username, user, realm, key, origin, announced: given.announced }
    }
}

/// The last second of a credential is its expiry.
fn check_expiry(now: Now, expires: UnixTime) -> Result<(), Denied> {
    match now.unix.0.saturating_sub(expires.0) {
        0 => Ok(()),
        ago => Err(Denied::Unauthorized(Reason::Expired(Duration::from_secs(ago)))),
    }
}
