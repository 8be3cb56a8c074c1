//! USERHASH (RFC 8489 section 14.4): a username that nobody on the way can read.

use sha2::{Digest, Sha256};

/// `SHA-256(username ":" realm)`, both as they are: whoever calls has prepared them.
pub(super) fn userhash(username: &str, realm: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(username.as_bytes());
    hash.update(b":");
    hash.update(realm.as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8489 appendix B.1: the user of the sample request.
    #[test]
    fn the_sample_of_the_rfc_comes_out() {
        let hash = userhash("\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}", "example.org");
        assert_eq!(hash[..8], [0x4a, 0x3c, 0xf3, 0x8f, 0xef, 0x69, 0x92, 0xbd]);
    }
}
