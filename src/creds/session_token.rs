//! What a client holds of a session: opaque texts, of which the store has hashes.
//!
//! A refresh token is `rt_` and base64url of three parts: the session's name, what all tokens of the
//! session have in common, and what only this one has. The second part is how an old token is told
//! from a made-up one: nobody ends somebody else's session by guessing.

use std::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const PREFIX: &str = "rt_";
/// Bytes of the three parts.
const ID: usize = 18;
const FAMILY: usize = 16;
/// Random bytes of a token's own.
pub const OWN: usize = 32;
/// Bytes of a refresh token.
pub const REFRESH_TOKEN: usize = ID + FAMILY + OWN;
/// Characters of an opaque token: 32 bytes in hexadecimal.
pub const OPAQUE: usize = 64;

/// A refresh token, taken apart. `Debug` does not show it.
pub struct RefreshToken(Zeroizing<[u8; REFRESH_TOKEN]>);

impl RefreshToken {
    /// The first one of a new session, made of random bytes.
    pub fn first(random: [u8; REFRESH_TOKEN]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// Another one of the same session.
    #[must_use]
    pub fn next(&self, random: [u8; OWN]) -> Self {
        let mut bytes = self.0.clone();
        bytes[ID + FAMILY..].copy_from_slice(&random);
        Self(bytes)
    }

    /// Reads one; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(PREFIX)?;
        let mut bytes = Zeroizing::new([0; REFRESH_TOKEN]);
        if text.len() != REFRESH_TOKEN.div_ceil(3) * 4 {
            return None;
        }
        URL_SAFE_NO_PAD.decode_slice(text, &mut bytes[..]).ok()?;
        Some(Self(bytes))
    }

    /// As the client keeps it.
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&self.0[..]))
    }

    /// The session's name.
    pub fn session(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0[..ID])
    }

    /// The hash of what all tokens of the session have in common.
    pub fn family(&self) -> [u8; 32] {
        Sha256::digest(&self.0[ID..ID + FAMILY]).into()
    }

    /// The hash of the whole.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0[..]).into()
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken([redacted])")
    }
}

/// An opaque token made of random bytes.
pub fn opaque(random: [u8; OPAQUE / 2]) -> String {
    random.iter().fold(String::with_capacity(OPAQUE), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The name of the session an opaque token is for, and the token's hash, of which the name is made:
/// so it is found, and the token itself is not stored.
pub fn opaque_session(token: &str) -> (String, [u8; 32]) {
    let hash = Sha256::digest(token.as_bytes()).into();
    (URL_SAFE_NO_PAD.encode(hash), hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_is_read_back_and_the_next_one_is_of_the_same_session() {
        let first = RefreshToken::first([7; REFRESH_TOKEN]);
        let again = RefreshToken::parse(&first.text()).unwrap();
        assert_eq!(again.hash(), first.hash());
        let next = first.next([8; OWN]);
        assert_eq!((next.session(), next.family()), (first.session(), first.family()));
        assert_ne!(next.hash(), first.hash());
        assert_ne!(RefreshToken::first([9; REFRESH_TOKEN]).family(), first.family());
        assert!(!format!("{first:?}").contains(&first.text()));
    }

    #[test]
    fn an_opaque_token_is_64_hexadecimal_characters() {
        let token = opaque([0xa7; 32]);
        assert_eq!(token, "a7".repeat(32));
        assert_ne!(opaque_session(&token), opaque_session(&opaque([0; 32])));
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
