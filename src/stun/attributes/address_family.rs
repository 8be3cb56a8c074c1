//! Which address family a client wants, and why it did not get it (RFC 8656 sections 18.6, 18.11
//! and 18.12). The codes are given as they were on the wire: 0x01 is IPv4, 0x02 IPv6, and every other
//! is the caller's to refuse with 440.

use super::{error_code, exactly};
use crate::stun::{Attribute, AttributeType, Cursor, Malformed, TransactionId};

/// REQUESTED-ADDRESS-FAMILY: the family of the relayed address, or of the allocation to refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestedAddressFamily(pub u8);

impl Attribute<'_> for RequestedAddressFamily {
    const TYPE: AttributeType = AttributeType::REQUESTED_ADDRESS_FAMILY;

    fn decode(value: &[u8], _: &TransactionId) -> Result<Self, Malformed> {
        let [family, ..] = *exactly::<4>(value, Self::TYPE)?;
        Ok(Self(family))
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        out.put(&[self.0, 0, 0, 0]);
    }
}

/// ADDITIONAL-ADDRESS-FAMILY: a second relayed address, of this family, beside the IPv4 one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AdditionalAddressFamily(pub u8);

impl Attribute<'_> for AdditionalAddressFamily {
    const TYPE: AttributeType = AttributeType::ADDITIONAL_ADDRESS_FAMILY;
    const OLD_TYPE: Option<AttributeType> = Some(AttributeType::OLD_ADDITIONAL_ADDRESS_FAMILY);

    fn decode(value: &[u8], _: &TransactionId) -> Result<Self, Malformed> {
        let [family, ..] = *exactly::<4>(value, Self::TYPE)?;
        Ok(Self(family))
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        out.put(&[self.0, 0, 0, 0]);
    }
}

/// ADDRESS-ERROR-CODE: why the address of this family was not given, in a success that gave the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressErrorCode<'a> {
    /// The family that was refused.
    pub family: u8,
    /// 300 to 699, as in ERROR-CODE: 440 or 508 here.
    pub code: u16,
    /// For people; up to 763 bytes.
    pub reason: &'a str,
}

impl<'a> Attribute<'a> for AddressErrorCode<'a> {
    const TYPE: AttributeType = AttributeType::ADDRESS_ERROR_CODE;
    const OLD_TYPE: Option<AttributeType> = Some(AttributeType::OLD_ADDRESS_ERROR_CODE);

    fn decode(value: &'a [u8], _: &TransactionId) -> Result<Self, Malformed> {
        let family = *value.first().ok_or(Malformed::ValueLength(Self::TYPE))?;
        let (code, reason) = error_code::decode(value, Self::TYPE)?;
        Ok(Self { family, code, reason })
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        error_code::encode(self.family, self.code, self.reason, out);
    }
}
