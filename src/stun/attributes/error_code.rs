//! ERROR-CODE: why a request was refused (RFC 8489 section 14.8).

use super::text::{self, MAX_TEXT};
use crate::stun::{Attribute, AttributeType, Cursor, Malformed, TransactionId};

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorCode<'a> {
    /// 300 to 699.
    pub code: u16,
    /// For people; up to 763 bytes.
    pub reason: &'a str,
}

impl<'a> Attribute<'a> for ErrorCode<'a> {
    const TYPE: AttributeType = AttributeType::ERROR_CODE;

    fn decode(value: &'a [u8], _: &TransactionId) -> Result<Self, Malformed> {
        let (code, reason) = decode(value, Self::TYPE)?;
        Ok(Self { code, reason })
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        encode(0, self.code, self.reason, out);
    }
}

/// Reads code and reason behind a byte that is the caller's and one that is reserved.
pub(super) fn decode(value: &[u8], kind: AttributeType) -> Result<(u16, &str), Malformed> {
    let Some((&[_, _, class, number], reason)) = value.split_first_chunk() else {
        return Err(Malformed::ValueLength(kind));
    };
    // The class has three bits; those above are reserved.
    let class = class & 0x07;
    if !(3..=6).contains(&class) || number > 99 {
        return Err(Malformed::OutOfRange(kind));
    }
    let reason = text::decode(reason, kind, MAX_TEXT)?;
    Ok((u16::from(class) * 100 + u16::from(number), reason))
}

/// Writes `first`, a reserved byte, the code and the reason.
pub(super) fn encode(first: u8, code: u16, reason: &str, out: &mut Cursor<'_>) {
    let (Ok(class), Ok(number)) = (u8::try_from(code / 100), u8::try_from(code % 100)) else {
        return out.refuse();
    };
    if !(3..=6).contains(&class) {
        return out.refuse();
    }
    out.put(&[first, 0, class, number]);
    text::encode(reason, MAX_TEXT, out);
}
