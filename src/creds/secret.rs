//! Text nobody may read by accident: REST shared secrets and passwords.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::time::UnixTime;

/// A shared secret or a password. Wiped when dropped; its `Debug` output says nothing about it, and
/// it is written nowhere but through [`exposed`].
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself, for the one place that computes with it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What it is called where it must not be told.
    pub fn id(&self) -> SecretId {
        let mut hash = Sha256::new_with_prefix(b"relayhouse secret id\0");
        hash.update(self.expose().as_bytes());
        let mut id = [0; SecretId::BYTES];
        id.copy_from_slice(&hash.finalize()[..SecretId::BYTES]);
        SecretId(id)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// In constant time.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Writes and reads the text itself, for fields that are marked `#[serde(with = "exposed")]`.
pub mod exposed {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Secret;

    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::from)
    }
}

/// Names a secret without telling it: ten hexadecimal digits, the beginning of a hash. The same
/// secret has the same name on every server. It tells a guesser no more than any credential made with
/// the secret does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SecretId([u8; Self::BYTES]);

impl SecretId {
    const BYTES: usize = 5;
}

impl fmt::Display for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<SecretId> for String {
    fn from(id: SecretId) -> Self {
        id.to_string()
    }
}

/// A text that names no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a secret's id has ten hexadecimal digits")]
pub struct NoSecretId;

impl FromStr for SecretId {
    type Err = NoSecretId;

    fn from_str(text: &str) -> Result<Self, NoSecretId> {
        let is_hex = text.len() == 2 * Self::BYTES && text.bytes().all(|b| b.is_ascii_hexdigit());
        let bits = u64::from_str_radix(text, 16).ok().filter(|_| is_hex).ok_or(NoSecretId)?;
        let [_, _, _, id @ ..] = bits.to_be_bytes();
        Ok(Self(id))
    }
}

impl TryFrom<String> for SecretId {
    type Error = NoSecretId;

    fn try_from(text: String) -> Result<Self, NoSecretId> {
        text.parse()
    }
}

/// A REST secret as the check knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedSecret {
    /// The secret.
    pub secret: Secret,
    /// The last second in which credentials made with it open allocations; `None` is no end. Kept on
    /// after that it opens nothing, but the operator is told why.
    pub until: Option<UnixTime>,
}

impl From<Secret> for SharedSecret {
    fn from(secret: Secret) -> Self {
        Self { secret, until: None }
    }
}

impl From<&str> for SharedSecret {
    fn from(text: &str) -> Self {
        Secret::from(text).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_the_text() {
        assert_eq!(format!("{:?}", Secret::from("north")), "[redacted]");
        assert!(!format!("{:?}", SharedSecret::from("north")).contains("north"));
    }

    #[test]
    fn a_secret_has_the_same_id_everywhere_and_another_has_another() {
        // `printf 'relayhouse secret id\0north' | sha256sum | cut -c-10`
        assert_eq!(Secret::from("north").id().to_string(), "d994a37800");
        assert_ne!(Secret::from("north").id(), Secret::from("south").id());
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = Secret::from("north").id();
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "0123456789a", "012345678", "+123456789", "0123456 89"] {
            assert_eq!(text.parse::<SecretId>(), Err(NoSecretId), "{text:?}");
        }
    }
}
