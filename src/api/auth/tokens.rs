//! What a client holds of a session: opaque texts, of which the store has hashes.
//!
//! A refresh token is `rt_` and base64url of three parts: the session's name, what all tokens of the
//! session have in common, and what only this one has. The second part is how an old token is told
//! from a made-up one: nobody ends somebody else's session by guessing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::store::{SessionId, TokenHash};

const PREFIX: &str = "rt_";
/// Bytes of the three parts.
const ID: usize = 18;
const FAMILY: usize = 16;
const OWN: usize = 32;
/// Characters of an opaque token: 32 bytes in hexadecimal.
pub(super) const OPAQUE: usize = 64;

/// A refresh token, taken apart.
pub(super) struct RefreshToken {
    bytes: Zeroizing<[u8; ID + FAMILY + OWN]>,
}

impl RefreshToken {
    /// The first one of a new session.
    pub(super) fn first() -> Self {
        Self { bytes: Zeroizing::new(random()) }
    }

    /// Another one of the same session.
    pub(super) fn next(&self) -> Self {
        let mut bytes = self.bytes.clone();
        bytes[ID + FAMILY..].copy_from_slice(&random::<OWN>());
        Self { bytes }
    }

    /// Reads one; `None` when it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(PREFIX)?;
        let mut bytes = Zeroizing::new([0; ID + FAMILY + OWN]);
        if text.len() != bytes.len().div_ceil(3) * 4 {
            return None;
        }
        URL_SAFE_NO_PAD.decode_slice(text, &mut bytes[..]).ok()?;
        Some(Self { bytes })
    }

    /// As the client keeps it.
    pub(super) fn text(&self) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&self.bytes[..]))
    }

    /// The session's name.
    pub(super) fn session(&self) -> SessionId {
        SessionId(URL_SAFE_NO_PAD.encode(&self.bytes[..ID]))
    }

    /// The hash of what all tokens of the session have in common.
    pub(super) fn family(&self) -> TokenHash {
        Sha256::digest(&self.bytes[ID..ID + FAMILY]).into()
    }

    /// The hash of the whole.
    pub(super) fn hash(&self) -> TokenHash {
        Sha256::digest(&self.bytes[..]).into()
    }
}

/// A fresh opaque token.
pub(super) fn opaque() -> String {
    random::<{ OPAQUE / 2 }>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The session an opaque token is for: found by its hash, so that the token itself is not stored.
pub(super) fn opaque_session(token: &str) -> (SessionId, TokenHash) {
    let hash: TokenHash = Sha256::digest(token.as_bytes()).into();
    (SessionId(URL_SAFE_NO_PAD.encode(hash)), hash)
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The system's generator fails only where nothing else works either.
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_is_read_back_and_the_next_one_is_of_the_same_session() {
        let first = RefreshToken::first();
        let again = RefreshToken::parse(&first.text()).unwrap();
        assert_eq!(again.hash(), first.hash());
        let next = first.next();
        assert_eq!((next.session(), next.family()), (first.session(), first.family()));
        assert_ne!(next.hash(), first.hash());
        assert_ne!(RefreshToken::first().family(), first.family());
    }

    #[test]
    fn an_opaque_token_is_64_hexadecimal_characters() {
        let token = opaque();
        assert_eq!(token.len(), OPAQUE);
        assert!(token.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(opaque_session(&token), opaque_session(&opaque()));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(rt_)?[a-zA-Z0-9_-]{0,100}|\\PC*") {
            if let Some(token) = RefreshToken::parse(&text) {
                prop_assert_eq!(token.text(), text);
            }
        }
    }
}
