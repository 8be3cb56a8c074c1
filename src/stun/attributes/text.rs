//! Texts: UTF-8 of a bounded number of bytes.

use crate::stun::{Attribute, AttributeType, Cursor, Malformed, TransactionId};

/// The most bytes of a USERNAME: "fewer than 509" (RFC 8489 section 14.3).
pub const MAX_USERNAME: usize = 508;
/// The most bytes of every other text: 127 characters of six bytes and one more (RFC 8489
/// sections 14.8 to 14.10).
pub const MAX_TEXT: usize = 763;
/// The most bytes of a domain name (RFC 8489 section 14.16).
const MAX_DOMAIN: usize = 255;

macro_rules! text_attribute {
    ($($(#[$doc:meta])* $name:ident = $kind:ident $max:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name<'a>(pub &'a str);

        impl<'a> Attribute<'a> for $name<'a> {
            const TYPE: AttributeType = AttributeType::$kind;

            fn decode(value: &'a [u8], _: &TransactionId) -> Result<Self, Malformed> {
                decode(value, Self::TYPE, $max).map(Self)
            }

            fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
                encode(self.0, $max, out);
            }
        }
    )*};
}

text_attribute! {
    /// USERNAME: who asks; up to 508 bytes, as the client wrote it.
    Username = USERNAME MAX_USERNAME;
    /// REALM: what the credentials are good for; up to 763 bytes.
    Realm = REALM MAX_TEXT;
    /// SOFTWARE: what the sender runs; up to 763 bytes.
    Software = SOFTWARE MAX_TEXT;
    /// ALTERNATE-DOMAIN: the name in the certificate of an ALTERNATE-SERVER; up to 255 bytes.
    AlternateDomain = ALTERNATE_DOMAIN MAX_DOMAIN;
}

pub(super) fn decode(value: &[u8], kind: AttributeType, max: usize) -> Result<&str, Malformed> {
    if value.len() > max {
        return Err(Malformed::ValueLength(kind));
    }
    std::str::from_utf8(value).map_err(|_| Malformed::NotUtf8(kind))
}

pub(super) fn encode(text: &str, max: usize, out: &mut Cursor<'_>) {
    if text.len() > max {
        return out.refuse();
    }
    out.put(text.as_bytes());
}
