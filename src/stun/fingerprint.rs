//! FINGERPRINT: a CRC that tells STUN from what merely looks like it (RFC 8489 section 14.7).

use super::HEADER;

/// Bytes of the attribute's value.
pub(super) const LEN: usize = 4;

/// The bits of "STUN", so that a CRC of the application's own is never taken for this one.
const XOR: u32 = 0x5354_554E;

/// The FINGERPRINT of a message whose bytes before that attribute are `before`.
///
/// The CRC covers a header whose length reaches to the end of the attribute, as it does on the wire.
pub(super) fn fingerprint(before: &[u8]) -> u32 {
    let (header, attributes) = before.split_at(before.len().min(HEADER));
    let len = u16::try_from(attributes.len() + 4 + LEN).unwrap_or(u16::MAX).to_be_bytes();
    let mut crc = crc32fast::Hasher::new();
    crc.update(header.get(..2).unwrap_or_default());
    crc.update(&len);
    crc.update(header.get(4..).unwrap_or_default());
    crc.update(attributes);
    crc.finalize() ^ XOR
}
