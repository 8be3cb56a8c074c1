//! The long-term key: what MESSAGE-INTEGRITY is computed with (RFC 8489 sections 9.2.2 and 14.5).

use std::fmt;

use md5::{Digest, Md5};
use zeroize::Zeroize;

/// A long-term credential's key, `MD5(username ":" realm ":" password)`: as good as the password
/// itself on this server. Wiped when dropped; its `Debug` output says nothing about it.
///
/// RFC 8489 section 18.5 knows a second algorithm, SHA-256, whose key has 32 bytes; callers
/// must take the length from [`Key::bytes`].
#[derive(Clone)]
pub struct Key([u8; 16]);

impl Key {
    /// The key for these three, taken as they are: whoever calls has prepared them.
    pub(super) fn md5(username: &str, realm: &str, password: &[u8]) -> Self {
        let mut hash = Md5::new();
        hash.update(username.as_bytes());
        hash.update(b":");
        hash.update(realm.as_bytes());
        hash.update(b":");
        hash.update(password);
        Self(hash.finalize().into())
    }

    /// The key for HMAC.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
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

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 8489 section 9.2.2: the example of user "user", realm "realm" and password "pass".
    #[test]
    fn the_example_of_the_rfc_comes_out() {
        let key = Key::md5("user", "realm", b"pass");
        assert_eq!(hex(key.bytes()), "8493fbc53ba582fb4c044c456bdc40eb");
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let key = Key::md5("user", "realm", b"pass");
        assert_eq!(format!("{key:?}"), "Key([redacted])");
    }
}
