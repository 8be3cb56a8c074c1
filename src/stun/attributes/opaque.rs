//! Values that are bytes and nothing else.

use super::exactly;
use super::text::MAX_TEXT;
use crate::stun::{Attribute, AttributeType, Cursor, Malformed, TransactionId};

/// NONCE: what the server gave out and wants back; up to 763 bytes (RFC 8489 section 14.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce<'a>(pub &'a [u8]);

impl<'a> Attribute<'a> for Nonce<'a> {
    const TYPE: AttributeType = AttributeType::NONCE;

    fn decode(value: &'a [u8], _: &TransactionId) -> Result<Self, Malformed> {
        if value.len() > MAX_TEXT {
            return Err(Malformed::ValueLength(Self::TYPE));
        }
        Ok(Self(value))
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        if self.0.len() > MAX_TEXT {
            return out.refuse();
        }
        out.put(self.0);
    }
}

/// DATA: what is relayed; may be empty (RFC 8656 section 18.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Data<'a>(pub &'a [u8]);

impl<'a> Attribute<'a> for Data<'a> {
    const TYPE: AttributeType = AttributeType::DATA;

    fn decode(value: &'a [u8], _: &TransactionId) -> Result<Self, Malformed> {
        Ok(Self(value))
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        out.put(self.0);
    }
}

/// PADDING: bytes that only make a message long (RFC 5780 section 7.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Padding<'a>(pub &'a [u8]);

impl<'a> Attribute<'a> for Padding<'a> {
    const TYPE: AttributeType = AttributeType::PADDING;

    fn decode(value: &'a [u8], _: &TransactionId) -> Result<Self, Malformed> {
        Ok(Self(value))
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        out.put(self.0);
    }
}

/// RESERVATION-TOKEN: names the port that EVEN-PORT kept (RFC 8656 section 18.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReservationToken(pub [u8; 8]);

impl Attribute<'_> for ReservationToken {
    const TYPE: AttributeType = AttributeType::RESERVATION_TOKEN;

    fn decode(value: &[u8], _: &TransactionId) -> Result<Self, Malformed> {
        exactly(value, Self::TYPE).map(|token| Self(*token))
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        out.put(&self.0);
    }
}

/// USERHASH: SHA-256 of "username:realm", instead of USERNAME (RFC 8489 section 14.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserHash(pub [u8; 32]);

impl Attribute<'_> for UserHash {
    const TYPE: AttributeType = AttributeType::USERHASH;

    fn decode(value: &[u8], _: &TransactionId) -> Result<Self, Malformed> {
        exactly(value, Self::TYPE).map(|hash| Self(*hash))
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        out.put(&self.0);
    }
}
