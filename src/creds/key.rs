//! The long-term key: what the integrity attributes are computed with (RFC 8489 sections 9.2.2, 14.5
//! and 14.6).

use std::fmt;

use md5::{Digest, Md5};
use sha2::Sha256;
use zeroize::Zeroize;

use super::Protection;
use super::scheme::{Algorithm, Scheme};
use crate::stun::Writer;

/// A long-term credential's key, the MD5 or SHA-256 of `username ":" realm ":" password`: as good as
/// the password itself on this server. It knows how its holder wants answers to be protected. Wiped
/// when dropped; its `Debug` output says nothing about it.
#[derive(Clone)]
pub struct Key {
    /// 16 of them for MD5; the others are zero.
    bytes: [u8; 32],
    scheme: Scheme,
}

impl Key {
    /// The key for these three, taken as they are: whoever calls has prepared them.
    pub(super) fn derive(scheme: Scheme, username: &str, realm: &str, password: &[u8]) -> Self {
        let parts = [username.as_bytes(), b":", realm.as_bytes(), b":", password];
        let mut bytes = [0; 32];
        match scheme.algorithm {
            Algorithm::Md5 => hash::<Md5>(&parts, &mut bytes[..16]),
            Algorithm::Sha256 => hash::<Sha256>(&parts, &mut bytes),
        }
        Self { bytes, scheme }
    }

    /// The same key for a client that now wants to be answered otherwise.
    pub(super) fn protecting(mut self, protection: Protection) -> Self {
        self.scheme.protection = protection;
        self
    }

    /// The key for HMAC: 16 or 32 bytes.
    pub fn bytes(&self) -> &[u8] {
        match self.scheme.algorithm {
            Algorithm::Md5 => &self.bytes[..16],
            Algorithm::Sha256 => &self.bytes,
        }
    }

    /// How the password became this key.
    pub fn algorithm(&self) -> Algorithm {
        self.scheme.algorithm
    }

    /// What [`Self::protect`] appends.
    pub fn protection(&self) -> Protection {
        self.scheme.protection
    }

    /// Appends to an answer the integrity attribute(s) that the holder of this key expects.
    pub fn protect(&self, answer: &mut Writer<'_>) {
        match self.scheme.protection {
            Protection::Sha1 => answer.integrity_sha1(self.bytes()),
            Protection::Sha256 => answer.integrity_sha256(self.bytes()),
            Protection::Both => answer.integrity_sha1(self.bytes()).integrity_sha256(self.bytes()),
        };
    }
}

/// Fills `out`, which is as long as the hash.
fn hash<H: Digest>(parts: &[&[u8]], out: &mut [u8]) {
    let mut hash = H::new();
    parts.iter().for_each(|part| hash.update(part));
    out.copy_from_slice(&hash.finalize());
}

impl Drop for Key {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(algorithm: Algorithm) -> Key {
        Key::derive(Scheme { algorithm, protection: Protection::Sha1 }, "user", "realm", b"pass")
    }

    fn hex(key: &Key) -> String {
        key.bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 8489 section 18.5.1.1: the example of user "user", realm "realm" and password "pass".
    #[test]
    fn the_example_of_the_rfc_comes_out() {
        assert_eq!(hex(&key(Algorithm::Md5)), "8493fbc53ba582fb4c044c456bdc40eb");
    }

    #[test]
    fn a_sha256_key_has_32_bytes() {
        // `printf user:realm:pass | sha256sum`
        let expected = "07e934117abd40836e7c6329b54731b2b2d2a5f9a71f544922d75e0730d8251b";
        assert_eq!(hex(&key(Algorithm::Sha256)), expected);
    }

    #[test]
    fn debug_does_not_show_the_key() {
        assert_eq!(format!("{:?}", key(Algorithm::Sha256)), "Key([redacted])");
    }
}
