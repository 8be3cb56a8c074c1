//! Passwords of people, as hashes: argon2id (RFC 9106) for those set here, bcrypt for those that
//! people bring along from other systems, until their next login.
//!
//! The salt is an argument: nothing here draws random numbers. Hashing takes tens of milliseconds
//! and 19 MiB on purpose; whoever calls decides on which thread and how often.

mod bcrypt;

use std::borrow::Cow;
use std::fmt;

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroize;

use super::prepare::opaque;

/// The shortest password that can be set, in characters.
pub const MIN_PASSWORD: usize = 8;
/// The longest password, in bytes: bounds the work of a login.
pub const MAX_PASSWORD: usize = 1024;
/// Random bytes that go into a hash.
pub const SALT: usize = 16;
/// The longest hash that is read, in bytes.
pub const MAX_HASH: usize = 256;

/// OWASP's first choice for argon2id, in KiB, passes and lanes.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The most that somebody else's hash may cost: 256 MiB, 16 passes.
const MAX_MEMORY: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 8;

/// Why a password cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// Fewer than [`MIN_PASSWORD`] characters.
    #[error("a password has at least {MIN_PASSWORD} characters")]
    TooShort,
    /// More than [`MAX_PASSWORD`] bytes.
    #[error("a password has at most {MAX_PASSWORD} bytes")]
    TooLong,
    /// Control characters, or code points that mean nothing.
    #[error("a password has no control characters and no unassigned ones")]
    Characters,
}

/// Why a hash from elsewhere is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HashError {
    /// Neither argon2 nor bcrypt.
    #[error("this is no argon2 hash ($argon2id$…) and no bcrypt hash ($2b$…)")]
    Unknown,
    /// A login would take too long.
    #[error(
        "the hash is too costly: argon2 up to {} MiB and {MAX_PASSES} passes, bcrypt up to cost {}",
        MAX_MEMORY / 1024, bcrypt::MAX_COST
    )]
    TooCostly,
}

/// The hash of a password, as text: a PHC string or bcrypt's own. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Hashes a password that somebody chose.
    ///
    /// # Errors
    /// When it cannot be a password here; see [`PasswordError`].
    pub fn new(password: &str, salt: [u8; SALT]) -> Result<Self, PasswordError> {
        if password.len() > MAX_PASSWORD {
            return Err(PasswordError::TooLong);
        }
        if password.chars().count() < MIN_PASSWORD {
            return Err(PasswordError::TooShort);
        }
        Self::of(password, salt)
    }

    /// Hashes a password that is one already, however short: at the first login after an import.
    ///
    /// # Errors
    /// When it is none, too long, or has control characters.
    pub fn of(password: &str, salt: [u8; SALT]) -> Result<Self, PasswordError> {
        if password.len() > MAX_PASSWORD {
            return Err(PasswordError::TooLong);
        }
        if password.is_empty() {
            return Err(PasswordError::TooShort);
        }
        // RFC 8265 section 4.2: however a keyboard composes a letter, it is the same password.
        let prepared = opaque(password).ok_or(PasswordError::Characters)?;
        let hash = argon2().hash_password_with_salt(prepared.as_bytes(), &salt);
        let text = hash.expect("these parameters and lengths are always good").to_string();
        wipe(prepared);
        Ok(Self(text))
    }

    /// Whether this is the password. Takes as long whether it is or not. A password over
    /// [`MAX_PASSWORD`] bytes is not looked at.
    pub fn verify(&self, password: &str) -> bool {
        if password.is_empty() || password.len() > MAX_PASSWORD {
            return false;
        }
        // Ours are hashed as OpaqueString; others hashed what they were given.
        let prepared = opaque(password).filter(|prepared| prepared != password);
        let mut good = self.matches(password);
        if let Some(prepared) = prepared {
            good |= self.matches(&prepared);
            wipe(prepared);
        }
        good
    }

    /// Whether it should be replaced by one of ours at the next login.
    pub fn needs_rehash(&self) -> bool {
        let ours = format!("$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}$");
        !self.0.starts_with(&ours)
    }

    /// Nobody's hash: no password matches it, and checking it takes what checking ours takes.
    pub fn decoy() -> Self {
        let (salt, hash) = ("A".repeat(22), "A".repeat(43));
        Self(format!("$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}${salt}${hash}"))
    }

    /// The text, for the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn matches(&self, password: &str) -> bool {
        if bcrypt::is_bcrypt(&self.0) {
            return bcrypt::verify(&self.0, password);
        }
        Phc::new(&self.0)
            .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY, PASSES, LANES, None).expect("constants within the bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn wipe(text: Cow<'_, str>) {
    if let Cow::Owned(mut text) = text {
        text.zeroize();
    }
}

/// A hash from elsewhere: argon2 in any variant, or bcrypt, at a bounded cost.
impl TryFrom<String> for PasswordHash {
    type Error = HashError;

