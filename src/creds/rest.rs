//! Credentials made from a shared secret (draft-uberti-behave-turn-rest-00 section 2.2): the
//! username says until when, the password proves that a holder of the secret said so.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use thiserror::Error;
use zeroize::Zeroizing;

use super::Secret;
use crate::time::UnixTime;

/// The longest username a STUN message may carry, in bytes (RFC 8489 section 14.3).
pub const MAX_USERNAME: usize = 508;

/// A credential to hand to a client. Its `Debug` output leaves the password out.
#[derive(Clone, PartialEq, Eq)]
pub struct Minted {
    /// `<expiry>:<subject>`, or `<expiry>` alone for nobody in particular.
    pub username: String,
    /// `base64(HMAC-SHA1(secret, username))`: the password.
    pub credential: String,
    /// Until when an allocation can be opened with it.
    pub expires: UnixTime,
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minted")
            .field("username", &self.username)
            .field("credential", &"[redacted]")
            .field("expires", &self.expires)
            .finish()
    }
}

/// Why no credential was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MintError {
    /// The username would not fit into a STUN message.
    #[error("the username would have {0} bytes, {MAX_USERNAME} at most fit into a STUN message")]
    TooLong(usize),
    /// RFC 8265 allows no control characters in a username.
    #[error("a username holds no control characters")]
    ControlCharacter,
    /// The separator could not be told from the timestamp.
    #[error("a digit cannot separate the timestamp from the subject")]
    Separator,
}

/// Makes a credential for `subject`, valid until `expires`. An empty subject gives the bare
/// timestamp as the username.
///
/// # Errors
/// When the username is longer than 508 bytes, holds a control character, or could not be read
/// back by [`parse_username`].
pub fn mint(
    secret: &Secret,
    subject: &str,
    expires: UnixTime,
    separator: char,
) -> Result<Minted, MintError> {
    if separator.is_ascii_digit() {
        return Err(MintError::Separator);
    }
    let username = match subject {
        "" => expires.0.to_string(),
        _ => format!("{}{separator}{subject}", expires.0),
    };
    if username.len() > MAX_USERNAME {
        return Err(MintError::TooLong(username.len()));
    }
    if username.chars().any(char::is_control) {
        return Err(MintError::ControlCharacter);
    }
    let credential = String::from_utf8_lossy(&password(secret, &username)[..]).into_owned();
    Ok(Minted { username, credential, expires })
}

/// Splits a username at its first separator into the expiry and what is not the expiry:
/// `ts`, `ts:any` or `any:ts`. `None` when it has none of these forms. Where both halves are
/// numbers the first is the expiry. An empty other half counts as none.
pub fn parse_username(username: &str, separator: char) -> Option<(UnixTime, Option<&str>)> {
    let Some((first, second)) = username.split_once(separator) else {
        return Some((timestamp(username)?, None));
    };
    let (expires, subject) = match (timestamp(first), timestamp(second)) {
        (Some(expires), _) => (expires, second),
        (None, Some(expires)) => (expires, first),
        (None, None) => return None,
    };
    Some((expires, Some(subject).filter(|subject| !subject.is_empty())))
}

/// Digits and nothing else: `u64::from_str` would take a plus sign.
fn timestamp(text: &str) -> Option<UnixTime> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().map(UnixTime)
}

/// The password that goes with `username`: 28 characters of base64.
pub(super) fn password(secret: &Secret, username: &str) -> Zeroizing<[u8; 28]> {
    let mut mac = <Hmac<Sha1> as KeyInit>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(username.as_bytes());
    let mut text = Zeroizing::new([0; 28]);
    STANDARD
        .encode_slice(mac.finalize().into_bytes(), &mut text[..])
        .expect("20 bytes are 28 characters of base64");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret() -> Secret {
        Secret::from("north")
    }

    #[test]
    fn the_known_vector_comes_out() {
        let minted = mint(&secret(), "mbzrxpgjys", UnixTime(12_334_939), ':').unwrap();
        assert_eq!(minted.username, "12334939:mbzrxpgjys");
        assert_eq!(minted.credential, "Iq7YXkRon8YXJfdN1Ke9EZOw1UE=");
    }

    #[test]
    fn no_subject_gives_the_bare_timestamp() {
        assert_eq!(mint(&secret(), "", UnixTime(17), ':').unwrap().username, "17");
    }

    #[test]
    fn a_username_of_508_bytes_is_made_and_one_of_509_is_not() {
        let subject = |length: usize| "x".repeat(length - "17:".len());
        assert!(mint(&secret(), &subject(508), UnixTime(17), ':').is_ok());
        assert_eq!(mint(&secret(), &subject(509), UnixTime(17), ':'), Err(MintError::TooLong(509)));
    }

    #[test]
    fn control_characters_and_digits_as_separators_are_refused() {
        let forged = mint(&secret(), "a\nb", UnixTime(17), ':');
        assert_eq!(forged, Err(MintError::ControlCharacter));
        assert_eq!(mint(&secret(), "a", UnixTime(17), '0'), Err(MintError::Separator));
    }

    #[test]
    fn all_three_forms_are_read() {
        let at = UnixTime(1_700_000_000);
        assert_eq!(parse_username("1700000000", ':'), Some((at, None)));
        assert_eq!(parse_username("1700000000:", ':'), Some((at, None)));
        assert_eq!(parse_username("1700000000:alice", ':'), Some((at, Some("alice"))));
        assert_eq!(parse_username("alice:1700000000", ':'), Some((at, Some("alice"))));
        assert_eq!(parse_username("alice|1700000000", '|'), Some((at, Some("alice"))));
        assert_eq!(parse_username("1700000000:7", ':'), Some((at, Some("7"))));
    }

    #[test]
    fn only_the_first_separator_splits() {
        let username = "1700000000:@alice:example.org";
        let expected = (UnixTime(1_700_000_000), Some("@alice:example.org"));
        assert_eq!(parse_username(username, ':'), Some(expected));
        assert_eq!(parse_username("@alice:example.org:1700000000", ':'), None);
    }

    #[test]
    fn what_is_no_plain_number_is_no_timestamp() {
        for username in ["", ":", "alice", "+17:a", "-17", "17 :a", "1e9", "99999999999999999999"] {
            assert_eq!(parse_username(username, ':'), None, "{username:?}");
        }
    }

    #[test]
    fn debug_does_not_show_the_password() {
        let minted = mint(&secret(), "mbzrxpgjys", UnixTime(12_334_939), ':').unwrap();
        assert!(!format!("{minted:?}").contains("Iq7Y"));
    }

    proptest! {
        #[test]
        fn what_is_minted_is_read_back(subject in "[^\\p{Cc}]{1,40}", expires: u64) {
            let minted = mint(&secret(), &subject, UnixTime(expires), ':').unwrap();
            let read = parse_username(&minted.username, ':');
            prop_assert_eq!(read, Some((UnixTime(expires), Some(&*subject))));
        }

        #[test]
        fn no_text_panics(text in any::<String>(), separator in any::<char>()) {
            let _ = parse_username(&text, separator);
        }
    }
}
