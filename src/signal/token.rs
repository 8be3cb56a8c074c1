//! Resume tokens: unguessable, made from a seed the driver drew (the core draws nothing).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Proves that a connection continues a peer's earlier one. Kept out of `Debug`.
#[derive(Clone)]
pub struct ResumeToken([u8; 32]);

impl ResumeToken {
    /// The token as base64url text, 43 characters.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads what [`encode`](Self::encode) wrote.
    pub fn decode(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let written = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (written == bytes.len()).then_some(Self(bytes))
    }

    /// Compares in constant time.
    pub(super) fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Makes tokens: HMAC-SHA256 of a counter under the seed.
pub(super) struct TokenSource {
    seed: [u8; 32],
    made: u64,
}

impl TokenSource {
    pub(super) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, made: 0 }
    }

    pub(super) fn next(&mut self) -> ResumeToken {
        self.made += 1;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.seed).expect("HMAC takes any key length");
        mac.update(b"relayhouse resume");
        mac.update(&self.made.to_be_bytes());
        ResumeToken(mac.finalize().into_bytes().into())
    }
}

impl Drop for TokenSource {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.seed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_by_counter_and_by_seed_and_survive_their_text() {
        let mut one = TokenSource::new([1; 32]);
        let mut two = TokenSource::new([2; 32]);
        let (a, b, c) = (one.next(), one.next(), two.next());
        assert!(!a.matches(&b) && !a.matches(&c));
        assert!(a.matches(&ResumeToken::decode(&a.encode()).expect("own text")));
        assert!(ResumeToken::decode("short").is_none());
        assert_eq!(format!("{a:?}"), "[redacted]");
    }
}
