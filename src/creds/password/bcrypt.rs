//! bcrypt hashes as other systems wrote them: `$2b$12$`, 22 characters of salt, 31 of hash. They are
//! checked and never made.

use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::HashError;

/// The highest cost that is taken: about a second and a half.
pub(super) const MAX_COST: u32 = 14;
const MIN_COST: u32 = 4;

/// `$2b$12$` and 53 characters.
const LENGTH: usize = 60;
/// What of a password bcrypt looks at, in bytes.
const SEEN: usize = 72;

/// As bcrypt writes it; some libraries leave stray bits at the end, which say nothing.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));

struct Parts {
    cost: u32,
    salt: [u8; 16],
    hash: [u8; 23],
}

/// Whether it says it is one.
pub(super) fn is_bcrypt(text: &str) -> bool {
    ["$2a$", "$2b$", "$2y$"].iter().any(|version| text.starts_with(version))
}

/// Whether it is one, at a cost that is taken.
pub(super) fn check(text: &str) -> Result<(), HashError> {
    match parts(text) {
        None => Err(HashError::Unknown),
        Some(Parts { cost, .. }) if cost < MIN_COST => Err(HashError::Unknown),
        Some(Parts { cost, .. }) if cost > MAX_COST => Err(HashError::TooCostly),
        Some(_) => Ok(()),
    }
}

/// Whether the hash is this password's.
pub(super) fn verify(text: &str, password: &str) -> bool {
    let Some(parts) = parts(text).filter(|parts| (MIN_COST..=MAX_COST).contains(&parts.cost))
    else {
        return false;
    };
    // What is hashed ends with a NUL, where there is room for one.
    let mut seen = Zeroizing::new([0; SEEN]);
    let length = password.len().min(SEEN);
    seen[..length].copy_from_slice(&password.as_bytes()[..length]);
    let hashed = bcrypt::bcrypt(parts.cost, parts.salt, &seen[..(length + 1).min(SEEN)]);
    hashed[..23].ct_eq(&parts.hash).into()
}

fn parts(text: &str) -> Option<Parts> {
    if text.len() != LENGTH || !text.is_ascii() || !is_bcrypt(text) || &text[6..7] != "$" {
        return None;
    }
    let (cost, rest) = (text[4..6].parse().ok()?, &text[7..]);
    let salt = BASE64.decode(&rest[..22]).ok()?.try_into().ok()?;
    let hash = BASE64.decode(&rest[22..]).ok()?.try_into().ok()?;
    Some(Parts { cost, salt, hash })
}
