//! UNKNOWN-ATTRIBUTES: what a 420 did not understand (RFC 8489 section 14.13).

use crate::stun::{Attribute, AttributeType, Cursor, Malformed, TransactionId};

/// A list of attribute types.
#[derive(Clone, Copy, Debug)]
pub struct UnknownAttributes<'a>(List<'a>);

#[derive(Clone, Copy, Debug)]
enum List<'a> {
    Wire(&'a [u8]),
    Types(&'a [AttributeType]),
}

impl<'a> UnknownAttributes<'a> {
    /// The list to write.
    pub const fn new(types: &'a [AttributeType]) -> Self {
        Self(List::Types(types))
    }

    /// The types in the list, in its order.
    pub fn iter(&self) -> impl Iterator<Item = AttributeType> + use<'a> {
        let (wire, types) = match self.0 {
            List::Wire(wire) => (wire, &[][..]),
            List::Types(types) => (&[][..], types),
        };
        let (pairs, _) = wire.as_chunks::<2>();
        let read = pairs.iter().map(|pair| AttributeType(u16::from_be_bytes(*pair)));
        read.chain(types.iter().copied())
    }
}

impl PartialEq for UnknownAttributes<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a> Attribute<'a> for UnknownAttributes<'a> {
    const TYPE: AttributeType = AttributeType::UNKNOWN_ATTRIBUTES;

    fn decode(value: &'a [u8], _: &TransactionId) -> Result<Self, Malformed> {
        if !value.len().is_multiple_of(2) {
            return Err(Malformed::ValueLength(Self::TYPE));
        }
        Ok(Self(List::Wire(value)))
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        self.iter().for_each(|kind| out.put_u16(kind.0));
    }
}
