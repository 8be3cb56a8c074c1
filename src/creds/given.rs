//! What a request says about who sent it (RFC 8489 section 9.2.4, steps 1 to 3), before anything of it
//! is believed.

use super::scheme::Scheme;
use super::{Denied, Features, Key, rest};
use crate::stun::{Message, Nonce, Realm, UserHash, Username};

/// The attributes of a request that wants to be authenticated.
pub(super) struct Given<'a> {
    pub(super) name: Name<'a>,
    pub(super) realm: &'a str,
    pub(super) nonce: &'a [u8],
    /// What the nonce announces, if it is ours.
    pub(super) announced: Features,
    pub(super) scheme: Scheme,
}

/// USERNAME, or USERHASH in its place.
pub(super) enum Name<'a> {
    Plain(&'a str),
    Hashed([u8; 32]),
}

impl<'a> Given<'a> {
    /// # Errors
    /// The first step that the request fails.
    pub(super) fn of(request: &Message<'a>) -> Result<Self, Denied> {
        // Step 1: no integrity attribute, 401 with a challenge.
        if !request.has_integrity() && !request.has_integrity_sha256() {
            return Err(Denied::Challenge);
        }
        // Step 2: integrity, but USERNAME or USERHASH, REALM or NONCE missing, 400.
        let name = Name::of(request)?;
        let Realm(realm) = request
            .get()
            .map_err(|_| Denied::BadRequest("REALM is malformed"))?
            .ok_or(Denied::BadRequest("MESSAGE-INTEGRITY without REALM"))?;
        let Nonce(nonce) = request
            .get()
            .map_err(|_| Denied::BadRequest("NONCE is malformed"))?
            .ok_or(Denied::BadRequest("MESSAGE-INTEGRITY without NONCE"))?;
        // Step 3: the algorithm is one of those offered with the nonce, or 400.
        let announced = Features::of(nonce);
        let scheme = Scheme::of(request, announced)?;
        Ok(Self { name, realm, nonce, announced, scheme })
    }
}

impl<'a> Name<'a> {
    /// A USERNAME that nobody can have is bad too (RFC 8489 section 14.3), and so are two names
    /// (section 14.4: the one stands in the place of the other).
    fn of(request: &Message<'a>) -> Result<Self, Denied> {
        let name = request.get().map_err(|_| Denied::BadRequest("USERNAME is malformed"))?;
        let hash = request.get().map_err(|_| Denied::BadRequest("USERHASH is malformed"))?;
        match (name, hash) {
            (None, None) => Err(Denied::BadRequest("MESSAGE-INTEGRITY without USERNAME")),
            (None, Some(UserHash(hash))) => Ok(Self::Hashed(hash)),
            (Some(_), Some(_)) => Err(Denied::BadRequest("USERNAME stands beside USERHASH")),
            (Some(Username(name)), None) => match name.len() {
                1..=rest::MAX_USERNAME => Ok(Self::Plain(name)),
                _ => Err(Denied::BadRequest("USERNAME has not 1 to 508 bytes")),
            },
        }
    }
}

/// Whether the request's integrity was computed with `key`. Of two attributes the stronger counts
/// (RFC 8489 section 9.2.4).
pub(super) fn is_signed(request: &Message<'_>, key: &Key) -> bool {
    if request.has_integrity_sha256() {
        request.verify_sha256(key.bytes())
    } else {
        request.verify_sha1(key.bytes())
    }
}