    fn try_from(text: String) -> Result<Self, HashError> {
        if text.len() > MAX_HASH {
            return Err(HashError::Unknown);
        }
        if bcrypt::is_bcrypt(&text) {
            bcrypt::check(&text)?;
            return Ok(Self(text));
        }
        let hash = Phc::new(&text).map_err(|_| HashError::Unknown)?;
        Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| HashError::Unknown)?;
        let params = Params::try_from(&hash).map_err(|_| HashError::Unknown)?;
        let whole = hash.salt.is_some() && hash.hash.is_some();
        if !whole {
            return Err(HashError::Unknown);
        }
        let bounded = params.m_cost() <= MAX_MEMORY
            && params.t_cost() <= MAX_PASSES
            && params.p_cost() <= MAX_LANES;
        if bounded { Ok(Self(text)) } else { Err(HashError::TooCostly) }
    }
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> Self {
        hash.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SALTED: [u8; SALT] = [7; SALT];

    fn parsed(text: &str) -> Result<PasswordHash, HashError> {
        PasswordHash::try_from(text.to_owned())
    }

    #[test]
    fn a_hash_is_argon2id_with_the_recommended_cost_and_knows_its_password() {
        let hash = PasswordHash::new("correct horse", SALTED).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert!(hash.verify("correct horse") && !hash.verify("correct horsf"));
        assert!(!hash.needs_rehash());
    }

    #[test]
    fn two_salts_make_two_hashes() {
        let other = PasswordHash::new("correct horse", [8; SALT]).unwrap();
        assert_ne!(PasswordHash::new("correct horse", SALTED).unwrap(), other);
    }

    #[test]
    fn a_letter_composed_in_two_ways_is_one_password() {
        let hash = PasswordHash::new("cafe\u{301} noir", SALTED).unwrap();
        assert!(hash.verify("caf\u{e9} noir") && hash.verify("cafe\u{301} noir"));
    }

    #[test]
    fn what_is_too_short_too_long_or_no_text_is_refused() {
        let new = |password: &str| PasswordHash::new(password, SALTED).err();
        assert_eq!(new("1234567"), Some(PasswordError::TooShort));
        assert_eq!(new("ééééééé"), Some(PasswordError::TooShort));
        assert_eq!(new(&"x".repeat(1025)), Some(PasswordError::TooLong));
        assert_eq!(new("12345678\n"), Some(PasswordError::Characters));
        assert!(PasswordHash::of("short", SALTED).is_ok());
        assert_eq!(PasswordHash::of("", SALTED).err(), Some(PasswordError::TooShort));
    }

    #[test]
    fn an_endless_password_costs_nothing_and_matches_nothing() {
        let hash = PasswordHash::new("correct horse", SALTED).unwrap();
        assert!(!hash.verify(&"x".repeat(MAX_PASSWORD + 1)) && !hash.verify(""));
    }

    /// The vector of OpenBSD's tests that everybody carries, and one made with Python's bcrypt.
    #[test]
    fn bcrypt_from_elsewhere_is_known_and_to_be_replaced() {
        let hash = parsed("$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie").unwrap();
        assert!(hash.verify("correctbatteryhorsestapler") && !hash.verify("another"));
        assert!(hash.needs_rehash());
        let vector =
            parsed("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").unwrap();
        assert!(vector.verify("U*U"));
    }

    #[test]
    fn argon2_of_another_cost_is_known_and_to_be_replaced() {
        let params = Params::new(8, 1, 1, None).unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let text = weak.hash_password_with_salt(b"correct horse", &SALTED).unwrap().to_string();
        let hash = parsed(&text).unwrap();
        assert!(hash.needs_rehash() && hash.verify("correct horse"));
    }

    #[test]
    fn other_hashes_and_costly_ones_are_refused() {
        for text in ["", "plain", "$1$salt$hash", "$argon2id$v=19$m=8,t=1,p=1", "$2b$04$short"] {
            assert_eq!(parsed(text), Err(HashError::Unknown), "{text}");
        }
        let tail = "$BwcHBwcHBwcHBwcHBwcHBw$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
        let costly = format!("$argon2id$v=19$m=4194304,t=1,p=1{tail}");
        assert_eq!(parsed(&costly), Err(HashError::TooCostly));
        let costly = "$2b$31$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie";
        assert_eq!(parsed(costly), Err(HashError::TooCostly));
    }

    #[test]
    fn the_decoy_is_a_hash_like_ours() {
        let decoy = PasswordHash::decoy();
        assert!(Phc::new(decoy.as_str()).is_ok() && !decoy.needs_rehash());
        assert_eq!(parsed(decoy.as_str()), Ok(decoy.clone()));
        assert!(!decoy.verify("correct horse"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\$(2[aby]|argon2id)\\$(v=19\\$m=[0-9]{1,3},t=1,p=1|04)\\$)?\\PC{0,60}") {
            if let Ok(hash) = parsed(&text) {
                prop_assert!(!hash.verify("correct horse"));
            }
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let hash = PasswordHash::new("correct horse", SALTED).unwrap();
        assert_eq!(format!("{hash:?}"), "[redacted]");
    }
}
