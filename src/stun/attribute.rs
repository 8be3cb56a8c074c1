//! What makes a type an attribute.

use super::{AttributeType, Cursor, Malformed, TransactionId};

/// The meaning of an attribute's value: how it is read and how it is written.
pub trait Attribute<'a>: Sized {
    /// The attribute's number.
    const TYPE: AttributeType;

    /// A number the attribute had in drafts that clients still use. Read like [`Self::TYPE`]; to write
    /// under it there is [`Writer::put_as`](super::Writer::put_as).
    const OLD_TYPE: Option<AttributeType> = None;

    /// Reads the value, without its padding. `id` is the message's: some addresses are XORed with it.
    ///
    /// # Errors
    /// When the value has the wrong length or makes no sense.
    fn decode(value: &'a [u8], id: &TransactionId) -> Result<Self, Malformed>;

    /// Writes the value, without padding.
    fn encode(&self, id: &TransactionId, out: &mut Cursor<'_>);
}
