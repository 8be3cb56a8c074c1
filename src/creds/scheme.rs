//! What client and server agreed on: how the password becomes a key, and which integrity attribute
//! protects the answers (RFC 8489 sections 9.2.4, 14.11, 14.12 and 18.5).

use super::{Denied, Features};
use crate::stun::{Message, PasswordAlgorithm, PasswordAlgorithms};

/// The value of PASSWORD-ALGORITHMS in a challenge, the best first. A client sends it back as it is.
pub const PASSWORD_ALGORITHMS: [PasswordAlgorithm<'static>; 2] =
    [PasswordAlgorithm::SHA256, PasswordAlgorithm::MD5];

/// How a password becomes a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// What clients of RFC 5389 know; what counts where no PASSWORD-ALGORITHM is named.
    Md5,
    /// RFC 8489's.
    Sha256,
}

/// What answers to a client carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// MESSAGE-INTEGRITY.
    Sha1,
    /// MESSAGE-INTEGRITY-SHA256.
    Sha256,
    /// The one behind the other, for a client that named an algorithm and signs with SHA-1 alone:
    /// RFC 8489 owes it the second, and it may know only the first.
    Both,
}

/// Both of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scheme {
    pub(super) algorithm: Algorithm,
    pub(super) protection: Protection,
}

impl Scheme {
    /// What clients do that know nothing else.
    #[cfg(test)]
    pub(super) const RFC_5389: Self =
        Self { algorithm: Algorithm::Md5, protection: Protection::Sha1 };

    /// RFC 8489 section 9.2.4, step 3: what the request names must be what was offered with its
    /// nonce, or 400. Whoever cut the offer short on its way is found out here.
    ///
    /// A nonce that announced nothing leaves nothing to compare: then PASSWORD-ALGORITHM alone says
    /// what the key is (section 14.12).
    pub(super) fn of(request: &Message<'_>, announced: Features) -> Result<Self, Denied> {
        let named: Option<PasswordAlgorithm<'_>> =
            request.get().map_err(|_| Denied::BadRequest("PASSWORD-ALGORITHM is malformed"))?;
        let list: Option<PasswordAlgorithms<'_>> =
            request.get().map_err(|_| Denied::BadRequest("PASSWORD-ALGORITHMS is malformed"))?;
        if announced.algorithms && (named.is_some() || list.is_some()) {
            let offered = PasswordAlgorithms::new(&PASSWORD_ALGORITHMS);
            match list {
                None => return Err(Denied::BadRequest("PASSWORD-ALGORITHMS is missing")),
                Some(list) if list != offered => {
                    return Err(Denied::BadRequest("PASSWORD-ALGORITHMS is not what was offered"));
                }
                Some(_) if named.is_none() => {
                    return Err(Denied::BadRequest("PASSWORD-ALGORITHM is missing"));
                }
                Some(_) => {}
            }
        }
        let algorithm = match named {
            None | Some(PasswordAlgorithm::MD5) => Algorithm::Md5,
            Some(PasswordAlgorithm::SHA256) => Algorithm::Sha256,
            Some(_) => return Err(Denied::BadRequest("PASSWORD-ALGORITHM is none we know")),
        };
        Ok(Self { algorithm, protection: Protection::of(request, named.is_some()) })
    }
}

impl Protection {
    /// RFC 8489 section 9.2.4, last paragraph: MESSAGE-INTEGRITY-SHA256 for who named an algorithm,
    /// MESSAGE-INTEGRITY for who did not.
    ///
    /// Differs: who did not, but signs with MESSAGE-INTEGRITY-SHA256 alone, is answered with that,
    /// because such a client has to ignore anything weaker.
    fn of(request: &Message<'_>, named: bool) -> Self {
        match (named, request.has_integrity(), request.has_integrity_sha256()) {
            (true, _, true) | (false, false, true) => Self::Sha256,
            (true, _, false) => Self::Both,
            (false, ..) => Self::Sha1,
        }
    }
}
