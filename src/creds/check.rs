//! The check of a request's long-term credentials (RFC 8489 section 9.2.4), step by step.

use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::credentials::StaticUser;
use super::verified::Origin;
use super::{Credentials, Denied, Excerpt, Key, Reason, Verified, rest};
use crate::stun::{Message, Nonce, Realm, Username};
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
        let verified = self.authenticate(now, request, given.username)?;
        self.check_nonce(now, client, given.nonce)?;
        Ok(verified)
    }

    /// Checks a request on the allocation of `owner` (RFC 8656 section 5): the same username, and
    /// the key the allocation was opened with. Settings that changed since do not matter, and a
    /// credential that expired only with [`strict_expiry`](super::CredentialSettings).
    ///
    /// # Errors
    /// The answer to give; see [`Denied`]. What needs a challenge has to repeat
    /// [`Verified::realm`]: the owner's key belongs to it.
    pub fn check_owner(
        &self,
        now: Now,
        request: &Message<'_>,
        client: IpAddr,
        owner: &Verified,
    ) -> Result<(), Denied> {
        let given = Given::of(request)?;
        // The realm is not compared: it is part of the key, and ours may have a new name since.
        if !self.is_same_user(given.username, owner) {
            return Err(Denied::WrongUser);
        }
        if self.strict_expiry
            && let Some(expires) = owner.expires()
        {
            check_expiry(now, expires)?;
        }
        if !is_signed(request, owner.key()) {
            return Err(Denied::Unauthorized(Reason::NotTheOwner));
        }
        self.check_nonce(now, client, given.nonce)
    }

    /// Step 4: the USERNAME is valid, or 401. Step 5: the integrity matches, or 401.
    fn authenticate(
        &self,
        now: Now,
        request: &Message<'_>,
        username: &str,
    ) -> Result<Verified, Denied> {
        if let Some(user) = self.users.get(&*self.canonical(username)) {
            let key = self.key_of(user, username, request);
            let key = key.ok_or(Denied::Unauthorized(Reason::WrongPassword))?;
            return Ok(self.verified(username, &user.name, key, Origin::Static));
        }
        let Some((expires, subject)) = self.rest_username(username) else {
            black_box(self.key_of(&self.nobody, username, request));
            return Err(Denied::Unauthorized(Reason::NoSuchUser(Excerpt::of(username))));
        };
        check_expiry(now, expires)?;
        let (secret, key) = self
            .key_of_secret(username, request)
            .ok_or(Denied::Unauthorized(Reason::NoSecretMatches(self.secrets.len())))?;
        let user = subject.unwrap_or(username);
        Ok(self.verified(username, user, key, Origin::Rest { secret, expires }))
    }

    /// The same bytes; for static users, whose names can be spelled in more than one way, the same
    /// name (RFC 8265 section 3.4). REST credentials are made for exact bytes.
    fn is_same_user(&self, username: &str, owner: &Verified) -> bool {
        *username == *owner.username
            || owner.origin == Origin::Static
                && self.canonical(username) == self.canonical(&owner.username)
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
    fn key_of(&self, user: &StaticUser, username: &str, request: &Message<'_>) -> Option<Key> {
        self.spellings(username)
            .flat_map(|name| {
                let key = move |password: &super::Secret| {
                    Key::md5(&name, &self.realm, password.expose().as_bytes())
                };
                user.passwords.iter().map(key)
            })
            .find(|key| is_signed(request, key))
    }

    /// The first secret that made the credential which signed the request, and its key.
    fn key_of_secret(&self, username: &str, request: &Message<'_>) -> Option<(usize, Key)> {
        let keys = self.secrets.iter().map(|secret| {
            let password = rest::password(secret, username);
            Key::md5(username, &self.realm, &password[..])
        });
        keys.enumerate().find(|(_, key)| is_signed(request, key))
    }

    fn verified(&self, username: &str, user: &str, key: Key, origin: Origin) -> Verified {
        let username: Arc<str> = username.into();
        let user = if *user == *username { Arc::clone(&username) } else { user.into() };
        Verified { username, user, realm: Arc::clone(&self.realm), key, origin }
    }
}

/// The attributes of a request that wants to be authenticated.
struct Given<'a> {
    username: &'a str,
    realm: &'a str,
    nonce: &'a [u8],
}

impl<'a> Given<'a> {
    /// Step 1: no integrity attribute, 401 with a challenge. Step 2: integrity, but USERNAME, REALM
    /// or NONCE missing, 400; so is a USERNAME that nobody can have (RFC 8489 section 14.3).
    ///
    /// Step 3 asks for PASSWORD-ALGORITHMS where the nonce announces them; ours announce nothing.
    fn of(request: &Message<'a>) -> Result<Self, Denied> {
        if !request.has_integrity() && !request.has_integrity_sha256() {
            return Err(Denied::Challenge);
        }
        let Username(username) = request
            .get()
            .map_err(|_| Denied::BadRequest("USERNAME is malformed"))?
            .ok_or(Denied::BadRequest("MESSAGE-INTEGRITY without USERNAME"))?;
        if username.is_empty() || username.len() > rest::MAX_USERNAME {
            return Err(Denied::BadRequest("USERNAME has not 1 to 508 bytes"));
        }
        let Realm(realm) = request
            .get()
            .map_err(|_| Denied::BadRequest("REALM is malformed"))?
            .ok_or(Denied::BadRequest("MESSAGE-INTEGRITY without REALM"))?;
        let Nonce(nonce) = request
            .get()
            .map_err(|_| Denied::BadRequest("NONCE is malformed"))?
            .ok_or(Denied::BadRequest("MESSAGE-INTEGRITY without NONCE"))?;
        Ok(Self { username, realm, nonce })
    }
}

/// Whether the request's integrity was computed with `key`. Of two attributes the stronger counts
/// (RFC 8489 section 9.2.4).
fn is_signed(request: &Message<'_>, key: &Key) -> bool {
    if request.has_integrity_sha256() {
        request.verify_sha256(key.bytes())
    } else {
        request.verify_sha1(key.bytes())
    }
}

/// The last second of a credential is its expiry.
fn check_expiry(now: Now, expires: UnixTime) -> Result<(), Denied> {
    match now.unix.0.saturating_sub(expires.0) {
        0 => Ok(()),
        ago => Err(Denied::Unauthorized(Reason::Expired(Duration::from_secs(ago)))),
    }
}
