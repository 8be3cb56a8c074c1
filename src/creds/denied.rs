//! Why a request is refused: the STUN answer for the client, the sentence for the operator.
//!
//! Nothing is allocated for a refusal: whoever floods the relay with wrong credentials costs no
//! memory. The sentences are made when somebody reads them.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use super::SecretId;

/// A request that did not pass the check. `Display` is the operator's sentence, free of secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Denied {
    /// 401: no MESSAGE-INTEGRITY. How every honest client begins; not a failure.
    #[error("no credentials were given yet")]
    Challenge,
    /// 400: an attribute of the credentials is missing or makes no sense.
    #[error("{0}")]
    BadRequest(&'static str),
    /// 438: the nonce is too old, another client's, or nobody's.
    #[error("the nonce is stale, or not one of ours")]
    StaleNonce,
    /// 401: the credentials do not hold.
    #[error("{0}")]
    Unauthorized(Reason),
    /// 441: the allocation was opened by somebody else.
    #[error("the allocation belongs to another username")]
    WrongUser,
}

impl Denied {
    /// The code of the ERROR-CODE attribute (RFC 8489 section 14.8, RFC 8656 section 19).
    pub const fn code(&self) -> u16 {
        match self {
            Self::Challenge | Self::Unauthorized(_) => 401,
            Self::BadRequest(_) => 400,
            Self::StaleNonce => 438,
            Self::WrongUser => 441,
        }
    }

    /// Whether the answer carries REALM and a fresh NONCE (RFC 8489 section 9.2.4).
    pub const fn needs_challenge(&self) -> bool {
        matches!(self, Self::Challenge | Self::StaleNonce | Self::Unauthorized(_))
    }
}

/// What exactly is wrong with credentials that were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Made for another realm: the client talks to us with the challenge of another server.
    WrongRealm(Excerpt),
    /// No static user, and not of a REST username's form (or there is no secret).
    NoSuchUser(Excerpt),
    /// A REST username whose time ended so long ago.
    Expired(Duration),
    /// The password of a static user is another.
    WrongPassword,
    /// A REST username that none of so many secrets signed.
    NoSecretMatches(usize),
    /// A secret signed it that ended so long ago.
    SecretEnded(SecretId, Duration),
    /// A USERHASH of no static user.
    UnknownHash,
    /// On an allocation: not the password it was opened with.
    NotTheOwner,
    /// On an allocation: another PASSWORD-ALGORITHM than the one it was opened with.
    OtherAlgorithm,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongRealm(realm) => write!(f, "the realm {realm} is not ours"),
            Self::NoSuchUser(name) => write!(f, "no such user {name}"),
            Self::Expired(ago) => write!(f, "expired {} s ago", ago.as_secs()),
            Self::WrongPassword => f.write_str("the password is wrong"),
            Self::NoSecretMatches(1) => {
                f.write_str("the password is wrong: the secret does not match")
            }
            Self::NoSecretMatches(secrets) => {
                write!(f, "the password is wrong: none of {secrets} secrets matches")
            }
            Self::SecretEnded(id, ago) => write!(
                f,
                "made with the secret {id}, which ended {} s ago; whoever mints needs the new one",
                ago.as_secs()
            ),
            Self::UnknownHash => {
                f.write_str("no static user has this USERHASH, and minted names cannot be hashed")
            }
            Self::NotTheOwner => {
                f.write_str("the password is wrong: not the one the allocation was opened with")
            }
            Self::OtherAlgorithm => {
                f.write_str("PASSWORD-ALGORITHM is not the one the allocation was opened with")
            }
        }
    }
}

/// The beginning of a hostile text, kept without allocating. `Display` puts it in quotes and
/// escapes whatever could forge a log line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Excerpt {
    bytes: [u8; Self::MAX],
    length: u8,
    cut: bool,
}

impl Excerpt {
    /// So many bytes are kept.
    pub const MAX: usize = 64;

    pub(super) fn of(text: &str) -> Self {
        let mut length = text.len().min(Self::MAX);
        while !text.is_char_boundary(length) {
            length -= 1;
        }
        let mut bytes = [0; Self::MAX];
        bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
        Self { bytes, length: length as u8, cut: length < text.len() }
    }

    fn text(&self) -> &str {
        let kept = &self.bytes[..usize::from(self.length)];
        std::str::from_utf8(kept).unwrap_or_default()
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = if self.cut { "…" } else { "" };
        write!(f, "{:?}{rest}", self.text())
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_answer_has_its_code_and_challenges_where_the_rfc_does() {
        let wrong = Denied::Unauthorized(Reason::WrongPassword);
        let seen = [Denied::Challenge, Denied::BadRequest(""), Denied::StaleNonce, wrong]
            .map(|denied| (denied.code(), denied.needs_challenge()));
        assert_eq!(seen, [(401, true), (400, false), (438, true), (401, true)]);
        assert_eq!((Denied::WrongUser.code(), Denied::WrongUser.needs_challenge()), (441, false));
    }

    #[test]
    fn the_operator_reads_sentences() {
        let says = |reason| Denied::Unauthorized(reason).to_string();
        assert_eq!(says(Reason::Expired(Duration::from_secs(43))), "expired 43 s ago");
        assert_eq!(says(Reason::NoSuchUser(Excerpt::of("x"))), "no such user \"x\"");
        let none = "the password is wrong: none of 2 secrets matches";
        assert_eq!(says(Reason::NoSecretMatches(2)), none);
        let id = crate::creds::Secret::from("north").id();
        let ended = format!(
            "made with the secret {id}, which ended 5 s ago; whoever mints needs the new one"
        );
        assert_eq!(says(Reason::SecretEnded(id, Duration::from_secs(5))), ended);
    }

    #[test]
    fn a_name_cannot_forge_a_log_line() {
        let excerpt = Excerpt::of("x\n\u{1b}[31m\u{202e}\"");
        assert_eq!(excerpt.to_string(), r#""x\n\u{1b}[31m\u{202e}\"""#);
    }

    proptest! {
        #[test]
        fn an_excerpt_is_the_beginning_of_the_text(text in any::<String>()) {
            let excerpt = Excerpt::of(&text);
            prop_assert!(text.starts_with(excerpt.text()));
            prop_assert!(excerpt.text().len() + 4 > text.len().min(Excerpt::MAX));
            prop_assert_eq!(excerpt.cut, excerpt.text().len() < text.len());
        }
    }
}
