//! MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 (RFC 8489 sections 14.5 and 14.6).
//!
//! The MAC covers everything before its attribute, with the header's length as if the message ended
//! right behind that attribute. So a length goes into the MAC that is not the one on the wire.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use super::HEADER;

/// Bytes of an HMAC-SHA1.
pub(super) const SHA1_LEN: usize = 20;
/// Bytes of a whole HMAC-SHA256.
pub(super) const SHA256_LEN: usize = 32;
/// The shortest truncated HMAC-SHA256 that counts.
pub(super) const SHA256_MIN_LEN: usize = 16;

/// Whether a MESSAGE-INTEGRITY-SHA256 may be `len` bytes long.
///
/// Differs: RFC 8489 leaves truncation to the usage and TURN names none; what a client truncates
/// within the RFC's bounds is accepted, because 128 bits are enough and what we write is whole.
pub(super) const fn is_sha256_len(len: usize) -> bool {
    len >= SHA256_MIN_LEN && len <= SHA256_LEN && len.is_multiple_of(4)
}

/// The HMAC-SHA1 of `before`, which is followed by an attribute with a value of 20 bytes.
pub(super) fn sha1(key: &[u8], before: &[u8]) -> [u8; SHA1_LEN] {
    mac::<Hmac<Sha1>>(key, before, SHA1_LEN).finalize().into_bytes().into()
}

/// The HMAC-SHA256 of `before`, which is followed by an attribute with a value of 32 bytes.
pub(super) fn sha256(key: &[u8], before: &[u8]) -> [u8; SHA256_LEN] {
    mac::<Hmac<Sha256>>(key, before, SHA256_LEN).finalize().into_bytes().into()
}

/// Whether `value` is the HMAC-SHA1 of `before`; takes the same time whatever differs.
pub(super) fn verify_sha1(key: &[u8], before: &[u8], value: &[u8]) -> bool {
    mac::<Hmac<Sha1>>(key, before, value.len()).verify_slice(value).is_ok()
}

/// Whether `value` is the HMAC-SHA256 of `before`, or its first 16 bytes or more.
pub(super) fn verify_sha256(key: &[u8], before: &[u8], value: &[u8]) -> bool {
    is_sha256_len(value.len())
        && mac::<Hmac<Sha256>>(key, before, value.len()).verify_truncated_left(value).is_ok()
}

/// The MAC over a message that ends with an attribute whose value has `value_len` bytes.
fn mac<M: Mac + KeyInit>(key: &[u8], before: &[u8], value_len: usize) -> M {
    let mut mac = M::new_from_slice(key).expect("HMAC takes keys of every length");
    let (header, attributes) = before.split_at(before.len().min(HEADER));
    let len = attributes.len() + 4 + value_len;
    // Both callers hold messages whose attributes a 16-bit length has counted.
    let len = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
    mac.update(header.get(..2).unwrap_or_default());
    mac.update(&len);
    mac.update(header.get(4..).unwrap_or_default());
    mac.update(attributes);
    mac
}
