//! The nonce cookie: which features of RFC 8489 a nonce announces (sections 9.2 and 18.1).
//!
//! Whoever takes an offer out of a challenge on its way cannot take it out of the nonce, because the
//! nonce's hash covers the cookie.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const COOKIE: &[u8; 9] = b"obMatJos2";
/// The cookie, and 24 bits in base64.
const LENGTH: usize = COOKIE.len() + 4;
/// The bits, counted from the least significant one (erratum 6290).
const PASSWORD_ALGORITHMS: u8 = 1;
const USERNAME_ANONYMITY: u8 = 2;

/// What a challenge offers besides what RFC 5389 knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// PASSWORD-ALGORITHMS stands in the challenge.
    pub algorithms: bool,
    /// USERHASH may replace USERNAME.
    pub anonymity: bool,
}

impl Features {
    /// What the beginning of `nonce` announces; without a cookie, nothing. Bits that mean nothing
    /// yet are not looked at.
    pub(super) fn of(nonce: &[u8]) -> Self {
        let mut bits = [0; 3];
        let coded = nonce.strip_prefix(COOKIE).and_then(<[u8]>::first_chunk::<4>);
        match coded.map(|coded| STANDARD.decode_slice(coded, &mut bits)) {
            Some(Ok(3)) => Self {
                algorithms: bits[2] & PASSWORD_ALGORITHMS != 0,
                anonymity: bits[2] & USERNAME_ANONYMITY != 0,
            },
            _ => Self::default(),
        }
    }

    /// What a nonce that announces this begins with: nothing at all, where there is nothing to say.
    pub(super) fn prefix(self) -> &'static [u8] {
        const PREFIXES: [&[u8; LENGTH]; 3] = [b"obMatJos2AAAB", b"obMatJos2AAAC", b"obMatJos2AAAD"];
        match (self.algorithms, self.anonymity) {
            (false, false) => b"",
            (true, false) => PREFIXES[0],
            (false, true) => PREFIXES[1],
            (true, true) => PREFIXES[2],
        }
    }

    /// No prefix is longer.
    pub(super) const MAX_PREFIX: usize = LENGTH;
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

    #[test]
    fn what_is_announced_is_read_back() {
        for (algorithms, anonymity) in ALL {
            let features = Features { algorithms, anonymity };
            let nonce = [features.prefix(), b"0123456789"].concat();
            assert_eq!(Features::of(&nonce), features);
        }
    }

    /// RFC 8489 appendix B.1: the sample announces anonymous usernames and nothing else.
    #[test]
    fn the_sample_nonce_announces_anonymous_usernames() {
        let features = Features::of(b"obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA");
        assert_eq!(features, Features { algorithms: false, anonymity: true });
    }

    #[test]
    fn bits_without_a_meaning_are_not_looked_at() {
        assert_eq!(Features::of(b"obMatJos2///9").prefix(), b"obMatJos2AAAB");
    }

    #[test]
    fn what_is_no_cookie_announces_nothing() {
        for nonce in [&b""[..], b"obMatJos2", b"obMatJos2AAA", b"obMatJos2A=AB", b"obMatJos1AAAB"] {
            assert_eq!(Features::of(nonce), Features::default());
        }
    }
}
