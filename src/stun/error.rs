//! What can be wrong: with bytes that came in, and with a message that is written. Both are plain
//! values; no text is built for a hostile packet.

use super::AttributeType;

/// Why bytes are no STUN message, or why an attribute has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Malformed {
    /// Fewer bytes than a header has.
    #[error("shorter than a STUN header")]
    TooShort,
    /// The first two bits are not zero, or the magic cookie is another.
    #[error("not a STUN message: wrong first bits or magic cookie")]
    NotStun,
    /// The length in the header is no multiple of four or not that of the bytes.
    #[error("the length in the header is not the length of the message")]
    MessageLength,
    /// An attribute reaches beyond the end of the message.
    #[error("attribute {0} reaches beyond the message")]
    Truncated(AttributeType),
    /// FINGERPRINT is not the CRC of the message.
    #[error("FINGERPRINT does not match the message")]
    Fingerprint,
    /// An attribute follows FINGERPRINT, which must be the last one.
    #[error("FINGERPRINT is not the last attribute")]
    FingerprintNotLast,
    /// The value is too short or too long for its attribute.
    #[error("the value of {0} has the wrong length")]
    ValueLength(AttributeType),
    /// An address is of a family that is neither IPv4 nor IPv6.
    #[error("{0} has an unknown address family")]
    AddressFamily(AttributeType),
    /// A text is not valid UTF-8.
    #[error("{0} is not valid UTF-8")]
    NotUtf8(AttributeType),
    /// A number in the value is outside of what its attribute allows.
    #[error("{0} has a value out of range")]
    OutOfRange(AttributeType),
}

/// A message did not fit: it, or a value in it, was longer than its buffer, the 65,535 bytes STUN can
/// count, or the bounds of its attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the message does not fit its buffer, or a value its attribute")]
pub struct Overflow;
