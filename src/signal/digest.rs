//! What passes between peers, as nothing but its size and a salted hash: enough to say later that two
//! descriptions were the same, or that this one was sent, and no way back to what it said.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Hashes descriptions with HMAC-SHA256 under a salt of this server.
pub(super) struct Digests(Hmac<Sha256>);

impl Digests {
    pub(super) fn new(salt: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(salt).expect("HMAC takes any key length"))
    }

    /// The hash of what was sent, read where it lies.
    pub(super) fn of(&self, payload: &str) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(payload.as_bytes());
        mac.finalize().into_bytes().into()
    }
}
